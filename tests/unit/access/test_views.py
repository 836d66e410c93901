"""Which view a caller gets: what each field of a view stands on."""

from dataclasses import fields, replace

import pytest

from referral_hub.access.levels import cells_of
from referral_hub.access.rows import ReferralAccess
from referral_hub.access.views import (
    View,
    directory_view,
    other_view,
    recall_view,
    referral_view,
    requester_shown,
    requester_view,
    stored_view,
)

NOW = 1_000
CLINIC = "clinic-1"


def row(level: str, **more: object) -> ReferralAccess:
    return ReferralAccess(1, CLINIC, 7, 8, level, **more)  # type: ignore[arg-type]


def view_of(
    type_name: str, access: ReferralAccess | None, opened: dict[str, bool], **more: object
) -> View | None:
    return referral_view(
        type_name,
        access,
        reader=CLINIC,
        opened=opened,
        at_us=NOW,
        category="health",
        requester="Organization/network",
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("type_name", "level", "opened", "kind"),
    [
        ("Task", "notice", {"notice": False}, "N"),
        ("Task", "notice", {}, "K"),
        ("Task", "notice", {"health": True}, "K"),
        ("Task", "full", {"notice": False, "health": False}, "F"),
        ("Task", "full", {}, "K"),
        ("Task", "history", {"notice": False}, "H"),
        ("ServiceRequest", "notice", {"notice": False}, "N"),
        ("ServiceRequest", "notice", {}, None),
        ("ServiceRequest", "full", {"notice": False}, "F"),
        ("ServiceRequest", "history", {"notice": False}, None),
        ("Patient", "notice", {"notice": False}, "N"),
        ("Patient", "full", {"notice": False}, "F"),
        ("Patient", "full", {}, None),
        ("Consent", "notice", {"notice": False}, None),
        ("Consent", "full", {"notice": False}, "cut"),
        ("Consent", "full", {}, None),
        ("Consent", "history", {"notice": False}, None),
        ("Condition", "full", {"notice": False, "health": True}, None),
    ],
)
def test_the_kind_follows_from_the_row_and_the_release(
    type_name: str, level: str, opened: dict[str, bool], kind: str | None
) -> None:
    found = view_of(type_name, row(level), opened)
    assert (found.kind if found else None) == kind


def test_without_a_row_everything_is_absent() -> None:
    for type_name in ("Task", "ServiceRequest", "Patient", "Consent"):
        assert view_of(type_name, None, {"notice": True, "health": True}) is None


@pytest.mark.parametrize("type_name", ["Task", "ServiceRequest", "Patient"])
@pytest.mark.parametrize("level", ["notice", "full"])
def test_a_no_name_referral_needs_no_release(type_name: str, level: str) -> None:
    found = view_of(type_name, row(level, nameless=True), {})
    assert found is not None
    assert found.kind == "nameless"
    closed = view_of(type_name, row("history", nameless=True), {})
    assert (closed.kind if closed else None) == ("H" if type_name == "Task" else None)


def test_a_full_view_holds_the_deciding_category_only() -> None:
    opened = {"notice": False, "health": True, "identity": False, "contact": True, "safety": True}
    task = view_of("Task", row("full"), opened, visible=frozenset({"Condition/c1"}), from_shelter=True)
    assert task is not None
    assert task.categories == {"health"}
    assert task.very_restricted
    assert not task.from_shelter, "where V is open it makes no difference who wrote the text"
    assert task.visible == {"Condition/c1"}
    patient = view_of("Patient", row("full"), opened)
    assert patient is not None
    assert patient.categories == {"identity", "contact"}
    assert patient.very_restricted
    assert patient == view_of("Patient", row("full"), {k: v for k, v in opened.items() if k != "safety"})


@pytest.mark.parametrize(
    ("opened", "very"),
    [
        ({"identity": True, "contact": False}, False),
        ({"identity": True}, False),
        ({"identity": False, "contact": True}, True),
    ],
)
def test_v_of_a_patient_is_v_of_contact(opened: dict[str, bool], very: bool) -> None:
    found = view_of("Patient", row("full"), {"notice": False, **opened})
    assert found is not None
    assert found.very_restricted is very


def test_v_of_another_category_opens_nothing_of_the_service() -> None:
    found = view_of("Task", row("full"), {"notice": False, "health": False, "safety": True})
    assert found is not None
    assert not found.very_restricted
    assert found.from_shelter


