"""The addresses below ``/fhir``: every way in, in one table, and which methods each of them takes.

What lives here: the table, and looking an address up in it. What does not: what answers (``web.fhir_api``), Flask's
routes made from the table (``web.fhir_routes``).

Source: FHIR R4 http.html; RFC 9110 section 10.2.1 (Allow).
"""

from collections import defaultdict
from collections.abc import Iterator

from referral_hub.fhir.element_tables import index
from referral_hub.resources.catalog import SERVED

ROUTES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("", ("POST",), "bundle"),
    ("/", ("POST",), "bundle"),
    ("/metadata", ("GET",), "capabilities"),
    ("/_history", ("GET",), "history_system"),
    ("/$export", ("GET", "POST"), "bulk.export_system"),
    ("/$export/<job_id>", ("GET",), "bulk.look"),
    ("/$export/<job_id>", ("DELETE",), "bulk.end"),
    ("/$export/<job_id>/<file>", ("GET",), "bulk.fetch"),
    ("/Subscription/$status", ("GET", "POST"), "notices.status"),
    ("/Subscription/<public_id>/$status", ("GET", "POST"), "notices.status"),
    ("/Subscription/<public_id>/$events", ("GET", "POST"), "notices.events"),
    ("/Patient/$export", ("GET", "POST"), "bulk.export_patients"),
    ("/Group/<public_id>/$export", ("GET", "POST"), "bulk.export_group"),
    ("/<type_name>", ("GET",), "search_type"),
    ("/<type_name>", ("POST",), "create"),
    ("/<type_name>", ("PUT",), "update_where"),
    ("/<type_name>", ("PATCH",), "patch_where"),
    ("/<type_name>", ("DELETE",), "delete_where"),
    ("/<type_name>/_search", ("POST",), "search_by_post"),
    ("/<type_name>/_history", ("GET",), "history_type"),
    ("/<type_name>/<public_id>", ("GET",), "read_one"),
    ("/<type_name>/<public_id>", ("PUT",), "update"),
    ("/<type_name>/<public_id>", ("PATCH",), "patch"),
    ("/<type_name>/<public_id>", ("DELETE",), "delete"),
    ("/<type_name>/<public_id>/_history", ("GET",), "history_instance"),
    ("/<type_name>/<public_id>/_history/<version>", ("GET",), "read_version"),
    ("/<type_name>/$validate", ("POST",), "validate_new"),
    ("/<type_name>/<public_id>/$validate", ("GET", "POST"), "validate_stored"),
    ("/Task/<public_id>/$available-actions", ("GET", "POST"), "available_actions"),
    ("/Consent/$template", ("GET",), "consents.template"),
    ("/Consent/$form-counts", ("GET",), "consents.form_counts"),
    ("/Consent/<public_id>/$revoke", ("POST",), "revoke"),
    ("/Patient/<public_id>/$withdraw", ("POST",), "desk.withdraw"),
    ("/Patient/<public_id>/$emergency", ("POST",), "desk.emergency"),
    ("/Patient/<public_id>/$compelled-disclosure", ("POST",), "desk.compelled"),
    ("/Patient/<public_id>/$instruction", ("POST",), "desk.instruction"),
    ("/Task/<public_id>/$decide", ("POST",), "desk.decide"),
    ("/$external-request", ("POST",), "desk.external_request"),
    ("/$desk-counts", ("GET",), "desk.counts"),
    ("/Patient/<public_id>/$assign", ("POST",), "assigning.assign"),
    ("/Patient/<public_id>/$unassign", ("POST",), "assigning.unassign"),
    ("/Patient/<public_id>/$assignments", ("GET", "POST"), "assigning.listed"),
    ("/Patient/<public_id>/$disclosures", ("GET", "POST"), "disclosures"),
    ("/Patient/<public_id>/$everything", ("GET", "POST"), "everything"),
    ("/Patient/<public_id>/$copy", ("GET",), "copies.copy"),
    ("/ServiceRequest/$preview", ("POST",), "preview"),
)
"""Address below /fhir, methods, and the interaction that answers."""

INTERACTIONS = {
    "search_type": "search-type",
    "search_by_post": "search-type",
    "create": "create",
    "update": "update",
    "update_where": "update",
    "patch": "patch",
    "patch_where": "patch",
    "delete": "delete",
    "delete_where": "delete",
    "read_one": "read",
    "read_version": "vread",
    "history_instance": "history-instance",
    "history_type": "history-instance",
}
"""What a type must declare for the address to take the method."""

Found = tuple[str, dict[str, str]]


def matched(method: str, path: str) -> Found | None:
    """Gives what answers a method at an address below ``/fhir``, and the parts of the address by name.

    >>> matched("GET", "/Task/7/_history")
    ('history_instance', {'type_name': 'Task', 'public_id': '7'})
    >>> matched("GET", "/Task/7/8") is None
    True
    """
    for methods, name, values in _candidates(path):
        if method in methods:
            return name, values
    return None


def allowed_methods(path: str) -> tuple[str, ...]:
    """Gives the methods that an address below ``/fhir`` takes; none where there is no such address.

    They depend on the type, never on what is stored: asking tells nothing.

    >>> allowed_methods("/AuditEvent/7")
    ('GET', 'HEAD', 'OPTIONS')
    """
    found: set[str] = set()
    for methods, name, values in _candidates(path):
        if is_served(name, values.get("type_name", "")):
            found.update(methods)
    if not found:
        return ()
    return tuple(sorted(found | {"OPTIONS"} | ({"HEAD"} if "GET" in found else set())))


def is_served(name: str, type_name: str) -> bool:
    """Tells whether a type has the interaction that a route is for; routes without a type are served."""
    if not type_name:
        return True
    if name == "validate_new":
        return type_name in index().resource_types
    definition = SERVED.get(type_name)
    return definition is not None and (
        name == "validate_stored" or INTERACTIONS[name] in definition.interactions
    )


def _split(rule: str) -> list[str]:
    return rule.strip("/").split("/") if rule.strip("/") else []


_BY_LENGTH: dict[int, list[tuple[list[str], tuple[str, ...], str]]] = defaultdict(list)
for _rule, _methods, _name in ROUTES:
    _BY_LENGTH[len(_split(_rule))].append((_split(_rule), _methods, _name))
for _rules in _BY_LENGTH.values():
    # What is written out comes before what stands for anything.
    _rules.sort(key=lambda rule: [part.startswith("<") for part in rule[0]])


def _candidates(path: str) -> Iterator[tuple[tuple[str, ...], str, dict[str, str]]]:
    """Gives the routes of an address; those of the most exact rule only."""
    parts = _split(path)
    exact: list[str] | None = None
    for rule, methods, name in _BY_LENGTH.get(len(parts), ()):
        if exact is not None and rule != exact:
            continue
        values: dict[str, str] = {}
        for wanted, part in zip(rule, parts, strict=True):
            if wanted.startswith("<"):
                values[wanted[1:-1]] = part
            elif wanted != part:
                break
        else:
            exact = rule
            yield methods, name, values
