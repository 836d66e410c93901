"""Batches and transactions: order, conditions, references, and what is refused, on both databases."""

import base64
import threading
from typing import Any

import pytest

from referral_hub.fhir import json_codec
from referral_hub.fhir.validator import validate
from tests import builders as b
from tests.api.asking import UNKNOWN, bundle, entry, operation, path_patch, statuses, urn
from tests.api.network import story
from tests.world import World, parsed, texts

FILE = "identifier=urn:example:shelter-file|file-"


def _binary(*operations: dict[str, Any]) -> dict[str, Any]:
    data = base64.b64encode(json_codec.encode(list(operations))).decode()
    return {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}


GENDER = [{"op": "replace", "path": "/gender", "value": "other"}]


# --- batch ---------------------------------------------------------------------------------------------------


def test_a_batch_answers_every_kind_of_interaction(world: World) -> None:
    it = story(world)
    etag = it.s.get(f"/{it.person}").headers["ETag"]
    version = etag.split('"')[1]
    by_path = path_patch(operation("replace", "Patient.gender", value={"valueCode": "unknown"}))
    answer = it.s.ask(
        "POST",
        "/",
        bundle(
            "batch",
            entry("GET", it.person),
            entry("GET", it.person, ifNoneMatch=etag),
            entry("HEAD", it.person),
            entry("GET", f"{it.person}/_history/{version}"),
            entry("GET", f"{it.person}/_history?_count=1"),
            entry("GET", "Patient/_history"),
            entry("GET", "_history"),
            entry("GET", f"Patient?{FILE}lark"),
            entry("GET", f"{it.person}/$everything"),
            entry("GET", "metadata"),
            entry("PATCH", it.person, _binary(*GENDER)),
            entry("PATCH", it.person, by_path),
            entry("PUT", f"Patient?{FILE}coot", b.patient("Coot")),
            entry("POST", "Patient", b.patient("Coot"), ifNoneExist=f"{FILE}coot"),
            entry("PUT", it.person, {"resourceType": "Patient"}, ifMatch='W/"0"'),
            entry("DELETE", it.person),
            entry("GET", f"Patient/{UNKNOWN}"),
            entry("PUT", "metadata", {"resourceType": "Patient"}),
            entry("POST", "Patient/$everything", {"resourceType": "Parameters"}),
            entry("GET", "Claim/1"),
        ),
    )
    wanted = "200 304 200 200 200 200 200 200 200 200 200 200 201 200 412 409 404 405 405 404"
    assert " ".join(statuses(answer)) == wanted, answer.get_data(as_text=True)
    found = parsed(answer)["entry"]
    assert not any("resource" in one for one in found[1:3])
    assert found[0]["response"]["etag"] == etag
    assert [one["resource"]["type"] for one in found[4:8]] == ["history", "history", "history", "searchset"]
    assert found[7]["resource"]["link"][0]["url"].endswith(f"/Patient?{FILE}lark")
    assert found[12]["response"]["location"].endswith(
        f"/_history/{found[12]['resource']['meta']['versionId']}"
    )
    assert found[13]["resource"]["id"] == found[12]["resource"]["id"]
    assert found[16]["response"]["outcome"]["issue"][0]["code"] == "not-found"


def test_an_entry_of_a_batch_stands_alone(world: World) -> None:
    it = story(world)
    answer = it.s.ask(
        "POST",
        "/",
        bundle(
            "batch",
            {},
            entry("BREW", "Patient"),
            entry("GET", "https://elsewhere.example/fhir/Patient/1"),
            entry("GET", ""),
            entry("POST", "/", bundle("batch")),
            entry("PUT", it.person),
            entry("PATCH", it.person, {"resourceType": "Binary", "data": "no base64!"}),
            entry("POST", "Patient", b.patient("Rail")),
        ),
    )
    assert statuses(answer) == ["422", "422", "422", "422", "422", "422", "422", "201"], answer.get_data(
        as_text=True
    )


def test_an_address_outside_ascii_is_understood(world: World) -> None:
    it = story(world)
    made = it.s.create(b.patient("Żółw"))
    asked = bundle(
        "batch",
        entry("GET", "Patient?name=Żółw"),
        entry("GET", "Patient?name=%C5%BB%C3%B3%C5%82w"),
        entry("GET", "Patient/Żółw"),
        entry("GET", "Żółw?x=\u2028"),
        entry("GET", it.person, ifNoneMatch="Ż", ifModifiedSince="Żółw"),
        entry("PUT", "Patient?identifier=urn:example:shelter-file|file-żółw", b.patient("Żółw")),
    )
    answer = it.s.ask("POST", "/", asked)
    assert statuses(answer) == ["200", "200", "404", "404", "200", "200"], answer.get_data(as_text=True)
    found = [one["resource"] for one in parsed(answer)["entry"] if "resource" in one]
    for page in found[:2]:
        assert [one["resource"]["id"] for one in page["entry"]] == [made["id"]]
    assert found[3]["id"] == made["id"]


