"""The permission form: her language and the worker's side by side, to read out, sign, and take home.

What lives here: what the form says, the digest of its text, and the paper. What does not: what a purpose asks for
(``casework.consent_templates``), whether a signature counts (``exchange.consent_evidence``).

A form without recipient, purpose or signature is the blank one, to be filled in by hand. The digest is that of all
the form can say, before names and days are put in, so it is the same for everybody and changes with the wording: a
network that registers its forms names it in the policy file.

Source: ``practice.md`` 2 to 5 and 20; ``consent.md`` F-01, F-03, F-21, F-22; ADR 0041.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Literal

from referral_hub.access.categories import CATEGORIES
from referral_hub.fhir.canonical import CANONICAL
from referral_hub.papers.press import press
from referral_hub.papers.words import day, own, own_name, word
from referral_hub.texts.catalogs import Catalog, catalog

FORM_URI = f"{CANONICAL.removesuffix('/fhir')}/policy/permission/v1"
"""The version of the form that this text is."""
PURPOSES = (
    "first-night",
    "shelter-placement",
    "TREAT",
    "health-care",
    "therapy",
    "court-support",
    "legal-representation",
    "immigration-representation",
    "compensation",
)
"""What the form has words for; a network's own purpose is shown by its name."""

_FIXED = (
    "title", "title-back", "intro", "help-stays", "who", "who-only", "from", "why", "what", "what-least",
    "what-not", "back", "how-long", "until", "check-in", "legal-note", "stop", "stop-any", "stop-phone",
    "stop-code", "stop-past", "law", "copy", "sign", "yes", "no", "sign-how", "line-who", "line-why",
    "line-until", "line-sign", "line-date", "line-reader", "line-witness", "interpreter", "line-agency",
    "line-number", "line-mode", "ties", "no-ties", "explained", "explained-yes", "explained-no",
    "signed-drawn", "signed-mark", "signed-paper", "signed-spoken", "signed-on", "read-by",
    "witness-was", "interpreter-was", "mode-in-person", "mode-phone", "mode-video",
)  # fmt: skip
"""All the form can say, in the order its digest takes them."""

Piece = tuple[str, str]
"""A kind (``heading``, ``text``, ``item``, ``choice``, ``answer``, ``line``) and the words."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Who interpreted: an agency and a staff number, never a name."""

    agency: str
    staff_number: str
    language: str = ""
    mode: Literal["in-person", "phone", "video"] = "in-person"
    no_ties: bool = True


@dataclass(frozen=True, slots=True)
class Signed:
    """How and when it was signed, who read it out, who was witness, and whether it was explained back."""

    how: Literal["drawn", "mark", "paper", "spoken"]
    on: date
    reader: str = ""
    witness: str = ""
    explained_back: bool | None = None
    interpreter: Interpreter | None = None


@dataclass(frozen=True, slots=True)
class PermissionForm:
    """What one form says.

    Args:
        language: hers; a key of ``LANGUAGES``.
        staff_language: the worker's; the form has one column where it is hers.
        made: the day it is printed.
        custodian: who tells, by the name she knows.
        recipient: who gets it; empty leaves a line.
        purpose: a code; empty leaves a line.
        categories: codes of what they get; none leaves boxes to tick.
        offered: codes of what she left out; said as such.
        until: the last day; None leaves a line.
        check_in: the day she is asked again, of a permission over 90 days.
        legal_note: the network's reason for a permission over 90 days.
        way_back: the recipient is her own organisation, and is told what came of it.
        stop_phone: a number that ends sharing.
        stop_address: the address of the page that takes her code.
        form_uri: the version of the form.
        signed: how it was signed; None leaves lines.
        name_used: the name she uses here, for the copy in her record; empty on what she takes home.
    """

    language: str
    staff_language: str
    made: date
    custodian: str
    recipient: str = ""
    purpose: str = ""
    categories: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    until: date | None = None
    check_in: date | None = None
    legal_note: str = ""
    way_back: bool = False
    stop_phone: str = ""
    stop_address: str = ""
    form_uri: str = FORM_URI
    signed: Signed | None = None
    name_used: str = ""


def permission_form(form: PermissionForm) -> bytes:
    """Gives the form as a tagged PDF.

    Raises:
        TooLarge, Busy: see ``papers.press``.

    Source: ``practice.md`` 2 and 20; ISO 14289-1.
    """
    languages = [form.language]
    if form.staff_language != form.language:
        languages.append(form.staff_language)
    columns = [sentences(form, language) for language in languages]
    rows: list[dict[str, Any]] = [
        {"kind": pieces[0][0], "texts": [text for _, text in pieces]} for pieces in zip(*columns, strict=True)
    ]
    rows.append({"kind": "small", "texts": [_version_line(form)]})
    said = catalog(form.language)
    values = {
        "languages": languages,
        "names": [own_name(language) for language in languages],
        "rows": rows,
    }
    return press("form", form.language, said.text(_title_key(form)), values)


def form_text(language: str) -> str:
    """Gives all the form can say in a language, one sentence a line, names and days still in braces.

    It is what the SHA-256 ``text-digest`` of a signature is about.

    >>> form_text("en").splitlines()[0]
    'Your permission to share'
    """
    said = catalog(language)
    lines = [said.sentence(f"paper.form.{key}") for key in _FIXED]
    lines += [word(said, "category", code) for code in CATEGORIES]
    lines += [word(said, "purpose", code) for code in PURPOSES]
    return "\n".join(lines)


def form_digest(language: str) -> str:
    """Gives the SHA-256 of the form's text in a language, as 64 hexadecimal digits.

    >>> len(form_digest("pl")), form_digest("pl") == form_digest("en")
    (64, False)
    """
    return sha256(form_text(language).encode()).hexdigest()


