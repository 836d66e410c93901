"""The way to a partner's FHIR server, on a real one: what is sent, how answers are read, where it never goes."""

from collections.abc import Iterator
from typing import Any

import pytest

from referral_hub.access.principal import OrganizationFacts
from referral_hub.adapters.fhir_rest import FhirRestChannel
from referral_hub.adapters.guarded_http import GuardedHttp
from referral_hub.errors import DeliveryFailed
from referral_hub.exchange.ports import OrganizationRow, Released, ReleasedBytes
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import V2_0203
from referral_hub.outbound.ports import CopyGone, PartnerTask, TokenRefused, TryLater, Updated
from referral_hub.resources.task import STATUS_REASON
from tests.api.outbound.partner_server import (
    Answer,
    PartnerServer,
    as_usual,
    failing,
    hanging_up,
    serving,
    standing_still,
)

HUB = "https://hub.example/fhir"
NOW = 1_795_000_000_000_000


@pytest.fixture
def partner() -> Iterator[PartnerServer]:
    with serving() as found:
        yield found


def destination(base: str) -> OrganizationRow:
    return OrganizationRow(OrganizationFacts("clinic", (), "clinic"), 1, "", "", "", base, 0, False, 1)


def channel(partner: PartnerServer, **more: Any) -> FhirRestChannel:
    origin = partner.base.removesuffix("/fhir")
    return FhirRestChannel(
        GuardedHttp(inner_origins=frozenset({origin}), timeout_s=1.0), HUB, lambda: NOW, **more
    )


def task(status: str = "requested", number: str = "n-1", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "id": "t-1",
        "meta": {"versionId": "v", "lastUpdated": "2026-11-24T10:00:00Z", "security": [{"code": "R"}]},
        "identifier": [
            {
                "type": {"coding": [{"system": V2_0203, "code": "PLAC"}]},
                "system": f"{HUB}/placer",
                "value": number,
            }
        ],
        "status": status,
        "intent": "order",
        "focus": {"reference": "ServiceRequest/s-1"},
        "for": {"reference": "Patient/p-1"},
        "owner": {"reference": "Organization/clinic"},
        **more,
    }


def released(body: dict[str, Any]) -> Released:
    return Released(ReleasedBytes("Task", "t-1", "v", 'W/"v-1"', 0, json_codec.encode(body)))


def test_the_task_only_is_sent_with_references_that_lead_to_the_hub(partner: PartnerServer):
    url = channel(partner).send(destination(partner.base), released(task()), key="k-1")
    assert url == f"{partner.base}/Task/{partner.only()}"
    (request,) = partner.requests
    assert request.body == {
        "resourceType": "Task",
        "meta": {"security": [{"code": "R"}]},
        "identifier": task()["identifier"],
        "status": "requested",
        "intent": "order",
        "focus": {"reference": f"{HUB}/ServiceRequest/s-1"},
        "for": {"reference": f"{HUB}/Patient/p-1"},
        "owner": {"reference": f"{HUB}/Organization/clinic"},
    }
    assert request.headers["if-none-exist"] == f"identifier={HUB}/placer|n-1"
    assert request.headers["idempotency-key"] == request.headers["x-request-id"] == "k-1"
    assert partner.faults == []


def test_numbers_are_sent_to_the_digit(partner: PartnerServer):
    body = json_codec.encode(task()).replace(
        b'"intent":"order"', b'"intent":"order","restriction":{"repetitions":3},"x":1.500'
    )
    sent = Released(ReleasedBytes("Task", "t-1", "v", "", 0, body))
    channel(partner).send(destination(partner.base), sent, key="k-1")
    assert b'"x":1.500' in json_codec.encode(partner.requests[0].body)


def test_a_message_whose_answer_was_lost_is_recognised_when_it_comes_again(partner: PartnerServer):
    partner.script = [hanging_up]
    with pytest.raises(TryLater):
        channel(partner).send(destination(partner.base), released(task()), key="k-1")
    url = channel(partner).send(destination(partner.base), released(task()), key="k-1")
    assert url == f"{partner.base}/Task/{partner.only()}"
    assert partner.faults == []


