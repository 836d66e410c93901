"""A person's permissions and refusals as they are told: who gets what, for what, until when, and how it stands.

What lives here: reading her Consents into rows for a page. What does not: who may read them
(``exchange.permission_file``), what is open right now (``exchange.judging``), words (``texts``).

Source: ``practice.md`` 3 to 5; ``consent.md`` F-26; ``views.md`` 9 (a refusal with exceptions).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from referral_hub.access.consent_life import CHECK_IN_US, DAY_US, ENDED_EARLY, check_ins
from referral_hub.access.provisions import compile_consent
from referral_hub.casework.permission_forms import (
    categories_of,
    language_of,
    permit_of,
    purpose_of,
    receiver_of,
    says_back,
)
from referral_hub.exchange.consent_rules import kind_of
from referral_hub.exchange.contact_lost import RENEWAL_OF
from referral_hub.fhir.dates import LATEST_US, span
from referral_hub.fhir.elements import at_path, extension, reference_text, text_at

State = Literal["draft", "running", "ending", "paused", "ended", "stopped", "refused", "gone"]
"""How a permission stands: not signed yet; runs; runs and ends soon; waits until she was asked again; its time is over;
she stopped it; one of her refusals outweighs it; it ended by itself before its day.
"""
SOON_US = 14 * DAY_US
_OVER = frozenset({"inactive", "rejected", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission as it is told.

    Args:
        id: of the Consent.
        version: of it.
        recipient: id of the unit that may have it.
        purpose: a code.
        categories: codes of what it may have.
        things: how many single things it names.
        state: how it stands.
        until_us: when it really ends, microseconds UTC; 0 where nothing says.
        check_in_us: when she is to be asked again; 0 for one that needs no asking.
        signed: when it was signed, as written.
        language: of the form.
        is_back: it tells her own organisation what came of a referral.
        renews: id of the permission it goes on from.
        is_simple: it has one permit of kinds of information, as a form of the hub has.
    """

    id: str
    version: str
    recipient: str
    purpose: str
    categories: tuple[str, ...]
    things: int
    state: State
    until_us: int
    check_in_us: int
    signed: str
    language: str
    is_back: bool
    renews: str
    is_simple: bool

    @property
    def runs(self) -> bool:
        """Tells whether it lets something out now."""
        return self.state in ("running", "ending")


@dataclass(frozen=True, slots=True)
class Never:
    """One refusal as it is told.

    Args:
        id: of the Consent.
        version: of it.
        targets: pairs of a kind (``everyone``, ``unit``, ``kind``, ``government``) and an id, a code or a country.
        categories: kinds of information it is limited to; none: everything.
        exceptions: single things she lets one organisation have all the same, as ``Type/id`` with its id.
        said: when she said it, as written.
        is_simple: a page can say all of it; else it says more than these words.
    """

    id: str
    version: str
    targets: tuple[tuple[str, str], ...]
    categories: tuple[str, ...]
    exceptions: tuple[tuple[str, str], ...]
    said: str
    is_simple: bool


_KINDS: Mapping[str, str] = {"org": "unit", "kind": "kind", "gov": "government"}


def permissions_of(
    consents: Iterable[Mapping[str, Any]], closed: Collection[str], at_us: int
) -> tuple[Permission, ...]:
    """Gives every permission, those that run first, then the newest.

    Args:
        consents: her Consents as stored, with their ids.
        closed: ids of units that a refusal of hers keeps out now.
        at_us: now.
    """
    found = [_permission(body, closed, at_us) for body in consents if kind_of(dict(body)) == "release"]
    return tuple(sorted(found, key=lambda one: (_ORDER.index(one.state), -one.until_us, one.id)))


_ORDER: tuple[State, ...] = ("ending", "paused", "running", "draft", "refused", "ended", "gone", "stopped")


