"""Which view of a resource a caller gets.

What lives here: :class:`View`, which carries everything a copy depends on, and the functions that choose one.
What does not: the table of states (``access.levels``), making the copy (``access.redaction``), whether a
release is live (``access.grants``, ``access.decision``), and whose element is whose on a Task
(``access.task_parts``).

A View is the same for the same facts and holds no more than its copy needs, so it can be kept as a key.

Source: ``views.md`` 1, 2, 4 and 9; ``engine.md`` 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

from referral_hub.access.categories import NOTICE, VERY_RESTRICTED
from referral_hub.access.levels import Cells, Level, cells_of
from referral_hub.access.rows import ReferralAccess

Kind = Literal["stored", "requester", "N", "F", "K", "H", "nameless", "cut", "granted", "directory", "recall"]

IDENTITY = "identity"
CONTACT = "contact"
OUTCOME = "outcome"

VERY_RESTRICTED_CATEGORIES = frozenset({"immigration", "proceedings", VERY_RESTRICTED})
"""Categories whose content is V as a whole (``views.md`` 4): without V one sees that a record is there."""


@dataclass(frozen=True, slots=True)
class View:
    """Everything a copy of one resource for one reader depends on; the obligations of ``engine.md`` 2.

    Every default hides. Make Views with the functions below: they leave out what does not matter for the
    kind.

    Args:
        kind: ``stored`` (the author's own bytes), ``requester`` (the author of a Task, where the recipient
            wrote into it), ``N`` notice, ``F`` full, ``K`` empty card, ``H`` history card, ``nameless`` (a
            no-name referral), ``cut`` (the release, for its recipient), ``granted`` (other records of the
            person), ``directory``, ``recall`` (a recall Task, for its owner).
        reader: organisation id of the caller.
        category: the information category that decides: the service's for Task and ServiceRequest, the
            resource's own otherwise.
        categories: those of the deciding categories that a live release opens to the reader.
        very_restricted: the permit that opens the deciding category names V (for a Patient: the one that
            opens contact).
        named: a permit names this very instance; its V elements and free text are open.
        from_shelter: the text was written by a shelter, or that is not known; its free text is V.
        visible: ``Type/id`` of what the reader may see, as far as this resource points at it.
        selves: what means the reader itself, beside its Organization: its HealthcareServices and roles.
        person: ``Patient/id`` of the person it is about.
        request: ``ServiceRequest/id`` of the copy of a request that lies on a source's own server.
        requester: ``Organization/id`` shown as the one who asks.
        own: elements of the Task whose present value the reader wrote itself.
        shelter: the directory entry is a shelter's; neutral_name: the name it has there.

    Source: ``views.md`` 1, 2, 4 and 9.

    >>> View("N", "clinic-1", category="health").digest() == View("N", "clinic-1", category="health").digest()
    True
    """

    kind: Kind
    reader: str
    category: str = ""
    categories: frozenset[str] = frozenset()
    very_restricted: bool = False
    named: bool = False
    from_shelter: bool = True
    visible: frozenset[str] = frozenset()
    selves: frozenset[str] = frozenset()
    person: str = ""
    request: str = ""
    requester: str = ""
    own: frozenset[str] = frozenset()
    shelter: bool = False
    neutral_name: str = ""

    def digest(self, key: bytes = b"") -> str:
        """Gives 16 hexadecimal digits that are the same for equal views, in every process and every day.

        Args:
            key: a secret of the hub, at most 64 bytes. Callers see the digest in an ETag, and without a key
                they could try out which view they were given, for instance whether a shelter wrote a text.
        """
        return _digest(self, key)


@lru_cache(maxsize=4096)
def _digest(view: View, key: bytes) -> str:
    parts = []
    for name in _FIELDS:
        value = getattr(view, name)
        parts.append(sorted(value) if isinstance(value, frozenset) else value)
    return blake2b(repr(parts).encode(), digest_size=8, key=key).hexdigest()


_FIELDS = tuple(field.name for field in fields(View))


def requester_shown(*, accepted: bool, sender: str, network: str) -> str:
    """Gives who seems to ask: the network's own organisation until the recipient accepted, then the sender.

    Args:
        accepted: the recipient accepted at some time (``ReferralAccess.accepted``).
        sender: organisation id of the sender's unit.
        network: organisation id of the network's own Organization.

    Returns:
        a reference, or an empty text where the organisation is not known: then none is shown.

    Source: ``views.md`` 9, who seems to ask.

    >>> requester_shown(accepted=False, sender="shelter-1", network="network")
    'Organization/network'
    """
    shown = sender if accepted else network
    return f"Organization/{shown}" if shown else ""


def referral_view(
    type_name: str,
    access: ReferralAccess | None,
    *,
    reader: str,
    opened: Mapping[str, bool],
    at_us: int,
    category: str,
    requester: str,
    person: str = "",
    visible: frozenset[str] = frozenset(),
    selves: frozenset[str] = frozenset(),
    own: frozenset[str] = frozenset(),
    from_shelter: bool = True,
) -> View | None:
    """Gives the recipient's view of the Task, ServiceRequest, Patient or release of its referral.

    Args:
        type_name: ``Task``, ``ServiceRequest``, ``Patient`` or ``Consent``.
        access: the recipient's referral_access row.
        reader: the recipient's organisation id.
        opened: each category a live release opens to it for its purpose and no refusal stops (``notice``
            included), with whether V is named for it. Empty for a no-name referral.
        at_us: the moment, microseconds since 1970 UTC.
        category: the category of the service that is asked for.
        requester: as :func:`requester_shown` gives it.
        person, visible, selves, own, from_shelter: see :class:`View`.

    Returns:
        the view, or None: absent for this reader.

    Source: ``views.md`` 1 and 9.

    >>> notice = ReferralAccess(1, "clinic-1", 7, 8, "notice")
    >>> referral_view("Task", notice, reader="clinic-1", opened={"notice": False}, at_us=0, category="health",
    ...               requester="Organization/network").kind
    'N'
    >>> referral_view("Patient", notice, reader="clinic-1", opened={}, at_us=0, category="", requester="")
    """
    cells = cells_of(access, notice_open=NOTICE in opened, at_us=at_us)
    if type_name == "Consent":
        return _cut(cells, reader, visible, person)
    levels: Mapping[str, Level] = {
        "Task": cells.task,
        "ServiceRequest": cells.service_request,
        "Patient": cells.patient,
    }
    level = levels.get(type_name, "absent")
    if level == "absent" or access is None:
        return None
    kind: Kind = "nameless" if access.nameless and level == "F" else level
    if type_name == "Patient":
        return _patient_view(kind, reader, opened)
    view = View(kind, reader, category, selves=selves, requester=requester)
    if type_name == "Task":
        view = View(kind, reader, category, selves=selves, requester=requester, own=own)
    if kind not in ("F", "nameless"):
        return view
    very = opened.get(category, False)
    return View(
        kind,
        reader,
        category,
        categories=frozenset({category} & opened.keys()),
        very_restricted=very,
        from_shelter=from_shelter and not very,
        visible=visible,
        selves=selves,
        person=person,
        requester=requester,
        own=view.own,
    )


def _patient_view(kind: Kind, reader: str, opened: Mapping[str, bool]) -> View:
    if kind != "F":
        return View(kind, reader)
    categories = frozenset({IDENTITY, CONTACT} & opened.keys())
    return View(kind, reader, IDENTITY, categories, very_restricted=opened.get(CONTACT, False))


def _cut(cells: Cells, reader: str, visible: frozenset[str], person: str) -> View | None:
    return View("cut", reader, visible=visible, person=person) if cells.consent else None


def other_view(
    cells: Cells,
    *,
    reader: str,
    category: str,
    opened: Mapping[str, bool],
    named: bool = False,
    person: str = "",
    visible: frozenset[str] = frozenset(),
    selves: frozenset[str] = frozenset(),
    from_shelter: bool = True,
) -> View | None:
    """Gives the view of another record of the person, such as a Condition: where the state and she open it.

    Args:
        cells: what the referral opens (:func:`cells_of`); for the sender under a return release: of its own
        row.
        category: the record's own category.
        opened: as in :func:`referral_view`.
        named: a live permit names this very instance.
        reader, person, visible, selves, from_shelter: see :class:`View`.

    Returns:
        the view, or None: absent for this reader.

    Source: ``views.md`` 1 (other data of the person) and 9 (permits that name instances).
    """
    if not cells.other or not (named or category in opened):
        return None
    return granted_view(
        reader=reader,
        category=category,
        very_restricted=opened.get(category, False),
        named=named,
        person=person,
        visible=visible,
        selves=selves,
        from_shelter=from_shelter,
    )


def granted_view(
    *,
    reader: str,
    category: str,
    very_restricted: bool = False,
    named: bool = False,
    person: str = "",
    visible: frozenset[str] = frozenset(),
    selves: frozenset[str] = frozenset(),
    from_shelter: bool = True,
) -> View:
    """Gives the view of a record that a live release opens; the caller has decided that it does.

    Source: ``views.md`` 4.
    """
    return View(
        "granted",
        reader,
        category,
        frozenset({category}),
        very_restricted=very_restricted,
        named=named,
        from_shelter=from_shelter and not (very_restricted or named),
        visible=visible,
        selves=selves,
        person=person,
    )


def requester_view(
    *,
    reader: str,
    category: str,
    opened: Mapping[str, bool],
    own: frozenset[str] = frozenset(),
    visible: frozenset[str] = frozenset(),
    from_shelter: bool = True,
) -> View:
    """Gives the sender's view of its own Task, where the recipient wrote into it.

    Args:
        reader: the sender's organisation id.
        category: the category of the service.
        opened: what a live return release opens to the sender, with whether V is named.
        own: elements whose present value the sender wrote itself.
        visible: ``Type/id`` of the outputs the sender may see.
        from_shelter: the recipient is a shelter, or that is not known.

    Source: ``views.md`` 2 and 9 (the return release).
    """
    very = opened.get(category, False)
    return View(
        "requester",
        reader,
        category,
        frozenset({OUTCOME, category} & opened.keys()),
        very_restricted=very,
        from_shelter=from_shelter and not very,
        visible=visible,
        own=own,
    )


def directory_view(*, reader: str, shelter: bool, neutral_name: str = "") -> View:
    """Gives everybody's view of a directory entry: a shelter has its neutral name there and no place.

    Source: ``views.md`` 9 (category by type).
    """
    return View("directory", reader, shelter=shelter, neutral_name=neutral_name if shelter else "")


def stored_view(reader: str) -> View:
    """Gives the author's own view: the bytes as stored."""
    return View("stored", reader)


def recall_view(reader: str) -> View:
    """Gives the owner's view of a recall Task: all of it.

    Source: ``views.md`` 9 (recall Task).
    """
    return View("recall", reader)
