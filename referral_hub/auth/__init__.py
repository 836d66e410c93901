"""Who is calling: OAuth clients, tokens, and people with their second factor.

What lives here: the authorization server, partner clients, DPoP, accounts, and the Protocols for the rows
they need (implemented by `referral_hub.store`). What does not: FHIR rules; what a scope or consent opens is
arithmetic in `referral_hub.access`.
"""
