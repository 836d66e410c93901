"""The hub measured with what others made, and a suite for any server.

What lives here: a suite that asks any FHIR server by its base URL, one check per requirement (``python -m
conformance``), with the servers it is itself tried on (``conformance.faulty``, ``conformance.hapi_server``); and the
hub beside HL7's own validator (``conformance.hl7``). See ``docs/conformance.md``. What does not: the hub's own tests,
which are in ``tests/``.

The suite talks HTTP only and imports nothing of ``referral_hub``: it needs ``requests`` and ``joserfc``, and runs
wherever this folder is copied to. The modules about HL7's validator do import the hub.
"""
