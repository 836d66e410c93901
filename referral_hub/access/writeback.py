"""How an update of a copy is put into what is stored: what the caller cannot see stays as it is.

What lives here: comparing what a caller was shown with what it sends back, element by element, and which
elements each side of a Task may write. What does not: whether the state lets it write at all
(``resources.lifecycle``, the gate), and the copy (``access.redaction``).

A PUT or PATCH by an organisation that is not the author is an update of its view. Elements that come back
as they were shown leave the stored content alone, hidden parts included; elements it may write are put in
their place; anything else changed, added or dropped is refused by name. All of ``meta`` is the server's.

Source: ``views.md`` 3; ``consent.md`` L-08.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from referral_hub.access.task_parts import (
    identifier_type,
    is_note_of,
    is_others_note,
    is_owners_identifier,
    note_writer,
    organization,
)
from referral_hub.errors import InvalidResource
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.subsets import is_subsetted
from referral_hub.fhir.xml_narrative import same_narrative


@dataclass(frozen=True, slots=True)
class OwnItems:
    """A list of which the writer may change its own items only: ``mine`` tells by item and writer's id."""

    mine: Callable[[Any, str], bool]


How = Literal["whole", "with-status", "with-status-or-own", "never", "append"] | OwnItems
"""``whole``: put in place as sent. ``append``: earlier entries stay, new ones follow, signed.

``with-status``: put in place only where the status changes too: a reason belongs to the move it was given for.
``with-status-or-own``: also where the reason it replaces is the writer's own, which shows in its words: of a
reason others gave, a recipient sees the codes only. Whether it may depends on what was shown, never on what is
stored: trying must find nothing out.
"""


@dataclass(frozen=True, slots=True)
class Writable:
    """What one side may write of a type: how for each element, how for all others, and its sentence."""

    elements: Mapping[str, How]
    others: How
    told: str


def _any_item(item: Any, writer: str) -> bool:
    return True


def _not_filler(identifier: Any, writer: str) -> bool:
    return identifier_type(identifier) != "FILL"


def _not_others_note(note: Any, writer: str) -> bool:
    return not is_others_note(note, writer)


TASK_OWNER_WRITABLE = Writable(
    {
        "status": "whole",
        "statusReason": "with-status-or-own",
        "businessStatus": "whole",
        "executionPeriod": "whole",
        "output": OwnItems(_any_item),
        "identifier": OwnItems(is_owners_identifier),
        "note": "append",
    },
    others="never",
    told=(
        "The receiving organisation may write status and statusReason, businessStatus, executionPeriod, "
        "output and its own identifier (type FILL), and add a note; a reason it did not give itself changes "
        "with the status only."
    ),
)
"""What the owner of a Task may write of it. Source: ``views.md`` 3."""

TASK_AUTHOR_WRITABLE = Writable(
    {
        "statusReason": "with-status",
        "output": "never",
        "executionPeriod": "never",
        "identifier": OwnItems(_not_filler),
        "note": OwnItems(_not_others_note),
    },
    others="whole",
    told=(
        "The author may write everything but what the receiving organisation wrote: output, executionPeriod, "
        "its identifier (type FILL) and its notes; statusReason changes with the status only."
    ),
)
"""What the author of a Task may write of it; the owner's part is the owner's. Source: ``views.md`` 2, 3."""


