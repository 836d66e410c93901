"""A sender closes a referral, and something else happens before the partner is told: it is told all the same."""

import pytest

from tests import builders as b
from tests.api.outbound.conftest import Place


@pytest.mark.parametrize(
    ("status", "reason"), [("cancelled", "by-source"), ("entered-in-error", "sent-in-error")]
)
def test_a_partner_that_is_looked_at_between_the_end_and_its_telling_learns_the_end(
    place: Place, status: str, reason: str
):
    place.sign()
    place.refer()
    place.deliver()
    place.s.changed(place.task, status=status, statusReason=b.reason(reason))
    place.poll()
    place.deliver()
    assert place.partner.tasks[place.partner.only()]["status"] == status
    assert place.partner.faults == []


def test_a_partner_that_never_had_the_referral_is_sent_nothing_about_its_end(place: Place):
    place.sign()
    place.refer()
    place.s.changed(place.task, status="cancelled", statusReason=b.reason("by-source"))
    place.deliver()
    assert place.partner.tasks == {}
    assert {request.method for request in place.partner.requests} <= {"GET"}


def test_an_end_the_sender_set_is_told_although_the_release_was_withdrawn_after_it(place: Place):
    place.sign()
    place.refer()
    place.deliver()
    place.s.changed(place.task, status="cancelled", statusReason=b.reason("by-source"))
    place.revoke()
    place.deliver()
    told = [request.body or {} for request in place.partner.told("PUT")]
    assert [body["status"] for body in told] == ["cancelled"]
    assert len(place.partner.told("POST")) == 2, "the notice and the recall"
    assert place.partner.faults == []
