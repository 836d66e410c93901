"""Tokens bound to one grant: what may be asked, what is given, what is told, and that every no is the same one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.access.scopes import ScopeSet
from referral_hub.auth.bindings import binding_of
from referral_hub.auth.grant_telling import told, type_of
from referral_hub.auth.purposes import Assertion
from referral_hub.auth.refusals import InvalidAuthorizationDetails
from referral_hub.auth.rich_requests import BOUND_TYPES, RichRequests
from referral_hub.auth.server import Answer
from referral_hub.auth.tokens import principal_of, token_digest
from referral_hub.exchange.bound_grants import BoundGrant, ConsentFacts, GrantNow
from referral_hub.fhir.dates import instant
from tests.unit.auth.hub import ADDRESSES, HANDLES, NONCES, NOW_S, NOW_US, SECOND, SECRET, Hub
from tests.unit.auth.memory import ClientRow, MemoryGrants, organization
from tests.unit.auth.partner import basic
from tests.unit.auth.prover import Prover

TYPE = type_of(ADDRESSES)
SCOPE = "system/Task.rus system/Condition.rs system/Patient.rs"
GRANT = BoundGrant(
    referral="t-1",
    person=7,
    patient="p-7",
    epoch=3,
    consents=(("consent-1", "v1"),),
    opened={"health": True, "identity": False},
    until_us=NOW_US + 3_600 * SECOND,
)
LEFT = GrantNow(
    "p-7",
    "An invented clinic",
    (ConsentFacts("consent-1", "v1", "ab" * 32, ("https://network.example/policy/v4",)),),
    frozenset({"health"}),
    "V",
)


def hub_with(grant: BoundGrant | None = GRANT) -> Hub:
    hub = Hub()
    hub.rows.backed["clinic", "TREAT"] = frozenset({"Condition", "Task", "Patient"})
    hub.grants.left = LEFT
    if grant is not None:
        hub.grants.found["clinic", "TREAT", "t-1"] = grant
    return hub


def asked(hub: Hub, *, scope: str = SCOPE, text: str | None = None, dpop: str = "", **details: Any) -> Answer:
    sent = text if text is not None else json.dumps([{"type": TYPE, **(details or {"referral": "Task/t-1"})}])
    return hub.token({**hub.clinic.form(NOW_S, scope), "authorization_details": sent}, dpop=dpop)


def row_of(hub: Hub, answer: Answer) -> Any:
    assert answer.http_status == 200, answer.body
    return hub.rows.oauth_token(token_digest(answer.body["access_token"]))


def test_a_token_is_bound_to_the_release_of_a_referral() -> None:
    hub = hub_with()
    answer = asked(hub)
    row = row_of(hub, answer)
    binding = binding_of(row.binding)
    assert binding is not None
    assert (row.person, row.patient, row.context) == (7, "p-7", "system")
    assert (binding.referral, binding.consents) == ("t-1", (("consent-1", "v1"),))
    assert (binding.categories, binding.confidentiality) == (frozenset({"health", "identity"}), "V")
    assert binding.not_after_us == row.expires_us == NOW_US + 300 * SECOND
    principal = principal_of(row, organization("clinic"))
    assert (principal.binding, principal.person, principal.purpose) == (binding, 7, "TREAT")


def test_the_client_is_told_next_to_nothing() -> None:
    answer = asked(hub_with())
    assert answer.body.keys() == {
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "authorization_details",
    }
    assert answer.body["authorization_details"] == [
        {
            "type": TYPE,
            "identifier": HANDLES.made("c-clinic", "t-1"),
            "actions": ["read", "search", "update"],
            "datatypes": ["Condition", "Patient", "Task"],
        }
    ]
    assert "p-7" not in json.dumps(answer.body)
    assert "consent-1" not in json.dumps(answer.body)


def test_the_handle_of_an_answer_asks_for_the_same_again() -> None:
    hub = hub_with()
    handle = asked(hub).body["authorization_details"][0]["identifier"]
    again = asked(hub, identifier=handle)
    assert again.body["authorization_details"][0]["identifier"] == handle
    assert hub.grants.asked[0] == hub.grants.asked[1] == ("clinic", "TREAT", "", "t-1")


def test_what_is_asked_for_narrows() -> None:
    hub = hub_with()
    answer = asked(
        hub,
        referral=f"{ADDRESSES.fhir}/Task/t-1",
        locations=[ADDRESSES.fhir],
        actions=["read"],
        datatypes=["Condition"],
        categories=["identity"],
        purpose=[{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}],
    )
    row = row_of(hub, answer)
    binding = binding_of(row.binding)
    assert binding is not None
    assert (row.scope, binding.categories, binding.confidentiality) == (
        "system/Condition.r",
        frozenset({"identity"}),
        "R",
    )


def test_very_restricted_content_can_be_left_out() -> None:
    hub = hub_with()
    binding = binding_of(row_of(hub, asked(hub, referral="Task/t-1", max_confidentiality="R")).binding)
    assert binding is not None
    assert binding.confidentiality == "R"


def test_a_bound_token_is_for_types_that_tell_of_a_person() -> None:
    assert {"Task", "Patient", "ServiceRequest", "Condition", "Binary"} <= BOUND_TYPES
    assert not {"Consent", "Provenance", "AuditEvent", "Organization", "Subscription", "Group"} & BOUND_TYPES


def test_a_token_ends_with_the_permit_where_that_is_sooner() -> None:
    hub = hub_with(BoundGrant("t-1", 7, "p-7", 3, GRANT.consents, GRANT.opened, NOW_US + 90 * SECOND))
    answer = asked(hub)
    assert answer.body["expires_in"] == 90
    assert row_of(hub, answer).expires_us == NOW_US + 90 * SECOND


NO_SUCH_GRANT: dict[str, dict[str, Any]] = {
    "a referral that never was": {"referral": "Task/never"},
    "a handle that never was": {"identifier": "grant:bm90aGluZw"},
    "a handle of another client": {"identifier": HANDLES.made("c-shelter", "t-1")},
    "a text that is no handle": {"identifier": "Consent/consent-1"},
    "a category the release does not name": {"referral": "Task/t-1", "categories": ["health", "immigration"]},
    "V where only another category has it": {
        "referral": "Task/t-1",
        "categories": ["identity"],
        "max_confidentiality": "V",
    },
    "types the scope does not name": {"referral": "Task/t-1", "datatypes": ["Observation"]},
}


@pytest.mark.parametrize("name", NO_SUCH_GRANT)
def test_every_no_that_depends_on_a_person_is_the_same(name: str) -> None:
    hub = hub_with()
    answer = asked(hub, **NO_SUCH_GRANT[name])
    never = asked(hub_with(None))
    assert answer == never
    assert (answer.http_status, answer.body["error"]) == (400, "invalid_authorization_details")
    assert not hub.rows.tokens


def test_a_release_that_ends_this_second_is_none() -> None:
    hub = hub_with(BoundGrant("t-1", 7, "p-7", 3, GRANT.consents, GRANT.opened, NOW_US + SECOND // 2))
    assert asked(hub) == asked(hub_with(None))


def test_the_grant_is_looked_up_whatever_else_is_wrong_with_the_request() -> None:
    hub = hub_with()
    for details in NO_SUCH_GRANT.values():
        asked(hub, **details)
    assert len(hub.grants.asked) == len(hub.grants.refused) == len(NO_SUCH_GRANT)
    assert ("clinic", "c-clinic", "TREAT", "never") in hub.grants.refused


UNREADABLE: dict[str, str] = {
    "no JSON": "{",
    "an object": "{}",
    "nothing": "[]",
    "two": json.dumps([{"type": TYPE, "referral": "Task/a"}] * 2),
    "a text": '["x"]',
    "no type": '[{"referral": "Task/t-1"}]',
    "another type": '[{"type": "payment", "referral": "Task/t-1"}]',
    "an unknown field": json.dumps([{"type": TYPE, "referral": "Task/t-1", "privileges": ["all"]}]),
    "neither referral nor handle": json.dumps([{"type": TYPE}]),
    "both": json.dumps([{"type": TYPE, "referral": "Task/t-1", "identifier": "grant:x"}]),
    "a referral of another hub": json.dumps([{"type": TYPE, "referral": "https://evil.example/Task/t-1"}]),
    "a referral of another type": json.dumps([{"type": TYPE, "referral": "Patient/t-1"}]),
    "a referral that is a number": json.dumps([{"type": TYPE, "referral": 5}]),
    "another place": json.dumps(
        [{"type": TYPE, "referral": "Task/t-1", "locations": ["https://evil.example"]}]
    ),
    "an unknown action": json.dumps([{"type": TYPE, "referral": "Task/t-1", "actions": ["delete"]}]),
    "no action": json.dumps([{"type": TYPE, "referral": "Task/t-1", "actions": []}]),
    "every type": json.dumps([{"type": TYPE, "referral": "Task/t-1", "datatypes": ["*"]}]),
    "the consents": json.dumps([{"type": TYPE, "referral": "Task/t-1", "datatypes": ["Consent"]}]),
    "a category that is none": json.dumps([{"type": TYPE, "referral": "Task/t-1", "categories": ["own"]}]),
    "categories that are no list": json.dumps(
        [{"type": TYPE, "referral": "Task/t-1", "categories": "health"}]
    ),
    "a list in a list": json.dumps([{"type": TYPE, "referral": "Task/t-1", "actions": [["read"]]}]),
    "a confidentiality that is none": json.dumps(
        [{"type": TYPE, "referral": "Task/t-1", "max_confidentiality": "U"}]
    ),
    "another purpose": json.dumps([{"type": TYPE, "referral": "Task/t-1", "purpose": [{"code": "ETREAT"}]}]),
    "two purposes": json.dumps([{"type": TYPE, "referral": "Task/t-1", "purpose": ["TREAT", "TREAT"]}]),
    "a purpose that is none": json.dumps([{"type": TYPE, "referral": "Task/t-1", "purpose": [{"code": 5}]}]),
    "too long": json.dumps([{"type": TYPE, "referral": "Task/t-1", "categories": ["health"] * 2000}]),
    "too deep": "[" * 100_000,
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_refused_before_anything_is_looked_up(name: str) -> None:
    hub = hub_with()
    answer = asked(hub, text=UNREADABLE[name])
    assert (answer.http_status, answer.body["error"]) == (400, "invalid_authorization_details")
    assert not hub.rows.tokens
    assert not hub.grants.asked


def test_a_consent_that_changes_meanwhile_is_decided_anew() -> None:
    hub = hub_with()
    hub.rows.epochs[7] = 4
    answer = asked(hub)
    assert (answer.http_status, answer.body["error"]) == (503, "temporarily_unavailable")
    assert len(hub.grants.asked) > 1
    assert not hub.rows.tokens
    hub.rows.epochs[7] = 3
    assert asked(hub).http_status == 200


def test_an_assertion_counts_once_for_a_bound_token_too() -> None:
    hub = hub_with()
    details = json.dumps([{"type": TYPE, "referral": "Task/t-1"}])
    form = {**hub.clinic.form(NOW_S, SCOPE), "authorization_details": details}
    assert [hub.token(form).body.get("error") for _ in range(2)] == [None, "invalid_client"]


def test_a_bound_token_can_be_bound_to_a_key_as_well() -> None:
    hub, it = hub_with(), Prover(nonce=NONCES.fresh(NOW_US))
    answer = asked(hub, dpop=it.proof("POST", ADDRESSES.token, NOW_S))
    row = row_of(hub, answer)
    assert (answer.body["token_type"], row.jkt, row.person) == ("DPoP", it.jkt, 7)


def test_the_audit_says_whose_consents_a_token_stands_on() -> None:
    hub = hub_with()
    asked(hub)
    (line,) = [entry for entry in hub.rows.audit if entry.interaction == "oauth-token"]
    assert (line.person, line.consents, line.recipient) == (7, ("consent-1/v1",), "")


def test_the_networks_resource_server_is_told_all() -> None:
    hub = hub_with()
    token = asked(hub).body["access_token"]
    told_all = hub.introspect({"token": token}, authorization=basic("c-network", SECRET)).body
    assert told_all["authorization_details"] == [
        {
            "type": TYPE,
            "identifier": HANDLES.made("c-clinic", "t-1"),
            "actions": ["read", "search", "update"],
            "datatypes": ["Condition", "Patient", "Task"],
            "locations": [ADDRESSES.fhir],
            "consent": "Consent/consent-1",
            "consent_version": "v1",
            "consent_sha256": "ab" * 32,
            "policy": "https://network.example/policy/v4",
            "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}],
            "referral": "Task/t-1",
            "recipient": {"organization": "Organization/clinic"},
            "categories": ["health"],
            "max_confidentiality": "V",
            "not_after": instant(NOW_US + 300 * SECOND),
        }
    ]
    assert told_all["patient"] == "p-7"
    assert told_all["extensions"]["ihe_pcf"] == {
        "patient_id": "Patient/p-7",
        "doc_id": ["Consent/consent-1/_history/v1"],
        "acp": ["https://network.example/policy/v4"],
        "residual": [],
    }
    assert told_all["extensions"]["ihe_iua"]["subject_organization"] == "An invented clinic"


def test_its_own_client_is_told_what_it_knows() -> None:
    hub = hub_with()
    answer = asked(hub)
    found = hub.introspect({**hub.clinic.form(NOW_S), "token": answer.body["access_token"]}).body
    assert found["authorization_details"] == answer.body["authorization_details"]
    assert not {"patient", "extensions"} & found.keys()
    assert "p-7" not in json.dumps(found)
    assert "consent-1" not in json.dumps(found)


def test_a_token_behind_which_nothing_is_left_is_inactive() -> None:
    hub = hub_with()
    token = asked(hub).body["access_token"]
    hub.grants.left = None
    server = basic("c-network", SECRET)
    assert hub.introspect({"token": token}, authorization=server).body == {"active": False}


def test_one_referral_has_another_handle_for_every_client() -> None:
    assert HANDLES.made("c-1", "t-1") != HANDLES.made("c-2", "t-1")
    assert HANDLES.made("c-1", "t-1") != HANDLES.made("c-1", "t-2")
    assert "t-1" not in HANDLES.made("c-1", "t-1")


@pytest.mark.parametrize(
    "text", ["", "grant:", "grant:AAAA", "grant:" + "A" * 300, "grant:é", "Task/t-1", "grant:A"]
)
def test_a_text_that_is_no_handle_opens_nothing(text: str) -> None:
    assert HANDLES.opened("c-1", text) == ""


def test_what_is_told_follows_the_scope() -> None:
    assert told("h", ScopeSet.parse("system/Task.s"), ADDRESSES)["actions"] == ["search"]


def test_details_of_another_grant_type_are_not_passed_over() -> None:
    hub = hub_with()
    details = json.dumps([{"type": TYPE, "referral": "Task/t-1"}])
    for grant_type in ("authorization_code", "refresh_token"):
        form = {**hub.clinic.form(NOW_S), "grant_type": grant_type, "authorization_details": details}
        assert hub.token(form).body["error"] in ("invalid_authorization_details", "unsupported_grant_type")


SOME_TYPES = sorted({"Task", "Condition", "Patient", "Observation", "Consent", "Organization"})
some = st.lists(st.sampled_from(["create", "read", "search", "update"]), min_size=1, unique=True)


@given(
    actions=st.none() | some,
    datatypes=st.none() | st.lists(st.sampled_from(SOME_TYPES), min_size=1, unique=True),
    categories=st.none()
    | st.lists(st.sampled_from(["health", "identity", "immigration"]), min_size=1, unique=True),
    confidentiality=st.sampled_from(["", "R", "V"]),
)
def test_whatever_is_asked_a_bound_token_is_never_wider_than_grant_and_scope(
    actions: Any, datatypes: Any, categories: Any, confidentiality: str
) -> None:
    given_scope = ScopeSet.parse(
        "system/Task.cruds system/Condition.rs system/Consent.rs system/Organization.rs"
    )
    details: dict[str, Any] = {"type": TYPE, "referral": "Task/t-1"}
    named = {"actions": actions, "datatypes": datatypes, "categories": categories}
    details |= {name: value for name, value in named.items() if value is not None}
    if confidentiality:
        details["max_confidentiality"] = confidentiality
    grants = MemoryGrants({("clinic", "TREAT", "t-1"): GRANT})
    client = ClientRow("c-clinic", "clinic", "jwks", "")
    try:
        left, bound = RichRequests(grants, HANDLES, ADDRESSES).bound(
            client,
            json.dumps([details]),
            given_scope,
            "TREAT",
            Assertion(),
            at_us=NOW_US,
            expires_us=NOW_US + 300 * SECOND,
        )
    except InvalidAuthorizationDetails:
        return
    for scope in left.scopes:
        assert all(given_scope.covers(scope.type, letter) for letter in scope.letters)
        assert scope.type in BOUND_TYPES
        assert "d" not in scope.letters
    assert bound.binding.categories <= GRANT.opened.keys()
    assert bound.binding.confidentiality == "R" or any(
        GRANT.opened[name] for name in bound.binding.categories
    )
    assert bound.binding.not_after_us <= min(GRANT.until_us, NOW_US + 300 * SECOND)
    assert categories is None or bound.binding.categories == frozenset(categories)
    assert datatypes is None or {scope.type for scope in left.scopes} <= set(datatypes)
