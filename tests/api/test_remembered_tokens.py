"""What a worker remembers of a token never outlives the token: a search says 401 as soon as it has ended."""

from dataclasses import replace
from hashlib import sha256

import pytest

from referral_hub.app import RandomIds
from referral_hub.exchange.change import Change, Row
from referral_hub.store.organizations import organization_rows
from tests.api.network import story
from tests.world import Caller, World


def _revoke(world: World, caller: Caller) -> None:
    digest = sha256(caller.token.encode()).digest()
    with world.parts.store.snapshot() as snapshot:
        token = snapshot.token(digest)
    assert token is not None
    row = Row("oauth_token_revoke", {"digest": digest, "oauth_client": token.oauth_client})
    world.parts.store.apply(world.parts.gate.admit_token(Change(RandomIds().public_id(), rows=(row,))))


@pytest.mark.parametrize("query", ["", "?_count=1", "?birthdate=yesterday", "?_cursor=abc"])
def test_a_revoked_token_finds_nothing_whatever_it_asks(world: World, query: str) -> None:
    it = story(world)
    assert it.s.get("/Patient").status_code == 200
    _revoke(world, it.s)
    assert it.s.get(f"/Patient{query}").status_code == 401


def test_a_bad_search_of_a_live_token_is_still_400(world: World) -> None:
    it = story(world)
    assert it.s.get("/Patient").status_code == 200
    assert it.s.get("/Patient?birthdate=yesterday").status_code == 400


def test_an_organization_that_is_paused_is_told_so_at_once(world: World) -> None:
    it = story(world)
    assert it.s.get("/Patient").status_code == 200
    with world.parts.store.snapshot() as snapshot:
        row = snapshot.organization(it.shelter)
    assert row is not None
    paused = replace(row, facts=replace(row.facts, active=False))
    rows = organization_rows(world.parts.database, paused, ())
    world.parts.store.apply(world.parts.gate.admit_token(Change(RandomIds().public_id(), rows=rows)))
    assert it.s.get("/Patient").status_code == 403
    assert it.s.get(f"/{it.person}").status_code == 403
