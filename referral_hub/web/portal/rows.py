"""Referrals as rows of a list: the records of one page of a search, put together for people to read.

What lives here: joining a Task with its person, its request and who was asked, as far as this seat sees them. What
does not: who has the ball and what is late (``casework.tracking``), the search (``casework.filters``), layout.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from referral_hub.casework.person_file import called, is_nameless, mark_of
from referral_hub.casework.tracking import (
    Standing,
    is_elsewhere,
    owner_of,
    permits_of,
    promised,
    since,
    standing_of,
)
from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.elements import code_in, reference_text
from referral_hub.web.portal.asking import Asking, Found, Resource

CATEGORY = code_system("information-category")
ALONG = (("_include", "Task:patient"), ("_include", "Task:focus"), ("_include", "Task:owner"))
"""What comes along with a Task on a list."""
_PERMISSIONS = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One referral on a list.

    Args:
        id: of the Task.
        person: id of the Patient, or empty.
        who: what this seat may call her; empty where she has no name here.
        mark: what tells two persons of one name apart.
        nameless: a referral without a name.
        need: the information category of what is asked, or empty.
        priority: routine, urgent, asap, stat, or empty.
        to: id of who was asked; to_name and phone: from the directory.
        standing: how it stands.
        since: an instant; promised: by when something is to come.
        stopped: no permission lets the recipient read anything any more.
    """

    id: str
    person: str
    who: str
    mark: str
    nameless: bool
    need: str
    priority: str
    to: str
    to_name: str
    phone: str
    standing: Standing
    since: str
    promised: str
    stopped: bool = False


def rows_of(found: Found, at_us: int) -> list[Row]:
    """Gives the rows of one page of a search that was asked with ``ALONG``."""
    return [row_of(task, found, at_us) for task in found.matches]


def row_of(task: Resource, found: Found, at_us: int) -> Row:
    """Gives one row."""
    person = found.led_to(task, "for")
    request = found.led_to(task, "focus")
    owner = found.led_to(task, "owner")
    patient = reference_text(task.get("for")).partition("/")[2]
    return Row(
        id=str(task["id"]),
        person=patient,
        who=called(person),
        mark=mark_of(patient),
        nameless=person is not None and is_nameless(person),
        need=need_of(request),
        priority=str(task.get("priority", "")),
        to=owner_of(task),
        to_name=name_of(owner),
        phone=phone_of(owner),
        standing=standing_of(task, at_us, elsewhere=is_elsewhere(task, request)),
        since=since(task),
        promised=promised(task),
    )


def with_stops(rows: Sequence[Row], asking: Asking, at_us: int) -> list[Row]:
    """Marks the rows whose recipient reads nothing any more, since her permission was taken back; one search.

    Source: ``views.md`` 8 (a withdrawal moves no Task: the tracker has to say it).
    """
    asked = [row for row in rows if _could_stop(row, asking.organization)]
    persons = list(dict.fromkeys(f"Patient/{row.person}" for row in asked))
    if not persons:
        return list(rows)
    pairs = [("patient", ",".join(persons)), ("status", "active"), ("_count", str(_PERMISSIONS))]
    found = asking.find("Consent", pairs, own=True)
    if found.next:  # more than one look shows: said on the page of the referral
        return list(rows)
    open_to = {(one.patient, one.recipient) for one in permits_of(found.matches, at_us)}
    return [
        stopped(row) if row in asked and (f"Patient/{row.person}", row.to) not in open_to else row
        for row in rows
    ]


def stopped(row: Row) -> Row:
    """Gives a row whose recipient reads nothing any more: the ball is the sender's."""
    return replace(row, stopped=True, standing=replace(row.standing, ball="sender"))


def _could_stop(row: Row, organization: str) -> bool:
    standing = row.standing
    waits = standing.step in ("awaiting-consent", "sharing-ended")
    return standing.live and bool(row.person) and not row.nameless and not waits and row.to != organization


def need_of(request: Resource | None) -> str:
    """Gives the information category of what is asked, or an empty text."""
    return code_in((request or {}).get("category"), CATEGORY)


def name_of(organization: Resource | None) -> str:
    """Gives the name of an organisation in the directory, or an empty text."""
    return str((organization or {}).get("name", ""))


def phone_of(organization: Resource | None) -> str:
    """Gives the number to ring from the directory, or an empty text."""
    return _telecom((organization or {}).get("telecom") or (), "phone")


def _telecom(points: Iterable[Resource], system: str) -> str:
    for point in points:
        if point.get("system") == system and point.get("value"):
            return str(point["value"])
    return ""
