"""Subscriptions: who is told what, in which order and with which numbers, and what a withdrawal takes away."""

import email
import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from referral_hub.adapters.guarded_http import GuardedHttp
from referral_hub.adapters.mail import Mail, MailServer
from referral_hub.adapters.rest_hook import RestHook
from referral_hub.app import clock
from referral_hub.exchange.subscription_asking import BACKPORT
from referral_hub.exchange.topics import TOPICS
from referral_hub.fhir.canonical import CANONICAL
from referral_hub.outbound.notifying import MOST_FAILURES, Matching, Notifying
from referral_hub.store.subscriptions import Subscriptions
from tests import builders as b
from tests.world import World, parsed, texts

GRAVITY_TASK = "http://hl7.org/fhir/us/sdoh-clinicalcare/SubscriptionTopic/Task"
GRAVITY_REQUEST = "http://hl7.org/fhir/us/sdoh-clinicalcare/SubscriptionTopic/Servicerequest"
MOVED = f"{CANONICAL}/SubscriptionTopic/referral-moved"
CREATED = f"{CANONICAL}/SubscriptionTopic/referral-created"
WITHDRAWN = f"{CANONICAL}/SubscriptionTopic/consent-withdrawn"
RECEIVED = f"{CANONICAL}/SubscriptionTopic/message-received"


@dataclass
class Hook:
    """A subscriber's address: keeps what came, and answers as it is told."""

    url: str = ""
    answers: int = 200
    came: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """Gives the Bundles of one kind."""
        return [bundle for _, bundle in self.came if value_of(bundle, "type") == kind]

    def numbers(self) -> list[int]:
        """Gives the numbers of the events that came, in their order."""
        return [number for bundle in self.of_kind("event-notification") for number in numbers_of(bundle)]


def status_of(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """Gives the parameters of a notification's first entry."""
    found: list[dict[str, Any]] = bundle["entry"][0]["resource"]["parameter"]
    return found


def value_of(bundle: dict[str, Any], name: str) -> Any:
    """Gives one parameter of the status."""
    for one in status_of(bundle):
        if one["name"] == name:
            return next(value for key, value in one.items() if key.startswith("value"))
    return None


def numbers_of(bundle: dict[str, Any]) -> list[int]:
    """Gives the event numbers of a Bundle."""
    return [
        int(part["valueString"])
        for one in status_of(bundle)
        if one["name"] == "notification-event"
        for part in one["part"]
        if part["name"] == "event-number"
    ]


def focus_of(bundle: dict[str, Any]) -> list[str]:
    """Gives ``Type/id`` of what the events are about."""
    return [
        part["valueReference"]["reference"].partition("/fhir/")[2]
        for one in status_of(bundle)
        if one["name"] == "notification-event"
        for part in one["part"]
        if part["name"] == "focus"
    ]


@pytest.fixture
def hook() -> Iterator[Hook]:
    """An address that listens on this machine."""
    found = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.came.append((dict(self.headers), body))
            self.send_response(found.answers)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


class Story:
    """A shelter and a clinic with a registered address, and the delivery process's part for it."""

    def __init__(self, world: World, hook: Hook) -> None:
        tag = secrets.token_hex(3)
        self.world, self.hook = world, hook
        self.shelter = world.caller(world.add_organization(f"shelter {tag}", "shelter"))
        bases = (hook.url, "mailto:desk@clinic.example")
        self.clinic = world.caller(world.add_organization(f"clinic {tag}", "clinic", bases=bases))
        self.queue = Subscriptions(world.parts.database, world.parts.writer)
        http = GuardedHttp(inner_origins=frozenset({hook.url}), timeout_s=5)
        self.matching = Matching(world.parts.hub, self.queue)
        self.notifying = Notifying(world.parts.hub, self.queue, {"rest-hook": RestHook(http)})

    def work(self, later_s: float = 0) -> None:
        """Matches and tells all there is, as the delivery process does, at a moment from now."""
        while self.matching.match_one(clock()):
            pass
        while self.notifying.tell_one(clock() + round(later_s * 1_000_000)):
            pass

    def subscribe(self, topic: str = GRAVITY_TASK, **more: Any) -> dict[str, Any]:
        """Subscribes the clinic and lets its address answer the handshake."""
        made = self.clinic.create(subscription(self.hook.url, topic, **more))
        self.work()
        return made

    def refer(self, name: str = "Redshank", *, accepted: bool = True) -> "Referral":
        """Refers an invented person to the clinic."""
        person = f"Patient/{self.shelter.create(b.patient(name))['id']}"
        consent = self.shelter.create(
            b.release(person, self.shelter.organization, b.permit(self.clinic.organization))
        )
        asked = self.shelter.create(b.service_request(person, self.clinic.organization))
        request = f"ServiceRequest/{asked['id']}"
        task = f"Task/{self.shelter.create(b.task(person, request, self.clinic.organization))['id']}"
        if accepted:
            self.clinic.changed(task, status="accepted")
        return Referral(person, consent["id"], request, task)

    def withdraw(self, referral: "Referral") -> None:
        """Ends the permission."""
        assert self.shelter.ask("POST", f"/Consent/{referral.consent}/$revoke").status_code == 200


@dataclass
class Referral:
    """One referral by its references."""

    person: str
    consent: str
    request: str
    task: str


def subscription(
    url: str,
    topic: str = GRAVITY_TASK,
    *,
    content: str = "id-only",
    filters: tuple[str, ...] = (),
    headers: tuple[str, ...] = (),
    heartbeat_s: int = 0,
    kind: str = "rest-hook",
    **more: Any,
) -> dict[str, Any]:
    """Gives a Subscription as a partner's software writes one."""
    channel: dict[str, Any] = {
        "type": kind,
        "endpoint": f"{url}/hook" if kind == "rest-hook" else url,
        "payload": "application/fhir+json",
        "_payload": {"extension": [{"url": f"{BACKPORT}/backport-payload-content", "valueCode": content}]},
    }
    if headers:
        channel["header"] = list(headers)
    if heartbeat_s:
        channel["extension"] = [
            {"url": f"{BACKPORT}/backport-heartbeat-period", "valueUnsignedInt": heartbeat_s}
        ]
    found: dict[str, Any] = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "our inbox",
        "criteria": topic,
        "channel": channel,
    }
    if filters:
        found["_criteria"] = {
            "extension": [
                {"url": f"{BACKPORT}/backport-filter-criteria", "valueString": one} for one in filters
            ]
        }
    return {**found, **more}


