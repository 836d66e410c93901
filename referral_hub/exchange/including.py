"""What a search sends along: what its matches point at, and what points at them.

What lives here: ``_include``, ``_revinclude`` and their ``:iterate``, to a bound. What does not: the matches
(``exchange.search``), whether each may leave (``exchange.gate``).

Targets are read from what the caller is shown, never from what is stored: a reference that its view lacks leads
nowhere. What points here is searched for as the caller would search for it. The hidden is left out silently.

Source: FHIR R4 search.html#include; ``views.md`` 5; ``consent.md`` S-09.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from referral_hub.access.principal import Principal
from referral_hub.exchange.criteria import criteria_of, declared
from referral_hub.exchange.gate import Outcome
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.indexing import extractor
from referral_hub.exchange.looking import LazyLook
from referral_hub.exchange.ports import ResourceRow, Standing
from referral_hub.exchange.reaching import may_ask
from referral_hub.exchange.search_plan import NEWEST_FIRST, SearchPlan
from referral_hub.fhir import json_codec, search_query
from referral_hub.fhir.index_values import ReferenceValue
from referral_hub.fhir.references import normalise
from referral_hub.fhir.search_query import Include, Query, ReferenceTerm

MOST_INCLUDED = 500
"""The most resources that are sent along with one page."""
MOST_ROUNDS = 3
"""How often what is sent along may itself bring more (``:iterate``)."""

Match = tuple[ResourceRow, Outcome]


@dataclass(slots=True)
class Along:
    """What is sent along with a page, while it is being found.

    ``full``: there was more than :data:`MOST_INCLUDED`. ``standings`` are those of everybody it is about.
    """

    hub: Hub
    caller: Principal
    plan: SearchPlan
    look: LazyLook
    standings: dict[int, Standing]
    found: list[Match] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    full: bool = False
    moved: bool = False

    def take(self, query: Query, matches: Sequence[Match]) -> None:
        """Finds everything a query asks to send along with these matches."""
        if not query.includes and not query.revincludes:
            return
        self.known.update(_name(row) for row, _ in matches)
        fresh: Sequence[Match] = matches
        for round_ in range(1 + MOST_ROUNDS):
            before = len(self.found)
            # Only what may be iterated is asked of what was itself sent along.
            for include in query.includes:
                if include.iterate or not round_:
                    self._pointed_at(include, fresh)
            for include in query.revincludes:
                if include.iterate or not round_:
                    self._pointing_here(include, fresh)
            fresh = self.found[before:]
            if not fresh or self.full:
                return
        self.full = self.full or any(one.iterate for one in (*query.includes, *query.revincludes))

    def _pointed_at(self, include: Include, matches: Sequence[Match]) -> None:
        wanted: dict[str, None] = {}
        for row, outcome in matches:
            for text in self._targets(include, row, outcome):
                target = text.partition("/")[0]
                if text not in self.known and include.target in ("", target) and self._may(target, "r"):
                    wanted[text] = None
        if not wanted:
            return
        rows = self.look.resources(wanted)
        self._release([rows[text] for text in wanted if text in rows])

    def _targets(self, include: Include, row: ResourceRow, outcome: Outcome) -> list[str]:
        extract = extractor(row.type, include.parameter) if include.source == row.type else None
        if extract is None:
            return []
        body = json_codec.decode_own(outcome.released.body)
        values = (value for value in extract(body) if isinstance(value, ReferenceValue))
        return [
            normalise(value.url, self.hub.own_bases) if value.url else value.text
            for value in values
            if value.identifier is None
        ]

    def _pointing_here(self, include: Include, matches: Sequence[Match]) -> None:
        source, code = include.source, include.parameter
        parameter = declared(source).get(code)
        terms = tuple(
            ReferenceTerm(row.type, row.id)
            for row, _ in matches
            if include.target in ("", row.type)
            and (parameter is None or not parameter.targets or row.type in parameter.targets)
        )
        if parameter is None or not terms or not self._may(source, "s"):
            return
        asked = Query(criteria=(search_query.Criterion(parameter, "", terms),))
        page = self.hub.store.search(
            replace(
                self.plan,
                type=source,
                criteria=criteria_of(source, asked),
                count=MOST_INCLUDED,
                sort=NEWEST_FIRST,
                after=None,
                own_only=False,
            )
        )
        for person, standing in page.standings.items():
            before = self.standings.setdefault(person, standing)
            self.moved = self.moved or before.epoch != standing.epoch
        self.full = self.full or page.more
        self._release([row for row in page.rows if _name(row) not in self.known])

    def _release(self, rows: Iterable[ResourceRow]) -> None:
        for row in rows:
            if len(self.found) >= MOST_INCLUDED:
                self.full = True
                return
            outcome = self.hub.gate.release(self.caller, row, self._standing(row), self.look, self.plan.at_us)
            if outcome is not None:
                self.known.add(_name(row))
                self.found.append((row, outcome))

    def _standing(self, row: ResourceRow) -> Standing | None:
        if row.person is None:
            return None
        if row.person not in self.standings:
            caller = self.caller
            self.standings[row.person] = self.look.standing(
                row.person, caller.organization_id, caller.refusal_targets
            )
        return self.standings[row.person]

    def _may(self, type_name: str, letter: str) -> bool:
        """Tells whether the token's scope opens a type: what it does not is not sent along."""
        return may_ask(self.caller, type_name, "search" if letter == "s" else "read")


def _name(row: ResourceRow) -> str:
    return f"{row.type}/{row.id}"
