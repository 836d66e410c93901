"""``keys`` and ``erase``: renewing keys while the hub runs, and destroying a person's own."""

import click

from referral_hub.commands.telling import as_json, settings_here, tell


@click.group("keys")
def keys() -> None:
    """Renew the keys of the hub, while it runs.

    `referral-hub doctor` says how old they are.
    """


@keys.command("rotate")
@click.argument("family", type=click.Choice(["master", "checkpoint", "links", "signing"]))
@as_json
def rotate(family: str, *, json_wanted: bool) -> None:
    """Make a fresh key of FAMILY.

    They are: master, checkpoint (signs the audit), links (seals links of pages), signing (signs ID tokens).

    A fresh master key opens nothing new and loses nothing: every other key is wrapped under it. Run
    `keys retire` ten minutes later. Where the master key is not in a file, put the new one in front of the old
    one first, on a line of its own, and then run this.
    """
    from referral_hub.founding import opened_hub
    from referral_hub.rekeying import rotate_family, rotate_master

    with opened_hub(settings_here()) as parts:
        if family != "master":
            name = rotate_family(parts, family)
            tell(["A fresh key is in use from now on."], {"id": name}, json_wanted=json_wanted)
            return
        done = rotate_master(parts)
    lines = [
        f"The master key in force is {done.master}; {done.wrapped} keys lie under it now.",
        "Copy the master key to where you keep it, away from this machine and from the backups.",
        "Next, in ten minutes: referral-hub keys retire.",
    ]
    tell(lines, {"master": done.master, "wrapped": done.wrapped}, json_wanted=json_wanted)


@keys.command("retire")
@click.option("--now", is_flag=True, help="Nothing of the hub runs, so there is nothing to wait for.")
@as_json
def retire(*, now: bool, json_wanted: bool) -> None:
    """Take earlier master keys out of the file, once nothing lies under them."""
    from referral_hub.founding import opened_hub
    from referral_hub.rekeying import retire_master

    with opened_hub(settings_here()) as parts:
        done = retire_master(parts, now=now)
    lines = [
        f"{done.wrapped} keys were wrapped anew, and {done.retired} earlier master keys are out of the file.",
        "Backups made before still need the earlier master key: keep your copy of it as long as you keep them.",
    ]
    fields = {"master": done.master, "wrapped": done.wrapped, "retired": done.retired}
    tell(lines, fields, json_wanted=json_wanted)


@click.command("erase")
@click.argument("patient")
@click.option("--organization", required=True, metavar="ID", help="The organisation that keeps the record.")
@click.option(
    "--reason",
    type=click.Choice(["asked", "retention"]),
    required=True,
    help="She asked, or the time to keep it is over.",
)
@click.option("--yes", is_flag=True, help="Do not ask again.")
@as_json
def erase(patient: str, organization: str, reason: str, *, yes: bool, json_wanted: bool) -> None:
    """Erase a person for good: PATIENT is the id of her record. It cannot be undone.

    Her rows go, and the key they were sealed under, so that copies in backups open no more. The audit keeps that
    there was a record and who it was given to, and its chain still verifies. A law may demand that something is kept:
    ask before.
    """
    from referral_hub.founding import opened_hub
    from referral_hub.rekeying import erase as erase_person

    if not yes:
        click.confirm("Erase this record for good?", abort=True, err=True)
    with opened_hub(settings_here()) as parts:
        erase_person(parts, patient, organization, reason)
    tell(["The record is erased, and its key destroyed."], {"id": patient}, json_wanted=json_wanted)
