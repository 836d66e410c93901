"""The keys that seal what is kept: of the hub, of persons, of organisations.

What lives here: the master key, the wrapped keys under it, their rotation and their destruction. What does
not: SQL and the sealing of a body, which are in `referral_hub.store`.
"""
