"""Who writes what into the directory that every partner reads.

What lives here: the rule that an organisation lists its own, and the network's coordinator lists organisations.
What does not: what of an entry others see (``access.redact_directory``).

Source: ``views.md`` 9 (directory types), ``consent.md`` O-14 (registration is closed), F-18.
"""

from collections.abc import Callable
from typing import Any

from referral_hub.errors import Forbidden
from referral_hub.fhir.elements import at_path, reference_text
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.definition import ResourceDefinition

_PLURAL = {"Organization": "Organisations", "OrganizationAffiliation": "Affiliations of organisations"}


def directory_issues(
    definition: ResourceDefinition,
    body: dict[str, Any],
    *,
    writer: str,
    network: str,
    wrote: Callable[[str], bool],
) -> list[Issue]:
    """Gives what is wrong with a directory entry of this writer.

    Args:
        definition: the type's declaration; its ``keeper`` names the writer, or an entry of the writer's.
        body: the decoded, valid resource.
        writer: the organisation that writes it.
        network: the network's own organisation, which may write every entry.
        wrote: tells whether the writer wrote the resource of this ``Type/id``.

    Raises:
        Forbidden: an entry of this type is written by the network's coordinator only (403).
    """
    if writer == network:
        return []
    if definition.by_coordinator:
        raise Forbidden(f"{_PLURAL[definition.type_name]} are registered by the network's coordinator.")
    element = definition.keeper
    if not element:
        return []
    named = [reference_text(found) for found in at_path(body, element)]
    if named and all(text == f"Organization/{writer}" or wrote(text) for text in named):
        return []
    return [
        Issue(
            "error",
            "business-rule",
            f"A directory entry names in {element} your own organisation (Organization/id) or an entry of yours.",
            f"{definition.type_name}.{element}",
        )
    ]
