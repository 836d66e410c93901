"""HTTP: the FHIR API, the OAuth pages and the portal.

What lives here: routes by interaction for all types, content negotiation, pages, and `error_handlers`, the
only file that knows both errors and HTTP statuses. What does not: a rule. What may be read or written is
asked of `referral_hub.exchange`.
"""
