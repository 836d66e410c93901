"""The command line as a person meets it: documented, calm, and quick to say what was typed wrong."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from referral_hub import __version__, cli
from referral_hub.cli import COMMANDS, commands, run
from referral_hub.commands.telling import progress, tell
from referral_hub.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def leaves(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from leaves(found, f"{path} {name}")
        else:
            yield f"{path} {name}", found


LEAVES = dict(leaves(commands, "referral-hub"))


def section(path: str) -> str:
    found = re.search(rf"^## `{re.escape(path)}`$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"{path} has no heading in docs/commands.md"
    return found.group(1)


# ---- documented ----


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_is_documented_with_its_options(path: str) -> None:
    text = section(path)
    documented = set(re.findall(r"^\| `(--[a-z-]+)", text, re.MULTILINE))
    declared = {
        name
        for option in LEAVES[path].params
        for name in option.opts
        if isinstance(option, click.Option) and name.startswith("--")
    }
    assert documented == declared


def test_no_command_is_documented_that_does_not_exist() -> None:
    assert set(re.findall(r"^## `([^`]+)`$", PAGE, re.MULTILINE)) == set(LEAVES)


@pytest.mark.parametrize("path", LEAVES)
def test_every_option_says_what_it_is_for(path: str) -> None:
    silent = [one.name for one in LEAVES[path].params if isinstance(one, click.Option) and not one.help]
    assert silent == []
    assert LEAVES[path].help


# ---- wrong usage ----


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("no-such-command",), "No such command"),
        (("serve", "--port", "0"), "--port"),
        (("serve", "--port", "70000"), "--port"),
        (("serve", "--tls-cert", __file__), "--tls-cert and --tls-key together"),
        (("serve", "--workers", "0"), "--workers"),
        (("organization", "add", "--type", "clinic"), "--name"),
        (("organization", "add", "--name", "A", "--type", "hospital"), "none of clinic"),
        (("organization", "add", "--name", "A", "--type", "governmental"), "none of clinic"),
        (("organization", "add", "--name", "A", "--type", "clinic", "--poll-seconds", "1"), "--poll-seconds"),
        (("oauth-client", "add", "--organization", "a", "--name", "b", "--scope", "c"), "exactly one KEY"),
        (
            (
                "oauth-client",
                "add",
                "--organization",
                "a",
                "--name",
                "b",
                "--scope",
                "c",
                "--secret",
                "--public",
            ),
            "exactly one KEY",
        ),
        (("init", "--quick"), "--quick"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"referral-hub {__version__}\n"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    told = capsys.readouterr().out
    assert [name for name in COMMANDS if not re.search(rf"^  {name} ", told, re.MULTILINE)] == []


# ---- failures ----


@pytest.mark.parametrize(
    "keys", [(), ("--public", "--secret"), ("--public", "--jwks-url", "https://a.example")]
)
def test_software_proves_itself_in_exactly_one_way(
    keys: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(("oauth-client", "add", "--organization", "a", "--name", "b", "--scope", "c", *keys)) == 2
    assert "exactly one KEY" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["doctor"], ["init"], ["serve"], ["verify-audit"], ["migrate"], ["deliver"]]
)
def test_a_setting_that_cannot_be_used_is_one_sentence(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFERRAL_HUB_SMALL_CELL", "many")
    assert run(words) == 1
    told = capsys.readouterr()
    assert "REFERRAL_HUB_SMALL_CELL must be a whole number" in told.out + told.err
    assert "Traceback" not in told.out + told.err


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (ConfigurationError("It cannot be."), "It cannot be.\n"),
        (click.Abort(), "Stopped.\n"),
        (PermissionError(13, "Permission denied", "/x"), "needs: Permission denied.\n"),
        (ZeroDivisionError("secret"), "inside the program (ZeroDivisionError)"),
    ],
)
def test_whatever_goes_wrong_is_a_sentence_and_exit_code_1(
    problem: BaseException, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def breaks() -> None:
        raise problem

    monkeypatch.setattr(cli, "commands", breaks)
    assert run([]) == 1
    told = capsys.readouterr()
    assert said in told.err
    assert told.err.count("\n") == 1
    assert "secret" not in told.err


def test_the_exit_code_of_a_command_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @click.pass_context
    def unwell(context: click.Context) -> None:
        context.exit(1)

    monkeypatch.setattr(cli, "commands", unwell)
    assert run([]) == 1
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 1


# ---- telling ----


def test_json_is_one_object_on_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell(["for people"], {"id": "a", "ok": True}, json_wanted=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[-1]) == {"id": "a", "ok": True}


def test_nothing_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("working", ("one", "two")) as step:
        step("one")
        step("two")
    told = capsys.readouterr()
    assert told.out + told.err == ""


# ---- quick ----


def test_help_and_wrong_usage_load_no_database_and_no_server() -> None:
    """What a person types wrong is answered at once."""
    script = (
        "import sys\n"
        "from referral_hub.cli import run\n"
        "assert run(['--help']) == 0\n"
        "assert run(['serve', '--port', 'x']) == 2\n"
        "heavy = {'flask', 'sqlalchemy', 'granian', 'authlib', 'alembic', 'referral_hub.app'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
