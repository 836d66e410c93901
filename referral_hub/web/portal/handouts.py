"""Two sheets to take along: the options for a need, and the card that says she can come back.

What lives here: both pages and their papers. What does not: how they are printed (``papers``), the directory itself.

Neither asks anything about a person: a need is chosen from a list, a language too, and nothing is kept.

Source: ``mission.md`` (choice); ``practice.md`` 1, 15, 16 and the words on pages and paper.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from flask import Blueprint, Response, request

from referral_hub.access.categories import SERVICE_DOMAIN, SERVICE_DOMAINS
from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.exchange.search import search
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import structure
from referral_hub.fhir.elements import codings, extension, reference_text, text_at
from referral_hub.papers.come_back_card import ComeBackCard, come_back_card
from referral_hub.papers.options_sheet import Option, OptionsSheet, lines_of, options_sheet
from referral_hub.papers.words import day
from referral_hub.texts.catalogs import LANGUAGES, RIGHT_TO_LEFT, Catalog, catalog
from referral_hub.web.papers import paper_response
from referral_hub.web.portal.permission_desk import PermissionDesk

CAPACITY = structure("service-capacity")
NEEDS = tuple(SERVICE_DOMAINS)
_MOST_SERVICES = "50"
_MOST_PRINTED = 8
_ROOM: Mapping[str, Literal["free", "few", "full", "unknown"]] = {
    "capacity": "free",
    "waitlist": "full",
    "no-capacity": "full",
}
_COSTS = frozenset({"free", "disc", "cost"})


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the directory, as it may stand on a sheet."""

    id: str
    body: dict[str, Any]
    provider: str


def handout_blueprint(desk: PermissionDesk) -> Blueprint:
    """Gives the routes.

    Args:
        desk: what the pages work with.
    """
    blueprint = Blueprint("handouts", __name__)
    pages, staff = _Pages(desk), desk.portal.staff()
    blueprint.get("/options")(staff(pages.options))
    # What is needed and by whom it is read stand in no address: browsers keep those.
    blueprint.post("/options")(staff(pages.looked_up))
    blueprint.post("/options/sheet")(staff(pages.sheet))
    blueprint.post("/options/sheet/pdf")(staff(pages.sheet_pdf))
    blueprint.get("/card")(staff(pages.card))
    blueprint.get("/card/pdf")(staff(pages.card_pdf))
    return blueprint


