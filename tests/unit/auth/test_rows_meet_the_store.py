"""Every row this room writes names a statement of the store, with exactly its parameters."""

import pytest

from referral_hub.auth import changes, sign_in_changes
from referral_hub.auth.app_registrations import App
from referral_hub.auth.clients import ClientKey, register
from referral_hub.auth.purposes import Assertion
from referral_hub.auth.request import Decided, Verified
from referral_hub.exchange.change import Change
from referral_hub.store import oauth_rows, sign_in
from referral_hub.store.statements import WRITES
from tests.unit.auth.hub import NOW_US
from tests.unit.auth.memory import ClientRow, organization
from tests.unit.auth.sign_in_memory import CODE, FAMILY, LAUNCH, PUSHED, REFRESH

CLIENT = ClientRow("c", "clinic", "secret", "system/Task.rs")
VERIFIED = Verified("c", b"j" * 32, NOW_US, {})
DECIDED = Decided("system/Task.rs", "TREAT", Assertion())
KEY = ClientKey(secret=True)
GIVEN = sign_in_changes.GivenToken(b"d" * 32, "user/Task.rs", NOW_US, refresh=b"r" * 32)
CHANGES = {
    "assertion used": changes.assertion_used(VERIFIED),
    "token given": changes.token_given(CLIENT, DECIDED, b"d" * 32, VERIFIED, at_us=NOW_US, expires_us=NOW_US),
    "token revoked": changes.token_revoked(CLIENT, b"d" * 32, VERIFIED, at_us=NOW_US),
    "client switched off": changes.client_switched(CLIENT, active=False, at_us=NOW_US),
    "forgotten": changes.forgotten(NOW_US),
    "client registered": register(
        organization("clinic"), "Invented", KEY, "system/Task.rs", types={"Task"}, at_us=NOW_US
    ).change,
    "app registered": register(
        organization("clinic"),
        "Invented",
        ClientKey(public=True),
        "user/Task.rs",
        types={"Task"},
        at_us=NOW_US,
        app=App(("https://app.example/back",), "https://app.example/launch"),
    ).change,
    "approved": sign_in_changes.approved(
        FAMILY,
        CODE,
        (sign_in_changes.launch_taken(b"l" * 32, at_us=NOW_US),),
        remembered="user/Task.rs",
        at_us=NOW_US,
    ),
    "exchanged": sign_in_changes.exchanged(CODE, GIVEN, VERIFIED, at_us=NOW_US),
    "rotated": sign_in_changes.rotated(REFRESH, GIVEN, None, at_us=NOW_US),
    "family ended": sign_in_changes.family_ended(FAMILY, "why", VERIFIED, at_us=NOW_US),
    "approval ended": sign_in_changes.approval_ended("a-1", "clinic", "c", at_us=NOW_US),
    "account ended": Change("1", rows=sign_in_changes.ended_with_account("a-1")),
    "session ended": Change("2", rows=sign_in_changes.ended_with_session("a-1")),
    "request pushed": sign_in_changes.request_pushed(PUSHED, VERIFIED),
    "request taken": sign_in_changes.request_taken(b"p" * 32, at_us=NOW_US),
    "launch made": sign_in_changes.launch_made(LAUNCH, at_us=NOW_US),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_statement_takes_these_parameters(change: Change) -> None:
    assert change.rows
    for row in change.rows:
        assert WRITES[row.statement].parameters == row.parameters.keys()


def test_the_stores_row_of_a_client_is_what_this_room_reads() -> None:
    asked = {name for name in ClientRow.__dataclass_fields__ if not name.startswith("_")}
    assert asked <= oauth_rows.OAuthClient.__dataclass_fields__.keys()


@pytest.mark.parametrize(
    "name", [name for name in WRITES.names() if name.startswith("oauth_family_end_person")]
)
def test_a_withdrawal_never_ends_what_is_her_own(name: str) -> None:
    assert "context != 'patient'" in WRITES[name].text["sqlite"]
    assert sign_in.SignInRows
