"""Every declared search parameter of every type, against an oracle that filters in Python; both databases.

The oracle (``tests.oracle``) reads the official parameters from the published package, takes the elements out with
another FHIRPath engine, and compares in plain Python. As the author, a search must find exactly what it says of what
is stored. As a recipient, exactly what it says of what the recipient *reads* where the declaration opens the
parameter, and nothing where it does not: so no parameter finds a row by what its reader is not shown.

Source: FHIR R4 ``search.html``; ``views.md`` 5.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest

from referral_hub.access.categories import CATEGORIES
from referral_hub.exchange.indexing import parameters
from referral_hub.fhir.search_parameters import SearchParameter
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.resources.definition import Searchable
from tests import oracle
from tests.api.network import Story, story
from tests.api.search_corpus import Corpus, fill
from tests.oracle import Node, Question
from tests.postgres import PostgresServer
from tests.world import Caller, World, opened_world, parsed

if not oracle.PACKAGE.is_file():
    pytest.skip("the official R4 package is not beside the project (../shared/fhir)", allow_module_level=True)
pytest.importorskip("fhirpathpy")

HUB = "http://127.0.0.1:8080/fhir"
TYPES = sorted(set(DEFINITIONS) - {"AuditEvent", "Binary"})
"""AuditEvents are rendered from audit rows, for one person at a time; a Binary has no parameter of its own."""


class Filled:
    """A hub with the corpus in it, its author, and the recipient of a live referral of the person."""

    def __init__(self, world: World) -> None:
        it: Story = story(world)
        it.categories = CATEGORIES
        it.sign()
        it.refer()
        it.move("accepted")
        self.story = it
        self.corpus = Corpus(it.shelter)
        self.world = world
        self.author = world.caller(it.shelter, life_s=3600)
        self.recipient = world.caller(it.clinic, life_s=3600)
        self._views: dict[str, dict[str, dict[str, Any]]] = {}
        self.targets = {
            "Patient": [it.person.partition("/")[2]],
            "ServiceRequest": [it.request.partition("/")[2]],
            "Organization": [it.shelter, it.clinic],
        }

    def stored(self, type_name: str) -> dict[str, dict[str, Any]]:
        """The bodies of a type by id, written when they are first asked for."""
        if type_name not in self.corpus.bodies:
            fill(self.world, self.corpus, type_name, self.story.person, self.story.clinic, self.targets)
        return self.corpus.bodies[type_name]

    def views(self, type_name: str) -> dict[str, dict[str, Any]]:
        """What the recipient reads of them, by id."""
        if type_name not in self._views:
            found = {}
            for public_id in self.stored(type_name):
                answer = self.recipient.get(f"/{type_name}/{public_id}")
                assert answer.status_code in (200, 404), answer.get_data(as_text=True)
                if answer.status_code == 200:
                    found[public_id] = json.loads(answer.get_data(), parse_float=Decimal)
            self._views[type_name] = found
        return self._views[type_name]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A hub of its own: the corpus sets columns by hand, which no write of a hub would, and others count rows."""
    folder = tmp_path_factory.mktemp("oracle")
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'hub.db'}"
        if request.param == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            url = stack.enter_context(server.database())
        yield stack.enter_context(opened_world(url, folder))


@pytest.fixture(scope="module")
def _kept() -> dict[int, Filled]:
    return {}


@pytest.fixture
def filled(world: World, _kept: dict[int, Filled]) -> Filled:
    """One corpus for each database."""
    if id(world) not in _kept:
        _kept[id(world)] = Filled(world)
    return _kept[id(world)]


def expression_of(parameter: SearchParameter) -> str:
    """Gives the published expression; of a parameter that R4 lacks, the declared one."""
    return str(oracle.published()[parameter.url]["expression"]) if parameter.url else parameter.expression


@cache
def _composite(url: str) -> list[str]:
    return [str(part["expression"]) for part in oracle.published()[url]["component"]]


def part_of(base: Node, expression: str) -> list[Node]:
    """Gives what a part of a composite means in its element: ``code``, ``value.as(Quantity)`` ..."""
    found = []
    for alternative in expression.split("|"):
        name, _, kind = alternative.strip().removesuffix(")").partition(".as(")
        for key, value in base.items():
            wanted = (
                key == name if not kind and name in base else key.startswith(name) and len(key) > len(name)
            )
            if kind:
                wanted = key == name + kind[0].upper() + kind[1:]
            if wanted and key[0] != "_":
                found += value if isinstance(value, list) else [value]
    return found


