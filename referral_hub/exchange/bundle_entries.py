"""The entries of a Bundle that asks for something, read.

What lives here: what an entry may say. What does not: what is done with it: a transaction (``exchange.bundles``), a
batch, whose entries are answered one by one as if they came alone (``web.batches``).

Source: FHIR R4 http.html#transaction, bundle.html.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

from referral_hub.errors import InvalidResource, TooMany
from referral_hub.exchange.hub import Hub
from referral_hub.fhir.outcome import Issue

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_WITH_BODY = frozenset({"PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: what it asks for, with the headers it would carry alone.

    ``path`` and ``query`` are its address below the FHIR base, the path without a slash at its ends and decoded.
    """

    index: int
    method: str
    path: str
    query: str
    body: dict[str, Any] | None = None
    full_url: str = ""
    if_match: str = ""
    if_none_match: str = ""
    if_modified_since: str = ""
    if_none_exist: str = ""

    @property
    def type_name(self) -> str:
        """Gives the first part of the address, which is a type in all interactions with one."""
        return self.path.partition("/")[0]

    @property
    def public_id(self) -> str:
        """Gives the second part of the address."""
        return self.path.partition("/")[2]

    @property
    def place(self) -> str:
        """Gives where it stands."""
        return f"Bundle.entry[{self.index}]"

    @property
    def writes(self) -> bool:
        """Tells whether it changes anything."""
        return self.method not in ("GET", "HEAD")


def read_bundle(
    hub: Hub, bundle: dict[str, Any]
) -> tuple[Literal["transaction", "batch"], list[Entry | Issue]]:
    """Reads a transaction or batch; an entry that cannot be read is the issue about it.

    Raises:
        TooMany: more entries than one Bundle may have (422).
        InvalidResource: it is no transaction or batch (422).
    """
    kind = bundle.get("type")
    if bundle.get("resourceType") != "Bundle" or kind not in ("transaction", "batch"):
        raise InvalidResource(
            [Issue("error", "value", "Here a Bundle of type transaction or batch is taken.", "Bundle.type")]
        )
    listed = bundle.get("entry", [])
    if not isinstance(listed, list):
        raise InvalidResource([Issue("error", "structure", "Bundle.entry is a list.", "Bundle.entry")])
    if len(listed) > hub.limits.max_bundle_entries:
        raise TooMany(f"One Bundle may hold at most {hub.limits.max_bundle_entries} entries.", "Bundle.entry")
    return kind, [_read_entry(hub.own_bases, index, given) for index, given in enumerate(listed)]


def _read_entry(own_bases: Sequence[str], index: int, given: Any) -> Entry | Issue:
    def refused(text: str, where: str = "") -> Issue:
        return Issue("error", "value", text, f"Bundle.entry[{index}]{where}")

    request = given.get("request") if isinstance(given, dict) else None
    if not isinstance(request, dict):
        return refused("Each entry says what to do: request.method and request.url.", ".request")
    method, url = request.get("method"), request.get("url")
    if method not in METHODS:
        return refused(f"request.method is one of {', '.join(METHODS)}.", ".request.method")
    if not isinstance(url, str) or not url:
        return refused("request.url is an address below the FHIR base.", ".request.url")
    local = next((url[len(base) :] for base in own_bases if url.startswith((f"{base}/", f"{base}?"))), url)
    path, _, query = local.partition("?")
    if "://" in path or ":" in path.partition("/")[0] or "#" in local or not path.strip("/"):
        return refused("request.url is an address below the FHIR base.", ".request.url")
    body = given.get("resource")
    if method in _WITH_BODY and not isinstance(body, dict):
        return refused("This entry needs a resource.", ".resource")
    return Entry(
        index=index,
        method=method,
        path=unquote(path.strip("/"), errors="replace"),
        query=query,
        body=body if isinstance(body, dict) else None,
        full_url=_text(given.get("fullUrl")),
        if_match=_text(request.get("ifMatch")),
        if_none_match=_text(request.get("ifNoneMatch")),
        if_modified_since=_text(request.get("ifModifiedSince")),
        if_none_exist=_text(request.get("ifNoneExist")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
