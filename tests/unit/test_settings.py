"""Settings: what they default to, what they refuse, and that a refusal names the variable and no secret."""

import dataclasses
import os
import subprocess
import sys
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.errors import ConfigurationError
from referral_hub.setting_values import AUDIT_DAYS, is_loopback
from referral_hub.settings import Settings, declared_settings


def settings(**variables: str) -> Settings:
    return Settings.from_environment({f"REFERRAL_HUB_{name}": value for name, value in variables.items()})


def test_the_defaults_are_those_of_the_interface():
    here = settings(DATA_DIR="/srv/hub")
    assert here == Settings(
        data_dir=Path("/srv/hub"),
        database_url="sqlite:////srv/hub/hub.db",
        base_url="http://127.0.0.1:8080",
        secret_key_file=Path("/srv/hub/secret.key"),
        secret_key="",
        secret_key_command="",
        log_level="INFO",
        locale="en",
        consent_default_days=30,
        consent_max_days=90,
        consent_legal_note="",
        consent_evidence="basic",
        spoken_release="off",
        consent_policy_file=None,
        small_cell=11,
        access_token_lifetime=timedelta(minutes=5),
        refresh_token_days=30,
        workers=None,
        worker_threads=16,
        max_body_bytes=4 * 1024 * 1024,
        max_binary_bytes=32 * 1024 * 1024,
        max_bundle_entries=500,
        max_page_entries=500,
        page_entries=50,
        max_json_depth=64,
        absence_beat_ms=10,
        audit_days=AUDIT_DAYS,
        inner_origins=frozenset(),
        browser_origins=frozenset(),
        proxies=0,
        time_zone=UTC,
        second_factor_needed=True,
        session_minutes={},
        smtp_url="",
        mail_from="hub@localhost",
    )


def test_the_default_data_directory_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment({}).data_dir == tmp_path / "hub-data"


def test_paths_follow_from_the_data_directory():
    here = settings(DATA_DIR="/srv/hub")
    assert here.sqlite_file == Path("/srv/hub/hub.db")
    assert here.writer_lock_file == Path("/srv/hub/hub.db.writer")
    assert here.writer_socket == Path("/srv/hub/writer.sock")
    assert here.keys_dir == Path("/srv/hub/keys")
    assert here.audit_spool_dir == Path("/srv/hub/audit")
    assert here.fhir_base == "http://127.0.0.1:8080/fhir"


def test_postgresql_has_no_file_and_no_writer_lock():
    here = settings(DATABASE_URL="postgresql://hub@/hub?host=/run/postgresql")
    assert here.database_url == "postgresql://hub@/hub?host=/run/postgresql"
    assert here.sqlite_file is None
    assert here.writer_lock_file is None


def test_a_relative_database_file_becomes_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert settings(DATABASE_URL="sqlite:///mine.db").sqlite_file == tmp_path / "mine.db"


