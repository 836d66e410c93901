"""A byte that no id holds is no fault of the hub: the answer is that of an absent thing, on both databases."""

import pytest

from tests import builders as b
from tests.api.network import story
from tests.world import World

PATHS = (
    "/Patient/%00",
    "/Patient/%00/_history",
    "/Patient/x/_history/%00",
    "/Patient/%00/$everything",
    "/Patient/%00/$disclosures",
    "/Task/%00/$available-actions",
    "/Subscription/%00/$status",
    "/$export/%00",
    "/$export/x/%00.ndjson",
    "/Patient?_id=%00",
    "/Task?patient=Patient/%00",
    "/Task?owner=%00",
    "/Group/%00/$export",
)
ONE = ("/Patient/%00", "/Patient/x%00")


@pytest.mark.attack("S-31", "E-12")
@pytest.mark.parametrize("path", PATHS)
def test_a_nul_in_an_address_is_no_fault(world: World, path: str) -> None:
    headers = {"Prefer": "respond-async"} if "export" in path else {}
    assert story(world).s.get(path, **headers).status_code < 500


@pytest.mark.attack("T-25", "E-12")
@pytest.mark.parametrize("path", ONE)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_id_with_a_nul_is_answered_like_an_id_that_never_was(world: World, method: str, path: str) -> None:
    it = story(world)
    kind = {"PATCH": "application/json-patch+json"}.get(method, "application/fhir+json")
    body = {
        "PUT": b.patient(id="another"),
        "PATCH": [{"op": "test", "path": "/active", "value": True}],
    }.get(method)
    never, odd = (it.s.ask(method, one, body, Content_Type=kind) for one in ("/Patient/0", path))
    assert odd.status_code == never.status_code
    assert odd.get_data() == never.get_data()
