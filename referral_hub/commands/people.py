"""``person …`` and ``identity-provider add``: accounts of staff, and where else they may sign in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, TextIO

import click

from referral_hub.commands.telling import as_json, settings_here, tell

if TYPE_CHECKING:
    from referral_hub.auth.people.office import Office

_BY = "The account that does it: a supervisor of the same organisation, or a coordinator of the network."


@click.group("person")
def person() -> None:
    """Accounts of staff: who may sign in, in which role.

    An account works once it is trained and authorised: person train, person authorise.
    """


@person.command("add")
@click.option("--organization", required=True, metavar="ID", help="The organisation or unit she works for.")
@click.option(
    "--role",
    required=True,
    metavar="ROLE",
    help="caseworker, supervisor, coordinator, clinician, lawyer, intake or evaluator.",
)
@click.option(
    "--email", required=True, help="What she signs in with. One human has one account in the network."
)
@click.option("--practitioner", default="", metavar="ID", help="Her Practitioner resource, if she has one.")
@click.option("--trained-until", default=None, metavar="DATE", help="Until when her training is good.")
@click.option("--authorised-by", default="", metavar="ACCOUNT", help=_BY)
@as_json
def add(
    organization: str,
    role: str,
    email: str,
    practitioner: str,
    trained_until: str | None,
    authorised_by: str,
    *,
    json_wanted: bool,
) -> None:
    """Add an account and print its one-time password, which is good for seven days."""
    until_us = _end_of(trained_until) if trained_until else 0
    with _office() as (office, now, hub):
        given = office.add(organization, role, email, now(), practitioner=practitioner)
        if until_us:
            office.train(given.account, until_us, now())
        if authorised_by:
            office.authorise(given.account, authorised_by, now(), hub)
    lines = [
        f"Added as account {given.account}",
        f"One-time password (shown this once): {given.one_time_password}",
    ]
    if not (until_us and authorised_by):
        lines.append("Its role is not active yet: referral-hub person train, referral-hub person authorise.")
    fields = {"id": given.account, "login": email, "one_time_password": given.one_time_password}
    tell(lines, fields, json_wanted=json_wanted)


@person.command("list")
@click.option("--organization", required=True, metavar="ID", help="Whose accounts.")
@as_json
def listed(organization: str, *, json_wanted: bool) -> None:
    """List the accounts of an organisation, with what their role still lacks."""
    from referral_hub.app import clock
    from referral_hub.auth.people.standing import role_standing
    from referral_hub.exchange.accounts import ACTIVE, STAFF
    from referral_hub.founding import opened_hub

    with opened_hub(settings_here()) as parts:
        found = parts.accounts.accounts_of(organization)
        rows = [
            {
                "id": account.id,
                "login": login,
                "role": account.role,
                "state": account.state,
                "standing": role_standing(account, clock()).reason if account.state == ACTIVE else "",
            }
            for account, login in found
            if account.kind == STAFF
        ]
    lines = [f"{r['id']}  {r['role']:<11}  {r['state']:<8}  {r['standing']:<15}  {r['login']}" for r in rows]
    tell(lines or ["It has no accounts."], {"accounts": rows}, json_wanted=json_wanted)


@person.command("remove")
@click.argument("account")
@as_json
def remove(account: str, *, json_wanted: bool) -> None:
    """Remove an account: it is signed out everywhere, and its software loses its tokens, at once."""
    with _office() as (office, now, _):
        office.remove(account, now())
    tell(["Removed; nothing it had open goes on."], {"id": account, "removed": True}, json_wanted=json_wanted)


@person.command("role")
@click.argument("account")
@click.argument("role")
@as_json
def change_role(account: str, role: str, *, json_wanted: bool) -> None:
    """Give an account another role; it is signed out, and has to be authorised anew."""
    with _office() as (office, now, _):
        office.set_role(account, role, now())
    line = f"The account is {role} now, once it is authorised: referral-hub person authorise."
    tell([line], {"id": account, "role": role}, json_wanted=json_wanted)


@person.command("train")
@click.argument("account")
@click.option(
    "--until", required=True, metavar="DATE", help="The last day her training is good, such as 2027-11-30."
)
@as_json
def train(account: str, until: str, *, json_wanted: bool) -> None:
    """Record until when somebody's training is good."""
    until_us = _end_of(until)
    with _office() as (office, now, _):
        office.train(account, until_us, now())
    tell([f"Trained until {until}."], {"id": account, "trained_until": until}, json_wanted=json_wanted)


