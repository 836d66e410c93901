"""Withdrawing stops sharing, not help: no module that serves a person reads whether she took a permission back.

Every module that looks at consents, at whether one ended, or at a withdrawal is listed here with what it does with it.
A new one makes this test fail, and whoever adds it says why. None of them may be one that lets a service begin, go on
or end.

Source: ``consent.md`` D-43 and F-02; ``practice.md`` 5.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3] / "referral_hub"
ROOMS = ("exchange", "casework", "outbound", "resources")

WORDS = frozenset({"inactive", "withdrawn", "withdrawal", "withdrawn-in-part"})
ASKED = frozenset({"consents", "coverage", "coverage_of"})
MODULES = frozenset(
    {"withdrawing", "withdrawal_words", "held_recalls", "narrowing", "recall_reach", "recalls", "covering"}
)

READERS = {
    "casework/her_view.py": "tells her which permissions run and who was asked back",
    "casework/permissions_told.py": "tells her how her permissions stand",
    "casework/refusals.py": "the end of a refusal she takes back",
    "exchange/bound_grants.py": "which permission a token is bound to",
    "exchange/consent_signing.py": "how long a permission runs, and that it can end",
    "exchange/consent_writing.py": "what the end of a permission causes: doors, recalls, no Task and no Appointment",
    "exchange/covering.py": "whether a notice may leave now, and why not, for her custodian",
    "exchange/deciding.py": "what is decided about a Task of the desk; it is nobody's service",
    "exchange/disclosing.py": "what she and her custodian are told",
    "exchange/early_ends.py": "permissions that end early, such as at eighteen",
    "exchange/gate.py": "whether something may leave",
    "exchange/hosting.py": "whether a source's referral may be told to its recipient",
    "exchange/looking.py": "looks consents up for the gate",
    "exchange/narrowing.py": "a release without one kind of information",
    "exchange/openings.py": "what is open to one organisation",
    "exchange/operations.py": "$revoke",
    "exchange/permission_file.py": "tells those who keep her record how her permissions stand",
    "exchange/previews.py": "a consent still draft, read as if it ran",
    "exchange/recalls.py": "asking back",
    "exchange/reporting.py": "whether an outcome may be told to the source",
    "exchange/state.py": "looks consents up for the gate",
    "exchange/task_writing.py": "whether a referral may be told to its recipient: sharing, never the service",
    "exchange/topics.py": "tells her custodian that a permission ended",
    "exchange/withdrawing.py": "$withdraw",
    "exchange/wrong_person.py": "asks back what went to the wrong place; reads no withdrawal",
    "exchange/writing.py": "lets the answer to a recall in",
    "outbound/copying.py": "a source's permission that is over is not copied as one that runs",
    "outbound/partner_status.py": "lets a partner's answer to a recall in",
    "outbound/timers.py": "recalls, and what ends by time",
    "resources/consent.py": "the states of a Consent",
    "resources/task.py": "the code of the Task that tells her own people",
}
"""Module to what it does with what it reads."""

SERVING = (
    "admission",
    "type_rules",
    "referrals",
    "directory_rules",
    "safe_contact",
    "rolling_up",
    "filler_orders",
    "hub_moves",
    "stamping",
    "columns",
    "building",
    "deleting",
    "conditional",
    "bundles",
    "assignments",
)
"""Modules on the way of what a caseworker does for a person."""


def reads(source: str) -> set[str]:
    """Gives what a module reads of consents and withdrawals."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and node.value in WORDS:
            found.add(str(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKED:
            found.add(f"{node.func.attr}()")
        elif isinstance(node, ast.Call) and _names_consent(node):
            found.add("Consent")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2] in MODULES:
            found.add(f"import {node.module}")
        elif isinstance(node, ast.Import):
            found.update(f"import {a.name}" for a in node.names if a.name.rpartition(".")[2] in MODULES)
    return found


def _names_consent(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    return name in ("of_person", "resource", "history") and "Consent" in given


def modules() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def test_every_reader_of_a_withdrawal_is_known():
    found = {
        path.relative_to(ROOT).as_posix() for path in modules() if reads(path.read_text(encoding="utf-8"))
    }
    assert sorted(found - READERS.keys()) == []
    assert sorted(READERS.keys() - found) == []


@pytest.mark.parametrize("name", SERVING)
def test_what_serves_a_person_reads_none_of_it(name: str):
    path = ROOT / "exchange" / f"{name}.py"
    assert reads(path.read_text(encoding="utf-8")) == set()
    assert f"exchange/{name}.py" not in READERS


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("if row.status == 'inactive': raise Conflict", {"inactive"}),
        ("snapshot.consents(person)", {"consents()"}),
        ("judge.coverage(owner, person, working, at)", {"coverage()"}),
        ("snapshot.of_person(person, 'Consent')", {"Consent"}),
        (
            "from referral_hub.exchange.withdrawing import withdraw",
            {"import referral_hub.exchange.withdrawing"},
        ),
        ("import referral_hub.exchange.recalls as r", {"import referral_hub.exchange.recalls"}),
        ("task.kind == 'withdrawal'", {"withdrawal"}),
        ("row.status == 'active' and outcome.consents", set()),
    ],
)
def test_a_reader_is_recognised(source: str, found: set[str]):
    assert reads(source) == found
