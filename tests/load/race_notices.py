"""What is told without being asked for races withdrawals: notifications of a subscription, deliveries of the outbox.

What lives here: two races against a running hub and their verdict. What does not: reads, searches and exports
(``tests.load.races``, which calls this), what a notification holds (``tests/api/test_subscriptions``).

Two recipients share one address on this machine. One has a subscription that brings whole resources, the other its own
FHIR server, to which the hub sends referrals.

- **Queued**: the address is down. Persons are referred, everything is matched and waits to be sent; half of them
  withdraw. A second after the last acknowledgement the address is up again. Whatever is sent then was decided on
  after the acknowledgement, so each withdrawn person is a trial, and a thing of hers that comes discloses. Those who
  did not withdraw must come, or nothing could have been lost.
- **Streaming**: the address is up. Persons are referred and withdraw at once, a moment that differs later. What
  arrives more than ``GRACE_S`` after the acknowledgement began after it; what arrives before that is no trial.
"""

import http.client
import json
import random
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from referral_hub.fhir import json_codec
from tests.api.outbound.partner_server import Answer, PartnerServer, Request
from tests.load import corpus
from tests.load.generator import Broken
from tests.world import World

TOPIC = "http://hl7.org/fhir/us/sdoh-clinicalcare/SubscriptionTopic/Task"
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
GRACE_S = 1.0
"""How long what was decided on before an acknowledgement may be on its way, on this machine."""
MATCHED_S = 2.5
"""How long the delivery process has to look at all changes, while the address is down."""
COME_S = 90.0
LARGEST_PAUSE_S = 0.25
CONNECTIONS = 8


class Receiver(PartnerServer):
    """The address of both recipients: keeps when something came and what, and can be down."""

    def __init__(self) -> None:
        super().__init__()
        self.is_down = False
        self.came: list[tuple[float, bytes]] = []

    def answer(self, request: Request) -> Answer:
        """Takes one request."""
        if self.is_down:
            return Answer(503)
        if request.body is not None:
            self.came.append((time.perf_counter(), json_codec.encode(request.body)))
        return Answer(200) if request.path == "/hook" else super().answer(request)


@dataclass(slots=True)
class Referred:
    """One person's referral: what would name her, and when her withdrawal was acknowledged."""

    by_hook: bool
    consent: str
    names: tuple[bytes, ...]
    acknowledged_s: float = 0.0


