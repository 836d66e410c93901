"""The two ways of asking consent: where they differ nothing opens, and only a real difference is an alarm."""

import time
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from referral_hub.access.decision import decide
from referral_hub.access.grants import compile_rows, opened
from referral_hub.access.principal import OrganizationFacts
from referral_hub.access.provisions import compile_consent
from referral_hub.exchange.openings import Openings, Reader
from referral_hub.exchange.ports import ConsentRow, Standing
from referral_hub.fhir import json_codec
from tests import builders as b

PERSON = 7
AT_US = time.time_ns() // 1_000
READER = Reader(OrganizationFacts("clinic", kind="clinic"), ("*", "org:clinic", "kind:clinic"), "TREAT")
RELEASE: dict[str, Any] = b.release("Patient/p", "shelter", b.permit("clinic"))
GONE = {**RELEASE, "status": "inactive"}


def _row(body: dict[str, Any]) -> ConsentRow:
    return ConsentRow(1, "c", "v", body["status"], json_codec.encode(body), "shelter")


def _standing(body: dict[str, Any], epoch: int) -> Standing:
    compiled = compile_consent("c", "v", body, authored=True)
    grants, refusals, exceptions = compile_rows(compiled, consent_row=1, person=PERSON)
    return Standing(
        PERSON, epoch, grants=tuple(grants), refusals=tuple(refusals), exceptions=tuple(exceptions)
    )


@dataclass
class Look:
    """The consents as a second statement finds them."""

    body: dict[str, Any]
    now: Standing
    asked: list[int] = field(default_factory=list)

    def consents(self, person: int) -> list[ConsentRow]:
        self.asked.append(person)
        return [_row(self.body)]

    def standing(self, person: int, organization: str, refusal_targets: Any) -> Standing:
        assert (person, organization) == (PERSON, "clinic")
        return self.now


@pytest.mark.parametrize(
    ("consent", "now", "opens", "alarms"),
    [
        (RELEASE, 1, {"notice", "identity", "health"}, 0),
        (GONE, 1, set(), 1),  # one epoch, two answers: the rows are wrong
        (GONE, 2, set(), 0),  # she withdrew between the two statements
    ],
    ids=["agree", "differ", "withdrawn in between"],
)
def test_nothing_opens_where_the_two_ways_differ(
    consent: dict[str, Any], now: int, opens: set[str], alarms: int
) -> None:
    told: list[str] = []
    openings = Openings(decide, opened, told.append)
    standing = _standing(RELEASE, 1)
    found = openings.of(READER, standing, Look(consent, replace(standing, epoch=now)), AT_US)
    assert set(found.opened) == opens
    assert bool(told) == bool(alarms)


def test_after_a_withdrawal_in_between_the_next_epoch_is_asked_anew() -> None:
    told: list[str] = []
    openings = Openings(decide, opened, told.append)
    before = _standing(RELEASE, 1)
    moved = replace(before, epoch=2)
    assert not openings.of(READER, before, Look(GONE, moved), AT_US).opened
    again = Look(RELEASE, replace(before, epoch=3))
    assert "identity" in openings.of(READER, replace(before, epoch=3), again, AT_US).opened
    assert (again.asked, told) == ([PERSON], [])