def test_an_absolute_address_of_this_hub_is_its_own(world: World) -> None:
    it = story(world)
    base = world.parts.hub.base
    answer = it.s.ask(
        "POST",
        "/",
        bundle("batch", entry("GET", f"{base}/{it.person}"), entry("GET", f"{base}/Patient?_count=1")),
    )
    assert statuses(answer) == ["200", "200"]


@pytest.mark.parametrize(("prefer", "kind"), [("return=minimal", ""), ("return=OperationOutcome", "outcome")])
def test_entries_are_answered_as_preferred(world: World, prefer: str, kind: str) -> None:
    it = story(world)
    for how in ("batch", "transaction"):
        answer = it.s.ask(
            "POST", "/", bundle(how, entry("POST", "Patient", b.patient("Ruff"))), Prefer=prefer
        )
        (found,) = parsed(answer)["entry"]
        assert "resource" not in found
        assert ("outcome" in found["response"]) == bool(kind)
        assert found["response"]["location"]


# --- transaction ---------------------------------------------------------------------------------------------


def test_entries_refer_to_one_another_in_any_order(world: World) -> None:
    it = story(world)
    answer = it.s.ask(
        "POST",
        "/",
        bundle(
            "transaction",
            entry("POST", "Condition", b.condition(urn(1)), urn(2)),
            entry("POST", "Patient", b.patient("Egret"), urn(1)),
            entry("GET", f"Patient?{FILE}egret"),
        ),
    )
    assert statuses(answer) == ["201", "201", "200"], answer.get_data(as_text=True)
    condition, person, found = (one["resource"] for one in parsed(answer)["entry"])
    assert condition["subject"]["reference"] == f"Patient/{person['id']}"
    # What is read is read after everything was written.
    assert [one["resource"]["id"] for one in found["entry"]] == [person["id"]]


def test_a_conditional_entry_that_others_refer_to_means_the_match(world: World) -> None:
    it = story(world)

    def send(name: str) -> Any:
        return it.s.ask(
            "POST",
            "/",
            bundle(
                "transaction",
                entry("POST", "Condition", b.condition(urn(1))),
                entry("POST", "Patient", b.patient(name), urn(1), ifNoneExist=f"{FILE}{name.lower()}"),
            ),
        )

    there, fresh, again = send("Lark"), send("Gull"), send("Gull")
    assert [statuses(one) for one in (there, fresh, again)] == [
        ["201", "200"],
        ["201", "201"],
        ["201", "200"],
    ]
    assert parsed(there)["entry"][0]["resource"]["subject"]["reference"] == it.person
    subjects = [parsed(one)["entry"][0]["resource"]["subject"]["reference"] for one in (fresh, again)]
    assert subjects[0] == subjects[1] != it.person


def test_a_conditional_update_in_a_transaction(world: World) -> None:
    it = story(world)
    answer = it.s.ask(
        "POST",
        "/",
        bundle(
            "transaction",
            entry("PUT", f"Patient?{FILE}lark", b.patient("Lark", gender="other"), urn(1)),
            entry("PUT", f"Patient?{FILE}teal", b.patient("Teal"), urn(2)),
            entry("POST", "Condition", b.condition(urn(1))),
            entry("POST", "Condition", b.condition(urn(2))),
            entry("GET", it.person),
        ),
    )
    assert statuses(answer) == ["200", "201", "201", "201", "200"], answer.get_data(as_text=True)
    found = [one["resource"] for one in parsed(answer)["entry"]]
    assert found[2]["subject"]["reference"] == it.person
    assert found[3]["subject"]["reference"] == f"Patient/{found[1]['id']}"
    assert found[4]["gender"] == "other"


