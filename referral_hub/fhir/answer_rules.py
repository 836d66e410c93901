"""Answers: a QuestionnaireResponse beside the Questionnaire it answers.

What lives here: that every answer belongs to a question, is of its type and among its options, that required
questions are answered, and nothing is answered that was not asked. The Questionnaire is one that is contained in
the response, or one of the hub's own instruments. What does not: the Questionnaire itself
(:mod:`referral_hub.fhir.questionnaire_rules`), and value sets that would have to be looked up elsewhere.

Source: FHIR R4 ``questionnaireresponse.html`` (sections 2.36.6 and 2.36.7).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from referral_hub.fhir.answer_conditions import Answers, is_enabled
from referral_hub.fhir.answer_options import Sets, is_option
from referral_hub.fhir.instruments import instrument
from referral_hub.fhir.validation_run import Json, Path, Run

_UNFINISHED = frozenset({"in-progress", "stopped", "entered-in-error"})
_VALUES: dict[str, tuple[str, ...]] = {
    "boolean": ("valueBoolean",),
    "decimal": ("valueDecimal",),
    "integer": ("valueInteger",),
    "date": ("valueDate",),
    "dateTime": ("valueDateTime",),
    "time": ("valueTime",),
    "string": ("valueString",),
    "text": ("valueString",),
    "url": ("valueUri",),
    "attachment": ("valueAttachment",),
    "reference": ("valueReference",),
    "quantity": ("valueQuantity",),
    "choice": ("valueCoding", "valueDate", "valueTime", "valueInteger", "valueString", "valueReference"),
    "open-choice": ("valueCoding", "valueDate", "valueTime", "valueInteger", "valueString", "valueReference"),
}
"""By type of question: the properties an answer may have."""


@dataclass(frozen=True, slots=True)
class _Level:
    """The questions of one level by linkId with their positions, and those of them that must be answered."""

    questions: dict[str, tuple[int, Json]]
    required: tuple[tuple[str, Json], ...]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The value sets at hand, the answers given anywhere, whether all should be there, and every question."""

    sets: Sets
    answers: Answers
    finished: bool
    known: dict[str, Json]
    levels: dict[int, _Level] = field(default_factory=dict)

    def level(self, asked: Json) -> _Level:
        """Gives the questions right inside a Questionnaire, a group or a question; worked out once."""
        found = self.levels.get(id(asked))
        if found is None:
            questions: dict[str, tuple[int, Json]] = {}
            for position, item in enumerate(_objects(asked, "item")):
                if isinstance(name := item.get("linkId"), str):
                    questions[name] = position, item
            required = tuple((n, item) for n, (_, item) in questions.items() if item.get("required") is True)
            found = self.levels[id(asked)] = _Level(questions, required)
        return found


def check(value: Json, path: Path, run: Run) -> None:
    """Checks a QuestionnaireResponse against its Questionnaire, if that is at hand."""
    questionnaire = _questionnaire(value, run)
    if questionnaire is None:
        return
    known = {text: item for item in _every(questionnaire) if isinstance(text := item.get("linkId"), str)}
    sheet = _Sheet(
        Sets(questionnaire, run), Answers.of(value), str(value.get("status")) not in _UNFINISHED, known
    )
    _check_items(questionnaire, value, path, sheet, run)


def _questionnaire(value: Json, run: Run) -> Json | None:
    name = value.get("questionnaire")
    if not isinstance(name, str):
        return None
    found = run.contained().get(name[1:]) if name.startswith("#") else instrument(name)
    return found if found is not None and found.get("resourceType") == "Questionnaire" else None


def _objects(owner: Json, name: str) -> list[Json]:
    held: Any = owner.get(name)
    return [item if isinstance(item, dict) else {} for item in held] if isinstance(held, list) else []


def _every(owner: Json) -> Iterator[Json]:
    for item in _objects(owner, "item"):
        yield item
        yield from _every(item)


