"""What a person's consents open to one organisation at one moment, asked once and kept by its full key.

What lives here: ``Openings``, which asks the consent decision per information category and compares it with the
rows SQL joins. What does not: the decision itself (handed in by ``exchange.gate``), views (``access.views``).

A difference between the two ways is an alarm, and nothing opens. Where the consents were read after the rows, and
changed in between, it is no difference: nothing opens either, and the caller, who sees the epoch moved, asks anew.
Nothing is kept by time: the key carries the person's epoch, and an answer ends with the next moment at which any
row begins or ends.

Source: ``engine.md`` 2, ``consent.md`` D-21 and D-22.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from types import MappingProxyType
from typing import Protocol

from referral_hub.access.categories import CATEGORIES, NOTICE
from referral_hub.access.facts import RESTRICTED, Decision, Request, ResourceFacts
from referral_hub.access.principal import Binding, OrganizationFacts
from referral_hub.access.provisions import CompiledConsent, compile_consent
from referral_hub.access.rows import Grant, Refusal, RefusalException
from referral_hub.exchange.ports import ConsentRow, Standing
from referral_hub.fhir import json_codec

Decide = Callable[[Sequence[CompiledConsent], Request, int], Decision]
Opened = Callable[[Sequence[Grant], Sequence[Refusal], Sequence[RefusalException], Request, int], Decision]
_NEVER_US = 2**62
_READERS = 256
"""For how many organisations, purposes and roles answers are kept."""


class ConsentLook(Protocol):
    """Where the second line of defence reads the consents themselves."""

    def consents(self, person: int) -> list[ConsentRow]:
        """Gives every Consent about the person, of every status."""

    def standing(self, person: int, organization: str, refusal_targets: Sequence[str]) -> Standing:
        """Gives how an organisation stands to a person, with her epoch as these consents were read."""


@dataclass(frozen=True, slots=True)
class Reader:
    """An organisation asking, for one purpose: what a decision needs of a caller or of a delivery's receiver.

    ``very_restricted``: what is very restricted may come, where a permit names it. ``binding``: what it is bound to,
    which narrows what the consents say. ``herself``: the person asks about her own record.
    """

    organization: OrganizationFacts
    refusal_targets: tuple[str, ...]
    purpose: str
    role: str = ""
    very_restricted: bool = True
    binding: Binding | None = None
    herself: bool = False

    @property
    def key(self) -> "ReaderKey":
        """Gives what answers are kept by."""
        return self.organization, self.purpose, self.role, self.very_restricted, self.binding

    def counts(self, grant: Grant) -> bool:
        """Tells whether a grant counts for this reader: not bound, or bound to its consent."""
        return self.binding is None or any(grant.consent_id == one for one, _ in self.binding.consents)


ReaderKey = tuple[OrganizationFacts, str, str, bool, Binding | None]


@dataclass(frozen=True, slots=True)
class Openness:
    """What is open: each category (``notice`` included), with whether its very restricted elements are too.

    ``until_us`` is the next moment at which the answer may differ.
    """

    opened: Mapping[str, bool]
    consents: tuple[tuple[str, str], ...]
    until_us: int


CLOSED = Openness(MappingProxyType({}), (), _NEVER_US)


class Openings:
    """Answers what is open, cold by a full decision, warm by its full key.

    Args:
        decide: the consent decision (``access.decision``).
        opened: the pure model of the SQL rows (``access.grants``).
        alarm: told, without personal data, when the two differ.
        size: how many answers are kept for each reader.
    """

    def __init__(
        self, decide: Decide, opened: Opened, alarm: Callable[[str], None], size: int = 4096
    ) -> None:
        self._decide = decide
        self._opened = opened
        self._alarm = alarm
        self._size = size
        self._lock = Lock()
        self._compiled: OrderedDict[tuple[int, int], tuple[CompiledConsent, ...]] = OrderedDict()
        self._answers: OrderedDict[ReaderKey, dict[tuple[int, int], Openness]] = OrderedDict()
        self._bound_answers: OrderedDict[ReaderKey, dict[tuple[int, int], Openness]] = OrderedDict()
        self._last: tuple[Reader, dict[tuple[int, int], Openness]] | None = None

    def of(
        self, reader: Reader, standing: Standing, look: ConsentLook, at_us: int, *, fresh: bool = False
    ) -> Openness:
        """Gives what is open to this reader now.

        ``fresh`` skips what is kept: inside a write whose own consents are not stored yet.
        """
        if not reader.purpose or not standing.grants:
            return CLOSED
        if fresh:
            return self._ask(reader, standing, look, at_us, fresh=True)
        answers = self._answers_to(reader)
        key = (standing.person, standing.epoch)
        kept = answers.get(key)
        if kept is not None and at_us < kept.until_us:
            return kept
        answer = self._ask(reader, standing, look, at_us, fresh=False)
        if len(answers) >= self._size:
            answers.clear()
        answers[key] = answer
        return answer

    def _answers_to(self, reader: Reader) -> dict[tuple[int, int], Openness]:
        """Gives the answers to one reader. A page asks for the same one again and again, so that one is at hand."""
        last = self._last
        if last is not None and (last[0] is reader or _asks_the_same(last[0], reader)):
            return last[1]
        key = reader.key
        kept = self._answers if reader.binding is None else self._bound_answers  # bound tokens come and go
        with self._lock:
            answers = kept.setdefault(key, {})
            while len(kept) > _READERS:
                kept.popitem(last=False)
        self._last = (reader, answers)
        return answers

    def one(
        self,
        reader: Reader,
        standing: Standing,
        facts: ResourceFacts,
        look: ConsentLook,
        at_us: int,
        *,
        fresh: bool = False,
    ) -> Decision:
        """Gives the decision for one resource; a difference between the two ways denies."""
        consents = self.compiled(standing, look, fresh=fresh)
        return self._decided(reader, facts, standing, consents, look, at_us)

    def compiled(
        self, standing: Standing, look: ConsentLook, *, fresh: bool = False
    ) -> tuple[CompiledConsent, ...]:
        """Gives the person's consents, compiled; kept by (person, epoch)."""
        key = (standing.person, standing.epoch)
        kept = None if fresh else self._compiled.get(key)
        if kept is not None:
            return kept
        found = tuple(compile_stored(look.consents(standing.person)))
        if not fresh:
            with self._lock:
                self._compiled[key] = found
                while len(self._compiled) > self._size:
                    self._compiled.popitem(last=False)
        return found

    def _ask(
        self, reader: Reader, standing: Standing, look: ConsentLook, at_us: int, *, fresh: bool
    ) -> Openness:
        consents = self.compiled(standing, look, fresh=fresh)
        named = {grant.category for grant in standing.grants if grant.purpose == reader.purpose}
        opened: dict[str, bool] = {}
        stood_on: dict[tuple[str, str], None] = {}
        for category in ("notice", *sorted(CATEGORIES)):
            if category not in named:
                continue
            facts = ResourceFacts("", "", category, "R", frozenset(), frozenset(), None, None, "")
            decision = self._decided(reader, facts, standing, consents, look, at_us)
            if decision.outcome == "permit":
                opened[category] = decision.very_restricted
                stood_on.update(dict.fromkeys(decision.consents))
        return Openness(MappingProxyType(opened), tuple(stood_on), _next_boundary(standing, at_us))

    def _decided(
        self,
        reader: Reader,
        facts: ResourceFacts,
        standing: Standing,
        consents: Sequence[CompiledConsent],
        look: ConsentLook,
        at_us: int,
    ) -> Decision:
        """Gives the decision, with its very restricted elements open only where nothing stops those alone.

        A refusal may reach no further than V: then the rest stays open, and V is asked for by itself.
        """
        decision = self._both(reader, facts, standing, consents, look, at_us)
        if not reader.very_restricted:
            return _without_very_restricted(decision, facts)
        if not decision.very_restricted or facts.confidentiality == "V":
            return decision
        very = self._both(reader, replace(facts, confidentiality="V"), standing, consents, look, at_us)
        return replace(decision, very_restricted=very.outcome == "permit")

    def _both(
        self,
        reader: Reader,
        facts: ResourceFacts,
        standing: Standing,
        consents: Sequence[CompiledConsent],
        look: ConsentLook,
        at_us: int,
    ) -> Decision:
        request = _request(reader, facts)
        decided = self._decide(consents, request, at_us)
        by_rows = self._opened(standing.grants, standing.refusals, standing.exceptions, request, at_us)
        if (decided.outcome == "permit") != (by_rows.outcome == "permit"):
            read = look.standing(standing.person, reader.organization.id, reader.refusal_targets)
            # Of an import rows may say less where it permits (``access.grants``): that is known, and stays closed.
            known = decided.outcome == "permit" and any(one.active and not one.kind for one in consents)
            if read.epoch == standing.epoch and not known:
                self._alarm(f"decision {decided.reason} differs from rows {by_rows.reason}")
            return Decision("deny", "refused")
        if reader.binding is None or decided.outcome != "permit":
            return decided
        return self._bound(reader.binding, consents, request, at_us)

    def _bound(
        self, binding: Binding, consents: Sequence[CompiledConsent], request: Request, at_us: int
    ) -> Decision:
        """Gives what is left of a permit for a token that is bound: its consents alone, its categories alone.

        Nothing denied, and whatever permits here permitted before: so this only narrows.
        """
        category = request.resource.category
        if at_us >= binding.not_after_us or category not in (NOTICE, *binding.categories):
            return Decision("no-consent", "none")
        named = {consent for consent, _ in binding.consents}
        return self._decide([one for one in consents if one.id in named], request, at_us)


