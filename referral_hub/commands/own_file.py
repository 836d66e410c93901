"""``own-file``: an organisation that holds the key of its own file, so that the operator opens nothing of it."""

import click

from referral_hub.commands.telling import as_json, settings_here, tell


@click.group("own-file")
def own_file() -> None:
    """Let an organisation hold the key of its own file.

    The secret is made and kept by the organisation. The hub is given the public key and can only seal.
    """


@own_file.command("key")
@as_json
def key(*, json_wanted: bool) -> None:
    """Make a key pair. Run it on a machine of the organisation, not on the hub's.

    It needs no hub and writes nothing down. Without the secret nobody opens the file, ever: print it, and keep it in
    two places.
    """
    from referral_hub.keyring.own_file import make_own_key

    made = make_own_key()
    lines = [
        f"Secret, for the organisation alone: {made.secret}",
        f"Public, for whoever runs the hub:   {made.public}",
        "Print the secret and keep it in two safe places. Nobody can make it again.",
    ]
    tell(lines, {"secret": made.secret, "public": made.public}, json_wanted=json_wanted)


@own_file.command("hold")
@click.option("--organization", required=True, metavar="ID", help="Whose file it is.")
@click.option("--public", required=True, metavar="KEY", help="The public key; never the secret.")
@as_json
def hold(organization: str, public: str, *, json_wanted: bool) -> None:
    """Seal the own file of an organisation to its key: what is there, and what will be written.

    From then on its software brings the secret with each request that reads (docs/own-file.md). A second key replaces
    the first for what is written from then on.
    """
    from referral_hub.founding import opened_hub
    from referral_hub.rekeying import hold_own_file

    with opened_hub(settings_here()) as parts:
        done = hold_own_file(parts, organization, public)
    lines = [
        f"Key {done.key} is in force; {done.sealed} records lie sealed to it.",
        f"{done.shared} of them have a copy for the network, because a release covers them.",
        "Start the workers again: they keep in memory what they opened before.",
    ]
    fields = {"key": done.key, "sealed": done.sealed, "shared": done.shared, "waiting": done.waiting}
    tell(lines, fields, json_wanted=json_wanted)


@own_file.command("list")
@as_json
def list_own_files(*, json_wanted: bool) -> None:
    """Say which organisations hold their key, and how their files lie."""
    from referral_hub.founding import opened_hub
    from referral_hub.rekeying import own_file as looked_at
    from referral_hub.rekeying import own_file_holders

    with opened_hub(settings_here()) as parts:
        found = {one: looked_at(parts, one) for one in own_file_holders(parts)}
    lines = [
        f"{one}: key {held.key}, {held.sealed} records sealed, {held.shared} of them shared for a release, "
        f"{held.waiting} covered by a release and waiting for the key"
        for one, held in found.items()
    ] or ["No organisation holds the key of its own file."]
    fields = {
        one: {"key": held.key, "sealed": held.sealed, "shared": held.shared, "waiting": held.waiting}
        for one, held in found.items()
    }
    tell(lines, {"organizations": fields}, json_wanted=json_wanted)
