"""The hub's own Questionnaires, by their address.

What lives here: reading them from the hub's definitions, once. What does not: judging answers
(:mod:`referral_hub.fhir.answer_rules`), serving them (``exchange``).
"""

from functools import cache
from typing import Any

from referral_hub.fhir import json_codec
from referral_hub.fhir.artifacts import artifact_files


@cache
def _instruments() -> dict[str, dict[str, Any]]:
    found = {}
    for file in artifact_files():
        if file.name.startswith("Questionnaire-"):
            questionnaire = json_codec.decode_object(file.read_bytes())
            found[str(questionnaire.get("url"))] = questionnaire
    return found


def instrument(canonical: str) -> dict[str, Any] | None:
    """Gives one of the hub's own Questionnaires; None for any other address, or another version.

    >>> instrument("https://nobody.example/Questionnaire/1") is None
    True
    """
    url, _, version = canonical.partition("|")
    found = _instruments().get(url)
    return found if found is None or version in ("", found.get("version", "")) else None
