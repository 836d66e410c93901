"""Asking the hub what a recipient would see.

What lives here: the request and the reading of its answer. What does not: what must be in it (the chapters).

Source: ``views.md`` 9 ($preview).
"""

from referral_hub.demo import papers
from referral_hub.demo.cast import Story
from referral_hub.demo.papers import Resource, to
from referral_hub.demo.smart_partner import Answer


def preview_bytes(story: Story, request: str, recipient: str, state: str, consent: str) -> Answer:
    """Gives what a recipient would see, to the byte.

    Args:
        story: the story.
        request: the request's name among the papers; ``consent`` likewise, read as if it were signed.
        recipient: the organisation's id.
        state: ``requested`` or ``accepted``.
        consent: see ``request``.
    """
    asked = papers.parameters(
        service_request={"valueReference": {"reference": story.papers[request]}},
        recipient={"valueReference": to("Organization", recipient)},
        state={"valueCode": state},
        consent={"valueReference": {"reference": story.papers[consent]}},
    )
    answer = story.shelter.software.ask("POST", "ServiceRequest/$preview", asked)
    story.prove.same("the preview is answered", answer.http_status, 200)
    return answer


def preview(story: Story, request: str, recipient: str, state: str, consent: str) -> dict[str, Resource]:
    """Gives what a recipient would see, by reference; the arguments as of ``preview_bytes``."""
    shown = preview_bytes(story, request, recipient, state, consent).resource
    resources = [entry["resource"] for entry in shown.get("entry", ())]
    return {f"{one['resourceType']}/{one['id']}": one for one in resources}
