"""How long a permission really runs, and whether one permission says no more than another.

What lives here: the check-in that a long permission waits for, an end that came before the written one, and
:func:`narrower_or_equal`. What does not: how long a permission may be written (``exchange.consent_rules``), what
happens when it ends (``outbound.timers``).

Both are part of reading a Consent, so rows and decisions know them without anybody asking the time twice: after
90 days nothing is open that she did not confirm, and nobody has to remember to close it.

Source: ``practice.md`` 4 (check-in at 90 days), 7 (eighteen), 9 (return); ``consent.md`` C-34.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from referral_hub.access.rules import CompiledConsent, Deny, Permit
from referral_hub.fhir.canonical import structure
from referral_hub.fhir.dates import EARLIEST_US, LATEST_US, instant, span
from referral_hub.fhir.elements import extension, extensions

CHECK_IN = structure("consent-check-in")
"""Extension of a release: when she was asked again and said that it goes on."""
ENDED_EARLY = structure("sharing-ended")
"""Extension of a release: when it ended before its written end without a withdrawal, and why."""

DAY_US = 24 * 3600 * 1_000_000
CHECK_IN_US = 90 * DAY_US
_ROUNDING_US = DAY_US


def as_it_runs(permits: tuple[Permit, ...], body: Mapping[str, Any]) -> tuple[Permit, ...]:
    """Gives the permits of a release with the end each really has.

    A permit of more than 90 days (a day's rounding aside) runs 90 days from the signature, and 90 days from each
    check-in. An early end closes all of them; one that cannot be read closes them from the beginning.

    Args:
        permits: as they are written.
        body: the Consent.

    Source: ``practice.md`` 4, 7 and 9.
    """
    ended_us = _ended_us(body)
    return tuple(replace(permit, until_us=_until_us(permit, body, ended_us)) for permit in permits)


def confirmed(body: Mapping[str, Any], at_us: int) -> dict[str, Any]:
    """Gives a release as if she had just confirmed it; it is compared with, never stored.

    >>> confirmed({}, 0)["extension"][0]["valueDateTime"]
    '1970-01-01T00:00:00.000000Z'
    """
    known = body.get("extension")
    extensions = list(known) if isinstance(known, list) else []
    return {**body, "extension": [*extensions, {"url": CHECK_IN, "valueDateTime": instant(at_us)}]}


def check_ins(body: Mapping[str, Any]) -> list[str]:
    """Gives the times of the check-ins of a release, as written."""
    found = (one.get("valueDateTime") for one in extensions(body, CHECK_IN) if isinstance(one, Mapping))
    return [text for text in found if isinstance(text, str)]


def narrower_or_equal(old: CompiledConsent, new: CompiledConsent, *, times: bool = True) -> bool:
    """Tells whether the second Consent permits nothing that the first does not.

    It is asked of what the two say, whatever their status. A false answer may be too strict (a permit that needs
    two others together is called wider), a true one never too weak: no request exists that the new Consent permits
    and the old one would not.

    Args:
        old: what was signed.
        new: what is to be.
        times: False to leave out when they are in force, as in a renewal.

    Source: ``practice.md`` 4 (renewal: same or narrower; wider is a new form).
    """
    if new.kind == "refusal" or not new.permits:
        return True
    if old.kind == "refusal":
        return False
    kept = {_placeless(deny) for deny in new.denies}
    if any(_placeless(deny) not in kept for deny in old.denies):
        return False
    return all(
        any(_covers(known, part, times=times) for known in old.permits)
        for permit in new.permits
        for part in _parts(permit)
    )


def _until_us(permit: Permit, body: Mapping[str, Any], ended_us: int | None) -> int:
    until_us = permit.until_us
    signed_us = _low_us(body.get("dateTime"))
    base_us = permit.from_us if signed_us is None else signed_us
    if base_us > EARLIEST_US and until_us - base_us > CHECK_IN_US + _ROUNDING_US:
        asked = [_low_us(text) for text in check_ins(body)]
        last_us = max([base_us, *(at_us for at_us in asked if at_us is not None)])
        until_us = min(until_us, last_us + CHECK_IN_US)
    return until_us if ended_us is None else min(until_us, ended_us)


def _ended_us(body: Mapping[str, Any]) -> int | None:
    found = extension(body, ENDED_EARLY)
    if found is None:
        return None
    at = extension(found, "at")
    at_us = _low_us(at.get("valueDateTime") if isinstance(at, Mapping) else None)
    return EARLIEST_US if at_us is None else at_us


def _low_us(text: object) -> int | None:
    try:
        return span(text)[0] if isinstance(text, str) else None
    except ValueError:
        return None


def _placeless(deny: Deny) -> Deny:
    return replace(deny, path="")


def _parts(permit: Permit) -> Iterator[Permit]:
    """Gives a permit as several that each name one category or one instance, which together say the same."""
    if permit.types or permit.authors:
        yield permit
        return
    by_category = [permit]
    if permit.categories is not None:
        by_category = [replace(permit, categories=frozenset({one})) for one in permit.categories]
    for part in by_category:
        if part.instances is None:
            yield part
        else:
            yield from (replace(part, instances=frozenset({one})) for one in part.instances)


def _covers(old: Permit, new: Permit, *, times: bool) -> bool:
    """Tells whether whatever the new permit matches is matched by the old one."""
    if times and not (old.from_us <= new.from_us and new.until_us <= old.until_us):
        return False
    if not (
        new.organizations <= old.organizations
        and new.purposes <= old.purposes
        and new.actions <= old.actions
        and new.ceiling <= old.ceiling
    ):
        return False
    if old.sensitivities is not None and not (
        new.sensitivities is not None and new.sensitivities <= old.sensitivities
    ):
        return False
    if old.categories is not None and not (
        new.categories is not None and new.categories <= old.categories and new.types <= old.types
    ):
        return False
    if old.instances is not None and not (
        new.instances is not None and new.instances <= old.instances and new.authors <= old.authors
    ):
        return False
    return _data_within(old, new)


def _data_within(old: Permit, new: Permit) -> bool:
    old_from = EARLIEST_US if old.data_from_us is None else old.data_from_us
    new_from = EARLIEST_US if new.data_from_us is None else new.data_from_us
    old_until = LATEST_US if old.data_until_us is None else old.data_until_us
    new_until = LATEST_US if new.data_until_us is None else new.data_until_us
    bounded = (old.data_from_us, old.data_until_us) != (None, None)
    stated = (new.data_from_us, new.data_until_us) != (None, None)
    return (stated or not bounded) and old_from <= new_from and new_until <= old_until
