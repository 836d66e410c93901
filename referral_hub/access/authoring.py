"""The two shapes of a Consent that the hub writes, and everything that keeps one from being compiled to rows.

What lives here: the rules beyond what a provision can be read as (``access.provision_elements`` tells what
cannot be read). What does not: the rules of the profile, which its StructureDefinition holds, and how long
a permission may last, which is a setting (``exchange.consents``).

A *release* denies at its root and holds nested permits for one receiving unit and one purpose. A *refusal*
denies at its root under conditions, and may hold exceptions: nested permits of one organisation, one
purpose and single instances. Both become rows that SQL joins; what a row cannot say is refused here.

Source: ``consent.md`` C-08 to C-18; ``views.md`` 9; ``practice.md`` 3; ``engine.md`` 2.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from referral_hub.access.categories import DIRECTORY, OWN, category_of
from referral_hub.access.facts import RESTRICTED
from referral_hub.access.rules import ACCESS_ONLY, CompiledConsent, Deny, Permit
from referral_hub.fhir.outcome import Issue

MAX_ROWS = 1_000
"""How many rows one Consent may compile to."""

_ROOT = "Consent.provision"
_RELEASE_ROOT = frozenset({"id", "type", "period", "provision"})


def authoring_issues(body: Mapping[str, Any], compiled: CompiledConsent) -> Iterator[Issue]:
    """Gives every rule of its shape that a Consent breaks, each with its place.

    Args:
        body: decoded FHIR JSON.
        compiled: what was understood of it.

    Source: ``consent.md`` C-18; ``views.md`` 9.
    """
    root = body.get("provision")
    if not compiled.kind or not isinstance(root, dict):
        return
    if root.get("type") != "deny":
        yield _issue(
            f"{_ROOT}.type", "The outer provision is a deny: nothing is shared unless a permit says so."
        )
    for deny in compiled.denies:
        if deny.path.startswith(f"{_ROOT}."):
            yield _issue(
                deny.path, "Inside the outer provision there are permits only; write a separate refusal."
            )
    if compiled.kind == "release":
        yield from _release_issues(root, compiled)
    else:
        yield from _refusal_issues(compiled)
    if row_count(compiled) > MAX_ROWS:
        yield _issue(_ROOT, "This consent names too many things at once. Write it as several.")


def row_count(compiled: CompiledConsent) -> int:
    """Gives how many grant, refusal and exception rows a Consent compiles to at most."""
    permits = sum(
        len(permit.organizations)
        * len(permit.purposes)
        * (1 + (len(permit.categories or ()) or 1) * (len(permit.instances or ()) or 1))
        for permit in compiled.permits
    )
    denies = (*compiled.denies, *((compiled.root,) if compiled.root else ()))
    return permits + sum(
        (len(deny.targets or ()) or 1)
        * (len(deny.purposes or ()) or 1)
        * (len(deny.categories or ()) or 1)
        * (len(deny.instances or ()) or 1)
        for deny in denies
    )


def _release_issues(root: Mapping[str, Any], compiled: CompiledConsent) -> Iterator[Issue]:
    for element in sorted(root.keys() - _RELEASE_ROOT):
        yield _issue(f"{_ROOT}.{element}", "The outer provision of a release has no conditions of its own.")
    if not root.get("provision"):
        yield _issue(f"{_ROOT}.provision", "A release holds at least one permit.")
    if len(compiled.organizations) > 1:
        yield _issue(_ROOT, "A release is for one receiving unit. Write one release for each.")
    if len(compiled.purposes) > 1:
        yield _issue(_ROOT, "A release is for one purpose. Write one release for each.")
    for permit in compiled.permits:
        if permit.until_us <= permit.from_us:
            yield _issue(
                f"{permit.path}.period", "The permission ends before it begins. State both with a time."
            )
        if permit.categories is None and permit.instances is None:
            yield _issue(permit.path, "Say what is shared: information categories, or single instances.")
        if permit.categories is not None and permit.instances is not None:
            yield _issue(
                permit.path, "A permit names categories or single instances. Write two permits for both."
            )
        if permit.ceiling < RESTRICTED or permit.sensitivities is not None:
            yield _issue(
                f"{permit.path}.securityLabel", "A permit is labelled R, or V for the very restricted."
            )
        yield from _common_permit_issues(permit)


def _refusal_issues(compiled: CompiledConsent) -> Iterator[Issue]:
    if compiled.root is not None:
        yield from _deny_issues(compiled.root)
    for permit in compiled.permits:
        if len(permit.organizations) > 1:
            yield _issue(f"{permit.path}.actor", "An exception names one organisation.")
        if len(permit.purposes) > 1:
            yield _issue(f"{permit.path}.purpose", "An exception names one purpose.")
        if permit.until_us <= permit.from_us:
            yield _issue(
                f"{permit.path}.period", "The exception ends before it begins. State both with a time."
            )
        if not permit.instances:
            yield _issue(f"{permit.path}.data", "An exception names single instances.")
        if permit.categories is not None or permit.types:
            yield _issue(f"{permit.path}.class", "An exception names single instances, not categories.")
        if permit.data_from_us is not None or permit.data_until_us is not None:
            yield _issue(f"{permit.path}.dataPeriod", "An exception is not limited by the time data tell of.")
        if permit.sensitivities is not None:
            yield _issue(
                f"{permit.path}.securityLabel", "An exception opens an instance whatever its labels."
            )
        yield from _common_permit_issues(permit)


def _common_permit_issues(permit: Permit) -> Iterator[Issue]:
    if permit.actions != ACCESS_ONLY:
        yield _issue(
            f"{permit.path}.action", "Leave the action out: a permit is for reading, never for passing on."
        )
    if permit.types:
        yield _issue(f"{permit.path}.class", "Name information categories, not types of resources.")
    if permit.authors:
        yield _issue(f"{permit.path}.data", "Data are named as single instances.")
    if any(_never_shared(name) for name in permit.instances or ()):
        yield _issue(f"{permit.path}.data", "Records of this type are not shared by naming them.")


def _deny_issues(deny: Deny) -> Iterator[Issue]:
    for element, found in (
        ("action", deny.actions),
        ("code", deny.codes),
        ("securityLabel", deny.sensitivities),
        ("dataPeriod", None if (deny.data_from_us, deny.data_until_us) == (None, None) else True),
    ):
        if found:
            yield _issue(
                f"{deny.path}.{element}", "A refusal says this by category, instance or confidentiality."
            )
    if deny.types:
        yield _issue(f"{deny.path}.class", "Name information categories, not types of resources.")
    if deny.dependents or deny.authors:
        yield _issue(f"{deny.path}.data", "Data are named as single instances.")
    if deny.from_us is not None and deny.until_us is not None and deny.until_us <= deny.from_us:
        yield _issue(f"{deny.path}.period", "The refusal ends before it begins.")


def _never_shared(name: str) -> bool:
    return category_of({"resourceType": name.partition("/")[0]}) in (OWN, DIRECTORY)


def _issue(path: str, text: str) -> Issue:
    return Issue("error", "business-rule", text, path)