@dataclass(frozen=True, slots=True)
class _Pages:
    desk: PermissionDesk

    def options(self, seat: Seat) -> Response:
        """Shows the question for which need."""
        return self._options_page(seat, "", self.desk.language)

    def looked_up(self, seat: Seat) -> Response:
        """Shows the services for a need, to choose which stand on the sheet."""
        need, language = _asked(self.desk.portal.form(), self.desk.language)
        return self._options_page(seat, need, language)

    def sheet(self, seat: Seat) -> Response:
        """Shows the sheet in her language, ready to print."""
        need, language = _asked(self.desk.portal.form(), self.desk.language)
        wanted = self.desk.portal.pages.all_of("service")[:_MOST_PRINTED]
        found = self._sheet(seat, need, language, wanted)
        if found is None:
            return self._options_page(seat, need, language, few=True)
        said = catalog(found.language)
        rows = [(option.name, lines_of(said, option, found.made)) for option in found.options]
        day_said = said.text("paper.options.day", day=day(found.language, found.made))
        return self._page(
            seat,
            "options_sheet",
            sheet=found,
            rows=rows,
            said={name: said.text(f"paper.options.{name}") for name in ("title", "need", "intro", "none")},
            day_said=day_said,
            sheet_direction="rtl" if found.language in RIGHT_TO_LEFT else "ltr",
            need=need,
            services=wanted,
        )

    def sheet_pdf(self, seat: Seat) -> Response:
        """Gives the sheet as a PDF."""
        need, language = _asked(self.desk.portal.form(), self.desk.language)
        wanted = self.desk.portal.pages.all_of("service")[:_MOST_PRINTED]
        found = self._sheet(seat, need, language, wanted)
        if found is None:
            return self.desk.portal.to("/options")
        with self.desk.portal.lane.away():
            pdf = options_sheet(found)
        return paper_response(pdf)

    def card(self, seat: Seat) -> Response:
        """Shows the card in every language, with the number it names."""
        card = self._card(seat, _asked(request.args, self.desk.language)[1])
        said = catalog(card.language)
        return self._page(
            seat,
            "card",
            card=card,
            said={name: said.text(f"paper.card.{name}") for name in ("title", "text", "phone")},
            card_direction="rtl" if card.language in RIGHT_TO_LEFT else "ltr",
        )

    def card_pdf(self, seat: Seat) -> Response:
        """Gives the card as a PDF."""
        card = self._card(seat, _asked(request.args, self.desk.language)[1])
        with self.desk.portal.lane.away():
            pdf = come_back_card(card)
        return paper_response(pdf)

    def _options_page(self, seat: Seat, need: str, language: str, *, few: bool = False) -> Response:
        said = catalog(self.desk.language)
        found = [(one.id, self._option(one, said)) for one in self._services(seat, need)] if need else []
        http_status = 422 if few else 200
        return self._page(
            seat, "options", http_status, need=need, chosen_language=language, found=found, few=few
        )

    def _page(self, seat: Seat, name: str, http_status: int = 200, **values: Any) -> Response:
        return self.desk.portal.page(seat, f"portal/handouts/{name}.html", http_status, needs=NEEDS, **values)

    def _card(self, seat: Seat, language: str) -> ComeBackCard:
        """Gives the card: the network's own neutral name and number, which tell nothing of a shelter."""
        hub = self.desk.hub_organization()
        name = (hub.neutral_name or hub.name) if hub is not None else ""
        phone = self.desk.phone_of(seat, hub.facts.id) if hub is not None else ""
        return ComeBackCard(language, name, phone)

    def _sheet(self, seat: Seat, need: str, language: str, wanted: list[str]) -> OptionsSheet | None:
        """Gives the sheet that was asked for; None where fewer than two options were chosen."""
        if not need or len(set(wanted)) < 2:
            return None
        said = catalog(language)
        found = {one.id: one for one in self._services(seat, need)}
        options = tuple(self._option(found[one], said) for one in dict.fromkeys(wanted) if one in found)
        if len(options) < 2:
            return None
        return OptionsSheet(language, self.desk.today(), said.text(f"permission.domain.{need}"), options)

    def _services(self, seat: Seat, need: str) -> list[Service]:
        pairs = [
            ("service-type", f"{SERVICE_DOMAIN}|{need}"),
            ("active", "true"),
            ("_include", "HealthcareService:organization"),
            ("_count", _MOST_SERVICES),
        ]
        found = search(self.desk.portal.hub, seat.token, "HealthcareService", pairs)
        names = {
            f"Organization/{row['id']}": str(row.get("name", ""))
            for row in (json_codec.decode_own(one.body) for one in found.included)
        }
        services = []
        for one in found.matches:
            row = json_codec.decode_own(one.body)
            provider = names.get(reference_text(row.get("providedBy")), "")
            services.append(Service(str(row["id"]), row, provider))
        return sorted(services, key=lambda one: text_at(one.body, "name") or one.provider)

    def _option(self, service: Service, said: Catalog) -> Option:
        body = service.body
        told = extension(body, CAPACITY)
        parts = {one.get("url"): one for one in told.get("extension") or ()} if isinstance(told, dict) else {}
        status = str(parts.get("status", {}).get("valueCode", ""))
        as_of = str(parts.get("as-of", {}).get("valueDateTime", ""))
        name = text_at(body, "name")
        return Option(
            name=f"{name} ({service.provider})"
            if name and service.provider not in ("", name)
            else name or service.provider,
            offers=tuple(
                said.text(f"permission.domain.{code}")
                for concept in body.get("type") or ()
                for system, code in codings(concept)
                if system == SERVICE_DOMAIN and code in SERVICE_DOMAINS
            ),
            languages=tuple(code for one in body.get("communication") or () for _, code in codings(one)),
            area=_area(body),
            capacity=_ROOM.get(status, "unknown"),
            capacity_on=_day(as_of),
            cost=_cost(body, said),
            access=_access(body, said),
        )


def _asked(given: Mapping[str, str], otherwise: str) -> tuple[str, str]:
    """Gives the need and the language that were asked for; what is none of the lists is left out."""
    need, language = given.get("need", ""), given.get("language", "")
    return need if need in SERVICE_DOMAINS else "", language if language in LANGUAGES else otherwise


def _cost(body: Mapping[str, Any], said: Catalog) -> str:
    for concept in body.get("serviceProvisionCode") or ():
        for _, code in codings(concept):
            if code in _COSTS:
                return said.text(f"permission.cost.{code}")
        if concept.get("text"):
            return str(concept["text"])
    return ""


def _access(body: Mapping[str, Any], said: Catalog) -> tuple[str, ...]:
    notes = [str(one["comment"]) for one in body.get("eligibility") or () if one.get("comment")]
    if body.get("appointmentRequired") is not None:
        key = "appointment" if body["appointmentRequired"] else "no-appointment"
        notes.insert(0, said.text(f"permission.access.{key}"))
    return tuple(notes)


def _area(body: Mapping[str, Any]) -> str:
    """Gives the part of town a service says it is for, in words; never a place."""
    return next((str(one["display"]) for one in body.get("coverageArea") or () if one.get("display")), "")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None
