"""The code systems and value sets say exactly what the code says, code by code."""

from collections.abc import Iterable

import pytest

from referral_hub.access.categories import (
    CATEGORIES,
    INFORMATION_CATEGORY,
    SERVICE_DOMAIN,
    SERVICE_DOMAINS,
    VERY_RESTRICTED,
    category_of,
)
from referral_hub.access.labels import (
    _STANDARD_SENSITIVITIES,
    HUB_SENSITIVITIES,
    HUB_SENSITIVITY,
)
from referral_hub.access.provision_elements import PURPOSE
from referral_hub.access.redact_patient import AGE_BAND, AGE_GROUP, SHOW_IN_NOTICE
from referral_hub.access.redact_requester import OUTCOME_OUTPUTS
from referral_hub.demo.papers import CARE_STAGE
from referral_hub.exchange.admission import NO_SERVICE_NEEDED
from referral_hub.exchange.columns import LISTED, NO_NAME
from referral_hub.exchange.consent_evidence import MODES, SIGNATURES
from referral_hub.exchange.consent_rules import PURPOSE_DAYS
from referral_hub.exchange.contact_lost import CONTACT_LOST, RECOGNISED_BY
from referral_hub.exchange.early_ends import CAME_OF_AGE
from referral_hub.exchange.minors import OWN_VIEWS
from referral_hub.exchange.recalls import ANSWERS
from referral_hub.exchange.review_tasks import REVIEW_REASON
from referral_hub.exchange.safe_contact import IN_PERSON, SAFE_CONTACT
from referral_hub.exchange.withdrawing import HOW
from referral_hub.fhir.canonical import ACT_CODE, CANONICAL, SDOHCC_ORDER_DETAIL, code_system
from referral_hub.outbound.partner_parts import HUB_OUTPUTS
from referral_hub.partners import KINDS
from referral_hub.resources.consent import CONSENT_KIND
from referral_hub.resources.lifecycle import Move
from referral_hub.resources.task import (
    BUSINESS_STATUS,
    CANCEL_BY_SOURCE,
    CANCEL_BY_TARGET,
    CLOSED_BY_SENDER,
    ERROR_REASONS,
    FAILURE_REASONS,
    HANDLING_CODES,
    HANDLING_CONDITION,
    HOLD_REASONS,
    INPUT_TYPE,
    LIFECYCLE,
    NEVER_RELEASED_CODES,
    OUTPUT_TYPE,
    REJECTION_REASONS,
    STATUS_REASON,
    TASK_CODES,
)
from tests.unit.profiles.generated import codes_in, codes_of, of_type, resource

STEPS = {step.business_status for step in LIFECYCLE.steps} | {
    step for move in LIFECYCLE.table for step in move.business
}
STATUSES = {move.source for move in LIFECYCLE.table} | {move.target for move in LIFECYCLE.table}
REASONS = {reason for move in LIFECYCLE.table for reason in move.reasons}
STEP_ACTIVITIES = {f"{step.status}.{step.business_status}" for step in LIFECYCLE.steps} | {
    f"{move.target}.{step}" for move in LIFECYCLE.table for step in move.business
}


