"""The command line: ``referral-hub …``.

What lives here: the list of commands, and what becomes of an error. What does not: the commands
(``referral_hub.commands``), and what they do.

Exit codes: 0 done, 1 failed with a reason, 2 wrong usage. A reason is one sentence on standard error.

Source: ``interfaces.md`` 2.
"""

import importlib
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import click

from referral_hub import __version__
from referral_hub.errors import HubError

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "running:demo",
        "init": "hub:init",
        "migrate": "hub:migrate",
        "reindex": "hub:reindex",
        "serve": "running:serve",
        "deliver": "running:deliver",
        "organization": "partners:organization",
        "oauth-client": "partners:oauth_client",
        "keys": "keys:keys",
        "own-file": "own_file:own_file",
        "erase": "keys:erase",
        "backup": "preserving:backup",
        "restore": "preserving:restore",
        "person": "people:person",
        "identity-provider": "people:identity_provider",
        "verify-audit": "checking:verify_audit",
        "audit-retention": "checking:audit_retention",
        "doctor": "checking:doctor",
    }
)
"""Every command, and where it is: module and name in ``referral_hub.commands``."""


class Commands(click.Group):
    """The group of all commands; each is imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Gives the names, in the order of the documentation."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Gives a command, or None where there is none of this name."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        found: click.Command = getattr(importlib.import_module(f"referral_hub.commands.{module}"), name)
        return found


@click.group("referral-hub", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="referral-hub", message="%(prog)s %(version)s")
def commands() -> None:
    """Referrals between organisations that must not learn more than a person allows.

    Settings are read from the environment: docs/settings.md. The commands: docs/commands.md.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command and ends the process with its exit code.

    Args:
        arguments: what was typed after the name of the program; of this process by default.
    """
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and gives its exit code."""
    # What libraries log is for `serve`; a command says what is wrong in its own one sentence.
    if not logging.getLogger().handlers:
        logging.getLogger().addHandler(logging.NullHandler())
    try:
        found = commands.main(arguments, prog_name="referral-hub", standalone_mode=False)
        return found if isinstance(found, int) else 0
    except click.UsageError as wrong:
        wrong.show()
        return 2
    except click.ClickException as wrong:
        wrong.show()
        return 1
    except click.Abort:
        return _failed("Stopped.")
    except HubError as problem:
        return _failed(problem.text)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on: not our concern
        return 1
    except OSError as problem:
        return _failed(f"The system refused something the command needs: {problem.strerror or problem}.")
    except Exception as problem:  # whatever it is, a person at a terminal gets a sentence
        if os.environ.get("REFERRAL_HUB_LOG_LEVEL", "").upper() == "DEBUG":
            logging.basicConfig(force=True)
            logging.getLogger(__name__).exception("the command broke off")
        return _failed(
            f"Something went wrong inside the program ({type(problem).__name__}) and the command broke off. "
            "REFERRAL_HUB_LOG_LEVEL=DEBUG shows where."
        )


def _failed(text: str) -> int:
    click.echo(text, err=True)
    return 1