@pytest.fixture
def story(world: World, hook: Hook) -> Story:
    """A shelter, and a clinic that listens."""
    return Story(world, hook)


# --- asking --------------------------------------------------------------------------------------------------


def test_it_begins_requested_and_is_active_once_its_address_answered(story: Story) -> None:
    made = story.clinic.create(subscription(story.hook.url, status="active"))
    assert made["status"] == "requested"
    assert story.hook.came == []
    story.work()
    [handshake] = story.hook.of_kind("handshake")
    assert value_of(handshake, "status") == "requested"
    assert story.clinic.read(f"Subscription/{made['id']}")["status"] == "active"


def test_its_headers_go_along_and_the_media_type_is_fhirs(story: Story) -> None:
    story.subscribe(headers=("Authorization: Bearer of-their-own", "X-Desk: 7"))
    headers, _ = story.hook.came[0]
    assert headers["Authorization"] == "Bearer of-their-own"
    assert headers["X-Desk"] == "7"
    assert headers["Content-Type"] == "application/fhir+json"


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"criteria": "https://elsewhere.example/topic"}, "criteria"),
        ({"criteria": "Task?status=requested"}, "criteria"),
        ({"channel.type": "websocket"}, "channel.type"),
        ({"channel.type": "sms"}, "channel.type"),
        ({"channel.payload": "application/fhir+xml"}, "channel.payload"),
        ({"channel._payload": None}, "channel.payload"),
        ({"channel.endpoint": "https://elsewhere.example/hook"}, "channel.endpoint"),
        ({"channel.endpoint": "http://169.254.169.254/latest"}, "channel.endpoint"),
        ({"channel.endpoint": "file:///etc/passwd"}, "channel.endpoint"),
        ({"channel.header": ["Host: elsewhere.example"]}, "channel.header"),
        ({"channel.header": ["X-A: b\r\nX-C: d"]}, "channel.header"),
        ({"channel.header": ["no colon"]}, "channel.header"),
        (
            {
                "_criteria": {
                    "extension": [
                        {
                            "url": f"{BACKPORT}/backport-filter-criteria",
                            "valueString": "Task?patient=Patient/1",
                        }
                    ]
                }
            },
            "criteria",
        ),
        (
            {
                "_criteria": {
                    "extension": [
                        {"url": f"{BACKPORT}/backport-filter-criteria", "valueString": "Patient?_id=1"}
                    ]
                }
            },
            "criteria",
        ),
        (
            {
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Subscription.topic",
                        "valueUri": "x",
                    }
                ]
            },
            "extension",
        ),
        (
            {"channel.extension": [{"url": f"{BACKPORT}/backport-heartbeat-period", "valueUnsignedInt": 1}]},
            "channel",
        ),
        ({"end": "2020-01-01T00:00:00Z"}, "end"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_what_the_hub_cannot_do_is_refused_by_its_element(
    story: Story, changed: dict[str, Any], where: str
) -> None:
    asked = subscription(story.hook.url)
    for name, value in changed.items():
        node, key = (
            (asked["channel"], name.partition(".")[2]) if name.startswith("channel.") else (asked, name)
        )
        if value is None:
            del node[key]
        else:
            node[key] = value
    answer = story.clinic.ask("POST", "/Subscription", asked)
    assert answer.status_code == 422, answer.get_data(as_text=True)
    assert any(where in issue["expression"][0] for issue in parsed(answer)["issue"])
    assert "entry" not in parsed(story.clinic.get("/Subscription"))


def test_an_address_of_another_organisation_is_refused(story: Story) -> None:
    answer = story.shelter.ask("POST", "/Subscription", subscription(story.hook.url))
    assert answer.status_code == 422
    assert "registered" in " ".join(texts(answer))


@pytest.mark.attack("E-06")
def test_nobody_else_sees_it(story: Story) -> None:
    made = story.subscribe()
    for path in ("", "/$status", "/$events"):
        answer = story.shelter.get(f"/Subscription/{made['id']}{path}")
        absent = story.shelter.get(f"/Subscription/00000000-0000-4000-8000-000000000000{path}")
        assert (answer.status_code, answer.get_data()) == (404, absent.get_data())
    assert "entry" not in parsed(story.shelter.get("/Subscription"))


# --- being told ----------------------------------------------------------------------------------------------


def test_events_come_in_order_with_numbers_from_one(story: Story) -> None:
    made = story.subscribe()
    referral = story.refer(accepted=False)
    story.work()
    story.clinic.changed(referral.task, status="accepted")
    story.clinic.changed(referral.task, status="in-progress")
    story.work()
    assert story.hook.numbers() == [1, 2, 3]
    for bundle in story.hook.of_kind("event-notification"):
        assert bundle["type"] == "history"
        assert all("request" in entry and "response" in entry for entry in bundle["entry"])
        assert bundle["entry"][0]["request"]["url"].endswith(f"Subscription/{made['id']}/$status")
        assert focus_of(bundle) == [referral.task]
        assert "resource" not in bundle["entry"][1]
        assert bundle["entry"][1]["fullUrl"].endswith(referral.task)


@pytest.mark.attack("S-26", "E-06")
def test_empty_tells_that_something_is_there_and_nothing_of_what(story: Story) -> None:
    story.subscribe(content="empty")
    referral = story.refer()
    story.work()
    for bundle in story.hook.of_kind("event-notification"):
        assert len(bundle["entry"]) == 1
        assert referral.task.partition("/")[2] not in json.dumps(bundle)
        assert value_of(bundle, "topic") is None
    assert story.hook.numbers() == [1, 2]


@pytest.mark.attack("E-06")
def test_a_full_payload_is_what_a_read_would_show(story: Story) -> None:
    story.subscribe(content="full-resource")
    referral = story.refer()
    story.work()
    bundle = story.hook.of_kind("event-notification")[-1]
    assert bundle["entry"][1]["resource"] == story.clinic.read(referral.task)


def test_filters_are_asked_of_what_the_subscriber_sees(story: Story) -> None:
    story.subscribe(filters=("Task?status=accepted", f"Task?owner=Organization/{story.clinic.organization}"))
    referral = story.refer(accepted=False)
    story.work()
    assert story.hook.numbers() == []
    story.clinic.changed(referral.task, status="accepted")
    story.work()
    assert story.hook.numbers() == [1]


@pytest.mark.parametrize(
    ("topic", "count"), [(CREATED, 1), (MOVED, 1), (GRAVITY_TASK, 2), (GRAVITY_REQUEST, 0)]
)
def test_each_topic_tells_of_its_own_changes(story: Story, topic: str, count: int) -> None:
    story.subscribe(topic)
    story.refer()
    story.work()
    assert len(story.hook.numbers()) == count


def test_a_changed_request_is_told_by_its_topic(story: Story) -> None:
    story.subscribe(GRAVITY_REQUEST)
    referral = story.refer()
    story.shelter.changed(referral.request, priority="asap")
    story.work()
    assert [focus_of(one) for one in story.hook.of_kind("event-notification")] == [[referral.request]]


@pytest.mark.attack("S-26", "E-06")
def test_a_change_nobody_may_see_makes_no_event(story: Story) -> None:
    story.subscribe()
    other = Story(story.world, story.hook)
    story.refer()
    other.refer()  # to another clinic
    story.work()
    assert story.hook.numbers() == [1, 2]


@pytest.mark.attack("S-26", "E-06")
def test_she_withdraws_and_no_event_is_told_of_her_and_no_number_is_missing(story: Story) -> None:
    made = story.subscribe()
    first, second = story.refer("Redshank"), story.refer("Greenshank")
    story.withdraw(first)
    story.work()
    told = [one for bundle in story.hook.of_kind("event-notification") for one in focus_of(bundle)]
    assert set(told) == {second.task}
    assert story.hook.numbers() == list(range(1, len(told) + 1))
    status = parsed(story.clinic.get(f"/Subscription/{made['id']}/$status"))
    assert value_of(status, "events-since-subscription-start") == str(len(told))


@pytest.mark.attack("S-26", "S-43")
def test_a_withdrawal_between_matching_and_sending_drops_the_event(story: Story) -> None:
    story.subscribe()
    referral = story.refer()
    while story.matching.match_one(clock()):
        pass
    story.withdraw(referral)
    story.work()
    assert story.hook.numbers() == []


@pytest.mark.attack("S-26", "S-43")
def test_what_may_have_arrived_is_told_again_with_its_number_and_nothing_else(story: Story) -> None:
    story.subscribe()
    referral = story.refer()
    story.hook.answers = 500
    story.work()
    assert set(story.hook.numbers()) == {1}
    story.withdraw(referral)
    story.hook.answers = 200
    before = len(story.hook.came)
    story.work(later_s=3600)
    again = [bundle for _, bundle in story.hook.came[before:] if numbers_of(bundle) == [1]]
    assert [focus_of(bundle) for bundle in again] == [[]]
    assert referral.task.partition("/")[2] not in json.dumps(again)


def test_the_keeper_of_a_consent_is_told_of_its_withdrawal_and_nobody_else(story: Story) -> None:
    base = f"{story.hook.url}"
    story.world._apply((_base_row(story.shelter.organization, base),))
    story.shelter.create(subscription(base, WITHDRAWN))
    story.subscribe(WITHDRAWN)
    referral = story.refer()
    story.withdraw(referral)
    story.work()
    told = story.hook.of_kind("event-notification")
    assert [focus_of(one) for one in told] == [[f"Consent/{referral.consent}"]]


def _base_row(organization: str, base: str) -> Any:
    from referral_hub.exchange.change import Row

    return Row("organization_base_add", {"organization": organization, "base_url": base})


# --- going wrong ---------------------------------------------------------------------------------------------


def test_an_address_that_never_answers_ends_in_error_and_is_asked_anew_by_writing(story: Story) -> None:
    made = story.subscribe()
    story.refer()
    story.hook.answers = 500
    while story.matching.match_one(clock()):
        pass
    for attempt in range(MOST_FAILURES):
        story.work(later_s=attempt * 120)
    stored = story.clinic.read(f"Subscription/{made['id']}")
    assert stored["status"] == "error"
    assert "did not take" in stored["error"]
    sent = len(story.hook.came)
    story.work(later_s=7200)
    assert len(story.hook.came) == sent
    story.hook.answers = 200
    again = parsed(story.clinic.update({**stored, "status": "active"}))
    assert again["status"] == "requested"
    assert "error" not in again
    story.work()
    assert story.clinic.read(f"Subscription/{made['id']}")["status"] == "active"
    assert set(story.hook.numbers()) == {1, 2}


def test_switched_off_it_is_silent(story: Story) -> None:
    made = story.subscribe()
    stored = story.clinic.read(f"Subscription/{made['id']}")
    assert parsed(story.clinic.update({**stored, "status": "off"}))["status"] == "off"
    story.refer()
    story.work()
    assert story.hook.numbers() == []


def test_deleted_it_is_silent_and_gone(story: Story) -> None:
    made = story.subscribe()
    version = story.clinic.read(f"Subscription/{made['id']}")["meta"]["versionId"]
    answer = story.clinic.ask("DELETE", f"/Subscription/{made['id']}", If_Match=f'W/"{version}"')
    assert answer.status_code in (200, 204)
    story.refer()
    story.work()
    assert story.hook.numbers() == []
    assert story.clinic.get(f"/Subscription/{made['id']}").status_code == 410
    assert story.clinic.get(f"/Subscription/{made['id']}/$status").status_code == 404


def test_a_heartbeat_comes_where_it_was_asked_for(story: Story) -> None:
    story.subscribe(heartbeat_s=60)
    story.work(later_s=30)
    assert story.hook.of_kind("heartbeat") == []
    story.work(later_s=90)
    [beat] = story.hook.of_kind("heartbeat")
    assert value_of(beat, "status") == "active"
    assert value_of(beat, "events-since-subscription-start") == "0"


def test_without_a_heartbeat_asked_for_none_comes(story: Story) -> None:
    story.subscribe()
    story.work(later_s=100_000)
    assert story.hook.of_kind("heartbeat") == []


def test_at_its_end_it_is_off(story: Story) -> None:
    made = story.subscribe(end=b.instant(1))
    story.work(later_s=2 * 24 * 3600)
    assert story.clinic.read(f"Subscription/{made['id']}")["status"] == "off"


def test_an_address_taken_off_the_list_ends_it(story: Story) -> None:
    made = story.subscribe()
    story.refer()
    from referral_hub.exchange.change import Row

    story.world._apply((Row("organization_base_clear", {"organization": story.clinic.organization}),))
    story.work(later_s=7200)
    assert story.hook.numbers() == []
    assert story.clinic.read(f"Subscription/{made['id']}")["status"] == "error"


# --- asking again --------------------------------------------------------------------------------------------


def test_status_and_events_answer_as_the_guide_says(story: Story) -> None:
    made = story.subscribe()
    referral = story.refer()
    story.work()
    status = parsed(story.clinic.get(f"/Subscription/{made['id']}/$status"))
    assert status["type"] == "searchset"
    assert (
        value_of(status, "subscription").endswith(made["id"])
        if isinstance(value_of(status, "subscription"), str)
        else value_of(status, "subscription")["reference"].endswith(made["id"])
    )
    assert value_of(status, "type") == "query-status"
    assert value_of(status, "events-since-subscription-start") == "2"
    events = parsed(story.clinic.get(f"/Subscription/{made['id']}/$events?eventsSinceNumber=2"))
    assert (events["type"], numbers_of(events), focus_of(events)) == ("history", [2], [referral.task])
    everything = parsed(story.clinic.get("/Subscription/$status"))
    assert everything["total"] == 1


@pytest.mark.attack("S-26", "S-43", "E-06")
def test_events_asked_again_after_a_withdrawal_show_nothing_of_her(story: Story) -> None:
    made = story.subscribe()
    referral = story.refer()
    story.work()
    story.withdraw(referral)
    events = parsed(story.clinic.get(f"/Subscription/{made['id']}/$events"))
    assert numbers_of(events) == [1, 2]
    assert focus_of(events) == []
    assert referral.task.partition("/")[2] not in json.dumps(events)


@pytest.mark.attack("E-06")
def test_events_are_shown_as_the_askers_own_token_allows(story: Story) -> None:
    made = story.subscribe(content="full-resource")
    story.refer()
    story.work()
    narrow = story.world.caller(story.clinic.organization, scope="system/Subscription.rs")
    assert narrow.get(f"/Subscription/{made['id']}/$events").status_code == 403
    aimless = story.world.caller(story.clinic.organization, purpose="HRESCH")
    shown = parsed(aimless.get(f"/Subscription/{made['id']}/$events"))
    assert (numbers_of(shown), focus_of(shown), len(shown["entry"])) == ([1, 2], [], 1)


def test_the_status_of_one_that_ended_is_still_told(story: Story) -> None:
    from referral_hub.exchange.change import Row

    made, gone = story.subscribe(), story.subscribe(CREATED)
    version = story.clinic.read(f"Subscription/{gone['id']}")["meta"]["versionId"]
    story.clinic.ask("DELETE", f"/Subscription/{gone['id']}", If_Match=f'W/"{version}"')
    story.world._apply((Row("organization_base_clear", {"organization": story.clinic.organization}),))
    story.work(later_s=7200)
    for path in (f"/Subscription/{made['id']}/$status", "/Subscription/$status"):
        status = parsed(story.clinic.get(path))
        assert (status["total"], value_of(status, "status")) == (1, "error")


def test_events_hold_no_more_than_was_subscribed(story: Story) -> None:
    made = story.subscribe()
    answer = story.clinic.get(f"/Subscription/{made['id']}/$events?content=full-resource")
    assert answer.status_code == 400


def test_every_topic_can_be_subscribed_to(story: Story) -> None:
    for topic in TOPICS:
        assert story.clinic.create(subscription(story.hook.url, topic))["criteria"] == topic


# --- letters -------------------------------------------------------------------------------------------------


@pytest.mark.attack("S-41", "E-11")
def test_a_letter_holds_nothing_of_anybody(story: Story, mail_server: "Letters") -> None:
    mail = Mail(MailServer.of(mail_server.url), "hub@network.example", "https://hub.example")
    story.notifying._channels = {**story.notifying._channels, "email": mail}
    asked = subscription("mailto:desk@clinic.example", kind="email", content="id-only")
    made = story.clinic.create(asked)
    story.work()
    assert story.clinic.read(f"Subscription/{made['id']}")["status"] == "active"
    referral = story.refer("Phalarope")
    story.work()
    assert len(mail_server.came) == 3
    for letter in mail_server.came:
        read = _opened(letter)
        assert referral.task in read or "set up" in read
        for word in ("Phalarope", "clinic", "shelter", "referral", "sdoh", referral.person, "Patient"):
            assert word not in read.replace("desk@clinic.example", "")


def _opened(letter: str) -> str:
    """Gives all that a reader of a letter can read, its attachment included."""
    whole = email.message_from_string(letter)
    parts = [
        f"{part.get_filename()} {part.get_payload(decode=True).decode()}"
        for part in whole.walk()
        if not part.is_multipart()
    ]
    return "\n".join([str(whole["Subject"]), str(whole["To"]), *parts])


@pytest.mark.attack("S-41")
def test_a_letter_with_everything_in_it_is_refused(story: Story) -> None:
    asked = subscription("mailto:desk@clinic.example", kind="email", content="full-resource")
    assert story.clinic.ask("POST", "/Subscription", asked).status_code == 422


@dataclass
class Letters:
    """A mail server that keeps what it is given."""

    url: str = ""
    came: list[str] = field(default_factory=list)


@pytest.fixture
def mail_server() -> Iterator[Letters]:
    """A small SMTP server on this machine (RFC 5321, the commands a client needs)."""
    import socketserver

    kept = Letters()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail.example\r\n")
            while line := self.rfile.readline():
                word = line.split(b" ", 1)[0].strip().upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (text := self.rfile.readline()) != b".\r\n":
                        lines.append(text.decode())
                    kept.came.append("".join(lines))
                if word == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                self.wfile.write(b"250 fine\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        kept.url = f"smtp://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield kept
        server.shutdown()
