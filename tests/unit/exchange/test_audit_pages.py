"""What the audit tells of an answered page: every person with what is hers, whoever else is on it."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from referral_hub.exchange.audit import page_entries
from referral_hub.exchange.change import AuditEntry, PageEntry

CALLER: Any = SimpleNamespace(organization_id="clinic", oauth_client="ehr", user="", purpose="TREAT")


@dataclass(frozen=True)
class Told:
    consents: tuple[tuple[str, str], ...]
    discloses: bool


def row(person: int | None, name: str) -> Any:
    return SimpleNamespace(type="Task", id=name, version="1", person=person)


def spread(entries: list[AuditEntry | PageEntry]) -> list[AuditEntry]:
    """Gives one entry per person, as they are read back."""
    found: list[AuditEntry] = []
    for one in entries:
        if isinstance(one, AuditEntry):
            found.append(one)
            continue
        for person, entities, consents in one.subjects:
            fields = {name: getattr(one.shared, name) for name in one.shared.__struct_fields__}
            told = {
                "person": person,
                "entities": tuple(entities.split()),
                "consents": tuple(consents.split()),
            }
            found.append(AuditEntry(**{**fields, **told}))
    return found


def test_a_page_about_several_is_one_line() -> None:
    told = Told((("c", "1"),), discloses=True)
    (page,) = page_entries(CALLER, "search-type", [(row(1, "a"), told), (row(2, "b"), told)], 5)
    assert isinstance(page, PageEntry)
    assert page.subjects == ((1, "Task/a/1", "c/1"), (2, "Task/b/1", "c/1"))
    assert (page.shared.recipient, page.shared.person, page.shared.at_us) == ("clinic", None, 5)


def test_an_empty_page_leaves_a_line_too() -> None:
    (line,) = page_entries(CALLER, "search-type", [], 5)
    assert isinstance(line, AuditEntry)
    assert (line.person, line.entities, line.recipient) == (None, (), "clinic")


def test_who_learnt_nothing_is_not_among_those_of_whom_something_left() -> None:
    rows = [(row(1, "a"), Told((), discloses=False)), (row(2, "b"), Told((("c", "1"),), discloses=True))]
    told = {one.person: one.recipient for one in spread(page_entries(CALLER, "search-type", rows, 5))}
    assert told == {1: "", 2: "clinic"}


def test_one_disclosing_row_of_a_person_is_enough() -> None:
    rows = [(row(1, "a"), Told((), discloses=False)), (row(1, "b"), Told((("c", "1"),), discloses=True))]
    (line,) = page_entries(CALLER, "search-type", rows, 5)
    assert isinstance(line, AuditEntry)
    assert (line.recipient, line.entities, line.consents) == ("clinic", ("Task/a/1", "Task/b/1"), ("c/1",))


_CONSENTS = st.lists(st.tuples(st.sampled_from("cde"), st.sampled_from("12")), max_size=3, unique=True).map(
    tuple
)
_ROWS = st.lists(
    st.tuples(st.none() | st.integers(1, 4), _CONSENTS, st.booleans()),
    max_size=12,
)


@given(_ROWS)
def test_nothing_is_left_out_doubled_or_given_to_another(
    drawn: list[tuple[int | None, tuple[tuple[str, str], ...], bool]],
) -> None:
    rows = [
        (row(person, f"r{place}"), Told(consents, disclosed))
        for place, (person, consents, disclosed) in enumerate(drawn)
    ]
    found = spread(page_entries(CALLER, "search-type", rows, 5))
    persons = [one.person for one in found]
    assert len(persons) == len(set(persons))
    assert set(persons) == ({person for person, *_ in drawn} or {None})
    for one in found:
        mine = [(a, told) for a, told in rows if a.person == one.person]
        assert one.entities == tuple(f"Task/{a.id}/1" for a, _ in mine)
        assert set(one.consents) == {"/".join(c) for _, told in mine for c in told.consents}
        assert len(one.consents) == len(set(one.consents))
        if mine:
            assert (one.recipient != "") is any(told.discloses for _, told in mine)
