"""What stands behind a consent-bound token: the release one referral stands on, as it opens now.

What lives here: finding the release of a referral for the organisation that was asked, and telling later what is left
of it. What does not: who may ask (``auth``), how a bound token narrows what is read (``exchange.gate``).

Whatever cannot be given is one answer, None: no such referral, another's, none that runs, no release. The same looks
are taken in each case.

Source: ``consent.md`` D-04 to D-07; ``views.md`` 7 and 9; RFC 9396.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from referral_hub.access.principal import Binding, refusal_targets
from referral_hub.exchange.audit import REFUSED
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.gate import Gate
from referral_hub.exchange.openings import Openness, Reader
from referral_hub.exchange.ports import ResourceRow, Snapshot, Standing, Store, TokenRow
from referral_hub.fhir import json_codec

_NOBODY = 0  # no row has this id
_NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class BoundGrant:
    """What the release of one referral opens to the asker now.

    ``opened`` tells of each information category whether very restricted elements of it are open; ``until_us`` when
    that may change; ``epoch`` her consent epoch as it was read.
    """

    referral: str
    person: int
    patient: str
    epoch: int
    consents: tuple[tuple[str, str], ...]
    opened: Mapping[str, bool]
    until_us: int


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """One consent that a token is bound to: its version then, the SHA-256 of that version, its policies."""

    id: str
    version: str
    sha256: str
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GrantNow:
    """What is left of a token's binding: never more than the token named, never more than the consents say now."""

    patient: str
    organization_name: str
    consents: tuple[ConsentFacts, ...]
    categories: frozenset[str]
    confidentiality: str


class BoundGrants:
    """Looks up what a token may be bound to, and what is left of it later. Safe for threads.

    Args:
        store: where it is looked up.
        gate: decides what the consents open.
    """

    def __init__(self, store: Store, gate: Gate) -> None:
        self._store = store
        self._gate = gate

    def of_referral(
        self, organization_id: str, purpose: str, role: str, task_id: str, at_us: int
    ) -> BoundGrant | None:
        """Gives what a referral's release opens to the organisation it names as owner; None for anything else.

        Args:
            organization_id: the organisation of the software that asks.
            purpose: the purpose of the token.
            role: the role its assertion states; may be empty.
            task_id: the public id of the Task.
            at_us: the moment, microseconds since 1970 UTC.
        """
        with self._store.snapshot() as snapshot:
            organization = snapshot.organization(organization_id)
            task = snapshot.resource("Task", task_id)
            if organization is None:
                return None
            is_theirs = task is not None and _is_addressed_to(task, organization_id)
            person = task.person if is_theirs and task is not None and task.person is not None else _NOBODY
            targets = refusal_targets(organization.facts)
            standing = snapshot.standing(person, organization_id, targets)
            patient = snapshot.rows((person,)).get(person)
            reader = Reader(organization.facts, targets, purpose, role)
            openness = self._gate.opening(reader, standing, snapshot, at_us)
            instances = _instances(snapshot, standing, purpose, at_us)
        if task is None or not is_theirs or patient is None or not _is_open(task, standing, at_us):
            return None
        if _NOTICE not in openness.opened:
            return None
        opened = {category: very for category, very in openness.opened.items() if category != _NOTICE}
        for category, very in instances:
            opened[category] = opened.get(category, False) or very
        return BoundGrant(
            task.id, person, patient.id, standing.epoch, openness.consents, opened, openness.until_us
        )

    def record_refusal(
        self, organization_id: str, oauth_client: str, user: str, purpose: str, task_id: str, at_us: int
    ) -> None:
        """Leaves the line of a refused attempt; written the same way whether or not anything is there.

        She and her custodian may know who asked for her record.
        """
        with self._store.snapshot() as snapshot:
            task = snapshot.resource("Task", task_id)
        entry = AuditEntry(
            at_us=at_us,
            action="E",
            interaction="oauth-token",
            outcome=REFUSED,
            organization=organization_id,
            oauth_client=oauth_client,
            user=user,
            purpose=purpose,
            person=task.person if task is not None else None,
            recipient=organization_id,
            reason="Task",
        )
        self._store.spool((entry,), durable=False)

    def now(self, token: TokenRow, binding: Binding, at_us: int) -> GrantNow | None:
        """Gives what is left of a token's binding; None where none of its consents opens anything any more."""
        if token.person is None:
            return None
        with self._store.snapshot() as snapshot:
            organization = snapshot.organization(token.organization)
            if organization is None:
                return None
            targets = refusal_targets(organization.facts)
            standing = snapshot.standing(token.person, token.organization, targets)
            is_very = binding.confidentiality == "V"
            reader = Reader(organization.facts, targets, token.purpose, token.role, is_very, binding)
            openness = self._gate.opening(reader, standing, snapshot, at_us)
            consents = _facts_of(snapshot, token.person, binding, openness)
            instances = _instances(snapshot, standing, token.purpose, at_us)
        if not consents or _NOTICE not in openness.opened:
            return None
        is_very = any(openness.opened.values()) or (is_very and any(very for _, very in instances))
        categories = (
            frozenset(openness.opened) | {category for category, _ in instances}
        ) & binding.categories
        return GrantNow(token.patient, organization.name, consents, categories, "V" if is_very else "R")


def _is_addressed_to(task: ResourceRow, organization_id: str) -> bool:
    return (
        task.owner == organization_id
        and not task.deleted
        and task.kind != "recall"
        and not task.never_release
    )


def _is_open(task: ResourceRow, standing: Standing, at_us: int) -> bool:
    """Tells whether the referral opens more to its owner than that it once was."""
    return any(
        access.task == task.row_id
        and access.organization == task.owner
        and not access.back
        and not access.nameless
        and access.level != "history"
        and (access.until_us is None or at_us < access.until_us)
        for access in standing.accesses
    )


def _instances(snapshot: Snapshot, standing: Standing, purpose: str, at_us: int) -> list[tuple[str, bool]]:
    """Gives the categories of the single resources that permits name, each with whether V of it is named."""
    named = {
        grant.resource: grant.very_restricted
        for grant in standing.grants
        if grant.resource and grant.purpose == purpose and grant.valid_from_us <= at_us < grant.valid_until_us
    }
    return [(row.category, named[text]) for text, row in snapshot.resources(named).items() if row.category]


def _facts_of(
    snapshot: Snapshot, person: int, binding: Binding, openness: Openness
) -> tuple[ConsentFacts, ...]:
    versions = dict(binding.consents)
    live = {consent for consent, _ in openness.consents}
    found = []
    for row in snapshot.consents(person):
        if row.id not in versions or row.id not in live:
            continue
        then = snapshot.version(row.row_id, versions[row.id])
        if then is None:
            continue
        body = json_codec.decode_own(then.body)
        stated = body.get("policy") if isinstance(body, dict) else None
        policies = tuple(one["uri"] for one in stated or () if isinstance(one, dict) and "uri" in one)
        found.append(ConsentFacts(row.id, versions[row.id], hashlib.sha256(then.body).hexdigest(), policies))
    return tuple(found)
