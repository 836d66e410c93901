"""Questionnaires: questions that fit together.

What lives here: that a condition (``enableWhen``) asks for another question of the same Questionnaire. What does
not: the rules that the standard writes in FHIRPath (:mod:`referral_hub.fhir.invariants`) and answers
(:mod:`referral_hub.fhir.answer_rules`).

Source: FHIR R4 ``questionnaire-definitions.html#Questionnaire.item.enableWhen``.
"""

from collections.abc import Iterator
from typing import Any

from referral_hub.fhir.validation_run import Json, Path, Run


def check(value: Json, path: Path, run: Run) -> None:
    """Checks the conditions of a Questionnaire."""
    found = list(items(value, path))
    known = {item.get("linkId") for item, _ in found if isinstance(item.get("linkId"), str)}
    for item, place in found:
        conditions: Any = item.get("enableWhen")
        for position, condition in enumerate(conditions if isinstance(conditions, list) else ()):
            question = condition.get("question") if isinstance(condition, dict) else None
            if not isinstance(question, str):
                continue
            here: Path = ((place, "enableWhen", position), "question", -1)
            if question == item.get("linkId"):
                run.add("invalid", "A question cannot depend on its own answer.", here)
            elif question not in known:
                run.add("not-found", "No question of this Questionnaire has this linkId.", here)


def items(owner: Json, path: Path) -> Iterator[tuple[Json, Path]]:
    """Gives every item of a Questionnaire, those inside others too, with its place."""
    held: Any = owner.get("item")
    for position, item in enumerate(held if isinstance(held, list) else ()):
        if isinstance(item, dict):
            place: Path = (path, "item", position)
            yield item, place
            yield from items(item, place)
