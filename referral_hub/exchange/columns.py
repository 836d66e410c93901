"""The columns of a resource: what decisions and searches read instead of its body.

What lives here: how person, category, labels, hot columns and special kinds are found in a body, by the type's
declaration. What does not: the tables of categories and labels (``access``), SQL (``store``).

Source: ``views.md`` 4 and 9 (labels live in columns), ``performance.md`` 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from referral_hub.access.categories import category_of
from referral_hub.access.labels import confidentiality_of
from referral_hub.exchange.ports import ResourceRow
from referral_hub.fhir.canonical import code_system, structure
from referral_hub.fhir.dates import span as parse_span
from referral_hub.fhir.elements import at_path, code_in, codings, extension, reference_text, text_at
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.consent import CONSENT_KIND
from referral_hub.resources.definition import ResourceDefinition
from referral_hub.resources.measure_report import INDIVIDUAL
from referral_hub.resources.task import NEVER_RELEASED_CODES, TASK_CODES

NO_NAME = structure("no-name-referral")
LISTED = structure("directory-listed")
SHELTER = "shelter"
_UNSHOWABLE = frozenset({"modifierExtension", "implicitRules"})
"""Elements that no copy may leave out and none can show (``access.redact_table``): nobody else counts such a row."""
ORGANIZATION_TYPE = code_system("organization-type")
_BASED_ON_TYPES = frozenset({"ServiceRequest"})


@dataclass(frozen=True, slots=True)
class Columns:
    """The decided columns of one body."""

    person: int | None
    category: str
    confidentiality: str
    sensitivities: tuple[str, ...]
    status: str
    owner: str
    requester: str
    focus: int | None
    based_on: int | None
    data_from_us: int | None
    data_until_us: int | None
    directory: bool
    never_release: bool
    kind: str
    custodian: str


def private_columns(person: int | None, *, kind: str = "") -> Columns:
    """Gives the columns of something that never leaves the organisation that keeps it."""
    return Columns(
        person=person,
        category="own",
        confidentiality="R",
        sensitivities=(),
        status="",
        owner="",
        requester="",
        focus=None,
        based_on=None,
        data_from_us=None,
        data_until_us=None,
        directory=False,
        never_release=True,
        kind=kind,
        custodian="",
    )


def organization_of(reference: str) -> str:
    """Gives the organisation id a relative reference names, or an empty text.

    >>> organization_of("Organization/a1")
    'a1'
    """
    type_name, _, rest = reference.partition("/")
    return rest.partition("/")[0] if type_name == "Organization" else ""


def columns_of(
    definition: ResourceDefinition,
    body: dict[str, Any],
    targets: Mapping[str, ResourceRow],
    *,
    own_row: int,
    author_kind: str,
) -> tuple[Columns, list[Issue]]:
    """Gives the columns of a body and what is wrong with whom it is about.

    Args:
        definition: the type's declaration.
        body: the decoded, valid resource.
        targets: rows of what it points at, by ``Type/id``.
        own_row: the row id of this resource.
        author_kind: the organisation type of its author, for directory entries of shelters.

    Returns:
        the columns, and issues where it mixes two persons.
    """
    issues: list[Issue] = []
    person = _person(definition, body, targets, own_row)
    based = _based_on(definition, body, targets)
    if based is not None and person is not None and based.person not in (None, person):
        issues.append(
            Issue(
                "error",
                "business-rule",
                "The request it is based on is about somebody else. Name the same person in both.",
                f"{definition.type_name}.{definition.subject[0] if definition.subject else 'basedOn'}",
            )
        )
    if based is not None and person is None:
        person = based.person
    inherited = based.category if based is not None and definition.inherits else ""
    if definition.type_name == "Binary":
        context = targets.get(reference_text(body.get("securityContext")))
        inherited = context.category if context is not None else ""
    listed = _in_directory(definition, body, targets, author_kind)
    category = "directory" if listed else category_of(body, inherited)
    confidentiality, sensitivities = confidentiality_of(body, category)
    owner = _owner(body)
    low, high = _data_span(definition, body)
    return (
        Columns(
            person=person,
            category=category,
            confidentiality=confidentiality,
            sensitivities=tuple(sensitivities),
            status=text_at(body, definition.status_element) if definition.status_element else "",
            owner=owner if definition.type_name == "Task" else "",
            requester=organization_of(reference_text(body.get("requester"))),
            focus=based.row_id if based is not None and definition.type_name == "Task" else None,
            based_on=based.row_id if based is not None and definition.type_name != "Task" else None,
            data_from_us=low,
            data_until_us=high,
            directory=listed,
            never_release=not listed and _never_release(definition, body),
            kind=_kind(definition, body, author_kind),
            custodian=organization_of(text_at(body, "organization.reference"))
            if definition.type_name == "Consent"
            else "",
        ),
        issues,
    )


def _true(found: Any) -> bool:
    return isinstance(found, dict) and found.get("valueBoolean") is True


def _in_directory(
    definition: ResourceDefinition,
    body: dict[str, Any],
    targets: Mapping[str, ResourceRow],
    author_kind: str,
) -> bool:
    """Tells whether every client reads it: not a shelter's place, and nothing that leads out of the directory."""
    if (author_kind == SHELTER and not definition.at_shelter) or _UNSHOWABLE & body.keys():
        return False
    if definition.listed:
        return _true(extension(body, LISTED))
    return definition.directory and all(
        (target := targets.get(reference_text(found).partition("/_history/")[0])) is not None
        and target.directory
        for element in definition.subject
        for found in at_path(body, element)
    )