def _check_items(asked: Json, given: Json, path: Path, sheet: _Sheet, run: Run) -> None:
    """Checks the items of one level: the questions that are asked there, and what was given."""
    level = sheet.level(asked)
    filled: dict[str, list[tuple[Json, Path]]] = {}
    latest = 0
    for position, item in enumerate(_objects(given, "item")):
        place: Path = (path, "item", position)
        name = item.get("linkId")
        if not isinstance(name, str):
            continue
        if name not in level.questions:
            here = "here" if name in sheet.known else "in the Questionnaire"
            run.add("not-found", f"No question {here} has this linkId.", (place, "linkId", -1))
            continue
        number = level.questions[name][0]
        if number < latest:
            run.add("structure", "The items come in the order of the questions.", place)
        latest = max(latest, number)
        filled.setdefault(name, []).append((item, place))
    for name, there in filled.items():
        _check_filled(level.questions[name][1], there, sheet, run)
    for name, question in level.required:
        if name not in filled and _is_owed(question, sheet) and question.get("type") != "display":
            run.add("required", "A question that must be answered is not.", (path, "item", -1))


def _is_owed(question: Json, sheet: _Sheet) -> bool:
    return question.get("required") is True and sheet.finished and is_enabled(question, sheet.answers)


def _check_filled(question: Json, there: list[tuple[Json, Path]], sheet: _Sheet, run: Run) -> None:
    kind = str(question.get("type"))
    if len(there) > 1 and (kind != "group" or question.get("repeats") is not True):
        text = "This question does not repeat: give one item, with all its answers."
        run.add("structure", text, there[1][1])
    for item, place in there:
        _check_text(question, item, place, run)
        if kind == "display":
            if "answer" in item:
                run.add("structure", "Nothing is asked here: a display has no answer.", (place, "answer", -1))
        elif kind == "group":
            if "answer" in item:
                text = "A group has items, and no answer of its own."
                run.add("structure", text, (place, "answer", -1))
            _check_items(question, item, place, sheet, run)
        else:
            _check_question(question, item, place, sheet, run)


def _check_text(question: Json, item: Json, place: Path, run: Run) -> None:
    """A text in another language is another text; so it is told in a verdict in general only."""
    asked, shown = question.get("text"), item.get("text")
    if run.knows_extensions and isinstance(asked, str) and isinstance(shown, str) and asked != shown:
        run.add("value", "The text is not that of the question.", (place, "text", -1))


def _check_question(question: Json, item: Json, place: Path, sheet: _Sheet, run: Run) -> None:
    if "item" in item:
        run.add("structure", "Items inside a question stand in its answer.", (place, "item", -1))
    answers = _objects(item, "answer")
    enabled = is_enabled(question, sheet.answers)
    if answers and not enabled:
        run.add("structure", "This question is not to be answered here.", place)
    if not answers and _is_owed(question, sheet):
        run.add("required", "A question that must be answered is not.", place)
    if len(answers) > 1 and question.get("repeats") is not True:
        run.add("structure", "This question has one answer.", (place, "answer", 1))
    for position, answer in enumerate(answers):
        here: Path = (place, "answer", position)
        _check_answer(question, answer, here, sheet, run)
        _check_items(question, answer, here, sheet, run)


def _check_answer(question: Json, answer: Json, place: Path, sheet: _Sheet, run: Run) -> None:
    kind = str(question.get("type"))
    keys = [key for key in answer if key.startswith("value")]
    possible = _VALUES.get(kind)
    if possible is None or not keys:
        return
    if keys[0] not in possible:
        run.add("structure", f"The answer to this question is written as {' or '.join(possible)}.", place)
        return
    value, most = answer[keys[0]], question.get("maxLength")
    if type(most) is int and isinstance(value, str) and len(value) > most:
        run.add(
            "too-long", f"The answer to this question has at most {most} characters.", (place, "value", -1)
        )
    if kind in ("choice", "open-choice") and not is_option(question, keys[0], value, sheet.sets):
        run.add("code-invalid", "The answer is none of the options of this question.", (place, "value", -1))
