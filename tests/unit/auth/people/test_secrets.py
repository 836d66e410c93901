"""Passwords, codes, digits: what is taken and what is not."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.auth.people import totp
from referral_hub.auth.people.codes import ALPHABET, folded, new_code
from referral_hub.auth.people.commonplace import is_commonplace
from referral_hub.auth.people.passwords import LEAST_STAFF, MOST, Passwords, normalised, refuse_weak
from referral_hub.auth.people.refusals import Refused

CHEAP = Passwords(memory_kib=8, passes=1, lanes=1)


@pytest.mark.parametrize(
    "password",
    [
        "Password2026!!",
        "P@ssw0rd1234",
        "qwertyuiop12",
        "1q2w3e4r5t6y",
        "123456789012",
        "aaaaaaaaaaaa",
        "abcabcabcabcd",
        "kochamcie123456",
        "Warszawa2026!",
        "december2026!!",
        "letmein-letmein",
        "Shelter2026-hub",
        "anna.nowak.2026",
    ],
)
def test_what_everybody_thinks_of_first_is_refused(password):
    with pytest.raises(Refused, match=r"password\.commonplace"):
        refuse_weak(password, LEAST_STAFF, ("anna.nowak@clinic.example",))


@pytest.mark.parametrize(
    "password",
    ["lamp tomato quietly seven", "Zażółć gęślą jaźń", "correct horse battery staple", "xK4-pwB9-trq2"],
)
def test_a_sentence_or_a_random_one_is_taken(password):
    refuse_weak(password, LEAST_STAFF, ("anna.nowak@clinic.example",))


@pytest.mark.parametrize(
    ("password", "sentence"), [("x" * 11, "password.short"), ("lamp tomato " * 22, "password.long")]
)
def test_length_is_the_first_rule(password, sentence):
    with pytest.raises(Refused, match=sentence):
        refuse_weak(password, LEAST_STAFF)


@given(st.text(min_size=12, max_size=60))
def test_judging_a_password_never_breaks(password):
    assert is_commonplace(normalised(password), ("a.b@c.example",)) in (True, False)


def test_a_password_fits_its_own_hash_only_and_nobodys_fits_none():
    kept = CHEAP.hashed("lamp tomato quietly seven")
    assert CHEAP.fits(kept, "lamp tomato quietly seven")
    assert not CHEAP.fits(kept, "lamp tomato quietly eight")
    assert not CHEAP.fits("", "")
    assert not CHEAP.fits("not a hash", "x")
    assert "lamp" not in kept


def test_two_keyboards_type_the_same_password():
    assert CHEAP.fits(CHEAP.hashed("café ﬁsh lantern"), "café fish lantern")


def test_a_hash_of_other_parameters_is_made_anew():
    kept = CHEAP.hashed("lamp tomato quietly seven")
    assert not CHEAP.is_outdated(kept)
    assert Passwords(memory_kib=16, passes=1, lanes=1).is_outdated(kept)


def test_the_parameters_are_those_of_the_decision():
    kept = Passwords().hashed("lamp tomato quietly seven")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_the_longest_password_counts_to_its_last_character():
    kept = CHEAP.hashed("a" * (MOST - 1) + "b")
    assert not CHEAP.fits(kept, "a" * (MOST - 1) + "c")


def test_codes_have_no_letters_that_look_alike():
    assert not set("BILOSUVZ0125") & set(ALPHABET)
    assert len(set(ALPHABET)) == len(ALPHABET) == 24
    assert set(new_code(3).replace("-", "")) <= set(ALPHABET)


@given(st.sampled_from([" ", "-", "", ".", " - "]))
def test_how_a_code_is_typed_does_not_matter(between):
    code = new_code(3)
    typed = between.join(code.split("-")).lower()
    assert folded(typed) == folded(code)


def test_a_thousand_codes_are_a_thousand():
    assert len({new_code(3) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("seconds", "digits"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_digits_are_those_of_rfc_6238(seconds, digits):
    secret = b"12345678901234567890"
    at_us = seconds * 1_000_000
    assert totp.matching_step(secret, digits, at_us, 0) == seconds // 30
    assert totp.matching_step(secret, f" {digits[:3]} {digits[3:]} ", at_us, 0) == seconds // 30


@pytest.mark.parametrize(("drift_s", "fits"), [(-60, False), (-30, True), (0, True), (30, True), (61, False)])
def test_a_clock_may_be_one_step_wrong(drift_s, fits):
    secret, now = b"12345678901234567890", 1234567890
    found = totp.matching_step(secret, "005924", (now + drift_s) * 1_000_000, 0)
    assert (found is not None) is fits


def test_digits_once_used_are_refused_and_so_are_earlier_ones():
    secret, at_us = b"12345678901234567890", 1234567890 * 1_000_000
    step = totp.matching_step(secret, "005924", at_us, 0)
    assert step is not None
    assert totp.matching_step(secret, "005924", at_us, step) is None
    assert totp.matching_step(secret, "005924", at_us, step + 1) is None


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345a"])
def test_what_are_no_six_digits_is_refused(typed):
    assert totp.matching_step(b"12345678901234567890", typed, 0, 0) is None


def test_the_address_for_the_app_tells_no_login_and_holds_the_secret():
    secret = totp.new_secret()
    address = totp.app_address(secret, "account")
    assert base64.b32encode(secret).decode().rstrip("=") in address
    assert "@" not in address
    assert set(totp.shown(secret)) <= set(string.ascii_uppercase + "234567 ")
