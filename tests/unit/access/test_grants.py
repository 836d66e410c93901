"""The rows Consents compile to, and what the store's join must make of them."""

from dataclasses import replace
from typing import Any

import pytest

from referral_hub.access.categories import CATEGORIES
from referral_hub.access.grants import compile_rows, opened
from referral_hub.access.provisions import compile_consent
from referral_hub.access.rows import Grant, Refusal, RefusalException
from tests.unit.access.builders import (
    CLINIC,
    NOW,
    OFFICE,
    facts,
    imported,
    instance,
    kind_of_organization,
    permit,
    provision,
    refusal,
    release,
    request,
    us,
)
from tests.unit.access.laws import by_rows, compiled

FROM, UNTIL = us("2026-11-01T00:00:00Z"), us("2026-11-30T23:59:59Z")


def rows(
    body: dict[str, Any], *, authored: bool = True
) -> tuple[list[Grant], list[Refusal], list[RefusalException]]:
    read = compile_consent("c", "7", body, authored=authored)
    grants, refusals, exceptions = compile_rows(read, consent_row=5, person=9)
    return list(grants), list(refusals), list(exceptions)


def grant(category: str, resource: str = "", *, very: bool = False, **more: Any) -> Grant:
    made = Grant(5, "c", "7", 9, CLINIC.id, "TREAT", category, resource, very, FROM, UNTIL)
    return replace(made, **more)


def test_a_release_of_categories() -> None:
    assert rows(release(permit(what=["health", "contact"], labels=["V"]))) == (
        [grant("contact", very=True), grant("health", very=True), grant("notice")],
        [],
        [],
    )


def test_a_release_of_instances() -> None:
    assert rows(release(permit(what=[], data=["DocumentReference/1", "Observation/1"])))[0] == [
        grant("", "DocumentReference/1", very=True),
        grant("", "Observation/1", very=True),
        grant("notice"),
    ]


def test_the_time_that_data_tell_of_is_in_the_row_but_not_in_the_notice() -> None:
    found = rows(release(permit(dataPeriod={"start": "2026-01", "end": "2026-02"})))[0]
    assert found == [
        grant("health", data_from_us=us("2026-01-01T00:00:00Z"), data_until_us=us("2026-03-01T00:00:00Z")),
        grant("notice"),
    ]


def test_the_notice_lasts_while_any_permit_does() -> None:
    first = permit(end="2026-11-10T00:00:00Z")
    overlapping = permit(what=["housing"], start="2026-11-05T00:00:00Z", end="2026-11-15T00:00:00Z")
    later = permit(what=["plan"], start="2026-11-20T00:00:00Z")
    notices = [row for row in rows(release(first, overlapping, later))[0] if row.category == "notice"]
    assert [(row.valid_from_us, row.valid_until_us) for row in notices] == [
        (FROM, us("2026-11-14T23:59:59Z")),
        (us("2026-11-20T00:00:00Z"), UNTIL),
    ]


def test_a_refusal_of_everything() -> None:
    assert rows(refusal()) == ([], [Refusal(5, 9, "*")], [])


def test_a_refusal_by_kind_purpose_category_and_label() -> None:
    body = refusal(
        who=[OFFICE.id, kind_of_organization("governmental"), kind_of_organization("PL", "government-of")],
        why=["TREAT"],
        what=["health", "plan"],
        labels=["V"],
        start="2026-11-01",
    )
    assert rows(body)[1] == [
        Refusal(5, 9, target, "TREAT", category, "", "V", FROM, None)
        for target in ("gov:PL", "kind:governmental", f"org:{OFFICE.id}")
        for category in ("health", "plan")
    ]


def test_a_refusal_of_an_instance_with_an_exception() -> None:
    body = refusal(
        provision("permit", who=[OFFICE.id], why=["TREAT"], data=["DocumentReference/1"], end="2027"),
        data=["DocumentReference/1", "DocumentReference/2"],
    )
    assert rows(body) == (
        [],
        [Refusal(5, 9, "*", resource=f"DocumentReference/{number}") for number in (1, 2)],
        [RefusalException(5, 9, OFFICE.id, "TREAT", "DocumentReference/1", None, us("2026-12-31T23:59:59Z"))],
    )


