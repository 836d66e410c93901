"""The rows a Consent compiles to, and what SQL must make of them.

What lives here: the compiling, and :func:`opened`, the arithmetic that the store's join repeats. What does
not: the row types (``access.rows``), the store's tables (``store.grants``), the second line of defence
(``access.decision``).

For a Consent written by the hub the rows say exactly what the decision says. For an import they say less
where it permits and more where it denies, so that nothing is found by SQL that the decision would not give.

Source: ``consent.md`` D-20 and D-21; ``engine.md`` 2 (consents compile at write); ``views.md`` 9.
"""

from collections.abc import Iterable, Iterator
from itertools import product

from referral_hub.access.authoring import MAX_ROWS, row_count
from referral_hub.access.categories import CATEGORIES, NOTICE, OWN, VERY_RESTRICTED
from referral_hub.access.emergency import OPENING
from referral_hub.access.facts import RANKS, RESTRICTED, Decision, Request
from referral_hub.access.rows import Grant, Refusal, RefusalException
from referral_hub.access.rules import CompiledConsent, Deny, Permit
from referral_hub.fhir.dates import EARLIEST_US, LATEST_US

_CODES = {rank: code for code, rank in RANKS.items()}
_Rows = tuple[tuple[Grant, ...], tuple[Refusal, ...], tuple[RefusalException, ...]]


def compile_rows(compiled: CompiledConsent, *, consent_row: int, person: int) -> _Rows:
    """Gives the grants, refusals and exceptions that replace all earlier rows of a Consent.

    A Consent that is not active has none. Each release adds one grant of the category ``notice`` per span
    of time in which any of its permits is in force.

    Args:
        compiled: the Consent as read.
        consent_row: the row id of the Consent.
        person: the row id of the Patient.

    Source: ``consent.md`` D-20; ``views.md`` 9.
    """
    if not compiled.active:
        return (), (), ()
    denies = (*compiled.denies, *((compiled.root,) if compiled.root else ()))
    if row_count(compiled) > MAX_ROWS:
        return (), tuple(_whole(deny, consent_row, person) for deny in denies), ()
    refusals = tuple(row for deny in denies for row in _refusals(deny, consent_row, person))
    if compiled.kind == "refusal":
        # An exception silences the refusal's root only, and SQL sees one Consent: with further denies, none.
        permits = () if compiled.denies else compiled.permits
        exceptions = tuple(row for permit in permits for row in _exceptions(permit, consent_row, person))
        return (), refusals, exceptions
    return tuple(dict.fromkeys(_grants(compiled, consent_row, person))), refusals, ()


def opened(
    grants: Iterable[Grant],
    refusals: Iterable[Refusal],
    exceptions: Iterable[RefusalException],
    request: Request,
    at_us: int,
) -> Decision:
    """Gives what the rows of one person say to a request: the model of the store's join.

    Args:
        grants: rows about the person; those of other organisations do not matter.
        refusals: likewise; those that do not reach the organisation do not matter.
        exceptions: rows of the same person.
        request: who asks, for what, with which purpose.
        at_us: the moment, microseconds since 1970 UTC.

    Returns:
        the outcome that :func:`referral_hub.access.decision.decide` has for Consents of the hub. The reason
        does not tell ended or withdrawn from none, and a deny names no Consent, because the rows do not
        hold that.

    Source: ``consent.md`` D-20 and D-21; ``engine.md`` 2.
    """
    if not request.organization.active:
        return Decision("deny", "organization-inactive")
    silenced = {row.consent for row in exceptions if _silences(row, request, at_us)}
    if any(row.consent not in silenced and _stops(row, request, at_us) for row in refusals):
        return Decision("deny", "refused")
    hits = [row for row in grants if _opens(row, request, at_us)]
    if not hits:
        return Decision("no-consent", "none" if request.purpose else "no-purpose")
    return Decision(
        "permit",
        "permitted",
        tuple(dict.fromkeys((row.consent_id, row.consent_version) for row in hits)),
        any(row.very_restricted for row in hits),
    )


def _opens(row: Grant, request: Request, at_us: int) -> bool:
    resource = request.resource
    if (
        row.organization != request.organization.id
        or row.purpose != request.purpose
        or request.action != "access"
        or not row.valid_from_us <= at_us < row.valid_until_us
    ):
        return False
    if resource.category == NOTICE:
        return row.category == NOTICE
    if resource.category == OWN or (resource.rank > RESTRICTED and not row.very_restricted):
        return False
    if row.resource:
        return row.resource in resource.names and _data_fits(row, request)
    return row.category == resource.category and _data_fits(row, request)


def _data_fits(row: Grant, request: Request) -> bool:
    if row.data_from_us is None and row.data_until_us is None:
        return True
    start, end = request.resource.data_from_us, request.resource.data_until_us
    if start is None or end is None:
        return False
    return (row.data_from_us is None or row.data_from_us <= start) and (
        row.data_until_us is None or (start < row.data_until_us and end <= row.data_until_us)
    )


