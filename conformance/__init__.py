"""The hub measured with what others made.

What lives here: the hub beside HL7's own validator (``conformance.hl7``): everything it emits is judged, and
thousands of small faults are shown to both validators. See ``docs/conformance.md``. What does not: the hub's
own tests, which are in ``tests/``.

What will live here as well: a suite for any server by its base URL, one check per requirement. That one talks
HTTP only and imports nothing of ``referral_hub``.
"""
