"""What an error of HL7's validator counts for: the rows of exceptions.json, each with what it must not cover."""

import pytest

from conformance.verdicts import Fault, Table, excuse_for, excuses, verdict_of

TX = "Terminology_PassThrough_TX_Message"
COVERED: list[tuple[Table, str, str]] = [
    ("external", TX, 'Code "vi" is not in valueset: http://hl7.org/fhir/ValueSet/languages'),
    (
        "external",
        TX,
        "Unable to expand ValueSet because CodeSystem could not be found: https://www.iana.org/time-zones",
    ),
    (
        "accepted",
        TX,
        "Error processing unit 'x': The unit 'x' is unknown' (for 'http://unitsofmeasure.org#x')",
    ),
    ("accepted", TX, "Unknown code 'http://dicom.nema.org/resources/ontology/DCM#x'"),
    ("accepted", TX, "Unknown code 'http://terminology.hl7.org/CodeSystem/service-category#x'"),
    ("accepted", TX, "Unknown code 'http://terminology.hl7.org/CodeSystem/v2-0203#null'"),
    ("accepted", "Extension_EXT_Unknown_NotHere", "The extension https://x.test could not be found"),
    ("accepted", "Type_Specific_Checks_DT_OID_Valid", "OIDs must be valid (1.2.3)"),
    (
        "accepted",
        "TYPE_SPECIFIC_CHECKS_DT_ATT_B64_DECODE_FAIL",
        "… not valid base64: Illegal base64 character 20",
    ),
]
COUNTED = [
    (TX, 'Code "banana" is not in valueset: http://hl7.org/fhir/ValueSet/administrative-gender'),
    (TX, "Unknown code 'http://terminology.hl7.org/CodeSystem/v2-0203#no-such-code'"),
    ("Terminology_TX_NoValid_16", "The value provided ('banana') was not found in the value set"),
    ("Type_Specific_Checks_DT_OID_Valid", "OIDs must be valid (1.2.banana)"),
    ("TYPE_SPECIFIC_CHECKS_DT_ATT_B64_DECODE_FAIL", "… not valid base64: Illegal base64 character 2a"),
    ("http://hl7.org/fhir/StructureDefinition/Range#rng-2", "Constraint failed: rng-2: 'low SHALL be lower'"),
    ("Validation_VAL_Profile_Minimum", "Task.status: minimum required = 1, but only found 0 (from http://hl7.org/fhir/StructureDefinition/Task|4.0.1)"),
    ("Reference_REF_BadTargetType2", "The type 'Patient' is not a valid Target for this element"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "id", "message"), COVERED)
def test_what_a_row_covers(table: Table, id: str, message: str) -> None:
    assert excuse_for(Fault(id, "Patient.x", message), table) is not None


@pytest.mark.parametrize(("id", "message"), COUNTED)
def test_what_no_row_covers(id: str, message: str) -> None:
    fault = Fault(id, "Patient.x", message)
    assert excuse_for(fault, "external") is None
    assert excuse_for(fault, "accepted") is None
    assert verdict_of("x", [fault]).errors == (fault,)


@pytest.mark.parametrize("table", ["external", "accepted"])
def test_every_row_has_a_reason_and_no_row_is_there_twice(table: Table) -> None:
    rows = excuses(table)
    assert all(row.key and row.id and len(row.reason) > 15 for row in rows)
    said = [(row.id, row.message.pattern, row.location.pattern) for row in rows]
    assert len(set(said)) == len(said)


def test_no_row_covers_everything() -> None:
    for table in ("external", "accepted"):
        for row in excuses(table):
            assert row.id != "*" or row.message.pattern


def test_what_cannot_be_known_is_kept_apart() -> None:
    unknown = Fault(TX, "Patient.language", COVERED[0][2])
    wrong = Fault(*COUNTED[0][:1], "Patient.gender", COUNTED[0][1])
    found = verdict_of("both", [unknown, wrong])
    assert (found.errors, found.external) == ((wrong,), (unknown,))
