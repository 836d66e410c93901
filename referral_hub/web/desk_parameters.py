"""Reading the Parameters of what a person takes back and what her organisation's people decide.

What lives here: names and types of parameters. What does not: what they mean (``exchange``).

Source: FHIR R4 operations.html.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from referral_hub.errors import InvalidResource
from referral_hub.exchange import absence
from referral_hub.exchange.compelled import Order
from referral_hub.exchange.consent_writing import Asking
from referral_hub.exchange.deciding import Said
from referral_hub.exchange.outside_requests import Question
from referral_hub.exchange.withdrawing import Wish
from referral_hub.fhir.elements import reference_text
from referral_hub.fhir.outcome import Issue

Pairs = Sequence[tuple[str, Any]]


def wish_of(given: Pairs) -> Wish:
    """Gives what she takes back.

    A recipient or a kind of information that was sent and cannot be read is refused: read as none it would mean
    everything.

    Raises:
        InvalidResource: with every problem (422).

    >>> wish_of([("category", "health"), ("how", "phone")]).category
    'health'
    >>> wish_of([("recipient", "Organization/a1")]).recipient
    'a1'
    """
    _known(given, ("recipient", "category", "how", "identity-checked", "hold-recall", "hold-reason"))
    recipient = id_of(given, "recipient", "Organization")
    asking = Asking(
        at_once=False, hold=_truth(given, "hold-recall", absent=False), reason=text_of(given, "hold-reason")
    )
    return Wish(
        recipient=recipient,
        category=text_of(given, "category"),
        how=text_of(given, "how"),
        identity_checked=_truth(given, "identity-checked", absent=True),
        asking=asking,
    )


def order_of(given: Pairs) -> Order:
    """Gives what an order demands.

    Each ``record`` is a text: ``Type/id``, then the elements to be copied, with spaces between; without elements the
    record is copied whole.

    Raises:
        InvalidResource: it cannot be read (422).

    >>> order_of([("order-kind", "court-order"), ("record", "Condition/c1 code recordedDate")]).records
    (('Condition/c1', ('code', 'recordedDate')),)
    """
    _known(given, ("order-kind", "legal-basis", "asked-by", "record", "notice", "notice-note"))
    records = []
    for text in (value for key, value in given if key == "record"):
        words = text.split() if isinstance(text, str) else [reference_text(text)]
        if not words or words[0].count("/") != 1 or not all(words[0].split("/")):
            raise wrong("record", "Name each record as Type/id, then the elements to be copied.")
        records.append((words[0], tuple(words[1:])))
    return Order(
        kind=text_of(given, "order-kind"),
        legal_basis=text_of(given, "legal-basis"),
        asked_by=text_of(given, "asked-by"),
        records=tuple(records),
        notice=text_of(given, "notice"),
        notice_note=text_of(given, "notice-note"),
    )


def question_of(given: Pairs) -> Question:
    """Gives who asks from outside, and what else than the usual is to be answered."""
    _known(given, ("asker-kind", "asked-by", "other-answer", "patient"))
    return Question(text_of(given, "asker-kind"), text_of(given, "asked-by"), text_of(given, "other-answer"))


def instruction_of(given: Pairs) -> absence.Wish:
    """Gives what she wants told if she dies or nobody knows where she is.

    >>> instruction_of([("asker-kind", "family"), ("after-days", 30), ("tell", "She was well.")]).after_days
    30
    """
    _known(given, ("asker-kind", "after-days", "tell"))
    found = [value for key, value in given if key == "after-days"]
    if len(found) != 1 or isinstance(found[0], bool) or not isinstance(found[0], int):
        raise wrong("after-days", "Say it once, as a whole number of days.")
    return absence.Wish(text_of(given, "asker-kind"), found[0], text_of(given, "tell"))


def said_of(given: Pairs) -> Said:
    """Gives what is decided about a Task of the desk."""
    _known(given, ("decision", "reason", "counsel", "notice", "notice-note"))
    return Said(
        decision=text_of(given, "decision", demanded=True),
        reason=text_of(given, "reason"),
        counsel=text_of(given, "counsel"),
        notice=text_of(given, "notice"),
        notice_note=text_of(given, "notice-note"),
    )


def text_of(given: Pairs, name: str, *, demanded: bool = False) -> str:
    """Gives a text or code; empty where it is absent.

    Raises:
        InvalidResource: it is no text, is said twice, or is demanded and absent (422).
    """
    found = [value for key, value in given if key == name]
    if len(found) > 1 or any(not isinstance(value, str) or not value.strip() for value in found):
        raise wrong(name, "Say it once, as a text or a code.")
    if demanded and not found:
        raise wrong(name, "This has to be said.")
    return found[0].strip() if found else ""


def id_of(given: Pairs, name: str, type_name: str, *, demanded: bool = False) -> str:
    """Gives the id of the resource of a type that a parameter names, as a reference or in words.

    Raises:
        InvalidResource: it names something else, is said twice, or is demanded and absent (422).
    """
    found = [value for key, value in given if key == name]
    if not found and not demanded:
        return ""
    if len(found) == 1:
        text = found[0] if isinstance(found[0], str) else reference_text(found[0])
        kind, _, public_id = text.partition("/")
        if kind == type_name and public_id and "/" not in public_id:
            return public_id
    raise wrong(name, f"Name one as {type_name}/id.")


def wrong(name: str, text: str) -> InvalidResource:
    """Gives the refusal of one parameter."""
    return InvalidResource([Issue("error", "value", text, f"Parameters.parameter.where(name='{name}')")])


def _truth(given: Pairs, name: str, *, absent: bool) -> bool:
    found = [value for key, value in given if key == name]
    if not found:
        return absent
    if len(found) > 1 or not isinstance(found[0], bool):
        raise wrong(name, "Say true or false, once.")
    return found[0]


def _known(given: Pairs, names: Iterable[str]) -> None:
    """A parameter that is not known may be a limit somebody meant: nothing is done then."""
    for key, _ in given:
        if key not in names:
            raise wrong(key, "This operation has no such parameter.")