def test_conditional_references_mean_the_callers_own(world: World) -> None:
    it = story(world)
    made = it.s.ask(
        "POST",
        "/",
        bundle(
            "transaction",
            entry("POST", "Condition", b.condition(f"Patient?{FILE}lark")),
            entry("POST", "Condition", b.condition(f"Patient?{FILE}smew")),
            entry("POST", "Patient", b.patient("Smew")),
        ),
    )
    assert statuses(made) == ["201"] * 3, made.get_data(as_text=True)
    first, second, smew = (one["resource"] for one in parsed(made)["entry"])
    assert first["subject"]["reference"] == it.person
    assert second["subject"]["reference"] == f"Patient/{smew['id']}"


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        (f"Patient?{FILE}nobody", "not-found"),
        (f"Patient?{FILE}twin", "multiple-matches"),
        ("Patient?name=Lark", "not-supported"),
        ("Claim?identifier=a|b", "not-supported"),
    ],
)
def test_conditional_references_that_mean_nothing(world: World, reference: str, code: str) -> None:
    it = story(world)
    for _ in range(2):
        it.s.create(b.patient("Twin"))
    answer = it.s.ask("POST", "/", bundle("transaction", entry("POST", "Condition", b.condition(reference))))
    told = parsed(answer)["issue"][0]
    assert (answer.status_code, told["code"]) == (422, code)
    assert told["expression"] == ["Bundle.entry[0].resource.subject.reference"]


