"""Reading from a source's own server, on a real one: how answers are read, and where it never goes."""

from collections.abc import Iterator
from typing import Any

import pytest

from referral_hub.adapters.fhir_rest import FhirRestChannel
from referral_hub.adapters.guarded_http import GuardedHttp
from referral_hub.errors import DeliveryFailed
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.outbound.ports import CopyGone, TokenRefused, TryLater
from tests.api.outbound.partner_server import Answer, PartnerServer, Request, failing, hanging_up, serving
from tests.api.outbound.test_fhir_rest import HUB, NOW, destination

BODY = {"resourceType": "Condition", "id": "7", "subject": {"reference": "Patient/1"}}


@pytest.fixture
def source() -> Iterator[PartnerServer]:
    with serving() as found:
        yield found


class Token:
    """One token for every partner."""

    def of(self, destination: OrganizationRow) -> str:
        return "secret"

    def forget(self, destination: OrganizationRow) -> None:
        """Has nothing to forget."""


def channel(*servers: PartnerServer, **more: Any) -> FhirRestChannel:
    origins = frozenset(server.base.removesuffix("/fhir") for server in servers)
    return FhirRestChannel(GuardedHttp(inner_origins=origins, timeout_s=1.0), HUB, lambda: NOW, **more)


def answering(body: Any, http_status: int = 200, **headers: str) -> Any:
    def answer(request: Request) -> Answer:
        return Answer(http_status, body, headers)

    return answer


def test_a_resource_is_read_as_fhir_json(source: PartnerServer):
    source.script = [answering(BODY)]
    assert (
        channel(source).read(destination(source.base), f"{source.base}/Condition/7", (source.base,)) == BODY
    )
    (request,) = source.requests
    assert (request.method, request.path) == ("GET", "/fhir/Condition/7")
    assert request.headers["accept"] == "application/fhir+json"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (failing(403), CopyGone),
        (failing(404), CopyGone),
        (failing(410), CopyGone),
        (failing(401), TokenRefused),
        (failing(500), TryLater),
        (failing(503), TryLater),
        (failing(302, Location="http://127.0.0.1:1/fhir/Condition/7"), TryLater),
        (hanging_up, TryLater),
        (answering({**BODY, "id": "8"}), TryLater),
        (answering({**BODY, "resourceType": "Patient"}), TryLater),
        (answering(b"<html>"), TryLater),
        (answering(b"[" * 100_000), TryLater),
        (answering(b'"' + b"x" * 400_000 + b'"'), TryLater),
    ],
)
def test_what_an_answer_means(source: PartnerServer, answer: Any, expected: type[DeliveryFailed]):
    source.script = [answer]
    with pytest.raises(expected):
        channel(source).read(destination(source.base), f"{source.base}/Condition/7", (source.base,))


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/Condition/7",
        "{base}.example/Condition/7",
        "{root}/other/Condition/7",
        "{base}/../admin/Condition/7",
        "Condition/7",
        "file:///etc/passwd",
    ],
)
def test_nothing_but_registered_bases_is_called(source: PartnerServer, url: str):
    where = url.format(base=source.base, root=source.base.removesuffix("/fhir"))
    with pytest.raises(DeliveryFailed) as refused:
        channel(source).read(destination(source.base), where, (source.base,))
    assert refused.value.permanent
    assert source.requests == []


def test_a_token_goes_to_the_server_it_was_made_for_only(source: PartnerServer):
    with serving() as other:
        for server in (source, other):
            server.script = [answering(BODY)]
            channel(source, other, tokens=Token()).read(
                destination(source.base), f"{server.base}/Condition/7", (source.base, other.base)
            )
        assert source.requests[0].headers["authorization"] == "Bearer secret"
        assert "authorization" not in other.requests[0].headers
