"""The fields of the signing form: what was typed, as a signature; and which field a rule of the hub speaks of.

What lives here: reading those fields. What does not: the Consent they make (``casework.permission_forms``), the rules
(``exchange.consent_signing``), the pages.

A field that was left out stays left out: nothing is chosen for her. Words of the rules are English; beside a field
stands the sentence of ``texts`` for that field, so that every worker reads her own language.

Source: ``practice.md`` 1, 2 and 7.
"""

import re
from collections.abc import Mapping
from typing import Any

from flask import request

from referral_hub.casework.permission_forms import Agreed, Attached, Interpreted, Signature
from referral_hub.casework.scans import drawing_of, scan_of
from referral_hub.errors import InvalidResource
from referral_hub.texts.catalogs import LANGUAGES

HOW = ("drawn", "mark", "paper", "spoken")
PRESENCES = ("in-person", "phone", "video", "line-lost")
"""How an interpreter was there; a lost line is a choice of its own, so that one tap says both."""
HERSELF = "herself"
PROFESSIONALS = "professionals"
LANGUAGE_CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)
_MARK_MOST = 40

_FIELDS = (
    ("extension('text-digest')", "text"),
    ("extension('language')", "language"),
    ("extension('signature')", "how"),
    ("extension('reader')", "reader"),
    ("extension('explained-back')", "explained"),
    ("extension('witness')", "witness"),
    ("extension('agency')", "agency"),
    ("extension('staff-number')", "number"),
    ("extension('no-ties')", "ties"),
    ("extension('mode')", "presence"),
    ("extension('line-held')", "presence"),
    ("extension('interpreter')", "agency"),
    ("extension('own-view')", "view"),
    ("extension('guardian-no-suspect')", "suspect"),
    ("extension('guardian-not-refused')", "refuses"),
    ("extension('urgent')", "urgent"),
    ("renewal-of", "renewal"),
    (".period", "days"),
    (".class", "category"),
    (".data", "category"),
    (".actor", "recipient"),
    (".purpose", "purpose"),
    ("Consent.performer", "agreed"),
    ("Consent.source", "scan"),
    ("Consent.policy", "text"),
    ("Consent.dateTime", "how"),
    ("Consent.status", "status"),
)
"""The end of a FHIR path, and the field it is about; the first that fits."""
FIELDS = tuple(dict.fromkeys(field for _, field in _FIELDS))


def field_of(path: str) -> str:
    """Gives the field of the form that a rule's place is about; empty for none.

    >>> field_of("Consent.provision.provision[0].period.end"), field_of("Consent.sourceReference")
    ('days', 'scan')
    """
    return next((field for part, field in _FIELDS if part in path), "")


def by_field(problems: Mapping[str, str]) -> dict[str, str]:
    """Gives the rules that were broken by the field they are about; under an empty name what no field has."""
    found: dict[str, str] = {}
    for path, text in problems.items():
        found.setdefault(field_of(path), text)
    return found


def signature_of(
    form: Mapping[str, str], *, language: str, digest: str, reader: str, herself: str, missing: dict[str, str]
) -> Signature:
    """Gives how she signed, as the form says it.

    Args:
        form: the form as it was sent.
        language: in which she was shown it, or had it read to her.
        digest: SHA-256 of the text on this page now.
        reader: id of the worker's organisation.
        herself: ``Patient/id``.
        missing: takes the field and the key of a sentence for what was left out or does not fit the page.
    """
    how = form.get("how", "")
    if how not in HOW:
        missing["how"] = "permission.wrong.how"
    explained = form.get("explained", "")
    if explained not in ("yes", "no"):
        missing["explained"] = "permission.wrong.explained"
    if form.get("text", "") != digest:
        missing["text"] = "permission.wrong.text"
    interpreter = _interpreter(form, missing)
    if interpreter is None and language not in LANGUAGES:
        missing["agency"] = "permission.wrong.script"
    performers, agreed = _agreed(form, herself, missing)
    return Signature(
        how=how,
        language=language,
        digest=digest,
        reader=reader,
        performers=performers,
        explained_back={"yes": True, "no": False}.get(explained),
        witness=form.get("witness", "").strip(),
        interpreter=interpreter,
        agreed=agreed,
    )


def mark_of(form: Mapping[str, str], missing: dict[str, str]) -> str:
    """Gives the mark she made, where she signs with one."""
    if form.get("how") != "mark":
        return ""
    mark = " ".join(form.get("mark", "").split())[:_MARK_MOST]
    if not mark:
        missing["mark"] = "permission.wrong.mark"
    return mark


def attached_of(form: Mapping[str, str], binary: str, missing: dict[str, str]) -> Attached | None:
    """Gives the scan or the drawing of a form; None for a mark, a spoken permission, and where it is no such thing."""
    how = form.get("how")
    try:
        if how == "drawn":
            return Attached("image/png", drawing_of(form.get("drawing", "")), binary)
        if how == "paper":
            given = request.files.get("scan")
            content = given.stream.read() if given is not None else b""
            return Attached(scan_of(content), content, binary)
    except InvalidResource as refused:
        missing["scan"] = "permission.wrong.drawing" if how == "drawn" else "permission.wrong.scan"
        missing["scan-told"] = refused.text
    return None


def _interpreter(form: Mapping[str, str], missing: dict[str, str]) -> Interpreted | None:
    given = {name: form.get(name, "").strip() for name in ("agency", "number", "presence")}
    if not any(given.values()) and form.get("ties") != "yes":
        return None
    presence = given["presence"]
    if presence not in PRESENCES:
        missing["presence"] = "permission.wrong.presence"
    if not given["agency"]:
        missing["agency"] = "permission.wrong.agency"
    if not given["number"]:
        missing["number"] = "permission.wrong.number"
    return Interpreted(
        agency=given["agency"],
        staff_number=given["number"],
        mode="phone" if presence == "line-lost" else presence,
        no_ties=form.get("ties") == "yes",
        line_held=presence != "line-lost",
    )


def _agreed(
    form: Mapping[str, str], herself: str, missing: dict[str, str]
) -> tuple[tuple[str, ...], Agreed | None]:
    """Gives who agreed. Whoever it is, a form cannot name somebody it did not offer: the rules look at each."""
    who = form.get("agreed", HERSELF)
    if who == HERSELF:
        return (herself,), None
    performers: tuple[str, ...] = (who,)
    if who == PROFESSIONALS:
        performers = tuple(one for one in (form.get("first", ""), form.get("second", "")) if one)
        if len(set(performers)) < 2:
            missing["first"] = "permission.wrong.professionals"
    elif not who.startswith("RelatedPerson/"):
        missing["agreed"] = "permission.wrong.agreed"
    return performers, Agreed(
        own_view=form.get("view", ""),
        no_suspect=form.get("suspect") == "yes",
        not_refused=form.get("refuses") == "yes",
        urgent=form.get("urgent") == "yes",
    )


def kept_fields(form: Mapping[str, str]) -> dict[str, Any]:
    """Gives what was typed, for the page that shows it again; a drawing too, a file never."""
    return {name: value for name, value in form.items() if name not in ("form_owner", "version")}
