"""Sets a paper: a layout and plain values become a tagged PDF.

What lives here: the call of the typesetter, its bounds, and what text may hold. What does not: what stands on a
paper (its own module), how it looks (``layouts/``).

Values reach a layout as JSON text and are never read as markup, so a name may hold whatever a person's name holds.
A letter that no font has would end the typesetting; it is printed as ``?``. Signs that cannot be seen but turn the
direction of what follows are left out.

The typesetter computes outside Python's lock. At most two papers are set at a time in one process, each at most as
long as :data:`MOST_LETTERS` takes.

Source: ISO 14289-1; Unicode Standard Annex 9 (bidirectional controls); ADR 0041.
"""

import json
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from referral_hub.errors import Busy, TooLarge

if TYPE_CHECKING:
    from typst import Fonts

MOST_LETTERS = 600_000
"""Letters on one paper at most, its own sentences included."""
MOST_VALUES = 40_000
"""Separate texts on one paper at most."""
WAIT_S = 20.0
"""How long a paper waits for its turn at most."""
MISSING = "?"

_FOLDER = Path(__file__).parent
_AT_ONCE = BoundedSemaphore(2)
_KEPT = frozenset("\u200c\u200d\u2068\u2069")
"""What joins Arabic letters or not, and the isolates, which end with their sentence."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def press(layout: str, language: str, title: str, values: Mapping[str, Any]) -> bytes:
    """Gives a paper as a PDF that a screen reader can read.

    Args:
        layout: the name of a layout, such as ``sheet``.
        language: of the paper, as BCP 47.
        title: what a reader shows as its title; names nobody.
        values: what the layout shows: texts, lists and mappings of texts.

    Returns:
        A PDF by PDF/UA-1.

    Raises:
        TooLarge: more than one paper may hold (413).
        Busy: others are being set, and it did not come to its turn (503).

    Source: ISO 14289-1.

    >>> press("sheet", "en", "Notes", {"pieces": [{"kind": "title", "text": "Notes"}]})[:8]
    b'%PDF-1.7'
    """
    import typst

    asked = plain({**values, "language": language, "title": title})
    letters, texts = _size(asked)
    if letters > MOST_LETTERS or texts > MOST_VALUES:
        raise TooLarge("This is more than one paper may hold. Ask for a part of it.")
    if not _AT_ONCE.acquire(timeout=WAIT_S):
        raise Busy("Other papers are being made. Try again in a moment.")
    try:
        compiler = typst.Compiler(
            _source(layout),
            root=_FOLDER / "layouts",
            font_paths=_fonts(),
            ignore_system_fonts=True,
            sys_inputs={"values": json.dumps(asked, ensure_ascii=False)},
        )
        made = compiler.compile(format="pdf", pdf_standards=["ua-1"], timestamp=0)
    finally:
        _AT_ONCE.release()
    if not isinstance(made, bytes):
        raise TypeError("the typesetter gave no single file")
    return made


def plain(value: Any) -> Any:
    r"""Gives values with every text in them as it can be printed.

    >>> plain({"a": ["é\u202e", "中"]})
    {'a': ['é', '?']}
    """
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def printable(text: str) -> str:
    r"""Gives a text that the fonts can show: composed, without hidden signs, unknown letters as ``?``.

    >>> printable("Nguyễn\tThị\u202e 😀")
    'Nguyễn Thị ?'
    """
    composed = unicodedata.normalize("NFC", text)
    if composed.isascii() and composed.isprintable():
        return composed
    return "".join(_letters(composed))


def _letters(text: str) -> Iterator[str]:
    for letter in text:
        if letter in _KEPT:
            yield letter
        elif letter.isspace():
            yield " "
        elif unicodedata.category(letter) not in _UNSEEN:
            yield letter if covered(letter) else MISSING


def covered(letter: str) -> bool:
    """Tells whether the fonts have a letter.

    >>> covered("ж"), covered("ش"), covered("中")
    (True, True, False)
    """
    firsts, lasts = _covered()
    place = bisect_right(firsts, ord(letter)) - 1
    return place >= 0 and ord(letter) <= lasts[place]


@cache
def _covered() -> tuple[tuple[int, ...], tuple[int, ...]]:
    lines = (_FOLDER / "fonts" / "covered.txt").read_text(encoding="ascii").split("\n")
    spans = [line.split() for line in lines if line]
    return tuple(int(first, 16) for first, _ in spans), tuple(int(last, 16) for _, last in spans)


@cache
def _source(layout: str) -> bytes:
    return b"".join((_FOLDER / "layouts" / f"{name}.typ").read_bytes() for name in ("frame", layout))


@cache
def _fonts() -> "Fonts":
    """Gives the hub's own fonts, read once per process; none of the machine's."""
    import typst

    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[_FOLDER / "fonts"]
    )


def _size(value: Any) -> tuple[int, int]:
    """Gives how many letters and how many texts a value holds."""
    letters = texts = 0
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            letters += len(one)
            texts += 1
        elif isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return letters, texts
