"""Who works with whom: assigning an account to a person, confirming, ending, and who may do so.

What lives here: the rules and the three operations. What does not: what an assignment opens (``access.reach``), the
rows (``store.assignment_statements``), HTTP (``web``).

Whoever opens a person's file works with her from then on. A supervisor, or a colleague who works with her, assigns
others at once. Who asks for herself waits until such a second person confirms.

Source: ``views.md`` 9 (Roles inside an organisation); ``practice.md`` 12 (self-assignment needs a second person).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.access.reach import ROLES
from referral_hub.access.rows import CaseAssignment
from referral_hub.errors import Busy, Forbidden, GuardFailed, InvalidResource, NotFound
from referral_hub.exchange.accounts import REMOVED, STAFF, Account
from referral_hub.exchange.audit import DONE, refusal_entry
from referral_hub.exchange.building import Draft
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import TRIES
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.reaching import check_working
from referral_hub.exchange.state import Working
from referral_hub.fhir.dates import instant
from referral_hub.fhir.outcome import Issue

PENDING, ACTIVE, ENDED = "pending", "active", "ended"

_NAMED = "Name an account of your organisation whose role works with persons."
AccountLook = Callable[[str], Account | None]
"""Gives an account by its id."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One person as a caller who assigns sees her: the row where there is one, and whether the caller may assign."""

    caller: Principal
    row: ResourceRow | None
    may: bool
    held: dict[str, CaseAssignment]

    @property
    def person(self) -> int:
        """Gives the row id of the person."""
        return self.row.person if self.row is not None and self.row.person is not None else 0


def assign(
    hub: Hub, accounts: AccountLook, token_digest: bytes, public_id: str, account: str
) -> dict[str, Any]:
    """Lets an account work with a person, confirms that it may, or writes down that it asks; as Parameters.

    ``account`` is the caller's own where it is empty. Who asks for herself is told the same whether or not there is
    such a person: a second person looks at it.

    Raises:
        NotFound: absent, or not for this caller (404).
        Forbidden: coordinators, evaluators and the person herself assign nobody (403).
        InvalidResource: no account of this organisation in a role that works with persons (422).
        Busy: others kept changing the same thing (503).
    """

    def decide(case: _Case, account: str, draft: Draft) -> CaseAssignment | None:
        caller = case.caller
        before = case.held.get(account)
        for_herself = caller.context == "user" and account == caller.account
        if for_herself:
            if before is not None and before.state != ENDED:
                return before
            if case.row is None:
                return None
            return _put(draft, case, before, account, PENDING)
        if case.row is None or not case.may:
            raise NotFound
        _check_account(accounts(account), caller)
        if before is not None and before.state == ACTIVE:
            return before
        return _put(draft, case, before, account, ACTIVE)

    named, made = _decided(hub, token_digest, public_id, account, "assign", decide)
    state = PENDING if made is None else made.state
    return _parameters([_part("assignment", ("account", named), ("state", state))])


def unassign(hub: Hub, token_digest: bytes, public_id: str, account: str) -> dict[str, Any]:
    """Ends that an account works with a person; felt at its next request.

    Who ends her own, or takes back that she asked, is told the same whether or not there was anything to end.

    Raises:
        NotFound: absent, not for this caller, or never assigned (404).
        Forbidden: coordinators, evaluators and the person herself (403).
        Busy: others kept changing the same thing (503).
    """

    def decide(case: _Case, account: str, draft: Draft) -> CaseAssignment | None:
        before = case.held.get(account)
        own = case.caller.context == "user" and account == case.caller.account
        if own and (case.row is None or before is None or before.state == ENDED):
            return None
        if case.row is None or before is None or not (case.may or own):
            raise NotFound
        return before if before.state == ENDED else _put(draft, case, before, account, ENDED)

    named, _ = _decided(hub, token_digest, public_id, account, "unassign", decide)
    return _parameters([_part("assignment", ("account", named), ("state", ENDED))])


