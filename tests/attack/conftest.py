"""The hubs of the API tests, for the attacks: one per database, and twins that differ in what is hidden."""

from tests.api.conftest import _postgres_world, _sqlite_world, world
from tests.api.test_twin_worlds import observed, twins

__all__ = ["_postgres_world", "_sqlite_world", "observed", "twins", "world"]
