"""What of the person's other records, and of the directory, survives in which view."""

import copy
from typing import Any

import pytest

from referral_hub.access import redact_directory
from referral_hub.access.redact_granted import GRANTED
from referral_hub.access.redaction import render
from referral_hub.access.views import View
from referral_hub.errors import NotFound
from referral_hub.fhir.element_tables import properties
from referral_hub.resources.catalog import DEFINITIONS
from tests.unit.access.granted_cases import DIRECTORY, RECORDS
from tests.unit.access.redaction_cases import CLINIC, MARKER, concept, fresh, plant, reference, texts

TYPES = sorted(GRANTED)
NEVER = {
    "identifier",
    "masterIdentifier",
    "text",
    "contained",
    "extension",
    "language",
    "relationship",
    "photo",
}
STRICT_PRIMITIVES = {
    "code", "date", "dateTime", "instant", "time", "decimal", "integer", "positiveInt", "unsignedInt",
}  # fmt: skip
INSIDE_CODES = {"Coding", "Quantity", "Age", "Duration", "SimpleQuantity"}


def granted(**more: Any) -> View:
    return View("granted", CLINIC, **{"category": "health", "categories": frozenset({"health"}), **more})


def may_show_without_text(place: str, types: tuple[str, ...]) -> bool:
    """Says by R4's own data types whether a place holds no words, no names, no addresses and no links."""
    root, primitive = types[0], types[-1]
    if place in {f"{root}.id", f"{root}.meta.versionId", f"{root}.meta.lastUpdated"}:
        return True
    if "_" in place or "Extension" in types or "Meta" in types:
        return False
    if root == "RelatedPerson" and place.startswith("RelatedPerson.name."):
        return True
    if {"Identifier", "HumanName", "Address", "ContactPoint", "Annotation", "Narrative"} & set(types):
        return False
    if "Reference" in types:
        return False
    if "Attachment" in types:
        return place.endswith(".contentType")
    if types[-2] in INSIDE_CODES:
        return not place.endswith((".display", ".id"))
    if types[-2] == "SampledData" or types[-2] == "Timing":
        return True
    return primitive in STRICT_PRIMITIVES


@pytest.mark.attack("S-21", "S-22")
@pytest.mark.parametrize("type_name", TYPES)
def test_without_free_text_no_words_names_addresses_or_links_survive(type_name: str) -> None:
    planted = plant(type_name)
    survive = planted.survivors(render(planted.resource, granted()))
    leaked = {place for place in survive if not may_show_without_text(place, planted.types[place])}
    assert leaked == set()
    if type_name != "RelatedPerson":
        assert len(survive) > 3


@pytest.mark.attack("S-22", "S-39")
@pytest.mark.parametrize("type_name", TYPES)
def test_even_with_everything_open_some_places_never_survive(type_name: str) -> None:
    planted = plant(type_name)
    everything = frozenset(f"Patient/{marker}" for marker in planted.places)
    shown = render(planted.resource, granted(very_restricted=True, named=True, visible=everything))
    for place in planted.survivors(shown):
        assert place.split(".")[1] not in NEVER, place
        assert not place.startswith(("RiskAssessment.prediction", "CarePlan.note", "CarePlan.description"))
        assert not place.startswith("RelatedPerson.address")
        assert not place.endswith(".display"), place
        assert "xtension" not in place, place
        assert not MARKER.search(str(shown["meta"].get("source")))


@pytest.mark.parametrize("type_name", TYPES)
@pytest.mark.parametrize("category", ["immigration", "proceedings", "very-restricted"])
def test_a_very_restricted_category_shows_bones_only(type_name: str, category: str) -> None:
    planted = plant(type_name)
    shown = render(planted.resource, granted(category=category, categories=frozenset({category})))
    bones = {"id", "meta", "status", "docStatus", "lifecycleStatus", "intent", "active", "contentType"}
    survive = planted.survivors(shown) - {"Appointment.participant.status", "MeasureReport.type"}
    assert {place.split(".")[1] for place in survive} <= bones


