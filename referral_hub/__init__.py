"""The Referral Hub: referrals between social services, clinics and legal aid, on FHIR R4.

What lives here is only the version. The rooms are described in docs/architecture.md; `referral_hub.app` is
the one place that knows them all, and `referral_hub.cli` holds the commands a person types.
"""

__version__ = "0.1.0"
