"""Hubs for the tests of the store: each test runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from referral_hub.store.migrate import upgrade
from tests.api.store.hubs import Hub, make_hub


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Hub]:
    """A migrated, empty hub with its keys."""
    upgrade(database_url)
    made = make_hub(database_url, tmp_path)
    yield made
    made.close()
