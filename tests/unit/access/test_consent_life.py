"""How long a permission really runs, and the law that what is called narrower permits nothing more."""

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from referral_hub.access import consent_life
from referral_hub.access.consent_life import CHECK_IN, ENDED_EARLY, confirmed, narrower_or_equal
from referral_hub.access.decision import decide
from referral_hub.access.provisions import CompiledConsent, compile_consent
from tests.unit.access.builders import permit, refusal, release, request, us
from tests.unit.access.worlds import MOMENTS, as_stored, draw_import, draw_release, draw_request, narrowed

LONG = settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SIGNED = "2026-11-01T10:00:00Z"
DAY_US = 86_400_000_000


def long_release(days: int = 180, **more: Any) -> dict[str, Any]:
    end = f"{2027 if days > 60 else 2026}-{'04-30' if days == 180 else '01-30'}T10:00:00Z"
    return release(permit(start=SIGNED, end=end), dateTime=SIGNED, **more)


def check_in(text: str) -> dict[str, Any]:
    return {"url": CHECK_IN, "valueDateTime": text}


def ended(text: str) -> dict[str, Any]:
    return {"url": ENDED_EARLY, "extension": [{"url": "at", "valueDateTime": text}]}


def read(body: dict[str, Any]) -> CompiledConsent:
    return compile_consent("c", "1", body, authored=False)


def open_at(body: dict[str, Any], text: str) -> bool:
    return decide([read(body)], request(), us(text)).outcome == "permit"


@pytest.mark.parametrize(
    ("asked", "at", "is_open"),
    [
        ([], "2027-01-29T10:00:00Z", True),
        ([], "2027-01-30T10:00:00Z", False),
        ([], "2027-03-01T10:00:00Z", False),
        (["2027-01-20T10:00:00Z"], "2027-03-01T10:00:00Z", True),
        (["2027-01-20T10:00:00Z"], "2027-04-19T10:00:00Z", True),
        (["2027-01-20T10:00:00Z"], "2027-04-20T10:00:00Z", False),
        (["2027-02-20T10:00:00Z"], "2027-04-29T10:00:00Z", True),
        (["2027-02-20T10:00:00Z"], "2027-04-30T10:00:00Z", False),
        (["soon"], "2027-02-20T10:00:00Z", False),
    ],
)
def test_a_long_permission_waits_for_her_every_ninety_days(asked: list[str], at: str, is_open: bool):
    assert open_at(long_release(extension=[check_in(text) for text in asked]), at) is is_open


def test_a_permission_of_ninety_days_needs_no_check_in():
    assert open_at(long_release(90), "2027-01-30T09:59:00Z")


def test_an_early_end_closes_and_one_that_cannot_be_read_closes_all():
    body = long_release(90, extension=[ended("2026-12-01T00:00:00Z")])
    assert open_at(body, "2026-11-30T23:59:59Z")
    assert not open_at(body, "2026-12-01T00:00:00Z")
    assert not open_at(long_release(90, extension=[{"url": ENDED_EARLY}]), "2026-11-02T00:00:00Z")


def test_a_check_in_opens_nothing_that_ended_early():
    both = [ended("2026-12-01T00:00:00Z"), check_in("2027-01-20T10:00:00Z")]
    assert not open_at(long_release(extension=both), "2027-01-21T10:00:00Z")


def test_an_early_end_of_a_refusal_is_not_believed():
    body = {**refusal(), "extension": [ended("2020-01-01T00:00:00Z")]}
    assert decide([read(body)], request(), us("2026-11-24T10:00:00Z")).outcome == "deny"


def test_rows_say_the_same_as_the_decision_about_a_long_permission():
    from referral_hub.access.grants import compile_rows, opened

    for text in ("2027-01-29T10:00:00Z", "2027-01-31T10:00:00Z"):
        compiled = read(long_release())
        rows = compile_rows(compiled, consent_row=1, person=7)
        at_us = us(text)
        assert opened(*rows, request(), at_us).outcome == decide([compiled], request(), at_us).outcome


