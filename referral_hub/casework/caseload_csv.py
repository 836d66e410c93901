r"""A caseworker's own list as a CSV file: read from what other programs write, and written so that they read it.

What lives here: bytes to rows and back, each refused row with its column and reason. What does not: who may be in the
list (searches), storing a row (``exchange``), words (``texts``: a reason is a key).

The columns are few, and none asks what happened: the row's own mark, a name to use, adult or child, a language, whether
an interpreter is needed, a birth date. A row is known again by its mark, never by a name.

A cell that a spreadsheet would take for a formula is written with an apostrophe before it. Reading takes away exactly
such apostrophes, so what was written is read unchanged.

Source: RFC 4180; ``practice.md`` 13 and 17; OWASP, CSV Injection.

>>> listed = read_list(write_list([Row("7", "=Lark", "adult", "vi", True, "")]))
>>> listed.rows
(Numbered(line=2, row=Row(mark='7', name='=Lark', age='adult', language='vi', interpreter=True, born='')),)
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

LARGEST = 96 * 1024
"""Bytes of a file that are read at most."""
MOST_ROWS = 500
LONGEST_MARK, LONGEST_NAME = 64, 200
COLUMNS = ("mark", "name", "age", "language", "interpreter", "born")

_ENCODINGS = ("utf-8-sig", "cp1250")
_DELIMITERS = ";,\t"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_GUARDED = re.compile("'+[" + re.escape("".join(_FORMULA)) + "]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("mark", "id", "no", "number", "own mark", "znak", "numer", "nr", "znak własny"), "mark"
        ),
        **dict.fromkeys(("name", "name to use", "imię", "imie", "imię używane tutaj"), "name"),
        **dict.fromkeys(
            ("age", "adult or child", "wiek", "dorosły czy dziecko", "dorosła osoba czy dziecko"), "age"
        ),
        **dict.fromkeys(("language", "język", "jezyk"), "language"),
        **dict.fromkeys(("interpreter", "interpreter needed", "tłumacz", "tlumacz"), "interpreter"),
        **dict.fromkeys(("born", "birth date", "date of birth", "data urodzenia", "urodzona"), "born"),
    }
)
_AGES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("adult", "dorosły", "dorosła", "dorosla", "osoba dorosła", "a", "d"), "adult"),
        **dict.fromkeys(("child", "dziecko", "c"), "child"),
        **dict.fromkeys(("", "unknown", "not known", "nie wiadomo", "?"), ""),
    }
)
_TRUTHS: Mapping[str, bool | None] = MappingProxyType(
    {
        **dict.fromkeys(("yes", "y", "tak", "t", "1", "true", "x"), True),
        **dict.fromkeys(("no", "n", "nie", "0", "false"), False),
        "": None,
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the list; what is not known is empty, or None."""

    mark: str
    name: str
    age: str = ""
    language: str = ""
    interpreter: bool | None = None
    born: str = ""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row and the line of the file it begins in, from 1."""

    line: int
    row: Row


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not taken: its line, the column (empty: the whole row), and the key of the reason."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listed:
    """What a file holds. ``problem`` is the key of a sentence where the file as a whole cannot be read."""

    rows: tuple[Numbered, ...] = ()
    refused: tuple[RefusedRow, ...] = ()
    problem: str = ""
    ignored: tuple[str, ...] = ()


def read_list(content: bytes) -> Listed:
    r"""Gives the rows of a file, and each refused one with its reason.

    Args:
        content: the file as it was sent: UTF-8, UTF-16 with its mark, or Windows-1250; ``;``, ``,`` or tab between
            cells; a first line with names of columns in English or Polish.

    >>> read_list(b"name,born\nLark,yesterday\n").refused
    (RefusedRow(line=2, column='mark', reason='my.csv.no-mark'),)
    >>> read_list(b"who,what\n1,2\n").problem
    'my.csv.no-columns'
    """
    if len(content) > LARGEST:
        return Listed(problem="my.csv.too-large")
    text = _text(content)
    if text is None or not text.strip():
        return Listed(problem="my.csv.unreadable" if text is None else "my.csv.empty")
    try:
        lines = list(_lines(text))
    except csv.Error:
        return Listed(problem="my.csv.unreadable")
    places: dict[int, str] = {}
    ignored = []
    for place, cell in enumerate(lines[0][1]):
        name = _HEADERS.get(" ".join(_plain(cell).casefold().split()))
        if name is None:
            ignored.append(str(place + 1))
        elif name in places.values():
            return Listed(problem="my.csv.twice")
        else:
            places[place] = name
    if "mark" not in places.values() and "name" not in places.values():
        return Listed(problem="my.csv.no-columns")
    filled = [(line, cells) for line, cells in lines[1:] if any(cell.strip() for cell in cells)]
    if len(filled) > MOST_ROWS:
        return Listed(problem="my.csv.too-many")
    rows, refused = _taken(filled, places, width=len(lines[0][1]))
    return Listed(tuple(rows), tuple(refused), ignored=tuple(ignored))


def write_list(rows: Iterable[Row]) -> bytes:
    """Gives a file that spreadsheets open: UTF-8 with its mark, commas, every cell quoted, no cell a formula."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        interpreter = "" if row.interpreter is None else "yes" if row.interpreter else "no"
        cells = (row.mark, row.name, row.age, row.language, interpreter, row.born)
        writer.writerow([harmless(cell) for cell in cells])
    return made.getvalue().encode("utf-8-sig")