def test_a_notice_holds_nothing_that_could_tell_it_apart() -> None:
    plain = view_of("Task", row("notice"), {"notice": False})
    rich = view_of(
        "Task",
        row("notice"),
        {"notice": True, "health": True},
        visible=frozenset({"Condition/c1"}),
        person="Patient/p1",
        from_shelter=False,
    )
    assert plain == rich


@pytest.mark.parametrize(
    ("accepted", "shown"), [(False, "Organization/network"), (True, "Organization/shelter-1")]
)
def test_who_seems_to_ask(accepted: bool, shown: str) -> None:
    assert requester_shown(accepted=accepted, sender="shelter-1", network="network") == shown


def test_an_unknown_network_is_not_replaced_by_the_sender() -> None:
    assert requester_shown(accepted=False, sender="shelter-1", network="") == ""


@pytest.mark.parametrize(
    ("level", "opened", "named", "open_"),
    [
        ("full", {"notice": False, "health": False}, False, True),
        ("full", {"notice": False, "safety": False}, False, False),
        ("full", {"notice": False}, True, True),
        ("full", {"health": False}, True, False),
        ("notice", {"notice": False, "health": False}, True, False),
        ("history", {"notice": False, "health": False}, True, False),
    ],
)
def test_another_record_is_open_by_state_and_release_together(
    level: str, opened: dict[str, bool], named: bool, open_: bool
) -> None:
    cells = cells_of(row(level), notice_open="notice" in opened, at_us=NOW)
    found = other_view(cells, reader=CLINIC, category="health", opened=opened, named=named)
    assert (found is not None) is open_
    if found:
        assert found.kind == "granted"
        assert found.named is named


def test_the_no_name_referral_opens_no_other_records() -> None:
    cells = cells_of(row("full", nameless=True), notice_open=True, at_us=NOW)
    assert other_view(cells, reader=CLINIC, category="health", opened={"health": True}) is None


def test_the_senders_own_row_opens_records_by_the_return_release_alone() -> None:
    back = row("full", back=True)
    opened = cells_of(back, notice_open=True, at_us=NOW)
    assert opened.task == "absent"
    assert opened.other
    assert not cells_of(back, notice_open=False, at_us=NOW).other
    assert not opened.consent


def test_the_requesters_view_holds_outcome_and_the_service_only() -> None:
    found = requester_view(
        reader="shelter-1", category="health", opened={"outcome": False, "health": False, "safety": True}
    )
    assert found.kind == "requester"
    assert found.categories == {"outcome", "health"}
    assert not found.very_restricted


def test_views_without_a_referral() -> None:
    assert stored_view(CLINIC).kind == "stored"
    assert recall_view(CLINIC).kind == "recall"
    public = directory_view(reader=CLINIC, shelter=False, neutral_name="ignored")
    assert public == directory_view(reader=CLINIC, shelter=False)
    assert directory_view(reader=CLINIC, shelter=True, neutral_name="North").neutral_name == "North"


# The digest


FULL = View(
    "F", CLINIC, "health", frozenset({"health", "identity"}), visible=frozenset({"A/1", "B/2", "C/3"})
)
CHANGED = {
    "kind": "N", "reader": "clinic-2", "category": "safety", "categories": frozenset({"health"}),
    "very_restricted": True, "named": True, "from_shelter": False, "visible": frozenset({"A/1"}),
    "selves": frozenset({"HealthcareService/1"}), "person": "Patient/1", "requester": "Organization/1",
    "request": "ServiceRequest/1", "own": frozenset({"status"}), "shelter": True, "neutral_name": "North",
}  # fmt: skip


def test_every_field_counts_in_the_digest() -> None:
    assert set(CHANGED) == {field.name for field in fields(View)}
    digests = {replace(FULL, **{name: value}).digest() for name, value in CHANGED.items()}
    assert len(digests | {FULL.digest()}) == len(CHANGED) + 1


def test_the_digest_is_short_and_fit_for_an_etag() -> None:
    assert len(FULL.digest()) == 16
    assert set(FULL.digest()) <= set("0123456789abcdef")
    assert FULL.digest(b"secret of the hub") != FULL.digest()
    assert FULL.digest(b"one") != FULL.digest(b"other")


def test_the_digest_is_the_same_in_every_process_and_every_year() -> None:
    """Sets come in another order in every process; a digest that changed would spoil every ETag."""
    assert FULL.digest() == "e136a2220cca93de"


def test_a_view_is_a_key() -> None:
    assert {FULL: 1}[replace(FULL)] == 1
