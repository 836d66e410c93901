"""What the hub's own organisation reads of the referrals it passes on: the questions only it brings up."""

from collections.abc import Sequence
from types import MappingProxyType

import pytest

from referral_hub.access.principal import OrganizationFacts
from referral_hub.access.rows import ReferralAccess
from referral_hub.access.views import View
from referral_hub.exchange.made_by_hub import FILLER_KIND, is_open_to_author, led_home, standing_to
from referral_hub.exchange.openings import Openness, Reader
from referral_hub.exchange.ports import ResourceRow, Standing
from tests.unit.outbound.memory import PERSON, REQUEST, resource

READER = Reader(OrganizationFacts("network"), ("*",), "TREAT")
STANDING = Standing(PERSON, 0)


def openness(*categories: str) -> Openness:
    return Openness(MappingProxyType(dict.fromkeys(categories, False)), (), 2**62)


class Look:
    """Two rows and one standing, and what was asked for."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def rows(self, row_ids: Sequence[int]) -> dict[int, ResourceRow]:
        known = {
            REQUEST: resource(REQUEST, "ServiceRequest", {}),
            PERSON: resource(PERSON, "Patient", {}),
        }
        self.asked.extend(row_ids)
        return {row_id: known[row_id] for row_id in row_ids if row_id in known}

    def standing(self, person: int, organization: str, refusal_targets: Sequence[str]) -> Standing:
        self.asked.append((person, organization))
        return STANDING


@pytest.mark.parametrize(
    ("kind", "standing", "opened", "expected"),
    [
        ("", None, (), True),
        (FILLER_KIND, None, (), False),
        (FILLER_KIND, STANDING, (), False),
        (FILLER_KIND, STANDING, ("notice",), False),
        (FILLER_KIND, STANDING, ("notice", "housing"), False),
        (FILLER_KIND, STANDING, ("notice", "health"), True),
    ],
)
def test_what_the_hub_made_is_read_where_a_release_names_the_kind_of_help(
    kind: str, standing: Standing | None, opened: tuple[str, ...], expected: bool
) -> None:
    row = resource(9, "ServiceRequest", {}, kind=kind, category="health")
    assert is_open_to_author(row, standing, openness(*opened)) is expected


@pytest.mark.parametrize(("back", "expected"), [(False, True), (True, False)])
def test_a_no_name_referral_of_its_own_is_read_without_one(back: bool, expected: bool) -> None:
    access = ReferralAccess(1, "network", PERSON, REQUEST, "notice", nameless=True, back=back)
    row = resource(9, "ServiceRequest", {}, kind=FILLER_KIND)
    assert is_open_to_author(row, Standing(PERSON, 0, (access,)), openness()) is expected


def test_a_standing_is_looked_up_for_what_the_hub_made_only() -> None:
    look = Look()
    assert standing_to(resource(9, "Task", {}), None, READER, look) is None
    assert standing_to(resource(9, "Task", {}, kind=FILLER_KIND, person=None), None, READER, look) is None
    assert look.asked == []
    assert standing_to(resource(9, "Task", {}, kind=FILLER_KIND), None, READER, look) is STANDING
    assert look.asked == [(PERSON, "network")]


def test_addresses_elsewhere_lead_to_the_copies() -> None:
    body = {"focus": {"reference": "https://ehr.example/fhir/ServiceRequest/1"}}
    row = resource(9, "Task", body, focus=REQUEST)
    found = led_home(View("N", "network"), row, Look())
    assert (found.request, found.person) == ("ServiceRequest/servicerequest-2", "Patient/patient-1")


@pytest.mark.parametrize("kind", ["K", "H", "requester", "stored"])
def test_a_card_leads_nowhere(kind: str) -> None:
    body = {"focus": {"reference": "https://ehr.example/fhir/ServiceRequest/1"}}
    view = View(kind, "network")  # type: ignore[arg-type]
    assert led_home(view, resource(9, "Task", body, focus=REQUEST), Look()) is view


def test_a_task_that_points_into_the_hub_is_shown_as_it_is() -> None:
    view, look = View("N", "network"), Look()
    coded = {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]}
    row = resource(9, "Task", {"code": coded, "focus": {"reference": "ServiceRequest/1"}}, focus=REQUEST)
    assert led_home(view, row, look) is view
    assert led_home(view, resource(9, "ServiceRequest", {}, focus=REQUEST), look) is view
    assert look.asked == []
