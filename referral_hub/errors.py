"""Everything that can go wrong, as one tree.

What lives here: the errors the rooms raise, each with its FHIR issue type. What does not: HTTP statuses,
which only ``web/error_handlers.py`` knows. Texts say what happened and what is possible; they never
carry a name, a birth date or what a person needs.

    HubError
    ├── MalformedContent            the bytes are not what they claim to be
    ├── InvalidResource             well formed, against the rules of FHIR or of the hub: every problem at once
    ├── PatchFailed                 a patch that does not apply
    ├── NotSupportedParameter / InvalidParameter      a search that cannot be answered
    ├── Unauthenticated             no live token
    ├── InsufficientScope / Forbidden / OwnKeyNeeded  facts about the caller alone, or a visible thing not writable
    ├── NotFound                    absent or not for this caller: the same answer
    ├── Gone                        deleted by the caller's own organisation
    ├── UpdateAsCreate              PUT to an id that does not exist for this caller
    ├── PreconditionRequired / VersionConflict / ConditionalConflict
    ├── IllegalMove / ConsentMissing / ConsentEnded / ConsentRefused / SigningOff    rules of the work itself
    ├── NotAcceptable / UnsupportedMedia / TooLarge / TooMany
    ├── Conflict                    the state of the thing does not allow it (delete of a released draft)
    └── Busy / Unavailable          try again
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from referral_hub.fhir.outcome import Issue


class HubError(Exception):
    """Something the hub refuses or cannot do, in words fit for the caller.

    Args:
        text: what happened and what is possible.
        expression: the element it is about, as a FHIRPath-like path; empty where there is none.
    """

    issue_code: ClassVar[str] = "processing"

    def __init__(self, text: str, expression: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.expression = expression


class MalformedContent(HubError):
    """The body or header cannot be read: 400 on the wire."""

    issue_code = "structure"


class InvalidResource(HubError):
    """The resource breaks rules of FHIR or of the hub; holds every problem: 422 on the wire."""

    issue_code = "invalid"

    def __init__(self, issues: "Sequence[Issue]") -> None:
        super().__init__(issues[0].text if issues else "The resource is not valid.")
        self.issues = tuple(issues)


class PatchFailed(HubError):
    """A patch names a place that is not there, or a test in it failed: 422 on the wire."""

    issue_code = "processing"


class NotSupportedParameter(HubError):
    """A search parameter the hub does not answer: 400 on the wire."""

    issue_code = "not-supported"

    def __init__(self, parameter: str, text: str) -> None:
        super().__init__(text)
        self.parameter = parameter


class InvalidParameter(HubError):
    """A search parameter whose value cannot be read: 400 on the wire."""

    issue_code = "value"

    def __init__(self, parameter: str, text: str) -> None:
        super().__init__(text)
        self.parameter = parameter


class Unauthenticated(HubError):
    """No live token came with the request: 401 on the wire."""

    issue_code = "login"


class InsufficientScope(HubError):
    """The token's scope lacks this type or interaction: 403 on the wire."""

    issue_code = "forbidden"


class Forbidden(HubError):
    """A visible thing this caller may not write, or an organisation that is suspended: 403 on the wire."""

    issue_code = "forbidden"


class OwnKeyNeeded(Forbidden):
    """A record of the caller's organisation is sealed to the organisation's own key, which did not come: 403."""

    def __init__(
        self,
        text: str = "Your organisation holds the key of its own file, and none that opens this came with the request. "
        "Send it in the header X-Hub-Organization-Key.",
        expression: str = "",
    ) -> None:
        super().__init__(text, expression)


class NotFound(HubError):
    """Absent, or not for this caller: 404 on the wire, the same bytes in both cases."""

    issue_code = "not-found"

    def __init__(self, text: str = "There is no such resource.", expression: str = "") -> None:
        super().__init__(text, expression)


class Gone(HubError):
    """The caller's own organisation deleted it: 410 on the wire; to all others it never was (404)."""

    issue_code = "deleted"

    def __init__(self, text: str = "Your organisation deleted this.", expression: str = "") -> None:
        super().__init__(text, expression)


class UpdateAsCreate(HubError):
    """PUT to an id that does not exist for this caller: 405 on the wire. The server gives the ids."""

    issue_code = "not-supported"

    def __init__(
        self, text: str = "Ids are given by the server: create with POST.", expression: str = ""
    ) -> None:
        super().__init__(text, expression)


class InteractionNotSupported(HubError):
    """The type has no such interaction here: 405 on the wire."""

    issue_code = "not-supported"


class PreconditionRequired(HubError):
    """``If-Match`` is demanded and missing: 400 on the wire."""

    issue_code = "required"


class VersionConflict(HubError):
    """``If-Match`` names another version than the current one: 412 on the wire."""

    issue_code = "conflict"


class ConditionalConflict(HubError):
    """A conditional interaction matched several resources: 412 on the wire."""

    issue_code = "multiple-matches"


class ConditionalNotSupported(HubError):
    """A conditional interaction with criteria other than one identifier: 412 on the wire."""

    issue_code = "not-supported"


class IllegalMove(HubError):
    """A status change the lifecycle table does not know for this actor: 422 on the wire, with what is possible."""

    issue_code = "business-rule"


class ConsentMissing(HubError):
    """No release covers this sharing: 422 on the wire, told only to the custodian of the person's consents."""

    issue_code = "business-rule"


class ConsentEnded(ConsentMissing):
    """The release that covered this sharing has ended: 422 on the wire."""


class ConsentRefused(ConsentMissing):
    """The person refused this sharing: 422 on the wire."""


class SigningOff(HubError):
    """A release cannot be signed now (not alone, not clear-headed, or police present): 422 on the wire."""

    issue_code = "business-rule"


class Conflict(HubError):
    """The state of the thing does not allow this: 409 on the wire."""

    issue_code = "conflict"


class NotAcceptable(HubError):
    """The answer was asked for in a form the hub does not speak: 406 on the wire."""

    issue_code = "not-supported"


class UnsupportedMedia(HubError):
    """The body came in a form the hub does not read: 415 on the wire."""

    issue_code = "not-supported"


class TooLarge(HubError):
    """The body is larger than the hub takes: 413 on the wire."""

    issue_code = "too-long"


class TooMany(HubError):
    """More entries than one request may carry: 422 on the wire."""

    issue_code = "too-costly"


class Busy(HubError):
    """Others kept changing the same thing, or the writer is full: 503 with Retry-After on the wire."""

    issue_code = "transient"


class SlowDown(HubError):
    """The caller has as much under way as one caller may have: 429 with Retry-After on the wire."""

    issue_code = "throttled"


class Unavailable(HubError):
    """A part of the hub cannot answer, so nothing is released: 503 on the wire."""

    issue_code = "transient"


class GuardFailed(HubError):
    """A Change met another state than the one it was decided on; inside the hub it means: decide again."""

    issue_code = "conflict"


class ConfigurationError(HubError):
    """A setting or file of this hub cannot be used; never reaches the wire, ends the command with exit code 1."""

    issue_code = "exception"


class DeliveryFailed(HubError):
    """A partner did not take a message.

    Args:
        text: what happened, without content.
        permanent: True where trying again cannot help.
    """

    issue_code = "transient"

    def __init__(self, text: str, *, permanent: bool = False) -> None:
        super().__init__(text)
        self.permanent = permanent
