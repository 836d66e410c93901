"""The token behind a browser: pages ask the hub as software does, with a row the gate reads each time.

What lives here: the token a session acts through, for which purposes staff of an organisation work, and the rows of
both. What does not: who sits at the browser (``auth.people.browser_sessions``), pages (``web.portal``), what a token
opens (``exchange.gate``).

It is a token nobody holds (``auth.people.keyless_tokens``). It says what the session says (account, role, organisation,
purpose) and lives a few minutes; what ends an account's tokens ends it too.

Source: ``architecture.md`` 4 (pages take the one write path); ``views.md`` 7 and 9.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from referral_hub.auth.people.browser_sessions import SignedIn
from referral_hub.auth.people.keyless_tokens import digest_for, minted
from referral_hub.auth.people.ports import Apply
from referral_hub.exchange.accounts import PERSON
from referral_hub.exchange.change import Change
from referral_hub.exchange.ports import OrganizationRow, TokenRow
from referral_hub.resources.catalog import DEFINITIONS

PORTAL = "portal"
"""The OAuth client that pages act as; it has no key, so no software can act as it."""
PURPOSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "shelter": ("shelter-placement", "first-night"),
        "housing": ("shelter-placement", "first-night"),
        "clinic": ("TREAT", "therapy"),
        "legal-aid": ("legal-representation", "court-support", "compensation"),
        "immigration": ("immigration-representation", "residence-permit"),
    }
)
"""For which purposes staff work, by the kind of their organisation; the first unless they choose another."""
_GOVERNMENTAL: Mapping[str, tuple[str, ...]] = MappingProxyType({"immigration": ("residence-permit",)})

STAFF_SCOPE = " ".join(f"user/{name}.cruds" for name in sorted(DEFINITIONS))
"""Staff may ask for everything; how far they see is their role and who is assigned to them."""
PERSON_SCOPE = " ".join(f"patient/{name}.cruds" for name in sorted(DEFINITIONS))
"""The person may ask for everything of hers; what she may write is told by the gate."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody at a browser, and the token digest by which the hub knows the caller.

    Args:
        signed: who signed in.
        token: SHA-256-sized digest of a token row; every interaction takes it like that of software.
        purpose: the purpose of use the token carries; empty where the organisation has none.
        purposes: those this member of staff may choose among.
        organization_kind: such as ``shelter``; empty for a person.
    """

    signed: SignedIn
    token: bytes
    purpose: str
    purposes: tuple[str, ...]
    organization_kind: str


def purposes_of(organization: OrganizationRow | None) -> tuple[str, ...]:
    """Gives the purposes for which staff of an organisation work, the usual one first."""
    if organization is None:
        return ()
    facts = organization.facts
    if facts.governmental:
        return _GOVERNMENTAL.get(facts.kind, ())
    return PURPOSES.get(facts.kind, ())


class PortalTokens:
    """Gives the token a session acts through. Safe for threads and processes.

    Args:
        token: reads a token row by its digest.
        organization: reads an organisation's row.
        apply: applies a Change.
        key: secret of this hub.
    """

    def __init__(
        self,
        token: Callable[[bytes], TokenRow | None],
        organization: Callable[[str], OrganizationRow | None],
        apply: Apply,
        key: bytes,
    ) -> None:
        self._token = token
        self._organization = organization
        self._apply = apply
        self._key = key

    def seat(self, signed: SignedIn, session: bytes, wanted: str, at_us: int) -> Seat:
        """Gives the seat of a session that is live and whole.

        Args:
            signed: who signed in.
            session: digest of the session's cookie.
            wanted: the purpose chosen; the usual one where it is none of the organisation's.
            at_us: now, microseconds UTC.
        """
        organization = self._organization(signed.organization)
        hers = signed.kind == PERSON
        purposes = () if hers else purposes_of(organization)
        purpose = wanted if wanted in purposes else purposes[0] if purposes else ""
        said = (
            session.hex(),
            signed.account,
            signed.organization,
            signed.role,
            str(signed.person),
            purpose,
        )
        digest = digest_for(self._key, said, at_us)
        if self._token(digest) is None:
            self._apply(_minted(signed, digest, purpose, at_us, hers=hers))
        kind = organization.facts.kind if organization is not None and not hers else ""
        return Seat(signed, digest, purpose, purposes, kind)


def _minted(signed: SignedIn, digest: bytes, purpose: str, at_us: int, *, hers: bool) -> Change:
    return minted(
        PORTAL,
        "Pages of this hub",
        at_us,
        digest=digest,
        organization=signed.organization,
        scope=PERSON_SCOPE if hers else STAFF_SCOPE,
        purpose=purpose,
        role=signed.role,
        user_id=signed.account,
        context="patient" if hers else "user",
        account=signed.account,
        person=signed.person,
        patient=signed.patient,
    )
