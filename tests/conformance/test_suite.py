"""The conformance suite itself: its tables agree with each other, and results count for what they say."""

import fnmatch
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from conformance import coverage, expected, reports
from conformance.__main__ import chosen, main
from conformance.claims import Claims
from conformance.doors import Answer
from conformance.faulty.faults import fault_for
from conformance.lab import Lab
from conformance.registry import Check, all_checks
from conformance.requirements import requirements, strength
from conformance.results import Advised, Failed, Omitted, Result, Skipped, Verdict
from conformance.runner import run_one
from conformance.target import BadConfiguration, Target, from_file, target
from conformance.tokens import make_key

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = sorted((ROOT / "conformance/expected").glob("*.json"))
LAB = Lab(Target("http://nowhere.example/fhir"))


def test_every_check_names_requirements_of_the_table() -> None:
    assert coverage.unknown_requirements() == []


def test_every_requirement_is_tested_or_says_why_not() -> None:
    assert coverage.contradictions() == []


def test_the_page_of_coverage_is_the_one_that_is_kept() -> None:
    kept = (ROOT / "docs/conformance-coverage.md").read_text("utf-8")
    assert kept == coverage.page(), "write it: python -m conformance --coverage docs/conformance-coverage.md"


def test_the_suite_is_large_and_every_shall_of_a_checklist_has_a_row() -> None:
    assert len(requirements()) > 700
    assert len(all_checks()) > 500
    assert sum(row.level == "SHALL" for row in requirements().values()) > 500


def test_every_check_has_a_fault_to_notice() -> None:
    assert [one.name for one in all_checks() if fault_for(one.name, LAB) is None] == []


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.stem)
def test_expectations_name_checks_that_exist_and_give_reasons(path: Path) -> None:
    names = {one.name for one in all_checks()}
    for name in expected.read(path):
        assert fnmatch.filter(names, name), name


# --- what a check comes to -----------------------------------------------------------------------------------


def _ending(ends: Exception | None, *ids: str) -> Result:
    def run(_: Lab) -> None:
        if ends is not None:
            raise ends

    return run_one(Check("rest.x", "A check", ids or ("R4-READ-1",), run), LAB)


@pytest.mark.parametrize(
    ("ends", "ids", "verdict"),
    [
        (None, (), Verdict.PASS),
        (Failed("no"), ("R4-READ-1",), Verdict.FAIL),
        (Failed("no"), ("R4-READ-3",), Verdict.WARN),  # a SHOULD
        (Failed("no"), ("R4-READ-7",), Verdict.FAIL),  # a MAY that is claimed and broken
        (Failed("no"), ("R4-READ-3", "R4-READ-1"), Verdict.FAIL),  # the strongest counts
        (Skipped("no"), (), Verdict.SKIP),
        (Omitted("no"), (), Verdict.OMIT),
        (Advised("no"), (), Verdict.WARN),
        (KeyError("x"), (), Verdict.ERROR),
    ],
)
def test_a_check_comes_to_one_of_six_results(
    ends: Exception | None, ids: tuple[str, ...], verdict: Verdict
) -> None:
    assert _ending(ends, *ids).verdict is verdict


def test_the_strongest_requirement_counts() -> None:
    assert strength(("R4-READ-3", "R4-READ-1")) == "SHALL"
    assert strength(("R4-READ-3",)) == "SHOULD"


def test_an_exchange_is_shown_without_secrets() -> None:
    body = b'{"access_token":"hidden-1","token_type":"bearer"}'
    sent = b"grant_type=x&client_assertion=hidden-2&scope=s"
    answer = Answer(
        "POST", "http://x.example/token", {"Authorization": "Bearer hidden-3"}, sent, 200, {}, body
    )
    assert "hidden" not in answer.told()
    assert "scope=s" in answer.told()


# --- expectations and reports ----------------------------------------------------------------------------------


def _result(name: str, verdict: Verdict) -> Result:
    return Result(name, "A check", ("R4-READ-1",), verdict, "because <&>", ("> GET\x00",), 0.1)


ROWS = {"rest.a": expected.Row("fail", "known"), "search.*": expected.Row("omit", "not there")}