@pytest.mark.parametrize(
    ("variable", "given_value", "field", "read"),
    [
        ("BASE_URL", "https://Hub.Example/", "base_url", "https://hub.example"),
        ("BASE_URL", "https://hub.example:8443", "base_url", "https://hub.example:8443"),
        ("BASE_URL", "http://[::1]:8080", "base_url", "http://[::1]:8080"),
        ("SECRET_KEY_FILE", "/run/keys/hub", "secret_key_file", Path("/run/keys/hub")),
        ("LOG_LEVEL", "warning", "log_level", "WARNING"),
        ("LOCALE", "pl", "locale", "pl"),
        ("SMALL_CELL", "20", "small_cell", 20),
        (
            "INNER_ORIGINS",
            "http://127.0.0.1:8090 https://EHR.Internal",
            "inner_origins",
            frozenset({"http://127.0.0.1:8090", "https://ehr.internal:443"}),
        ),
        ("INNER_ORIGINS", "http://[::1]:80", "inner_origins", frozenset({"http://[::1]:80"})),
        ("ACCESS_TOKEN_SECONDS", "60", "access_token_lifetime", timedelta(minutes=1)),
        ("WORKERS", "3", "workers", 3),
        ("WORKERS", "", "workers", None),
        ("MAX_JSON_DEPTH", "32", "max_json_depth", 32),
    ],
)
def test_a_value_is_read(variable, given_value, field, read):
    assert getattr(settings(**{variable: given_value}), field) == read


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BASE_URL", "hub.example"),
        ("BASE_URL", "https://[hub.example"),
        ("BASE_URL", "ftp://hub.example"),
        ("BASE_URL", "https://"),
        ("BASE_URL", "https://hub.example/sub"),
        ("BASE_URL", "https://hub.example/?a=b"),
        ("BASE_URL", "https://hub.example/#x"),
        ("BASE_URL", "https://someone@hub.example"),
        ("BASE_URL", "https://hub.example:port"),
        ("BASE_URL", "https://hub.example:99999"),
        ("DATA_DIR", "/srv/hub?"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///hub.db?mode=memory"),
        ("DATABASE_URL", "postgres://hub@localhost/hub"),
        ("DATABASE_URL", "mysql://hub@localhost/hub"),
        ("LOG_LEVEL", "LOUD"),
        ("LOCALE", "English"),
        ("SMALL_CELL", "4"),
        ("SMALL_CELL", "1001"),
        ("CONSENT_DEFAULT_DAYS", "0"),
        ("CONSENT_DEFAULT_DAYS", "-1"),
        ("CONSENT_MAX_DAYS", "90 days"),
        ("CONSENT_MAX_DAYS", "366"),
        ("ACCESS_TOKEN_SECONDS", "864000"),
        ("WORKERS", "0"),
        ("WORKERS", "many"),
        ("WORKER_THREADS", "1_6"),
        ("MAX_BODY_BYTES", "4MiB"),
        ("MAX_BODY_BYTES", "٤١٩٤٣٠٤"),
        ("MAX_JSON_DEPTH", "100000"),
        ("INNER_ORIGINS", "ehr.internal:8443"),
        ("INNER_ORIGINS", "http://10.0.0.7:8080"),
        ("INNER_ORIGINS", "https://ehr.internal/fhir"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(variable, value):
    with pytest.raises(ConfigurationError) as refusal:
        settings(**{variable: value})
    assert f"REFERRAL_HUB_{variable} must be" in refusal.value.text


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"CONSENT_MAX_DAYS": "91"}, "REFERRAL_HUB_CONSENT_LEGAL_NOTE"),
        ({"CONSENT_MAX_DAYS": "91", "CONSENT_LEGAL_NOTE": "  "}, "REFERRAL_HUB_CONSENT_LEGAL_NOTE"),
        ({"CONSENT_MAX_DAYS": "20"}, "REFERRAL_HUB_CONSENT_DEFAULT_DAYS"),
        ({"MAX_PAGE_ENTRIES": "49"}, "REFERRAL_HUB_PAGE_ENTRIES"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(variables, named):
    with pytest.raises(ConfigurationError, match=named):
        settings(**variables)


def test_long_permissions_need_the_written_note():
    here = settings(CONSENT_MAX_DAYS="180", CONSENT_LEGAL_NOTE="Counsel's note of the network.")
    assert here.consent_max_days == 180


def test_a_copy_with_another_value_is_checked_too():
    with pytest.raises(ConfigurationError):
        dataclasses.replace(settings(), consent_max_days=91)


def test_a_mistyped_variable_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigurationError, match="REFERRAL_HUB_CONSENT_MAX_DAYS is"):
        settings(CONSENT_MAX_DAY="10")


def test_other_programs_variables_are_left_alone():
    assert Settings.from_environment({"PATH": "/bin", "REFERRAL": "x"}) == Settings.from_environment({})


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings().small_cell = 1  # type: ignore[misc]


def test_a_password_in_the_database_address_is_shown_nowhere():
    here = settings(DATABASE_URL="postgresql://hub:swordfish@db.example/hub")
    assert "swordfish" not in repr(here)
    with pytest.raises(ConfigurationError) as refusal:
        settings(DATABASE_URL="postgres://hub:swordfish@db.example/hub")
    assert "swordfish" not in refusal.value.text


def test_a_socket_path_the_system_cannot_hold_is_refused_by_name():
    with pytest.raises(ConfigurationError, match="REFERRAL_HUB_DATA_DIR"):
        settings(DATA_DIR="/srv/" + "a" * 100).writer_socket  # noqa: B018 - reading it is the test


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("2130706433", False),
    ],
)
def test_loopback_is_an_address_of_this_machine_only(host, loopback):
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("base_url", "host", "refused"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1", False),
        ("http://127.0.0.1:8080", "0.0.0.0", True),
        ("http://hub.example", "0.0.0.0", True),
        ("http://hub.example", "::1", False),
        ("https://hub.example", "0.0.0.0", False),
    ],
)
def test_without_https_only_this_machine_is_served(base_url, host, refused):
    here = settings(BASE_URL=base_url)
    if refused:
        with pytest.raises(ConfigurationError, match="https"):
            here.refuse_open_door(host)
    else:
        here.refuse_open_door(host)


def test_every_setting_has_a_unit_and_a_meaning():
    for name, setting in declared_settings():
        assert setting.unit, name
        assert setting.meaning, name


def _read(env: dict[str, str]) -> Settings | ConfigurationError:
    try:
        return Settings.from_environment(env)
    except ConfigurationError as refusal:
        return refusal


@given(
    st.dictionaries(st.sampled_from([row.variable for _, row in declared_settings()]), st.text(max_size=20))
)
def test_any_text_gives_settings_or_a_refusal_that_names_a_variable(env):
    answer = _read(env)
    if isinstance(answer, ConfigurationError):
        assert any(variable in answer.text for variable in env)
    else:
        assert answer.consent_default_days <= answer.consent_max_days
        assert answer.base_url.startswith(("http://", "https://"))


def test_the_usual_time_zone_needs_no_list_of_zones_on_the_machine():
    asked = "from referral_hub.settings import Settings; print(Settings.from_environment({}).time_zone)"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "UTC\n"


def test_a_time_zone_nobody_knows_is_refused():
    with pytest.raises(ConfigurationError, match="REFERRAL_HUB_TIME_ZONE"):
        Settings.from_environment({"REFERRAL_HUB_TIME_ZONE": "Mars/Olympus"})