@pytest.mark.parametrize(
    ("old", "new", "narrower"),
    [
        (permit(), permit(), True),
        (permit(what=("health", "housing")), permit(what=("housing",)), True),
        (permit(what=("health",)), permit(what=("health", "housing")), False),
        (permit(), permit(end="2026-11-20T00:00:00Z"), True),
        (permit(), permit(end="2026-12-02T00:00:00Z"), False),
        (permit(), permit(start="2026-10-01T00:00:00Z"), False),
        (permit(), permit(labels=("V",)), False),
        (permit(labels=("V",)), permit(), True),
        (permit(), permit(what=(), data=("Observation/1",)), False),
        (
            permit(what=(), data=("Observation/1", "Observation/2")),
            permit(what=(), data=("Observation/2",)),
            True,
        ),
        (permit(), permit(why=("shelter-placement",)), False),
        (permit(), permit(who=("legal-aid",)), False),
        (permit(), permit(dataPeriod={"start": "2026-05"}), True),
        (permit(dataPeriod={"start": "2026-05"}), permit(), False),
        (permit(dataPeriod={"start": "2026-05"}), permit(dataPeriod={"start": "2026-06"}), True),
    ],
)
def test_narrower_or_equal(old: dict[str, Any], new: dict[str, Any], narrower: bool):
    assert narrower_or_equal(read(release(old)), read(release(new))) is narrower


def test_several_permits_may_say_what_one_said_before():
    one = read(release(permit(what=("health", "housing"))))
    two = read(release(permit(), permit(what=("housing",))))
    assert narrower_or_equal(one, two)
    assert narrower_or_equal(two, one)


def test_a_renewal_may_run_later_and_say_no_more():
    old = read(release(permit(what=("health", "housing"))))
    later = read(release(permit(end="2026-12-31T00:00:00Z")))
    assert not narrower_or_equal(old, later)
    assert narrower_or_equal(old, later, times=False)
    wider = read(release(permit(what=("health", "family"), end="2026-12-31T00:00:00Z")))
    assert not narrower_or_equal(old, wider, times=False)


def _held(old: CompiledConsent, new: CompiledConsent, chance: Random) -> str:
    """Asks both the same things; gives what was seen of the law."""
    old, new = replace(old, active=True), replace(new, active=True)
    if not narrower_or_equal(old, new):
        return "wider"
    for _ in range(12):
        asked, at_us = draw_request(chance), chance.choice(MOMENTS)
        before, after = decide([old], asked, at_us), decide([new], asked, at_us)
        assert after.outcome != "permit" or before.outcome == "permit"
        assert not (after.very_restricted and not before.very_restricted)
    return "narrower"


def draw_pair(chance: Random) -> tuple[CompiledConsent, CompiledConsent]:
    draw = chance.choice((draw_release, draw_release, draw_import))
    old = draw(chance, "old")
    if chance.random() < 0.6:
        return old.consent, as_stored(narrowed(chance, old), "new").consent
    return old.consent, draw(chance, "new").consent


@LONG
@given(st.randoms(use_true_random=True))
def test_what_is_called_narrower_permits_nothing_more(chance: Random):
    _held(*draw_pair(chance), chance)


def test_the_pairs_are_worth_looking_at():
    seen = Counter(_held(*draw_pair(Random(seed)), Random(seed)) for seed in range(800))
    assert min(seen["narrower"], seen["wider"]) > 100, seen


def _draw_many(worlds: int) -> None:
    for seed in range(worlds):
        chance = Random(seed)
        _held(draw_release(chance, "old").consent, draw_release(chance, "new").consent, chance)


@pytest.mark.parametrize("part", ["ceiling", "categories", "organizations"])
def test_the_law_would_notice_a_forgotten_part(monkeypatch: pytest.MonkeyPatch, part: str):
    whole = consent_life._covers

    def forgetful(old: Any, new: Any, *, times: bool) -> bool:
        return whole(old, replace(new, **{part: getattr(old, part)}), times=times)

    monkeypatch.setattr(consent_life, "_covers", forgetful)
    with pytest.raises(AssertionError):
        _draw_many(4000)


def test_as_if_confirmed_is_how_two_versions_are_compared():
    body = long_release()
    at_us = us("2027-02-01T00:00:00Z")
    assert not open_at(body, "2027-02-02T00:00:00Z")
    assert open_at(confirmed(body, at_us), "2027-02-02T00:00:00Z")
