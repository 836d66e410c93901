"""Answers beside their Questionnaire: what passes; what does not stands in tests/data/invalid, one fault a file."""

from typing import Any

import pytest

from referral_hub.fhir.answer_conditions import Answers, is_enabled
from referral_hub.fhir.instruments import instrument
from referral_hub.fhir.validator import judge, validate

SYSTEM = "https://hub.example/codes"
TEXT = {"linkId": "1", "type": "string", "text": "a"}
FLAG = {"linkId": "1", "type": "boolean", "text": "a"}
X = {"system": SYSTEM, "code": "x"}
CHOICE = {"linkId": "1", "type": "choice", "text": "a", "answerOption": [{"valueCoding": X}]}


def response(
    questions: list[Any], items: list[Any], status: str = "completed", **more: Any
) -> dict[str, Any]:
    questionnaire = {"resourceType": "Questionnaire", "id": "q", "status": "draft", "item": questions}
    made = {"resourceType": "QuestionnaireResponse", "status": status, "questionnaire": "#q", **more}
    return made | {"contained": [questionnaire, *more.get("contained", [])], "item": items}


def item(link: str, *values: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"linkId": link, **({"answer": list(values)} if values else {}), **more}


def on(question: str, operator: str, **answer: Any) -> dict[str, Any]:
    return {"enableWhen": [{"question": question, "operator": operator, **answer}]}


SECOND = {"linkId": "2", "type": "string", "text": "b"}
NESTED = TEXT | {"item": [{"linkId": "1.1", "type": "string", "text": "c"}]}
GROUP = {
    "linkId": "1",
    "type": "group",
    "text": "a",
    "item": [{"linkId": "1.1", "type": "string", "text": "c"}],
}
SET = {
    "resourceType": "ValueSet",
    "id": "v",
    "status": "draft",
    "compose": {"include": [{"system": SYSTEM, "concept": [{"code": "x"}]}]},
}

GOOD = {
    "an answer": response([TEXT], [item("1", {"valueString": "x"})]),
    "several answers to a question that repeats": response(
        [TEXT | {"repeats": True}], [item("1", {"valueString": "x"}, {"valueString": "y"})]
    ),
    "a question nobody must answer": response([TEXT, SECOND], [item("2", {"valueString": "x"})]),
    "a required question, not finished": response(
        [TEXT | {"required": True}, SECOND], [item("2", {"valueString": "x"})], "in-progress"
    ),
    "a required question that is not asked": response(
        [FLAG, SECOND | {"required": True} | on("1", "=", answerBoolean=True)],
        [item("1", {"valueBoolean": False})],
    ),
    "a question that is asked by an answer": response(
        [FLAG, SECOND | on("1", "=", answerBoolean=True)],
        [item("1", {"valueBoolean": True}), item("2", {"valueString": "x"})],
    ),
    "an option": response([CHOICE], [item("1", {"valueCoding": X})]),
    "an option with its words": response([CHOICE], [item("1", {"valueCoding": X | {"display": "X"}})]),
    "words beside open options": response(
        [CHOICE | {"type": "open-choice"}], [item("1", {"valueString": "another"})]
    ),
    "a question inside an answer": response(
        [NESTED], [item("1", {"valueString": "x", "item": [item("1.1", {"valueString": "y"})]})]
    ),
    "a group": response([GROUP], [item("1", item=[item("1.1", {"valueString": "y"})])]),
    "a group that repeats": response(
        [GROUP | {"repeats": True}], [item("1", item=[item("1.1", {"valueString": "y"})])] * 2
    ),
    "a code of a contained value set": response(
        [{"linkId": "1", "type": "choice", "text": "a", "answerValueSet": "#v"}],
        [item("1", {"valueCoding": {"code": "x"}})],
        contained=[SET],
    ),
    "a code of a value set nobody has": response(
        [{"linkId": "1", "type": "choice", "text": "a", "answerValueSet": "https://hub.example/vs"}],
        [item("1", {"valueCoding": X})],
    ),
    "a Questionnaire nobody has": {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "https://hub.example/q",
        "item": [item("1", {"valueString": "x"})],
    },
}


@pytest.mark.parametrize("name", GOOD)
def test_this_is_valid(name: str):
    assert validate(GOOD[name]) == []


def test_a_code_that_the_contained_value_set_does_not_list():
    body = response(
        [{"linkId": "1", "type": "choice", "text": "a", "answerValueSet": "#v"}],
        [item("1", {"valueCoding": {"system": SYSTEM, "code": "y"}})],
        contained=[SET],
    )
    assert [(i.expression, i.code) for i in validate(body)] == [
        ("QuestionnaireResponse.item[0].answer[0].value", "code-invalid")
    ]


def test_the_text_of_a_question_is_compared_in_general_only():
    body = response([TEXT], [item("1", {"valueString": "x"}, text="z")])
    assert validate(body) == []
    assert ("QuestionnaireResponse.item[0].text", "value") in [
        (i.expression, i.code) for i in judge(body) if i.is_error
    ]


@pytest.mark.parametrize(
    ("condition", "answers", "enabled"),
    [
        (on("1", "exists", answerBoolean=True), {"1": [{"valueString": "x"}]}, True),
        (on("1", "exists", answerBoolean=False), {"1": [{"valueString": "x"}]}, False),
        (on("1", "=", answerString="x"), {"1": [{"valueString": "y"}]}, False),
        (on("1", "!=", answerString="x"), {"1": [{"valueString": "y"}]}, True),
        (on("1", ">", answerInteger=3), {"1": [{"valueInteger": 4}]}, True),
        (on("1", "<=", answerInteger=3), {"1": [{"valueInteger": 4}]}, False),
        (on("1", ">=", answerDate="2026-01-01"), {"1": [{"valueDate": "2026-01-01"}]}, True),
        (on("1", ">", answerDate="2026-01-01"), {"1": [{"valueDate": "2026"}]}, True),
        (on("1", "=", answerCoding=X), {"1": [{"valueCoding": X | {"display": "X"}}]}, True),
        (on("1", "!=", answerCoding=X), {"1": [{"valueCoding": X}]}, False),
        (on("1", "=", answerString="x"), {}, False),
        (on("1", "=", answerQuantity={"value": 1}), {"1": [{"valueQuantity": {"value": 2}}]}, True),
        ({}, {}, True),
    ],
)
def test_conditions(condition: dict[str, Any], answers: dict[str, list[Any]], enabled: bool):
    assert is_enabled({"linkId": "2", **condition}, Answers(answers)) is enabled


def test_all_conditions_or_any_of_them():
    both = {
        "enableWhen": [
            {"question": "1", "operator": "=", "answerBoolean": True},
            {"question": "2", "operator": "=", "answerBoolean": True},
        ]
    }
    answers = Answers({"1": [{"valueBoolean": True}], "2": [{"valueBoolean": False}]})
    assert is_enabled({**both, "enableBehavior": "any"}, answers)
    assert not is_enabled({**both, "enableBehavior": "all"}, answers)


def test_a_question_that_stands_there_twice_settles_nothing():
    answers = Answers.of({"item": [item("1", {"valueBoolean": False}), item("1", {"valueBoolean": False})]})
    assert is_enabled({"linkId": "2", **on("1", "=", answerBoolean=True)}, answers)


def test_the_hubs_own_instruments_are_known_by_their_address():
    assert instrument("https://nobody.example/q") is None
    from referral_hub.fhir.instruments import _instruments

    for url, questionnaire in _instruments().items():
        assert instrument(url) is questionnaire
        assert instrument(f"{url}|no-such-version") is None
        assert [i for i in judge(questionnaire) if i.is_error] == []
