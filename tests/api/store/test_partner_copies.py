"""Copies at partners: noted, asked when their time comes, each poll by one process."""

from dataclasses import replace

import pytest

from referral_hub.store.partner_copies import PartnerCopies, PartnerCopy
from tests.api.store.hubs import NOW, SECOND, Hub

COPY = PartnerCopy(5, "clinic", "https://ehr.example/fhir/Task/9", 'W/"1"', NOW)


@pytest.fixture
def copies(hub: Hub) -> PartnerCopies:
    return PartnerCopies(hub.database, hub.writer)


def test_a_copy_is_noted_replaced_and_forgotten(hub: Hub, copies: PartnerCopies):
    assert copies.of(5, "clinic") is None
    hub.apply(rows=(copies.put_row(COPY),))
    assert copies.of(5, "clinic") == COPY
    changed = replace(COPY, url="https://ehr.example/fhir/Task/10", etag="", next_poll_us=NOW + 1)
    hub.apply(rows=(copies.put_row(changed), copies.put_row(replace(COPY, organization="lawyer"))))
    assert copies.of(5, "clinic") == changed
    hub.apply(rows=(copies.forget_row(5, "clinic"),))
    assert copies.of(5, "clinic") is None
    assert copies.of(5, "lawyer") is not None


def test_the_copy_waiting_longest_is_asked_first(hub: Hub, copies: PartnerCopies):
    for resource, at_us in ((1, NOW), (2, NOW - SECOND), (3, NOW + 1)):
        hub.apply(rows=(copies.put_row(replace(COPY, resource=resource, next_poll_us=at_us)),))
    assert [copy.resource for copy in copies.due(NOW, 10)] == [2, 1]
    assert [copy.resource for copy in copies.due(NOW, 1)] == [2]


def test_one_of_two_processes_gets_a_poll(hub: Hub, copies: PartnerCopies):
    hub.apply(rows=(copies.put_row(COPY),))
    other = PartnerCopies(hub.database, hub.writer)
    assert copies.later(COPY, NOW, NOW + SECOND)
    assert not other.later(COPY, NOW, NOW + SECOND)
    assert copies.due(NOW, 1) == []
