"""The filters of the tracker: what an address says, and the search it stands for.

What lives here: reading them, writing them back into addresses, and the search parameters of each. What does not: who
may find what (``exchange.search``), what a state is (``casework.tracking``).

An address holds codes and ids only. What it says that means nothing is left out, never an error: people cut addresses
short.

Source: FHIR R4 search.html; ``practice.md``, words on pages.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from referral_hub.casework.tracking import BALL_BY_STEP, LIVE, STATES

PAGE = 25
"""Referrals on one page."""
SORTS: Mapping[str, str] = {"changed": "-_lastUpdated", "waiting": "_lastUpdated", "asked": "-authored-on"}
"""Orders: moved last first, waiting longest first, asked last first."""
BALLS = ("ours", "theirs", "nobody")
LATES = ("answer", "promise")
OURS_STEPS = ",".join(sorted(BALL_BY_STEP))
"""Finer steps in which the sender has the ball."""
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_LIVE = ",".join(LIVE)

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the referrals is looked at.

    Args:
        state: a name of ``STATES``, or empty for all.
        ball: ``ours``, ``theirs``, ``nobody``, or empty.
        late: ``answer``, ``promise``, or empty.
        to: id of the organisation that was asked, or empty.
        person: id of the Patient, or empty.
        sort: a name of ``SORTS``.
        page: the sealed link of a later page, or empty.
    """

    state: str = ""
    ball: str = ""
    late: str = ""
    to: str = ""
    person: str = ""
    sort: str = "changed"
    page: str = ""

    @property
    def any(self) -> bool:
        """Tells whether anything is filtered."""
        return bool(self.state or self.ball or self.late or self.to or self.person)

    def address(self, **changed: str) -> str:
        """Gives the address of the list with some of it changed; a change of anything but the page begins anew.

        >>> Filters(state="asked", page="x").address(sort="waiting")
        '/referrals?state=asked&sort=waiting'
        """
        wanted = replace(self, **{"page": "", **changed})
        said = {name: getattr(wanted, name) for name in ("state", "ball", "late", "to", "person")}
        if wanted.sort != "changed":
            said["sort"] = wanted.sort
        if wanted.page:
            said["page"] = wanted.page
        kept = {name: value for name, value in said.items() if value}
        return f"/referrals?{urlencode(kept)}" if kept else "/referrals"


def filters_of(given: Mapping[str, str]) -> Filters:
    """Gives the filters an address says.

    >>> filters_of({"state": "asked", "ball": "hers", "to": "a b"})
    Filters(state='asked', ball='', late='', to='', person='', sort='changed', page='')
    """

    def one_of(name: str, known: "Mapping[str, object] | tuple[str, ...]") -> str:
        said = given.get(name, "")
        return said if said in known else ""

    def an_id(name: str) -> str:
        said = given.get(name, "")
        return said if _ID.fullmatch(said) else ""

    return Filters(
        one_of("state", STATES),
        one_of("ball", BALLS),
        one_of("late", LATES),
        an_id("to"),
        an_id("person"),
        one_of("sort", SORTS) or "changed",
        given.get("page", "")[:4000],
    )


def searched(filters: Filters, now: str) -> Pairs | None:
    """Gives the search of Tasks that filters stand for; None where they exclude each other.

    ``ours`` finds what waits for the sender by its finer step. A no that nobody answered yet is found by
    :func:`unanswered_no`: its request still runs.

    Args:
        filters: what is looked at.
        now: an instant.

    >>> searched(Filters(state="asked"), "2026-11-24T10:00:00Z")[:2]
    [('intent', 'order'), ('status', 'requested')]
    """
    pairs: Pairs = [("intent", "order")]
    statuses = set(STATES[filters.state]) if filters.state else None

    def only(some: tuple[str, ...]) -> None:
        nonlocal statuses
        statuses = set(some) if statuses is None else statuses & set(some)

    if filters.ball == "ours":
        only(LIVE)
        pairs.append(("business-status", OURS_STEPS))
    elif filters.ball == "theirs":
        only(LIVE)
        pairs.append(("business-status:not", OURS_STEPS))
    elif filters.ball == "nobody":
        only(("completed", "cancelled"))
    if filters.late == "answer":
        only(("requested",))
        pairs.append(("business-status", "overdue"))
    elif filters.late == "promise":
        only(tuple(one for one in LIVE if one != "requested"))
        pairs.append(("period", f"eb{now}"))
    if statuses is not None and not statuses:
        return None
    if statuses is not None:
        pairs.append(("status", ",".join(sorted(statuses))))
    if filters.to:
        pairs.append(("owner", f"Organization/{filters.to}"))
    if filters.person:
        pairs.append(("patient", f"Patient/{filters.person}"))
    pairs += [("_sort", SORTS[filters.sort]), ("_count", str(PAGE))]
    return pairs


def unanswered_no(filters: Filters = Filters()) -> Pairs:
    """Gives the search of referrals that ended with a no or without success while their request still runs."""
    pairs: Pairs = [
        ("intent", "order"),
        ("status", "failed,rejected"),
        ("focus:ServiceRequest.status", "active,on-hold"),
    ]
    if filters.to:
        pairs.append(("owner", f"Organization/{filters.to}"))
    if filters.person:
        pairs.append(("patient", f"Patient/{filters.person}"))
    return pairs