@person.command("authorise")
@click.argument("account")
@click.option("--by", default="", metavar="ACCOUNT", help=_BY)
@click.option("--withdraw", is_flag=True, help="Take the authorisation back: the role ends at once.")
@as_json
def authorise(account: str, by: str, *, withdraw: bool, json_wanted: bool) -> None:
    """Record who stands for an account, or take that back."""
    if bool(by) == withdraw:
        raise click.UsageError("Give either --by ACCOUNT or --withdraw.")
    with _office() as (office, now, hub):
        if withdraw:
            office.withdraw_authorisation(account, now())
        else:
            office.authorise(account, by, now(), hub)
    line = "The authorisation is withdrawn." if withdraw else "Authorised."
    tell([line], {"id": account, "authorised": not withdraw}, json_wanted=json_wanted)


@person.command("unlock")
@click.argument("account")
@click.option("--by", required=True, metavar="ACCOUNT", help=_BY)
@click.option("--hours", type=click.IntRange(1, 72), default=24, show_default=True, help="For how long.")
@as_json
def unlock(account: str, by: str, hours: int, *, json_wanted: bool) -> None:
    """Let somebody work for some hours whose training has run out."""
    with _office() as (office, now, hub):
        office.unlock(account, by, hours, now(), hub)
    tell([f"Unlocked for {hours} hours."], {"id": account, "hours": hours}, json_wanted=json_wanted)


@person.command("on-call")
@click.argument("account")
@click.option("--hours", type=click.IntRange(1, 24), required=True, help="How long the shift is, from now.")
@as_json
def on_call(account: str, hours: int, *, json_wanted: bool) -> None:
    """Record a shift that begins now: while it runs no end of a training cuts it."""
    with _office() as (office, now, _):
        begins_us = now()
        office.on_call(account, begins_us, begins_us + hours * 3_600_000_000, begins_us)
    tell([f"On call for {hours} hours."], {"id": account, "hours": hours}, json_wanted=json_wanted)


@person.command("reset")
@click.argument("account")
@click.option("--factors", is_flag=True, help="Her second factors are lost as well: forget them.")
@as_json
def reset(account: str, *, factors: bool, json_wanted: bool) -> None:
    """Give somebody a new one-time password; everything she had open ends.

    Make sure that it is she who asks: see her face, or call her back at a number you knew before.
    """
    with _office() as (office, now, _):
        given = office.reset(account, now(), factors=factors)
    line = f"One-time password (shown this once): {given.one_time_password}"
    fields = {"id": account, "one_time_password": given.one_time_password}
    tell([line], fields, json_wanted=json_wanted)


@click.group("identity-provider")
def identity_provider() -> None:
    """Outside OpenID Connect providers where staff may sign in."""


@identity_provider.command("add")
@click.option("--organization", required=True, metavar="ID", help="Whose people sign in there.")
@click.option("--issuer", required=True, metavar="URL", help="Its exact issuer.")
@click.option("--client-id", required=True, help="How it knows this hub.")
@click.option(
    "--secret-file",
    type=click.File("r"),
    default=None,
    metavar="FILE",
    help="The secret it gave, in a file; - reads it from standard input. None for a public client.",
)
@click.option("--name", required=True, help="What the sign-in page calls it.")
@as_json
def add_provider(
    organization: str,
    issuer: str,
    client_id: str,
    secret_file: TextIO | None,
    name: str,
    *,
    json_wanted: bool,
) -> None:
    """Register a provider; each person then links her own account there, while she is signed in here."""
    from referral_hub.app import clock
    from referral_hub.founding import opened_hub

    secret = "" if secret_file is None else secret_file.read().strip()
    with opened_hub(settings_here()) as parts:
        made = parts.people.outside.register(organization, issuer, client_id, secret, name, clock())
        redirect_uri = parts.people.outside.redirect_uri
    lines = [f"Added as {made}", f"Register there as redirect address: {redirect_uri}"]
    tell(lines, {"id": made, "redirect_uri": redirect_uri}, json_wanted=json_wanted)


@contextmanager
def _office() -> "Iterator[tuple[Office, Callable[[], int], str]]":
    """Opens the hub: its office, the clock, and the id of the network's own organisation."""
    from referral_hub.app import clock
    from referral_hub.founding import opened_hub

    with opened_hub(settings_here()) as parts:
        with parts.store.snapshot() as snapshot:
            hub = snapshot.hub_organization()
        yield parts.people.office, clock, "" if hub is None else hub.facts.id


def _end_of(day: str) -> int:
    try:
        parsed = date.fromisoformat(day)
    except ValueError:
        raise click.UsageError("A date is written as year-month-day, such as 2027-11-30.") from None
    end = datetime.combine(parsed, time(), UTC) + timedelta(days=1)
    return int(end.timestamp()) * 1_000_000
