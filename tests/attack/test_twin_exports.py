"""An export is no way round: what is hidden changes neither its files, nor their counts, nor how it goes on.

Two referrals in one hub that differ in what the recipient must not notice; both recipients export. Both databases.

Source: ``consent.md`` 3.3, S-24 and S-34; Bulk Data 2.
"""

import json
import re
from typing import Any

import pytest

from tests.api.network import Story
from tests.api.test_exports import kicked_off, lines_of, walked
from tests.api.test_twin_worlds import normalised
from tests.attack.test_twin_stories import MARK, TABLE, told
from tests.world import World

MORE = ("referred elsewhere too", "more hidden than a page", "consents about others", "traces", "words")
_JOB = re.compile(r"(?<=\$export/)[\w-]+")


def _exported(it: Story, path: str) -> tuple[list[str], list[tuple[str, int]], list[Any]]:
    """Gives how an export answers on its way, its files, and what stands in them but for ids and moments."""
    it.move("accepted")
    at = kicked_off(it.c, path)
    begun = normalised(it.c.get(at))
    walked(it.world)
    answer = it.c.get(at, Accept="application/json")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    manifest = json.loads(answer.get_data())
    files = sorted((one["type"], one["count"]) for one in manifest["output"])
    lines = lines_of(it.c, manifest)
    assert MARK not in json.dumps(lines)
    shapes = sorted(
        f"{one['resourceType']} {sorted(one)} {len(json.dumps({**one, 'meta': None}))}" for one in lines
    )
    headers = sorted(name for name in answer.headers.keys())  # noqa: SIM118
    return [_JOB.sub("JOB", begun), str(headers), str(manifest.get("error"))], files, shapes


@pytest.mark.attack("S-24", "S-34", "S-07", "E-05")
@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("path", ["/Patient/$export", "/Patient/$export?_type=Condition,Patient,Consent"])
def test_what_is_hidden_changes_no_export(world: World, more: str, path: str) -> None:
    found = []
    for done in (_nothing, TABLE[more][0]):
        it, _ = told(world, done)
        found.append(_exported(it, path))
    assert found[0] == found[1]
    assert found[0][1], "something was exported"


def _nothing(it: Story) -> dict[str, dict[str, Any]]:
    return {}
