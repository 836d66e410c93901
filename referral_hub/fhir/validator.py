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

from typing import Any

from referral_hub.fhir.element_tables import index
from referral_hub.fhir.field_rules import resource_check
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.validation_run import Enough, Path, Run


def validate(
    resource: dict[str, Any], *, type_name: str | None = None, warnings: bool = False
) -> list[Issue]:
    """Gives every problem of a resource; an empty list for a valid one.

    Args:
        resource: what exact JSON decoding gave: decimals are Decimal, whole numbers int.
        type_name: the type it must be of, as the URL says; None for any.
        warnings: also tell best practices that are not followed.

    Returns:
        the problems in the order of the resource, at most a thousand of them. A text says what is wrong and
        what is possible, never what stands in the resource.

    Source: FHIR R4 ``validation.html``.

    >>> validate({"resourceType": "Patient", "gender": "female", "birthDate": "1990"})
    []
    >>> [(i.code, i.expression) for i in validate({"resourceType": "Patient", "birthDate": "1990-02-30"})]
    [('value', 'Patient.birthDate')]
    """
    run = Run(resource, resource, warnings)
    place: Path = (None, _root_name(resource, type_name), -1)
    check = resource_check(resource, place, run)
    if check is not None:
        if type_name is not None and resource["resourceType"] != type_name:
            run.add("structure", f"A {type_name} belongs here: resourceType says another type.", place)
        try:
            check(resource, place, run)
        except Enough:
            run.issues.append(
                Issue("information", "informational", "There are more problems than are told here.")
            )
    return run.issues


def _root_name(resource: Any, type_name: str | None) -> str:
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    return name if isinstance(name, str) and name in index().resource_types else type_name or "Resource"
