"""A small store, outbox and partner in memory, for tests that let things happen between any two steps.

Every step of a delivery that others could come between calls ``watch`` first: there a test withdraws a
release, or kills the process. What is stored, asked and sent is recorded in order.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from referral_hub.access.grants import compile_rows
from referral_hub.access.principal import OrganizationFacts
from referral_hub.access.provisions import compile_consent
from referral_hub.access.rows import Grant, ReferralAccess
from referral_hub.errors import GuardFailed
from referral_hub.exchange.change import AuditEntry, Change, Row
from referral_hub.exchange.consent_rules import ConsentLimits
from referral_hub.exchange.gate import Gate
from referral_hub.exchange.hub import Hub, Limits
from referral_hub.exchange.ports import (
    Admitted,
    ConsentRow,
    OrganizationRow,
    ReadAnswer,
    Released,
    ResourceRow,
    SearchPage,
    Standing,
    TokenRow,
)
from referral_hub.exchange.search_plan import SearchPlan
from referral_hub.exchange.writing import Writing
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import PLACER, V2_0203
from referral_hub.outbound.ports import NotedCopy, PartnerTask, Updated
from tests.unit.access.builders import NOW, permit, release

HUB = "https://hub.example/fhir"
PERSON, REQUEST, CONSENT = 1, 2, 3
WAITING, DONE, DEAD, CANCELLED = "waiting", "done", "dead", "cancelled"


class Killed(BaseException):
    """The process was killed at this point."""


def organization(public_id: str, kind: str = "clinic", **more: Any) -> OrganizationRow:
    columns: dict[str, Any] = {
        "version": 1,
        "part_of": "",
        "neutral_name": "",
        "name": "An invented organisation",
        "fhir_endpoint": f"https://{public_id}.example/fhir",
        "poll_seconds": 0,
        "is_hub": False,
        "row_id": 900,
    }
    active = more.pop("active", True)
    return OrganizationRow(OrganizationFacts(public_id, (), kind, active=active), **(columns | more))


def resource(row_id: int, type_name: str, body: dict[str, Any], **columns: Any) -> ResourceRow:
    known: dict[str, Any] = {
        "row_id": row_id,
        "type": type_name,
        "id": f"{type_name.lower()}-{row_id}",
        "version": "1",
        "number": 1,
        "updated_us": NOW,
        "author": "shelter",
        "custodian": "",
        "person": PERSON,
        "category": "health",
        "confidentiality": "R",
        "sensitivities": (),
        "status": str(body.get("status", "")),
        "owner": "",
        "requester": "",
        "focus": None,
        "based_on": None,
        "data_from_us": None,
        "data_until_us": None,
        "directory": False,
        "never_release": False,
        "foreign_elements": False,
        "kind": "",
        "deleted": False,
    }
    columns = known | columns
    whole = {"resourceType": type_name, "id": columns["id"], "meta": {"versionId": "1"}, **body}
    return ResourceRow(**columns, body=json_codec.encode(whole))


def task(row_id: int, owner: str, status: str = "requested", **columns: Any) -> ResourceRow:
    body = {
        "identifier": [
            {
                "type": {"coding": [{"system": V2_0203, "code": "PLAC"}]},
                "system": PLACER,
                "value": f"number-{row_id}",
            }
        ],
        "status": status,
        "intent": "order",
        "description": "not for the notice",
        "focus": {"reference": f"ServiceRequest/servicerequest-{REQUEST}"},
        "for": {"reference": f"Patient/patient-{PERSON}"},
        "requester": {"reference": "Organization/shelter"},
        "owner": {"reference": f"Organization/{owner}"},
    }
    return resource(row_id, "Task", body, owner=owner, focus=REQUEST, **columns)


@dataclass
class Message:
    """One row of the outbox."""

    sequence: int
    key: str
    destination: str
    kind: str
    resource: int
    person: int | None = PERSON
    attempts: int = 0
    state: str = WAITING
    lease_until_us: int = 0
    not_before_us: int = 0
    lease: int = 0
    reason: str = ""


@dataclass
class World:
    """Everything stored, with one person, one release to every clinic, and an hour hand that tests move."""

    clinics: Sequence[str] = ("clinic",)
    watch: Callable[[str], None] = lambda step: None
    now_us: int = NOW
    organizations: dict[str, OrganizationRow] = field(default_factory=dict)
    resources: dict[int, ResourceRow] = field(default_factory=dict)
    accesses: list[ReferralAccess] = field(default_factory=list)
    consents: dict[int, ConsentRow] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()
    epoch: int = 1
    audit: list[AuditEntry] = field(default_factory=list)
    applied: set[str] = field(default_factory=set)
    messages: list[Message] = field(default_factory=list)
    copies: dict[tuple[int, str], NotedCopy] = field(default_factory=dict)
    recalled: set[str] = field(default_factory=set)
    withdrawn: bool = False

    def __post_init__(self) -> None:
        for name in self.clinics:
            self.organizations[name] = organization(name)
        self.organizations["shelter"] = organization("shelter", "shelter", fhir_endpoint="")
        self.organizations["network"] = organization("network", "coordinator", is_hub=True, fhir_endpoint="")
        self.resources[PERSON] = resource(
            PERSON, "Patient", {"name": [{"text": "Lark"}]}, category="identity"
        )
        self.resources[REQUEST] = resource(REQUEST, "ServiceRequest", {"status": "active", "intent": "order"})
        for row_id, name in enumerate(self.clinics, start=CONSENT):
            body = release(permit(who=(name,)))
            public_id = f"consent-{row_id}"
            self.consents[row_id] = ConsentRow(row_id, public_id, "1", "active", json_codec.encode(body))
            compiled = compile_consent(public_id, "1", body, authored=True)
            grants, _, _ = compile_rows(compiled, consent_row=row_id, person=PERSON)
            self.grants += grants

    # --- what tests do -----------------------------------------------------------------------------------

    def refer(self, row_id: int, owner: str = "clinic", status: str = "requested", **columns: Any) -> None:
        """Puts a referral there that its recipient may have noticed."""
        self.resources[row_id] = task(row_id, owner, status, **columns)
        level = "notice" if status == "requested" else "full" if status == "accepted" else "history"
        self.accesses.append(ReferralAccess(row_id, owner, PERSON, REQUEST, level))  # type: ignore[arg-type]

    def queue(self, row_id: int, kind: str = "task-notice", destination: str = "clinic") -> Message:
        """Puts a message into the outbox."""
        sequence = len(self.messages) + 1
        self.messages.append(Message(sequence, f"key-{sequence}", destination, kind, row_id))
        return self.messages[-1]

    def withdraw(self) -> None:
        """Ends her release, as the Change of a withdrawal does: rows, epoch, outbox, recalls, in one moment."""
        for message in self.messages:
            if message.state in (WAITING, DEAD) and message.attempts:
                self.recalled.add(message.destination)
            if message.state in (WAITING, DEAD) and message.kind != "recall":
                message.state = CANCELLED
        self.recalled |= {entry.recipient for entry in self.audit if entry.recipient and not entry.outcome}
        for row_id, consent in self.consents.items():
            body = json_codec.decode(consent.body) | {"status": "inactive"}
            ended = replace(consent, status="inactive", version="2", body=json_codec.encode(body))
            self.consents[row_id] = ended
        self.grants = ()
        self.epoch += 1
        self.withdrawn = True

    @property
    def delivered(self) -> list[AuditEntry]:
        """The lines that tell of something that left."""
        return [entry for entry in self.audit if entry.recipient and entry.outcome == 0]

    def hub(self) -> Hub:
        """The hub on this store, with a gate of its own."""
        gate = Gate(Writing(lambda body: [], ConsentLimits(30, 90), (HUB,)), _no_alarm)
        store = MemoryStore(self)
        return Hub(
            store=store,
            gate=gate,
            identify=_nobody,
            clock=lambda: self.now_us,
            ids=Ids(),
            cursors=NoCursors(),
            own_bases=(HUB,),
            limits=Limits(50, 500, 500),
        )


def _no_alarm(text: str) -> None:
    raise AssertionError(text)


def _nobody(token: TokenRow | None, at_us: int) -> Any:
    raise AssertionError("nobody asks here")


class NoCursors:
    def seal(self, plain: bytes) -> str:
        raise AssertionError

    def open(self, sealed: str) -> bytes | None:
        raise AssertionError


class Ids:
    """Names in order."""

    def __init__(self) -> None:
        self._last = 0

    def _next(self) -> int:
        self._last += 1
        return self._last

    def public_id(self) -> str:
        return f"id-{self._next()}"

    def version(self) -> str:
        return f"v-{self._next()}"

    def row_id(self, at_us: int) -> int:
        return 10_000 + self._next()


class MemorySnapshot:
    """One state, as it was when it was opened."""

    def __init__(self, world: World) -> None:
        self._resources = dict(world.resources)
        self._organizations = dict(world.organizations)
        self._accesses = list(world.accesses)
        self._consents = list(world.consents.values())
        self._grants = world.grants
        self._epoch = world.epoch

    def rows(self, row_ids: Sequence[int]) -> dict[int, ResourceRow]:
        return {row_id: self._resources[row_id] for row_id in row_ids if row_id in self._resources}

    def resources(self, references: Iterable[str]) -> dict[str, ResourceRow]:
        named = {f"{row.type}/{row.id}": row for row in self._resources.values()}
        return {text: named[text] for text in references if text in named}

    def organization(self, organization_id: str) -> OrganizationRow | None:
        return self._organizations.get(organization_id)

    def hub_organization(self) -> OrganizationRow | None:
        return self._organizations["network"]

    def consents(self, person: int) -> list[ConsentRow]:
        return self._consents

    def standing(self, person: int, organization_id: str, refusal_targets: Sequence[str]) -> Standing:
        return Standing(
            person,
            self._epoch,
            accesses=tuple(one for one in self._accesses if one.organization == organization_id),
            grants=tuple(one for one in self._grants if one.organization == organization_id),
        )

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is not asked here")


class MemoryStore:
    """The store as a delivery uses it."""

    def __init__(self, world: World) -> None:
        self._world = world

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        self._world.watch("snapshot")
        yield MemorySnapshot(self._world)

    def epoch(self, person: int) -> int:
        self._world.watch("epoch")
        return self._world.epoch

    def apply(self, change: Admitted) -> None:
        self._world.watch("apply")
        self._apply(change)
        self._world.watch("applied")

    def _apply(self, change: Change) -> None:
        world = self._world
        if change.change_id in world.applied:
            return
        if not all(self._holds(row) for row in change.rows):
            raise GuardFailed("A row that had to be touched was not.")
        for row in change.rows:
            self._put(row)
        world.audit.extend(change.audit)
        world.applied.add(change.change_id)

    def _holds(self, row: Row) -> bool:
        if row.statement != "outbox_done":
            return True
        return any(
            m.sequence == row.parameters["sequence"]
            and m.lease == row.parameters["lease"]
            and m.state == WAITING
            for m in self._world.messages
        )

    def _put(self, row: Row) -> None:
        given: dict[str, Any] = dict(row.parameters)
        if row.statement == "outbox_done":
            self._world.messages[given["sequence"] - 1].state = DONE
        elif row.statement == "partner_copy_put":
            self._world.copies[given["resource"], given["organization"]] = NotedCopy(**given)
        elif row.statement == "partner_copy_forget":
            self._world.copies.pop((given["resource"], given["organization"]), None)
        else:
            raise AssertionError(row.statement)

    def read(self, type_name: str, public_id: str, token_digest: bytes) -> ReadAnswer:
        raise AssertionError

    def search(self, plan: SearchPlan) -> SearchPage:
        raise AssertionError

    def spool(self, entries: Sequence[AuditEntry], *, durable: bool) -> None:
        raise AssertionError


class MemoryOutbox:
    """The queue: the oldest waiting message of a destination, under a lease."""

    def __init__(self, world: World) -> None:
        self._world = world

    def claim(self, now_us: int, lease_us: int) -> Message | None:
        world = self._world
        world.watch("claim")
        heads: dict[str, Message] = {}
        for message in world.messages:
            if message.state == WAITING:
                heads.setdefault(message.destination, message)
        for message in heads.values():
            if message.lease_until_us <= now_us and message.not_before_us <= now_us:
                message.attempts += 1
                message.lease += 1
                message.lease_until_us = now_us + lease_us
                return replace(message)
        return None

    def _held(self, claimed: Message) -> Message | None:
        message = self._world.messages[claimed.sequence - 1]
        return message if message.state == WAITING and message.lease == claimed.lease else None

    def done_row(self, claimed: Message) -> Row:
        return Row("outbox_done", {"sequence": claimed.sequence, "lease": claimed.lease}, at_least_one=True)

    def done(self, claimed: Message, now_us: int) -> bool:
        return self._settle(claimed, state=DONE)

    def retry(self, claimed: Message, now_us: int, reason: str, not_before_us: int | None = None) -> bool:
        assert not_before_us is not None
        return self._settle(claimed, lease_until_us=0, not_before_us=not_before_us, reason=reason)

    def dead(self, claimed: Message, now_us: int, reason: str) -> bool:
        return self._settle(claimed, state=DEAD, reason=reason)

    def _settle(self, claimed: Message, **changes: Any) -> bool:
        self._world.watch("settle")
        message = self._held(claimed)
        if message is None:
            return False
        for name, value in changes.items():
            setattr(message, name, value)
        self._world.watch("settled")
        return True


class MemoryCopies:
    """Where partners keep their copies."""

    def __init__(self, world: World) -> None:
        self._world = world

    def of(self, resource: int, organization: str) -> NotedCopy | None:
        return self._world.copies.get((resource, organization))

    def due(self, now_us: int, count: int) -> list[NotedCopy]:
        return [copy for copy in self._world.copies.values() if copy.next_poll_us <= now_us][:count]

    def put_row(self, copy: Any) -> Row:
        names = ("resource", "organization", "url", "etag", "next_poll_us")
        return Row("partner_copy_put", {name: getattr(copy, name) for name in names})

    def forget_row(self, resource: int, organization: str) -> Row:
        return Row("partner_copy_forget", {"resource": resource, "organization": organization})

    def later(self, copy: Any, now_us: int, next_poll_us: int) -> bool:
        self._world.copies[copy.resource, copy.organization] = replace(
            self._world.copies[copy.resource, copy.organization], next_poll_us=next_poll_us
        )
        return True


@dataclass
class Arrived:
    """One message as it left, and whether her release had been withdrawn by then."""

    destination: str
    key: str
    body: dict[str, Any]
    after_withdrawal: bool


@dataclass
class Partner:
    """The partners' servers: they keep what they get, once per number, and fail when they are told to."""

    world: World
    failures: list[Exception] = field(default_factory=list)
    sent: list[Arrived] = field(default_factory=list)
    kept: dict[tuple[str, str], str] = field(default_factory=dict)
    updates: list[tuple[str, str]] = field(default_factory=list)
    asked_ready: int = 0
    status: str = "requested"

    def ready(self, destination: OrganizationRow) -> None:
        self.asked_ready += 1
        self.world.watch("ready")

    def send(self, destination: OrganizationRow, released: Released, *, key: str) -> str:
        name = destination.facts.id
        body = json_codec.decode_own(released.body)
        self.sent.append(Arrived(name, key, body, self.world.withdrawn))
        self.world.watch("on its way")
        if self.failures:
            raise self.failures.pop(0)
        number = body["identifier"][0]["value"]
        url = self.kept.setdefault((name, number), f"https://{name}.example/fhir/Task/{len(self.kept) + 1}")
        self.world.watch("answered")
        return url

    def find(self, destination: OrganizationRow, released: Released) -> str:
        body = json_codec.decode_own(released.body)
        return self.kept.get((destination.facts.id, body["identifier"][0]["value"]), "")

    def update(self, destination: OrganizationRow, url: str, released: Released, *, key: str) -> Updated:
        if self.failures:
            raise self.failures.pop(0)
        status = json_codec.decode_own(released.body)["status"]
        if self.status != "requested":
            return Updated(sent=False, status=self.status)
        self.updates.append((url, status))
        return Updated(sent=True, status=status)

    def fetch(self, destination: OrganizationRow, url: str, etag: str) -> PartnerTask | None:
        raise AssertionError