@pytest.mark.parametrize(
    ("location", "ends_with"),
    [
        ("{base}/Task/77/_history/1", "/Task/77"),
        ("/fhir/Task/77", "/Task/77"),
        ("Task/77", "/Task/77"),
        ("http://169.254.169.254/fhir/Task/77", "/Task/88"),
        ("https://elsewhere.example/fhir/Task/77", "/Task/88"),
        ("{base}/Patient/77", "/Task/88"),
        ("{base}/Task/77/../../admin", "/Task/88"),
        ("nonsense", "/Task/88"),
    ],
)
def test_the_partners_task_is_under_its_registered_address_or_named_by_the_body(
    partner: PartnerServer, location: str, ends_with: str
):
    headers = {"Location": location.format(base=partner.base)}
    partner.script = [lambda request: Answer(201, {**(request.body or {}), "id": "88"}, headers)]
    url = channel(partner).send(destination(partner.base), released(task()), key="k-1")
    assert url == partner.base + ends_with


def test_a_partner_that_names_nothing_is_asked_by_number(partner: PartnerServer):
    partner.script = [hanging_up]
    with pytest.raises(TryLater):
        channel(partner).send(destination(partner.base), released(task()), key="k-1")
    partner.script = [failing(200), as_usual]
    url = channel(partner).send(destination(partner.base), released(task()), key="k-1")
    assert url == f"{partner.base}/Task/{partner.only()}"
    partner.script = [failing(201), failing(500)]
    assert channel(partner).send(destination(partner.base), released(task()), key="k-1") == ""


@pytest.mark.parametrize(
    ("status", "kind", "permanent", "answered"),
    [
        (400, DeliveryFailed, True, None),
        (401, TokenRefused, False, None),
        (403, DeliveryFailed, True, None),
        (404, DeliveryFailed, True, None),
        (405, DeliveryFailed, True, None),
        (408, TryLater, False, True),
        (409, TryLater, False, True),
        (410, DeliveryFailed, True, None),
        (412, DeliveryFailed, True, None),
        (415, DeliveryFailed, True, None),
        (422, DeliveryFailed, True, None),
        (429, TryLater, False, False),
        (500, TryLater, False, True),
        (502, TryLater, False, False),
        (503, TryLater, False, False),
        (301, TryLater, False, False),
        (204, DeliveryFailed, True, None),
    ],
)
def test_what_a_partners_answer_means(
    partner: PartnerServer, status: int, kind: type[DeliveryFailed], permanent: bool, answered: bool | None
):
    partner.script = [failing(status, Location="https://elsewhere.example/fhir/Task/1")]
    with pytest.raises(DeliveryFailed) as caught:
        channel(partner).send(destination(partner.base), released(task()), key="k-1")
    assert type(caught.value) is kind
    assert caught.value.permanent is permanent
    if isinstance(caught.value, TryLater):
        assert caught.value.answered is answered
    assert len(partner.requests) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120.0), ("Wed, 18 Nov 2026 09:21:10 GMT", None), ("soon", None), ("", None), ("-5", None)],
)
def test_how_long_a_partner_asks_to_wait(partner: PartnerServer, text: str, seconds: float | None):
    partner.script = [failing(503, Retry_After=text)]
    with pytest.raises(TryLater) as caught:
        channel(partner).send(destination(partner.base), released(task()), key="k-1")
    assert caught.value.after_s == seconds or (seconds is None and text.startswith("Wed"))


def test_a_partner_that_stands_still_is_left(partner: PartnerServer):
    partner.script = [standing_still(3)]
    with pytest.raises(TryLater):
        channel(partner).send(destination(partner.base), released(task()), key="k-1")


def test_only_a_registered_address_is_called(partner: PartnerServer):
    with pytest.raises(TryLater):
        FhirRestChannel(GuardedHttp(timeout_s=1.0), HUB, lambda: NOW).send(
            destination(partner.base), released(task()), key="k-1"
        )
    with pytest.raises(DeliveryFailed):
        channel(partner).send(destination(""), released(task()), key="k-1")
    for url in ("http://127.0.0.1:1/fhir/Task/1", f"{partner.base}x/Task/1", f"{partner.base}/Patient/1", ""):
        with pytest.raises(DeliveryFailed):
            channel(partner).fetch(destination(partner.base), url, "")
    assert partner.requests == []


def sent_to(partner: PartnerServer, **more: Any) -> str:
    return channel(partner).send(destination(partner.base), released(task(**more)), key="k-1")


