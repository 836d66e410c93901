"""Keeping own files as they should lie: sealing what lies open, ending copies that no release covers any more.

What lives here: ``OwnFileKeeper``, for the command that gives an organisation its key and for the delivery process.
What does not: what a Change does by itself (``store.own_file_plan``), which rows are meant (``store.own_file``).

Sealing needs the public key alone: the outer seal is put around bytes that stay as they are. A release that runs out by
time has no Change of its own, so its copies end here, within half a minute.

Source: ``engine.md`` 4.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from referral_hub.store import schema
from referral_hub.store.apply import PlanWriter
from referral_hub.store.bodies import OWN, SEALED, SHARED, Bodies, body_label
from referral_hub.store.database import Database
from referral_hub.store.own_file import TYPES, close_steps, covered, guards_of, seal_steps, share_steps
from referral_hub.store.plan import Plan, own_plan
from referral_hub.store.statements import Parameters, Statement, constant, one_of, whole, words

BATCH = 100

_version, _own, _resource = schema.resource_version, schema.own_body, schema.resource
_OPEN = Statement(
    "own_file_open",
    sa.select(_version.c.row_id, _version.c.id, _version.c.version, _version.c.person, _version.c.body)
    .where(
        one_of(_version.c.type, "types"),
        _version.c.author == words("organization"),
        _version.c.person.is_not(None),
        _version.c.directory == constant(0),
        _version.c.body_format == constant(SEALED),
    )
    .order_by(_version.c.row_id, _version.c.number)
    .limit(whole("limit")),
)
"""Versions of an organisation's own file that any process of the hub opens."""
_ENDED = Statement(
    "own_file_ended",
    sa.select(_resource.c.person)
    .select_from(
        _own.join(
            _version, sa.and_(_version.c.row_id == _own.c.row_id, _version.c.version == _own.c.version)
        ).join(_resource, _resource.c.row_id == _own.c.row_id)
    )
    .where(sa.not_(covered(_version)))
    .distinct(),
)


def _number(condition: "sa.ColumnElement[bool]") -> "sa.ColumnElement[int]":
    counted = sa.case((condition, constant(1)), else_=constant(0))
    return sa.func.coalesce(sa.func.sum(counted), constant(0))


_COUNTS = Statement(
    "own_file_counts",
    sa.select(
        sa.func.count(),
        _number(_resource.c.body_format == constant(SHARED)),
        _number(sa.and_(_resource.c.body_format == constant(OWN), covered(_resource))),
    ).where(
        _resource.c.author == words("organization"),
        one_of(_resource.c.type, "types"),
        _resource.c.body_format >= constant(OWN),
    ),
)


class OwnFileKeeper:
    """Keeps own files sealed.

    Args:
        database: where rows are looked for.
        writer: applies the plans.
        bodies: knows the keys.
    """

    def __init__(self, database: Database, writer: PlanWriter, bodies: Bodies) -> None:
        self._database = database
        self._writer = writer
        self._own_files = bodies.own_files

    def seal_all(self, organization: str, now_us: int) -> int:
        """Seals what lies open of an organisation's own file to its key; gives how many versions.

        What a release covers stays readable to the hub, as a network copy, while it lasts.
        """
        public = self._own_files.holders().get(organization)
        done = 0
        asked: Parameters = {"organization": organization, "types": sorted(TYPES), "limit": BATCH}
        while public is not None and (found := self._database.run(_OPEN, asked)):
            self._seal(public, found, now_us)
            done += len(found)
        return done

    def _seal(self, public: bytes, found: Sequence[Any], now_us: int) -> None:
        sealed, offers = [], []
        for row_id, public_id, version, _, body in found:
            outer = self._own_files.seal(public, bytes(body), body_label(public_id, version))
            sealed.append({"row_id": row_id, "version": version, "body": outer, "before": SEALED})
            offers.append({"row_id": row_id, "version": version, "body": bytes(body)})
        persons = {row[3] for row in found}
        plan = own_plan(now_us, *seal_steps(sealed), *share_steps(offers, now_us))
        self._writer.apply(Plan(plan.change_id, now_us, tuple(guards_of(persons)), plan.steps))

    def keep(self, now_us: int) -> int:
        """Seals what slipped in open while a key was new, and ends copies whose release ran out.

        Gives of how many persons copies ended.

        Args:
            now_us: now, microseconds UTC.
        """
        holders = self._own_files.holders()
        if not holders:
            return 0
        for organization in holders:
            self.seal_all(organization, now_us)
        persons = [person for (person,) in self._database.run(_ENDED, {"at_us": now_us})]
        for person in persons:
            plan = own_plan(now_us, *close_steps([person], now_us))
            self._writer.apply(Plan(plan.change_id, now_us, tuple(guards_of([person])), plan.steps))
        return len(persons)

    def counts(self, organization: str, now_us: int) -> tuple[int, int, int]:
        """Gives how many records of its own file are sealed, how many have a network copy, and how many wait for one.

        Those that wait are covered by a release and locked: nobody sees them until their author's key comes.
        """
        asked: Parameters = {"organization": organization, "types": sorted(TYPES), "at_us": now_us}
        found = self._database.first(_COUNTS, asked)
        return (0, 0, 0) if found is None else (int(found[0]), int(found[1]), int(found[2]))
