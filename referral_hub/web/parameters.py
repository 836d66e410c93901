"""Reading the Parameters resources the operations take.

Source: FHIR R4 operations.html; ``interfaces.md`` 4.
"""

from collections.abc import Iterator
from typing import Any, cast

from referral_hub.errors import InvalidResource
from referral_hub.exchange.operations import Revocation
from referral_hub.exchange.previews import Supposition
from referral_hub.exchange.withdrawing import HOW
from referral_hub.fhir.elements import reference_text
from referral_hub.fhir.outcome import Issue
from referral_hub.web.forms import sent_resource
from referral_hub.web.negotiation import BodySizes
from referral_hub.web.wire import Asked


def revocation_parameters(asked: Asked, sizes: BodySizes) -> Revocation:
    """Gives how a consent is ended; without a body: at once, telling the recipients.

    ``hold-recall`` (boolean): hearing of it could harm her, ``hold-reason`` (string) why. ``how`` (code): oral,
    written, in-person, phone or app.
    """
    if not asked.content_length:
        return Revocation()
    given = dict(_values(_parameters(asked, sizes)))
    reason = given.get("hold-reason")
    return Revocation(
        hold_recall=given.get("hold-recall") is True,
        how=given["how"] if given.get("how") in ("oral", *HOW) else "",
        reason=reason if isinstance(reason, str) else "",
    )


def given_parameters(asked: Asked, sizes: BodySizes) -> list[tuple[str, Any]]:
    """Gives the simple parameters of an operation as pairs, in the order sent; none where there is no body.

    Raises:
        InvalidResource: the body is no Parameters (422).
    """
    return list(_values(_parameters(asked, sizes))) if asked.content_length else []


def preview_parameters(asked: Asked, sizes: BodySizes) -> Supposition:
    """Gives what a preview supposes.

    Raises:
        InvalidResource: a part is missing or cannot be read (422).
    """
    given = dict(_values(_parameters(asked, sizes)))
    service_request = _id(given.get("service-request"), "ServiceRequest")
    recipient = _id(given.get("recipient"), "Organization")
    state = given.get("state", "requested")
    issues = []
    if not service_request:
        issues.append(_missing("service-request", "Name the request as ServiceRequest/id."))
    if not recipient:
        issues.append(_missing("recipient", "Name the recipient as Organization/id."))
    if state not in ("requested", "accepted"):
        issues.append(_missing("state", "The state is requested or accepted."))
    if issues:
        raise InvalidResource(issues)
    return Supposition(service_request, recipient, cast(Any, state), _id(given.get("consent"), "Consent"))


def everything_parameters(asked: Asked, sizes: BodySizes) -> list[tuple[str, str]]:
    """Gives what ``$everything`` is asked for, as pairs like those of an address."""
    return [(name, str(value)) for name, value in _values(_parameters(asked, sizes))]


def _missing(name: str, text: str) -> Issue:
    return Issue("error", "required", text, f"Parameters.parameter.where(name='{name}')")


def _id(value: Any, type_name: str) -> str:
    text = reference_text(value)
    found, _, public_id = text.partition("/")
    return public_id if found == type_name else ""


def _parameters(asked: Asked, sizes: BodySizes) -> dict[str, Any]:
    body = sent_resource(asked, sizes)
    if body.get("resourceType") != "Parameters":
        raise InvalidResource([Issue("error", "value", "An operation takes Parameters.", "resourceType")])
    return body


def _values(parameters: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for parameter in parameters.get("parameter") or ():
        if not isinstance(parameter, dict) or not isinstance(parameter.get("name"), str):
            continue
        for key, value in parameter.items():
            if key.startswith("value"):
                yield parameter["name"], value
