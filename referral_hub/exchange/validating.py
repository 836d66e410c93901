"""$validate: would this resource be valid, and would it be stored as it is? Nothing is stored, nothing is shown.

What lives here: the three questions (generally, for a create, for an update), what could be deleted, and who may
ask. What does not: the rules (``fhir.validator``, ``exchange.profiles_in_force``), HTTP (``web``).

Anybody with a live token may ask about a resource of any type of R4; about one that is stored only who sees it. The
answer speaks of what was sent, or of the view the caller has anyway, never of anything else that is stored.

Source: FHIR R4 ``resource-operation-validate.html``.
"""

from dataclasses import dataclass
from typing import Any, Literal, cast

from referral_hub.errors import HubError, IllegalMove, InvalidResource, NotFound
from referral_hub.exchange.admission import check_initial
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.profiles_in_force import judged_for_storing
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.reaching import check_caller as check_caller_alone
from referral_hub.exchange.reaching import of_herself
from referral_hub.exchange.reading import read
from referral_hub.exchange.state import Working
from referral_hub.fhir import json_codec
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.profile_tables import profile
from referral_hub.fhir.validator import judge, validate
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.resources.definition import Interaction

Mode = Literal["", "create", "update", "delete"]
MODES: tuple[Mode, ...] = ("", "create", "update", "delete")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a resource.

    Args:
        resource: decoded JSON; None to ask about what is stored.
        mode: what for; empty for its validity in general.
        profile: the canonical URL of one profile it must follow as well; empty for none.
    """

    resource: dict[str, Any] | None
    mode: Mode = ""
    profile: str = ""


def validate_new(hub: Hub, token_digest: bytes, type_name: str, question: Question) -> list[Issue]:
    """Gives what is wrong with a resource that was sent.

    Raises:
        Unauthenticated: no live token (401).
        Forbidden: the caller's organisation is paused (403).
    """
    check_caller(hub, token_digest)
    if question.mode == "delete":
        return [_error("required", f"A delete is of one resource: ask at {type_name}/id/$validate.")]
    if question.resource is None:
        return [_error("required", "Send the resource, or Parameters with a part resource.")]
    found = _judged(type_name, question, question.resource)
    if question.mode == "update":
        found.extend(issue for issue in judged_for_storing(question.resource) if issue not in found)
    if question.mode == "update" and "id" not in question.resource:
        text = "An update names its resource: the id in the body is the id in the address."
        found.append(Issue("error", "required", text, f"{type_name}.id"))
    return _told(found, question)


def validate_stored(
    hub: Hub, token_digest: bytes, type_name: str, public_id: str, question: Question
) -> list[Issue]:
    """Gives what is wrong with a new version of a stored resource, or with the view the caller has of it.

    Raises:
        Unauthenticated: no live token (401).
        InsufficientScope, Forbidden: facts of the caller alone (403).
        NotFound: absent, or not for this caller: the same answer (404).
    """
    if type_name not in DEFINITIONS:
        raise NotFound("This hub does not serve this type.")
    if question.mode == "delete":
        return _told(_deletable(hub, token_digest, type_name, public_id), question)
    if question.resource is None:
        outcome = read(hub, token_digest, type_name, public_id)
        shown = json_codec.decode_own(outcome.released.body)
        return _told(_judged(type_name, question, shown), question)
    refusals = _refusals(hub, token_digest, type_name, public_id, question)
    found = _judged(type_name, question, question.resource)
    if question.mode != "update" and question.resource.get("id") != public_id:
        text = "The id in the body is the id in the address."
        found.append(Issue("error", "value", text, f"{type_name}.id"))
    return _told([*found, *(issue for issue in refusals if issue not in found)], question)


def check_caller(hub: Hub, token_digest: bytes) -> None:
    """Lets a caller ask: it has a live token, and its organisation is active.

    Raises:
        Unauthenticated: no live token (401).
        Forbidden: the caller's organisation is paused (403).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
    check_caller_alone(caller)