@pytest.mark.parametrize("type_name", TYPES)
def test_another_category_than_the_granted_shows_bones_only(type_name: str) -> None:
    record = fresh(RECORDS[type_name])
    bones = render(record, granted(categories=frozenset({"housing"})))
    assert bones == render(record, granted(category="proceedings", categories=frozenset({"proceedings"})))


@pytest.mark.parametrize("type_name", TYPES)
def test_nothing_secret_is_in_a_record_as_it_comes(type_name: str) -> None:
    record = fresh(RECORDS[type_name])
    before = copy.deepcopy(record)
    asked = granted(person="Patient/p1")
    shown = render(record, asked)
    told = " ".join(texts(shown))
    assert "secret" not in told.lower()
    assert "name of" not in told
    assert "Binary/" not in told
    assert record == before
    assert render(shown, asked) == shown


@pytest.mark.parametrize("opening", [{"very_restricted": True}, {"named": True, "categories": frozenset()}])
def test_v_or_naming_the_record_opens_its_words(opening: dict[str, Any]) -> None:
    record = fresh(RECORDS["Condition"])
    shown = render(record, granted(**opening))
    assert shown["code"]["text"] == "secret words"
    assert [item["text"] for item in shown["note"]] == ["secret note"]
    assert "authorString" not in shown["note"][0]


def test_words_of_others_than_shelters_need_no_v_but_their_v_elements_do() -> None:
    asked = granted(from_shelter=False)
    assert render(fresh(RECORDS["Observation"]), asked)["valueString"] == "secret answer"
    appointment = render(fresh(RECORDS["Appointment"]), asked)
    assert "start" not in appointment
    assert appointment["_start"]["extension"][0]["valueCode"] == "unknown"
    assert "contentAttachment" not in str(render(fresh(RECORDS["Communication"]), asked))


@pytest.mark.attack("S-20")
def test_a_required_reference_to_something_hidden_keeps_its_type_alone() -> None:
    record = fresh(RECORDS["Condition"])
    shown = render(record, granted())
    assert shown["subject"]["type"] == "Patient"
    assert set(shown["subject"]) == {"type", "identifier"}
    other = render(fresh(record, subject=reference("Patient/p2")), granted())
    assert other["subject"] == shown["subject"], "the identifier must not depend on what is hidden"
    assert render(fresh(record, id="r2"), granted())["subject"] != shown["subject"]


@pytest.mark.attack("S-20", "S-23")
def test_participants_of_an_appointment_are_the_visible_ones() -> None:
    record = fresh(RECORDS["Appointment"])
    record["participant"].append({"actor": reference("Patient/p1"), "status": "accepted"})
    shown = render(record, granted(person="Patient/p1"))
    assert shown["participant"] == [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}]
    hidden = render(fresh(RECORDS["Appointment"]), granted())["participant"]
    assert len(hidden) == 1
    assert hidden[0]["actor"]["type"] == "Location"


def test_a_named_document_opens_its_binary() -> None:
    named = granted(named=True)
    shown = render(fresh(RECORDS["DocumentReference"]), named)
    assert shown["content"][0]["attachment"]["url"] == "Binary/b1"
    assert "url" not in shown["content"][1]["attachment"]
    assert render(fresh(RECORDS["Binary"]), named)["data"] == "c2VjcmV0"


def test_a_version_in_a_visible_reference_is_left_out() -> None:
    record = fresh(RECORDS["Procedure"], subject=reference("Patient/p1/_history/3"))
    assert render(record, granted(person="Patient/p1"))["subject"] == {"reference": "Patient/p1"}


@pytest.mark.attack("S-22")
def test_a_contained_person_is_not_reached_by_a_reference() -> None:
    record = fresh(
        RECORDS["Procedure"],
        contained=[{"resourceType": "Patient", "id": "p", "birthDate": "1998-03-04"}],
        subject={"reference": "#p"},
    )
    shown = render(record, granted(visible=frozenset({"p"})))
    assert "contained" not in shown
    assert set(shown["subject"]) == {"identifier"}


