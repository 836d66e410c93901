"""What the pages about a person's permissions share: her file, names of organisations, and where a refusal belongs.

What lives here: reading for those pages. What does not: the pages (``web.portal.permissions``,
``web.portal.signing_pages``, ``web.portal.stop_pages``, ``web.portal.never_pages``, ``web.portal.disclosure_pages``),
any rule (``casework``, ``exchange``).

The pages are made with the person sitting beside. What they show is told by codes; the words are in ``texts``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from referral_hub.access.consent_life import CHECK_IN_US, DAY_US
from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.permission_forms import (
    categories_of,
    choices_of,
    days_of,
    language_of,
    purpose_of,
    receiver_of,
    says_back,
)
from referral_hub.casework.permissions_told import Never, Permission, nevers_of, permissions_of
from referral_hub.errors import NotFound
from referral_hub.exchange.consent_policy import ConsentLimits
from referral_hub.exchange.minors import is_child
from referral_hub.exchange.permission_file import PermissionFile, permission_file
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.exchange.search import search
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import INTERPRETER_REQUIRED
from referral_hub.fhir.elements import at_path, codings, extension
from referral_hub.fhir.ids import is_id
from referral_hub.papers.permission_form import PermissionForm, Piece, sentences
from referral_hub.texts.catalogs import LANGUAGES, RIGHT_TO_LEFT, catalog, chosen
from referral_hub.web.portal.frame import Portal

FREE_LANGUAGE = "other"
"""The choice of a language that the hub has no form in: the script is read out by an interpreter."""
_MOST_UNITS = 100
_LONG_DAYS = 90


@dataclass(frozen=True, slots=True)
class Sheet:
    """The words of a form in one language, for one side of the page."""

    language: str
    direction: str
    name: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class PermissionDesk:
    """What those pages work with.

    Args:
        portal: the frame.
        limits: what the network decided about permissions.
        legal_note: why it lets some run above 90 days; empty where it does not.
        organization: gives an organisation of the network by its id.
        hub_organization: gives the network's own.
        code_address: the page that takes her code.
    """

    portal: Portal
    limits: ConsentLimits
    legal_note: str
    organization: Callable[[str], OrganizationRow | None]
    hub_organization: Callable[[], OrganizationRow | None]
    code_address: str

    @property
    def now_us(self) -> int:
        """Gives now, microseconds UTC."""
        return self.portal.hub.clock()

    @property
    def language(self) -> str:
        """Gives the language of the page, which is the worker's."""
        return self.portal.pages.language()

    def file(self, seat: Seat, patient: str) -> PermissionFile:
        """Gives a person's permissions.

        Raises:
            NotFound: she is not a person of this worker's (404).
        """
        if not is_id(patient):
            raise NotFound
        return permission_file(self.portal.hub, seat.token, patient)

    def permissions(self, file: PermissionFile) -> tuple[Permission, ...]:
        """Gives her permissions as they are told."""
        return permissions_of(file.consents, file.closed, self.now_us)

    def nevers(self, file: PermissionFile) -> tuple[Never, ...]:
        """Gives her refusals as they are told."""
        return nevers_of(file.consents, self.now_us)

    def name_of(self, unit: str) -> str:
        """Gives the name of an organisation as other organisations and she know it; a neutral one where it has one."""
        found = self.organization(unit) if is_id(unit) else None
        return "" if found is None else found.neutral_name or found.name

    def own_name(self, seat: Seat) -> str:
        """Gives the name of the worker's organisation on papers that she may take along: the neutral one, if any."""
        return self.name_of(seat.signed.organization)

    def names(self, units: Iterable[str]) -> dict[str, str]:
        """Gives the names of organisations by id; one that is not known any more by its id."""
        return {unit: self.name_of(unit) or unit for unit in {*units} if unit}

    def units(self, seat: Seat, part: str = "") -> list[tuple[str, str]]:
        """Gives organisations of the network as choices: id and name, by name, without the worker's own.

        Args:
            seat: who asks.
            part: how the name begins; the directory has no secrets, so it may stand in an address.
        """
        pairs = [("active", "true"), ("_count", str(_MOST_UNITS)), ("_elements", "name")]
        part = "".join(letter for letter in part if letter.isprintable())[:60].strip()
        if part:
            pairs.append(("name", part))
        found = search(self.portal.hub, seat.token, "Organization", pairs)
        rows = [json_codec.decode_own(one.body) for one in found.matches]
        units = [(str(row["id"]), str(row.get("name", ""))) for row in rows]
        own = {seat.signed.organization}
        hub = self.hub_organization()
        if hub is not None:
            own.add(hub.facts.id)
        return sorted(
            ((unit, name) for unit, name in units if name and unit not in own), key=lambda one: one[1].lower()
        )

    def professionals(self, seat: Seat) -> list[tuple[str, str]]:
        """Gives who may decide for a child without a guardian: the professionals the worker's organisation lists."""
        pairs = [
            ("organization", f"Organization/{seat.signed.organization}"),
            ("_include", "PractitionerRole:practitioner"),
            ("_count", str(_MOST_UNITS)),
        ]
        found = search(self.portal.hub, seat.token, "PractitionerRole", pairs)
        people = [json_codec.decode_own(one.body) for one in found.included]
        return [(f"Practitioner/{one['id']}", _name(one)) for one in people]

    # --- the form ----------------------------------------------------------------------------------------------

    def her_language(self, file: PermissionFile, draft: Mapping[str, Any]) -> str:
        """Gives the language of a form: the one it was begun in, else the first of hers the hub speaks."""
        known = language_of(draft)
        if known:
            return known
        tags = [code for _, code in _languages(file.patient)]
        return chosen(tags) if tags else self.language

    def shown_language(self, language: str) -> str:
        """Gives the language a form is shown in: hers where the hub has it, else the worker's, to be read out."""
        return language if language in LANGUAGES else self.language

    def form(self, seat: Seat, consent: Mapping[str, Any], language: str) -> PermissionForm:
        """Gives the form of one permission.

        Args:
            seat: who sits there.
            consent: the Consent, in draft or signed.
            language: hers.
        """
        purpose, back, days = purpose_of(consent), says_back(consent), days_of(consent)
        receiver = receiver_of(consent)
        return PermissionForm(
            language=self.shown_language(language),
            staff_language=self.language,
            made=self.today(),
            custodian=self.own_name(seat) if not back else self.name_of(_keeper(consent)),
            recipient=self.name_of(receiver) if receiver != seat.signed.organization else self.own_name(seat),
            purpose=purpose,
            categories=categories_of(consent),
            offered=choices_of(purpose).offered,
            until=self.day(self.now_us + days * DAY_US)
            if consent.get("status") == "draft"
            else self._until(consent),
            check_in=self.day(self.now_us + CHECK_IN_US) if days > _LONG_DAYS else None,
            legal_note=self.legal_note if days > _LONG_DAYS else "",
            way_back=back,
            stop_phone=self.phone(seat),
            stop_address=self.code_address,
            form_uri=next((str(one) for one in at_path(consent, "policy.uri")), ""),
        )

    def sheets(self, form: PermissionForm) -> tuple[Sheet, ...]:
        """Gives the words of a form, hers first and the worker's beside it; one where they are the same."""
        return tuple(
            Sheet(
                language,
                "rtl" if language in RIGHT_TO_LEFT else "ltr",
                LANGUAGES[language],
                _until_signature(sentences(form, language), language),
            )
            for language in dict.fromkeys((form.language, form.staff_language))
        )

    def phone(self, seat: Seat) -> str:
        """Gives the number by which she stops sharing: that of the worker's organisation, else the network's."""
        for unit in (seat.signed.organization, self._hub_id()):
            found = self.phone_of(seat, unit)
            if found:
                return found
        return ""

    def phone_of(self, seat: Seat, unit: str) -> str:
        """Gives the phone number in the directory entry of an organisation."""
        if not unit:
            return ""
        found = search(self.portal.hub, seat.token, "Organization", [("_id", unit)])
        rows = [json_codec.decode_own(one.body) for one in found.matches]
        return next(
            (
                str(one.get("value", ""))
                for row in rows
                for one in row.get("telecom") or ()
                if one.get("system") == "phone"
            ),
            "",
        )

    def needs_interpreter(self, file: PermissionFile) -> bool:
        """Tells whether her file says that she needs an interpreter."""
        return (extension(file.patient, INTERPRETER_REQUIRED) or {}).get("valueBoolean") is True

    def is_child(self, file: PermissionFile) -> bool:
        """Tells whether she counts as a child."""
        return is_child(file.patient, self.now_us)

    def today(self) -> date:
        """Gives the day people have where they read."""
        return self.portal.now.date()

    def day(self, at_us: int) -> date:
        """Gives the day of a moment where people read."""
        return datetime.fromtimestamp(at_us / 1_000_000, tz=UTC).astimezone(self.portal.now.tzinfo).date()

    def _until(self, consent: Mapping[str, Any]) -> date | None:
        found = permissions_of([{**consent, "status": "active"}], (), self.now_us)
        return self.day(found[0].until_us) if found and found[0].until_us else None

    def _hub_id(self) -> str:
        hub = self.hub_organization()
        return "" if hub is None else hub.facts.id


def _keeper(consent: Mapping[str, Any]) -> str:
    found = next(at_path(consent, "organization.reference"), "")
    return str(found).partition("/")[2]


def _languages(patient: Mapping[str, Any]) -> list[tuple[str, str]]:
    spoken = [one for one in at_path(patient, "communication") if isinstance(one, dict)]
    spoken.sort(key=lambda one: one.get("preferred") is not True)
    return [pair for one in spoken for pair in codings(one.get("language"))]


def _name(practitioner: Mapping[str, Any]) -> str:
    for name in at_path(practitioner, "name"):
        if isinstance(name, dict):
            text = name.get("text") or " ".join([*name.get("given", ()), name.get("family", "")]).strip()
            if text:
                return str(text)
    return str(practitioner.get("id", ""))


def _until_signature(pieces: tuple[Piece, ...], language: str) -> tuple[Piece, ...]:
    """Gives a form as far as its lines for signing, which the page has as fields."""
    heading = ("heading", catalog(language).text("paper.form.sign"))
    return pieces[: pieces.index(heading)] if heading in pieces else pieces
