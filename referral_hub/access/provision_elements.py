"""Reading one provision of a Consent, element by element.

What lives here: actors, purposes, labels, classes, codes and data of a provision. What does not: its periods
(``access.provision_times``), how provisions are nested and what a Consent as a whole means
(``access.provisions``).

A permit is either understood whole or left out. A deny forgets the condition that is not understood, and so
stops more.

Source: FHIR R4 Consent.provision; ``consent.md`` C-08 to C-20.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from referral_hub.access.categories import CATEGORIES, INFORMATION_CATEGORY
from referral_hub.access.emergency import EMERGENCY, EMERGENCY_CATEGORIES, OPENING
from referral_hub.access.facts import RANKS, RESTRICTED, VERY
from referral_hub.access.labels import HUB_SENSITIVITY
from referral_hub.access.provision_times import data_period, narrow, wide
from referral_hub.access.rules import ACCESS_ONLY, Deny, Kind, Permit
from referral_hub.fhir import references
from referral_hub.fhir.canonical import (
    ACT_CODE,
    ACT_REASON,
    CANONICAL,
    CONFIDENTIALITY,
    PARTICIPATION_TYPE,
    code_system,
)
from referral_hub.fhir.code_tables import defined_codes
from referral_hub.fhir.dates import LATEST_US
from referral_hub.fhir.elements import codings, reference_text
from referral_hub.fhir.outcome import Issue

ORGANIZATION_KIND = f"{CANONICAL}/organization-kind"
GOVERNMENT_OF = f"{CANONICAL}/government-of"
PURPOSE = code_system("purpose")
CONSENT_ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"

ORGANIZATION_KINDS = frozenset(
    {
        "shelter",
        "clinic",
        "legal-aid",
        "immigration",
        "interpreter",
        "employment",
        "housing",
        "education",
        "social-services",
        "law-enforcement",
        "coordinator",
        "governmental",
    }
)
"""The kinds a refusal can name: the types of an organisation, and ``governmental`` across them."""

_ACTIONS = frozenset({"access", "collect", "use", "correct", "disclose"})
_COUNTRY = re.compile(r"[A-Z]{2}")
_ELEMENTS = frozenset(
    {
        "id",
        "type",
        "period",
        "actor",
        "action",
        "securityLabel",
        "purpose",
        "class",
        "code",
        "dataPeriod",
        "data",
        "provision",
    }
)
_UNKNOWN_CONDITION = "A provision cannot carry a condition that the hub does not know."
_NONE: frozenset[str] = frozenset()
_T = TypeVar("_T")
_Node = Mapping[str, Any]
_Times = tuple[int | None, int | None]
_Bound = tuple[int | None, frozenset[str] | None]
_Class = tuple[frozenset[str] | None, frozenset[str]]
_Data = tuple[frozenset[str] | None, frozenset[str], frozenset[str]]

_ANY_LABEL: _Bound = (None, None)
_ANY_TIME: _Times = (None, None)
_ANY_CLASS: _Class = (None, _NONE)
_ANY_DATA: _Data = (None, _NONE, _NONE)


class Reader:
    """Reads provisions and notes in ``issues`` what it does not understand."""

    def __init__(self, issues: list[Issue]) -> None:
        self._issues = issues

    def permit(self, node: _Node, path: str, root: _Node, root_path: str, *, kind: Kind) -> Permit | None:
        """Gives a permit, or None where any part of it is not understood.

        An exception of a refusal may go on without an end; every other permit ends.
        """
        before = len(self._issues)
        self._known_elements(node, path)
        from_us, until_us = narrow(((node, path), (root, root_path)), self._issue)
        if until_us == LATEST_US and kind != "refusal":
            self._issue(f"{path}.period.end", "Say when this permission ends.")
        ceiling, sensitivities = self._coverage(node, path)
        categories, types = self._classes(node, path)
        instances, _, authors = self._data(node, path, stops=False)
        data_from_us, data_until_us = data_period(node, path, self._issue)
        if kind and instances is not None:
            ceiling = VERY  # an instance that she named is opened whole (views.md 9)
        if "code" in node:
            self._issue(f"{path}.code", "A permission by code would miss what nobody coded: name a category.")
        units = self._units(node, path)
        purposes = self._required_purposes(node, path)
        if EMERGENCY in purposes:
            purposes = self._emergency(purposes, categories, types, instances, authors, ceiling, path)
        permit = Permit(
            path,
            units,
            purposes,
            from_us,
            until_us,
            self._actions(node, path) or ACCESS_ONLY,
            ceiling,
            sensitivities,
            categories,
            types,
            instances,
            authors,
            data_from_us,
            data_until_us,
        )
        return permit if len(self._issues) == before else None

    def deny(self, node: _Node, path: str, root: _Node, root_path: str) -> Deny:
        """Gives a deny, without the conditions that are not understood."""
        self._known_elements(node, path)
        from_us, until_us = wide(((node, path), (root, root_path)), self._issue)
        at_least, sensitivities = self._or(lambda: self._lower_bound(node, path), _ANY_LABEL)
        categories, types = self._or(lambda: self._classes(node, path), _ANY_CLASS)
        instances, dependents, authors = self._or(lambda: self._data(node, path, stops=True), _ANY_DATA)
        data_from_us, data_until_us = self._or(lambda: data_period(node, path, self._issue), _ANY_TIME)
        return Deny(
            path,
            self._or(lambda: self._targets(node, path), None),
            self._or(lambda: self._purposes(node, path), None),
            from_us,
            until_us,
            self._or(lambda: self._actions(node, path), None),
            at_least,
            sensitivities,
            categories,
            types,
            self._or(lambda: self._codes(node, path), None),
            instances,
            dependents,
            authors,
            data_from_us,
            data_until_us,
        )

    def whole(self, root: _Node, root_path: str) -> Deny:
        """Gives the deny of everything while the root's period lasts."""
        from_us, until_us = wide(((root, root_path),), self._issue)
        return Deny(root_path, from_us=from_us, until_us=until_us)

    def _units(self, node: _Node, path: str) -> frozenset[str]:
        """Gives the organisations a permit names by reference, each as recipient of information."""
        found: set[str] = set()
        actors = self._items(node, "actor", path)
        if not actors:
            self._issue(f"{path}.actor", "Name the one unit that this permission is for.")
        for index, actor in enumerate(actors):
            place = f"{path}.actor[{index}]"
            if set(codings(actor.get("role"))) != {(PARTICIPATION_TYPE, "IRCP")}:
                self._issue(f"{place}.role", "The role of an actor is IRCP, the recipient of information.")
            name = self._local(actor.get("reference"), f"{place}.reference")
            type_name, _, organization = name.partition("/")
            if name and type_name != "Organization":
                self._issue(f"{place}.reference", "A permission names an Organization of this hub.")
            found.add(organization)
        return frozenset(found)

    def _targets(self, node: _Node, path: str) -> frozenset[str] | None:
        """Gives the spellings under which a deny reaches organisations; None for everybody."""
        found: set[str] = set()
        for index, actor in enumerate(self._items(node, "actor", path)):
            place = f"{path}.actor[{index}].reference"
            reference = actor.get("reference")
            identifier = reference.get("identifier") if isinstance(reference, dict) else None
            if isinstance(identifier, dict) and not reference_text(reference):
                found.add(self._logical_target(identifier, f"{place}.identifier"))
                continue
            name = self._local(reference, place)
            type_name, _, organization = name.partition("/")
            if name and type_name != "Organization":
                self._issue(
                    place, "A refusal names an Organization of this hub, a kind of them, or a government."
                )
            found.add(f"org:{organization}")
        return frozenset(found) or None

    def _logical_target(self, identifier: _Node, path: str) -> str:
        system, value = identifier.get("system"), identifier.get("value")
        if not isinstance(value, str):
            value = ""
        if system == ORGANIZATION_KIND and value in ORGANIZATION_KINDS:
            return f"kind:{value}"
        if system == GOVERNMENT_OF and _COUNTRY.fullmatch(value):
            return f"gov:{value}"
        self._issue(
            path, "Name a kind of organisation the hub knows, or a country by its two capital letters."
        )
        return ""

    def _purposes(self, node: _Node, path: str) -> frozenset[str] | None:
        found: set[str] = set()
        for index, (system, code) in self._codings(node, "purpose", path):
            reasons = defined_codes(ACT_REASON) if system == ACT_REASON else None
            if system not in (ACT_REASON, PURPOSE) or (reasons is not None and code not in reasons):
                # A mistyped purpose of a refusal would stop less than she meant.
                self._issue(f"{path}.purpose[{index}]", "A purpose is a code of v3-ActReason or of the hub.")
            found.add(code)
        return frozenset(found) or None

    def _emergency(
        self,
        purposes: frozenset[str],
        categories: frozenset[str] | None,
        types: frozenset[str],
        instances: frozenset[str] | None,
        authors: frozenset[str],
        ceiling: int,
        path: str,
    ) -> frozenset[str]:
        """Gives the purpose a permit for emergencies is compiled under; it names the clinical class and no more."""
        if purposes != {EMERGENCY}:
            self._issue(f"{path}.purpose", "A permission for emergencies is a permission of its own.")
        if categories is None or not categories <= EMERGENCY_CATEGORIES or types or instances or authors:
            self._issue(
                f"{path}.class",
                f"For emergencies she may allow {' and '.join(sorted(EMERGENCY_CATEGORIES))}, nothing else.",
            )
        if ceiling > RESTRICTED:
            self._issue(f"{path}.securityLabel", "For emergencies nothing very restricted is allowed.")
        return frozenset((OPENING,))

    def _required_purposes(self, node: _Node, path: str) -> frozenset[str]:
        found = self._purposes(node, path)
        if found is None:
            self._issue(f"{path}.purpose", "Say for which purpose this permission is given.")
        return found or _NONE

    def _actions(self, node: _Node, path: str) -> frozenset[str] | None:
        found: set[str] = set()
        for index, item in enumerate(self._items(node, "action", path)):
            pairs = set(codings(item))
            known = {code for system, code in pairs if system == CONSENT_ACTION and code in _ACTIONS}
            if not pairs or len(known) != len(pairs):
                self._issue(f"{path}.action[{index}]", "An action is a code of consentaction.")
            found |= known
        return frozenset(found) or None

    def _labels(self, node: _Node, path: str) -> tuple[set[int], set[str]]:
        ranks: set[int] = set()
        tags: set[str] = set()
        for index, (system, code) in self._codings(node, "securityLabel", path):
            if system == CONFIDENTIALITY and code in RANKS:
                ranks.add(RANKS[code])
            elif system in (ACT_CODE, HUB_SENSITIVITY):
                tags.add(code)
            else:
                self._issue(f"{path}.securityLabel[{index}]", "A label is one of HL7's or of the hub's own.")
        return ranks, tags

    def _coverage(self, node: _Node, path: str) -> tuple[int, frozenset[str] | None]:
        """Gives up to where a permit reaches, and the tags it covers where it lists any."""
        ranks, tags = self._labels(node, path)
        return max(ranks, default=RESTRICTED), frozenset(tags) or None

    def _lower_bound(self, node: _Node, path: str) -> _Bound:
        """Gives from where on a deny stops, and the tags of which each is enough."""
        ranks, tags = self._labels(node, path)
        return min(ranks, default=None), frozenset(tags) or None

    def _classes(self, node: _Node, path: str) -> _Class:
        categories: set[str] = set()
        types: set[str] = set()
        for index, (system, code) in self._codings(node, "class", path):
            if system == INFORMATION_CATEGORY and code in CATEGORIES:
                categories.add(code)
            elif system == RESOURCE_TYPES:
                types.add(code)
            else:
                self._issue(f"{path}.class[{index}]", "A class is one of the hub's information categories.")
        return (frozenset(categories) if categories or types else None), frozenset(types)

    def _codes(self, node: _Node, path: str) -> frozenset[str] | None:
        found: set[str] = set()
        for index, concept in enumerate(self._items(node, "code", path)):
            pairs = set(codings(concept))
            if not pairs:
                self._issue(f"{path}.code[{index}]", "A code needs a code: text alone cannot be compared.")
            found.update(f"{system}|{code}" for system, code in pairs)
        return frozenset(found) or None

    def _data(self, node: _Node, path: str, *, stops: bool) -> _Data:
        """Gives the instances, those whose referrers count too, and authors.

        What an instance refers to (``related``) is not known from the other resource: a permit opens the
        instance alone, and a deny of it stops everything.
        """
        instances: set[str] = set()
        dependents: set[str] = set()
        authors: set[str] = set()
        items = self._items(node, "data", path)
        for index, item in enumerate(items):
            place = f"{path}.data[{index}]"
            meaning = item.get("meaning")
            name = self._local(item.get("reference"), f"{place}.reference")
            if meaning == "authoredby" and name.startswith("Organization/"):
                authors.add(name.partition("/")[2])
            elif meaning == "instance" or (meaning == "related" and not stops):
                instances.add(name)
            elif meaning == "dependents" and stops:
                instances.add(name)
                dependents.add(name)
            else:
                self._issue(f"{place}.meaning", "Data are named as single instances.")
        return (frozenset(instances) if items else None), frozenset(dependents), frozenset(authors)

    def _local(self, reference: object, path: str) -> str:
        """Gives ``Type/id`` of a reference to a resource of this hub, whatever its version."""
        try:
            found = references.of(reference) if isinstance(reference, dict) else None
        except (TypeError, ValueError):
            found = None
        if found is None or found.kind != "relative" or found.version:
            self._issue(path, "Refer to a resource of this hub as Type/id.")
            return ""
        return found.local

    def _codings(self, node: _Node, element: str, path: str) -> Iterator[tuple[int, tuple[str, str]]]:
        for index, item in enumerate(self._items(node, element, path)):
            system, code = item.get("system"), item.get("code")
            if isinstance(code, str) and code:
                yield index, (system if isinstance(system, str) else "", code)
            else:
                self._issue(f"{path}.{element}[{index}]", "A code is missing here.")

    def _items(self, node: _Node, element: str, path: str) -> list[_Node]:
        """Gives the parts of a repeating element; none where it is absent."""
        value = node.get(element)
        if value is None and element not in node:
            return []
        if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
            self._issue(f"{path}.{element}", "This element cannot be read.")
            return []
        return value

    def _known_elements(self, node: _Node, path: str) -> None:
        for key, value in node.items():
            if key == "provision":
                continue
            if key not in _ELEMENTS or (isinstance(value, (dict, list)) and _extended(value)):
                self._issue(f"{path}.{key}", _UNKNOWN_CONDITION)

    def _or(self, read: Callable[[], _T], otherwise: _T) -> _T:
        """Gives what was read, or the other where something in it was not understood."""
        before = len(self._issues)
        found = read()
        return found if len(self._issues) == before else otherwise

    def _issue(self, path: str, text: str) -> None:
        self._issues.append(Issue("error", "invalid", text, path))


def _extended(value: dict[str, Any] | list[Any]) -> bool:
    """Tells whether there is an extension anywhere inside, on a primitive part too."""
    if isinstance(value, dict):
        if any(key == "extension" or key.startswith("_") for key in value):
            return True
        value = list(value.values())
    return any(_extended(child) for child in value if isinstance(child, (dict, list)))
