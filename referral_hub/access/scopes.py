"""OAuth scopes of SMART App Launch 2.2, as sets that only narrow.

What lives here: the grammar, the set a token carries, and the arithmetic of what a request is granted. What
does not: who may register which scope (``auth``), and which rows a scope shows, which the consents decide
(``access.decision``). A scope never opens a row by itself.

Letters: ``c`` create; ``r`` read, vread and instance history; ``u`` update and patch; ``d`` delete; ``s``
type search and type history.

Source: SMART App Launch 2.2 ``scopes-and-launch-context.html``; ``consent.md`` O-01 to O-04; ``views.md`` 7.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote, unquote

from referral_hub.errors import MalformedContent
from referral_hub.resources.catalog import DEFINITIONS

Context = Literal["patient", "user", "system"]
Constraint = tuple[str, str]

LETTERS = "cruds"

LOOP_FLOOR: Mapping[str, str] = MappingProxyType(
    {
        "Task": "rus",
        "ServiceRequest": "rs",
        "Patient": "rs",
        **{name: "rs" for name, found in DEFINITIONS.items() if found.directory or found.listed},
        **dict.fromkeys(
            (
                "Appointment",
                "Binary",
                "Communication",
                "Condition",
                "DocumentReference",
                "Encounter",
                "Goal",
                "Observation",
                "Procedure",
                "QuestionnaireResponse",
            ),
            "crus",
        ),
    }
)
"""What closing the loop of a referral needs: kept for every client that registered and asked for it.

