"""The policy file of a network: what it may say, and that nothing in it is guessed."""

from pathlib import Path

import pytest

from referral_hub.errors import ConfigurationError
from referral_hub.exchange.consent_policy import ConsentPolicy, policy_tables
from referral_hub.exchange.minors import birthday_us, is_child
from referral_hub.fhir.dates import span
from referral_hub.network_policy import consent_limits
from referral_hub.settings import Settings

DIGEST = "0" * 64
WHOLE = f"""
[forms."https://n.example/v1"]
state = "retired"
[forms."https://n.example/v2"]
state = "current"
texts = {{ vi = "{DIGEST}" }}
[minors.default]
alone = {{ TREAT = 17 }}
[minors.PL]
alone = {{ TREAT = 16 }}
"""


def test_a_policy_file_says_forms_and_ages():
    forms, ages = policy_tables(WHOLE)
    assert {uri: form.current for uri, form in forms.items()} == {
        "https://n.example/v1": False,
        "https://n.example/v2": True,
    }
    assert forms["https://n.example/v2"].texts["vi"] == DIGEST
    policy = ConsentPolicy(forms=forms, ages=ages)
    assert [policy.ages_in(place).alone.get("TREAT") for place in ("PL", "DE", "")] == [16, 17, 17]


def test_what_no_file_says_lets_nobody_agree_alone():
    assert dict(ConsentPolicy().ages_in("PL").alone) == {}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[forms", "TOML"),
        ("[form]", "form is not known"),
        ('[forms."u"]\nstate = "old"', "current or retired"),
        ('[forms."u"]\nstate = "current"\ntext = 1', "text is not known"),
        ('[forms."u"]\nstate = "current"\ntexts = {en = "abc"}', "64 hexadecimal"),
        ("[minors.Poland]\nalone = {}", "two capital letters"),
        ("[minors.PL]\nadult = 16", "adult is not known"),
        ('[minors.PL]\nalone = {TREAT = "16"}', "whole number"),
        ("[minors.PL]\nalone = {TREAT = 18}", "below 18"),
        ("[minors.PL]\nalone = {TREAT = true}", "whole number"),
        ("minors = 3", "is a table"),
    ],
)
def test_whatever_else_stops_the_start(text: str, word: str):
    with pytest.raises(ConfigurationError, match=word):
        policy_tables(text)


def test_the_settings_lead_to_the_file(tmp_path: Path):
    file = tmp_path / "policy.toml"
    file.write_text(WHOLE, encoding="utf-8")
    variables = {
        "REFERRAL_HUB_DATA_DIR": str(tmp_path),
        "REFERRAL_HUB_CONSENT_POLICY_FILE": str(file),
        "REFERRAL_HUB_SPOKEN_RELEASE": "bridge",
        "REFERRAL_HUB_CONSENT_EVIDENCE": "full",
    }
    limits = consent_limits(Settings.from_environment(variables))
    assert (limits.policy.spoken, limits.policy.evidence, len(limits.policy.forms)) == ("bridge", "full", 2)
    file.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        consent_limits(Settings.from_environment(variables))


@pytest.mark.parametrize("name", ["SPOKEN_RELEASE", "CONSENT_EVIDENCE"])
def test_a_word_that_is_not_known_stops_the_start(name: str):
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_environment({f"REFERRAL_HUB_{name}": "maybe"})


@pytest.mark.parametrize(
    ("born", "day"),
    [
        ("2008-11-24", "2026-11-24"),
        ("2008-02-29", "2026-03-01"),
        ("2008-02", "2026-03-01"),
        ("2009-02", "2027-02-28"),
        ("2008", "2026-12-31"),
    ],
)
def test_the_day_she_comes_of_age_is_the_latest_it_can_be(born: str, day: str):
    assert birthday_us({"birthDate": born}, 18) == span(day)[0]
    assert is_child({"birthDate": born}, span(day)[0] - 1)
    assert not is_child({"birthDate": born}, span(day)[0])


@pytest.mark.parametrize("born", ["", "soon", "2008-13-01", 2008, None, []])
def test_a_birth_date_that_cannot_be_read_says_nothing(born: object):
    assert birthday_us({"birthDate": born}, 18) is None
    assert is_child({"birthDate": born}, 0)