def assignments(hub: Hub, token_digest: bytes, public_id: str) -> dict[str, Any]:
    """Gives who of the caller's organisation works with a person, who asks to, and who did, as Parameters.

    Raises:
        NotFound: absent, or not for this caller (404).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        case = _case(
            hub, hub.identify(snapshot.token(token_digest), at_us), Working(snapshot), public_id, at_us
        )
    if case.row is None or not case.may:
        raise NotFound
    return _parameters(
        [
            _part(
                "assignment",
                ("account", one.account),
                ("state", one.state),
                ("asked-by", one.asked_by),
                ("confirmed-by", one.confirmed_by),
                at_us=one.changed_us,
            )
            for one in case.held.values()
        ]
    )


def _decided(
    hub: Hub,
    token_digest: bytes,
    public_id: str,
    account: str,
    what: str,
    decide: Callable[[_Case, str, Draft], CaseAssignment | None],
) -> tuple[str, CaseAssignment | None]:
    """Decides and applies; gives the account, which is the caller's own where none is named, and what it is now."""
    for _ in range(TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            caller = hub.identify(snapshot.token(token_digest), at_us)
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            case = _case(hub, caller, draft.working, public_id, at_us)
            account = account or caller.account
            if not account:
                raise InvalidResource([Issue("error", "required", _NAMED, "Parameters.parameter[account]")])
            made = decide(case, account, draft)
            if made is not None and made.changed_us != at_us:
                return account, made  # nothing to write
            if made is not None and what == "assign" and made.state == PENDING:
                what = "assign-asked"
            if made is None or case.row is None:
                asked = "assign-asked" if what == "assign" else what
                entry = refusal_entry(caller, asked, None, caller.organization_id, "NotFound", at_us)
                draft.audit.append(entry)
            else:
                draft.audit.append(_line(caller, what, case.row, account, at_us))
            change = hub.gate.seal(caller, draft, hub.ids.public_id())
        try:
            hub.store.apply(change)
        except GuardFailed:
            continue
        return account, made
    raise Busy("Others are changing the same record. Try again in a moment.")


def _case(hub: Hub, caller: Principal, working: Working, public_id: str, at_us: int) -> _Case:
    check_working(caller)
    hub.gate.allow(caller, "Patient", "read")
    reach = caller.reach
    if reach is not None and reach.bound:
        raise Forbidden("With this token nobody is assigned.")
    row = working.resource("Patient", public_id)
    whole = replace(caller, context="system", role="", account="", person=None, binding=None)
    if row is None or row.person is None or not hub.gate.sees(whole, row, working, at_us):
        return _Case(caller, None, may=False, held={})
    if reach is not None and reach.person not in (None, row.person):
        return _Case(caller, None, may=False, held={})
    held = {
        one.account: one
        for one in working.assignments(row.person)
        if one.organization == caller.organization_id
    }
    mine = held.get(caller.account)
    works = mine is not None and mine.state == ACTIVE
    may = works or reach is None or reach.kind == "unit"
    return _Case(caller, row, may, held)


def _check_account(found: Account | None, caller: Principal) -> None:
    if (
        found is None
        or found.organization != caller.organization_id
        or found.kind != STAFF
        or found.state == REMOVED
        or ROLES.get(found.role, "nothing") not in ("unit", "assigned", "intake")
    ):
        raise InvalidResource([Issue("error", "value", _NAMED, "Parameters.parameter[account]")])


def _put(
    draft: Draft, case: _Case, before: CaseAssignment | None, account: str, state: str
) -> CaseAssignment:
    who = case.caller.account or case.caller.oauth_client
    again = before is None or before.state == ENDED
    made = CaseAssignment(
        account=account,
        person=case.person,
        organization=case.caller.organization_id,
        state=state,
        version=0 if before is None else before.version + 1,
        asked_by=who if again or before is None else before.asked_by,
        asked_us=draft.at_us if again or before is None else before.asked_us,
        confirmed_by=who if state == ACTIVE else before.confirmed_by if before is not None else "",
        changed_us=draft.at_us,
    )
    draft.assign(made)
    return made


def _line(caller: Principal, what: str, row: ResourceRow, account: str, at_us: int) -> AuditEntry:
    return AuditEntry(
        at_us=at_us,
        action="U",
        interaction=what,
        outcome=DONE,
        organization=caller.organization_id,
        oauth_client=caller.oauth_client,
        user=caller.user or caller.account,
        purpose=caller.purpose,
        person=row.person,
        entities=(f"{row.type}/{row.id}/{row.version}",),
        reason=account,
    )


def _part(name: str, *texts: tuple[str, str], at_us: int = 0) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"name": one, "valueCode" if one == "state" else "valueString": text} for one, text in texts if text
    ]
    if at_us:
        parts.append({"name": "since", "valueInstant": instant(at_us)})
    return {"name": name, "part": parts}


def _parameters(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Parameters", **({"parameter": found} if found else {})}
