"""A suite that checks a hub, or any server that claims to speak as one, by its base URL.

What will live here: one check per requirement, each with its requirement id and the section of the standard
it comes from, ending in one of six results (pass, fail, skip, omit, wait, error). It talks HTTP only and
imports nothing of `referral_hub`, so that it can be pointed at a server that somebody else wrote. What does
not: the hub's own tests, which are in `tests/`.
"""
