"""Which profiles hold for a resource although it does not claim them.

What lives here: the table of what a resource says of itself (a code, an extension) and the profile of the hub that
is then in force, and :func:`check_in_force`, which every write asks. What does not: profiles that a resource
claims in ``meta.profile``, which ``fhir.validator`` judges by itself, and the rules of a profile (``profiles/``).

Source: ``docs/profiles.md`` (how to apply it); FHIR R4 ``profiling.html#mult-profiles``.
"""

from typing import Any

from referral_hub.errors import InvalidResource
from referral_hub.fhir.canonical import ACT_CODE, TASK_CODE, code_system, structure
from referral_hub.fhir.elements import codings, extension
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.validator import against, validate
from referral_hub.resources.catalog import DEFINITIONS

_BY_CODE: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "Consent": (
        ("category", code_system("consent-kind"), "release", structure("consent-release")),
        ("category", code_system("consent-kind"), "refusal", structure("consent-refusal")),
    ),
    "Task": (
        ("code", code_system("task-code"), "recall", structure("recall-task")),
        ("code", TASK_CODE, "fulfill", structure("referral-task")),
    ),
}
"""By type: element, system and code that it carries, and the profile then in force."""

_BY_EXTENSION: dict[str, tuple[tuple[str, str], ...]] = {
    "Patient": ((structure("no-name-referral"), structure("no-name-person")),),
}
"""By type: an extension that it carries, and the profile then in force."""


def profiles_in_force(body: dict[str, Any]) -> tuple[str, ...]:
    """Gives the profiles that hold for a resource without being claimed; for the draft of a Task none does yet.

    Args:
        body: decoded JSON, not judged yet.

    >>> release = {"coding": [{"system": code_system("consent-kind"), "code": "release"}]}
    >>> profiles_in_force({"resourceType": "Consent", "category": [release]})
    ('https://referral-hub.example/fhir/StructureDefinition/consent-release',)
    """
    type_name = body.get("resourceType")
    if not isinstance(type_name, str) or (type_name == "Task" and body.get("status") == "draft"):
        return ()
    found = [
        profile
        for element, system, code, profile in _BY_CODE.get(type_name, ())
        if (system, code) in codings(body.get(element))
    ]
    found += [
        profile for url, profile in _BY_EXTENSION.get(type_name, ()) if extension(body, url) is not None
    ]
    definition = DEFINITIONS.get(type_name)
    if definition is not None and definition.profile:
        found.append(structure(definition.profile))
    return tuple(found)


def judged_for_storing(body: dict[str, Any]) -> list[Issue]:
    """Gives every reason in its form not to store a resource: by FHIR R4, by its claims, by what is in force."""
    found = validate(body)
    found.extend(issue for issue in issues_in_force(body) if issue not in found)
    return found


def issues_in_force(body: dict[str, Any]) -> list[Issue]:
    """Gives what a resource breaks of the profiles in force that it does not claim.

    What the hub knows by itself is not demanded of a client that claims nothing.
    """
    profiles = profiles_in_force(body)
    return against(completed(body), profiles) if profiles else []


def check_in_force(body: dict[str, Any], stored: dict[str, Any] | None) -> None:
    """Refuses a resource that breaks a profile in force, unless its stored version breaks the same rule there.

    It is asked after the hub's own rules, whose sentences say more about what is possible. What was stored before
    a profile was in force can so be moved on by those who did not write it.

    Raises:
        InvalidResource: it breaks one, with every problem (422).
    """
    issues = [issue for issue in issues_in_force(body) if issue.is_error]
    if issues and stored is not None:
        before = issues_in_force(stored)
        issues = [issue for issue in issues if issue not in before]
    if issues:
        raise InvalidResource(issues)


def completed(body: dict[str, Any]) -> dict[str, Any]:
    """Gives a resource with what its profile demands and the hub knows without being told; it is never stored.

    Who asks is the writer, and that a release or refusal is about disclosure is said by its kind.

    >>> completed({"resourceType": "Task"})["requester"]
    {'reference': 'Organization/writer'}
    """
    if body.get("resourceType") == "Task" and "requester" not in body:
        return {**body, "requester": {"reference": "Organization/writer"}}
    categories = body.get("category")
    if body.get("resourceType") != "Consent" or not isinstance(categories, list):
        return body
    if (ACT_CODE, "IDSCL") in set(codings(categories)):
        return body
    return {**body, "category": [*categories, _DISCLOSURE]}


_DISCLOSURE = {"coding": [{"system": ACT_CODE, "code": "IDSCL"}]}
