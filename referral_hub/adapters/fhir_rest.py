"""Speaks FHIR R4 REST with a partner's own server: sends it a Task, moves it, and reads it again.

What lives here: requests, and what a partner's answers mean. What does not: whether anything may leave
(``exchange.gate``), when to try again (``outbound.patience``), the shape of messages
(``adapters.task_messages``), tokens (``adapters.smart_client``), and the
guard against addresses inside (``adapters.guarded_http``, handed in).

A partner gets the Task and nothing else. Its references lead to this hub as absolute URLs, so that the partner
pulls the rest under the gate. From a source's server a request is read, and what goes with it. Only addresses under
the partner's registered endpoint (for reading: a registered base) are called, whatever its answers say.

How answers are read:

- 2xx: done. 200 to a conditional create means it was there already.
- 401: the token is refused. It is forgotten; the caller may try once more with a fresh one. After that it is
  no fault of the message: it waits, and a person sees it waiting.
- 403 and the other 4xx: trying again cannot help; a person looks at the dead letter.
- 408, 409, 412 (on an update), 423, 425, 429, 5xx: later, and when the partner says so (Retry-After).
- no answer, a redirect, too much of an answer: later.

Source: FHIR R4 ``http.html`` (create, update, conditional create); ``views.md`` 6; ``referral-loop.md`` Part
A 3 and Part C 5.
"""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from referral_hub.adapters.task_messages import (
    criterion,
    is_task_under,
    located,
    named,
    outgoing,
    placer_of,
    retry_after_s,
    task_url,
    weak_etag,
)
from referral_hub.errors import DeliveryFailed, HubError, MalformedContent
from referral_hub.exchange.ports import Clock, OrganizationRow, Released
from referral_hub.fhir import json_codec
from referral_hub.fhir.references import is_under, parse
from referral_hub.outbound.ports import CopyGone, PartnerTask, TokenRefused, TryLater, Updated

FHIR_JSON = "application/fhir+json"
TERMINAL = frozenset({"rejected", "cancelled", "completed", "failed", "entered-in-error"})
_LATER = frozenset({408, 409, 423, 425, 429})
_UNREACHED = frozenset({429, 502, 503, 504})
"""Answers of whatever stands before the partner's server, or of one that asks to wait: not about the message."""
_CARRIED = ("status", "statusReason")


class Answer(Protocol):
    """What came back."""

    @property
    def http_status(self) -> int:
        """Gives the HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Gives the headers by lower-case name."""

    @property
    def body(self) -> bytes:
        """Gives the body."""