def composite_questions(parameter: SearchParameter, nodes: list[Node]) -> Iterator[Question]:
    """Gives searches that join a question about the first part with one about the second."""
    one, two = _composite(parameter.url)
    kind = parameter.components[1].type
    firsts = list(oracle.questions("token", [part for node in nodes for part in part_of(node, one)]))
    seconds = list(oracle.questions(kind, [part for node in nodes for part in part_of(node, two)]))
    plain = [question for question in firsts if not question.modifier]
    for place, second in enumerate(
        question for question in seconds if not question.modifier and "," not in question.value
    ):
        first = plain[place % len(plain)] if plain else None
        if first is None or "," in first.value.replace(r"\,", ""):
            continue

        def meets(base: Node, first: Question = first, second: Question = second) -> bool:
            return any(first.meets(node) for node in part_of(base, one)) and any(
                second.meets(node) for node in part_of(base, two)
            )

        yield Question("", f"{first.value}${second.value}", meets)


def allowed(searchable: Searchable, parameter: SearchParameter, question: Question) -> bool:
    """Leaves out what the documentation says is not possible: part of a text that is kept as digests."""
    kind = parameter.components[1].type if parameter.type == "composite" else parameter.type
    if not searchable.identifying or kind != "string":
        return True
    return question.modifier in (":exact", ":missing")


def found_by(caller: Caller, type_name: str, code: str, question: Question, among: set[str]) -> set[str]:
    """Searches, follows the pages, and gives the ids among those of the corpus."""
    value = quote(question.value.replace(oracle.HOME, HUB))
    path = f"/{type_name}?{code}{question.modifier}={value}&_count=500"
    ids: set[str] = set()
    while path:
        answer = caller.get(path)
        assert answer.status_code == 200, f"{path}: {answer.get_data(as_text=True)}"
        bundle = parsed(answer)
        ids.update(entry["resource"]["id"] for entry in bundle.get("entry", ()))
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        path = links.get("next", "").rpartition("/fhir")[2]
    return ids & among


@pytest.mark.parametrize("type_name", TYPES)
def test_every_parameter_finds_what_the_oracle_finds(filled: Filled, type_name: str) -> None:
    stored = {
        key: json.loads(json.dumps(body), parse_float=Decimal)
        for key, body in filled.stored(type_name).items()
    }
    views = filled.views(type_name)
    silent, wrong = [], []
    for code, (searchable, parameter) in parameters(type_name).items():
        expression = expression_of(parameter)
        own = {key: oracle.nodes_of(type_name, expression, body) for key, body in stored.items()}
        shown = {key: oracle.nodes_of(type_name, expression, body) for key, body in views.items()}
        everything = [node for nodes in own.values() for node in nodes]
        asked = list(
            composite_questions(parameter, everything)
            if parameter.type == "composite"
            else oracle.questions(parameter.type, everything)
        )
        if not everything:
            silent.append(code)
        for question in asked:
            if not allowed(searchable, parameter, question):
                continue
            told = (type_name, code, question.modifier, question.value)
            expected = {key for key, nodes in own.items() if question.holds(nodes)}
            found = found_by(filled.author, type_name, code, question, set(stored))
            if found != expected:
                wrong.append((told, "by its author", found - expected, expected - found))
            for fault in _as_recipient(
                filled, type_name, searchable, parameter, question, shown, set(stored)
            ):
                wrong.append((told, fault))
    assert not wrong, "\n".join(map(str, wrong[:12]))
    assert not silent, "no example has a value for these"


_OWN_ONLY = (":contains", ":identifier")


def _as_recipient(
    filled: Filled,
    type_name: str,
    searchable: Searchable,
    parameter: SearchParameter,
    question: Question,
    shown: dict[str, list[Node]],
    among: set[str],
) -> Iterator[str]:
    found = found_by(filled.recipient, type_name, searchable.code, question, among)
    readable = {key for key, nodes in shown.items() if question.holds(nodes)}
    if not found <= readable:
        yield f"found by what is not shown: {found - readable}"
    elif searchable.visibility == "own" or question.modifier in _OWN_ONLY:
        if found:
            yield f"found though only its author may: {found}"
    elif searchable.visibility == "self":
        if found and not question.value.endswith(filled.recipient.organization):
            yield "found by a third one"
    elif question.inverted or question.missing is not None or parameter.type == "composite":
        return  # an element that is not shown is neither there nor missing, neither the code nor not the code
    elif type_name == "Task" and searchable.code == "code":
        return  # others find it by the codes of the two task lists only
    elif found != readable:
        yield f"not found though shown: {readable - found}"