def test_a_partners_task_is_read_again_only_when_it_changed(partner: PartnerServer):
    url = sent_to(partner)
    found = channel(partner).fetch(destination(partner.base), url, "")
    assert isinstance(found, PartnerTask)
    assert found.body["status"] == "requested"
    assert channel(partner).fetch(destination(partner.base), url, found.etag) is None
    partner.move(partner.only(), status="accepted")
    moved = channel(partner).fetch(destination(partner.base), url, found.etag)
    assert moved is not None
    assert moved.body["status"] == "accepted"


@pytest.mark.parametrize("status", [404, 410])
def test_a_partners_task_that_is_gone(partner: PartnerServer, status: int):
    url = sent_to(partner)
    partner.script = [failing(status)]
    with pytest.raises(CopyGone):
        channel(partner).fetch(destination(partner.base), url, "")


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"resourceType":"Patient"}', b"[1]"])
def test_an_answer_that_is_no_task_is_a_fault_of_the_partner(partner: PartnerServer, body: bytes):
    url = sent_to(partner)
    partner.script = [lambda request: Answer(200, body)]
    with pytest.raises(TryLater):
        channel(partner).fetch(destination(partner.base), url, "")


def test_a_partners_task_is_moved_in_the_version_it_was_read_in(partner: PartnerServer):
    url = sent_to(partner)
    partner.move(partner.only(), note=[{"text": "the partner's own"}], status="accepted")
    ours = task("cancelled", statusReason={"coding": [{"system": STATUS_REASON, "code": "closed-by-sender"}]})
    updated = channel(partner).update(destination(partner.base), url, released(ours), key="k-2")
    assert updated == Updated(sent=True, status="cancelled")
    kept = partner.tasks[partner.only()]
    assert kept["status"] == "cancelled"
    assert kept["statusReason"]["coding"][0]["code"] == "closed-by-sender"
    assert kept["note"] == [{"text": "the partner's own"}]
    assert kept["for"] == {"reference": f"{HUB}/Patient/p-1"}
    assert partner.told("PUT")[0].headers["if-match"] == 'W/"2"'
    assert partner.faults == []


def test_a_partners_task_that_changes_meanwhile_is_left_for_the_next_time(partner: PartnerServer):
    url = sent_to(partner)

    def meanwhile(request: Any) -> None:
        if request.method == "PUT":
            partner.move(partner.only(), status="accepted")

    partner.before = meanwhile
    with pytest.raises(TryLater):
        channel(partner).update(destination(partner.base), url, released(task("cancelled")), key="k-2")
    assert partner.tasks[partner.only()]["status"] == "accepted"


@pytest.mark.parametrize("status", ["completed", "rejected", "cancelled"])
def test_a_task_that_is_closed_at_the_partner_stays_as_it_is(partner: PartnerServer, status: str):
    url = sent_to(partner)
    partner.move(partner.only(), status=status)
    found = channel(partner).update(destination(partner.base), url, released(task("cancelled")), key="k-2")
    assert found == Updated(sent=False, status=status)
    assert partner.told("PUT") == []


def test_a_server_without_versions_is_not_written_over(partner: PartnerServer):
    partner.sends_etag = False
    url = sent_to(partner)
    with pytest.raises(DeliveryFailed) as caught:
        channel(partner).update(destination(partner.base), url, released(task("cancelled")), key="k-2")
    assert caught.value.permanent


class Tokens:
    """A partner's tokens: each one that is forgotten makes room for the next."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)

    def of(self, destination: OrganizationRow) -> str:
        return self.texts[0]

    def forget(self, destination: OrganizationRow) -> None:
        self.texts.pop(0)


def test_a_token_goes_along_and_is_forgotten_when_it_is_refused(partner: PartnerServer):
    partner.token = "second"
    tokens = Tokens("first", "second")
    asked = channel(partner, tokens=tokens)
    with pytest.raises(TokenRefused):
        asked.send(destination(partner.base), released(task()), key="k-1")
    assert tokens.texts == ["second"]
    assert asked.send(destination(partner.base), released(task()), key="k-1")


def test_the_words_of_a_failure_carry_nothing_of_the_message(partner: PartnerServer):
    partner.script = [lambda request: Answer(422, request.body)]
    with pytest.raises(DeliveryFailed) as caught:
        channel(partner).send(destination(partner.base), released(task()), key="k-1")
    assert caught.value.text == "The partner answered with status 422."
