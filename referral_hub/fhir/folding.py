"""Texts made alike before they are compared.

What lives here: the folding of names and other texts, the same for what is stored and what is asked. What
does not: keyed digests of folded names (``store``).

Source: FHIR R4 ``search.html#string``: case, accents and other combining marks do not count.
"""

import re
import unicodedata

# Marks that are written or left out without changing the word: Latin, Greek and Cyrillic accents, Hebrew
# points, Arabic vowel signs and the stroke that stretches a word. Vowel signs of Indic scripts and the
# voicing marks of Japanese are no accents and stay.
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0640\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff]"
)
_UNWRITTEN = re.compile("[\x00-\x08\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
# Letters Unicode does not take apart, though people type the plain one.
_LETTERS = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ŧ": "t",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)


def fold(text: str) -> str:
    """Gives a text without case, accents, invisible signs and repeated blanks, for comparing only.

    >>> fold("  José   ŁUKASZ ")
    'jose lukasz'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", _UNWRITTEN.sub("", text)).casefold()
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_LETTERS)
        text = unicodedata.normalize("NFC", text)
        return " ".join(text.split())
    return " ".join(_UNWRITTEN.sub("", text).lower().split())
