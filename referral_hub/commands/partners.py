"""``organization add`` and ``oauth-client add``: partners of the network and their software."""

from pathlib import Path
from typing import Any

import click

from referral_hub.commands.telling import as_json, settings_here, tell

_LARGEST_KEY_FILE = 64 * 1024


class OrganizationType(click.ParamType[str]):
    """One of the types of an organisation; the list is looked up only when a value has to be checked."""

    name = "type"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Gives the value, or says which values there are."""
        from referral_hub.partners import KINDS

        if value not in KINDS:
            self.fail(f"{value!r} is none of {', '.join(KINDS)}.", param, ctx)
        return str(value)


@click.group("organization")
def organization() -> None:
    """Partner organisations and their units."""


@organization.command("add")
@click.option("--name", required=True, help="Its name. Of a shelter nobody else ever reads it.")
@click.option(
    "--type",
    "kind",
    required=True,
    type=OrganizationType(),
    metavar="TYPE",
    help="shelter, clinic, legal-aid, immigration, interpreter, employment, housing, education, "
    "social-services, law-enforcement or coordinator.",
)
@click.option("--part-of", default="", metavar="ID", help="The organisation it is a unit of.")
@click.option("--neutral-name", default="", help="The name under which others see a shelter.")
@click.option("--country", default="", metavar="CC", help="Its country, two letters; of a unit its parent's.")
@click.option(
    "--governmental", is_flag=True, help="It belongs to a government. So do units of one that does."
)
@click.option("--fhir-endpoint", default="", metavar="URL", help="Base address of its own FHIR server.")
@click.option(
    "--notify",
    multiple=True,
    metavar="ADDRESS",
    help="Another address its Subscriptions may name: https, or mailto:name@host. Can be given several times.",
)
@click.option(
    "--poll-seconds",
    type=click.IntRange(10, 86_400),
    default=None,
    metavar="N",
    help="How often its own copies of referrals are looked at; 900 where it is not given.",
)
@as_json
def add_organization(
    name: str,
    kind: str,
    part_of: str,
    neutral_name: str,
    country: str,
    fhir_endpoint: str,
    notify: tuple[str, ...],
    poll_seconds: int | None,
    *,
    governmental: bool,
    json_wanted: bool,
) -> None:
    """Add an organisation, or a unit of one with --part-of, and print its id."""
    from referral_hub.founding import opened_hub
    from referral_hub.partners import NewOrganization
    from referral_hub.partners import add_organization as add

    new = NewOrganization(
        name=name,
        kind=kind,
        part_of=part_of,
        neutral_name=neutral_name,
        country=country,
        governmental=governmental,
        fhir_endpoint=fhir_endpoint,
        notify=notify,
        poll_seconds=poll_seconds or 0,
    )
    with opened_hub(settings_here()) as parts:
        added = add(parts, new)
    lines = [f"Added as Organization/{added.id}"]
    if added.governmental:
        lines.append("It counts as part of a government: a refusal of government offices reaches it.")
    if kind == "shelter" and not neutral_name:
        lines.append("Others see no name of it at all; --neutral-name would give it one.")
    fields = {"id": added.id, "governmental": added.governmental, "country": added.country}
    tell(lines, fields, json_wanted=json_wanted)


@click.group("oauth-client")
def oauth_client() -> None:
    """Partners' software."""


@oauth_client.command("add")
@click.option("--organization", "organization_id", required=True, metavar="ID", help="For whom it acts.")
@click.option("--name", required=True, help="Its name, for people.")
@click.option(
    "--jwks",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    metavar="FILE",
    help="KEY: a file with its public keys (JWK Set).",
)
@click.option(
    "--jwks-url", default="", metavar="URL", help="KEY: the address of its public keys; the better way."
)
@click.option("--secret", is_flag=True, help="KEY: a secret that the hub makes and prints once.")
@click.option("--public", is_flag=True, help="KEY: none, for an app that cannot keep one.")
@click.option(
    "--redirect-uri",
    "redirect_uris",
    multiple=True,
    metavar="URL",
    help="Where browsers return to after a sign-in, letter by letter; may be repeated. People sign in with it then.",
)
@click.option("--launch-url", default="", metavar="URL", help="Where the app is started out of the hub.")
@click.option(
    "--require-par", is_flag=True, help="Its requests have to be sent ahead of the browser (RFC 9126)."
)
@click.option("--scope", required=True, help='What it may ever ask for, such as "system/Task.rs".')
@click.option(
    "--purpose", "purposes", multiple=True, metavar="CODE", help="A purpose of use; may be repeated."
)
@click.option("--require-dpop", is_flag=True, help="Its tokens are bound to a key, and only so (DPoP).")
@click.option(
    "--very-restricted",
    is_flag=True,
    help="Very restricted content may go to its ordinary tokens too, not only to those bound to a consent.",
)
@as_json
def add_oauth_client(
    organization_id: str,
    name: str,
    jwks: Path | None,
    jwks_url: str,
    scope: str,
    redirect_uris: tuple[str, ...],
    launch_url: str,
    purposes: tuple[str, ...],
    *,
    secret: bool,
    public: bool,
    require_par: bool,
    require_dpop: bool,
    very_restricted: bool,
    json_wanted: bool,
) -> None:
    """Register a partner's software and print its client_id.

    KEY is exactly one of --jwks, --jwks-url, --secret and --public.
    """
    if sum((jwks is not None, bool(jwks_url), secret, public)) != 1:
        raise click.UsageError("Give exactly one KEY: --jwks FILE, --jwks-url URL, --secret or --public.")
    from referral_hub.auth.app_registrations import App
    from referral_hub.auth.clients import ClientKey
    from referral_hub.founding import opened_hub
    from referral_hub.partners import add_oauth_client as add

    keys = _key_file(jwks) if jwks is not None else ""
    key = ClientKey(jwks=keys, jwks_url=jwks_url, secret=secret, public=public)
    with opened_hub(settings_here()) as parts:
        made = add(
            parts,
            organization_id,
            name,
            key,
            scope,
            purposes=purposes,
            require_dpop=require_dpop,
            very_restricted=very_restricted,
            app=App(redirect_uris, launch_url, require_par),
        )
    lines = [f"client_id      {made.client_id}"]
    fields: dict[str, Any] = {"client_id": made.client_id}
    if made.secret:
        lines += [f"client_secret  {made.secret}", "The secret is shown this once and kept nowhere."]
        fields["client_secret"] = made.secret
    if not purposes:
        lines.append("Without a purpose of use its tokens open nothing of other organisations.")
    tell(lines, fields, json_wanted=json_wanted)


def _key_file(path: Path) -> str:
    from referral_hub.errors import ConfigurationError

    try:
        if path.stat().st_size > _LARGEST_KEY_FILE:
            raise ConfigurationError("The file of public keys is larger than 64 KiB.")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("The file of public keys cannot be read.") from None
