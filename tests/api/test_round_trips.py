"""Every official example of a stored type goes into the store and comes out as it was, digit by digit."""

import json
from pathlib import Path
from typing import Any

import pytest

from referral_hub.app import RandomIds
from referral_hub.exchange.building import Draft
from referral_hub.exchange.columns import columns_of
from referral_hub.exchange.interactions import hub_write
from referral_hub.fhir import json_codec
from referral_hub.fhir.validator import validate
from referral_hub.resources.catalog import DEFINITIONS
from tests.world import World

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "fhir" / "examples"


def of_stored_types() -> list[Path]:
    """Gives the official examples of the types the hub stores."""
    return [
        path
        for path in sorted(EXAMPLES.glob("*.json"))
        if json.loads(path.read_bytes()).get("resourceType") in DEFINITIONS
    ]


def stored(world: World, body: dict[str, Any], author: str) -> tuple[str, str]:
    """Writes a resource below the checks that ask whom it is about; gives type and id."""
    definition = DEFINITIONS[body["resourceType"]]
    ids = RandomIds()
    public_id = ids.public_id()

    def decide(draft: Draft) -> bool:
        row_id = draft.ids.row_id(draft.at_us)
        columns, _ = columns_of(definition, body, {}, own_row=row_id, author_kind="clinic")
        draft.create(body, columns, row_id=row_id, public_id=public_id, author=author)
        return True

    assert hub_write(world.parts.hub, decide)
    return body["resourceType"], public_id


@pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="the official examples (../shared/fhir/examples) are not here"
)
def test_every_official_example_comes_back_unchanged(world: World) -> None:
    author = world.add_organization("author", "clinic")
    caller = world.caller(author)
    seen = set()
    for path in of_stored_types():
        example = json_codec.decode_object(path.read_bytes())
        assert [issue.text for issue in validate(example) if issue.is_error] == [], path.name
        type_name, public_id = stored(world, example, author)
        if type_name == "AuditEvent":
            continue  # rendered from the audit rows, never read from a row
        answer = caller.get(f"/{type_name}/{public_id}")
        assert answer.status_code == 200, path.name
        back = json_codec.decode_object(answer.get_data())
        for resource in (back, example):
            for name in ("versionId", "lastUpdated"):
                resource.get("meta", {}).pop(name, None)
            if not resource.get("meta"):
                resource.pop("meta", None)
            resource.pop("id", None)
        assert json_codec.encode(back) == json_codec.encode(in_order(example, back)), path.name
        assert back == example, path.name
        seen.add(type_name)
    assert {"Goal", "Encounter", "Flag", "Slot", "Measure", "MeasureReport", "Composition"} <= seen


def in_order(example: dict[str, Any], back: dict[str, Any]) -> dict[str, Any]:
    """Gives the example with its first level in the order it is served in: FHIR gives order no meaning there."""
    return {name: example[name] for name in back if name in example}
