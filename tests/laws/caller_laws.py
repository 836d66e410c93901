"""Laws of callers: the real gate and the SQL filter agree row by row, and nothing that restricts ever widens.

What lives here: one world in a database, every kind of caller through gate and SQL, and what is changed between two
looks. A broken law is an AssertionError that names it.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any, cast

from referral_hub.access.principal import Principal
from referral_hub.access.scopes import ScopeSet
from referral_hub.exchange.gate import Gate
from referral_hub.exchange.reaching import may_ask
from referral_hub.exchange.search_plan import SearchPlan
from referral_hub.exchange.writing import Writing
from referral_hub.store import schema
from tests.api.store.read_worlds import World
from tests.laws.caller_worlds import (
    ACCOUNT,
    SENDER,
    TYPES,
    CallerWorld,
    StoredConsent,
    draw_callers,
    draw_world,
    standard,
    stored_consent,
)
from tests.unit.access.worlds import ORGANIZATIONS, draw_refusal, narrowed

Bodies = dict[str, Any]
"""What a caller has, by ``Type/id``."""

_ADDED = "Consent/consent-49"


class Differs(Exception):
    """SQL and the decision differ: the gate raises its alarm."""


def check_caller_world(store: World, chance: Random) -> Counter[str]:
    """Draws one world, asks as every kind of caller, restricts it, and asks again; gives what was seen."""
    world = draw_world(chance)
    _fill(store, world)
    callers = draw_callers(chance, world)
    types = chance.sample(TYPES, 5)
    persons = {f"{row.type}/{row.id}": row.person for row in world.rows}
    before = [_seen(store, world, caller, types) for caller in callers]
    whole = _seen(store, world, standard(world), types)
    seen: Counter[str] = Counter()
    for caller, found in zip(callers, before, strict=True):
        seen[_kind(caller)] += 1
        seen[f"{_kind(caller)}, rows"] += len(found)
        if caller.context == "patient":
            hers = all(persons[name] in (None, caller.person) for name in found)
            _law("the person reads about nobody else", caller, hers)
        else:
            wider = _covered(found, whole)
            _law(f"nobody reads more than the organisation: {wider}", caller, not wider)
        if caller.person is not None:
            about = all(persons[name] in (None, caller.person) for name in found)
            _law("a token about one person reads about nobody else", caller, about)
    changed, law, callers_after = _restricted(chance, store, world, callers)
    for caller, found in chance.sample(list(zip(callers_after, before, strict=True)), 2):
        after = _seen(store, changed, caller, types)
        after.pop(_ADDED, None)  # the refusal itself is read by whoever keeps it, and by her
        wider = _covered(after, found)
        _law(f"{law}: {wider}", caller, not wider)
    seen["laws held"] += 2 * len(callers) + 2
    seen[law] += 1
    return seen


def _fill(store: World, world: CallerWorld) -> None:
    store.clear()
    store.organizations(*ORGANIZATIONS)
    store.resources(*world.rows)
    store.accesses(*world.accesses)
    store.consents(*(one.rows for one in world.consents))
    store.put(
        schema.case_assignment,
        [
            {
                "account": account,
                "person": person,
                "organization": world.organization.id,
                "state": state,
                "version": 0,
                "asked_by": account,
                "asked_us": 0,
                "confirmed_by": "",
                "changed_us": 0,
            }
            for account, person, state in sorted(world.assignments)
        ],
    )


def _seen(store: World, world: CallerWorld, caller: Principal, types: Sequence[str]) -> Bodies:
    """Gives what a caller has of some types: every row through the gate, every type through SQL, which must agree."""
    gate = Gate(cast(Writing, None), _alarm)
    found: Bodies = {}
    with store.store.snapshot() as snapshot:
        rows = snapshot.rows([row.row_id for row in world.rows if row.type in types])
        for row in rows.values():
            standing = None
            if row.person is not None and row.author != caller.organization_id:
                standing = snapshot.standing(row.person, caller.organization_id, caller.refusal_targets)
            outcome = gate.release(caller, row, standing, snapshot, world.at_us)
            if outcome is not None:
                found[f"{row.type}/{row.id}"] = json.loads(outcome.released.body)
    for type_name in types:
        page = store.store.search(_plan(type_name, world, caller))
        by_sql = {f"{row.type}/{row.id}" for row in page.rows}
        by_gate = {name for name in found if name.startswith(f"{type_name}/")}
        if type_name == "Consent":
            by_gate |= {name for name in by_sql - by_gate if _names_instances(world, name)}
        _law(f"gate and SQL agree on {type_name}: {sorted(by_sql ^ by_gate)}", caller, by_sql == by_gate)
    if not may_ask(caller, "Task", "search"):
        found.clear()  # the gate never comes to a row
    return found


def _names_instances(world: CallerWorld, name: str) -> bool:
    """Tells whether a Consent names single instances: what cannot be told is left out of the copy, or all of it."""
    body = next(one.write.body for one in world.consents if f"Consent/{one.write.id}" == name)
    return b'"meaning"' in body


def _plan(type_name: str, world: CallerWorld, caller: Principal) -> SearchPlan:
    return SearchPlan(
        type_name,
        caller.organization_id,
        caller.purpose,
        caller.refusal_targets,
        world.at_us,
        (),
        100,
        reach=caller.reach,
        account=caller.account,
        binding=caller.binding,
        very_restricted=caller.opens_very_restricted,
    )


# --- what restricts ------------------------------------------------------------------------------------------


def _restricted(
    chance: Random, store: World, world: CallerWorld, callers: list[Principal]
) -> tuple[CallerWorld, str, list[Principal]]:
    """Restricts the world, or its callers, in one way; gives what it is now, and the law that must hold."""
    way = chance.choice(("refusal", "permit", "label", "assignment", "account", "scope", "withdrawal"))
    if way == "refusal":
        more = stored_consent(draw_refusal(chance, "consent-49"), 49, 1, SENDER, "v-49")
        store.resources(more.write)
        store.consents(more.rows)
        changed = replace(world, rows=(*world.rows, more.write), consents=(*world.consents, more))
        return changed, "adding a refusal never widens", callers
    if way in ("permit", "withdrawal"):
        return _less_permitted(chance, store, world, way), f"{way}: narrowing never widens", callers
    if way == "label":
        row = chance.choice(world.rows)
        resource = schema.resource
        store.run(
            resource.update()
            .where(resource.c.row_id == row.row_id)
            .values(confidentiality="V", version="v-raised")
        )
        return world, "raising a label never widens", callers
    held = schema.case_assignment
    if way == "assignment":
        store.run(held.update().where(held.c.person == chance.choice((1, 2))).values(state="ended"))
        return world, "ending an assignment never widens", callers
    if way == "account":
        store.run(held.delete().where(held.c.account == ACCOUNT))
        gone = [replace(one, role="") if one.context == "user" else one for one in callers]
        return world, "removing an account never widens", gone
    fewer = [replace(one, scopes=ScopeSet(one.scopes.scopes[:-1])) for one in callers]
    for caller, after in zip(callers, fewer, strict=True):
        for name in TYPES:
            _law(
                "dropping a scope never widens",
                caller,
                may_ask(caller, name, "read") or not may_ask(after, name, "read"),
            )
    return world, "dropping a scope never widens", fewer


def _less_permitted(chance: Random, store: World, world: CallerWorld, way: str) -> CallerWorld:
    place = chance.randrange(len(world.consents))
    chosen = world.consents[place]
    if chosen.drawn.consent.kind == "refusal":
        return world
    body = (
        {**chosen.drawn.body, "status": "inactive"} if way == "withdrawal" else narrowed(chance, chosen.drawn)
    )
    number = chosen.write.row_id
    person = chosen.write.person or 1
    less = stored_consent(replace(chosen.drawn, body=body), number, person, SENDER, f"v-{number}-b")
    consent = schema.resource
    store.run(
        consent.update()
        .where(consent.c.row_id == number)
        .values(body=less.write.body, version=less.write.version, status=less.write.status)
    )
    store.consents(less.rows)
    rows = tuple(less.write if row.row_id == number else row for row in world.rows)
    consents: tuple[StoredConsent, ...] = (*world.consents[:place], less, *world.consents[place + 1 :])
    return replace(world, rows=rows, consents=consents)


# --- comparing -----------------------------------------------------------------------------------------------


def _covered(found: Bodies, whole: Bodies) -> list[str]:
    """Gives what of the first is not in the second, element by element; a Consent as a whole."""
    return [
        name
        for name, body in found.items()
        if name not in whole or not (name.startswith("Consent/") or _inside(body, whole[name]))
    ]


def _inside(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        absent = one.get("extension")
        if absent and all(str(more.get("url", "")).endswith("data-absent-reason") for more in absent):
            return True  # it says that something is not told
        if str(one.get("system", "")).endswith("/information-category"):
            return True  # the need told as its category alone
        return isinstance(other, dict) and all(
            name == "meta" or (name in other and _inside(value, other[name])) for name, value in one.items()
        )
    if isinstance(one, list):
        return isinstance(other, list) and all(any(_inside(item, more) for more in other) for item in one)
    return bool(one == other)


def _kind(caller: Principal) -> str:
    if caller.binding is not None:
        return f"bound {caller.context}"
    if caller.context == "user":
        return f"user {caller.role or '(none)'}"
    return (
        caller.context
        if caller.person is None or caller.context == "patient"
        else f"{caller.context} about one"
    )


def _alarm(text: str) -> None:
    raise Differs(text)


def _law(name: str, caller: Principal, holds: bool) -> None:
    if not holds:
        raise AssertionError(f"law broken: {name}\n{_kind(caller)} {caller}")