def _permission(body: Mapping[str, Any], closed: Collection[str], at_us: int) -> Permission:
    compiled = compile_consent("", "", body, authored=False)
    written_us = max((permit.until_us for permit in compiled.permits), default=0)
    recipient = receiver_of(body)
    permits = [one for one in at_path(body, "provision.provision") if isinstance(one, dict)]
    things = sum(1 for permit in permits for _ in at_path(permit, "data"))
    return Permission(
        id=str(body.get("id", "")),
        version=text_at(body, "meta.versionId"),
        recipient=recipient,
        purpose=purpose_of(body),
        categories=categories_of(body),
        things=things,
        state=_state(body, written_us, recipient in closed, at_us),
        until_us=written_us,
        check_in_us=_check_in_us(body),
        signed=text_at(body, "dateTime"),
        language=language_of(body),
        is_back=says_back(body),
        renews=reference_text((extension(body, RENEWAL_OF) or {}).get("valueReference")).partition("/")[2],
        is_simple=len(permits) == 1 and not things,
    )


def _state(body: Mapping[str, Any], until_us: int, is_closed: bool, at_us: int) -> State:  # noqa: FBT001
    status = body.get("status")
    if status in _OVER:
        return "stopped"
    if status != "active":
        return "draft"
    if extension(body, ENDED_EARLY) is not None:
        return "gone"
    if until_us <= at_us:
        return "paused" if at_us < _written_end_us(body) else "ended"
    if is_closed:
        return "refused"
    left_us = until_us - at_us
    return "ending" if left_us <= min(SOON_US, _length_us(body) // 2) else "running"


def _length_us(body: Mapping[str, Any]) -> int:
    """Gives how long a permission is written for: one of a week does not end soon from its first day."""
    start = text_at(permit_of(body), "period.start")
    try:
        return _written_end_us(body) - span(start)[0] if start else 2 * SOON_US
    except ValueError:
        return 2 * SOON_US


def _written_end_us(body: Mapping[str, Any]) -> int:
    end = text_at(permit_of(body), "period.end")
    try:
        return span(end)[0] if end else 0
    except ValueError:
        return 0


def _check_in_us(body: Mapping[str, Any]) -> int:
    """Gives when she is to be asked again: 90 days after she signed, or was asked last; 0 for a shorter permission."""
    signed, end_us = text_at(body, "dateTime"), _written_end_us(body)
    if not signed or body.get("status") != "active":
        return 0
    last_us = max(span(text)[0] for text in (signed, *check_ins(body)))
    return last_us + CHECK_IN_US if end_us - last_us > CHECK_IN_US + DAY_US else 0


def nevers_of(consents: Iterable[Mapping[str, Any]], at_us: int) -> tuple[Never, ...]:
    """Gives every refusal that stands, the newest first."""
    standing = (
        _never(body, at_us)
        for body in consents
        if kind_of(dict(body)) == "refusal" and body.get("status") == "active"
    )
    return tuple(sorted((one for one in standing if one), key=lambda one: one.said, reverse=True))


def _never(body: Mapping[str, Any], at_us: int) -> Never | None:
    compiled = compile_consent("", "", body, authored=False)
    root = compiled.root
    if root is None or (root.until_us or LATEST_US) <= at_us:
        return None
    targets = tuple(_target(text) for text in sorted(root.targets or ())) or (("everyone", ""),)
    exceptions = tuple(
        (name, unit)
        for permit in compiled.permits
        for unit in sorted(permit.organizations)
        for name in sorted(permit.instances or ())
    )
    plain = not (root.purposes or root.instances or root.codes or root.sensitivities or root.at_least)
    return Never(
        id=str(body.get("id", "")),
        version=text_at(body, "meta.versionId"),
        targets=targets,
        categories=tuple(sorted(root.categories or ())),
        exceptions=exceptions,
        said=text_at(body, "dateTime") or text_at(body, "meta.lastUpdated"),
        is_simple=plain and not compiled.denies,
    )


def _target(text: str) -> tuple[str, str]:
    """Gives whom one target of a refusal names.

    >>> _target("gov:XA"), _target("kind:governmental")
    (('government', 'XA'), ('kind', 'governmental'))
    """
    kind, _, value = text.partition(":")
    return _KINDS.get(kind, "unit"), value
