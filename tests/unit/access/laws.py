"""Laws that hold in every world: nothing that restricts can ever widen, and rows say what decisions say.

:func:`check_hub_world` is for Consents in the two shapes of the hub, :func:`check_mixed_world` for Consents
of every kind. Both raise AssertionError with the law's name, and count what they saw, so that a run in
which nothing was ever permitted does not pass for a good one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

from referral_hub.access.decision import decide
from referral_hub.access.facts import Decision, Request
from referral_hub.access.grants import compile_rows, opened
from referral_hub.access.provisions import CompiledConsent
from referral_hub.access.rows import Grant, Refusal, RefusalException
from tests.unit.access.worlds import (
    Body,
    World,
    as_stored,
    draw_refusal,
    draw_world,
    labelled_very_restricted,
    narrowed,
    relative_of,
    without_exceptions,
)

PERSON = 7


def compiled(bodies: Iterable[Body]) -> list[CompiledConsent]:
    """The Consents as they are read once stored."""
    return [as_stored(body, f"c{index}").consent for index, body in enumerate(bodies)]


def by_rows(consents: Sequence[CompiledConsent], request: Request, at_us: int) -> Decision:
    """What the rows say, as the store would keep them: of all Consents in one table each."""
    grants: list[Grant] = []
    refusals: list[Refusal] = []
    exceptions: list[RefusalException] = []
    for index, consent in enumerate(consents):
        more = compile_rows(consent, consent_row=index, person=PERSON)
        grants += more[0]
        refusals += more[1]
        exceptions += more[2]
    return opened(grants, refusals, exceptions, request, at_us)


def widens(before: Decision, after: Decision) -> bool:
    """Tells whether the second answer opens anything that the first does not."""
    if after.outcome != "permit":
        return False
    return before.outcome != "permit" or (after.very_restricted and not before.very_restricted)


def check_hub_world(chance: Random) -> Counter[str]:
    """Draws one world of hub Consents and holds it against every law."""
    world = draw_world(chance, authored=True)
    consents = [drawn.consent for drawn in world.drawn]
    told = decide(consents, world.request, world.at_us)
    rows = by_rows(consents, world.request, world.at_us)
    _law("rows say what the decision says", world, rows.outcome == told.outcome)
    _law("rows open V where the decision does", world, rows.very_restricted == told.very_restricted)
    if told.outcome == "permit":
        _law("rows name the same Consents", world, sorted(rows.consents) == sorted(told.consents))
    checked = _check_restrictions(chance, world, consents, told)
    _check_unit(world, consents, told)
    return Counter({f"hub {told.outcome}": 1, "laws held": checked + 4})


def check_mixed_world(chance: Random) -> Counter[str]:
    """Draws one world of Consents of every kind and holds it against the laws that bind them too."""
    world = draw_world(chance, authored=False)
    consents = [drawn.consent for drawn in world.drawn]
    told = decide(consents, world.request, world.at_us)
    rows = by_rows(consents, world.request, world.at_us)
    _law("rows open nothing that the decision does not", world, not widens(told, rows))
    _law("rows deny whatever the decision denies", world, told.outcome != "deny" or rows.outcome == "deny")
    checked = _check_restrictions(chance, world, consents, told)
    _check_unit(world, consents, told)
    return Counter({f"mixed {told.outcome}": 1, f"mixed rows {rows.outcome}": 1, "laws held": checked + 3})


def _check_restrictions(chance: Random, world: World, consents: list[CompiledConsent], told: Decision) -> int:
    """Holds the world against everything that restricts; gives how many laws that were."""
    held = 0

    def never_widens(law: str, changed: Sequence[CompiledConsent], request: Request = world.request) -> None:
        nonlocal held
        _law(law, world, not widens(told, decide(changed, request, world.at_us)))
        held += 1

    again = decide(consents[::-1], world.request, world.at_us)
    _law("order does not matter", world, (again.outcome, again.very_restricted) == _gist(told))
    never_widens("adding a refusal", [*consents, draw_refusal(chance, "new").consent])
    never_widens("raising a label to V", consents, labelled_very_restricted(world.request))
    never_widens("stating no purpose", consents, replace(world.request, purpose=""))
    never_widens("passing on", consents, replace(world.request, action="disclose"))
    if not consents:
        return held + 1
    index = chance.randrange(len(consents))
    drawn, chosen = world.drawn[index], consents[index]
    rest = [*consents[:index], *consents[index + 1 :]]

    def instead(body: Body) -> list[CompiledConsent]:
        return [*rest, as_stored(body, chosen.id).consent]

    if chosen.kind == "refusal":
        if not chosen.denies:  # one that is nested too deeply stops everything until it can be understood
            never_widens("dropping exceptions", instead(without_exceptions(drawn.body)))
        return held + 1
    if not chosen.denies and chosen.root is None:
        never_widens("withdrawing", rest)
    never_widens("narrowing a permit", instead(narrowed(chance, drawn)))
    modifier = {"modifierExtension": [{"url": "urn:x"}]}
    never_widens("a modifier extension", instead({**drawn.body, **modifier}))
    return held + 1


def _check_unit(world: World, consents: list[CompiledConsent], told: Decision) -> None:
    asking = world.request.organization
    if told.outcome == "permit":
        standing = [consent for consent in consents if (consent.id, consent.version) in told.consents]
        _law("only who is named is permitted", world, all(asking.id in c.organizations for c in standing))
        alone = [consent for consent in standing if consent.organizations == {asking.id}]
        relative = replace(world.request, organization=relative_of(asking))
        _law("no other unit", world, decide(alone, relative, world.at_us).outcome != "permit")


def _gist(decision: Decision) -> tuple[str, bool]:
    return decision.outcome, decision.very_restricted


def _law(name: str, world: World, holds: bool) -> None:
    if not holds:
        raise AssertionError(
            f"law broken: {name}\n{world.request}\nat {world.at_us}\n{[drawn.body for drawn in world.drawn]}"
        )
