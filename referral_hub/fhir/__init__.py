"""FHIR itself, were there no referrals.

What lives here: exact JSON (a decimal comes back digit for digit), FHIR XML, the compiled R4 element
tables, the validator made from StructureDefinitions, the search grammar, the extraction of search values,
references and OperationOutcome. What does not: any word about referrals or consent. The rules of each type
are in `referral_hub.resources`, and who may see what is in `referral_hub.access`.
"""