@pytest.mark.parametrize("type_name", sorted(set(DEFINITIONS) - set(GRANTED)))
def test_a_type_without_a_list_is_absent(type_name: str) -> None:
    with pytest.raises(NotFound):
        render({"resourceType": type_name, "id": "x"}, granted(very_restricted=True, named=True))


def test_every_type_that_a_release_opens_has_its_list_and_no_other() -> None:
    opened = {name for name, definition in DEFINITIONS.items() if definition.opened}
    assert opened == {*GRANTED, "Patient", "ServiceRequest", "Task", "Consent"}


def test_every_directory_type_has_its_list_and_no_other() -> None:
    public = {name for name, definition in DEFINITIONS.items() if definition.directory or definition.listed}
    assert public == set(redact_directory.DIRECTORY)
    assert {name for name in public if DEFINITIONS[name].at_shelter} == set(redact_directory.SHELTER)


@pytest.mark.parametrize("type_name", TYPES)
def test_the_lists_name_elements_of_r4_only_and_fill_what_r4_requires(type_name: str) -> None:
    table = GRANTED[type_name]
    known = properties(type_name)
    assert set(table.rules) <= set(known)
    required = {name for name, found in known.items() if found.row.min > 0}
    filled = {name for name, _ in table.required}
    assert required - filled <= {"participant"}, "only Appointment fills participant by itself"


# Directory


def entry_view(**more: Any) -> View:
    return View("directory", CLINIC, **more)


@pytest.mark.attack("S-30")
@pytest.mark.parametrize("type_name", sorted(DIRECTORY))
def test_a_directory_entry_is_public_but_for_what_tells_of_people(type_name: str) -> None:
    entry = fresh(DIRECTORY[type_name], contained=[{"resourceType": "Basic", "id": "secret"}])
    shown = render(entry, entry_view())
    told = " ".join(texts(shown))
    assert "secret" not in told
    assert "name of" not in told
    assert shown["meta"]["security"][0]["code"] == "R"
    assert "birthDate" not in shown


def test_an_organization_is_read_with_its_words() -> None:
    shown = render(fresh(DIRECTORY["Organization"]), entry_view())
    assert shown["name"] == "Harbour House"
    assert shown["type"][0]["coding"][0]["display"] == "Shelter"
    assert shown["partOf"] == {"reference": "Organization/o0"}


@pytest.mark.attack("S-30")
def test_a_shelter_has_its_neutral_name_and_no_place() -> None:
    shown = render(fresh(DIRECTORY["Organization"]), entry_view(shelter=True, neutral_name="North Partner"))
    assert set(shown) == {"resourceType", "id", "meta", "active", "name"}
    assert shown["name"] == "North Partner"
    service = render(
        fresh(DIRECTORY["HealthcareService"]), entry_view(shelter=True, neutral_name="North Partner")
    )
    assert set(service) == {"resourceType", "id", "meta", "providedBy", "type", "name"}
    assert "Harbour" not in " ".join(texts([shown, service]))


def test_a_shelter_without_a_neutral_name_has_no_name() -> None:
    shown = render(fresh(DIRECTORY["Organization"]), entry_view(shelter=True))
    assert "name" not in shown
    assert len(shown["identifier"]) == 1


@pytest.mark.attack("S-30")
@pytest.mark.parametrize("type_name", sorted(set(DIRECTORY) - set(redact_directory.SHELTER)))
def test_a_shelters_places_and_people_are_absent(type_name: str) -> None:
    with pytest.raises(NotFound):
        render(fresh(DIRECTORY[type_name]), entry_view(shelter=True, neutral_name="North Partner"))


def test_one_text_only_concept_of_a_required_element_says_nothing_and_is_there() -> None:
    record = fresh(RECORDS["Observation"], code=concept("x", text="secret"))
    record["code"]["coding"] = [{"display": "secret"}]
    shown = render(record, granted())
    assert shown["code"]["extension"][0]["valueCode"] == "unknown"
