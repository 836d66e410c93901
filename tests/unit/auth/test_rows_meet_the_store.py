"""Every row this room writes names a statement of the store, with exactly its parameters."""

import pytest

from referral_hub.auth import changes
from referral_hub.auth.clients import ClientKey, register
from referral_hub.auth.purposes import Assertion
from referral_hub.auth.request import Decided, Verified
from referral_hub.exchange.change import Change
from referral_hub.store import oauth_rows
from referral_hub.store.statements import WRITES
from tests.unit.auth.hub import NOW_US
from tests.unit.auth.memory import ClientRow, organization

CLIENT = ClientRow("c", "clinic", "secret", "system/Task.rs")
VERIFIED = Verified("c", b"j" * 32, NOW_US, {})
DECIDED = Decided("system/Task.rs", "TREAT", Assertion())
KEY = ClientKey(secret=True)
CHANGES = {
    "assertion used": changes.assertion_used(VERIFIED),
    "token given": changes.token_given(CLIENT, DECIDED, b"d" * 32, VERIFIED, at_us=NOW_US, expires_us=NOW_US),
    "token revoked": changes.token_revoked(CLIENT, b"d" * 32, VERIFIED, at_us=NOW_US),
    "client switched off": changes.client_switched(CLIENT, active=False, at_us=NOW_US),
    "forgotten": changes.forgotten(NOW_US),
    "client registered": register(
        organization("clinic"), "Invented", KEY, "system/Task.rs", types={"Task"}, at_us=NOW_US
    ).change,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_statement_takes_these_parameters(change: Change) -> None:
    assert change.rows
    for row in change.rows:
        assert WRITES[row.statement].parameters == row.parameters.keys()


def test_the_stores_row_of_a_client_is_what_this_room_reads() -> None:
    asked = {name for name in ClientRow.__dataclass_fields__ if not name.startswith("_")}
    assert asked <= oauth_rows.OAuthClient.__dataclass_fields__.keys()
