"""Ways to bend a server: a status, a header, a body, or the request before it arrives.

What lives here: small makers of faults. What does not: which check each belongs to
(``conformance.faulty.faults``).
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.faulty.proxy import Answered, Asked, Fault, Forward
from conformance.lab import UNKNOWN_ID

Body = dict[str, Any]
When = Callable[[Asked, Answered], bool]


def on(method: str = "", path: str = "", *, status: str = "", body: str = "", known: bool = False) -> When:
    """Gives a condition on request and answer; parts left out hold always.

    Args:
        method: of the request.
        path: a pattern found in its path and query.
        status: a pattern the whole status fits, such as ``4..``.
        body: a pattern found in the request's body.
        known: the request does not name the unknown id.
    """

    def holds(asked: Asked, answered: Answered) -> bool:
        return (
            (not method or asked.method == method)
            and re.search(path, asked.path) is not None
            and (not status or re.fullmatch(status, str(answered.http_status)) is not None)
            and (not body or re.search(body, asked.body.decode("utf-8", "replace")) is not None)
            and not (known and UNKNOWN_ID in asked.path + asked.body.decode("utf-8", "replace"))
        )

    return holds


ALWAYS = on()


def after(what: str, when: When, change: Callable[[Answered], Answered]) -> Fault:
    """Gives a fault that changes answers."""

    def bend(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        return change(answered) if when(asked, answered) else answered

    return Fault(what, bend)


def before(what: str, when: When, change: Callable[[Asked], Asked]) -> Fault:
    """Gives a fault that changes requests: a server that does not look at a part of them."""
    nothing = Answered(0, {}, b"")

    def bend(asked: Asked, forward: Forward) -> Answered:
        return forward(change(asked) if when(asked, nothing) else asked)

    return Fault(what, bend)


def status(value: int, when: When = ALWAYS) -> Fault:
    """Gives the fault of another status."""
    return after(f"the status is {value}", when, lambda answered: replace(answered, http_status=value))


def header(name: str, value: str | None, when: When = ALWAYS) -> Fault:
    """Gives the fault of another header, or of a missing one."""
    return after(f"{name} is {value or 'missing'}", when, lambda answered: answered.with_header(name, value))


def body(what: str, change: Callable[[Body], object], when: When = ALWAYS) -> Fault:
    """Gives the fault of another JSON body; the change may give a new one, or alter the one it is given."""

    def changed(answered: Answered) -> Answered:
        try:
            found = json.loads(answered.body)
        except ValueError:
            return answered
        made = change(found)
        return replace(answered, body=json.dumps(made if isinstance(made, dict) else found).encode())

    return after(what, when, changed)


def text(old: str, new: str, when: When = ALWAYS) -> Fault:
    """Gives the fault of other bytes in a body."""
    return after(
        f"{old} becomes {new}",
        when,
        lambda answered: replace(answered, body=answered.body.replace(old.encode(), new.encode())),
    )


def empty(when: When = ALWAYS) -> Fault:
    """Gives the fault of a missing body."""
    return after("there is no body", when, lambda answered: replace(answered, body=b""))


def instead(value: int, told: Body, when: When = ALWAYS) -> Fault:
    """Gives the fault of a whole other answer."""
    return after(
        f"the answer is another one of {value}",
        when,
        lambda _: Answered(value, {"Content-Type": "application/json"}, json.dumps(told).encode()),
    )


def not_done(value: int, when: When) -> Fault:
    """Gives the fault of a request that is answered and not carried out."""
    nothing = Answered(0, {}, b"")

    def bend(asked: Asked, forward: Forward) -> Answered:
        return Answered(value, {}, b"") if when(asked, nothing) else forward(asked)

    return Fault("it is answered and not carried out", bend)


def without_parameter(name: str, when: When = ALWAYS) -> Fault:
    """Gives the fault of a parameter that is not looked at."""
    pattern = re.compile(rf"(?<=[?&]){re.escape(name)}(?:%3A[^=&]*|:[^=&]*)?=[^&]*&?")
    return before(
        f"{name} is not looked at", when, lambda asked: replace(asked, path=pattern.sub("", asked.path))
    )


def without_header(name: str, when: When = ALWAYS) -> Fault:
    """Gives the fault of a request header that is not looked at."""
    return before(f"{name} is not looked at", when, lambda asked: asked.with_header(name, None))


def both(one: Fault, other: Fault) -> Fault:
    """Gives two faults at once, the second nearer to the server."""
    return Fault(
        f"{one.what}, {other.what}", lambda a, forward: one.bend(a, lambda b: other.bend(b, forward))
    )


def any_version(when: When) -> Fault:
    """Gives the fault of a server that takes an update of whatever version."""

    def bend(asked: Asked, forward: Forward) -> Answered:
        if not when(asked, Answered(0, {}, b"")):
            return forward(asked)
        plain = replace(asked, method="GET", body=b"")
        current = forward(plain.with_header("content-type", None).with_header("if-match", None))
        etag = current.headers.get("ETag") or current.headers.get("etag")
        return forward(asked.with_header("if-match", etag))

    return Fault("the version is not looked at", bend)


def first_gone(found: Body) -> None:
    """Takes the first entry out of a Bundle."""
    found["entry"] = found.get("entry", [])[1:]


def all_gone(found: Body) -> None:
    """Takes all entries out of a Bundle."""
    found.pop("entry", None)


def turned(found: Body) -> None:
    """Turns the entries of a Bundle round."""
    found["entry"] = found.get("entry", [])[::-1]


def counted_wrong(found: Body) -> None:
    """Makes a Bundle count one more than there is."""
    found["total"] = found.get("total", 0) + 1


def each_entry(change: Callable[[Body], object]) -> Callable[[Body], None]:
    """Gives a change of every entry of a Bundle."""

    def changed(found: Body) -> None:
        for one in found.get("entry", []):
            change(one)

    return changed


def unmarked(found: Body) -> None:
    """Takes the tags from a resource, or from the resources of a Bundle."""
    for one in (found, *(entry.get("resource", {}) for entry in found.get("entry", []))):
        one.get("meta", {}).pop("tag", None)
