"""A caseworker's own list and the records of her people: what a row becomes, and what a record is as a row.

What lives here: pure functions between rows and Patients, and what an import would do. What does not: the file
(``casework.caseload_csv``), searching and writing (``exchange``), pages (``web.portal.own_list``).

A mark belongs to one account: "row 7" of two caseworkers are two people. It is an identifier of the organisation's own,
and such never leave it (``access.redact_patient``). Who has none is known by the hub's own number, ``hub:`` before it.

Source: ``practice.md`` 12, 13 and 17; FHIR R4 Patient.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from referral_hub.casework.caseload_csv import LONGEST_NAME, Numbered, RefusedRow, Row, read_list, write_list
from referral_hub.fhir.canonical import INTERPRETER_REQUIRED, structure
from referral_hub.fhir.elements import extension

AGE_GROUP = structure("age-group")
LANGUAGES = "urn:ietf:bcp:47"
HUB = "hub:"
"""What the mark of a person begins with to whom this account gave none."""

_MARK = "urn:x-referral-hub:own-mark:"
_AGES = ("adult", "child")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one row: a new file, nothing (it is here already), or nothing because it differs."""

    line: int
    row: Row
    becomes: Literal["new", "same", "differs"]
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do, row by row, in the order of the file."""

    planned: tuple[Planned, ...]
    refused: tuple[RefusedRow, ...]

    @property
    def new(self) -> tuple[Row, ...]:
        """Gives the rows that become files."""
        return tuple(one.row for one in self.planned if one.becomes == "new")


def mark_system(account: str) -> str:
    """Gives the identifier system of the marks that one account gives."""
    return f"{_MARK}{account}"


def hub_id(mark: str) -> str:
    """Gives the id of a record out of a mark of the hub; empty for any other.

    >>> hub_id("hub:5f"), hub_id("7"), hub_id("hub:a b")
    ('5f', '', '')
    """
    found = mark.removeprefix(HUB)
    return found if found != mark and _ID.fullmatch(found) else ""


def row_of(patient: Mapping[str, Any], account: str) -> Row:
    """Gives a record as a row of one account's list.

    Args:
        patient: the decoded Patient as its own organisation reads it.
        account: whose list it is.
    """
    group = extension(dict(patient), AGE_GROUP)
    age = group.get("valueCode") if group is not None else ""
    needed = extension(dict(patient), INTERPRETER_REQUIRED)
    interpreter = needed.get("valueBoolean") if needed is not None else None
    made = Row(
        mark=_mark(patient, account),
        name=_name(patient),
        age=age if age in _AGES else "",
        language=_language(patient),
        interpreter=interpreter if isinstance(interpreter, bool) else None,
        born=str(patient.get("birthDate") or ""),
    )
    return _readable(made)


def patient_of(row: Row, account: str) -> dict[str, Any]:
    """Gives the Patient that a row becomes.

    >>> patient_of(Row("7", "Lark"), "a")["name"]
    [{'use': 'usual', 'text': 'Lark'}]
    """
    made: dict[str, Any] = {
        "resourceType": "Patient",
        "identifier": [{"system": mark_system(account), "value": row.mark}],
        "name": [{"use": "usual", "text": row.name}],
    }
    extensions: list[dict[str, Any]] = []
    if row.age:
        extensions.append({"url": AGE_GROUP, "valueCode": row.age})
    if row.interpreter is not None:
        extensions.append({"url": INTERPRETER_REQUIRED, "valueBoolean": row.interpreter})
    if extensions:
        made["extension"] = extensions
    if row.language:
        made["communication"] = [{"language": {"coding": [{"system": LANGUAGES, "code": row.language}]}}]
    if row.born:
        made["birthDate"] = row.born
    return made


def planned(rows: Iterable[Numbered], known: Mapping[str, Row]) -> Plan:
    """Gives what an import would do. A record that is here already is never changed by a file.

    Args:
        rows: the rows that could be read.
        known: by mark, the rows of the people this account sees now. Of others nothing is known here, so a mark of the
            hub of somebody else's is refused like one that never was.
    """
    plans: list[Planned] = []
    refused: list[RefusedRow] = []
    for one in rows:
        here = known.get(one.row.mark)
        if here is not None:
            differs = tuple(name for name in _COMPARED if getattr(here, name) != getattr(one.row, name))
            plans.append(Planned(one.line, one.row, "differs" if differs else "same", differs))
        elif one.row.mark.startswith(HUB):
            refused.append(RefusedRow(one.line, "mark", "my.csv.hub-mark"))
        else:
            plans.append(Planned(one.line, one.row, "new"))
    return Plan(tuple(plans), tuple(refused))


_COMPARED = ("name", "age", "language", "interpreter", "born")


def _mark(patient: Mapping[str, Any], account: str) -> str:
    system = mark_system(account)
    found = patient.get("identifier")
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict) and one.get("system") == system and isinstance(one.get("value"), str):
            return str(one["value"])
    return f"{HUB}{patient.get('id', '')}"


def _name(patient: Mapping[str, Any]) -> str:
    found = patient.get("name")
    for one in found if isinstance(found, list) else ():
        if not isinstance(one, dict):
            continue
        given = one.get("given")
        parts = [*(given if isinstance(given, list) else ()), one.get("family") or ""]
        text = str(one.get("text") or " ".join(str(part) for part in parts))
        if text.strip():
            return " ".join(text.split())[:LONGEST_NAME].strip()
    return ""


def _language(patient: Mapping[str, Any]) -> str:
    found = patient.get("communication")
    for one in found if isinstance(found, list) else ():
        coding = one.get("language", {}).get("coding") if isinstance(one, dict) else None
        for code in coding if isinstance(coding, list) else ():
            if isinstance(code, dict) and isinstance(code.get("code"), str):
                return str(code["code"])
    return ""


def _readable(row: Row) -> Row:
    """Gives a row as a file would bring it back: what cannot stand in a column is left out of it."""
    nameless = Row(row.mark, row.name or "-", row.age, row.language, row.interpreter, row.born)
    for left_out in ((), ("language",), ("born",), ("language", "born"), ("language", "born", "name")):
        tried = Row(
            nameless.mark,
            "-" if "name" in left_out else nameless.name,
            nameless.age,
            "" if "language" in left_out else nameless.language,
            nameless.interpreter,
            "" if "born" in left_out else nameless.born,
        )
        found = read_list(write_list([tried])).rows
        if found:
            return found[0].row
    return Row(row.mark, "-", row.age, "", row.interpreter, "")