class Http(Protocol):
    """Calls addresses of partners, guarded; raises ``Unavailable`` where there is no answer."""

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Makes one call."""


class Tokens(Protocol):
    """The hub's tokens at partners' servers."""

    def of(self, destination: OrganizationRow) -> str:
        """Gives a token, or an empty text where the partner asks for none; raises ``DeliveryFailed``."""

    def forget(self, destination: OrganizationRow) -> None:
        """Forgets a token that was refused."""


class NoTokens:
    """For a hub none of whose partners asks for a token."""

    def of(self, destination: OrganizationRow) -> str:
        """Gives no token."""
        del destination
        return ""

    def forget(self, destination: OrganizationRow) -> None:
        """Has nothing to forget."""


class FhirRestChannel:
    """The way to partners' FHIR servers (``outbound.ports.PartnerChannel``). Safe for threads.

    Args:
        http: the guarded HTTP client.
        base: the hub's own FHIR base URL, which references lead to.
        clock: the process clock, to read a Retry-After that is a date.
        tokens: the hub's tokens at partners.
    """

    def __init__(self, http: Http, base: str, clock: Clock, tokens: Tokens | None = None) -> None:
        self._http = http
        self._base = base
        self._clock = clock
        self._tokens = tokens or NoTokens()

    def ready(self, destination: OrganizationRow) -> None:
        """Gets the token that sending needs, where the partner asks for one.

        Raises:
            DeliveryFailed: the partner gives none.
        """
        self._tokens.of(destination)

    def send(self, destination: OrganizationRow, released: Released, *, key: str) -> str:
        """Creates the Task at the partner, once however often it is sent.

        Args:
            destination: the partner.
            released: the Task as the partner may have it.
            key: names this message at every attempt.

        Returns:
            the partner's URL of its Task, under its registered endpoint; empty where its answer names none.

        Raises:
            DeliveryFailed: as the module says.

        Source: FHIR R4 ``http.html#ccreate``.
        """
        endpoint = _endpoint(destination)
        body = outgoing(released, self._base)
        headers = {"Idempotency-Key": key, "X-Request-Id": key, "Prefer": "return=representation"}
        placer = placer_of(body)
        if placer:
            headers["If-None-Exist"] = f"identifier={criterion(*placer)}"
        answer = self._call(
            destination, "POST", f"{endpoint}/Task", headers=headers, body=json_codec.encode(body)
        )
        if answer.http_status == 412:
            raise DeliveryFailed("The partner holds several Tasks with this number.", permanent=True)
        if answer.http_status not in (200, 201):
            raise self._failure(answer)
        location = answer.headers.get("location", "") or answer.headers.get("content-location", "")
        return (
            located(location, endpoint)
            or named(answer.body, endpoint)
            or self._quietly_found(destination, body)
        )

    def find(self, destination: OrganizationRow, released: Released) -> str:
        """Gives the URL of the partner's Task with the placer number of this one, or an empty text.

        Raises:
            DeliveryFailed: as the module says; permanent where the partner holds several.
        """
        return self._found(destination, outgoing(released, self._base))

    def update(self, destination: OrganizationRow, url: str, released: Released, *, key: str) -> Updated:
        """Moves the partner's own Task to the released status, with the version it was read in.

        A Task that is closed at the partner stays as it is.

        Args:
            destination: the partner.
            url: where its Task is.
            released: the hub's Task as the partner may have it; its status and reason are carried over.
            key: names this message at every attempt.

        Raises:
            DeliveryFailed: as the module says; also where the partner's server tells no version, since the
                update could then undo somebody's work.

        Source: FHIR R4 ``http.html#concurrency``.
        """
        found = self.fetch(destination, url, "")
        if found is None:  # without an ETag there is no 304
            raise TryLater("The partner's server answered with something else than was asked.", answered=True)
        ours = json_codec.decode_own(released.body)
        status = str(found.body.get("status", ""))
        if status == ours.get("status") or status in TERMINAL:
            return Updated(sent=False, status=status)
        if not found.etag:
            raise DeliveryFailed("The partner's server tells no version of its Task.", permanent=True)
        body = {name: value for name, value in found.body.items() if name not in _CARRIED}
        body.update({name: ours[name] for name in _CARRIED if name in ours})
        headers = {"If-Match": found.etag, "Idempotency-Key": key, "X-Request-Id": key}
        answer = self._call(destination, "PUT", url, headers=headers, body=json_codec.encode(body))
        if answer.http_status == 412:
            raise TryLater("The partner's Task was changed meanwhile.", answered=True)
        if answer.http_status not in (200, 201, 204):
            raise self._failure(answer)
        return Updated(sent=True, status=str(ours.get("status", "")))

    def fetch(self, destination: OrganizationRow, url: str, etag: str) -> PartnerTask | None:
        """Gives the partner's Task, or None where it is still the one of this ETag.

        Args:
            destination: the partner.
            url: where its Task is.
            etag: the ETag seen last, or an empty text.

        Raises:
            CopyGone: it is not there any more.
            DeliveryFailed: as the module says.
        """
        if not is_task_under(url, _endpoint(destination)):
            raise DeliveryFailed("The partner's Task is not under its registered address.", permanent=True)
        answer = self._call(
            destination, "GET", url, headers={"If-None-Match": etag} if etag else {}, body=None
        )
        if answer.http_status == 304 and etag:
            return None
        if answer.http_status in (404, 410):
            raise CopyGone("The partner's Task is not there any more.")
        if answer.http_status != 200:
            raise self._failure(answer)
        task = _resource(answer, "Task")
        return PartnerTask(task, answer.headers.get("etag", "") or weak_etag(task))

    def read(self, source: OrganizationRow, url: str, bases: Collection[str]) -> dict[str, Any]:
        """Gives a resource of a source's own server.

        Args:
            source: whose server it is.
            url: where it is.
            bases: the FHIR base URLs registered for the source; nothing else is called.

        Raises:
            CopyGone: it is not there, or not for the hub.
            DeliveryFailed: as the module says.

        Source: FHIR R4 ``http.html#read``.
        """
        found = parse(url)
        if found.kind != "absolute" or not is_under(found.base, bases):
            raise DeliveryFailed("The address is not under a base registered for the source.", permanent=True)
        # A token is for the server it was made for, not for another base of the same organisation.
        answer = self._call(
            source,
            "GET",
            url,
            headers={},
            body=None,
            with_token=bool(source.fhir_endpoint) and is_under(found.base, (source.fhir_endpoint,)),
        )
        if answer.http_status in (403, 404, 410):
            raise CopyGone("The source's server has no such resource for the hub.")
        if answer.http_status != 200:
            raise self._failure(answer)
        resource = _resource(answer, found.type)
        if resource.get("id") != found.id:
            raise TryLater("The partner's server answered with something else than was asked.", answered=True)
        return resource

    # --- one call ----------------------------------------------------------------------------------------

    def _call(
        self,
        destination: OrganizationRow,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        body: bytes | None,
        with_token: bool = True,
    ) -> Answer:
        sent = {"Accept": FHIR_JSON, **headers}
        if body is not None:
            sent["Content-Type"] = FHIR_JSON
        token = self._tokens.of(destination) if with_token else ""
        if token:
            sent["Authorization"] = f"Bearer {token}"
        try:
            answer = self._http.request(method, url, headers=sent, body=body)
        except HubError as failed:
            raise TryLater(failed.text) from None
        if answer.http_status == 401:
            self._tokens.forget(destination)
            raise TokenRefused("The partner does not accept the hub's token.")
        return answer

    def _failure(self, answer: Answer) -> DeliveryFailed:
        status = answer.http_status
        text = f"The partner answered with status {status}."
        if status >= 500 or status in _LATER:
            after_s = retry_after_s(answer.headers.get("retry-after", ""), self._clock())
            return TryLater(text, after_s=after_s, answered=status not in _UNREACHED)
        return DeliveryFailed(text, permanent=True)

    def _found(self, destination: OrganizationRow, body: dict[str, Any]) -> str:
        placer = placer_of(body)
        if not placer:
            return ""
        endpoint = _endpoint(destination)
        url = f"{endpoint}/Task?identifier={criterion(*placer)}"
        answer = self._call(destination, "GET", url, headers={}, body=None)
        if answer.http_status != 200:
            raise self._failure(answer)
        bundle = _resource(answer, "Bundle")
        ids = {
            str(task["id"])
            for entry in bundle.get("entry") or ()
            if isinstance(entry, dict) and isinstance(task := entry.get("resource"), dict)
            if task.get("resourceType") == "Task" and isinstance(task.get("id"), str)
        }
        if len(ids) > 1:
            raise DeliveryFailed("The partner holds several Tasks with this number.", permanent=True)
        return task_url(endpoint, ids.pop()) if ids else ""

    def _quietly_found(self, destination: OrganizationRow, body: dict[str, Any]) -> str:
        """Looks the created Task up where the answer did not name it; the message arrived either way."""
        try:
            return self._found(destination, body)
        except DeliveryFailed:
            return ""


def _endpoint(destination: OrganizationRow) -> str:
    if not destination.fhir_endpoint:
        raise DeliveryFailed("The partner has no registered address.", permanent=True)
    return destination.fhir_endpoint.rstrip("/")


def _resource(answer: Answer, type_name: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json_codec.decode_object(answer.body)
    except MalformedContent:
        found = {}
    if found.get("resourceType") != type_name:
        raise TryLater("The partner's server answered with something else than was asked.", answered=True)
    return found
