"""Emergency access as a permission of its own: what the person may allow beforehand, and how it is told apart.

What lives here: the purpose, the clinics' part, and what such a permission may name. What does not: reading a
Consent (``access.provisions``), opening a record in an emergency (``exchange.emergency``).

A permit for emergencies is compiled under a purpose that no token can carry, and it opens no notice. So whoever
holds a token for emergencies reads, finds, exports and receives nothing by it: the one way is the operation that
asks for a reason, and no way can be forgotten.

Source: ``consent.md`` section 0 point 7 and P-08; ``practice.md`` 1.
"""

EMERGENCY = "BTG"
"""The purpose she writes into the permission, and the one of the token (v3-ActReason, break the glass)."""

OPENING = f"{EMERGENCY}!"
"""The purpose such a permit is compiled under. ``!`` is in no purpose code, so no software can be given it."""

EMERGENCY_CATEGORIES = frozenset({"health", "substance-use"})
"""What such a permission may name: what a clinic needs to treat her tonight."""

EMERGENCY_TYPES = frozenset({"Condition", "Observation", "Procedure"})
"""What is opened of it: findings and treatment, no papers, no visits and no places."""

EMERGENCY_KINDS = frozenset({"clinic"})
"""Kinds of organisations that may open a record in an emergency."""
