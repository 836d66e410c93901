"""Messages to her leave by channels she allowed, or not at all. On both databases."""

from typing import Any

import pytest

from referral_hub.fhir.canonical import structure
from tests import builders as b
from tests.api.network import story
from tests.world import World, parsed

MODE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"


def message(person: str, *media: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resourceType": "Communication",
        "status": "preparation",
        "subject": {"reference": person},
        "recipient": [{"reference": person}],
    }
    if media:
        found["medium"] = [b.coded(MODE, code) for code in media]
    return found


@pytest.mark.parametrize(
    ("allowed", "media", "is_taken"),
    [
        ((), ("PHONE",), False),
        ((), (), False),
        ((), ("FACE",), True),
        (("EMAILWRIT",), ("EMAILWRIT",), True),
        (("EMAILWRIT",), ("PHONE",), False),
        (("EMAILWRIT",), ("EMAILWRIT", "PHONE"), False),
        (("EMAILWRIT",), ("EMAILWRIT", "FACE"), True),
    ],
)
def test_absent_means_no_contact(
    world: World, allowed: tuple[str, ...], media: tuple[str, ...], is_taken: bool
) -> None:
    person = b.patient()
    if allowed:
        channels = [{"url": "channel", "valueCode": code} for code in allowed]
        person["extension"].append({"url": structure("safe-contact"), "extension": channels})
    it = story(world, person=person)
    answer = it.s.ask("POST", "/Communication", message(it.person, *media))
    if is_taken:
        assert answer.status_code == 201, answer.get_data(as_text=True)
    else:
        assert answer.status_code == 422
        assert parsed(answer)["issue"][0]["expression"] == ["Communication.medium"]
        assert "entry" not in parsed(it.s.get(f"/Communication?patient={it.person}"))
