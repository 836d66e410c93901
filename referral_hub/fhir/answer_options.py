"""Is an answer one of the options of its question?

What lives here: options that stand in the Questionnaire, value sets contained in it or beside it that list their
codes, and the hub's own value sets. What does not: value sets that would have to be fetched; they take any answer.

Source: FHIR R4 ``questionnaire-definitions.html#Questionnaire.item.answerOption``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from referral_hub.fhir import code_tables
from referral_hub.fhir.validation_run import Json, Run

Concepts = frozenset[tuple[str, str]] | None


@dataclass(slots=True)
class Sets:
    """The value sets that answers of one response may be from, each read once.

    Args:
        questionnaire: the whole Questionnaire, whose contained value sets count.
        run: the resources contained beside it.
    """

    questionnaire: Json
    run: Run
    _known: dict[str, Concepts] = field(default_factory=dict)
    _options: dict[tuple[int, str], frozenset[Any]] = field(default_factory=dict)

    def options(self, question: Json, key: str) -> frozenset[Any]:
        """Gives the options of a question that stand under a property such as ``valueCoding``."""
        found = self._options.get((id(question), key))
        if found is None:
            listed: Any = question.get("answerOption")
            options = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
            found = frozenset(_key(one[key]) for one in options if key in one)
            self._options[id(question), key] = found
        return found

    def concepts(self, url: str) -> Concepts:
        """Gives the codes of a value set; None where nobody here has them."""
        if url not in self._known:
            self._known[url] = _concepts(url, self.questionnaire, self.run)
        return self._known[url]


def is_option(question: Json, key: str, value: Any, sets: Sets) -> bool:
    """Says whether an answer is possible for a question with options.

    Args:
        question: the item of the Questionnaire.
        key: the property the answer stands in, such as ``valueCoding``.
        value: the answer.
        sets: the value sets at hand.
    """
    if question.get("type") == "open-choice" and key == "valueString":
        return True
    if question.get("answerOption"):
        return _key(value) in sets.options(question, key)
    url = question.get("answerValueSet")
    if isinstance(url, str) and key == "valueCoding" and isinstance(value, dict):
        concepts = sets.concepts(url)
        return concepts is None or _is_one(value, concepts)
    return True


def _key(value: Any) -> Any:
    """Gives what two equal answers have in common: of a Coding system and code, else the value itself."""
    if isinstance(value, dict):
        return tuple(repr(value.get(part)) for part in ("system", "code", "reference"))
    return value if isinstance(value, str | int) else repr(value)


def _is_one(value: Json, concepts: frozenset[tuple[str, str]]) -> bool:
    """A code without a system is nobody's; it is taken where some concept is written like it."""
    code, system = value.get("code"), value.get("system")
    if not isinstance(code, str) or not isinstance(system, str | None):
        return True
    if system is None:
        return any(code == known for _, known in concepts)
    return (system, code) in concepts


def _concepts(url: str, questionnaire: Json, run: Run) -> Concepts:
    if not url.startswith("#"):
        return code_tables.concepts_of(url.partition("|")[0])
    inside: Any = questionnaire.get("contained")
    beside = [*(inside if isinstance(inside, list) else ()), *run.contained().values()]
    for one in beside:
        if isinstance(one, dict) and one.get("id") == url[1:] and one.get("resourceType") == "ValueSet":
            return _listed(one)
    return None


def _listed(value_set: Json) -> Concepts:
    """Gives the codes that a value set lists; None where it takes whole systems or others' value sets."""
    compose = value_set.get("compose")
    if not isinstance(compose, dict) or "exclude" in compose:
        return None
    found: set[tuple[str, str]] = set()
    for include in _objects(compose, "include"):
        system, concepts = include.get("system"), include.get("concept")
        if not isinstance(system, str) or not isinstance(concepts, list) or "valueSet" in include:
            return None
        found.update((system, str(one.get("code"))) for one in _objects(include, "concept"))
    return frozenset(found)


def _objects(owner: Json, name: str) -> Iterator[Json]:
    held: Any = owner.get(name)
    yield from (item for item in (held if isinstance(held, list) else ()) if isinstance(item, dict))
