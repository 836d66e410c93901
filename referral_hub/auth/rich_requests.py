"""Tokens bound to one grant: what a client asks for in ``authorization_details``, and what it is told.

What lives here: reading the request strictly, and narrowing a grant to it. What does not: what stands behind a grant
(``exchange.bound_grants``), the narrowing of each read (``exchange.gate``), introspection (``auth.introspection``).

What depends on the request alone is told in words. Whatever depends on a person's permissions is one refusal, for a
referral that never was as for one whose release is narrower than what was asked.

Source: RFC 9396 2, 5 and 7; ``consent.md`` D-03 to D-06; ``views.md`` 7 and 9.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from referral_hub.access.categories import CATEGORIES
from referral_hub.access.principal import Binding
from referral_hub.access.scopes import Scope, ScopeSet
from referral_hub.auth.addresses import Addresses
from referral_hub.auth.bindings import binding_of
from referral_hub.auth.grant_handles import GrantHandles
from referral_hub.auth.grant_telling import ACTIONS, GrantLeft, told, told_in_full, type_of
from referral_hub.auth.ports import OAuthClientRow
from referral_hub.auth.purposes import Assertion, purpose_code
from referral_hub.auth.refusals import InvalidAuthorizationDetails
from referral_hub.auth.request import Bound
from referral_hub.exchange.ports import TokenRow
from referral_hub.resources.catalog import DEFINITIONS

BOUND_TYPES = frozenset(
    name for name, definition in DEFINITIONS.items() if definition.about_person and definition.opened
) - {"Consent"}
"""Types a bound token may be for: those that tell of a person and that a release opens."""

LONGEST_DETAILS = 8 * 1024
_SHORTEST_US = 1_000_000
_FIELDS = frozenset(
    {
        "type",
        "locations",
        "actions",
        "datatypes",
        "identifier",
        "referral",
        "purpose",
        "categories",
        "max_confidentiality",
    }
)
_REFERRAL = re.compile(r"(?:(.+)/)?Task/([A-Za-z0-9.-]{1,64})", re.ASCII)
_MOST_VALUES = 64


class GrantFound(Protocol):
    """What the release of one referral opens now (``exchange.bound_grants.BoundGrant``)."""

    @property
    def referral(self) -> str:
        """Gives the id of the Task."""

    @property
    def person(self) -> int:
        """Gives the row id of the person."""

    @property
    def patient(self) -> str:
        """Gives her public id."""

    @property
    def epoch(self) -> int:
        """Gives her consent epoch as it was read."""

    @property
    def consents(self) -> tuple[tuple[str, str], ...]:
        """Gives the consents it stands on, id and version."""

    @property
    def opened(self) -> Mapping[str, bool]:
        """Gives the categories, each with whether what is very restricted in it is open too."""

    @property
    def until_us(self) -> int:
        """Gives when that may change."""


class Grants(Protocol):
    """Where grants are looked up (``exchange.bound_grants.BoundGrants``)."""

    def of_referral(
        self, organization_id: str, purpose: str, role: str, task_id: str, at_us: int
    ) -> GrantFound | None:
        """Gives what a referral's release opens to this organisation; None for anything else."""

    def record_refusal(
        self, organization_id: str, oauth_client: str, user: str, purpose: str, task_id: str, at_us: int
    ) -> None:
        """Leaves the line of a refused attempt."""

    def now(self, token: TokenRow, binding: Binding, at_us: int) -> GrantLeft | None:
        """Gives what is left of a token's binding; None where nothing is."""


@dataclass(frozen=True, slots=True)
class DetailsAsked:
    """One ``authorization_details`` object as it was read; None and empty where it says nothing."""

    referral: str = ""
    identifier: str = ""
    actions: frozenset[str] | None = None
    datatypes: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    confidentiality: str = ""
    purpose: str = ""


def read_details(text: str, addresses: Addresses) -> DetailsAsked:
    """Reads the ``authorization_details`` of a token request.

    Raises:
        InvalidAuthorizationDetails: it is not what this hub documents: 400 on the wire.

    Source: RFC 9396 5 (unknown types and fields are refused).
    """
    try:
        found = json.loads(text) if len(text) <= LONGEST_DETAILS else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
        raise InvalidAuthorizationDetails("authorization_details has to be a JSON array of one object.")
    details: dict[str, object] = found[0]
    if details.get("type") != type_of(addresses) or not details.keys() <= _FIELDS:
        raise InvalidAuthorizationDetails("The type, or a field, of authorization_details is not known here.")
    if details.get("locations", [addresses.fhir]) != [addresses.fhir]:
        raise InvalidAuthorizationDetails("locations can hold the FHIR base of this hub alone.")
    confidentiality = details.get("max_confidentiality", "")
    if confidentiality not in ("", "R", "V"):
        raise InvalidAuthorizationDetails("max_confidentiality is R or V.")
    referral, identifier = details.get("referral", ""), details.get("identifier", "")
    if not isinstance(referral, str) or not isinstance(identifier, str) or bool(referral) == bool(identifier):
        raise InvalidAuthorizationDetails(
            "Name the referral (Task/id), or the identifier of an earlier answer."
        )
    return DetailsAsked(
        _task(referral, addresses) if referral else "",
        identifier,
        _some(details, "actions", frozenset(ACTIONS)),
        _some(details, "datatypes", BOUND_TYPES),
        _some(details, "categories", frozenset(CATEGORIES)),
        str(confidentiality),
        _purpose(details.get("purpose")),
    )


