"""Lists in and out: what is written is read unchanged, no cell is a formula, each refused row has its reason."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.casework.caseload import hub_id, patient_of, planned, row_of
from referral_hub.casework.caseload_csv import (
    LARGEST,
    MOST_ROWS,
    Listed,
    Numbered,
    Row,
    harmless,
    read_list,
    write_list,
)

ACCOUNT = "0b8d"
_LETTERS = st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Co", "Cn"))
_NAMES = st.text(_LETTERS, min_size=1, max_size=40).map(lambda text: " ".join(text.split())).filter(bool)
_MARKS = st.text(
    st.characters(whitelist_categories=("Lu", "Ll", "Nd"), whitelist_characters="=+-@'#/. "), min_size=1
).map(lambda text: text.strip()[:64].strip())
_ROWS = st.builds(
    Row,
    mark=_MARKS.filter(bool),
    name=_NAMES,
    age=st.sampled_from(("", "adult", "child")),
    language=st.sampled_from(("", "vi", "pl", "uk", "zh-Hant")),
    interpreter=st.sampled_from((None, True, False)),
    born=st.dates(min_value=__import__("datetime").date(1900, 1, 1)).map(str) | st.just(""),
)
_LISTS = st.lists(_ROWS, max_size=20, unique_by=lambda row: row.mark)


def rows_of(content: bytes) -> list[Row]:
    found = read_list(content)
    assert not found.problem
    return [one.row for one in found.rows]


@given(_LISTS)
def test_what_was_written_is_read_unchanged(rows: list[Row]) -> None:
    found = read_list(write_list(rows))
    assert [one.row for one in found.rows] == rows
    assert not found.refused
    assert not found.problem


@given(_LISTS)
def test_no_cell_that_is_written_is_a_formula(rows: list[Row]) -> None:
    text = write_list(rows).decode("utf-8-sig")
    for cells in csv.reader(io.StringIO(text, newline="")):
        for cell in cells:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text())
def test_the_apostrophe_is_taken_away_again_and_no_other(cell: str) -> None:
    made = harmless(cell)
    assert made in (cell, f"'{cell}")
    assert harmless(made) != made or made == cell


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused_and_never_raise(content: bytes) -> None:
    found = read_list(content)
    assert isinstance(found, Listed)
    assert not (found.problem and found.rows)


@given(st.text(max_size=300))
def test_any_text_below_right_names_is_rows_or_refusals(text: str) -> None:
    found = read_list(f"mark,name,born\n{text}".encode("utf-8", "replace"))
    for one in found.rows:
        assert one.row.mark
        assert one.row.name
        assert "\x00" not in one.row.name


@given(_LISTS)
def test_a_list_that_was_taken_out_changes_nothing_when_it_comes_back(rows: list[Row]) -> None:
    known = {row.mark: row_of({**patient_of(row, ACCOUNT), "id": "p"}, ACCOUNT) for row in rows}
    back = planned(read_list(write_list(known.values())).rows, known)
    assert {one.becomes for one in back.planned} <= {"same"}
    assert len(back.planned) == len(rows)
    assert not back.refused


@given(_LISTS)
def test_in_an_empty_house_the_same_list_becomes_the_same_people(rows: list[Row]) -> None:
    rows = [row for row in rows if not row.mark.startswith("hub:")]
    new = planned(read_list(write_list(rows)).rows, {}).new
    assert [row_of(patient_of(row, ACCOUNT), ACCOUNT) for row in new] == rows


POLISH = 'znak;imię;wiek;język;tłumacz;data urodzenia\r\nŻ-1;"Łucja; z mostu";dorosła;uk;tak;1990-01-31\r\n'
LUCJA = Row("Ż-1", "Łucja; z mostu", "adult", "uk", True, "1990-01-31")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250"])
def test_polish_names_of_columns_in_every_encoding(encoding: str) -> None:
    assert rows_of(POLISH.encode(encoding)) == [LUCJA]


@pytest.mark.parametrize(("encoding", "mark"), [("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")])
def test_both_orders_of_utf_16(encoding: str, mark: bytes) -> None:
    assert rows_of(mark + POLISH.encode(encoding)) == [LUCJA]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_every_delimiter_and_line_end(delimiter: str, ending: str) -> None:
    text = ending.join((delimiter.join(("Name", "MARK")), delimiter.join(("Lark", "7")), ""))
    assert rows_of(text.encode()) == [Row("7", "Lark")]


def test_a_line_that_names_the_delimiter_is_no_row() -> None:
    found = read_list(b"sep=;\nmark;name\n7;Lark\n")
    assert found.rows == (Numbered(3, Row("7", "Lark")),)


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (",Lark,,,,", "mark", "my.csv.no-mark"),
        ("7,,,,,", "name", "my.csv.no-name"),
        ("7,Lark,old,,,", "age", "my.csv.bad-age"),
        ("7,Lark,,Vietnamese?,,", "language", "my.csv.bad-language"),
        ("7,Lark,,,perhaps,", "interpreter", "my.csv.bad-interpreter"),
        ("7,Lark,,,,31.01.1990", "born", "my.csv.bad-born"),
        ("7,Lark,,,,1990-02-30", "born", "my.csv.bad-born"),
        ("7,Lark\x00,,,,", "name", "my.csv.odd-letters"),
        ("7\x07,Lark,,,,", "mark", "my.csv.odd-letters"),
        ("7|8,Lark,,,,", "mark", "my.csv.bad-mark"),
        (f"{'7' * 65},Lark,,,,", "mark", "my.csv.bad-mark"),
        (f"7,{'L' * 201},,,,", "name", "my.csv.long-name"),
        ('7,"La\nrk",,,,', "name", "my.csv.long-name"),
        ("7,Lark,,,,,surplus", "", "my.csv.shifted"),
    ],
)
def test_each_refused_row_has_its_column_and_reason(row: str, column: str, reason: str) -> None:
    found = read_list(f"mark,name,age,language,interpreter,born\n1,First,,,,\n{row}\n9,Last,,,,\n".encode())
    assert [(one.line, one.column, one.reason) for one in found.refused] == [(3, column, reason)]
    assert [one.row.name for one in found.rows] == ["First", "Last"]


def test_a_mark_twice_in_one_file_is_refused_the_second_time() -> None:
    found = read_list(b"mark,name\n7,Lark\n7,Wren\n")
    assert [(one.line, one.reason) for one in found.refused] == [(3, "my.csv.mark-twice")]
    assert [one.row.name for one in found.rows] == ["Lark"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "my.csv.empty"),
        (b" \n\n", "my.csv.empty"),
        (b"a,b\n1,2\n", "my.csv.no-columns"),
        (b"name,name\n1,2\n", "my.csv.twice"),
        (b'mark,name\n7,"Lark\n', "my.csv.unreadable"),
        (b"mark,name\n7,\x81\x90", "my.csv.unreadable"),
        (b"x" * (LARGEST + 1), "my.csv.too-large"),
        (b"mark,name\n" + b"".join(b"%d,L\n" % n for n in range(MOST_ROWS + 1)), "my.csv.too-many"),
    ],
)
def test_a_file_that_cannot_be_read_as_a_whole(content: bytes, problem: str) -> None:
    found = read_list(content)
    assert (found.problem, found.rows) == (problem, ())


def test_one_huge_cell_is_refused_and_its_neighbours_are_taken() -> None:
    found = read_list(b'mark,name\n7,"' + b"L" * 90_000 + b'"\n8,Wren\n')
    assert [(one.line, one.reason) for one in found.refused] == [(2, "my.csv.long-name")]
    assert [one.row.mark for one in found.rows] == ["8"]


def test_a_mark_of_the_hub_is_known_only_where_the_person_is_seen() -> None:
    rows = (
        Numbered(2, Row("hub:seen", "Lark")),
        Numbered(3, Row("hub:hidden", "Wren")),
        Numbered(4, Row("hub:none", "Wren")),
    )
    found = planned(rows, {"hub:seen": Row("hub:seen", "Lark")})
    assert [one.becomes for one in found.planned] == ["same"]
    assert [(one.line, one.reason) for one in found.refused] == [
        (3, "my.csv.hub-mark"),
        (4, "my.csv.hub-mark"),
    ]


def test_a_record_that_differs_says_where_and_is_left_alone() -> None:
    found = planned((Numbered(2, Row("7", "Wren", "child")),), {"7": Row("7", "Lark", "adult")})
    (one,) = found.planned
    assert (one.becomes, one.differs) == ("differs", ("name", "age"))
    assert found.new == ()


@pytest.mark.parametrize(
    "patient",
    [
        {"id": "p"},
        {"id": "p", "name": [{"text": "a\u2028b"}], "birthDate": "1994"},
        {
            "id": "p",
            "name": [{"given": ["Lark"], "family": "Larkson"}],
            "communication": [{"language": {"text": "x"}}],
        },
        {
            "id": "p",
            "name": [{"text": "=1+1"}],
            "communication": [{"language": {"coding": [{"code": "not one!"}]}}],
        },
        {"id": "p", "name": [{"text": "L" * 500}], "birthDate": "1870-01-01"},
    ],
)
def test_any_record_becomes_a_row_that_comes_back(patient: dict[str, object]) -> None:
    row = row_of(patient, ACCOUNT)
    assert hub_id(row.mark) == "p"
    assert rows_of(write_list([row])) == [row]
