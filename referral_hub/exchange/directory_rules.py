"""Who writes what into the directory that every partner reads.

What lives here: the rule that an organisation lists its own, and the network's coordinator lists organisations.
What does not: what of an entry others see (``access.redact_directory``).

Source: ``views.md`` 9 (directory types), ``consent.md`` O-14 (registration is closed), F-18.
"""

from typing import Any

from referral_hub.errors import Forbidden
from referral_hub.fhir.elements import reference_text
from referral_hub.fhir.outcome import Issue

_KEEPER = {
    "HealthcareService": "providedBy",
    "Location": "managingOrganization",
    "Endpoint": "managingOrganization",
}


def directory_issues(body: dict[str, Any], *, writer: str, network: str) -> list[Issue]:
    """Gives what is wrong with a directory entry of this writer.

    Args:
        body: the decoded, valid resource.
        writer: the organisation that writes it.
        network: the network's own organisation, which may write every entry.

    Raises:
        Forbidden: an Organization is written by the network's coordinator only (403).
    """
    type_name = str(body.get("resourceType"))
    if writer == network:
        return []
    if type_name == "Organization":
        raise Forbidden("Organisations are registered by the network's coordinator.")
    element = _KEEPER.get(type_name)
    if element is None or reference_text(body.get(element)) == f"Organization/{writer}":
        return []
    return [
        Issue(
            "error",
            "business-rule",
            f"A directory entry names your own organisation in {element}: Organization/id.",
            f"{type_name}.{element}",
        )
    ]