def _person(
    definition: ResourceDefinition, body: dict[str, Any], targets: Mapping[str, ResourceRow], own_row: int
) -> int | None:
    if definition.type_name == "Patient":
        return own_row
    for element in definition.subject:
        for reference in at_path(body, element):
            target = targets.get(reference_text(reference).partition("/_history/")[0])
            if target is not None and target.person is not None:
                return target.person
    return None


def _based_on(
    definition: ResourceDefinition, body: dict[str, Any], targets: Mapping[str, ResourceRow]
) -> ResourceRow | None:
    for element in definition.based_on:
        for reference in at_path(body, element):
            target = targets.get(reference_text(reference).partition("/_history/")[0])
            if target is not None and target.type in _BASED_ON_TYPES:
                return target
    return None


def _owner(body: dict[str, Any]) -> str:
    return organization_of(reference_text(body.get("owner")))


def _data_span(definition: ResourceDefinition, body: dict[str, Any]) -> tuple[int | None, int | None]:
    for element in definition.date_elements:
        value = body.get(element)
        if isinstance(value, str):
            low, high = parse_span(value)
            return low, high
        if isinstance(value, dict):
            start, end = value.get("start"), value.get("end")
            low_us = parse_span(start)[0] if isinstance(start, str) else None
            high_us = parse_span(end)[1] if isinstance(end, str) else None
            if low_us is not None or high_us is not None:
                return low_us, high_us
    return None, None


def _never_release(definition: ResourceDefinition, body: dict[str, Any]) -> bool:
    if not definition.opened or (not definition.is_referral and _UNSHOWABLE & body.keys()):
        return True
    if definition.type_name == "MeasureReport":
        return body.get("type") != INDIVIDUAL
    if definition.type_name == "Task":
        return any(s == TASK_CODES and code in NEVER_RELEASED_CODES for s, code in codings(body.get("code")))
    if definition.type_name == "Observation":
        found = code_in(body.get("code"), code_system("observation"))
        return found in ("cannot-sign-now", "contact-lost")
    if definition.type_name == "Communication":
        return code_in(body.get("category"), code_system("communication-category")) in (
            "ways-back",
            "supervision",
        )
    return False


def _kind(definition: ResourceDefinition, body: dict[str, Any], author_kind: str) -> str:
    if definition.type_name == "Patient":
        return "no-name" if _true(extension(body, NO_NAME)) else ""
    if definition.type_name == "Consent":
        return code_in(body.get("category"), CONSENT_KIND)
    if definition.type_name == "Task":
        return code_in(body.get("code"), TASK_CODES)
    if definition.type_name == "Organization" and code_in(body.get("type"), ORGANIZATION_TYPE) == SHELTER:
        return SHELTER
    if definition.directory or definition.listed:
        return author_kind
    return ""