@dataclass(slots=True)
class Verdict:
    """What both races saw."""

    trials: int = 0
    disclosed: int = 0
    on_its_way: int = 0
    came: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part: tokens and ids."""

    shelter: str
    shelter_id: str
    by_hook: str
    by_hook_id: str
    by_outbox_id: str


def cast(world: World, origin: str) -> Cast:
    """Adds a shelter, a clinic with a subscription and a clinic with a server, before the hub is started."""
    shelter = world.caller(world.add_organization("told shelter", "shelter"), life_s=corpus.TOKEN_LIFE_S)
    hooked = world.add_organization("told clinic", "clinic", bases=(origin,))
    listening = world.caller(hooked, life_s=corpus.TOKEN_LIFE_S)
    payload = [{"url": f"{BACKPORT}/backport-payload-content", "valueCode": "full-resource"}]
    channel = {
        "type": "rest-hook",
        "endpoint": f"{origin}/hook",
        "payload": "application/fhir+json",
        "_payload": {"extension": payload},
    }
    body = {"resourceType": "Subscription", "status": "requested", "reason": "inbox", "criteria": TOPIC}
    listening.create({**body, "channel": channel})
    base = f"{origin}/fhir"
    served = world.add_organization("served clinic", "clinic", fhir_endpoint=base, bases=(base,))
    return Cast(shelter.token, shelter.organization, listening.token, hooked, served)


class Teller:
    """Refers and withdraws over HTTP.

    Args:
        port: of the hub.
        who: the cast.
    """

    def __init__(self, port: int, who: Cast) -> None:
        self._port = port
        self._who = who
        self._mine = threading.local()

    def referred(self, number: int) -> Referred:
        """Refers one person, in turn to the one and to the other; by the hook it is accepted as well."""
        by_hook = number % 2 == 0
        receiver = self._who.by_hook_id if by_hook else self._who.by_outbox_id
        made = self._ask(
            "POST", "", self._who.shelter, corpus.bundle(self._who.shelter_id, receiver, f"Told{number}")
        )
        patient, consent, request, condition, task = (
            entry["response"]["location"].split("/_history/")[0].split("/fhir/")[1] for entry in made["entry"]
        )
        if by_hook:
            seen = self._ask("GET", f"/{task}", self._who.by_hook)
            self._ask("PUT", f"/{task}", self._who.by_hook, {**seen, "status": "accepted"})
        named = (patient, request, condition) if by_hook else (patient, request, condition, task)
        return Referred(by_hook, consent, tuple(one.partition("/")[2].encode() for one in named))

    def withdraw(self, referred: Referred) -> None:
        """Ends the permission; the moment its acknowledgement came is kept."""
        self._ask("POST", f"/{referred.consent}/$revoke", self._who.shelter)
        referred.acknowledged_s = time.perf_counter()

    def _ask(self, method: str, path: str, token: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        line: http.client.HTTPConnection | None = getattr(self._mine, "line", None)
        if line is None:
            line = self._mine.line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=100)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/fhir+json"}
        sent = None
        if body is not None:
            headers["Content-Type"], sent = "application/fhir+json", json_codec.encode(body)
            if method == "PUT":
                headers["If-Match"] = f'W/"{body["meta"]["versionId"]}"'
        line.request(method, f"/fhir{path}", sent, headers)
        answer = line.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            raise Broken(f"{answer.status} to {method} {path[:60]}: {text[:300]!r}")
        found: dict[str, Any] = json.loads(text) if text else {}
        return found


def raced(port: int, who: Cast, receiver: Receiver, persons: int) -> Verdict:
    """Races with so many persons, half queued and half streaming.

    Raises:
        Broken: what nobody withdrew did not come, so nothing was shown.
    """
    verdict = Verdict()
    teller = Teller(port, who)
    _awaited(lambda: any(b"handshake" in body for _, body in receiver.came), "no handshake came")
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        _queued(teller, receiver, pool, range(persons // 2), verdict)
        _streaming(teller, receiver, pool, range(persons // 2, persons), verdict)
    return verdict


def _queued(
    teller: Teller, receiver: Receiver, pool: ThreadPoolExecutor, numbers: Iterable[int], verdict: Verdict
) -> None:
    receiver.is_down = True
    referred = list(pool.map(teller.referred, numbers))
    time.sleep(MATCHED_S)
    ends, stay = [], []
    for place, one in enumerate(referred):
        (ends if place % 4 < 2 else stay).append(one)  # of each kind of recipient
    list(pool.map(teller.withdraw, ends))
    time.sleep(GRACE_S)
    receiver.is_down = False
    _awaited(lambda: all(_came(receiver, one) for one in stay), "what nobody withdrew did not come")
    time.sleep(GRACE_S)
    verdict.came += len(stay)
    _judge(receiver, ends, verdict)


def _streaming(
    teller: Teller, receiver: Receiver, pool: ThreadPoolExecutor, numbers: Iterable[int], verdict: Verdict
) -> None:
    chance = random.Random(11)
    pauses = {number: chance.random() * LARGEST_PAUSE_S for number in numbers}

    def one(number: int) -> Referred:
        referred = teller.referred(number)
        time.sleep(pauses[number])
        teller.withdraw(referred)
        return referred

    ended = list(pool.map(one, pauses))
    time.sleep(4 * GRACE_S)
    _judge(receiver, ended, verdict)


def _judge(receiver: Receiver, ended: Iterable[Referred], verdict: Verdict) -> None:
    for one in ended:
        verdict.trials += 1
        mine = [(at_s, body) for at_s, body in receiver.came if any(name in body for name in one.names)]
        late = [(at_s, body) for at_s, body in mine if at_s > one.acknowledged_s + GRACE_S]
        verdict.on_its_way += sum(at_s > one.acknowledged_s for at_s, _ in mine) - len(late)
        if late:
            verdict.disclosed += 1
            at_s, body = late[0]
            way = "a notification" if one.by_hook else "a delivery"
            verdict.examples.append(f"{way} {at_s - one.acknowledged_s:.1f} s after: {body[:300]!r}")


def _came(receiver: Receiver, one: Referred) -> bool:
    return any(name in body for _, body in list(receiver.came) for name in one.names)


def _awaited(happened: Any, otherwise: str) -> None:
    until_s = time.perf_counter() + COME_S
    while not happened():
        if time.perf_counter() > until_s:
            raise Broken(otherwise)
        time.sleep(0.05)
