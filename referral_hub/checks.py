"""Is the hub well, and does its audit hold: what ``doctor`` and ``verify-audit`` look at.

What lives here: the looks, each of which ends in one line. What does not: repairing anything.

Source: ``interfaces.md`` 2; ``engine.md`` 2 and 3; ``architecture.md`` 6 (every route reaches the gate).
"""

import os
import re
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from referral_hub.adapters.guarded_http import GuardedHttp
from referral_hub.app import SKEW_MOST_US, Parts, checkpoints_file, clock, create_app, master_source, open_hub
from referral_hub.errors import ConfigurationError, HubError
from referral_hub.founding import opened_database, refuse_unready
from referral_hub.keyring.ring import CHECKPOINT, HUB, INDEX, LINKS
from referral_hub.settings import Settings
from referral_hub.store import schema
from referral_hub.store.database import Database
from referral_hub.store.key_rows import KeyRows
from referral_hub.store.sealer import Sealer
from referral_hub.store.segments import Segments
from referral_hub.store.statements import Statement, constant, words
from referral_hub.store.verify import Verdict, verify_audit
from referral_hub.store.versions import SCHEMA_VERSION, schema_version
from referral_hub.web.people_pages import OPEN_ADDRESSES
from referral_hub.web.portal import front, my

DAY_US = 86_400_000_000
AUDIT_STEPS = ("spool", "seal", "verify")

WITHOUT_GATE = (
    OPEN_ADDRESSES
    | front.ADDRESSES
    | my.ADDRESSES
    | frozenset(
        {
            "/fhir/metadata",
            "/fhir/.well-known/smart-configuration",
            "/.well-known/smart-configuration",
            "/oauth/authorize",
            "/oauth/par",
            "/.well-known/openid-configuration",
            "/oauth/token",
            "/oauth/introspect",
            "/oauth/revoke",
            "/oauth/jwks",
            "/health/live",
            "/health/ready",
            "/metrics",
            "/static/<digest>/<name>",
            "/language",
        }
    )
)
"""The addresses that hold nothing of a person, and so answer without a token."""

