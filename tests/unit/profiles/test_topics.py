"""The hub's subscription topics, written in R4 as the backport guide writes them."""

import pytest

from referral_hub.exchange.topics import TOPICS as SERVED
from referral_hub.fhir.canonical import CANONICAL
from tests.unit.profiles.generated import Resource, of_type

TOPICS = {found["id"]: found for found in of_type("Basic")}
R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic."
R4B = "http://hl7.org/fhir/4.3/StructureDefinition/extension-SubscriptionTopic."


def _value(parts: list[Resource], url: str) -> str:
    (found,) = (part for part in parts if part["url"] == url)
    (value,) = (value for key, value in found.items() if key.startswith("value"))
    return str(value)


def test_every_topic_of_the_server_is_defined() -> None:
    own = {url for url in SERVED if url.startswith(CANONICAL)}
    assert {_value(topic["extension"], f"{R5}url") for topic in TOPICS.values()} == own
    assert len(SERVED) == len(own) + 2  # the two of Gravity


@pytest.mark.parametrize("name", sorted(TOPICS))
def test_a_topic_has_an_address_a_trigger_and_filters(name: str) -> None:
    topic = TOPICS[name]
    address = _value(topic["extension"], f"{R5}url")
    assert address == f"{CANONICAL}/SubscriptionTopic/{name.removeprefix('topic-')}"
    (trigger,) = (part for part in topic["extension"] if part["url"] == f"{R4B}resourceTrigger")
    type_name = _value(trigger["extension"], "resource").rsplit("/", 1)[1]
    assert type_name == SERVED[address].type_name
    assert {part["url"] for part in trigger["extension"]} >= {"supportedInteraction", "fhirPathCriteria"}
    filters = [part["extension"] for part in topic["extension"] if part["url"] == f"{R4B}canFilterBy"]
    assert {_value(one, "filterParameter") for one in filters} == set(SERVED[address].filters)
    assert {_value(one, "resource").rsplit("/", 1)[1] for one in filters} == {type_name}


@pytest.mark.parametrize("name", sorted(TOPICS))
def test_a_topic_is_active(name: str) -> None:
    assert _value(TOPICS[name]["modifierExtension"], f"{R5}status") == "active"