The last line are the types a recipient answers with. Source: ``views.md`` 7.
"""

_RESOURCE = re.compile(r"(patient|user|system)/([A-Z][A-Za-z]{0,63}|\*)\.([^?]*)(?:\?(.*))?", re.ASCII)
_CLAIMS_RESOURCE = ("patient/", "user/", "system/")
_V2 = re.compile(r"c?r?u?d?s?")
_V1 = {"read": "rs", "write": "cud", "*": LETTERS}
_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9-]*", re.ASCII)
_RESULT_PARAMETERS = frozenset({"_id", "_lastUpdated"})
_KEPT = "/:|,$@!*'()"


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """One resource scope: in whose context, for which type, which letters, under which constraints.

    All constraints of one scope must hold for a resource. ``type`` may be ``*`` in a request only.
    """

    context: str
    type: str
    letters: str
    constraints: tuple[Constraint, ...] = ()

    def text(self) -> str:
        """Gives the scope in its v2 spelling.

        >>> Scope("system", "Task", "rs", (("code", "a b"),)).text()
        'system/Task.rs?code=a%20b'
        """
        stem = f"{self.context}/{self.type}.{self.letters}"
        if not self.constraints:
            return stem
        return f"{stem}?{'&'.join(f'{name}={quote(value, safe=_KEPT)}' for name, value in self.constraints)}"


@dataclass(frozen=True, slots=True)
class ScopeSet:
    """The scopes of one registration, request or token, sorted and without repetition.

    Args:
        scopes: resource scopes.
        other: scopes that open no resource, such as ``openid`` or ``launch``, as they were written.
    """

    scopes: tuple[Scope, ...] = ()
    other: tuple[str, ...] = ()
    _open: frozenset[tuple[str, str, str]] = field(default=frozenset(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scopes", _tidy(self.scopes))
        object.__setattr__(self, "other", tuple(sorted(set(self.other))))
        opened = frozenset(
            (scope.context, scope.type, letter)
            for scope in self.scopes
            if not scope.constraints and scope.type != "*"
            for letter in scope.letters
        )
        object.__setattr__(self, "_open", opened)

    @classmethod
    def parse(cls, text: str) -> "ScopeSet":
        """Reads the ``scope`` text of a registration or token request.

        v1 scopes are mapped: ``.read`` to ``.rs``, ``.write`` to ``.cud``, ``.*`` to ``.cruds``. A constraint
        is one plain search parameter and its value; modifiers, chains, ``_filter`` and the like are refused.

        Raises:
            MalformedContent: a scope breaks the grammar: ``invalid_scope`` on the wire.

        Source: SMART App Launch 2.2 ``scopes-and-launch-context.html``; RFC 6749 3.3.

        >>> ScopeSet.parse("system/Task.read openid system/Patient.rs").text()
        'system/Patient.rs system/Task.rs openid'
        """
        resource: list[Scope] = []
        other: list[str] = []
        for token in text.split(" "):
            if not token:
                continue
            if not _TOKEN.fullmatch(token):
                raise MalformedContent("A scope holds a character that scopes cannot have.")
            if token.startswith(_CLAIMS_RESOURCE):
                resource.append(_scope(token))
            else:
                other.append(token)
        return cls(tuple(resource), tuple(other))

    @property
    def opens_nothing(self) -> bool:
        """Tells that no resource scope is left: ``invalid_scope`` on the wire.

        >>> ScopeSet.parse("openid").opens_nothing
        True
        """
        return not self.scopes

    def covers(self, type_name: str, letter: str, context: Context = "system") -> bool:
        """Tells whether an unconstrained scope allows this interaction with every resource of the type.

        ``*`` covers nothing: it is expanded to types before a set is kept (O-04). A constrained scope is not
        counted here, because whoever asks this would forget the constraint: see :meth:`limits`.

        Args:
            type_name: such as ``Task``.
            letter: one of ``c r u d s``.
            context: ``system``, ``user`` or ``patient``.

        >>> held = ScopeSet.parse("system/Task.rs system/Observation.r?category=x")
        >>> held.covers("Task", "s"), held.covers("Task", "u"), held.covers("Observation", "r")
        (True, False, False)
        """
        return (context, type_name, letter) in self._open

    def limits(
        self, type_name: str, letter: str, context: Context = "system"
    ) -> tuple[tuple[Constraint, ...], ...]:
        """Gives the ways in which the set allows this interaction: one of them must hold, each part of it.

        An empty answer is a no. A way without constraints (``()``) is an unlimited yes.

        >>> held = ScopeSet.parse("system/Observation.rs?category=x&status=final")
        >>> held.limits("Observation", "s")
        ((('category', 'x'), ('status', 'final')),)
        >>> held.limits("Observation", "u")
        ()
        """
        if (context, type_name, letter) in self._open:
            return ((),)
        return tuple(
            scope.constraints
            for scope in self.scopes
            if scope.context == context and scope.type == type_name and letter in scope.letters
        )

    def expanded(self, types: Iterable[str]) -> "ScopeSet":
        """Gives the set with every ``*`` written out as these types: what a registration keeps.

        Without that a scope would also open types the hub serves only later.

        >>> ScopeSet.parse("system/*.rs").expanded(["Task", "Patient"]).text()
        'system/Patient.rs system/Task.rs'
        """
        known = tuple(types)
        return ScopeSet(
            tuple(
                Scope(scope.context, type_name, scope.letters, scope.constraints)
                for scope in self.scopes
                for type_name in (known if scope.type == "*" else (scope.type,))
            ),
            self.other,
        )

    def text(self) -> str:
        """Gives the set as the ``scope`` text of a token response, in v2 spelling."""
        return " ".join((*(scope.text() for scope in self.scopes), *self.other))


def granted_scopes(
    registered: ScopeSet,
    requested: ScopeSet,
    *,
    floor: Mapping[str, str] = LOOP_FLOOR,
    backed_types: Collection[str] = frozenset(),
) -> ScopeSet:
    """Gives the scopes a token gets: what is both registered and requested, and has something behind it.

    A type that no live release and no own record backs keeps its letters of the floor, and ``c``: an
    organisation's own record of a type begins with a create, which shows nothing of anybody else. ``*`` in
    the request stands for the registered types; ``*`` in the registration counts for nothing.

    Args:
        registered: the registration of the OAuth client.
        requested: what the token request asks for.
        floor: letters by type that closing the loop needs.
        backed_types: types of which the organisation owns records, or that a live release opens to it.

    Returns:
        a set that never allows more than either input; where :attr:`ScopeSet.opens_nothing`, answer
        ``invalid_scope``.

    Source: ``views.md`` 7; ``consent.md`` 0, 3 and O-04.

    >>> registered = ScopeSet.parse("system/Task.cruds system/Condition.rs")
    >>> granted_scopes(registered, ScopeSet.parse("system/*.rs")).text()
    'system/Condition.rs system/Task.rs'
    >>> granted_scopes(registered, ScopeSet.parse("system/Condition.rs"), floor={}).opens_nothing
    True
    """
    found: list[Scope] = []
    for kept in registered.scopes:
        if kept.type == "*":
            continue
        allowed = LETTERS if kept.type in backed_types else floor.get(kept.type, "") + "c"
        for asked in requested.scopes:
            if asked.context != kept.context or asked.type not in (kept.type, "*"):
                continue
            letters = "".join(
                letter
                for letter in LETTERS
                if letter in kept.letters and letter in asked.letters and letter in allowed
            )
            constraints = tuple(sorted({*kept.constraints, *asked.constraints}))
            found.append(Scope(kept.context, kept.type, letters, constraints))
    return ScopeSet(tuple(found), tuple(set(registered.other) & set(requested.other)))


def _scope(token: str) -> Scope:
    match = _RESOURCE.fullmatch(token)
    if match is None:
        raise MalformedContent("A resource scope is written as system/Type.rs.")
    context, type_name, permission, query = match.groups()
    letters = _V1.get(permission)
    if letters is None:
        if not permission or not _V2.fullmatch(permission):
            raise MalformedContent("The letters of a scope are some of c, r, u, d, s, in this order.")
        letters = permission
    elif query is not None:
        raise MalformedContent("Only a scope of version 2 can carry a search parameter.")
    return Scope(context, type_name, letters, () if query is None else _constraints(query))


def _constraints(query: str) -> tuple[Constraint, ...]:
    found: set[Constraint] = set()
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if not value or not (_PARAMETER.fullmatch(name) or name in _RESULT_PARAMETERS):
            raise MalformedContent(
                "A scope may be limited by plain search parameters with a value, without modifiers or chains."
            )
        found.add((name, unquote(value)))
    return tuple(sorted(found))


def _tidy(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Gives one scope per context, type and constraints, without letters that a wider one already has."""
    merged: dict[tuple[str, str, tuple[Constraint, ...]], set[str]] = {}
    for scope in scopes:
        merged.setdefault((scope.context, scope.type, scope.constraints), set()).update(scope.letters)
    found = []
    for (context, type_name, constraints), letters in merged.items():
        wider = merged.get((context, type_name, ()), set()) if constraints else set()
        text = "".join(letter for letter in LETTERS if letter in letters and letter not in wider)
        if text:
            found.append(Scope(context, type_name, text, constraints))
    return tuple(sorted(found))