def harmless(cell: str) -> str:
    """Gives a cell that no spreadsheet takes for a formula.

    >>> harmless("=HYPERLINK(1)"), harmless("Lark"), harmless("'=x")
    ("'=HYPERLINK(1)", 'Lark', "''=x")
    """
    return f"'{cell}" if cell.startswith(_FORMULA) or _GUARDED.match(cell) else cell


def _plain(cell: str) -> str:
    """Takes away the apostrophe that :func:`harmless` puts before a cell."""
    return cell[1:] if _GUARDED.match(cell) else cell


def _text(content: bytes) -> str | None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = _ENCODINGS
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _lines(text: str) -> Iterable[tuple[int, list[str]]]:
    """Gives each record with the line it begins in; a mark such as ``sep=;`` before the names is left out."""
    first, _, rest = text.partition("\n")
    before = 0
    if first.strip().casefold().startswith("sep=") and len(first.strip()) == 5:
        delimiter, text, before = first.strip()[4], rest, 1
    else:
        delimiter = max(_DELIMITERS, key=first.count)
    if delimiter not in _DELIMITERS:
        raise csv.Error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = before + 1
    found = False
    for cells in reader:
        if cells or found:
            yield line, cells
            found = True
        line = before + reader.line_num + 1
    if not found:
        raise csv.Error


def _taken(
    lines: Sequence[tuple[int, list[str]]], places: Mapping[int, str], *, width: int
) -> tuple[list[Numbered], list[RefusedRow]]:
    rows: list[Numbered] = []
    refused: list[RefusedRow] = []
    marks: set[str] = set()
    for line, cells in lines:
        found = {name: _plain(cells[place]).strip() for place, name in places.items() if place < len(cells)}
        problem = _problem(found, marks, shifted=any(cell.strip() for cell in cells[width:]))
        if problem is not None:
            refused.append(RefusedRow(line, *problem))
            continue
        marks.add(found["mark"])
        rows.append(Numbered(line, _row(found)))
    return rows, refused


def _row(found: Mapping[str, str]) -> Row:
    return Row(
        mark=found["mark"],
        name=found.get("name", ""),
        age=_AGES[found.get("age", "").casefold()],
        language=found.get("language", ""),
        interpreter=_TRUTHS[found.get("interpreter", "").casefold()],
        born=found.get("born", ""),
    )


def _problem(found: Mapping[str, str], marks: set[str], *, shifted: bool) -> tuple[str, str] | None:
    """Gives the column and the reason of the first thing wrong in a row."""
    if shifted:
        return "", "my.csv.shifted"
    for column, wrong, reason in _RULES:
        if wrong(found.get(column, "")):
            return column, reason
    if found["mark"] in marks:
        return "mark", "my.csv.mark-twice"
    return None


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        return date.fromisoformat(text).year >= 1900
    except ValueError:
        return False


_RULES: tuple[tuple[str, Callable[[str], bool], str], ...] = (
    *((column, lambda text: bool(_ODD.search(text)), "my.csv.odd-letters") for column in COLUMNS),
    ("mark", lambda text: not text, "my.csv.no-mark"),
    (
        "mark",
        lambda text: len(text) > LONGEST_MARK or any(one in text for one in "|,\\$\n\r\t"),
        "my.csv.bad-mark",
    ),
    ("name", lambda text: not text, "my.csv.no-name"),
    ("name", lambda text: len(text) > LONGEST_NAME or "\n" in text or "\r" in text, "my.csv.long-name"),
    ("age", lambda text: text.casefold() not in _AGES, "my.csv.bad-age"),
    ("language", lambda text: bool(text) and not _LANGUAGE.fullmatch(text), "my.csv.bad-language"),
    ("interpreter", lambda text: text.casefold() not in _TRUTHS, "my.csv.bad-interpreter"),
    ("born", lambda text: bool(text) and not _is_day(text), "my.csv.bad-born"),
)