@pytest.mark.attack("S-17", "S-25")
def test_what_others_wrote_is_no_match_of_a_conditional_reference(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")

    def answer(name: str) -> bytes:
        condition = b.condition(f"Patient?{FILE}{name}")
        return it.c.ask("POST", "/", bundle("transaction", entry("POST", "Condition", condition))).get_data()

    assert answer("lark") == answer("nobody")


def test_verbs_run_in_the_order_of_the_standard(world: World) -> None:
    it = story(world)
    it.sign()
    number = [{"system": "urn:example:own", "value": it.person}]
    it.refer(status="draft", identifier=number)
    version = it.s.read(it.task)["meta"]["versionId"]
    fresh = b.task(it.person, it.request, it.clinic, status="draft", identifier=number)
    answer = it.s.ask(
        "POST",
        "/",
        bundle(
            "transaction",
            entry("GET", f"Task?identifier=urn:example:own|{it.person}"),
            entry("PUT", it.person, {**it.s.read(it.person), "gender": "other"}),
            entry("POST", "Task", fresh),
            entry("DELETE", it.task, ifMatch=f'W/"{version}"'),
        ),
    )
    assert statuses(answer) == ["200", "200", "201", "204"], answer.get_data(as_text=True)
    found = parsed(answer)["entry"]
    assert [one["resource"]["id"] for one in found[0]["resource"]["entry"]] == [found[2]["resource"]["id"]]


def test_a_patch_of_either_kind_in_a_transaction(world: World) -> None:
    it = story(world)
    other = it.s.create(b.patient("Knot"))["id"]
    by_path = path_patch(operation("replace", "Patient.gender", value={"valueCode": "unknown"}))
    answer = it.s.ask(
        "POST",
        "/",
        bundle(
            "transaction",
            entry("PATCH", it.person, _binary(*GENDER)),
            entry("PATCH", f"Patient/{other}", by_path),
        ),
    )
    assert statuses(answer) == ["200", "200"], answer.get_data(as_text=True)
    assert it.s.read(it.person)["gender"] == "other"
    assert it.s.read(f"Patient/{other}")["gender"] == "unknown"


BAD: dict[str, tuple[list[dict[str, Any]], int, str]] = {
    "no request": ([{"resource": {"resourceType": "Patient"}}], 422, "Bundle.entry[0].request"),
    "an unknown method": ([entry("BREW", "Patient")], 422, "Bundle.entry[0].request.method"),
    "another server": (
        [entry("GET", "https://elsewhere.example/Patient/1")],
        422,
        "Bundle.entry[0].request.url",
    ),
    "an unknown type": (
        [entry("POST", "Claim", {"resourceType": "Claim"})],
        422,
        "Bundle.entry[0].request.url",
    ),
    "an operation": ([entry("POST", "Consent/1/$revoke", {})], 422, "Bundle.entry[0].request.url"),
    "POST to an id": ([entry("POST", "Patient/1", b.patient())], 422, "Bundle.entry[0].request.url"),
    "PUT to a type": ([entry("PUT", "Patient", b.patient())], 422, "Bundle.entry[0].request.url"),
    "POST without a body": ([entry("POST", "Patient")], 422, "Bundle.entry[0].resource"),
    "an invalid body": (
        [
            entry("POST", "Patient", b.patient()),
            entry("POST", "Patient", {"resourceType": "Patient", "gender": "x"}),
        ],
        422,
        "Bundle.entry[1].resource.gender",
    ),
    "a link to no entry": (
        [entry("POST", "Condition", b.condition(urn(9)))],
        422,
        "Bundle.entry[0].resource.subject.reference",
    ),
    "one address for two entries": (
        [entry("POST", "Patient", b.patient("A"), urn(1)), entry("POST", "Patient", b.patient("B"), urn(1))],
        422,
        "Bundle.entry[1]",
    ),
    "two for one condition": (
        [
            entry("POST", "Patient", b.patient("Skua"), urn(1), ifNoneExist=f"{FILE}skua"),
            entry("POST", "Patient", b.patient("Skua"), urn(2), ifNoneExist=f"{FILE}skua"),
        ],
        422,
        "Bundle.entry[0]",
    ),
    "other criteria": ([entry("POST", "Patient", b.patient(), ifNoneExist="name=x")], 412, ""),
    "an unreadable patch": (
        [entry("PATCH", f"Patient/{UNKNOWN}", {"resourceType": "Binary", "data": "e30="})],
        400,
        "",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_one_fault_and_nothing_is_stored(world: World, fault: str) -> None:
    it = story(world)
    entries, http_status, place = BAD[fault]
    before = it.s.get("/_history").get_data()
    answer = it.s.ask(
        "POST", "/", bundle("transaction", *entries, entry("POST", "Patient", b.patient("Never")))
    )
    assert answer.status_code == http_status, answer.get_data(as_text=True)
    if place:
        assert place in [issue["expression"][0] for issue in parsed(answer)["issue"]], texts(answer)
    assert it.s.get("/_history").get_data() == before


def test_a_resource_is_changed_once(world: World) -> None:
    it = story(world)
    person = it.s.read(it.person)
    for other in (entry("PUT", it.person, person), entry("PATCH", f"Patient?{FILE}lark", _binary(*GENDER))):
        answer = it.s.ask("POST", "/", bundle("transaction", entry("PUT", it.person, person), other))
        assert answer.status_code == 422
        assert "once" in texts(answer)[0]


def test_what_is_no_bundle_of_requests_is_refused(world: World) -> None:
    it = story(world)
    for body in ({"resourceType": "Patient"}, bundle("collection"), {**bundle("batch"), "entry": {}}):
        assert it.s.ask("POST", "/", body).status_code == 422
    assert it.s.ask("POST", "/", bundle("batch")).status_code == 200
    assert it.s.ask("POST", "/", bundle("transaction")).status_code == 200


def test_a_bundle_asks_for_few_whole_records(world: World) -> None:
    it = story(world)
    wide = [entry("GET", f"{it.person}/$everything")] * 21
    assert it.s.ask("POST", "/", bundle("batch", *wide)).status_code == 422
    assert it.s.ask("POST", "/", bundle("batch", *wide[:20])).status_code == 200


def test_ten_equal_transactions_at_once_make_one_person(world: World) -> None:
    it = story(world)
    asked = bundle(
        "transaction",
        entry("POST", "Patient", b.patient("Pipit"), urn(1), ifNoneExist=f"{FILE}pipit"),
        entry("POST", "Condition", b.condition(urn(1))),
    )
    answers: list[Any] = []
    ready = threading.Barrier(10)

    def send() -> None:
        ready.wait()
        answers.append(it.s.ask("POST", "/", asked))

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert [statuses(answer)[0] for answer in done].count("201") == 1
    subjects = {parsed(answer)["entry"][1]["resource"]["subject"]["reference"] for answer in done}
    assert len(subjects) == 1
    assert len(parsed(it.s.get(f"/Patient?{FILE}pipit"))["entry"]) == 1
    found = parsed(it.s.get(f"/Condition?patient={subjects.pop()}"))
    assert len(found["entry"]) == len(done)


def test_every_bundle_the_hub_answers_is_valid(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer(status="draft")
    it.s.ask("DELETE", f"/{it.task}")
    it.s.create(b.task(it.person, it.request, it.clinic))
    many = bundle(
        "batch",
        entry("GET", it.person),
        entry("HEAD", it.person),
        entry("GET", it.person, ifNoneMatch="*"),
        entry("GET", f"Patient/{UNKNOWN}"),
        entry("GET", f"{it.person}/_history"),
        entry("POST", "Patient", b.patient("Brent")),
    )
    answers = [
        it.s.ask("POST", "/", many),
        it.s.ask("POST", "/", bundle("transaction", entry("POST", "Patient", b.patient("Eider")))),
        it.s.ask(
            "POST",
            "/",
            bundle("batch", entry("POST", "Patient", b.patient("Eider"))),
            Prefer="return=minimal",
        ),
        *(
            it.s.get(path)
            for path in ("/Task/_history", "/_history", f"/{it.task}/_history", "/Task?_include=Task:focus")
        ),
        it.s.get(f"/{it.person}/$everything?_count=2"),
        it.c.get(f"/{it.person}/$everything"),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert [issue for issue in validate(parsed(answer)) if issue.is_error] == []
