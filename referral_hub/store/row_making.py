"""From a driver's plain tuple to the rows that decisions are made on.

What lives here: which columns a row is made of, in which order, and how it is made. What does not: the
statements that fetch them (``store.read``, ``store.search_sql``, ``store.view_queries``), keys
(``store.bodies``).
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from referral_hub.access.principal import OrganizationFacts
from referral_hub.exchange.ports import ConsentRow, OrganizationRow, ResourceRow
from referral_hub.store.bodies import OWN, Bodies, body_label

Columns = list[sa.ColumnElement[Any]]
Found = Sequence[Any]

_RESOURCE = (
    "row_id",
    "type",
    "id",
    "version",
    "number",
    "updated_us",
    "author",
    "custodian",
    "person",
    "category",
    "confidentiality",
    "sensitivities",
    "status",
    "owner",
    "requester",
    "focus",
    "based_on",
    "data_from_us",
    "data_until_us",
    "directory",
    "never_release",
    "foreign_elements",
    "kind",
    "deleted",
    "written_by",
    "method",
    "body_format",
    "body",
)
RESOURCE_WIDTH = len(_RESOURCE)
PERSON, BODY_FORMAT = _RESOURCE.index("person"), _RESOURCE.index("body_format")
"""Where two of these columns stand."""
_CONSENT = ("row_id", "id", "version", "status", "custodian", "person", "body_format", "body")
_ORGANIZATION = (
    "id",
    "ancestors",
    "kind",
    "governmental",
    "country",
    "active",
    "version",
    "part_of",
    "neutral_name",
    "name",
    "fhir_endpoint",
    "poll_seconds",
    "is_hub",
    "row_id",
)

ORGANIZATION_WIDTH = len(_ORGANIZATION)


def resource_columns(rows: sa.FromClause) -> Columns:
    """Gives the columns of a resource or one of its versions, as :func:`resource_row` takes them."""
    return [rows.c[name] for name in _RESOURCE]


def consent_columns(rows: sa.FromClause) -> Columns:
    """Gives the columns of a Consent, as :func:`consent_row` takes them."""
    return [rows.c[name] for name in _CONSENT]


def organization_columns(rows: sa.FromClause) -> Columns:
    """Gives the columns of an organisation, as :func:`organization_row` takes them."""
    return [rows.c[name] for name in _ORGANIZATION]


def resource_row(found: Found, bodies: Bodies) -> ResourceRow:
    """Makes a resource row and opens its body; one that needs an organisation's own key may stay locked.

    Args:
        found: the values of :func:`resource_columns`.
        bodies: opens what lies sealed.

    Raises:
        Unavailable: where the body cannot be opened.
    """
    (
        row_id,
        type_name,
        public_id,
        version,
        number,
        updated_us,
        author,
        custodian,
        person,
        category,
        confidentiality,
        sensitivities,
        status,
        owner,
        requester,
        focus,
        based_on,
        data_from_us,
        data_until_us,
        directory,
        never_release,
        foreign_elements,
        kind,
        deleted,
        written_by,
        method,
        body_format,
        body,
    ) = found
    own_file, locked = body_format == OWN, False
    if own_file:
        body = bodies.open_own(body, person, body_label(public_id, version))
        if body is None:
            body, locked = b"", True
    elif body_format:
        body = bodies.open(body, body_format, person, body_label(public_id, version))
    return ResourceRow(
        row_id,
        type_name,
        public_id,
        version,
        number,
        updated_us,
        author,
        custodian,
        person,
        category,
        confidentiality,
        tuple(sensitivities.split()),
        status,
        owner or "",
        requester or "",
        focus,
        based_on,
        data_from_us,
        data_until_us,
        directory == 1,
        never_release == 1,
        foreign_elements == 1,
        kind,
        deleted == 1,
        body,
        written_by,
        method,
        locked,
        own_file,
    )


def consent_row(found: Found, bodies: Bodies) -> ConsentRow:
    """Makes a Consent for the second line of defence, opened.

    Raises:
        Unavailable: where the body cannot be opened.
    """
    row_id, public_id, version, status, custodian, person, body_format, body = found
    opened = bodies.open(body, body_format, person, body_label(public_id, version))
    return ConsentRow(row_id, public_id, version, status, opened, custodian)


def organization_facts(found: Found) -> OrganizationFacts:
    """Makes what sharing is decided on: id, ancestors, kind, governmental, country, active."""
    public_id, ancestors, kind, governmental, country, active = found
    return OrganizationFacts(
        public_id, tuple(ancestors.split()), kind, governmental == 1, country, active == 1
    )


def organization_row(found: Found) -> OrganizationRow:
    """Makes an organisation as the hub knows it."""
    version, part_of, neutral_name, name, fhir_endpoint, poll_seconds, is_hub, row_id = found[6:]
    return OrganizationRow(
        organization_facts(found[:6]),
        version,
        part_of,
        neutral_name,
        name,
        fhir_endpoint,
        poll_seconds,
        is_hub == 1,
        row_id,
    )
