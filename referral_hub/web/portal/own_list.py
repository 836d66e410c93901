"""A caseworker's own list, in and out as CSV: a file is looked at first, and only then stored.

What lives here: the routes. What does not: reading and writing CSV (``casework.caseload_csv``), what a row becomes
(``casework.caseload``), the line about each person who was in a list (``exchange.taking_out``).

Nothing is stored before somebody confirmed what she saw: until then the file travels sealed in the page itself, and
opens only for who sent it, within an hour. Everything is asked anew at that moment.

Source: ``practice.md`` 12 and 17.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.caseload import (
    Plan,
    hub_id,
    mark_system,
    patient_of,
    planned,
    row_of,
)
from referral_hub.casework.caseload_csv import (
    LARGEST,
    MOST_ROWS,
    Listed,
    RefusedRow,
    Row,
    read_list,
    write_list,
)
from referral_hub.errors import InvalidResource
from referral_hub.exchange.interactions import by_token, write_all
from referral_hub.exchange.ports import Released
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.search import search
from referral_hub.exchange.taking_out import record_taking_out
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import structure
from referral_hub.fhir.elements import extension
from referral_hub.web.portal.frame import Portal

LARGEST_UPLOAD = 256 * 1024
"""Bytes of the form that are read: a file that is a little too large is told so in words."""
LARGEST_SEALED = 48 * 1024
_HOUR_US = 3600 * 1_000_000
_AT_ONCE = 50
_KIND = "own-list"
_NO_NAME = structure("no-name-referral")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file that waits to be confirmed, and the lines that would become new files when it was looked at."""

    content: bytes
    lines: tuple[int, ...]


