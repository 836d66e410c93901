"""Partners of the network: an organisation, a unit of one, and the software that speaks for them, for commands.

What lives here: each addition on an opened hub. What does not: reading a command (``referral_hub.commands``), the
rules of an organisation (``exchange.member_organizations``) and of a registration (``auth.clients``), SQL (``store``).

Source: ``interfaces.md`` 2.
"""

from collections.abc import Sequence

from referral_hub.administration import member_organizations
from referral_hub.app import Parts, clock
from referral_hub.auth.app_registrations import App
from referral_hub.auth.clients import ClientKey, Registration, register
from referral_hub.exchange.member_organizations import Added
from referral_hub.exchange.organization_descriptions import KINDS, NewOrganization
from referral_hub.resources.catalog import DEFINITIONS

__all__ = ["KINDS", "Added", "NewOrganization", "add_oauth_client", "add_organization"]


def add_organization(parts: Parts, new: NewOrganization) -> Added:
    """Adds an organisation: its FHIR resource and the hub's own row of it, in one Change.

    Raises:
        ConfigurationError: the description cannot be used, with the first reason.
    """
    return member_organizations(parts.hub, parts.database).add(new)


def add_oauth_client(
    parts: Parts,
    organization: str,
    name: str,
    key: ClientKey,
    scope: str,
    *,
    purposes: Sequence[str] = (),
    require_dpop: bool = False,
    very_restricted: bool = False,
    app: App | None = None,
) -> Registration:
    """Registers a partner's software; the secret in the answer, where it has one, is kept nowhere.

    Args:
        parts: the opened hub.
        organization: id of the organisation it acts for.
        name: its name for people.
        key: how it proves itself.
        scope: what it may ever ask for; ``*`` stands for every type the hub serves.
        purposes: its purposes of use; none opens nothing of other organisations.
        require_dpop: see ``auth.clients.register``.
        very_restricted: whether very restricted content may go to its ordinary token.
        app: what software has that people sign in with; None where nobody does.

    Raises:
        ConfigurationError: the first rule that does not hold.
    """
    with parts.store.snapshot() as snapshot:
        known = snapshot.organization(organization)
    registration = register(
        known,
        name,
        key,
        scope,
        types=DEFINITIONS,
        at_us=clock(),
        purposes=purposes,
        require_dpop=require_dpop,
        very_restricted=very_restricted,
        app=app,
    )
    parts.store.apply(parts.gate.admit_token(registration.change))
    return registration
