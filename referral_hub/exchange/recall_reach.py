"""What one recipient is asked to stop using: what it once had by a permission, and nothing covers any more.

What lives here: comparing what a consent opened with what is open now, and finding what of it was received. What
does not: the recall itself (``exchange.recalls``), when one is due (``exchange.consent_writing``, timers).

Both sides are read from what is stored: every version of the consent on one side, the rows of today on the other.
So it can be asked again at any moment, and whoever asks twice gets the same answer.

Source: ``views.md`` 8; ``consent.md`` D-40 and D-41.
"""

from dataclasses import dataclass
from typing import Any

from referral_hub.access.categories import NOTICE
from referral_hub.access.emergency import OPENING
from referral_hub.access.facts import Request, ResourceFacts
from referral_hub.access.grants import compile_rows, opened
from referral_hub.access.principal import refusal_targets
from referral_hub.access.provisions import compile_consent
from referral_hub.exchange.audit import DONE
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.ports import OrganizationRow, ResourceRow, Standing
from referral_hub.fhir.canonical import PLACER
from referral_hub.fhir.elements import text_at

_ABOUT_HER = frozenset({"identity", "contact"})
_REFERRAL_TYPES = frozenset({"Task", "ServiceRequest", "Patient", "Consent"})


@dataclass(frozen=True, slots=True)
class Reach:
    """What a recipient lost: ``whole`` where nothing about the person is open to it any more."""

    categories: frozenset[str]
    instances: frozenset[str]
    whole: bool


@dataclass(frozen=True, slots=True)
class Received:
    """What a recipient holds of it, by names it knows: placer numbers of referrals, ``Type/id`` of records."""

    numbers: tuple[dict[str, str], ...]
    records: tuple[str, ...] = ()


def lost_to(consent: ResourceRow, receiver: OrganizationRow, draft: Draft) -> Reach | None:
    """Gives what a recipient may not use any more since a consent ended or was narrowed; None: all of it is covered.

    Args:
        consent: its current version.
        receiver: a recipient that it named in any version.
        draft: the Change in the making; a consent that this same Change ended counts as ended.
    """
    if consent.person is None:
        return None
    categories, instances = _once_open(consent, receiver.facts.id, draft)
    targets = refusal_targets(receiver.facts)
    standing = draft.working.standing(consent.person, receiver.facts.id, targets)
    purposes = sorted({grant.purpose for grant in standing.grants} - {OPENING})

    def is_open(facts: ResourceFacts) -> bool:
        return any(
            _opens(standing, Request(receiver.facts, targets, purpose, "access", "", facts), draft.at_us)
            for purpose in purposes
        )

    gone = {name for name in categories if not is_open(_facts(name))}
    rows = draft.working.resources(instances)
    single = {
        name
        for name in instances
        if (row := rows.get(name)) is None or not is_open(_facts(row.category, name))
    }
    if not gone and not single:
        return None
    return Reach(frozenset(gone), frozenset(single), whole=not is_open(_facts(NOTICE)))


def ever_received(consent: ResourceRow, draft: Draft) -> set[str]:
    """Gives the ids of the organisations that the permits of any version of a consent named."""
    return {name for body in _bodies(consent, draft) for name in receivers_of(body)}


def _bodies(consent: ResourceRow, draft: Draft) -> list[dict[str, Any]]:
    return [body_of(version) for version in draft.working.versions(consent.row_id) if not version.deleted]


def receivers_of(body: dict[str, Any]) -> set[str]:
    """Gives the ids of the organisations the permits of a Consent name."""
    found = set()
    for permit in permits_of(body):
        actors = permit.get("actor")
        for actor in actors if isinstance(actors, list) else ():
            reference = text_at(actor, "reference.reference") if isinstance(actor, dict) else ""
            if reference.startswith("Organization/"):
                found.add(reference.split("/")[1])
    return found


def permits_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Gives the permits of a Consent, as far as they can be read; an import's outer provision may be one."""
    root = body.get("provision")
    if not isinstance(root, dict):
        return []
    nested = root.get("provision")
    all_of_them = [root, *(nested if isinstance(nested, list) else ())]
    return [one for one in all_of_them if isinstance(one, dict) and one.get("type") == "permit"]


def _once_open(consent: ResourceRow, receiver: str, draft: Draft) -> tuple[set[str], set[str]]:
    """Gives the categories and single instances that any active version of a consent opened to a recipient."""
    categories: set[str] = set()
    instances: set[str] = set()
    for version in draft.working.versions(consent.row_id):
        if version.status != "active" or version.deleted or consent.person is None:
            continue
        compiled = compile_consent(version.id, version.version, body_of(version), authored=False)
        grants, _, _ = compile_rows(compiled, consent_row=version.row_id, person=consent.person)
        for grant in grants:
            if grant.organization != receiver:
                continue
            if grant.resource:
                instances.add(grant.resource)
            else:
                categories.add(grant.category)
    return categories - {NOTICE}, instances


def _facts(category: str, name: str = "") -> ResourceFacts:
    type_name, _, public_id = name.partition("/")
    return ResourceFacts(type_name, public_id, category, "R", frozenset(), frozenset(), None, None, "")


def _opens(standing: Standing, request: Request, at_us: int) -> bool:
    found = opened(standing.grants, standing.refusals, standing.exceptions, request, at_us)
    return found.outcome == "permit"


def received_by(person: int, receiver: str, reach: Reach, draft: Draft) -> Received | None:
    """Gives what a recipient holds of what it lost; None where it never received anything of it.

    A recall to somebody who never heard of her would be the first to tell of her (D-41).
    """
    working = draft.working
    taken = any(
        access.organization == receiver and access.accepted and not access.back
        for access in working.accesses_of_person(person)
    )
    if not taken and receiver not in working.delivered_to(person):
        return None
    known = [task for task in working.tasks_of_person(person) if task.owner == receiver]
    if reach.whole:
        return Received(_numbers(known, receiver, draft))
    records = _records(person, receiver, reach, draft)
    all_of_them = bool(reach.categories & _ABOUT_HER)
    numbers = _numbers(
        [task for task in known if all_of_them or task.category in reach.categories], receiver, draft
    )
    return Received(numbers, records) if numbers or records else None


def _numbers(tasks: list[ResourceRow], receiver: str, draft: Draft) -> tuple[dict[str, str], ...]:
    return tuple(
        {key: value for key, value in identifier.items() if key != "assigner"}
        for task in tasks
        if _knows(receiver, task, draft)
        for identifier in body_of(task).get("identifier") or ()
        if isinstance(identifier, dict) and identifier.get("system") == PLACER
    )


def _knows(receiver: str, task: ResourceRow, draft: Draft) -> bool:
    """Tells whether a receiver ever read a Task: a source's Task that the hub passes on names it and is not for it."""
    return any(access.organization == receiver for access in draft.working.accesses_of_task(task.row_id))


def _records(person: int, receiver: str, reach: Reach, draft: Draft) -> tuple[str, ...]:
    """Gives the records of the lost categories that went to a recipient, as the lines of the audit tell."""
    names = {
        "/".join(entity.split("/")[:2])
        for entry in draft.working.disclosures(person)
        if entry.recipient == receiver and entry.outcome == DONE
        for entity in entry.entities
        if entity.partition("/")[0] not in _REFERRAL_TYPES
    }
    rows = draft.working.resources(names)
    return tuple(
        sorted(
            name for name, row in rows.items() if name in reach.instances or row.category in reach.categories
        )
    )