def merge_update(
    stored: Mapping[str, Any],
    shown: Mapping[str, Any],
    submitted: Mapping[str, Any],
    writable: Writable,
    *,
    writer: str,
) -> dict[str, Any]:
    """Gives the resource as it is stored after a caller's update of its view.

    Args:
        stored: the version the caller's If-Match names; it is not altered.
        shown: the view of that version as the caller sees it (``redaction.render``).
        submitted: what it sends: the body of a PUT, or the view after its JSON Patch.
        writable: what this side may write, narrowed by the transition where that allows less.
        writer: the caller's organisation id; new notes are signed with it.

    Returns:
        the new content, with the stored ``meta`` and everything hidden; equal to ``stored`` where nothing
        changed.

    Raises:
        InvalidResource: one issue for each element that was changed and may not be: 422 on the wire.

    Source: ``views.md`` 3.

    >>> stored = {"resourceType": "Task", "id": "t1", "status": "requested", "description": "hidden"}
    >>> shown = {"resourceType": "Task", "id": "t1", "status": "requested"}
    >>> sent = {"resourceType": "Task", "id": "t1", "status": "accepted"}
    >>> merge_update(stored, shown, sent, TASK_OWNER_WRITABLE, writer="clinic-1")["description"]
    'hidden'
    """
    type_name = str(stored.get("resourceType", ""))
    if is_subsetted(submitted):
        raise InvalidResource(
            [
                Issue(
                    "error",
                    "business-rule",
                    "This body is a part of the resource (SUBSETTED). Read it whole and send it back whole.",
                    f"{type_name}.meta.tag",
                )
            ]
        )
    issues: list[Issue] = []
    merged = dict(stored)
    for name in (*shown, *(name for name in submitted if name not in shown)):
        if name == "meta" or same(shown.get(name), submitted.get(name)):
            continue
        how = _how(name, writable)
        if isinstance(how, OwnItems):
            found = _own_items(how, name, stored, shown, submitted, writer)
        elif how == "append":
            found = _appended(name, stored, shown, submitted, writer)
        elif _may_replace(how, shown, submitted):
            found = submitted.get(name)
        else:
            found = _REFUSED
        if isinstance(found, _Refusal):
            issues.append(
                Issue("error", found.code, found.text or _told(name, writable), f"{type_name}.{name}")
            )
        elif found is None or found == []:
            merged.pop(name, None)
        else:
            merged[name] = found
    if issues:
        raise InvalidResource(issues)
    return merged


def author_issues(task: Mapping[str, Any], writer: str) -> tuple[Issue, ...]:
    """Gives what an author wrote into a new Task, or one not yet received, that is the owner's part.

    Not for a Task whose author is its owner as well.

    Source: ``views.md`` 3.

    >>> [issue.expression for issue in author_issues({"resourceType": "Task", "output": [{}]}, "shelter-1")]
    ['Task.output']
    """
    issues = []
    for name, how in TASK_AUTHOR_WRITABLE.elements.items():
        value = task.get(name)
        if value is None:
            continue
        if how == "never" or (
            isinstance(how, OwnItems)
            and not all(how.mine(item, writer) for item in (value if isinstance(value, list) else ()))
        ):
            issues.append(Issue("error", "forbidden", _told(name, TASK_AUTHOR_WRITABLE), f"Task.{name}"))
    return tuple(issues)


def same(one: Any, other: Any) -> bool:
    """Says whether two JSON values say the same to the digit; the order of keys does not matter.

    Software that speaks XML spells a narrative its own way, and leaves out a list of nothing but nulls: what comes
    back so was not changed.

    >>> same({"value": Decimal("1.0")}, {"value": Decimal("1.00")}), same(True, 1)
    (False, False)
    >>> div = '<div xmlns="http://www.w3.org/1999/xhtml">%s</div>'
    >>> same({"div": div % "a<br/>&#66;"}, {"div": div % "a<br></br>B"}), same({"div": div % "a"}, {"div": div % "b"})
    (True, False)
    """
    if isinstance(one, dict):
        if not isinstance(other, dict):
            return False
        if one.keys() != other.keys():
            one, other = _said(one), _said(other)
        return one.keys() == other.keys() and all(
            same(value, other[name]) or (name == "div" and same_narrative(value, other[name]))
            for name, value in one.items()
        )
    if isinstance(one, list):
        return (
            isinstance(other, list)
            and len(one) == len(other)
            and all(same(mine, theirs) for mine, theirs in zip(one, other, strict=True))
        )
    if isinstance(one, Decimal):
        return isinstance(other, Decimal) and str(one) == str(other)
    return type(one) is type(other) and one == other


def _said(element: dict[str, Any]) -> dict[str, Any]:
    """Gives an object without lists of nothing but nulls: beside their sibling they say nothing."""
    return {
        name: value
        for name, value in element.items()
        if not (isinstance(value, list) and all(item is None for item in value))
    }


