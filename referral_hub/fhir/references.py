"""Links from one resource to another: reading, writing, finding and replacing them.

What lives here: the forms a reference may take, and walks over all references of a resource. What does not:
following them (the store), deciding who may see the target (``access``), and which targets a type allows (the
validator).

Source: FHIR R4 ``references.html``; ``http.html#trules`` (replacing links in a transaction).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

Kind = Literal["relative", "absolute", "url", "urn", "contained", "conditional", "logical", "none"]

_TYPE = r"[A-Z][A-Za-z]{1,63}"
_ID = r"[A-Za-z0-9\-.]{1,64}"
_RELATIVE = re.compile(rf"({_TYPE})/({_ID})(?:/_history/({_ID}))?", re.ASCII)
_ABSOLUTE = re.compile(
    rf"([Hh][Tt][Tt][Pp][Ss]?://[^\s?#]+)/({_TYPE})/({_ID})(?:/_history/({_ID}))?", re.ASCII
)
_CONDITIONAL = re.compile(rf"({_TYPE})\?(\S+)", re.ASCII)
_URN = re.compile(r"urn:(?:uuid:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|oid:[0-2](?:\.[0-9]+)+)")
_LINK = re.compile(r"""(\b(?:href|src)\s*=\s*["'])([^"'<>]*)(["'])""")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+", re.ASCII)

_REFERENCE_KEYS = frozenset(
    ("reference", "type", "identifier", "display", "id", "extension", "_reference", "_type", "_display")
)
_URL_KEYS = frozenset(("url", "valueUrl", "valueUri", "valueUuid", "valueOid", "instantiatesUri", "address"))
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Reference:
    """Where one reference points.

    ``kind`` says which form it has: ``relative`` (``Task/1``), ``absolute`` (``https://…/Task/1``), ``url``
    (any other absolute address), ``urn``, ``contained`` (``#1``), ``conditional`` (``Task?identifier=…``,
    in transactions only), ``logical`` (an identifier only) and ``none``. ``text`` is the reference as
    written; ``type``, ``id``, ``version`` and ``base`` are filled as far as the form has them;
    ``identifier`` is (system, value).
    """

    kind: Kind
    text: str = ""
    type: str = ""
    id: str = ""
    version: str = ""
    base: str = ""
    identifier: tuple[str, str] | None = None

    @property
    def local(self) -> str:
        """Gives ``Type/id`` without version or base; empty where the form has neither type nor id."""
        return f"{self.type}/{self.id}" if self.type and self.id else ""


def parse(text: str) -> Reference:
    """Reads the text of a reference.

    Raises:
        ValueError: the text has none of FHIR's forms; the message does not repeat it.

    Source: FHIR R4 ``references.html#literal``.

    >>> parse("Task/7/_history/2").local, parse("#note").kind, parse("https://ehr.example/fhir/Patient/1").base
    ('Task/7', 'contained', 'https://ehr.example/fhir')
    """
    if found := _RELATIVE.fullmatch(text):
        return Reference("relative", text, found[1], found[2], found[3] or "")
    if found := _ABSOLUTE.fullmatch(text):
        return Reference("absolute", text, found[2], found[3], found[4] or "", found[1])
    if text.startswith("#"):
        return Reference("contained", text, id=text[1:])
    if _URN.fullmatch(text):
        return Reference("urn", text)
    if found := _CONDITIONAL.fullmatch(text):
        return Reference("conditional", text, found[1])
    if _SCHEME.fullmatch(text):
        return Reference("url", text)
    raise ValueError("not a FHIR reference")


def of(element: Mapping[str, Any]) -> Reference:
    """Reads a Reference element: its text, or its identifier where it has no text.

    The element's ``type`` fills in the type where the text does not say it.

    Raises:
        ValueError: the element's text has none of FHIR's forms.

    >>> of({"identifier": {"system": "urn:x", "value": "7"}, "type": "Patient"}).identifier
    ('urn:x', '7')
    """
    stated = element.get("type") or ""
    identifier = element.get("identifier")
    pair = None
    if isinstance(identifier, dict) and identifier.get("value"):
        pair = (identifier.get("system") or "", identifier["value"])
    text = element.get("reference")
    if not text:
        return Reference("logical", type=stated, identifier=pair) if pair else Reference("none", type=stated)
    found = parse(text)
    if pair is None and (found.type or not stated):
        return found
    return Reference(found.kind, text, found.type or stated, found.id, found.version, found.base, pair)


def written(type_name: str, resource_id: str, version: str = "") -> str:
    """Writes a relative reference.

    >>> written("Task", "7"), written("Task", "7", "2")
    ('Task/7', 'Task/7/_history/2')
    """
    return f"{type_name}/{resource_id}/_history/{version}" if version else f"{type_name}/{resource_id}"


def normalise(text: str, base_urls: Collection[str]) -> str:
    """Gives a reference without the hub's own base: what points home becomes relative, the rest stays.

    Bases are compared by their parts (scheme, host, port, path), never by how the text begins, so that
    ``https://hub.example.evil/fhir`` is not home.

    Args:
        text: the reference as written; a text in no known form stays as it is.
        base_urls: addresses under which the hub is known, such as ``https://hub.example/fhir``.

    >>> normalise("https://HUB.example:443/fhir/Task/7", ["https://hub.example/fhir"])
    'Task/7'
    """
    found = _ABSOLUTE.fullmatch(text)
    if found is None or not is_under(found[1], base_urls):
        return text
    return written(found[2], found[3], found[4] or "")


def is_under(base: str, base_urls: Collection[str]) -> bool:
    """Says whether a base address is one of the given ones, compared by its parts.

    >>> is_under("https://ehr.example/fhir/", ["https://ehr.example:443/fhir"])
    True
    """
    wanted = _parts(base)
    return wanted is not None and any(_parts(known) == wanted for known in base_urls)


def ancestors(url: str) -> tuple[str, ...]:
    """Gives the addresses above an http address, nearest first, each with and without its last slash.

    Other addresses (``urn:``) have none above them.

    Source: FHIR R4 ``search.html#uri`` (``:above``, ``:below``).

    >>> ancestors("https://q.example/a/b")
    ('https://q.example/a/', 'https://q.example/a', 'https://q.example/', 'https://q.example')
    """
    scheme, colon, rest = url.partition("://")
    if not colon or scheme.lower() not in ("http", "https"):
        return ()
    found: list[str] = []
    path = rest.rstrip("/")
    if path != rest:
        found.append(f"{scheme}://{path}")
    while "/" in path:
        path = path.rpartition("/")[0].rstrip("/")
        found += [f"{scheme}://{path}/", f"{scheme}://{path}"]
    return tuple(found)


def iter_references(resource: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Gives every Reference element of a resource with its path, contained resources included.

    An element counts when it has a reference text or an identifier, and nothing that a Reference cannot
    have; one with a display text only points nowhere. The elements are the resource's own, not copies.

    >>> list(iter_references({"resourceType": "Task", "focus": {"reference": "ServiceRequest/1"}}))
    [('Task.focus', {'reference': 'ServiceRequest/1'})]
    """
    found: list[tuple[str, dict[str, Any]]] = []
    _collect(resource, str(resource.get("resourceType", "Resource")), found)
    return iter(found)


def rewrite_references(resource: dict[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """Gives the resource with links replaced, as a transaction does once it knows the new ids.

    Replaced are reference texts, addresses (``Attachment.url`` and the like) and the ``href`` and ``src``
    of the narrative; never an Identifier's value, which may look the same and is not a link. What does not
    change is shared with the resource given, which itself is not altered.

    Args:
        resource: decoded JSON.
        mapping: old text to new text, such as ``urn:uuid:…`` to ``Task/7``.

    Source: FHIR R4 ``http.html#trules``.

    >>> rewrite_references({"focus": {"reference": "urn:uuid:1"}}, {"urn:uuid:1": "Task/7"})
    {'focus': {'reference': 'Task/7'}}
    """
    changed = _rewritten(resource, mapping)
    return changed if isinstance(changed, dict) else resource


def _parts(base: str) -> tuple[str, str, int | None, str] | None:
    try:
        url = urlsplit(base)
        port = url.port
    except ValueError:
        return None
    if not url.hostname or url.username is not None or url.query or url.fragment:
        return None
    return url.scheme, url.hostname, port or _DEFAULT_PORTS.get(url.scheme), url.path.rstrip("/")


def _is_reference(value: dict[str, Any]) -> bool:
    if not value.keys() <= _REFERENCE_KEYS:
        return False
    return isinstance(value.get("reference"), str) or isinstance(value.get("identifier"), dict)


def _collect(value: Mapping[str, Any], path: str, found: list[tuple[str, dict[str, Any]]]) -> None:
    for key, child in value.items():
        if isinstance(child, dict):
            place = f"{path}.{key}"
            if _is_reference(child):
                found.append((place, child))
            _collect(child, place, found)
        elif isinstance(child, list):
            for index, item in enumerate(child):
                if isinstance(item, dict):
                    place = f"{path}.{key}[{index}]"
                    if _is_reference(item):
                        found.append((place, item))
                    _collect(item, place, found)


def _rewritten(value: Any, mapping: Mapping[str, str]) -> Any:
    """Gives the value with links replaced; the very same object where nothing changed."""
    if isinstance(value, dict):
        changes: dict[str, Any] = {}
        for key, child in value.items():
            if isinstance(child, str):
                new: Any = _rewritten_text(key, child, mapping)
            elif isinstance(child, (dict, list)):
                new = _rewritten(child, mapping)
            else:
                continue
            if new is not child:
                changes[key] = new
        return {**value, **changes} if changes else value
    if isinstance(value, list):
        items = [_rewritten(item, mapping) if isinstance(item, (dict, list)) else item for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def _rewritten_text(key: str, text: str, mapping: Mapping[str, str]) -> str:
    if key == "reference" or key in _URL_KEYS:
        return mapping.get(text, text)
    if key == "div" and text.startswith("<"):
        changed = _LINK.sub(lambda link: f"{link[1]}{mapping.get(link[2], link[2])}{link[3]}", text)
        return text if changed == text else changed
    return text
