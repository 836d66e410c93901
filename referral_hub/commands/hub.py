"""``init``, ``migrate`` and ``reindex``: making a hub, and bringing one to this version."""

import click

from referral_hub.commands.telling import as_json, progress, settings_here, tell


@click.command("init")
@click.option("--name", default="Referral network", show_default=True, help="Name of the network itself.")
@click.option("--country", default="", metavar="CC", help="Country of the network, two letters.")
@click.option(
    "--email", default="", help="What the first coordinator signs in with; coordinator@localhost else."
)
@as_json
def init(name: str, country: str, email: str, *, json_wanted: bool) -> None:
    """Make the data directory, the keys, the database, the network's own organisation and its first coordinator.

    What is there already stays as it is, so it can be run again.
    """
    from referral_hub.founding import FIRST_LOGIN, FOUNDING_STEPS, found_hub

    settings = settings_here()
    with progress("making the hub", FOUNDING_STEPS) as step:
        founded = found_hub(settings, name=name, country=country, login=email or FIRST_LOGIN, step=step)
    lines = [
        "The hub is ready." if founded.fresh else "The hub was there already; nothing was changed.",
        f"  data directory          {settings.data_dir}",
        f"  master key              {settings.secret_key_file}",
        f"  network's organisation  {founded.organization}",
        "Keep a copy of the master key away from this machine and from the backups: without it no record can be read.",
        "Next: referral-hub organization add, referral-hub oauth-client add, referral-hub serve.",
    ]
    if founded.one_time_password:
        lines[4:4] = [
            f"  first coordinator       {founded.login}",
            f"  one-time password       {founded.one_time_password}  (shown this once; good for seven days)",
        ]
    fields = {
        "id": founded.organization,
        "created": founded.fresh,
        "login": founded.login,
        "one_time_password": founded.one_time_password,
        "data_dir": str(settings.data_dir),
        "secret_key_file": str(settings.secret_key_file),
    }
    tell(lines, fields, json_wanted=json_wanted)


@click.command("migrate")
@as_json
def migrate(*, json_wanted: bool) -> None:
    """Bring the database to this version of the program.

    Make a backup first, and stop `serve` where the database is embedded.
    """
    from referral_hub.founding import migrate_hub

    settings = settings_here()
    with progress("bringing the database to this version", ("schema",)) as step:
        step("schema")
        migrated = migrate_hub(settings)
    if migrated.before == migrated.after:
        line = f"The database has version {migrated.after} already; nothing was changed."
    else:
        line = f"The database is at version {migrated.after} now; before it was {migrated.before or 'empty'}."
    tell([line], {"before": migrated.before, "after": migrated.after}, json_wanted=json_wanted)


@click.command("reindex")
@as_json
def reindex(*, json_wanted: bool) -> None:
    """Make anew what searches find stored resources by.

    For a hub whose program has learned new search parameters. It may run beside `serve`.
    """
    from referral_hub.founding import reindex_hub

    done = reindex_hub(settings_here())
    tell(
        [f"{done} resources are found by everything this version knows."],
        {"resources": done},
        json_wanted=json_wanted,
    )
