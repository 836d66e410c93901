"""The card that says she can come back: for a purse, and harmless when somebody else finds it.

What lives here: what the card says. What does not: when it is handed over.

It holds a neutral name, a number and hours. It has no field for the person's name, and says nothing of what the
place is for.

Source: ``practice.md`` (words on pages and paper) and the story's step 4.
"""

from dataclasses import dataclass

from referral_hub.papers.press import press
from referral_hub.texts.catalogs import catalog


@dataclass(frozen=True, slots=True)
class ComeBackCard:
    """What one card says.

    Args:
        language: hers; a key of ``LANGUAGES``.
        name: the neutral name of the place.
        phone: a number.
        hours: when somebody answers, in words.
        place: where, if it may be known.
        word: what she may say on the phone in place of a name.
    """

    language: str
    name: str
    phone: str = ""
    hours: str = ""
    place: str = ""
    word: str = ""


def come_back_card(card: ComeBackCard) -> bytes:
    """Gives the card as a tagged PDF of one page, 85.6 by 54 mm.

    Raises:
        TooLarge, Busy: see ``papers.press``.

    Source: ISO/IEC 7810 ID-1 (the size); ISO 14289-1.
    """
    said = catalog(card.language)
    lines = [("", card.name)]
    for key, text in (
        ("phone", card.phone),
        ("hours", card.hours),
        ("place", card.place),
        ("word", card.word),
    ):
        if text:
            lines.append((said.text(f"paper.card.{key}"), text))
    heading = said.text("paper.card.title")
    values = {"heading": heading, "text": said.text("paper.card.text"), "lines": lines}
    return press("card", card.language, heading, values)
