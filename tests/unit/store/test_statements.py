"""Statements: the same question for both databases, and refused at import where the driver could not take it."""

import gc
import importlib
import pkgutil

import pytest
import sqlalchemy as sa

import referral_hub
import referral_hub.store
from referral_hub.store import schema
from referral_hub.store.statements import (
    WRITES,
    Register,
    Statement,
    constant,
    octets,
    one_of,
    whole,
    words,
)

TASK = schema.resource.c
REFUSED = {
    "a literal": sa.select(TASK.id).where(TASK.type == "Task"),
    "a literal among named ones": sa.select(TASK.id).where(TASK.row_id == whole("row"), TASK.deleted == 0),
    "a list": sa.select(TASK.id).where(TASK.row_id.in_(sa.bindparam("rows", expanding=True))),
    "a named value with a default": sa.select(TASK.id).where(TASK.row_id == sa.bindparam("row", 5)),
    "a value that needs a processor": sa.select(TASK.id).where(
        sa.bindparam("flag", type_=sa.Boolean()) == TASK.deleted
    ),
    "a literal limit": sa.select(TASK.id).limit(5),
    "a value rendered at run time": sa.select(TASK.id).where(
        TASK.id == sa.bindparam("id", type_=sa.Text(), literal_execute=True)
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_bare_driver_cannot_take_is_refused(name: str):
    with pytest.raises(ValueError, match="asked"):
        Statement("asked", REFUSED[name]).check()


def text_of(expression: object, dialect: str) -> str:
    return " ".join(Statement("asked", expression).text[dialect].split())


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (
            "sqlite",
            "SELECT resource.id FROM resource WHERE (resource.row_id IN (SELECT value FROM json_each(:rows)))",
        ),
        ("postgresql", "SELECT resource.id FROM resource WHERE (resource.row_id = ANY(%(rows)s::BIGINT[]))"),
    ],
)
def test_a_list_is_one_parameter(dialect: str, expected: str):
    asked = sa.select(TASK.id).where(one_of(TASK.row_id, "rows"))
    assert text_of(asked, dialect) == expected
    assert Statement("asked", asked).lists == {"rows"}


def test_a_list_of_texts_is_an_array_of_texts():
    assert "%(kinds)s::TEXT[]" in text_of(sa.select(TASK.id).where(one_of(TASK.kind, "kinds")), "postgresql")


def test_a_list_inside_a_correlated_question_keeps_its_tables_apart():
    inner = sa.select(constant(1)).where(
        one_of(schema.person.c.row_id, "persons"), schema.person.c.row_id == TASK.person
    )
    text = text_of(sa.select(TASK.id).where(inner.exists()), "sqlite")
    assert text.count("FROM resource") == 1
    assert text.count("FROM person") == 1


def test_a_limit_is_a_parameter_on_both_and_brings_no_offset():
    asked = sa.select(TASK.id).limit(whole("count"))
    assert Statement("asked", asked).parameters == {"count"}
    assert "OFFSET" not in text_of(asked, "sqlite")


def test_the_two_spellings_of_a_statement_take_the_same_parameters():
    with pytest.raises(ValueError, match="different parameters"):
        Statement(
            "asked",
            {
                "sqlite": sa.select(TASK.id).where(TASK.row_id == whole("a")),
                "postgresql": sa.select(TASK.id).where(TASK.row_id == whole("b")),
            },
        ).check()


@pytest.mark.parametrize("text", ["it's", "a b", "x;", "'"])
def test_a_fixed_text_cannot_end_its_own_quotes(text: str):
    with pytest.raises(ValueError, match="letters"):
        constant(text)


def test_a_name_is_given_once():
    register = Register()
    register.add("a", sa.delete(schema.person).where(schema.person.c.row_id == whole("row")))
    with pytest.raises(ValueError, match="a:"):
        register.add("a", sa.delete(schema.person).where(schema.person.c.key == words("key")))
    assert list(register.names()) == ["a"]
    assert "b" not in register


def test_octets_reach_the_driver_as_they_are():
    asked = sa.select(schema.oauth_token.c.version).where(schema.oauth_token.c.digest == octets("digest"))
    assert "%(digest)s" in text_of(asked, "postgresql")


def test_every_statement_of_the_store_that_writes_is_loaded_with_the_writer():
    """A plan names statements; a module whose statements the writer process did not load would be refused there."""
    importlib.import_module("referral_hub.store.writing")
    loaded = set(WRITES.names())
    for module in pkgutil.iter_modules(referral_hub.store.__path__):
        if module.name not in ("migrate", "migrations"):
            importlib.import_module(f"referral_hub.store.{module.name}")
    assert set(WRITES.names()) == loaded


def test_every_statement_there_is_can_be_given_to_both_drivers():
    for module in pkgutil.walk_packages(referral_hub.__path__, "referral_hub."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = [
        one for one in gc.get_objects() if isinstance(one, Statement) and not one.name.startswith("asked")
    ]
    assert {one.name for one in found} >= {*WRITES.names(), "read", "resources_beside", "token_read"}
    for statement in found:
        statement.check()
        if statement.takes_rows:
            assert ":rows" not in statement.text["sqlite"]


def test_a_statement_is_compiled_only_for_the_database_that_is_used():
    statement = Statement("asked", sa.select(TASK.id).where(TASK.row_id == whole("row")))
    assert dict(statement.text) == {}
    assert statement.text["sqlite"].endswith(":row")
    assert list(statement.text) == ["sqlite"]


def test_no_column_is_anything_but_whole_words_or_octets():
    kinds = {type(column.type).__name__ for table in schema.METADATA.sorted_tables for column in table.c}
    assert kinds == {"BigInteger", "Text", "Blob"}
