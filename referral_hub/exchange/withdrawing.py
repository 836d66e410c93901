"""Stop sharing, in one act: for one recipient, one kind of information, or everything.

What lives here: who may say it, and what follows in the one Change. What does not: what a consent's end causes
(``exchange.consent_writing``), the recalls (``exchange.recalls``), HTTP (``web``).

Nothing of the stored consents is judged: an end goes through whatever else is wrong with them, with the policy, with
her signature or with the training of whoever picks up the telephone. The doors close in the Change itself; who is
asked back, and what her people are told, are rows beside it. Saying it twice is the same as once.

Source: ``consent.md`` 5.5 as corrected by ``views.md`` 8; ``practice.md`` 5 and 10; GDPR Art. 7(3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from referral_hub.access.categories import CATEGORIES
from referral_hub.access.principal import Principal
from referral_hub.access.provisions import compile_consent
from referral_hub.errors import Busy, GuardFailed, InsufficientScope, InvalidResource, NotFound
from referral_hub.exchange.audit import DONE, REFUSED
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import AuditEntry, TokenGuard
from referral_hub.exchange.consent_rules import kind_of
from referral_hub.exchange.consent_writing import Asking, end_sharing, write_rows
from referral_hub.exchange.desks import OPEN, lay_out, named
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.judging import Judge
from referral_hub.exchange.narrowing import names_category, without_category
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.recall_reach import permits_of, receivers_of
from referral_hub.exchange.state import Working
from referral_hub.exchange.withdrawal_words import Withdrawn, answer, provenance
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.task import LIFECYCLE

TRIES = 20
"""How often it is decided anew where others write the same person's record: it must not fail for them."""
STRICT_TRIES = 4
"""How often it also demands that nobody signed anything meanwhile. After that, who signs in the same moment signs after
it: a withdrawal does not wait until the others are done.
"""
HOW = ("in-person", "phone", "written", "app", "code")
_LIVE = ("active", "proposed")
_BLIND = frozenset({"nothing", "directory"})
"""Reaches of accounts that read nobody's record, and are told of nobody's consents either."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What she takes back and how she said it; without recipient and category it is everything.

    Args:
        recipient: organisation id; every unit below it is meant too.
        category: an information category.
        how: one of ``HOW``.
        identity_checked: somebody made sure that it was she; a call is obeyed first and checked afterwards.
        asking: when recipients are asked to stop using what they have.
    """

    recipient: str = ""
    category: str = ""
    how: str = ""
    identity_checked: bool = True
    asking: Asking = field(default_factory=lambda: Asking(at_once=False))


@dataclass(frozen=True, slots=True)
class By:
    """Who says it: the person herself, or somebody of her organisation who enters it for her."""

    organization: str
    oauth_client: str = ""
    user: str = ""
    herself: bool = False


def may_withdraw(caller: Principal, person: int | None, keepers: tuple[str, ...]) -> By:
    """Gives who ends sharing for a person, if this caller may.

    Nothing else is asked of the caller: no assignment, no training. Withdrawing needs less than granting.

    Args:
        caller: who asks.
        person: the row id of the Patient.
        keepers: the organisations that keep her record or the consent.

    Raises:
        NotFound: it is not her own record, nor one of the caller's organisation (404).
        InsufficientScope: software whose token does not name Consent.u (403).
    """
    me = caller.organization_id
    by = By(me, caller.oauth_client, caller.user or caller.account, herself=caller.context == "patient")
    if person is None or caller.person not in (None, person):
        raise NotFound
    if by.herself:
        if caller.person != person:
            raise NotFound
        return by
    if me not in keepers or (caller.reach is not None and caller.reach.kind in _BLIND):
        raise NotFound
    if not caller.covers("Consent", "u"):
        raise InsufficientScope("The token's scope does not open Consent.u. Ask for a token that names it.")
    return by


