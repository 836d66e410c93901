"""Is a question asked at all, with the answers given so far?

What lives here: the conditions of a question (``enableWhen``). What does not: what an answer must be
(:mod:`referral_hub.fhir.answer_rules`).

Where it cannot be said (a question that may be answered several times, amounts in other units), the question
counts as asked: nobody is told of a fault that may be none.

Source: FHIR R4 ``questionnaire-definitions.html#Questionnaire.item.enableWhen``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from referral_hub.fhir.validation_run import Json

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


@dataclass(slots=True)
class Answers:
    """The answers of a QuestionnaireResponse by question, and the questions that stand there more than once."""

    given: dict[str, list[Json]] = field(default_factory=dict)
    repeated: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, response: Json) -> "Answers":
        """Collects every answer, on whatever level it is."""
        found = cls()
        found._collect(response)
        return found

    def _collect(self, owner: Json) -> None:
        items: Any = owner.get("item")
        for item in items if isinstance(items, list) else ():
            if not isinstance(item, dict):
                continue
            name = item.get("linkId")
            answers: Any = item.get("answer")
            listed = [one for one in answers if isinstance(one, dict)] if isinstance(answers, list) else []
            if isinstance(name, str):
                if name in self.given:
                    self.repeated.add(name)
                self.given.setdefault(name, []).extend(listed)
            for answer in listed:
                self._collect(answer)
            self._collect(item)


def is_enabled(question: Json, answers: Answers) -> bool:
    """Says whether a question is asked: it has no condition, or its conditions hold.

    >>> adult = {"question": "age", "operator": ">", "answerInteger": 17}
    >>> given = Answers({"age": [{"valueInteger": 12}]})
    >>> is_enabled({"linkId": "vote", "enableWhen": [adult]}, given)
    False
    """
    conditions: Any = question.get("enableWhen")
    listed = [one for one in conditions if isinstance(one, dict)] if isinstance(conditions, list) else []
    if not listed:
        return True
    results = [_holds(condition, answers) for condition in listed]
    if question.get("enableBehavior") == "all":
        return all(result is not False for result in results)
    return any(result is not False for result in results)


def _holds(condition: Json, answers: Answers) -> bool | None:
    name, operator = condition.get("question"), condition.get("operator")
    if not isinstance(name, str) or name in answers.repeated:
        return None
    given = answers.given.get(name, [])
    wanted = next((value for key, value in condition.items() if key.startswith("answer")), None)
    if operator == "exists":
        return bool(given) is (wanted is True)
    results = [_compares(answer, operator, wanted) for answer in given]
    if any(results):
        return True
    return None if None in results else False


def _compares(answer: Json, operator: Any, wanted: Any) -> bool | None:
    value = next((item for key, item in answer.items() if key.startswith("value")), None)
    if isinstance(wanted, dict):
        if not isinstance(value, dict) or "code" not in wanted:
            return None
        same = all(value.get(key) == wanted[key] for key in ("system", "code") if key in wanted)
        return same if operator == "=" else not same if operator == "!=" else None
    if value is None or isinstance(value, dict):
        return None
    if operator in ("=", "!="):
        return bool(value == wanted) is (operator == "=")
    order = _ORDERS.get(str(operator))
    if order is None or not _comparable(value, wanted):
        return None
    return order(value, wanted)


def _comparable(value: Any, wanted: Any) -> bool:
    numbers = (int, Decimal)
    if isinstance(value, bool) or isinstance(wanted, bool):
        return False
    both_numbers = isinstance(value, numbers) and isinstance(wanted, numbers)
    return both_numbers or (isinstance(value, str) and isinstance(wanted, str) and len(value) == len(wanted))
