"""Builds what an admitted write consists of: one walk for create, update, patch and delete of every type.

What lives here: the order in which a body is judged and made into rows. What does not: who sees what and what
consent covers (asked of the gate through ``judging.Judge``), tables (``resources``), SQL (``store``).

Source: ``architecture.md`` 2, ``views.md`` 2, 3 and 5.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from referral_hub.access.facts import references_of
from referral_hub.access.principal import Principal
from referral_hub.access.writeback import (
    TASK_AUTHOR_WRITABLE,
    TASK_OWNER_WRITABLE,
    author_issues,
    merge_update,
)
from referral_hub.errors import (
    Forbidden,
    InvalidResource,
    MalformedContent,
    NotFound,
    PreconditionRequired,
    UpdateAsCreate,
    VersionConflict,
)
from referral_hub.exchange.admission import (
    StatusChange,
    check_initial,
    check_move,
    cleared_business_status,
    task_issues,
)
from referral_hub.exchange.audit import write_entry
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import AbsentGuard
from referral_hub.exchange.columns import Columns, columns_of, organization_of
from referral_hub.exchange.conditional import identifier_of, match
from referral_hub.exchange.consent_rules import ConsentLimits
from referral_hub.exchange.consent_signing import follow_life
from referral_hub.exchange.consent_writing import write_rows
from referral_hub.exchange.deleting import delete
from referral_hub.exchange.desks import check_desk
from referral_hub.exchange.hosting import as_child, check_own_answer
from referral_hub.exchange.judging import Judge
from referral_hub.exchange.linking import external_texts, link
from referral_hub.exchange.made_by_hub import FILLER_KIND
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.profiles_in_force import check_in_force
from referral_hub.exchange.proposal import Built, Proposal
from referral_hub.exchange.recalls import answer_recall
from referral_hub.exchange.reporting import follow
from referral_hub.exchange.sources import copies_of
from referral_hub.exchange.stamping import (
    business_status_of,
    placer_number,
    with_business_status,
    with_placer_identifier,
)
from referral_hub.exchange.subscription_writing import as_asked, subscription_row
from referral_hub.exchange.task_writing import decide_move, write_consequences
from referral_hub.exchange.type_rules import check_rules
from referral_hub.fhir.elements import reference_text
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.subsets import PART_ONLY, is_subsetted
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.resources.definition import ResourceDefinition
from referral_hub.resources.lifecycle import Actor

Validate = Callable[[dict[str, Any]], list[Issue]]
_PLACED = frozenset({"Task", "ServiceRequest"})
_FIXED_AFTER_DRAFT = ("owner", "for", "focus")
_FIXED_TEXT = (
    "After draft a referral keeps its owner, its person and its request. Make a new Task for another."
)


@dataclass(frozen=True, slots=True)
class Writing:
    """The walk of one proposal. ``own_bases``: the hub's FHIR base URLs, the public one first."""

    validate: Validate
    limits: ConsentLimits
    own_bases: tuple[str, ...]

    def write(self, caller: Principal, proposal: Proposal, draft: Draft, judge: Judge) -> Built:
        """Judges one proposal and lays its rows into the Draft.

        Raises:
            HubError: whatever refuses it, with every problem found in its own step.
        """
        definition = DEFINITIONS[proposal.type_name]
        if proposal.verb == "create":
            return self._create(caller, definition, proposal, draft, judge)
        row = draft.working.resource(proposal.type_name, proposal.public_id)
        own = row is not None and row.author == caller.organization_id and row.kind != FILLER_KIND
        if own and row is not None and caller.reach is not None:
            own = judge.reaches(caller, row, draft.working, draft.at_us)
        if proposal.verb == "delete" and row is not None and own:
            if not row.deleted:
                self._check_match(definition, proposal, row)
            return delete(caller, row, draft)
        if row is None or not judge.sees(caller, row, draft.working, draft.at_us):
            raise UpdateAsCreate if proposal.verb == "update" else NotFound
        self._check_match(definition, proposal, row)
        if proposal.verb == "delete":
            return delete(caller, row, draft)
        return self._update(caller, definition, proposal, row, draft, judge)

    # --- create -----------------------------------------------------------------------------------------

    def _create(
        self,
        caller: Principal,
        definition: ResourceDefinition,
        proposal: Proposal,
        draft: Draft,
        judge: Judge,
    ) -> Built:
        me = caller.organization_id
        if proposal.if_none_exist:
            found = match(
                caller, definition.type_name, proposal.if_none_exist, draft.working, judge, draft.at_us
            )
            if found is not None:
                return Built(found, existing=True)
            token = identifier_of(proposal.if_none_exist)
            # One that this caller may not see is no match, and must not be told by a refusal either.
            if caller.reach is None or not draft.working.identified(me, definition.type_name, token):
                draft.working.guard(AbsentGuard(me, definition.type_name, "identifier", token))
        body = proposal.body
        if definition.type_name == "Subscription":
            body = as_asked(body)
        self._check_body(definition, body)
        check_initial(definition, body)
        if definition.type_name == "Task":
            body = as_child(caller, body, draft, judge)
        row_id = draft.ids.row_id(draft.at_us)
        public_id = proposal.reserved_id or draft.ids.public_id()
        if definition.type_name in _PLACED:
            body = with_placer_identifier(body, draft.ids.public_id())
        columns = self._columns(caller, definition, body, row_id, draft, judge)
        check_desk(columns.kind)
        check_rules(caller, definition, body, None, columns, draft, self.limits)
        if definition.type_name == "Task":
            return self._write_task(caller, None, body, columns, row_id, public_id, draft, judge)
        row = draft.create(body, columns, row_id=row_id, public_id=public_id, author=me)
        if definition.type_name == "Consent":
            write_rows(row, body, draft, judge, was_active=False)
            check_in_force(body, None)
        follow_life(row, body, None, draft)
        if definition.type_name == "Subscription":
            draft.settle(subscription_row(row, body, caller, draft.at_us))
        draft.audit.append(write_entry(caller, "create", row, draft.at_us))
        return Built(row, created=True)

    # --- update -----------------------------------------------------------------------------------------

    def _update(
        self,
        caller: Principal,
        definition: ResourceDefinition,
        proposal: Proposal,
        row: ResourceRow,
        draft: Draft,
        judge: Judge,
    ) -> Built:
        me = caller.organization_id
        author = row.author == me
        if not author and not (definition.type_name == "Task" and row.owner == me):
            raise Forbidden("Only the organisation that wrote this may change it.")
        check_desk(row.kind)
        stored = body_of(row)
        shown = judge.shown(caller, row, draft.working, draft.at_us)
        if shown is None:
            raise UpdateAsCreate
        submitted = self._submitted(proposal, shown)
        if not author:
            body = merge_update(stored, shown, submitted, TASK_OWNER_WRITABLE, writer=me)
        elif definition.type_name == "Task" and row.foreign_elements:
            body = merge_update(stored, shown, submitted, TASK_AUTHOR_WRITABLE, writer=me)
        else:
            body = as_asked(submitted) if definition.type_name == "Subscription" else submitted
        number = placer_number(stored) if definition.type_name in _PLACED else ""
        if number and placer_number(body) != number:
            body = with_placer_identifier(body, number)
        if definition.type_name == "Task" and cleared_business_status(stored, body):
            body = with_business_status(body, "")
        self._check_body(definition, body)
        if row.kind == "recall":
            return answer_recall(caller, row, body, draft)
        columns = self._columns(caller, definition, body, row.row_id, draft, judge, stored=row)
        check_desk(columns.kind)
        if row.person is not None and columns.person != row.person:
            raise InvalidResource(
                [Issue("error", "business-rule", "Whom a record is about never changes. Make a new one.")]
            )
        self._check_status(definition, body, stored, self._actors(row, me), draft, row)
        check_rules(caller, definition, body, stored, columns, draft, self.limits, row.row_id)
        if definition.type_name == "Task":
            return self._write_task(caller, row, body, columns, row.row_id, row.id, draft, judge)
        method = "PATCH" if proposal.verb == "patch" else "PUT"
        updated = draft.next_version(row, body, columns, written_by=me, method=method)
        if definition.type_name == "Consent":
            write_rows(updated, body, draft, judge, was_active=row.status == "active")
            check_in_force(body, stored)
        follow_life(updated, body, stored, draft)
        if definition.type_name == "Subscription":
            draft.settle(subscription_row(updated, body, caller, draft.at_us))
        draft.audit.append(write_entry(caller, "update", updated, draft.at_us))
        return Built(updated)

    @staticmethod
    def _submitted(proposal: Proposal, shown: dict[str, Any]) -> dict[str, Any]:
        if proposal.verb == "patch":
            patched = proposal.patch(shown)
            if any(patched.get(name) != shown.get(name) for name in ("resourceType", "id")):
                raise InvalidResource(
                    [Issue("error", "structure", "A patch cannot change what the resource is, nor its id.")]
                )
            return patched
        if proposal.body.get("id") != proposal.public_id:
            raise MalformedContent("The id in the body is the id in the address.", f"{proposal.type_name}.id")
        return proposal.body

    @staticmethod
    def _actors(row: ResourceRow, me: str) -> frozenset[Actor]:
        found: set[Actor] = set()
        if row.author == me:
            found.add("requester")
        if row.owner == me:
            found.add("owner")
        return frozenset(found)

    def _check_status(
        self,
        definition: ResourceDefinition,
        body: dict[str, Any],
        stored: dict[str, Any],
        actors: frozenset[Actor],
        draft: Draft,
        row: ResourceRow,
    ) -> None:
        if definition.lifecycle is None:
            return
        was = str(stored.get(definition.status_element, ""))
        change = StatusChange(
            before=was,
            after=str(body.get(definition.status_element, "")),
            business_before=business_status_of(stored),
            business_after=business_status_of(body),
            actors=actors,
        )
        check_move(definition, body, change)
        if definition.type_name == "Task":
            check_own_answer(row, body, draft)
            issues = task_issues(body, change)
            issues.extend(
                Issue("error", "business-rule", _FIXED_TEXT, f"Task.{element}")
                for element in _FIXED_AFTER_DRAFT
                if was != "draft" and stored.get(element) != body.get(element)
            )
            if issues:
                raise InvalidResource(issues)

    def _write_task(
        self,
        caller: Principal,
        row: ResourceRow | None,
        body: dict[str, Any],
        columns: Columns,
        row_id: int,
        public_id: str,
        draft: Draft,
        judge: Judge,
    ) -> Built:
        me = caller.organization_id
        author = row.author if row is not None else me
        moved = decide_move(
            body_of(row) if row is not None else None,
            body,
            columns,
            row_id=row_id,
            author=author,
            mover=me,
            draft=draft,
            judge=judge,
        )
        if row is None:
            written = draft.create(moved.body, columns, row_id=row_id, public_id=public_id, author=me)
        else:
            foreign = row.foreign_elements or (me == row.owner and me != row.author)
            written = draft.next_version(row, moved.body, columns, written_by=me, foreign_elements=foreign)
        write_consequences(moved, written, mover=me, user=caller.user, draft=draft)
        draft.audit.append(write_entry(caller, "create" if row is None else "update", written, draft.at_us))
        follow(moved, written, draft, judge)
        return Built(written, created=row is None)

    # --- checks shared by all ---------------------------------------------------------------------------

    def _check_body(self, definition: ResourceDefinition, body: dict[str, Any]) -> None:
        if body.get("resourceType") != definition.type_name:
            raise InvalidResource(
                [Issue("error", "value", f"Here a {definition.type_name} is written.", "resourceType")]
            )
        if is_subsetted(body):
            raise InvalidResource(
                [Issue("error", "business-rule", PART_ONLY, f"{definition.type_name}.meta.tag")]
            )
        issues = [issue for issue in self.validate(body) if issue.is_error]
        if issues:
            raise InvalidResource(issues)

    def _columns(
        self,
        caller: Principal,
        definition: ResourceDefinition,
        body: dict[str, Any],
        row_id: int,
        draft: Draft,
        judge: Judge,
        stored: ResourceRow | None = None,
    ) -> Columns:
        working = draft.working
        me = caller.organization_id
        kept = references_of(body_of(stored)) if stored is not None else frozenset()

        def may_use(row: ResourceRow) -> bool:
            if f"{row.type}/{row.id}" in kept or (row.author == me and row.kind == FILLER_KIND):
                return True
            return judge.sees(caller, row, working, draft.at_us)

        stays = frozenset(external_texts(body_of(stored))) if stored is not None else frozenset()
        links = link(body, working, self.own_bases, tuple(working.registered_bases(me)), may_use, stays)
        author = stored.author if stored is not None else me
        entry_of = stored.id if stored is not None and definition.type_name == "Organization" else author
        organization = working.organization(entry_of)
        columns, issues = columns_of(
            definition,
            body,
            {**links.targets, **copies_of(links.external, author, working)},
            own_row=row_id,
            author_kind=organization.facts.kind if organization is not None else "",
        )
        if stored is not None and stored.kind == FILLER_KIND:
            columns = replace(columns, kind=FILLER_KIND)
        problems = [*links.issues, *issues]
        if definition.type_name == "Task" and author == me and not _asks_itself(body, links.targets, me):
            problems.append(
                Issue(
                    "error",
                    "business-rule",
                    "The requester is the organisation that writes: its own Organization/id, or none.",
                    "Task.requester",
                )
            )
        if definition.type_name == "Task" and author == me != columns.owner:
            unread = stored is None or not stored.foreign_elements
            problems.extend(author_issues(body, me) if unread else ())
        if definition.subject_named and columns.person is None:
            problems.extend(_missing_person(definition, body))
        if problems:
            raise InvalidResource(problems)
        return columns

    @staticmethod
    def _check_match(definition: ResourceDefinition, proposal: Proposal, row: ResourceRow) -> None:
        if not proposal.if_match:
            if definition.version_aware and proposal.verb in ("update", "patch"):
                raise PreconditionRequired(
                    f"A change of a {definition.type_name} names the version it was made from: "
                    'If-Match: W/"versionId".'
                )
            return
        if proposal.if_match != row.version:
            raise VersionConflict("It was changed meanwhile. Read it again, then make the change anew.")


def _asks_itself(body: dict[str, Any], targets: Mapping[str, ResourceRow], me: str) -> bool:
    """Tells whether the requester is the writer: its Organization, a role it wrote itself, or nobody named."""
    text = reference_text(body.get("requester"))
    if not text:
        return True
    if organization_of(text):
        return organization_of(text) == me
    target = targets.get(text)
    return target is not None and target.author == me


def _missing_person(definition: ResourceDefinition, body: dict[str, Any]) -> list[Issue]:
    element = definition.subject[0]
    if element in body and not reference_text(body[element]).startswith("#"):
        text = "It is about a person of this hub: Patient/id."
        return [Issue("error", "business-rule", text, f"{definition.type_name}.{element}")]
    return []