def _stops(row: Refusal, request: Request, at_us: int) -> bool:
    resource = request.resource
    if (row.valid_from_us is not None and at_us < row.valid_from_us) or (
        row.valid_until_us is not None and at_us >= row.valid_until_us
    ):
        return False
    if request.refusal_targets and row.target != "*" and row.target not in request.refusal_targets:
        return False
    if row.purpose and request.purpose not in ("", OPENING, row.purpose):
        return False
    if row.at_least and resource.category and resource.rank < RANKS[row.at_least]:
        return False
    if resource.category == NOTICE:
        return not row.category and not row.resource
    if row.category and resource.category not in ("", VERY_RESTRICTED, row.category):
        return False
    return not row.resource or row.resource in resource.names


def _silences(row: RefusalException, request: Request, at_us: int) -> bool:
    resource = request.resource
    return (
        row.organization == request.organization.id
        and row.purpose == request.purpose
        and request.action == "access"
        and (row.valid_from_us is None or row.valid_from_us <= at_us)
        and (row.valid_until_us is None or at_us < row.valid_until_us)
        and resource.category != OWN
        and (resource.category == NOTICE or row.resource in resource.names)
    )


def _grants(compiled: CompiledConsent, consent_row: int, person: int) -> Iterator[Grant]:
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for permit in compiled.permits:
        if not _has_rows(permit):
            continue
        for organization, purpose in product(sorted(permit.organizations), sorted(permit.purposes)):
            if purpose != OPENING:
                spans.setdefault((organization, purpose), []).append((permit.from_us, permit.until_us))
            for category, resource in _what(permit):
                yield Grant(
                    consent_row,
                    compiled.id,
                    compiled.version,
                    person,
                    organization,
                    purpose,
                    category,
                    resource,
                    permit.opens_very_restricted,
                    permit.from_us,
                    permit.until_us,
                    permit.data_from_us,
                    permit.data_until_us,
                )
    for (organization, purpose), found in spans.items():
        for from_us, until_us in _merged(found):
            yield Grant(
                consent_row,
                compiled.id,
                compiled.version,
                person,
                organization,
                purpose,
                NOTICE,
                "",
                very_restricted=False,
                valid_from_us=from_us,
                valid_until_us=until_us,
            )


def _has_rows(permit: Permit) -> bool:
    """Tells whether rows can say what this permit says; every permit of a hub release can."""
    return (
        permit.from_us < permit.until_us
        and "access" in permit.actions
        and permit.ceiling >= RESTRICTED
        and permit.sensitivities is None
        and not permit.types
        and not permit.authors
        and (permit.categories is None or permit.instances is None)
    )


def _what(permit: Permit) -> list[tuple[str, str]]:
    """Gives (category, instance) of each row; a permit without either, of an import, opens every category."""
    if permit.instances is not None:
        return [("", name) for name in sorted(permit.instances)]
    return [
        (category, "")
        for category in CATEGORIES
        if permit.categories is None or category in permit.categories
    ]


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Gives the spans of time in which any of the given ones lasts."""
    found: list[tuple[int, int]] = []
    for from_us, until_us in sorted(spans):
        if found and from_us <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until_us))
        else:
            found.append((from_us, until_us))
    return found


def _refusals(deny: Deny, consent_row: int, person: int) -> Iterator[Refusal]:
    """Gives rows that stop at least what the deny stops; of a hub refusal: exactly that."""
    every: tuple[str, ...] = ("",)
    categories = sorted(deny.categories) if deny.categories is not None and not deny.types else every
    unlimited = deny.instances is None or deny.dependents or deny.authors
    instances = every if unlimited or deny.instances is None else sorted(deny.instances)
    at_least = _CODES[deny.at_least] if deny.at_least is not None and deny.sensitivities is None else ""
    for target, purpose, category, resource in product(
        sorted(deny.targets or ("*",)), sorted(deny.purposes or every), categories, instances
    ):
        yield Refusal(
            consent_row, person, target, purpose, category, resource, at_least, deny.from_us, deny.until_us
        )


def _whole(deny: Deny, consent_row: int, person: int) -> Refusal:
    return Refusal(consent_row, person, "*", valid_from_us=deny.from_us, valid_until_us=deny.until_us)


def _exceptions(permit: Permit, consent_row: int, person: int) -> Iterator[RefusalException]:
    timed = permit.data_from_us is not None or permit.data_until_us is not None
    if permit.instances is None or timed or not _has_rows(permit):
        return
    for organization, purpose, resource in product(
        sorted(permit.organizations), sorted(permit.purposes), sorted(permit.instances)
    ):
        yield RefusalException(
            consent_row,
            person,
            organization,
            purpose,
            resource,
            None if permit.from_us == EARLIEST_US else permit.from_us,
            None if permit.until_us == LATEST_US else permit.until_us,
        )