@pytest.mark.parametrize(
    ("system", "url", "codes"),
    [
        ("information-category", INFORMATION_CATEGORY, CATEGORIES),
        ("service-domain", SERVICE_DOMAIN, SERVICE_DOMAINS),
        ("consent-kind", CONSENT_KIND, ("release", "refusal")),
        ("purpose", PURPOSE, [purpose for purpose in PURPOSE_DAYS if not purpose.isupper()]),
        ("hub-sensitivity", HUB_SENSITIVITY, HUB_SENSITIVITIES),
        ("business-status", BUSINESS_STATUS, STEPS),
        ("status-reason", STATUS_REASON, REASONS | {CLOSED_BY_SENDER, NO_SERVICE_NEEDED}),
        ("handling-condition", HANDLING_CONDITION, HANDLING_CODES),
        ("task-code", TASK_CODES, NEVER_RELEASED_CODES | {"recall"}),
        (
            "task-input-type",
            INPUT_TYPE,
            (
                "handling-condition",
                "identity-release",
                "handoff",
                "recalled-referral",
                "recalled-record",
                "recalled-category",
                "recall-asks",
                "reminded",
            ),
        ),
        ("task-output-type", OUTPUT_TYPE, OUTCOME_OUTPUTS | {"handling-confirmed", "recall-answer"}),
        ("recall-answer", code_system("recall-answer"), ANSWERS),
        ("contact-channel", code_system("contact-channel"), IN_PERSON - {"FACE"}),
        ("organization-type", code_system("organization-type"), KINDS),
        ("age-group", code_system("age-group"), ("adult", "child")),
        ("show-in-notice", code_system("show-in-notice"), ("language", "region", "gender", "age-band")),
        ("identity-release", code_system("identity-release"), ("immediate",)),
        ("observation", code_system("observation"), ("cannot-sign-now", CONTACT_LOST)),
        ("signature-kind", code_system("signature-kind"), SIGNATURES),
        ("interpreter-mode", code_system("interpreter-mode"), MODES),
        ("own-view", code_system("own-view"), OWN_VIEWS),
        ("recognised-by", RECOGNISED_BY, ("safe-word", "face")),
        ("review-reason", REVIEW_REASON, ("sharing-ending", "sharing-ended", "check-in-due")),
        ("sharing-ended-reason", code_system("sharing-ended-reason"), (CAME_OF_AGE, "returned", "restored")),
        (
            "communication-category",
            code_system("communication-category"),
            ("ways-back", "supervision", "correction-request"),
        ),
        ("care-stage", CARE_STAGE, ("crisis", "transitional", "exit", "aftercare")),
        (
            "activity",
            f"{CANONICAL}/CodeSystem/activity",
            STATUSES
            | STEP_ACTIVITIES
            | {"withdrawn", "withdrawn-in-part", "withdrawn.oral"}
            | {f"withdrawn.{how}" for how in HOW}
            | {f"withdrawn-in-part.{how}" for how in HOW if how != "code"},
        ),
    ],
)
def test_a_code_system_has_the_codes_of_the_code(system: str, url: str, codes: Iterable[str]) -> None:
    assert resource(f"CodeSystem-{system}")["url"] == url
    assert sorted(codes_of(system)) == sorted(codes)


def test_partners_may_answer_in_every_output_type() -> None:
    assert set(HUB_OUTPUTS) == set(codes_of("task-output-type"))


def test_each_service_names_its_category() -> None:
    told = {
        concept["code"]: concept["property"][0]["valueCode"]
        for concept in resource("CodeSystem-service-domain")["concept"]
    }
    assert told == dict(SERVICE_DOMAINS)


def test_each_need_names_a_category_a_permission_can_open() -> None:
    concepts = resource("CodeSystem-need")["concept"]
    assert {concept["property"][0]["valueCode"] for concept in concepts} <= set(CATEGORIES)
    assert len(concepts) > 30


def test_every_sensitivity_that_the_hub_labels_with_is_listed() -> None:
    whole, *parts = resource("ValueSet-sensitivity")["compose"]["include"]
    assert whole == {"system": HUB_SENSITIVITY}
    told = {(part["system"], concept["code"]) for part in parts for concept in part["concept"]}
    assert told == {(ACT_CODE, code) for code in _STANDARD_SENSITIVITIES}


def test_somebody_who_comes_back_gets_one_of_three_answers() -> None:
    # The practice guide: short support, a new response to a crisis, a referral to another provider.
    expected = ["short-term-support", "new-crisis-response", "referral-elsewhere"]
    assert codes_of("aftercare-answer") == expected


