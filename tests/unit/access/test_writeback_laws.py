"""The law of writing back: no sequence of a recipient's updates alters or reveals a hidden element."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from referral_hub.access.redaction import render
from referral_hub.access.task_parts import is_note_of, is_owners_identifier, owned_after
from referral_hub.access.views import View
from referral_hub.access.writeback import TASK_OWNER_WRITABLE, merge_update
from referral_hub.errors import InvalidResource
from tests.unit.access.redaction_cases import CLINIC, TASK, concept, fresh, identifier, reference, texts

OWNERS = {"status", "statusReason", "businessStatus", "executionPeriod", "output", "identifier", "note"}
HEALTH = frozenset({"health"})
OPEN_CODES = {"secret-performer", "secret-need"}
"""What the full view shows by right of the service's category."""

values = st.one_of(
    st.none(),
    st.text(alphabet="ab ", max_size=5),
    st.sampled_from(
        [
            [],
            {},
            [{"text": "mine"}],
            [{"text": "as the other", "authorReference": {"reference": "Organization/shelter-1"}}],
            [identifier("FILL", "F-9")],
            [identifier("PLAC", "P-9")],
            [identifier("MR", "secret-number")],
            concept("by-target", text="mine"),
            {"start": "2026-11-24"},
            [{"type": concept("result"), "valueString": "mine"}],
            [{"type": concept("result"), "valueReference": reference("DocumentReference/mine")}],
            [{"url": "urn:x", "valueString": "mine"}],
            reference("Patient/p1"),
            "secret description",
            True,
            3,
        ]
    ),
)
names = st.sampled_from(sorted({*TASK, *OWNERS, "extension", "_status", "_note", "contained", "unknown"}))


@st.composite
def sent_back(draw: st.DrawFn, shown: dict[str, Any]) -> dict[str, Any]:
    """What a careless or a curious client could make of its view."""
    body = fresh(shown)
    for _ in range(draw(st.integers(1, 4))):
        name = draw(names)
        move = draw(st.sampled_from(["set", "drop", "add", "cut", "turn"]))
        value = body.get(name)
        if move == "drop":
            body.pop(name, None)
        elif move == "set":
            body[name] = copy.deepcopy(draw(values))
        elif isinstance(value, list) and value:
            if move == "add":
                more = copy.deepcopy(draw(values))
                value.extend(more if isinstance(more, list) else [more])
            elif move == "cut":
                del value[draw(st.integers(0, len(value) - 1))]
            else:
                value.reverse()
    return body


def hidden_from_the_owner(task: dict[str, Any]) -> dict[str, Any]:
    """Everything of a Task that the owner may never change, in its order."""
    kept = {name: value for name, value in task.items() if name not in OWNERS}
    kept["identifier"] = [i for i in task.get("identifier", []) if not is_owners_identifier(i, CLINIC)]
    kept["note"] = [n for n in task.get("note", []) if not is_note_of(n, CLINIC)]
    return kept


def first_notes(task: dict[str, Any]) -> list[Any]:
    return [note for note in task.get("note", []) if is_note_of(note, CLINIC)]


@given(st.data())
def test_no_sequence_of_updates_alters_or_reveals_what_is_hidden(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["N", "K", "F", "H"]))
    categories = data.draw(st.sampled_from([frozenset[str](), HEALTH]))
    stored = fresh(TASK, statusReason=concept("by-source", text="secret reason"))
    hidden = hidden_from_the_owner(stored)
    own: frozenset[str] = data.draw(st.sampled_from([frozenset[str](), frozenset({"output"})]))
    said: set[str] = set()
    hidden_outputs = [] if own else list(stored["output"])
    for _ in range(data.draw(st.integers(1, 5))):
        view = View(kind, CLINIC, "health", categories, own=own, requester="Organization/network")  # type: ignore[arg-type]
        shown = render(stored, view)
        told = {text for text in texts({**shown, "output": None}) if "secret" in text} - said
        assert told <= OPEN_CODES
        body = data.draw(sent_back(shown))
        said.update(texts(body))
        try:
            after = merge_update(stored, shown, body, TASK_OWNER_WRITABLE, writer=CLINIC)
        except InvalidResource:
            continue
        if not isinstance(after.get("status"), str):
            continue  # the validator refuses it
        assert hidden_from_the_owner(after) == hidden
        if "statusReason" not in own and after.get("status") == stored.get("status"):
            assert after.get("statusReason") == stored.get("statusReason"), "a reason others gave stays"
        assert first_notes(after)[: len(first_notes(stored))] == first_notes(stored)
        kept = iter(after.get("output", []))
        assert all(output in kept for output in hidden_outputs), "hidden outputs stay, in their order"
        own = owned_after(own, stored, after, by_reader=True) - (
            frozenset({"output"}) if hidden_outputs else frozenset()
        )
        stored = after


@given(st.data())
def test_an_answer_to_an_update_depends_on_what_was_shown_only(data: st.DataObject) -> None:
    """Two Tasks that look alike to the owner answer every update alike: trying finds nothing out."""
    view = View("N", CLINIC, "health")
    one = fresh(TASK, statusReason=concept("by-source", text="in words"))
    other = fresh(TASK, description="something else", basedOn=None, reasonCode=None, encounter=None)
    other["statusReason"] = concept("by-source")
    other["note"] = [one["note"][1]]
    other["identifier"] = one["identifier"][:2]
    shown = render(one, view)
    assert render(other, view) == shown
    body = data.draw(sent_back(shown))
    told = []
    for stored in (one, other):
        try:
            after = merge_update(stored, shown, body, TASK_OWNER_WRITABLE, writer=CLINIC)
            told.append(("done", render(after, view)))
        except InvalidResource as refusal:
            told.append(("refused", [(issue.text, issue.expression) for issue in refusal.issues]))
    assert told[0] == told[1]