def test_what_is_as_expected_gives_no_difference() -> None:
    some = [
        _result("rest.a", Verdict.FAIL),
        _result("search.b", Verdict.OMIT),
        _result("smart.c", Verdict.PASS),
    ]
    assert expected.differences(ROWS, some) == []


@pytest.mark.parametrize(
    ("name", "verdict"), [("rest.a", Verdict.PASS), ("search.b", Verdict.FAIL), ("smart.c", Verdict.FAIL)]
)
def test_a_change_of_server_or_suite_shows(name: str, verdict: Verdict) -> None:
    found = expected.differences(ROWS, [_result(name, verdict)], partial=True)
    assert len(found) == 1
    assert name in found[0]


def test_an_expectation_that_stands_for_no_check_shows() -> None:
    assert expected.differences(ROWS, [_result("rest.a", Verdict.FAIL)]) == [
        "search.*: no check has this name"
    ]


def test_an_expectation_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"rest.a": {"verdict": "fail", "reason": " "}}')
    with pytest.raises(ValueError, match="without a reason"):
        expected.read(path)


def test_json_and_junit_hold_every_result() -> None:
    some = [_result(f"rest.{verdict.value}", verdict) for verdict in Verdict]
    told = json.loads(reports.as_json(some, base="http://x.example"))
    assert told["counts"] == dict.fromkeys(("pass", "fail", "warn", "skip", "omit", "error"), 1)
    root = ET.fromstring(reports.as_junit(some, base="http://x.example"))
    assert len(root.findall("testsuite/testcase")) == len(some)
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("1", "1", "2")


def test_the_text_shows_what_is_wrong_and_counts_the_rest() -> None:
    told = reports.text(
        [_result("rest.a", Verdict.FAIL), _result("rest.b", Verdict.OMIT)], base="x", whole=False
    )
    assert "rest.a [R4-READ-1]: because" in told
    assert "rest.b" not in told
    assert "1 omit" in told


# --- what is given ---------------------------------------------------------------------------------------------


def test_checks_are_chosen_by_name_area_and_requirement() -> None:
    assert [one.name for one in chosen(["rest.read.id"])] == ["rest.read.id"]
    assert [one.name for one in chosen(["R4-READ-1"])] == ["rest.read.id"]
    assert {one.name.partition(".")[0] for one in chosen(["smart"])} == {"smart"}


@pytest.mark.parametrize(
    "words",
    [
        ["--base", "nonsense"],
        ["--base", "http://127.0.0.1:9/fhir"],
        ["--only", "no.such.check"],
        ["--client-id", "x"],
    ],
)
def test_what_cannot_be_used_is_said_with_exit_code_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert "conformance:" in capsys.readouterr().err


def test_a_file_names_the_server_and_the_clients(tmp_path: Path) -> None:
    (tmp_path / "author.jwk").write_text(json.dumps(make_key("ES384", "k").as_dict(private=True)))
    file = tmp_path / "target.toml"
    file.write_text(
        'base = "https://hub.example/fhir/"\nclaims = ["sdohcc"]\n'
        '[clients.author]\nclient_id = "c"\nkey = "author.jwk"\norganization = "o"\n'
    )
    found = from_file(file)
    assert (found.base, found.clients["author"].organization) == ("https://hub.example/fhir", "o")
    assert found.clients["author"].scope == "system/*.cruds"


@pytest.mark.parametrize(
    "text", ["base = 1 1", 'base = "https://x"\nbanana = 1', 'base = "https://x"\n[clients.king]\n']
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "target.toml"
    file.write_text(text)
    with pytest.raises(BadConfiguration):
        from_file(file)


def test_an_unknown_claim_is_refused() -> None:
    with pytest.raises(BadConfiguration, match="banana"):
        target("https://x.example", {}, claims=frozenset({"banana"}))


def test_a_server_is_held_to_what_it_claims() -> None:
    claims = Claims(
        {"rest": [{"mode": "server", "resource": [{"type": "Patient", "interaction": [{"code": "read"}]}]}]}
    )
    assert claims.has("Patient", "read")
    with pytest.raises(Omitted):
        claims.need("Patient", "create")
    with pytest.raises(Omitted):
        claims.need_hub()
    Claims({}, frozenset({"referral-hub"})).need_hub()