class RichRequests:
    """Decides what a token is bound to. Safe for threads.

    Args:
        grants: where grants are looked up.
        handles: the opaque names of grants.
        addresses: where this hub is found.
    """

    def __init__(self, grants: Grants, handles: GrantHandles, addresses: Addresses) -> None:
        self._grants = grants
        self._handles = handles
        self._addresses = addresses

    def bound(
        self,
        client: OAuthClientRow,
        text: str,
        scope: ScopeSet,
        purpose: str,
        asserted: Assertion,
        *,
        at_us: int,
        expires_us: int,
    ) -> tuple[ScopeSet, Bound]:
        """Gives the scope that is left, and what the token is bound to.

        Args:
            client: the registration.
            text: the ``authorization_details`` of the request.
            scope: what a standard token would be granted.
            purpose: the one purpose of the token.
            asserted: the role and user its assertion states.
            at_us: the moment, microseconds since 1970 UTC.
            expires_us: when a token given now ends.

        Raises:
            InvalidAuthorizationDetails: it cannot be read, or there is no such grant, in one text: 400 on the wire.
        """
        asked = read_details(text, self._addresses)
        if asked.purpose not in ("", purpose):
            raise InvalidAuthorizationDetails("The purpose is another than the one this token would be for.")
        left = _narrowed(scope, asked)
        task = asked.referral or self._handles.opened(client.client_id, asked.identifier) or "-"
        grant = self._grants.of_referral(client.organization, purpose, asserted.role, task, at_us)
        binding = None
        if grant is not None and not left.opens_nothing:
            handle = self._handles.made(client.client_id, grant.referral)
            binding = _binding(grant, asked, handle, at_us=at_us, expires_us=expires_us)
        if grant is None or binding is None:
            self._grants.record_refusal(
                client.organization, client.client_id, asserted.user, purpose, task, at_us
            )
            raise InvalidAuthorizationDetails
        details = told(binding.handle, left, self._addresses)
        return left, Bound(binding, grant.person, grant.patient, grant.epoch, details)

    def described(self, token: TokenRow, at_us: int, *, in_full: bool) -> dict[str, Any] | None:
        """Gives what introspection says of a token's binding; None where nothing stands behind it any more.

        Args:
            token: its row.
            at_us: the moment, microseconds since 1970 UTC.
            in_full: a resource server of the network asks, and not the client.
        """
        binding = binding_of(token.binding)
        if binding is None:
            return {}
        left = self._grants.now(token, binding, at_us)
        if left is None:
            return None
        if in_full:
            return told_in_full(token, binding, left, self._addresses)
        return {"authorization_details": [told(binding.handle, ScopeSet.parse(token.scope), self._addresses)]}


def _binding(
    grant: GrantFound, asked: DetailsAsked, handle: str, *, at_us: int, expires_us: int
) -> Binding | None:
    """Gives the binding, or None where more was asked for than the grant opens, or where it ends now."""
    categories = frozenset(grant.opened) if asked.categories is None else asked.categories
    very = any(grant.opened.get(name, False) for name in categories)
    if (
        grant.until_us - at_us < _SHORTEST_US
        or not categories <= grant.opened.keys()
        or (asked.confidentiality == "V" and not very)
    ):
        return None
    reached = "V" if very and asked.confidentiality != "R" else "R"
    until_us = min(grant.until_us, expires_us)
    return Binding(handle, grant.referral, grant.consents, categories, reached, until_us)


def _narrowed(scope: ScopeSet, asked: DetailsAsked) -> ScopeSet:
    letters = {ACTIONS[name] for name in (asked.actions if asked.actions is not None else ACTIONS)}
    types = BOUND_TYPES if asked.datatypes is None else asked.datatypes
    return ScopeSet(
        tuple(
            Scope(
                one.context,
                one.type,
                "".join(each for each in one.letters if each in letters),
                one.constraints,
            )
            for one in scope.scopes
            if one.type in types
        )
    )


def _some(details: dict[str, object], name: str, known: frozenset[str]) -> frozenset[str] | None:
    value = details.get(name)
    if value is None and name not in details:
        return None
    if not isinstance(value, list) or not 0 < len(value) <= _MOST_VALUES:
        raise InvalidAuthorizationDetails(f"{name} has to be an array with something in it.")
    if not all(isinstance(one, str) and one in known for one in value):
        raise InvalidAuthorizationDetails(f"{name} holds something this hub does not know.")
    return frozenset(value)


def _task(referral: str, addresses: Addresses) -> str:
    match = _REFERRAL.fullmatch(referral)
    if match is None or match.group(1) not in (None, addresses.fhir):
        raise InvalidAuthorizationDetails("referral is Task/id, or its address at this hub.")
    return match.group(2)


def _purpose(value: object) -> str:
    """Gives the purpose code: an array with one Coding, or one text as UDAP spells it."""
    if value is None:
        return ""
    one = value[0] if isinstance(value, list) and len(value) == 1 else None
    if isinstance(one, dict) and isinstance(one.get("code"), str):
        system = one.get("system", "")
        one = f"{system}#{one['code']}" if isinstance(system, str) and system else one["code"]
    code = purpose_code(one)
    if not code:
        raise InvalidAuthorizationDetails("purpose is an array of one coding.")
    return code
