"""What pages keep, as the store reads and seals it.

What lives here: statements on drafts and links; a draft's body is sealed under the key of the person it is about, so
it goes with her key. What does not: who may open one (``casework``, ``auth``), the tables (``store.tables.portal``).

Source: ``engine.md`` 4 (sealed under the person's key; keyed digests).
"""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from referral_hub.errors import Unavailable
from referral_hub.exchange.change import Row
from referral_hub.exchange.portal_rows import BROWSER, CALL_BACK, DraftRow, LinkRow
from referral_hub.store import schema
from referral_hub.store.bodies import SEALED, Bodies, seal_under
from referral_hub.store.database import Database
from referral_hub.store.statements import WRITES, Statement, constant, whole, words
from referral_hub.store.write_statements import insert_ignoring

_DRAFT, _LINK = schema.portal_draft, schema.portal_link
_mine = (_DRAFT.c.id == words("id"), _DRAFT.c.account == words("account"))

WRITES.add(
    "portal_draft_insert",
    sa.insert(_DRAFT).values({c.name: sa.bindparam(c.name, type_=c.type) for c in _DRAFT.c}),
)
WRITES.add(
    "portal_draft_save",
    sa.update(_DRAFT)
    .where(*_mine, _DRAFT.c.version == whole("seen_version"), _DRAFT.c.task == constant(""))
    .values(
        body=sa.bindparam("body", type_=_DRAFT.c.body.type),
        version=_DRAFT.c.version + constant(1),
        changed_us=whole("changed_us"),
        ends_us=whole("ends_us"),
    ),
)
WRITES.add(
    "portal_draft_sent",
    sa.update(_DRAFT)
    .where(*_mine, _DRAFT.c.version == whole("seen_version"), _DRAFT.c.task == constant(""))
    .values(body=sa.null(), task=words("task"), version=_DRAFT.c.version + constant(1)),
)
WRITES.add("portal_draft_drop", sa.delete(_DRAFT).where(*_mine))
WRITES.add("portal_draft_end_person", sa.delete(_DRAFT).where(_DRAFT.c.person == whole("person")))
WRITES.add("portal_draft_prune", sa.delete(_DRAFT).where(_DRAFT.c.ends_us < whole("before_us")))

WRITES.add("portal_link_insert", insert_ignoring(_LINK, "digest"))
WRITES.add("portal_link_use", sa.delete(_LINK).where(_LINK.c.digest == words("digest")))
WRITES.add(
    "portal_link_last",
    sa.update(_LINK)
    .where(_LINK.c.digest == words("digest"), _LINK.c.kind == constant(BROWSER))
    .values(ends_us=whole("ends_us")),
)
WRITES.add(
    "portal_link_end_others",
    sa.delete(_LINK).where(
        _LINK.c.task == words("task"),
        _LINK.c.digest != words("digest"),
        _LINK.c.kind != constant(CALL_BACK),
    ),
)
WRITES.add(
    "portal_link_end_person",
    sa.delete(_LINK).where(
        _LINK.c.person == whole("person"),
        _LINK.c.organization == words("organization"),
        _LINK.c.kind != constant(CALL_BACK),
    ),
)
WRITES.add("portal_link_prune", sa.delete(_LINK).where(_LINK.c.ends_us < whole("before_us")))

_drafts = sa.select(*(_DRAFT.c[name] for name in DraftRow.__dataclass_fields__))
DRAFT = Statement("portal_draft", _drafts.where(*_mine))
DRAFTS = Statement(
    "portal_drafts_of",
    _drafts.where(
        _DRAFT.c.account == words("account"),
        _DRAFT.c.task == constant(""),
        _DRAFT.c.ends_us > whole("at_us"),
    )
    .order_by(_DRAFT.c.changed_us.desc(), _DRAFT.c.id)
    .limit(whole("count")),
)
_links = sa.select(*(_LINK.c[name] for name in LinkRow.__dataclass_fields__))
LINK = Statement("portal_link", _links.where(_LINK.c.digest == words("digest")))
LINKS = Statement(
    "portal_links_of",
    _links.where(_LINK.c.task == words("task"), _LINK.c.ends_us > whole("at_us")).order_by(_LINK.c.made_us),
)


class PortalRows:
    """Reads and seals what pages keep. Safe for threads.

    Args:
        database: where the rows are.
        bodies: seals and opens under the keys of persons.
    """

    def __init__(self, database: Database, bodies: Bodies) -> None:
        self._database = database
        self._bodies = bodies

    # --- drafts ----------------------------------------------------------------------------------------------

    def draft(self, draft_id: str, account: str) -> DraftRow | None:
        """Gives an account's own draft, sent or not; None for any other, and where her key is gone."""
        row = self._database.first(DRAFT, {"id": draft_id, "account": account})
        return None if row is None else self._opened(row)

    def drafts(self, account: str, at_us: int, count: int) -> list[DraftRow]:
        """Gives what an account has not sent yet, the newest first."""
        rows = self._database.run(DRAFTS, {"account": account, "at_us": at_us, "count": count})
        return [found for row in rows if (found := self._opened(row)) is not None]

    def new_draft(self, draft: DraftRow) -> Row:
        """Gives the row of a draft that begins."""
        return Row(
            "portal_draft_insert",
            {
                **{name: getattr(draft, name) for name in DraftRow.__dataclass_fields__},
                "body": self._sealed(draft),
            },
        )

    def saved_draft(self, draft: DraftRow) -> Row:
        """Gives the row of a draft that was written on; it fails where another window saved meanwhile."""
        return Row(
            "portal_draft_save",
            {
                "id": draft.id,
                "account": draft.account,
                "seen_version": draft.version,
                "body": self._sealed(draft),
                "changed_us": draft.changed_us,
                "ends_us": draft.ends_us,
            },
            at_least_one=True,
        )

    def _sealed(self, draft: DraftRow) -> bytes:
        key = self._bodies.keys.person(draft.person)
        if key is None:
            raise Unavailable("Nothing is kept about a person without a key.")
        return seal_under(key, draft.body, _label(draft.id))

    def _opened(self, row: tuple[Any, ...]) -> DraftRow | None:
        found = DraftRow(*row)
        if not found.body:
            return replace(found, body=b"")
        try:
            body = self._bodies.open(bytes(found.body), SEALED, found.person, _label(found.id))
        except Unavailable:
            return None
        return replace(found, body=body)

    # --- links -----------------------------------------------------------------------------------------------

    def link(self, digest: str) -> LinkRow | None:
        """Gives the way of this digest, over or not."""
        row = self._database.first(LINK, {"digest": digest})
        return None if row is None else LinkRow(*row)

    def links(self, task: str, at_us: int) -> list[LinkRow]:
        """Gives the ways to a referral that are not over."""
        return [LinkRow(*row) for row in self._database.run(LINKS, {"task": task, "at_us": at_us})]


def _label(draft_id: str) -> str:
    return f"portal-draft/{draft_id}"