def _refusals(
    hub: Hub, token_digest: bytes, type_name: str, public_id: str, question: Question
) -> list[Issue]:
    """Gives why the gate would refuse an update now; it is asked as for a real one, and the answer thrown away.

    Raises:
        InsufficientScope, Forbidden: facts of the caller alone (403).
        NotFound: absent, or not for this caller (404).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        hub.gate.allow(caller, type_name, "read")
        draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
        row = draft.working.resource(type_name, public_id)
        if row is None or not hub.gate.sees(caller, row, draft.working, at_us):
            raise NotFound
        if question.mode != "update" or question.resource is None:
            return []
        if "update" not in DEFINITIONS[type_name].interactions:
            return []
        proposal = Proposal(
            verb="update",
            type_name=type_name,
            public_id=public_id,
            body=question.resource,
            if_match=row.version,
        )
        try:
            hub.gate.admit(caller, proposal, draft)
        except InvalidResource as refused:
            return list(refused.issues)
        except HubError as refused:
            return [Issue("error", refused.issue_code, refused.text, refused.expression)]
    return []


def _judged(type_name: str, question: Question, resource: dict[str, Any]) -> list[Issue]:
    profiles = [question.profile.partition("|")[0]] if question.profile else []
    unknown = [url for url in profiles if profile(url) is None]
    if question.mode:
        found = validate(resource, type_name=type_name, profiles=profiles, warnings=True)
        if question.mode == "create":
            found.extend(issue for issue in judged_for_storing(resource) if issue not in found)
        found.extend(_against_storing(type_name, question.mode, resource))
    else:
        found = judge(resource, type_name=type_name, profiles=profiles)
    found.extend(_error("not-found", "This profile is not known here.") for _ in unknown)
    return found


def _against_storing(type_name: str, mode: Mode, resource: dict[str, Any]) -> list[Issue]:
    """Gives what stands against storing a resource of this type at all, whoever asks."""
    definition = DEFINITIONS.get(type_name)
    if definition is None:
        return [_error("not-supported", "This hub does not store this type.")]
    if cast(Interaction, mode) not in definition.interactions:
        return [_error("not-supported", f"This hub has no {mode} for {type_name}.")]
    if mode == "create" and resource.get("resourceType") == type_name:
        try:
            check_initial(definition, resource)
        except IllegalMove as refused:
            return [Issue("error", refused.issue_code, refused.text, refused.expression)]
    return []


def _deletable(hub: Hub, token_digest: bytes, type_name: str, public_id: str) -> list[Issue]:
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        hub.gate.allow(caller, type_name, "read")
        working = Working(snapshot)
        row = working.resource(type_name, public_id)
        if row is None or not hub.gate.sees(caller, row, working, at_us):
            raise NotFound
        own = row.author == caller.organization_id and not of_herself(caller)
        draft = body_of(row).get("status") == "draft"
    if "delete" not in DEFINITIONS[type_name].interactions:
        return [_error("not-supported", f"This hub has no delete for {type_name}.")]
    if not own:
        return [_error("forbidden", "Only the organisation that wrote this may delete it.")]
    if not draft:
        text = "Only a draft that was never released can be deleted. Use the status entered-in-error."
        return [_error("business-rule", text)]
    return []


_GOOD = {
    "": "Nothing is wrong with it by what is known here.",
    "create": "It can be stored as it is; who may store it, and under which permission, is asked then.",
    "update": "It can be stored as it is; who may store it, and under which permission, is asked then.",
    "delete": "It is a draft of your own; whether it was shown to anybody is asked when it is deleted.",
}


def _told(found: list[Issue], question: Question) -> list[Issue]:
    if any(issue.is_error for issue in found):
        return found
    return [*found, Issue("information", "informational", _GOOD[question.mode])]


def _error(code: str, text: str) -> Issue:
    return Issue("error", code, text)
