"""The proxy that bends a server: each way to bend changes one thing and leaves the rest."""

import json

import pytest

from conformance.faulty import bending as b
from conformance.faulty.proxy import Answered, Asked, Fault

SEEN: list[Asked] = []


def _sound(asked: Asked) -> Answered:
    SEEN.append(asked)
    body = json.dumps({"entry": [{"n": 1}, {"n": 2}], "total": 2}).encode()
    return Answered(200, {"ETag": 'W/"1"', "Content-Type": "application/fhir+json"}, body)


def _bent(
    fault: Fault, method: str = "GET", path: str = "/fhir/Patient?_count=2&name=x", **headers: str
) -> Answered:
    SEEN.clear()
    return fault.bend(Asked(method, path, headers, b'{"a": 1}'), _sound)


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (b.status(404), lambda a: a.http_status == 404),
        (b.status(404, b.on("POST")), lambda a: a.http_status == 200),
        (b.status(404, b.on(status="4..")), lambda a: a.http_status == 200),
        (b.header("ETag", None), lambda a: "ETag" not in a.headers),
        (b.header("ETag", 'W/"2"'), lambda a: a.headers["ETag"] == 'W/"2"'),
        (b.body("x", b.first_gone), lambda a: json.loads(a.body)["entry"] == [{"n": 2}]),
        (b.body("x", b.turned), lambda a: json.loads(a.body)["entry"][0] == {"n": 2}),
        (b.body("x", b.all_gone), lambda a: "entry" not in json.loads(a.body)),
        (b.body("x", b.counted_wrong), lambda a: json.loads(a.body)["total"] == 3),
        (
            b.body("x", b.each_entry(lambda one: one.update(n=9))),
            lambda a: json.loads(a.body)["entry"][1]["n"] == 9,
        ),
        (b.text('"n": 1', '"n": 7'), lambda a: json.loads(a.body)["entry"][0]["n"] == 7),
        (b.empty(), lambda a: a.body == b""),
        (
            b.instead(400, {"error": "x"}),
            lambda a: (a.http_status, json.loads(a.body)) == (400, {"error": "x"}),
        ),
        (
            b.both(b.status(404), b.header("ETag", None)),
            lambda a: a.http_status == 404 and "ETag" not in a.headers,
        ),
    ],
)
def test_an_answer_is_bent_in_one_place(fault: Fault, seen: object) -> None:
    assert callable(seen)
    assert seen(_bent(fault))


def test_a_parameter_can_be_overlooked() -> None:
    _bent(b.without_parameter("_count"))
    assert SEEN[0].path == "/fhir/Patient?name=x"


def test_a_header_can_be_overlooked() -> None:
    _bent(b.without_header("If-Match"), **{"if-match": "x"})
    assert SEEN[0].headers == {}


def test_a_request_can_be_answered_and_not_carried_out() -> None:
    assert _bent(b.not_done(204, b.on("DELETE")), "DELETE").http_status == 204
    assert SEEN == []


def test_a_version_can_be_overlooked() -> None:
    _bent(b.any_version(b.on("PUT")), "PUT", **{"if-match": 'W/"old"'})
    assert [one.method for one in SEEN] == ["GET", "PUT"]
    assert SEEN[1].headers["if-match"] == 'W/"1"'


def test_the_unknown_id_can_be_left_alone() -> None:
    gone = b.status(410, b.on(known=True))
    assert _bent(gone, path="/fhir/Patient/7").http_status == 410
    assert _bent(gone, path="/fhir/Patient/00000000-0000-4000-8000-000000000000").http_status == 200
