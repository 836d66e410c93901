"""A request for help on paper, for an organisation without software: the request, and what to say on the phone.

What lives here: what the paper says. What does not: which facts its reader may have (they come from the preview, or
the notice alone), the code (``web``: an answer by phone is entered by the sender).

The paper names its sender by a neutral name and never tells the reader how to reach the person.

Source: ``practice.md`` 1, 3, 6 and 11; ``interfaces.md`` 4 (one-time inbox).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from referral_hub.papers.press import press
from referral_hub.papers.words import day
from referral_hub.texts.catalogs import catalog


@dataclass(frozen=True, slots=True)
class PrintedReferral:
    """What one printed request says.

    Args:
        language: the reader's; a key of ``LANGUAGES``.
        made: the day it is printed.
        sender: the neutral name of who asks.
        recipient: who is asked.
        number: a short reference; no id of the hub.
        need: what is needed, in words.
        urgency: how soon, as FHIR's request priority.
        facts: label and value of what the reader may have, and nothing else.
        answer_by: the day an answer is hoped for.
        call_back_code: what the reader says on the phone, in place of a name.
        phone: the number to call.
    """

    language: str
    made: date
    sender: str
    recipient: str
    number: str
    need: str
    urgency: Literal["routine", "urgent", "asap", "stat"] = "routine"
    facts: tuple[tuple[str, str], ...] = ()
    answer_by: date | None = None
    call_back_code: str = ""
    phone: str = ""


def printed_referral(paper: PrintedReferral) -> bytes:
    """Gives the request and its phone script as a tagged PDF of two pages.

    Raises:
        TooLarge, Busy: see ``papers.press``.

    Source: ISO 14289-1.
    """
    said = catalog(paper.language)

    def say(key: str, **values: object) -> str:
        return said.text(f"paper.referral.{key}", None, **values)

    head = [
        (say("from"), paper.sender),
        (say("to"), paper.recipient),
        (say("number"), paper.number),
        (say("made"), day(paper.language, paper.made)),
        (say("need"), paper.need),
        (say("urgency"), say(f"urgency-{paper.urgency}")),
    ]
    if paper.answer_by is not None:
        head.append((say("answer-by"), day(paper.language, paper.answer_by)))
    pieces: list[dict[str, Any]] = [
        {"kind": "title", "text": say("title")},
        {"kind": "terms", "items": head},
    ]
    if paper.facts:
        pieces.append({"kind": "heading", "text": say("facts")})
        pieces.append({"kind": "terms", "items": list(paper.facts)})
    pieces.append({"kind": "heading", "text": say("answer")})
    if paper.phone:
        pieces.append({"kind": "strong", "text": say("phone", phone=paper.phone)})
    if paper.call_back_code:
        pieces.append({"kind": "strong", "text": say("code", code=paper.call_back_code)})
    pieces.append({"kind": "items", "items": [say("no-contact"), say("no-names"), say("lock")]})
    pieces += [
        {"kind": "page"},
        {"kind": "heading", "text": say("script")},
        {"kind": "text", "text": say("script-hint")},
        {
            "kind": "steps",
            "items": [
                say("script-number", reference=paper.number),
                say("script-code", code=paper.call_back_code)
                if paper.call_back_code
                else say("script-no-code"),
                say("script-answer"),
                say("script-yes"),
                say("script-no"),
                say("script-ask"),
                say("script-end"),
            ],
        },
        {"kind": "heading", "text": say("notes")},
        {"kind": "line", "text": say("note-when")},
        {"kind": "line", "text": say("note-who")},
        {"kind": "line", "text": say("note-what")},
    ]
    return press("sheet", paper.language, say("title"), {"pieces": pieces})
