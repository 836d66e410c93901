"""Making index rows anew: what an older program wrote is found by what this one knows; nothing else changes."""

import pytest
import sqlalchemy as sa

from referral_hub.app import RandomIds, clock
from referral_hub.exchange.building import body_of
from referral_hub.exchange.change import Indexes
from referral_hub.exchange.indexing import index_rows
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.store import schema
from referral_hub.store.index_rows import TABLES
from referral_hub.store.reindexing import Reindexer
from tests import builders as b
from tests.api.network import story
from tests.world import World, parsed


def reindexer(world: World, *, seen: list[str]) -> Reindexer:
    def index(row: object) -> Indexes:
        seen.append(row.id)  # type: ignore[attr-defined]
        return index_rows(DEFINITIONS[row.type], body_of(row), world.parts.hub.own_bases)  # type: ignore

    parts = world.parts
    return Reindexer(
        parts.database,
        parts.bodies,
        parts.keyring.digests,
        parts.writer,
        index=index,
        clock=clock,
        change_id=RandomIds().public_id,
    )


@pytest.fixture
def engine(world: World) -> sa.Engine:
    url = world.parts.settings.database_url
    return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def rows(engine: sa.Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            name: sorted(map(tuple, connection.execute(sa.select(schema.METADATA.tables[name])).all()))
            for name in TABLES
        }


def test_the_rows_are_those_that_a_write_makes(world: World, engine: sa.Engine) -> None:
    it = story(world)
    made = it.s.create(b.observation(it.person))
    before = rows(engine)
    with engine.begin() as connection:
        for name in TABLES:
            connection.execute(schema.METADATA.tables[name].delete())
    asked = "/Observation?value-quantity=37&code-value-quantity=8310-5$gt36"
    assert not parsed(it.s.get(asked)).get("entry")
    seen: list[str] = []
    assert sum(reindexer(world, seen=seen).run()) == len(seen)
    assert rows(engine) == before
    [found] = parsed(it.s.get(asked))["entry"]
    assert found["resource"]["meta"] == made["meta"]
    engine.dispose()