def _asks_the_same(one: Reader, other: Reader) -> bool:
    return (
        one.organization is other.organization
        and one.purpose == other.purpose
        and one.role == other.role
        and one.very_restricted is other.very_restricted
        and one.binding == other.binding
    )


def _without_very_restricted(decision: Decision, facts: ResourceFacts) -> Decision:
    if decision.outcome == "permit" and facts.rank > RESTRICTED:
        return Decision("no-consent", "none")
    return replace(decision, very_restricted=False)


def _request(reader: Reader, facts: ResourceFacts) -> Request:
    return Request(
        organization=reader.organization,
        refusal_targets=reader.refusal_targets,
        purpose=reader.purpose,
        action="access",
        role=reader.role,
        resource=facts,
    )


def compile_stored(rows: Iterable[ConsentRow]) -> Iterable[CompiledConsent]:
    """Gives stored Consents compiled; one that cannot be read denies."""
    for row in rows:
        body = json_codec.decode_own(row.body)
        yield compile_consent(row.id, row.version, body if isinstance(body, dict) else {}, authored=False)


def _next_boundary(standing: Standing, at_us: int) -> int:
    moments = [moment for grant in standing.grants for moment in (grant.valid_from_us, grant.valid_until_us)]
    for rows in (standing.refusals, standing.exceptions):
        for row in rows:
            moments.extend(m for m in (row.valid_from_us, row.valid_until_us) if m is not None)
    return min((moment for moment in moments if moment > at_us), default=_NEVER_US)
