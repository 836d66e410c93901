"""From a presented token to the caller's facts."""

from dataclasses import replace
from typing import Any

import pytest

from referral_hub.auth.tokens import Principals, digest_of, live, new_token, principal_of
from referral_hub.errors import Forbidden, Unauthenticated
from referral_hub.exchange.ports import OrganizationRow, TokenRow
from tests.unit.auth.hub import NOW_US, SECOND, Hub
from tests.unit.auth.memory import organization

TOKEN = TokenRow(
    digest=b"d" * 32,
    version=1,
    oauth_client="c-clinic",
    organization="clinic",
    organization_version=3,
    scope="system/Task.rs",
    purpose="TREAT",
    role="nurse",
    user="u-17",
    expires_us=NOW_US + 300 * SECOND,
    revoked=False,
    very_restricted=False,
    issued_us=NOW_US,
)
CLINIC = organization(
    "clinic", version=3, kind="clinic", ancestors=("hospital",), governmental=True, country="CC"
)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "Bearer a b",
        "Bearer a,b",
        "Bearer é",
        "Bearer a\n",
        "Bearer " + "a" * 513,
        "Bearer =a",
        "Basic abc",
        "DPoP abc",
        "Token abc",
        "abc",
        " Bearer abc",
    ],
)
def test_no_token_is_no_caller(header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        digest_of(header)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    text, digest = new_token()
    assert digest_of(f"{scheme} {text}") == digest


def test_the_refusal_does_not_repeat_the_header() -> None:
    with pytest.raises(Unauthenticated) as caught:
        digest_of("Bearer a secret")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "at_us", "is_live"),
    [
        (TOKEN, NOW_US, True),
        (TOKEN, TOKEN.expires_us - 1, True),
        (TOKEN, TOKEN.expires_us, False),
        (TOKEN, TOKEN.expires_us + SECOND, False),
        (replace(TOKEN, revoked=True), NOW_US, False),
        (None, NOW_US, False),
    ],
)
def test_live(row: TokenRow | None, at_us: int, is_live: bool) -> None:
    if is_live:
        assert live(row, at_us) is row
    else:
        with pytest.raises(Unauthenticated):
            live(row, at_us)


def test_ended_revoked_and_unknown_are_one_text() -> None:
    texts = set()
    for row, at_us in ((None, NOW_US), (replace(TOKEN, revoked=True), NOW_US), (TOKEN, TOKEN.expires_us)):
        with pytest.raises(Unauthenticated) as caught:
            live(row, at_us)
        texts.add(caught.value.text)
    assert len(texts) == 1


def test_the_facts_come_from_token_and_organisation() -> None:
    principal = principal_of(TOKEN, CLINIC)
    assert principal.organization is CLINIC.facts
    assert (principal.oauth_client, principal.purpose) == ("c-clinic", "TREAT")
    assert (principal.role, principal.user) == ("nurse", "u-17")
    assert principal.scopes.covers("Task", "r")
    assert not principal.scopes.covers("Task", "u")
    assert principal.accepts_very_restricted is False
    assert set(principal.refusal_targets) >= {
        "*",
        "org:clinic",
        "org:hospital",
        "kind:governmental",
        "gov:CC",
    }
    assert bytes.fromhex(principal.token_key) == TOKEN.digest  # by which the gate guards a Change


@pytest.mark.parametrize("row", [None, organization("clinic", active=False), organization("other")])
def test_a_suspended_organisation_is_forbidden(row: OrganizationRow | None) -> None:
    with pytest.raises(Forbidden):
        principal_of(TOKEN, row)


class _Asked:
    def __init__(self, row: OrganizationRow | None) -> None:
        self.row = row
        self.times = 0

    def __call__(self, organization_id: str) -> OrganizationRow | None:
        self.times += 1
        return self.row


def test_a_principal_is_worked_out_once_for_each_version() -> None:
    principals, asked = Principals(), _Asked(CLINIC)
    first = principals.of(TOKEN, NOW_US, asked)
    assert principals.of(TOKEN, NOW_US + SECOND, asked) is first
    assert asked.times == 1
    principals.of(replace(TOKEN, version=2), NOW_US, asked)
    assert asked.times == 2
    asked.row = organization("clinic", version=4)
    changed = principals.of(replace(TOKEN, organization_version=4), NOW_US, asked)
    assert asked.times == 3
    assert changed.organization.governmental is False


def test_a_kept_principal_does_not_outlive_its_token() -> None:
    principals, asked = Principals(), _Asked(CLINIC)
    principals.of(TOKEN, NOW_US, asked)
    for row, at_us in ((replace(TOKEN, revoked=True), NOW_US), (TOKEN, TOKEN.expires_us)):
        with pytest.raises(Unauthenticated):
            principals.of(row, at_us, asked)


def test_a_suspension_reaches_kept_principals_with_the_next_version() -> None:
    principals, asked = Principals(), _Asked(CLINIC)
    principals.of(TOKEN, NOW_US, asked)
    asked.row = organization("clinic", version=4, active=False)
    with pytest.raises(Forbidden):
        principals.of(replace(TOKEN, organization_version=4), NOW_US, asked)


def test_facts_of_another_version_are_not_kept_under_this_one() -> None:
    # The organisation changed between the two reads: the answer is right, and is worked out again next time.
    principals, asked = Principals(), _Asked(organization("clinic", version=4))
    principals.of(TOKEN, NOW_US, asked)
    principals.of(TOKEN, NOW_US, asked)
    assert asked.times == 2


def test_the_number_kept_is_bounded() -> None:
    principals, asked = Principals(most=8), _Asked(CLINIC)
    for number in range(100):
        principals.of(replace(TOKEN, digest=bytes([number]) * 32), NOW_US, asked)
    assert len(principals._kept) <= 8


def test_from_the_token_request_to_the_principal() -> None:
    hub = Hub()
    text = hub.given(hub.clinic)
    row = hub.rows.oauth_token(digest_of(f"Bearer {text}"))
    principal = Principals().of(row, NOW_US, hub.rows.organization)
    assert (principal.organization_id, principal.purpose) == ("clinic", "TREAT")


def test_a_client_switched_off_loses_the_tokens_it_holds() -> None:
    hub = Hub()
    text = hub.given(hub.clinic)
    hub.rows.clients["c-clinic"] = replace(hub.rows.clients["c-clinic"], active=False)
    row: Any = hub.rows.oauth_token(digest_of(f"Bearer {text}"))
    with pytest.raises(Unauthenticated):
        live(row, NOW_US)