_KEY, _ORG = schema.wrapped_key, schema.organization
_BEHIND = Statement(
    "doctor_keys_behind",
    sa.select(sa.func.count()).where(_KEY.c.master != words("master"), _KEY.c.wrapped.is_not(None)),
)
_ENDPOINTS = Statement(
    "doctor_endpoints",
    sa.select(_ORG.c.id, _ORG.c.fhir_endpoint)
    .where(_ORG.c.fhir_endpoint != constant(""), _ORG.c.active == constant(1))
    .order_by(_ORG.c.id),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was looked at, whether it is good, and what was found."""

    what: str
    good: bool
    text: str


def check_audit(parts: Parts, *, step: Callable[[str], None] = lambda _: None) -> Verdict:
    """Reads in what waits in the spool, seals it, and verifies chain, checkpoints and ledger.

    Args:
        parts: the opened hub.
        step: told about each of ``AUDIT_STEPS``.

    Returns:
        how many links hold, and the first break in words, or an empty text.
    """
    checkpoints = checkpoints_file(parts.settings)
    step("spool")
    ingested = Segments(parts.settings.audit_spool_dir, parts.database, parts.writer).ingest(clock())
    step("seal")
    Sealer(parts.database, parts.writer, parts.keyring, checkpoints).seal(clock(), checkpoint=True)
    step("verify")
    verdict = verify_audit(parts.database, parts.keyring, checkpoints)
    if verdict.holds and ingested.broken:
        segment, offset = ingested.broken[0]
        return Verdict(verdict.links, f"the spool {segment} was changed or damaged at byte {offset}")
    return verdict


# --- the doctor ---------------------------------------------------------------------------------------


def examine(env: Mapping[str, str]) -> Iterator[Finding]:
    """Gives one finding after the other; what cannot be looked at because of an earlier one is left out.

    Args:
        env: the environment, as ``os.environ`` gives it.
    """
    try:
        settings = Settings.from_environment(env)
        settings.writer_socket  # noqa: B018 - it refuses a path that is too long
    except ConfigurationError as problem:
        yield Finding("configuration", good=False, text=problem.text)
        return
    yield Finding("configuration", good=True, text=_reach(settings))
    yield _directory(settings)
    try:
        with opened_database(settings) as database:
            yield Finding("database", good=True, text=_kind_of(settings))
            version = schema_version(database)
            yield _migrations(version)
            yield from _keys(settings, database)
        refuse_unready(settings)
        parts = open_hub(settings)
    except HubError as problem:
        yield Finding("hub", good=False, text=problem.text)
        return
    try:
        yield _gate(create_app(parts))
        yield _clock(parts)
        yield _spool(settings)
        yield from _endpoints(parts)
    finally:
        parts.close()


def _reach(settings: Settings) -> str:
    if settings.is_protected:
        return f"every setting can be read; others reach {settings.base_url}"
    return f"every setting can be read; {settings.base_url} has no https, so only this machine is served"


def _directory(settings: Settings) -> Finding:
    path = settings.data_dir
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as problem:
        return Finding(
            "data directory", good=False, text=f"{path} cannot be looked into ({problem.strerror})"
        )
    if mode & 0o077:
        return Finding(
            "data directory", good=False, text=f"{path} is open to other users: set its mode to 0700"
        )
    if not os.access(path, os.W_OK | os.X_OK):
        return Finding("data directory", good=False, text=f"{path} cannot be written to by this user")
    return Finding("data directory", good=True, text=f"{path} is for its owner alone")


def _kind_of(settings: Settings) -> str:
    if settings.sqlite_file is not None:
        return f"SQLite {sqlite3.sqlite_version} answers"
    import psycopg

    with psycopg.connect(settings.database_url, connect_timeout=5) as connection:
        number = connection.info.server_version
    return f"PostgreSQL {number // 10_000}.{number % 10_000} answers"


def _migrations(version: str) -> Finding:
    if version == SCHEMA_VERSION:
        return Finding("migrations", good=True, text=f"version {version}, which this program works with")
    text = (
        f"version {version or 'none'}, this program works with {SCHEMA_VERSION}: run `referral-hub migrate`"
    )
    return Finding("migrations", good=False, text=text)


def _keys(settings: Settings, database: Database) -> Iterator[Finding]:
    source = master_source(settings)
    try:
        master = source.read()
        age = (
            f"mode 0600, written {_days_ago(source.file.stat().st_mtime_ns // 1000)}"
            if source.kind == "file"
            else f"from the {source.kind}"
        )
    except (HubError, OSError) as problem:
        text = problem.text if isinstance(problem, HubError) else "The master key file cannot be read."
        yield Finding("master key", good=False, text=text)
        return
    yield Finding("master key", good=True, text=f"{master.name}, {age}")
    if not schema_version(database):
        return
    rows = KeyRows(database)
    for family in (HUB, INDEX, CHECKPOINT, LINKS):
        what = f"key {family}"
        made = [at_us for _, _, _, at_us in rows.generations(family)]
        if not made:
            yield Finding(what, good=False, text="is not there: run `referral-hub init`")
        else:
            earlier = f", {len(made) - 1} before it" if len(made) > 1 else ""
            yield Finding(what, good=True, text=f"made {_days_ago(made[0])}{earlier}")
    behind = database.first(_BEHIND, {"master": master.name})
    if behind is not None and behind[0]:
        text = f"{behind[0]} keys lie under an earlier master key: keep that one in the file"
        yield Finding("keys", good=True, text=text)


def _days_ago(at_us: int) -> str:
    days = max(0, clock() - at_us) // DAY_US
    return "today" if days == 0 else "1 day ago" if days == 1 else f"{days} days ago"


def open_doors(app: Flask) -> list[str]:
    """Gives every route that answers somebody without a token, as ``METHOD address: http_status``.

    Every route but those of ``WITHOUT_GATE`` is really asked, with a body of the right kind.
    """
    client = app.test_client()
    found = []
    for rule in app.url_map.iter_rules():
        if rule.rule in WITHOUT_GATE:
            continue
        address = re.sub(r"<[^>]*>", "0", rule.rule.replace("<type_name>", "Task"))
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = client.open(address, method=method, data=b"{}", content_type=_sent_as(method, address))
            if not _turned_away(address, answer.status_code, answer.headers.get("Location", "")):
                found.append(f"{method} {rule.rule}: {answer.status_code}")
    return found


_SIGN_INS = ("/sign-in", "/sign-in/code")
"""Where a stranger is led: the way in for staff, and the one for a person with her code."""


def _turned_away(address: str, http_status: int, location: str) -> bool:
    """Tells that a stranger got nothing: 401; on a page also the way to sign in, or the refusal of a form."""
    if http_status == 401 or address.startswith("/fhir"):
        return http_status == 401
    return http_status == 403 or (http_status == 303 and location.split("?")[0] in _SIGN_INS)


def _sent_as(method: str, address: str) -> str:
    if address.endswith("/_search"):
        return "application/x-www-form-urlencoded"
    return "application/json-patch+json" if method == "PATCH" else "application/fhir+json"


def _gate(app: Flask) -> Finding:
    doors = open_doors(app)
    if doors:
        return Finding("gate", good=False, text=f"answers without a token: {'; '.join(doors)}")
    count = sum(rule.rule not in WITHOUT_GATE for rule in app.url_map.iter_rules())
    return Finding("gate", good=True, text=f"{count} routes, and none answers without a token")


def _clock(parts: Parts) -> Finding:
    skew_us = parts.database.now_us() - clock()
    text = f"{abs(skew_us) / 1_000_000:.3f} s away from the database's"
    return Finding("clock", good=abs(skew_us) <= SKEW_MOST_US, text=text)


def _spool(settings: Settings) -> Finding:
    path: Path = settings.audit_spool_dir
    waiting = len(list(path.glob("segment-*.jsonl"))) if path.is_dir() else 0
    if path.exists() and not os.access(path, os.W_OK | os.X_OK):
        return Finding("audit spool", good=False, text="cannot be written, so nothing would be released")
    return Finding("audit spool", good=True, text=f"can be written; {waiting} segments in use or waiting")


def _endpoints(parts: Parts) -> Iterator[Finding]:
    rows = parts.database.run(_ENDPOINTS)
    if not rows:
        yield Finding("endpoints", good=True, text="no partner has one of its own")
    for organization, endpoint in rows:
        yield _endpoint(parts.http, organization, endpoint)


def _endpoint(http: GuardedHttp, organization: str, endpoint: str) -> Finding:
    what = "endpoint"
    try:
        answer = http.request("GET", f"{endpoint}/metadata", headers={"Accept": "application/fhir+json"})
    except HubError as problem:
        return Finding(what, good=False, text=f"Organization/{organization}: {problem.text}")
    good = answer.http_status < 500  # a partner may well want a token even for this
    return Finding(what, good=good, text=f"Organization/{organization}: answers with {answer.http_status}")
