"""What a Snapshot asks: single looks by key, each one statement.

What lives here: the statements. What does not: running them and making rows of what they give
(``store.snapshot``), the statements of the one-statement read and of searches (``store.read``,
``store.search_sql``).

Source: ``exchange.ports.Snapshot``; ``engine.md`` 5.
"""

import sqlalchemy as sa

from referral_hub.store import schema, standing_sql
from referral_hub.store.row_making import consent_columns, organization_columns, resource_columns
from referral_hub.store.statements import Statement, constant, one_of, whole, words

_r = schema.resource
_v = schema.resource_version
_a = schema.referral_access
_o = schema.organization
_t = schema.index_token
_person = schema.person
_live = _r.c.deleted == constant(0)
_whole_row = sa.select(*resource_columns(_r))
_access_rows = sa.select(
    standing_sql.JsonRows(*(_a.c[name] for name in standing_sql.ACCESS_COLUMNS))
).select_from(_a)

RESOURCE = Statement("resource_by_id", _whole_row.where(_r.c.id == words("id"), _r.c.type == words("type")))
ROWS = Statement("resources_by_row", _whole_row.where(one_of(_r.c.row_id, "rows")))
BY_IDS = Statement("resources_by_id", _whole_row.where(one_of(_r.c.id, "ids")))

IDENTIFIED = Statement(
    "resources_by_identifier",
    _whole_row.where(
        _r.c.row_id.in_(sa.select(_t.c.row_id).where(_t.c.hash == whole("hash"))),
        _r.c.author == words("organization"),
        _r.c.type == words("type"),
        _live,
    )
    .order_by(_r.c.row_id)
    .limit(constant(2)),
)
"""At most two: conditional interactions ask for none, one or several."""

BASED_ON = Statement(
    "resources_based_on",
    _whole_row.where(_r.c.based_on == whole("request"), _r.c.type == words("type"), _live).order_by(
        _r.c.row_id
    ),
)
TASKS = Statement(
    "tasks_of_request",
    _whole_row.where(_r.c.focus == whole("request"), _r.c.type == constant("Task"), _live).order_by(
        _r.c.row_id
    ),
)
OF_PERSON = Statement(
    "resources_of_person",
    _whole_row.where(_r.c.person == whole("person"), _r.c.type == words("type"), _live).order_by(
        _r.c.updated_us, _r.c.row_id
    ),
)
NEWEST_OBSERVATION = Statement(
    "newest_observation",
    _whole_row.where(
        _r.c.person == whole("person"),
        _r.c.type == constant("Observation"),
        _r.c.author == words("organization"),
        _live,
        sa.exists(sa.literal_column("1")).where(_t.c.hash == whole("hash"), _t.c.row_id == _r.c.row_id),
    )
    .order_by(_r.c.updated_us.desc(), _r.c.row_id.desc())
    .limit(constant(1)),
)

VERSIONS = Statement(
    "versions",
    sa.select(*resource_columns(_v)).where(_v.c.row_id == whole("row")).order_by(_v.c.number.desc()),
)
VERSION = Statement(
    "version",
    sa.select(*resource_columns(_v)).where(_v.c.row_id == whole("row"), _v.c.version == words("version")),
)

CONSENTS = Statement(
    "consents_of_person",
    sa.select(*consent_columns(_r))
    .where(_r.c.person == whole("person"), _r.c.type == constant("Consent"), _live)
    .order_by(_r.c.row_id),
)

EPOCH = Statement("epoch", sa.select(_person.c.epoch).where(_person.c.row_id == whole("person")))
EPOCHS = Statement(
    "epochs", sa.select(_person.c.row_id, _person.c.epoch).where(one_of(_person.c.row_id, "persons"))
)
STANDING = Statement(
    "standing",
    sa.select(
        sa.select(_person.c.epoch).where(_person.c.row_id == whole("person")).scalar_subquery(),
        standing_sql.accesses_column(whole("person"), words("organization")),
        standing_sql.grants_column(whole("person"), words("organization")),
        standing_sql.refusals_column(whole("person")),
        standing_sql.exceptions_column(whole("person"), words("organization")),
    ),
)
ACCESSES_OF_TASK = Statement("accesses_of_task", _access_rows.where(_a.c.task == whole("task")))
ACCESSES_OF_PERSON = Statement("accesses_of_person", _access_rows.where(_a.c.person == whole("person")))

_whole_organization = sa.select(*organization_columns(_o))
ORGANIZATION = Statement("organization_by_id", _whole_organization.where(_o.c.id == words("id")))
HUB_ORGANIZATION = Statement(
    "organization_of_hub",
    _whole_organization.where(_o.c.is_hub == constant(1)).order_by(_o.c.id).limit(constant(1)),
)
BASES = Statement(
    "registered_bases",
    sa.select(schema.organization_base.c.base_url)
    .where(schema.organization_base.c.organization == words("id"))
    .order_by(schema.organization_base.c.base_url),
)

_sent = schema.outbox
RECIPIENTS = Statement(
    "recipients_of_person",
    sa.union(
        sa.select(schema.ledger.c.recipient.label("recipient")).where(
            schema.ledger.c.person == whole("person")
        ),
        sa.select(_sent.c.destination.label("recipient")).where(
            _sent.c.person == whole("person"),
            _sent.c.attempts > constant(0),
            _sent.c.state != constant(schema.OUTBOX_DONE),
        ),
    ).order_by("recipient"),
)
"""Who received something, and who may have: a message that was tried and never answered may have arrived."""

_subject = schema.audit_subject
DISCLOSURES = Statement(
    "disclosures_of_person",
    sa.union_all(
        sa.select(*schema.audit.c).where(schema.audit.c.person == whole("person")),
        sa.select(*schema.audit.c)
        .select_from(_subject.join(schema.audit, schema.audit.c.id == _subject.c.audit))
        .where(_subject.c.person == whole("person")),
    ).order_by("at_us", "id"),
)
