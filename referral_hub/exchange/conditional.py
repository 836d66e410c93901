"""Conditional interactions: what their criteria may say, and which of the caller's own resources they mean.

What lives here: reading criteria, and turning a conditional update, patch or delete into one that names an id. What
does not: the write itself (``exchange.writing``), reading headers (``web``).

Only what the caller's organisation wrote is looked at, and only by one identifier: the answer tells it nothing about
anybody else's.

Source: ``views.md`` 5 (only ``identifier=system|value``, else 412 with code not-supported); FHIR R4 http.html#ccreate,
#cond-update, #cond-patch, #cdelete.
"""

from dataclasses import replace
from urllib.parse import parse_qsl

from referral_hub.access.principal import Principal
from referral_hub.errors import ConditionalConflict, ConditionalNotSupported, MalformedContent, NotFound
from referral_hub.exchange.building import Draft
from referral_hub.exchange.indexing import parameters
from referral_hub.exchange.judging import Judge
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.state import Working

_TEXT = "A conditional write matches your own resources by one identifier only: identifier=system|value."
_SEVERAL = "Several of your own resources carry this identifier."
_GENERAL = frozenset({"_format", "_pretty"})


def identifier_of(criteria: str) -> str:
    """Gives ``system|value`` of the criteria of a conditional interaction.

    Raises:
        ConditionalNotSupported: any other criteria: 412 on the wire.

    >>> identifier_of("identifier=urn:x|7"), identifier_of("Patient?identifier=urn:x%7C7&_format=json")
    ('urn:x|7', 'urn:x|7')
    """
    _, mark, query = criteria.rpartition("?")
    text = query if mark else criteria
    pairs = [pair for pair in parse_qsl(text, keep_blank_values=True) if pair[0] not in _GENERAL]
    if len(pairs) != 1 or pairs[0][0] != "identifier":
        raise ConditionalNotSupported(_TEXT)
    system, bar, value = pairs[0][1].partition("|")
    if not bar or not system or not value or "," in value or "|" in value:
        raise ConditionalNotSupported(_TEXT)
    return f"{system}|{value}"


def match(
    caller: Principal, type_name: str, criteria: str, working: Working, judge: Judge, at_us: int
) -> ResourceRow | None:
    """Gives the one resource of the organisation's own, within the caller's reach, that criteria mean, or None.

    Raises:
        ConditionalNotSupported: the criteria are no single identifier, or the type is not found by one (412).
        ConditionalConflict: several carry the identifier (412).
    """
    token = identifier_of(criteria)
    if "identifier" not in parameters(type_name):
        raise ConditionalNotSupported(f"A {type_name} is not found by an identifier here.")
    found = working.identified(caller.organization_id, type_name, token)
    if caller.reach is not None:
        found = [row for row in found if judge.sees(caller, row, working, at_us)]
    if len(found) > 1:
        raise ConditionalConflict(_SEVERAL)
    return found[0] if found else None


def resolved(caller: Principal, proposal: Proposal, draft: Draft, judge: Judge) -> Proposal:
    """Gives a conditional update, patch or delete as one that names the id, or as the create it comes to.

    Raises:
        NotFound: a patch or delete that matches nothing (404).
        MalformedContent: the body of an update names another id than the match, or one where nothing matches (400).
        ConditionalConflict, ConditionalNotSupported: see :func:`match` (412).
    """
    row = match(caller, proposal.type_name, proposal.criteria, draft.working, judge, draft.at_us)
    if row is None:
        if proposal.verb != "update":
            raise NotFound("None of your own resources carries this identifier.")
        if "id" in proposal.body:
            raise MalformedContent("Nothing matches, and ids are given by the server: leave the id out.")
        return replace(proposal, verb="create", criteria="", if_none_exist=proposal.criteria, if_match="")
    if proposal.verb == "update":
        if proposal.body.get("id", row.id) != row.id:
            raise MalformedContent("The id in the body is another than that of the match: leave it out.")
        return replace(proposal, public_id=row.id, body={**proposal.body, "id": row.id}, criteria="")
    return replace(proposal, public_id=row.id, criteria="")