def _reasons_to(status: str, actor: str) -> set[str]:
    moves: list[Move] = [move for move in LIFECYCLE.table if move.target == status and actor in move.actors]
    return {reason for move in moves for reason in move.reasons}


@pytest.mark.parametrize(
    ("value_set", "reasons", "from_the_table"),
    [
        ("rejection-reason", REJECTION_REASONS, _reasons_to("rejected", "owner")),
        ("cancellation-reason-sender", CANCEL_BY_SOURCE, _reasons_to("cancelled", "requester")),
        ("cancellation-reason-owner", CANCEL_BY_TARGET, _reasons_to("cancelled", "owner")),
        ("failure-reason", FAILURE_REASONS, _reasons_to("failed", "owner")),
        ("hold-reason", HOLD_REASONS, _reasons_to("on-hold", "owner")),
        ("error-reason", ERROR_REASONS, _reasons_to("entered-in-error", "requester")),
    ],
)
def test_each_negative_status_has_a_value_set_of_its_reasons(
    value_set: str, reasons: frozenset[str], from_the_table: set[str]
) -> None:
    assert codes_in(value_set) == {(STATUS_REASON, reason) for reason in reasons}
    assert reasons == from_the_table


def test_a_recipient_may_read_one_more_reason_of_a_cancellation() -> None:
    expected = CANCEL_BY_SOURCE | CANCEL_BY_TARGET | {CLOSED_BY_SENDER}
    assert codes_in("cancellation-reason") == {(STATUS_REASON, reason) for reason in expected}


def test_a_referral_has_the_statuses_of_its_table() -> None:
    assert codes_in("referral-task-status") == {("http://hl7.org/fhir/task-status", s) for s in STATUSES}


def test_every_code_system_has_a_value_set_of_all_its_codes() -> None:
    for system in of_type("CodeSystem"):
        whole = resource(f"ValueSet-{system['id']}")
        assert whole["url"] == system["valueSet"]
        assert whole["compose"]["include"] == [{"system": system["url"]}]


def test_every_value_set_names_known_codes_only() -> None:
    for value_set in of_type("ValueSet"):
        for system, code in codes_in(value_set["id"]):
            if system.startswith(CANONICAL):
                assert code in codes_of(system.rsplit("/", 1)[1])


def test_every_code_has_words() -> None:
    assert all(concept["display"] for system in of_type("CodeSystem") for concept in system["concept"])


@pytest.mark.parametrize("url", [AGE_GROUP, AGE_BAND, SHOW_IN_NOTICE, NO_NAME, SAFE_CONTACT, LISTED])
def test_every_extension_of_the_code_is_defined(url: str) -> None:
    found = resource(f"StructureDefinition-{url.rsplit('/', 1)[1]}")
    assert (found["url"], found["type"]) == (url, "Extension")


def test_every_concept_map_maps_every_code_of_its_source() -> None:
    for concept_map in of_type("ConceptMap"):
        for group in concept_map["group"]:
            if group["source"].startswith(CANONICAL):
                told = [element["code"] for element in group["element"]]
                assert sorted(told) == sorted(codes_of(group["source"].rsplit("/", 1)[1]))
            for element in group["element"]:
                for target in element["target"]:
                    # R4 cmd-1: what is narrower or inexact is explained; here what is wider is explained too.
                    assert target["equivalence"] in ("equivalent", "unmatched") or target["comment"]
                    assert ("code" in target) == (target["equivalence"] != "unmatched")


def test_sdohcc_categories_fall_where_the_hub_puts_them() -> None:
    (group,) = resource("ConceptMap-sdohcc-to-information-category")["group"]
    assert group["source"] == SDOHCC_ORDER_DETAIL
    for element in group["element"]:
        coding = {"system": SDOHCC_ORDER_DETAIL, "code": element["code"]}
        need = {"resourceType": "Condition", "category": [{"coding": [coding]}]}
        assert element["target"][0].get("code", VERY_RESTRICTED) == category_of(need)
