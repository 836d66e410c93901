"""Reading a Consent of unknown origin: it never fails, and what is not understood opens nothing."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.access.decision import decide
from referral_hub.access.provisions import compile_consent
from tests.unit.access.builders import (
    CLINIC,
    NOW,
    facts,
    kind_of_organization,
    permit,
    refusal,
    release,
    request,
    us,
)


def test_a_release_as_read() -> None:
    read = compile_consent("c", "7", release(permit(labels=["V"])), authored=True)
    assert (read.id, read.version, read.kind, read.active) == ("c", "7", "release", True)
    assert read.organizations == {CLINIC.id}
    assert read.purposes == {"TREAT"}
    assert read.until_us == us("2026-11-30T23:59:59Z")
    assert read.root is None
    assert read.permits[0].opens_very_restricted


def test_a_refusal_as_read() -> None:
    body = refusal(
        permit(who=["office"], what=[], data=["DocumentReference/1"]),
        who=["ministry", kind_of_organization("governmental"), kind_of_organization("PL", "government-of")],
    )
    read = compile_consent("c", "1", body, authored=True)
    assert read.root is not None
    assert read.root.targets == {"org:ministry", "kind:governmental", "gov:PL"}
    assert read.permits[0].instances == {"DocumentReference/1"}
    assert read.denies == ()


@pytest.mark.parametrize("status", ["draft", "proposed", "rejected", "inactive", "entered-in-error"])
def test_only_an_active_consent_counts(status: str) -> None:
    assert not compile_consent("c", "1", release(status=status), authored=False).active


_JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["deny", "permit", "TREAT"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, child in value.items():
            found += _places(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            found += _places(child, (*path, index))
    return found


def _replaced(body: Any, path: tuple[Any, ...], new: Any) -> Any:
    changed = copy.deepcopy(body)
    node = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = new
    return changed


@given(st.dictionaries(st.sampled_from(["status", "scope", "category", "provision", "policyRule"]), _JUNK))
def test_junk_is_read_without_failing_and_opens_nothing(body: dict[str, Any]) -> None:
    read = compile_consent("c", "1", body, authored=False)
    assert decide([read], request(), NOW).outcome != "permit"


_RELEASE = release(permit(what=["health"], labels=["R"]), permit(what=[], data=["Observation/1"]))
_REFUSAL = refusal(
    permit(what=[], data=["Observation/1"]), who=[CLINIC.id], why=["TREAT"], what=["health"], start="2026"
)


@given(st.sampled_from(_places(_RELEASE)), _JUNK)
def test_a_release_with_junk_in_it_opens_nothing_more(path: tuple[Any, ...], junk: Any) -> None:
    body = _replaced(_RELEASE, path, junk)
    read = compile_consent("c", "1", body, authored=False)
    for asked in (
        request(facts("Observation/2", "housing")),
        request(facts("Observation/2", confidentiality="V")),
        request(purpose="HRESCH"),
        request(purpose=""),
        request(action="disclose"),
    ):
        assert decide([read], asked, NOW).outcome != "permit"


@given(st.sampled_from(_places(_REFUSAL["provision"], ("provision",))), _JUNK)
def test_a_refusal_with_junk_in_a_condition_stops_no_less(path: tuple[Any, ...], junk: Any) -> None:
    if junk == [] or path[:2] == ("provision", "provision"):
        return
    body = _replaced(_REFUSAL, path, junk)
    read = compile_consent("c", "1", body, authored=False)
    assert decide([read], request(facts("Observation/2")), NOW).outcome == "deny"


def test_a_body_that_states_no_status_denies() -> None:
    assert decide([compile_consent("c", "1", {}, authored=False)], request(), NOW).outcome == "deny"