@pytest.mark.parametrize("status", ["draft", "proposed", "inactive", "rejected", "entered-in-error"])
@pytest.mark.parametrize("body", [release(), refusal()])
def test_only_an_active_consent_has_rows(body: dict[str, Any], status: str) -> None:
    assert rows({**body, "status": status}) == ([], [], [])


@pytest.mark.parametrize(
    "more",
    [
        {"what": [], "data": [instance("Organization/shelter", "authoredby")]},
        {"what": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]},
        {"labels": ["R", "PSY"]},
        {"labels": ["N"]},
        {"data": ["Observation/1"]},
        {"extension": [{}]},
    ],
)
def test_a_permit_that_rows_cannot_say_has_none(more: dict[str, Any]) -> None:
    assert rows(
        imported(provision("permit", **_CLINIC, **({"what": ["health"]} | more))), authored=False
    ) == ([], [], [])


_CLINIC: dict[str, Any] = {
    "who": [CLINIC.id],
    "why": ["TREAT"],
    "start": "2026-11-01T00:00:00Z",
    "end": "2026-12-01T00:00:00Z",
}


def test_an_imported_permit_of_everything_opens_the_categories_and_no_more() -> None:
    found = rows(imported(provision("permit", **_CLINIC)), authored=False)[0]
    assert [row.category for row in found] == [*CATEGORIES, "notice"]
    assert not any(row.very_restricted for row in found)


@pytest.mark.parametrize(
    "more",
    [
        {"labels": ["PSY"]},
        {"code": [{"coding": [{"system": "urn:s", "code": "x"}]}]},
        {"dataPeriod": {"start": "2026"}},
        {"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]},
        {"data": [instance("Observation/1", "dependents")]},
        {"data": [instance("Organization/shelter", "authoredby")]},
        {"data": [instance("Observation/1", "related")]},
        {"extension": [{}]},
    ],
)
def test_a_deny_that_rows_cannot_say_stops_more(more: dict[str, Any]) -> None:
    body = imported(provision("permit", inside=[provision("deny", **more)], **_CLINIC))
    while_it_lasts = Refusal(5, 9, "*", valid_from_us=us(_CLINIC["start"]), valid_until_us=us(_CLINIC["end"]))
    assert rows(body, authored=False)[1] == [while_it_lasts]


def test_an_unreadable_consent_stops_everything() -> None:
    assert rows({}, authored=False) == ([], [Refusal(5, 9, "*")], [])


def test_a_refusal_that_would_need_too_many_rows_stops_everything() -> None:
    names = [f"Observation/{number}" for number in range(60)]
    body = refusal(permit(what=[], data=names), who=[f"o{number}" for number in range(60)], data=names)
    assert rows(body, authored=False) == ([], [Refusal(5, 9, "*")], [])


def test_a_release_that_would_need_too_many_rows_opens_nothing() -> None:
    body = release(permit(what=[], data=[f"Observation/{number}" for number in range(1_001)]))
    assert rows(body, authored=False) == ([], [], [])


def test_an_exception_beside_a_further_deny_has_no_row() -> None:
    exception = permit(what=[], data=["Observation/1"])
    assert rows(refusal(exception, provision("deny", why=["TREAT"])), authored=False)[2] == []


def test_an_exception_silences_its_own_refusal_only() -> None:
    letter = permit(what=[], data=["Observation/1"])
    asked = request()
    assert by_rows(compiled([release(), refusal(letter)]), asked, NOW).outcome == "permit"
    assert by_rows(compiled([release(), refusal(letter), refusal()]), asked, NOW).outcome == "deny"
    assert by_rows(compiled([refusal(letter)]), asked, NOW).outcome == "no-consent"


def test_rows_of_others_do_not_matter() -> None:
    other = grant("health", organization="elsewhere")
    assert opened([other], [], [], request(), NOW).outcome == "no-consent"
    assert opened([grant("health")], [Refusal(6, 9, "org:elsewhere")], [], request(), NOW).outcome == "permit"


def test_what_the_answer_tells() -> None:
    found = opened([grant("health"), grant("health", very=True)], [], [], request(), NOW)
    assert (found.reason, found.consents, found.very_restricted) == ("permitted", (("c", "7"),), True)
    assert opened([], [], [], request(purpose=""), NOW).reason == "no-purpose"
    assert opened([], [], [], request(organization=replace(CLINIC, active=False)), NOW).outcome == "deny"
    assert opened([grant("health")], [], [], request(facts(category="own")), NOW).outcome == "no-consent"
