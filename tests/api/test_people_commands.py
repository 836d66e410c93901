"""The commands about accounts, as an operator types them."""

import json
from pathlib import Path
from typing import Any

import pytest

from referral_hub.cli import run


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> dict[str, Any]:
    """A hub that was just made, and what `init` said."""
    monkeypatch.setenv("REFERRAL_HUB_DATA_DIR", str(tmp_path / "h"))
    monkeypatch.setenv("REFERRAL_HUB_DATABASE_URL", database_url)
    return {}


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert run([*words, "--json"]) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    return found


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(list(words)) != 0
    return capsys.readouterr().err


def test_accounts_from_the_first_to_the_last_day(
    hub: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    made = told(capsys, "init", "--email", "first@network.example")
    assert made["login"] == "first@network.example"
    assert len(made["one_time_password"]) == 19
    again = told(capsys, "init")
    assert (again["id"], again["one_time_password"]) == (made["id"], "")
    (first,) = told(capsys, "person", "list", "--organization", made["id"])["accounts"]
    assert (first["role"], first["standing"], first["login"]) == (
        "coordinator",
        "active",
        "first@network.example",
    )

    shelter = told(capsys, "organization", "add", "--name", "A shelter", "--type", "shelter")["id"]
    words = ("person", "add", "--organization", shelter, "--role")
    given = told(capsys, *words, "caseworker", "--email", "worker@shelter.example")
    assert given.keys() == {"id", "login", "one_time_password"}
    assert "has an account" in refused(capsys, *words, "lawyer", "--email", "Worker@Shelter.example")
    assert "A role is one of" in refused(capsys, *words, "janitor", "--email", "x@shelter.example")
    assert "e-mail address" in refused(capsys, *words, "lawyer", "--email", "x")
    assert _standing(capsys, shelter, given["id"]) == "not-authorised"
    assert "nobody does it for herself" in refused(
        capsys, "person", "authorise", given["id"], "--by", given["id"]
    )
    told(capsys, "person", "authorise", given["id"], "--by", first["id"])
    assert _standing(capsys, shelter, given["id"]) == "not-trained"
    told(capsys, "person", "train", given["id"], "--until", "2020-01-31")
    assert _standing(capsys, shelter, given["id"]) == "training-ended"
    told(capsys, "person", "unlock", given["id"], "--by", first["id"], "--hours", "2")
    assert _standing(capsys, shelter, given["id"]) == "unlocked"
    told(capsys, "person", "train", given["id"], "--until", "2099-12-31")
    assert _standing(capsys, shelter, given["id"]) == "active"
    told(capsys, "person", "on-call", given["id"], "--hours", "8")
    reset = told(capsys, "person", "reset", given["id"], "--factors")
    assert reset["one_time_password"] != given["one_time_password"]
    told(capsys, "person", "role", given["id"], "supervisor")
    assert _standing(capsys, shelter, given["id"]) == "not-authorised"
    told(capsys, "person", "authorise", given["id"], "--by", first["id"])
    told(capsys, "person", "authorise", given["id"], "--withdraw")
    assert _standing(capsys, shelter, given["id"]) == "not-authorised"
    told(capsys, "person", "remove", given["id"])
    assert "no account of staff" in refused(capsys, "person", "remove", given["id"])
    ready = told(
        capsys, *words, "supervisor", "--email", "worker@shelter.example",
        "--trained-until", "2099-12-31", "--authorised-by", first["id"],
    )  # fmt: skip
    assert _standing(capsys, shelter, ready["id"]) == "active"


def _standing(capsys: pytest.CaptureFixture[str], organization: str, account: str) -> str:
    rows = told(capsys, "person", "list", "--organization", organization)["accounts"]
    return str(next(row["standing"] for row in rows if row["id"] == account))


@pytest.mark.parametrize(
    "words",
    [
        ("person", "train", "x", "--until", "tomorrow"),
        ("person", "unlock", "x", "--by", "y", "--hours", "100"),
        ("person", "authorise", "x"),
        ("person", "authorise", "x", "--by", "y", "--withdraw"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(list(words)) == 2
    assert capsys.readouterr().err


def test_a_provider_that_does_not_answer_is_not_registered(
    hub: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    made = told(capsys, "init")
    said = refused(
        capsys, "identity-provider", "add", "--organization", made["id"], "--issuer", "https://127.0.0.1",
        "--client-id", "c", "--name", "N",
    )  # fmt: skip
    assert "does not answer as the issuer" in said
