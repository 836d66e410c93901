"""An organisation's own file under its own key: which rows, their network copies, and the end of those copies.

What lives here: the types of an own file, the condition under which a release covers a row, and the statements that
put a network copy in a row's place and take it away. What does not: keys (``keyring.own_file``), whether somebody may
see a row (``exchange.gate``), which never depends on a copy being there.

A row of an own file is sealed to its author's public key (``bodies.OWN``). While a release covers it, a copy that the
hub can open stands in its place (``bodies.SHARED``) and the sealed one waits in ``own_body``; with the end of the
release the sealed one is put back, in the same transaction, by SQL alone. A copy is only ever made in a transaction
that finds the release, with the person's row locked, so that it cannot cross a withdrawal.

Source: ``engine.md`` 4; ``consent.md`` F-25 (each organisation keeps its own file and its own key).
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from referral_hub.exchange.change import ResourceWrite
from referral_hub.store import schema
from referral_hub.store.bodies import OWN, SHARED
from referral_hub.store.consent_filter import inside, name_of, very_restricted
from referral_hub.store.plan import Rule, Step, many
from referral_hub.store.referral_filter import Condition, Rows
from referral_hub.store.statements import WRITES, Statement, constant, octets, one_of, whole, words

TYPES = frozenset(
    {
        "Appointment",
        "Basic",
        "Binary",
        "CarePlan",
        "CareTeam",
        "Communication",
        "Composition",
        "Condition",
        "DocumentReference",
        "Encounter",
        "EpisodeOfCare",
        "Flag",
        "Goal",
        "MeasureReport",
        "Observation",
        "Patient",
        "Procedure",
        "QuestionnaireResponse",
        "RelatedPerson",
        "RiskAssessment",
    }
)
"""What an own file is made of, where it is about a person.

A Consent, a Task, a ServiceRequest and a Provenance are not of it: the hub reads permissions, referrals and who acted
at any hour, when timers end, in the delivery process, for whoever is to be told.
"""

_YES, _NO = constant(1), constant(0)
_ONE: "sa.ColumnElement[Any]" = sa.literal_column("1")
_resource, _version, _own = schema.resource, schema.resource_version, schema.own_body


def is_own_file(write: ResourceWrite) -> bool:
    """Tells whether a version belongs to its author's own file."""
    return write.person is not None and write.type in TYPES and not write.directory and bool(write.body)


def covered(r: Rows) -> Condition:
    """Holds for rows of a person that a release to another organisation covers now, or from a later day on.

    The bare notice is made of the Patient, so every release covers her. A release of a document names the document,
    and its Binary goes with it. What answers a referral without a name needs no release.
    """
    grant, access, now = schema.consent_grant.alias(), schema.referral_access.alias(), schema.resource.alias()
    named = sa.or_(
        sa.and_(grant.c.resource == constant(""), grant.c.category == r.c.category),
        sa.and_(grant.c.resource != constant(""), grant.c.resource == name_of(r)),
        r.c.type == constant("Patient"),
        sa.and_(
            r.c.type == constant("Binary"),
            sa.func.substr(grant.c.resource, constant(1), constant(17)) == constant("DocumentReference"),
        ),
    )
    released = sa.exists(_ONE).where(
        grant.c.person == r.c.person,
        grant.c.organization != r.c.author,
        grant.c.valid_until_us > whole("at_us"),
        named,
        sa.or_(r.c.type == constant("Patient"), inside(grant, r)),
        sa.or_(r.c.type == constant("Patient"), grant.c.very_restricted == _YES, sa.not_(very_restricted(r))),
    )
    nameless = sa.exists(_ONE).where(
        access.c.person == r.c.person,
        access.c.organization != r.c.author,
        access.c.nameless == _YES,
        sa.or_(access.c.back == _YES, r.c.type == constant("Patient")),
        sa.or_(access.c.until_us.is_(None), access.c.until_us > whole("at_us")),
    )
    stands = sa.exists(_ONE).where(now.c.row_id == r.c.row_id, now.c.deleted == _NO)
    return sa.and_(
        r.c.never_release == _NO,
        r.c.directory == _NO,
        sa.or_(released.correlate(r), nameless.correlate(r)),
        stands.correlate(r),
    )


# --- what a Change does -----------------------------------------------------------------------------------

WRITES.add(
    "own_file_lock",
    sa.update(schema.person)
    .where(schema.person.c.row_id == whole("person"))
    .values(epoch=schema.person.c.epoch),
)
"""Holds the person's row, which every change of a permission raises: a copy and a withdrawal go one after the other."""

_waits = ("row_id", "version", "body")
WRITES.add(
    "own_file_lay_by",
    sa.insert(_own).from_select(
        list(_waits),
        sa.select(*(_version.c[name] for name in _waits)).where(
            _version.c.row_id == whole("row_id"),
            _version.c.version == words("version"),
            _version.c.body_format == constant(OWN),
            covered(_version),
        ),
    ),
)


def _laid_by(r: Rows) -> Condition:
    found = sa.exists(_ONE).where(_own.c.row_id == r.c.row_id, _own.c.version == r.c.version)
    return found.correlate(r)


