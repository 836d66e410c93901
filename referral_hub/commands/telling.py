"""How a command tells what it did: sentences for people, one JSON object for programs, a bar while it works.

What lives here: the option ``--json``, the answer in both forms, progress. What does not: the sentences.

Source: ``interfaces.md`` 2.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from referral_hub.settings import Settings

as_json = click.option(
    "--json", "json_wanted", is_flag=True, help="Print one JSON object on the last line and nothing else."
)
"""The option of every command whose result a program may read."""


def tell(lines: Sequence[str], fields: Mapping[str, object], *, json_wanted: bool) -> None:
    """Tells the result of a command.

    Args:
        lines: for people.
        fields: for programs; names are stable (``interfaces.md`` 2).
        json_wanted: which of the two.
    """
    if json_wanted:
        click.echo(json.dumps(fields, ensure_ascii=False))
        return
    for line in lines:
        click.echo(line)


@contextmanager
def progress(label: str, steps: Sequence[str]) -> Iterator[Callable[[str], None]]:
    """Shows a bar on a terminal while steps are done, and nothing where nobody looks.

    Args:
        label: what is being done.
        steps: their names; the function given is called with each before it is done.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(
        length=len(steps), label=label, file=sys.stderr, item_show_func=lambda step: step or ""
    ) as bar:
        begun: list[str] = []

        def step(name: str) -> None:
            bar.update(1 if begun else 0, name)
            begun.append(name)

        yield step
        bar.update(1, "")


def settings_here() -> "Settings":
    """Gives the settings of this environment.

    Raises:
        ConfigurationError: a variable cannot be used.
    """
    from referral_hub.settings import Settings

    return Settings.from_environment(os.environ)
