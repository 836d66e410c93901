"""Rows of other rooms: organisations in their tree, partners' software, used assertions, leases."""

import pytest

from referral_hub.access.principal import OrganizationFacts
from referral_hub.errors import Conflict, GuardFailed
from referral_hub.exchange.change import Row
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.store import schema
from referral_hub.store.leases import Lease
from referral_hub.store.oauth_rows import oauth_client
from referral_hub.store.organizations import organization_rows
from referral_hub.store.upkeep import DAY_US, prune
from tests.api.store.hubs import NOW, SECOND, Hub


def organization(name: str, part_of: str = "", **facts: object) -> OrganizationRow:
    found = OrganizationFacts(name, (), "clinic", **facts)  # type: ignore[arg-type]
    return OrganizationRow(
        found, 0, part_of, "Neutral", name.title(), "", 900, is_hub=False, row_id=hash(name) % 1000
    )


def put(hub: Hub, row: OrganizationRow, bases: list[str] | None = None) -> None:
    hub.apply(rows=organization_rows(hub.database, row, bases))


def tree(hub: Hub) -> dict[str, tuple[str, int]]:
    return {row["id"]: (row["ancestors"], row["version"]) for row in hub.rows(schema.organization)}


def test_an_organisation_gets_its_ancestors_from_its_parent(hub: Hub):
    put(hub, organization("law"))
    put(hub, organization("house", "law"))
    put(hub, organization("unit", "house"))
    assert tree(hub) == {"law": ("", 1), "house": ("law", 1), "unit": ("house law", 1)}


def test_a_move_rewrites_everything_below_and_raises_its_version(hub: Hub):
    for name, part_of in (("a", ""), ("b", ""), ("house", "a"), ("unit", "house"), ("desk", "unit")):
        put(hub, organization(name, part_of))
    put(hub, organization("house", "b"))
    assert tree(hub) == {
        "a": ("", 1),
        "b": ("", 1),
        "house": ("b", 2),
        "unit": ("house b", 2),
        "desk": ("unit house b", 2),
    }


@pytest.mark.parametrize("part_of", ["house", "unit", "desk"])
def test_an_organisation_is_never_part_of_itself(hub: Hub, part_of: str):
    for name, above in (("house", ""), ("unit", "house"), ("desk", "unit")):
        put(hub, organization(name, above))
    before = tree(hub)
    with pytest.raises(Conflict):
        put(hub, organization("house", part_of))
    assert tree(hub) == before


def test_bases_are_replaced_only_where_they_are_given(hub: Hub):
    def bases() -> list[str]:
        return [row["base_url"] for row in hub.rows(schema.organization_base)]

    put(
        hub,
        organization("clinic"),
        ["https://a.example/fhir", "https://b.example/fhir", "https://a.example/fhir"],
    )
    assert bases() == ["https://a.example/fhir", "https://b.example/fhir"]
    put(hub, organization("clinic"))
    assert len(bases()) == 2
    put(hub, organization("clinic"), [])
    assert bases() == []


def test_switching_an_organisation_off_and_on_raises_its_version(hub: Hub):
    put(hub, organization("clinic"))
    for active in (0, 1):
        hub.apply(
            rows=(
                Row(
                    "organization_set_active", {"organization": "clinic", "active": active}, at_least_one=True
                ),
            )
        )
    row = hub.one(schema.organization)
    assert (row["active"], row["version"]) == (1, 3)


CLIENT = {
    "client_id": "ehr",
    "organization": "clinic",
    "name": "EHR",
    "kind": "jwks",
    "jwks": "{}",
    "jwks_url": "",
    "secret_hash": "",
    "scope": "system/Task.rus",
    "purposes": "HRESCH TREAT",
    "redirect_uris": "https://ehr.example/back",
    "require_dpop": 0,
    "very_restricted": 1,
    "created_us": NOW,
}


def test_a_partners_software_is_read_back_as_it_was_registered(hub: Hub):
    hub.apply(rows=(Row("oauth_client_insert", CLIENT, at_least_one=True),))
    found = oauth_client(hub.database, "ehr")
    assert found is not None
    assert (found.version, found.purposes, found.redirect_uris) == (
        1,
        ("HRESCH", "TREAT"),
        ("https://ehr.example/back",),
    )
    assert (found.require_dpop, found.very_restricted, found.active) == (False, True, True)
    assert oauth_client(hub.database, "nobody") is None
    with pytest.raises(GuardFailed):
        hub.apply(rows=(Row("oauth_client_insert", CLIENT),))


def token(digest: bytes, expires_us: int) -> Row:
    return Row(
        "oauth_token_insert",
        {
            "digest": digest,
            "oauth_client": "ehr",
            "organization": "clinic",
            "scope": "",
            "purpose": "TREAT",
            "role": "",
            "user_id": "",
            "issued_us": NOW,
            "expires_us": expires_us,
            "very_restricted": 0,
        },
        at_least_one=True,
    )


def test_tokens_are_revoked_once_and_only_by_their_own_client(hub: Hub):
    hub.apply(rows=(Row("oauth_client_insert", CLIENT), token(b"a", NOW), token(b"b", NOW)))
    hub.apply(rows=(Row("oauth_token_revoke", {"digest": b"a", "oauth_client": "another"}),))
    assert [row["version"] for row in hub.rows(schema.oauth_token)] == [1, 1]
    for _ in range(2):
        hub.apply(rows=(Row("oauth_token_revoke", {"digest": b"a", "oauth_client": "ehr"}),))
    assert [(row["revoked"], row["version"]) for row in hub.rows(schema.oauth_token)] == [(1, 2), (0, 1)]
    hub.apply(rows=(Row("oauth_client_revoke_tokens", {"oauth_client": "ehr"}),))
    assert [(row["revoked"], row["version"]) for row in hub.rows(schema.oauth_token)] == [(1, 2), (1, 2)]


def test_an_assertion_is_used_once(hub: Hub):
    used = Row("oauth_jti_insert", {"oauth_client": "ehr", "jti": b"j", "expires_us": NOW}, at_least_one=True)
    hub.apply(rows=(used,))
    with pytest.raises(GuardFailed):
        hub.apply(rows=(used,))


def test_upkeep_takes_away_what_ended_a_day_ago(hub: Hub):
    hub.apply(
        rows=(
            Row("oauth_jti_insert", {"oauth_client": "ehr", "jti": b"j", "expires_us": NOW}),
            token(b"ended", NOW),
            token(b"live", NOW + DAY_US),
        )
    )
    prune(hub.writer, NOW + DAY_US + 1)
    assert [row["digest"] for row in hub.rows(schema.oauth_token)] == [b"live"]
    assert hub.rows(schema.oauth_jti) == []


def test_a_lease_has_one_holder_who_may_keep_it(hub: Hub):
    one, other = Lease(hub.writer, "sealer"), Lease(hub.writer, "sealer")
    assert one.take(NOW, 10 * SECOND)
    assert not other.take(NOW + 9 * SECOND, SECOND)
    assert one.take(NOW + 9 * SECOND, 10 * SECOND)
    assert not other.take(NOW + 18 * SECOND, SECOND)
    assert other.take(NOW + 19 * SECOND, SECOND)
    one.give_back(NOW + 19 * SECOND)
    assert not one.take(NOW + 19 * SECOND, SECOND)
    other.give_back(NOW + 19 * SECOND)
    assert one.take(NOW + 19 * SECOND, SECOND)
