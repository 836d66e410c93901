"""``backup`` and ``restore``: the whole hub into a file, and back into an empty one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from referral_hub.commands.telling import as_json, settings_here, tell


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@as_json
def backup(file: Path, *, json_wanted: bool) -> None:
    """Write the whole hub into FILE and its keys into FILE.keys, while it runs.

    Both are sealed under the master key. Keep the keys apart from the records, and only the newest file of them: what
    was erased stays erased then. Tokens, sessions and links are not in it.
    """
    from referral_hub.founding import opened_hub
    from referral_hub.preserving import backup_hub, keys_file_of, rows_to_keep

    settings = settings_here()
    with opened_hub(settings) as parts, _bar("writing the backup", lambda: rows_to_keep(settings)) as told:
        done = backup_hub(parts, file, told)
    lines = [
        f"{done.rows} rows are in {file.name}, {done.keys} keys in {keys_file_of(file).name}.",
        "Copy audit/endings.jsonl of the data directory away as often as you can: a restore needs it.",
    ]
    tell(lines, {"id": done.backup, "rows": done.rows, "keys": done.keys}, json_wanted=json_wanted)


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The newest file of keys; FILE.keys without it.",
)
@click.option(
    "--endings",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The newest copy of audit/endings.jsonl. Without it every permission ends.",
)
@as_json
def restore(file: Path, *, keys: Path | None, endings: Path | None, json_wanted: bool) -> None:
    """Bring FILE back into an empty database, of either kind. The master key must be in its place.

    What ended after the backup was made is closed again, by the list of endings. Without that list the hub knows
    nothing of it, so every permission ends, staff are authorised anew, and all software is registered anew.
    """
    from referral_hub.fhir.dates import instant
    from referral_hub.preserving import restore_hub

    settings = settings_here()
    with _bar("restoring", lambda: 0) as told:
        done = restore_hub(settings, file, keys, endings, told)
    known = (
        f"The list of endings reaches to {instant(done.known_until_us)}. What ended later is not known: ask."
        if endings
        else "No list of endings was given: every permission has ended, staff and software are closed."
    )
    lines = [
        f"{done.rows} rows and {done.keys} keys are back.",
        f"The permissions of {done.permissions_of} persons ended; {done.erased} were erased once more.",
        known,
        "Everybody signs in anew. Next: referral-hub verify-audit, then referral-hub doctor.",
    ]
    fields = {
        "rows": done.rows,
        "keys": done.keys,
        "ended": done.permissions_of,
        "erased": done.erased,
        "known_until_us": done.known_until_us,
    }
    tell(lines, fields, json_wanted=json_wanted)


@contextmanager
def _bar(label: str, count: Callable[[], int]) -> Iterator[Callable[[int], None]]:
    """Shows how far it is on a terminal, and nothing where nobody looks; without a count a number that grows."""
    import sys

    if not sys.stderr.isatty():
        yield lambda _: None
        return
    length = count()
    if length:
        with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
            yield bar.update
        return
    done = 0

    def grow(more: int) -> None:
        nonlocal done
        done += more
        click.echo(f"\r{label}: {done} rows", nl=False, err=True)

    yield grow
    click.echo("", err=True)