def sentences(form: PermissionForm, language: str) -> tuple[Piece, ...]:
    """Gives what a form says in one language, in order, each with its kind; the same for a page as for paper.

    Args:
        form: what it is about.
        language: of the sentences. The kinds are the same in every language.
    """
    said = catalog(language)
    return tuple(
        piece
        for part in (_who, _why, _what, _how_long, _stop, _answer, _witnesses, _interpreter, _explained)
        for piece in part(form, said)
    )


def _title_key(form: PermissionForm) -> str:
    return "paper.form.title-back" if form.way_back else "paper.form.title"


def _say(said: Catalog, kind: str, *keys: str, **values: str) -> Iterator[Piece]:
    shown = {name: own(value) for name, value in values.items()} if said.direction == "rtl" else values
    for key in keys:
        yield kind, said.text(f"paper.form.{key}", None, **shown)


def _who(form: PermissionForm, said: Catalog) -> Iterator[Piece]:
    yield from _say(said, "text", "intro", "help-stays")
    yield from _say(said, "heading", "who")
    if form.recipient:
        yield "answer", form.recipient
        yield from _say(said, "text", "who-only")
    else:
        yield from _say(said, "line", "line-who")
    yield from _say(said, "text", "from", custodian=form.custodian)


def _why(form: PermissionForm, said: Catalog) -> Iterator[Piece]:
    yield from _say(said, "heading", "why")
    if form.purpose:
        yield "answer", word(said, "purpose", form.purpose)
    else:
        yield from _say(said, "line", "line-why")


def _what(form: PermissionForm, said: Catalog) -> Iterator[Piece]:
    yield from _say(said, "heading", "what")
    yield from _say(said, "text", "back" if form.way_back else "what-least")
    if not form.way_back:
        kind = "item" if form.categories else "choice"
        for code in form.categories or CATEGORIES:
            yield kind, word(said, "category", code)
        left_out = [code for code in form.offered if code not in form.categories]
        if left_out and form.categories:
            yield from _say(said, "text", "what-not")
            for code in left_out:
                yield "item", word(said, "category", code)


def _how_long(form: PermissionForm, said: Catalog) -> Iterator[Piece]:
    yield from _say(said, "heading", "how-long")
    if form.until is None:
        yield from _say(said, "line", "line-until")
    else:
        yield from _say(said, "answer", "until", day=day(said.language, form.until))
    if form.check_in is not None:
        yield from _say(said, "text", "check-in", day=day(said.language, form.check_in))
    if form.legal_note:
        yield from _say(said, "text", "legal-note", note=form.legal_note)


def _stop(form: PermissionForm, said: Catalog) -> Iterator[Piece]:
    yield from _say(said, "heading", "stop")
    yield from _say(said, "text", "stop-any")
    if form.stop_phone:
        yield from _say(said, "text", "stop-phone", phone=form.stop_phone)
    if form.stop_address:
        yield from _say(said, "text", "stop-code", address=form.stop_address)
    yield from _say(said, "text", "stop-past", "law", "copy")


def _answer(form: PermissionForm, said: Catalog) -> Iterator[Piece]:
    yield from _say(said, "heading", "sign")
    signed = form.signed
    if signed is None:
        yield from _say(said, "choice", "yes", "no")
        yield from _say(said, "text", "sign-how")
        yield from _say(said, "line", "line-sign", "line-date")
        return
    yield from _say(said, "answer", "yes")
    yield from _say(said, "text", f"signed-{signed.how}")
    yield from _say(said, "text", "signed-on", day=day(said.language, signed.on))
    if form.name_used:
        yield "answer", form.name_used


def _witnesses(form: PermissionForm, said: Catalog) -> Iterator[Piece]:
    signed = form.signed
    if signed is None:
        yield from _say(said, "line", "line-reader", "line-witness")
        return
    if signed.reader:
        yield from _say(said, "text", "read-by", name=signed.reader)
    if signed.witness:
        yield from _say(said, "text", "witness-was", name=signed.witness)


def _interpreter(form: PermissionForm, said: Catalog) -> Iterator[Piece]:
    signed = form.signed
    if signed is None:
        yield from _say(said, "heading", "interpreter")
        yield from _say(said, "line", "line-agency", "line-number", "line-mode")
        yield from _say(said, "text", "ties")
        yield from _say(said, "choice", "no-ties")
    elif signed.interpreter is not None:
        who = signed.interpreter
        yield from _say(said, "heading", "interpreter")
        yield from _say(said, "text", "interpreter-was", agency=who.agency, staff=who.staff_number)
        if who.language:
            yield "text", own_name(who.language)
        yield from _say(said, "text", f"mode-{who.mode}")
        if who.no_ties:
            yield from _say(said, "text", "ties")
            yield from _say(said, "answer", "no-ties")


def _explained(form: PermissionForm, said: Catalog) -> Iterator[Piece]:
    back = form.signed.explained_back if form.signed is not None else None
    if form.signed is not None and back is None:
        return
    yield from _say(said, "heading", "explained")
    if back is None:
        yield from _say(said, "choice", "explained-yes", "explained-no")
    else:
        yield from _say(said, "answer", "explained-yes" if back else "explained-no")


def _version_line(form: PermissionForm) -> str:
    """Gives the version and the digests, in no language."""
    digests = " ".join(
        f"{language}:{form_digest(language)}"
        for language in dict.fromkeys((form.language, form.staff_language))
    )
    return f"{form.form_uri} · {form.made.isoformat()} · SHA-256 {digests}"
