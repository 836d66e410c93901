"""Is this resource valid FHIR R4?

What lives here: :func:`validate`, which gives every problem of a resource at once. What does not: the
rules. They are made from the tables by :mod:`referral_hub.fhir.field_rules`; profiles of the hub come on
top of them elsewhere.

Checked are: unknown elements, cardinality, the JSON form, the patterns of primitives, choices, empty
things, references and their targets, contained resources, codes of required bindings and of the code
systems of R4, extensions of R4, all rules of the definitions, the narrative, and Bundles. Not checked are
codes that other publishers keep: LOINC, SNOMED CT, UCUM, languages, media types and currencies.

Source: FHIR R4 ``validation.html``.
"""

from collections.abc import Iterable
from typing import Any

from referral_hub.fhir import profile_rules
from referral_hub.fhir.element_tables import index
from referral_hub.fhir.field_rules import resource_check
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.validation_run import Enough, Path, Run


def validate(
    resource: dict[str, Any],
    *,
    type_name: str | None = None,
    profiles: Iterable[str] = (),
    warnings: bool = False,
) -> list[Issue]:
    """Gives every problem of a resource; an empty list for a valid one.

    Args:
        resource: what exact JSON decoding gave: decimals are Decimal, whole numbers int.
        type_name: the type it must be of, as the URL says; None for any.
        profiles: profiles it must follow (canonical URLs) beside those it claims itself.
        warnings: also tell best practices that are not followed, and claims that cannot be judged.

    Returns:
        the problems in the order of the resource, at most a thousand of them. A text says what is wrong and
        what is possible, never what stands in the resource.

    Source: FHIR R4 ``validation.html``.

    >>> validate({"resourceType": "Patient", "gender": "female", "birthDate": "1990"})
    []
    >>> [(i.code, i.expression) for i in validate({"resourceType": "Patient", "birthDate": "1990-02-30"})]
    [('value', 'Patient.birthDate')]
    """
    return _judged(resource, type_name, profiles, Run(resource, resource, warnings))


def judge(
    resource: dict[str, Any], *, type_name: str | None = None, profiles: Iterable[str] = ()
) -> list[Issue]:
    """Gives a verdict in general, as ``$validate`` tells it: what HL7's validator calls an error is one.

    Beside what :func:`validate` finds, best practices are told, and an extension that nobody here defines is an
    error: nothing can be said about it. A write takes it all the same, as R4 demands of a server.

    Source: FHIR R4 ``resource-operation-validate.html``, ``extensibility.html``.

    >>> strange = {"url": "http://vendor.org/extension", "valueBoolean": True}
    >>> [i.code for i in judge({"resourceType": "Basic", "code": {"text": "x"}, "extension": [strange]})
    ...  if i.is_error]
    ['extension']
    """
    return _judged(
        resource, type_name, profiles, Run(resource, resource, with_warnings=True, knows_extensions=True)
    )


def against(resource: dict[str, Any], profiles: Iterable[str]) -> list[Issue]:
    """Gives what a resource breaks of some profiles, beyond R4 and beyond what it claims itself.

    Args:
        resource: decoded JSON; what breaks R4 is for :func:`validate` to tell.
        profiles: canonical URLs; those the resource claims are left out.
    """
    run = Run(resource, resource)
    place: Path = (None, _root_name(resource, None), -1)
    try:
        for url in _further(resource, profiles):
            profile_rules.check_profile(url, resource, place, run)
    except Enough:
        pass
    return run.issues


def _judged(
    resource: dict[str, Any], type_name: str | None, profiles: Iterable[str], run: Run
) -> list[Issue]:
    place: Path = (None, _root_name(resource, type_name), -1)
    check = resource_check(resource, place, run)
    if check is not None:
        if type_name is not None and resource["resourceType"] != type_name:
            run.add("structure", f"A {type_name} belongs here: resourceType says another type.", place)
        try:
            check(resource, place, run)
            profile_rules.check_claims(resource, place, run)
            for url in _further(resource, profiles):
                profile_rules.check_profile(url, resource, place, run)
        except Enough:
            run.issues.append(
                Issue("information", "informational", "There are more problems than are told here.")
            )
    return run.issues


def _further(resource: dict[str, Any], profiles: Iterable[str]) -> list[str]:
    """Gives those profiles that the resource does not claim itself."""
    meta = resource.get("meta")
    claims = meta.get("profile") if isinstance(meta, dict) else None
    claimed = {str(claim).partition("|")[0] for claim in (claims if isinstance(claims, list) else ())}
    return [url for url in dict.fromkeys(profiles) if url not in claimed]


def _root_name(resource: Any, type_name: str | None) -> str:
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    return name if isinstance(name, str) and name in index().resource_types else type_name or "Resource"
