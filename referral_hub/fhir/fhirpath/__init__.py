"""FHIRPath, as far as rules about resources need it.

What lives here: reading an expression (:mod:`.grammar`), walking a resource with its types (:mod:`.nodes`),
comparing values (:mod:`.comparison`), the functions (:mod:`.functions`) and turning an expression into
Python calls (:mod:`.compiler`). What does not: which rules there are (:mod:`referral_hub.fhir.invariants`).

An expression is compiled once. The common shapes of a rule (``a.exists() or b = 'c'``) become direct looks
into the JSON object (:mod:`.shortcuts`); anything else walks nodes. The clock functions (``now()``,
``today()``) are left out: the answer to "is this resource valid" must not change with the hour.

Source: FHIRPath 2.0 (normative); FHIR R4 ``fhirpath.html``.
"""
