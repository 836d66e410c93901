"""The invented network: who is in it, and founding it by the same functions as the command line.

What lives here: the organisations, their software with its keys, and the hub they meet in. What does not:
processes (``demo.servers``), what the organisations do (the chapters).

Every name is invented, and so are the countries: XA and XB are codes that ISO 3166 leaves to users.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from joserfc.jwk import Key

from referral_hub.auth.clients import ClientKey
from referral_hub.demo.smart_partner import make_key, public_keys
from referral_hub.errors import ConfigurationError
from referral_hub.founding import found_hub, opened_hub
from referral_hub.partners import NewOrganization, add_oauth_client, add_organization
from referral_hub.settings import Settings

NETWORK_NAME = "Harbour Network"
COUNTRY = "XA"
HER_COUNTRY = "XB"
EHR = "clinic_two"
COORDINATOR = "coordinator@network.example"
"""What the first coordinator signs in with."""

_RECIPIENT = (
    "system/Task.rus system/ServiceRequest.rs system/Patient.rs system/Consent.rs system/Condition.rs "
    "system/Observation.rs system/Procedure.rs system/DocumentReference.rs system/Communication.rs "
    "system/CarePlan.rs system/Organization.rs system/HealthcareService.crus"
)


@dataclass(frozen=True, slots=True)
class Partner:
    """One organisation of the network and its software.

    ``name`` is its own; a shelter's is never shown to others, who read ``neutral_name``. ``very_restricted``:
    what a permission names as very restricted may go to its ordinary token.
    """

    name: str
    kind: str
    purpose: str
    scope: str
    algorithm: str = "ES384"
    neutral_name: str = ""
    phone: str = ""
    country: str = COUNTRY
    governmental: bool = False
    very_restricted: bool = False

    @property
    def called(self) -> str:
        """Gives the name others know it by."""
        return self.neutral_name or self.name


PARTNERS: Mapping[str, Partner] = {
    "shelter": Partner(
        "Night House",
        "shelter",
        "shelter-placement",
        " ".join(
            f"system/{name}.crus"
            for name in (
                *("Patient", "EpisodeOfCare", "CarePlan", "Condition", "Observation", "DocumentReference"),
                *("ServiceRequest", "Task", "Consent", "Communication", "Provenance"),
            )
        )
        + " system/Appointment.rs system/Procedure.rs system/Organization.rs system/AuditEvent.rs",
        neutral_name="Linden Street Office",
    ),
    "clinic_one": Partner(
        "Bridge Clinic", "clinic", "TREAT", _RECIPIENT, algorithm="RS384", phone="+999 555 0101"
    ),
    "clinic_two": Partner(
        "Garden Clinic",
        "clinic",
        "TREAT",
        f"{_RECIPIENT} system/Appointment.crus system/Procedure.crus",
        phone="+999 555 0102",
    ),
    "legal_aid": Partner(
        "Open Door Legal Aid", "legal-aid", "legal-representation", _RECIPIENT, phone="+999 555 0103"
    ),
    "adviser": Partner(
        "Ferry Immigration Advice",
        "immigration",
        "immigration-representation",
        _RECIPIENT,
        algorithm="RS384",
        very_restricted=True,
        phone="+999 555 0104",
    ),
    "office": Partner(
        "Immigration Office",
        "immigration",
        "residence-permit",
        _RECIPIENT,
        governmental=True,
        very_restricted=True,
        phone="+999 555 0105",
    ),
}
"""The six organisations, by the name the story calls them."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A partner as the hub knows it, with what its own people hold: the key (None: it stays in its EHR)."""

    partner: Partner
    organization: str
    client_id: str
    key: Key | None


@dataclass(frozen=True, slots=True)
class Network:
    """The hub's own organisation and the six partners; ``one_time_password`` is the first coordinator's."""

    hub_organization: str
    partners: Mapping[str, Registered]
    one_time_password: str = ""


def found_network(settings: Settings, *, ehr_base: str) -> Network:
    """Makes the hub and registers everybody, as ``init``, ``organization add`` and ``oauth-client add`` do.

    Args:
        settings: where the hub is to be; nothing may be there yet.
        ehr_base: where the second clinic's own server is; its FHIR and its public keys are below it.

    Raises:
        ConfigurationError: there is a hub in that place already, or it cannot be made there.
    """
    founded = found_hub(settings, name=NETWORK_NAME, country=COUNTRY, login=COORDINATOR)
    if not founded.fresh:
        raise ConfigurationError(
            f"There is a hub in {settings.data_dir} already. The demo makes its own: give it an empty directory."
        )
    registered: dict[str, Registered] = {}
    with opened_hub(settings) as parts:
        for name, partner in PARTNERS.items():
            has_ehr = name == EHR
            added = add_organization(
                parts,
                NewOrganization(
                    name=partner.name,
                    kind=partner.kind,
                    neutral_name=partner.neutral_name,
                    country=partner.country,
                    governmental=partner.governmental,
                    fhir_endpoint=f"{ehr_base}/fhir" if has_ehr else "",
                    phone=partner.phone,
                    poll_seconds=1 if has_ehr else 0,
                ),
            )
            key = None if has_ehr else make_key(partner.algorithm, f"{name}-1")
            registration = add_oauth_client(
                parts,
                added.id,
                f"Software of {partner.called}",
                ClientKey(jwks_url=f"{ehr_base}/jwks.json")
                if key is None
                else ClientKey(jwks=json.dumps(public_keys(key))),
                partner.scope,
                purposes=(partner.purpose,),
                very_restricted=partner.very_restricted,
            )
            registered[name] = Registered(partner, added.id, registration.client_id, key)
    return Network(founded.organization, registered, founded.one_time_password)


def keep_keys(network: Network, directory: Path) -> None:
    """Writes each partner's private key to a file that only its owner may read, for trying things out by hand."""
    directory.mkdir(mode=0o700, exist_ok=True)
    for name, registered in network.partners.items():
        if registered.key is not None:
            path = directory / f"{name}.jwk.json"
            path.touch(mode=0o600)
            path.write_text(json.dumps(registered.key.as_dict(private=True)), encoding="utf-8")