for _table in (_version, _resource):
    WRITES.add(
        f"own_file_share_{_table.name}",
        sa.update(_table)
        .where(
            _table.c.row_id == whole("row_id"),
            _table.c.version == words("version"),
            _table.c.body_format == constant(OWN),
            _laid_by(_table),
        )
        .values(body_format=constant(SHARED), body=octets("body")),
    )
_hers = sa.select(_resource.c.row_id).where(_resource.c.person == whole("person"))
for _table in (_version, _resource):
    _waiting = (
        sa.select(_own.c.body)
        .where(_own.c.row_id == _table.c.row_id, _own.c.version == _table.c.version)
        .correlate(_table)
        .scalar_subquery()
    )
    WRITES.add(
        f"own_file_close_{_table.name}",
        sa.update(_table)
        .where(
            _table.c.row_id.in_(_hers),
            _table.c.body_format == constant(SHARED),
            _laid_by(_table),
            sa.not_(covered(_table)),
        )
        .values(body_format=constant(OWN), body=_waiting),
    )
_shared = sa.exists(_ONE).where(
    _version.c.row_id == _own.c.row_id,
    _version.c.version == _own.c.version,
    _version.c.body_format == constant(SHARED),
)
WRITES.add("own_file_tidy", sa.delete(_own).where(_own.c.row_id.in_(_hers), sa.not_(_shared.correlate(_own))))

for _table in (_version, _resource):
    WRITES.add(
        f"own_file_seal_{_table.name}",
        sa.update(_table)
        .where(
            _table.c.row_id == whole("row_id"),
            _table.c.version == words("version"),
            _table.c.body_format == whole("before"),
        )
        .values(body_format=constant(OWN), body=octets("body")),
    )
WRITES.add(
    "own_file_seal_own_body",
    sa.update(_own)
    .where(_own.c.row_id == whole("row_id"), _own.c.version == words("version"))
    .values(body=octets("body")),
)

_sealed = sa.select(_resource.c.row_id, _resource.c.id, _resource.c.version, _resource.c.body).where(
    _resource.c.person == whole("person"), _resource.c.body_format == constant(OWN)
)
LOCKED_COVERED = Statement("own_file_locked_covered", _sealed.where(covered(_resource)))
"""Rows of a person that a release covers and nobody has opened for it yet."""
_under = sa.func.substr(_version.c.body, constant(1), constant(8)) != octets("key")
UNDER_EARLIER = Statement(
    "own_file_under_earlier",
    sa.select(_version.c.row_id, _version.c.id, _version.c.version, _version.c.body, constant(1))
    .where(
        _version.c.row_id.in_(_hers),
        _version.c.author == words("organization"),
        _version.c.body_format == constant(OWN),
        _under,
    )
    .union_all(
        sa.select(_own.c.row_id, _resource.c.id, _own.c.version, _own.c.body, constant(0))
        .select_from(_own.join(_resource, _resource.c.row_id == _own.c.row_id))
        .where(
            _resource.c.person == whole("person"),
            _resource.c.author == words("organization"),
            sa.func.substr(_own.c.body, constant(1), constant(8)) != octets("key"),
        )
    ),
)
"""A person's versions that are sealed to an earlier key of an organisation: in place (1), or laid by (0)."""
LOCKED_OF_CATEGORIES = Statement(
    "own_file_locked_of_categories",
    _sealed.where(
        sa.or_(
            one_of(_resource.c.category, "categories"),
            one_of(name_of(_resource), "names"),
            _resource.c.type == constant("Patient"),
            _resource.c.type == constant("Binary"),
        )
    ),
)
"""Rows of a person that a release may cover which is being written: what it really covers is asked in its Change."""


def guards_of(persons: Iterable[int]) -> list[Step]:
    """Gives the steps that hold persons' rows, before anything else is locked."""
    return [("own_file_lock", Rule.ANY, {"person": person}) for person in sorted(persons)]


def share_steps(offers: Iterable[Mapping[str, Any]], at_us: int) -> list[Step]:
    """Gives the steps that put network copies in their rows' places, where a release covers those then.

    Args:
        offers: ``row_id``, ``version`` and ``body``, sealed under the person's key alone.
        at_us: now, microseconds UTC.
    """
    offers = list(offers)
    keys = [{"row_id": one["row_id"], "version": one["version"], "at_us": at_us} for one in offers]
    return [
        *many("own_file_lay_by", keys),
        *many("own_file_share_resource_version", offers),
        *many("own_file_share_resource", offers),
    ]


def seal_steps(sealed: list[dict[str, Any]]) -> list[Step]:
    """Gives the steps that put a seal to an organisation's key around versions, where they lie as they did before.

    Args:
        sealed: ``row_id``, ``version``, ``body`` as it is to lie, and ``before``, the format in which it lies now.
    """
    return [*many("own_file_seal_resource_version", sealed), *many("own_file_seal_resource", sealed)]


def close_steps(persons: Iterable[int], at_us: int) -> list[Step]:
    """Gives the steps that end the network copies of persons which no release covers any more."""
    steps: list[Step] = []
    for person in sorted(persons):
        asked = {"person": person, "at_us": at_us}
        steps += [
            ("own_file_close_resource_version", Rule.ANY, asked),
            ("own_file_close_resource", Rule.ANY, asked),
            ("own_file_tidy", Rule.ANY, {"person": person}),
        ]
    return steps