def own_list_blueprint(portal: Portal) -> Blueprint:  # noqa: C901 - routes
    """Gives the routes."""
    blueprint = Blueprint("own_list", __name__)
    hub = portal.hub

    def mine(seat: Seat, *pairs: tuple[str, str]) -> list[Released]:
        """Gives the people of the caller's own organisation among those she sees and asked for; no-name ones not."""
        found = search(hub, seat.token, "Patient", [*pairs, ("_count", str(2 * _AT_ONCE))])
        return [one for one in found.matches if one.voice == "own" and not _is_nameless(one)]

    def known(seat: Seat, rows: Sequence[Row]) -> dict[str, Row]:
        """Gives, by mark, the rows of people she sees now; nothing else is asked, so nothing else can be told."""
        account = seat.signed.account
        system, told = mark_system(account), {}
        ours = [f"{system}|{row.mark}" for row in rows if not hub_id(row.mark)]
        ids = [hub_id(row.mark) for row in rows if hub_id(row.mark)]
        for name, values in (("identifier", ours), ("_id", ids)):
            for start in range(0, len(values), _AT_ONCE):
                for one in mine(seat, (name, ",".join(values[start : start + _AT_ONCE]))):
                    row = row_of(json_codec.decode_own(one.body), account)
                    told[row.mark] = row
        return told

    def looked_at(seat: Seat, content: bytes) -> tuple[Listed, Plan]:
        listed = read_list(content)
        plan = planned(listed.rows, known(seat, [one.row for one in listed.rows]))
        refused = sorted((*listed.refused, *plan.refused), key=lambda one: one.line)
        return listed, Plan(plan.planned, tuple(refused))

    def asking(seat: Seat, problem: str = "", stored: int | None = None) -> Response:
        http_status = 422 if problem else 200
        return portal.page(
            seat, "portal/my/list_in.html", http_status, problem=problem, stored=stored, most=MOST_ROWS
        )

    def preview(seat: Seat, content: bytes, *, changed: bool = False) -> Response:
        listed, plan = looked_at(seat, content)
        if listed.problem:
            return asking(seat, listed.problem)
        lines = [one.line for one in plan.planned if one.becomes == "new"]
        sealed = _sealed(portal, seat, content, lines)
        if len(sealed) > LARGEST_SEALED:
            return asking(seat, "my.csv.too-large")
        return portal.page(
            seat,
            "portal/my/list_preview.html",
            409 if changed else 200,
            plan=plan,
            counts={what: _count(plan, what) for what in ("new", "same", "differs")},
            ignored=", ".join(listed.ignored),
            sealed=sealed if lines else "",
            changed=changed,
        )

    @blueprint.get("/people/import")
    @portal.staff()
    def ask(seat: Seat) -> Response:
        told = request.args.get("stored", "")
        return asking(seat, stored=int(told) if told.isdecimal() and len(told) < 4 else None)

    @blueprint.post("/people/import")
    @portal.staff()
    def look(seat: Seat) -> Response:
        portal.form(LARGEST_UPLOAD)
        sent = request.files.get("list")
        content = sent.stream.read(LARGEST + 1) if sent is not None else b""
        return preview(seat, content) if content else asking(seat, "my.csv.no-file")

    @blueprint.post("/people/import/confirm")
    @portal.staff()
    def store(seat: Seat) -> Response:
        kept = _opened(portal, seat, portal.form().get("sealed", ""))
        if kept is None:
            return asking(seat, "my.csv.old")
        _, plan = looked_at(seat, kept.content)
        new = [one for one in plan.planned if one.becomes == "new"]
        if tuple(one.line for one in new) != kept.lines:
            return preview(seat, kept.content, changed=True)
        proposals = [
            Proposal(
                "create",
                "Patient",
                body=patient_of(one.row, seat.signed.account),
                place=f"line[{one.line}]",
            )
            for one in new
        ]
        try:
            write_all(hub, by_token(hub, seat.token), proposals)
        except InvalidResource as refused:
            told = tuple(RefusedRow(line, "", "my.csv.row-refused") for line in _lines(refused, kept.lines))
            return portal.page(
                seat,
                "portal/my/list_preview.html",
                422,
                plan=Plan(plan.planned, (*plan.refused, *told)),
                counts={what: _count(plan, what) for what in ("new", "same", "differs")},
                ignored="",
                sealed="",
                changed=False,
            )
        return portal.to(f"/people/import?stored={len(new)}")

    # --- out ---------------------------------------------------------------------------------------------------

    @blueprint.get("/people/export")
    @portal.staff()
    def ask_out(seat: Seat) -> Response:
        return portal.page(seat, "portal/my/list_out.html", most=MOST_ROWS, many=False)

    @blueprint.post("/people/export")
    @portal.staff()
    def out(seat: Seat) -> Response:
        portal.form()
        rows: list[Row] = []
        references: list[str] = []
        pairs: list[tuple[str, str]] = [("_count", str(2 * _AT_ONCE)), ("_sort", "_lastUpdated")]
        while pairs:
            page = search(hub, seat.token, "Patient", pairs)
            for one in page.matches:
                if one.voice == "own" and not _is_nameless(one):
                    rows.append(row_of(json_codec.decode_own(one.body), seat.signed.account))
                    references.append(f"Patient/{one.id}")
            if len(rows) > MOST_ROWS:
                return portal.page(seat, "portal/my/list_out.html", 422, most=MOST_ROWS, many=True)
            pairs = [("_cursor", page.next)] if page.next else []
        record_taking_out(hub, seat.token, "list-export", references)
        response = Response(write_list(sorted(rows, key=lambda row: row.mark)), mimetype="text/csv")
        response.headers["Content-Disposition"] = 'attachment; filename="list.csv"'
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        return response

    return blueprint


def _is_nameless(one: Released) -> bool:
    return _NO_NAME.encode() in one.body and extension(json_codec.decode_own(one.body), _NO_NAME) is not None


def _count(plan: Plan, what: str) -> int:
    return sum(one.becomes == what for one in plan.planned)


def _lines(refused: InvalidResource, lines: Iterable[int]) -> list[int]:
    """Gives the lines of a file that the hub refused to store."""
    told = " ".join(issue.expression or "" for issue in refused.issues)
    return [line for line in lines if f"line[{line}]" in told]


def _sealed(portal: Portal, seat: Seat, content: bytes, lines: Sequence[int]) -> str:
    packed = base64.b85encode(zlib.compress(content, 9)).decode()
    said = [_KIND, seat.signed.account, portal.hub.clock(), list(lines), packed]
    return portal.hub.cursors.seal(json.dumps(said).encode())


def _opened(portal: Portal, seat: Seat, sealed: str) -> _Kept | None:
    """Gives the file that waited; None for another account, after an hour, or for what this hub did not seal."""
    plain = portal.hub.cursors.open(sealed) if sealed.isascii() else None
    if plain is None:
        return None
    try:
        found: Any = json.loads(plain)
    except ValueError:
        return None
    if not isinstance(found, list) or len(found) != 5 or found[0] != _KIND:
        return None
    _, account, at_us, lines, packed = found
    if account != seat.signed.account or portal.hub.clock() - at_us > _HOUR_US:
        return None
    return _Kept(zlib.decompress(base64.b85decode(packed)), tuple(lines))