def withdraw(hub: Hub, token_digest: bytes, public_id: str, wish: Wish) -> dict[str, Any]:
    """Stops sharing what she takes back, and gives what was ended, as Parameters.

    It goes on to close doors whatever else is wrong; the same wish again changes nothing and answers likewise.

    Raises:
        InvalidResource: no such category or way of saying it (422).
        NotFound: absent, or not for this caller (404).
        Busy: others kept changing the same record (503).
    """
    check_wish(wish)
    for tried in range(TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            caller = hub.identify(snapshot.token(token_digest), at_us)
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            row = draft.working.resource("Patient", public_id)
            if row is None or row.deleted:
                raise NotFound
            by = may_withdraw(caller, row.row_id, (row.author,))
            said = "app" if by.herself else wish.how
            found = _act(row, wish, said, by, draft, hub.gate)
            if tried >= STRICT_TRIES:
                draft.working.let_go()
            draft.working.guard(TokenGuard(bytes.fromhex(caller.token_key), at_us))
            change = hub.gate.admit_hub(draft, hub.ids.public_id())
            told = answer(row, found, draft)
        try:
            if found.changed:
                hub.store.apply(change)
        except GuardFailed:
            continue
        return told
    raise Busy("Others are changing the same record. Try again in a moment.")


def foresee(hub: Hub, token_digest: bytes, public_id: str, wishes: Sequence[Wish]) -> list[dict[str, Any]]:
    """Gives what each wish would end, as :func:`withdraw` would answer; nothing is stored.

    It is the same act in the same state, not a guess of it: who sits beside her can show her the effect first.

    Raises:
        InvalidResource: a wish names what there is not (422).
        NotFound: absent, or not for this caller (404).

    Source: ``consent.md`` 5.5; ``views.md`` 9 ($preview, of which this is the other half).
    """
    at_us = hub.clock()
    found = []
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        row = Working(snapshot).resource("Patient", public_id)
        if row is None or row.deleted:
            raise NotFound
        by = may_withdraw(caller, row.row_id, (row.author,))
        for wish in wishes:
            check_wish(wish)
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            found.append(answer(row, _act(row, wish, wish.how, by, draft, hub.gate), draft))
    return found


def withdraw_by_code(hub: Hub, person: int | None) -> None:
    """Stops all sharing for whoever holds the person's code; her organisation's people find it on their desk.

    The code page gives the same answer whatever happens here. Where the code is unknown a line is left and as much
    is waited for.

    Args:
        hub: store, gate and clock.
        person: the row id of the Patient the code belongs to; None where it belongs to nobody or is locked.

    Source: ``practice.md`` 10 (one button, one answer for every code).
    """
    for tried in range(TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            row = draft.working.row(person)
            if row is None or row.deleted or row.type != "Patient":
                draft.audit.append(_line("withdraw", None, "", "", at_us, outcome=REFUSED))
            else:
                wish = Wish(how="code")
                by = By(row.author, herself=True)
                _act(row, wish, "code", by, draft, hub.gate)
                draft.audit.append(_line("withdraw", row, row.author, "", at_us))
            if tried >= STRICT_TRIES:
                draft.working.let_go()
            change = hub.gate.admit_hub(draft, hub.ids.public_id())
        try:
            hub.store.apply(change)
        except GuardFailed:
            continue
        return
    raise Busy("Others are changing the same record. Try again in a moment.")


def check_wish(wish: Wish) -> None:
    """Refuses a wish that names what there is not: nothing must look stopped that was not meant.

    Raises:
        InvalidResource: with every problem (422).
    """
    issues = []
    if wish.category and wish.category not in CATEGORIES:
        issues.append(_issue("category", "There is no such kind of information."))
    if wish.how not in ("", *HOW):
        issues.append(_issue("how", f"She says it in one of these ways: {', '.join(HOW)}."))
    if issues:
        raise InvalidResource(issues)


def _issue(name: str, text: str) -> Issue:
    return Issue("error", "value", text, f"Parameters.parameter.where(name='{name}')")


# --- the act ---------------------------------------------------------------------------------------------


def _act(row: ResourceRow, wish: Wish, how: str, by: By, draft: Draft, judge: Judge) -> Withdrawn:
    found = Withdrawn(everything=not wish.recipient and not wish.category, held=wish.asking.hold)
    for consent in draft.working.consents(row.row_id):
        if consent.status not in _LIVE:
            continue
        stored = draft.working.row(consent.row_id)
        if stored is None or stored.deleted:
            continue
        body = body_of(stored)
        if kind_of(body) == "refusal" or not _is_meant(body, wish, draft):
            continue
        left = _left(body, wish, draft) if wish.category else None
        activity = "withdrawn" if left is None else "withdrawn-in-part"
        if left is None:
            written = _end(stored, body, wish, by, draft, judge)
            found.ended.append(written.id)
            found.mixed = found.mixed or (not kind_of(body) and _forbids(body))
        else:
            written = _narrow(stored, left, wish, by, draft, judge)
            found.narrowed.append(written.id)
        found.receivers.update(receivers_of(body))
        provenance(written, row, draft, by=by, activity=f"{activity}.{how}".rstrip("."))
        draft.audit.append(_line("update", written, by.organization, by.user, draft.at_us, by.oauth_client))
    _tell_her_people(row, wish, how, draft, found)
    found.still_open.extend(
        task.id
        for task in draft.working.tasks_of_person(row.row_id)
        if task.owner in found.receivers and task.status in LIFECYCLE.live and task.kind != "recall"
    )
    return found


def _is_meant(body: dict[str, Any], wish: Wish, draft: Draft) -> bool:
    """Tells whether a release opens something of what she takes back; everything ends also what cannot be read."""
    if kind_of(body) != "release" and not permits_of(body):
        return False
    if wish.recipient and not any(
        receiver == wish.recipient
        or (
            (owner := draft.working.organization(receiver)) is not None
            and wish.recipient in owner.facts.ancestors
        )
        for receiver in receivers_of(body)
    ):
        return False
    return not wish.category or names_category(body, wish.category, _category_of(draft))


def _forbids(body: dict[str, Any]) -> bool:
    """Tells whether a document that also permits forbids something: with its end that ends too."""
    root = body.get("provision")
    nested = root.get("provision") if isinstance(root, dict) else None
    return isinstance(nested, list) and len(permits_of(body)) <= len(nested)


def _category_of(draft: Draft) -> Any:
    def category_of(name: str) -> str:
        row = draft.working.resources((name,)).get(name)
        return row.category if row is not None else ""

    return category_of


def _left(body: dict[str, Any], wish: Wish, draft: Draft) -> dict[str, Any] | None:
    """Gives what is left of a release without a kind of information, if that can stand; else it ends whole."""
    left = without_category(body, wish.category, _category_of(draft))
    if left is None or left.get("status") != "active" or kind_of(left) != "release":
        return None
    try:
        compile_consent("", "", left, authored=True)
    except InvalidResource:
        return None
    return left


def _end(
    row: ResourceRow, body: dict[str, Any], wish: Wish, by: By, draft: Draft, judge: Judge
) -> ResourceRow:
    ended_body = {**body, "status": "inactive"}
    ended = draft.revise(row, ended_body, written_by=by.organization)
    write_rows(ended, ended_body, draft, judge, was_active=row.status == "active", asking=wish.asking)
    return ended


def _narrow(
    row: ResourceRow, left: dict[str, Any], wish: Wish, by: By, draft: Draft, judge: Judge
) -> ResourceRow:
    narrowed = draft.revise(row, left, written_by=by.organization)
    write_rows(narrowed, left, draft, judge, was_active=True)
    if narrowed.person is not None:
        receivers = sorted(receivers_of(left) | receivers_of(body_of(row)))
        end_sharing(narrowed, narrowed.person, receivers, draft, judge, asking=wish.asking)
    return narrowed


def _tell_her_people(row: ResourceRow, wish: Wish, how: str, draft: Draft, found: Withdrawn) -> None:
    """Lays it on the desk of her organisation where nobody of it entered it, or a call is still to be checked."""
    if how not in ("app", "code") and wish.identity_checked:
        return
    waiting = [
        task
        for task in draft.working.tasks_of_person(row.row_id)
        if task.kind == "withdrawal" and task.status == OPEN
    ]
    if not found.changed and any(named(task, "how") == how for task in waiting):
        return
    parts: list[tuple[str, dict[str, Any]]] = [("how", {"valueCode": how})] if how else []
    if wish.recipient:
        parts.append(("recipient", {"valueReference": {"reference": f"Organization/{wish.recipient}"}}))
    if wish.category:
        parts.append(("category", {"valueCode": wish.category}))
    if not wish.identity_checked:
        parts.append(("identity-check-needed", {"valueBoolean": True}))
    lay_out("withdrawal", draft, custodian=row.author, person=row, parts=parts)
    found.changed_elsewhere = True


def _line(
    interaction: str,
    row: ResourceRow | None,
    organization: str,
    user: str,
    at_us: int,
    oauth_client: str = "",
    *,
    outcome: int = DONE,
) -> AuditEntry:
    return AuditEntry(
        at_us=at_us,
        action="U" if interaction == "update" else "E",
        interaction=interaction,
        outcome=outcome,
        organization=organization,
        oauth_client=oauth_client,
        user=user,
        purpose="",
        person=row.person if row is not None else None,
        entities=(f"{row.type}/{row.id}/{row.version}",) if row is not None else (),
    )