@dataclass(frozen=True, slots=True)
class _Refusal:
    code: str = "forbidden"
    text: str = ""


_REFUSED = _Refusal()
_SIGNED_BY_OTHER = _Refusal(
    "business-rule",
    "A note is signed with the organisation that writes it. Leave its author out, or name your organisation.",
)
_EARLIER_NOTES = _Refusal(
    "business-rule", "Earlier notes stay as they are and in their order. Add a new one after them."
)


def _told(name: str, writable: Writable) -> str:
    return f"{name} was changed, added or dropped, which this update may not do. {writable.told}"


def _how(name: str, writable: Writable) -> How:
    """Gives how an element may be written; what stands beside a primitive is never part of another's copy."""
    if name in ("resourceType", "id"):
        return "never"
    if name.startswith("_"):
        how = writable.elements.get(name[1:], writable.others)
        return how if writable.others == "whole" else "never"
    return writable.elements.get(name, writable.others)


def _may_replace(how: How, shown: Mapping[str, Any], submitted: Mapping[str, Any]) -> bool:
    if how not in ("with-status", "with-status-or-own"):
        return how == "whole"
    if not same(shown.get("status"), submitted.get("status")):
        return True
    reason = shown.get("statusReason")
    return how == "with-status-or-own" and isinstance(reason, dict) and "text" in reason


def _list(resource: Mapping[str, Any], name: str) -> list[Any]:
    value = resource.get(name)
    return value if isinstance(value, list) else []


def _own_items(
    how: OwnItems,
    name: str,
    stored: Mapping[str, Any],
    shown: Mapping[str, Any],
    submitted: Mapping[str, Any],
    writer: str,
) -> Any:
    """Puts the writer's items where its earlier ones were; all others, hidden ones too, keep their place."""
    sent, seen = submitted.get(name, []), _list(shown, name)
    if not isinstance(sent, list):
        return _REFUSED
    others = [item for item in sent if not how.mine(item, writer)]
    if not same(others, [item for item in seen if not how.mine(item, writer)]):
        return _REFUSED
    remaining = [item for item in seen if how.mine(item, writer)]
    fresh = iter([item for item in sent if how.mine(item, writer)])
    merged = []
    for item in _list(stored, name):
        if remaining and how.mine(item, writer) and same(item, remaining[0]):
            remaining.pop(0)
            replaced = next(fresh, None)
            if replaced is not None:
                merged.append(replaced)
        else:
            merged.append(item)
    return [*merged, *fresh]


def _appended(
    name: str,
    stored: Mapping[str, Any],
    shown: Mapping[str, Any],
    submitted: Mapping[str, Any],
    writer: str,
) -> Any:
    """Puts new notes after all that are stored, signed by the writer."""
    sent, seen = submitted.get(name, []), _list(shown, name)
    if not isinstance(sent, list) or len(sent) < len(seen):
        return _EARLIER_NOTES
    signed = [_signed(item, writer) for item in sent]
    for before, unsigned, now in zip(seen, sent, signed, strict=False):
        if not same(before, unsigned) and not same(before, now):
            return _EARLIER_NOTES
    added = signed[len(seen) :]
    if not all(is_note_of(item, writer) for item in added):
        return _SIGNED_BY_OTHER
    return [*_list(stored, name), *added]


def _signed(note: Any, writer: str) -> Any:
    if not isinstance(note, dict) or note_writer(note) or "authorString" in note or "authorReference" in note:
        return note
    return {"authorReference": {"reference": organization(writer)}, **note}


def narrowed(writable: Writable, names: Sequence[str]) -> Writable:
    """Gives what may be written where a transition lets this side write these elements only.

    >>> narrowed(TASK_OWNER_WRITABLE, ["status"]).elements
    {'status': 'whole'}
    """
    elements = {name: how for name, how in writable.elements.items() if name in names}
    return Writable(elements, "never", f"At this step it may write: {', '.join(elements)}.")
