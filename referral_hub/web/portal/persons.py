"""The persons a seat works with: the list, a new file, and one person's page.

What lives here: these pages. What does not: permissions (``web.portal.permissions``), referring, her own pages; who may
see whom (the gate).

Her name is in no address: a search by name is sent as a form. No field asks what happened.

Source: ``practice.md`` 1, 12 and 13; ``views.md`` 9 (Safe contact, Stage).
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, request

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.person_file import (
    CHANNELS,
    Opening,
    Safety,
    called,
    episode,
    is_child,
    is_nameless,
    language_of,
    mark_of,
    needs_interpreter,
    opened,
    safety_of,
    with_safety,
)
from referral_hub.casework.tracking import permits_of
from referral_hub.errors import Conflict, VersionConflict
from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.dates import instant
from referral_hub.fhir.elements import code_in, reference_text, text_at
from referral_hub.texts.catalogs import LANGUAGES
from referral_hub.web.portal.asking import Asking, Fields, Resource, creating, version_of
from referral_hub.web.portal.frame import Portal
from referral_hub.web.portal.rows import ALONG, name_of, rows_of, with_stops
from referral_hub.web.portal.staff import Staff

PAGE = 25
SOON_DAYS = 14
"""A permission that ends within so many days is told of."""
_DAY_US = 86_400_000_000
STAGE = code_system("care-stage")
TONGUES = (
    *LANGUAGES,
    "vi",
    "ro",
    "bg",
    "zh",
    "tl",
    "th",
    "hi",
    "bn",
    "ur",
    "fa",
    "fr",
    "pt",
    "ru",
    "sq",
    "tr",
)
"""Languages a form offers first; what is missing is written down as it is called, by its tag."""
_LONGEST = 200

Ending = Callable[[str, int, int], list[tuple[str, int]]]
"""Gives (Consent id, when it ends) of the permissions of an account's persons that end in a span."""


@dataclass(frozen=True, slots=True)
class Known:
    """One person on the list, as this seat sees her."""

    id: str
    who: str
    mark: str
    nameless: bool
    child: bool
    interpreter: bool | None
    language: str
    updated: str


@dataclass(frozen=True, slots=True)
class Ends:
    """A permission that ends soon: whose, for whom, when."""

    patient: str
    who: str
    mark: str
    consent: str
    recipient: str
    until: str


def persons_blueprint(portal: Portal, staff: Staff, ending: Ending) -> Blueprint:
    """Gives the routes.

    Args:
        portal: the frame.
        staff: who works here, and who works with whom.
        ending: finds permissions that end soon.
    """
    blueprint = Blueprint("portal_persons", __name__)
    persons = Persons(portal, staff, ending)

    @blueprint.get("/people")
    @portal.staff()
    def people(seat: Seat) -> Response:
        return persons.listed(seat)

    @blueprint.post("/people")
    @portal.staff()
    def find(seat: Seat) -> Response:
        return persons.found(seat, portal.form().get("name", ""))

    @blueprint.get("/people/new")
    @portal.staff()
    def new(seat: Seat) -> Response:
        return persons.blank(seat, {}, {})

    @blueprint.post("/people/new")
    @portal.staff()
    def begin(seat: Seat) -> Response:
        return persons.begun(seat, portal.form())

    @blueprint.get("/people/<patient>")
    @portal.staff()
    def one(seat: Seat, patient: str) -> Response:
        return persons.shown(seat, patient, {}, {})

    @blueprint.post("/people/<patient>")
    @portal.staff()
    def change(seat: Seat, patient: str) -> Response:
        return persons.changed(seat, patient, portal.form())

    return blueprint


@dataclass(frozen=True, slots=True)
class Persons:
    """The pages; see :func:`persons_blueprint`."""

    portal: Portal
    staff: Staff
    ending: Ending

    def listed(self, seat: Seat) -> Response:
        """Gives the list of files opened here, whoever changed last first; or those whose permissions end soon.

        Who is known by a referral only is in the inbox, among what was taken.
        """
        asking = Asking(self.portal.hub, seat)
        if request.args.get("show") == "ending":
            ends = self.ends(asking, seat)
            return self.portal.page(seat, "portal/people/ending.html", ends=ends)
        pairs = [("_sort", "-_lastUpdated"), ("_count", str(PAGE))]
        found = asking.find("Patient", pairs, own=True, following=request.args.get("page", ""))
        known = [_known(one) for one in found.matches]
        return self.portal.page(
            seat, "portal/people/list.html", people=known, next=found.next, name="", searched=False
        )

    def found(self, seat: Seat, name: str) -> Response:
        """Gives who is called so, among those this seat works with."""
        asking = Asking(self.portal.hub, seat)
        wanted = " ".join(name.split())[:_LONGEST]
        matches: tuple[Resource, ...] = ()
        if wanted:
            escaped = wanted.replace("\\", "\\\\").replace(",", "\\,").replace("$", "\\$").replace("|", "\\|")
            matches = asking.find("Patient", [("name", escaped), ("_count", "50")]).matches
        known = [_known(one) for one in matches]
        return self.portal.page(
            seat, "portal/people/list.html", people=known, next="", name=name, searched=True
        )

    def ends(self, asking: Asking, seat: Seat) -> list[Ends]:
        """Gives the permissions of this seat's persons that end soon, the next one first."""
        at_us = self.portal.hub.clock()
        soon = self.ending(seat.signed.account, at_us, at_us + SOON_DAYS * _DAY_US)
        if not soon:
            return []
        ids = ",".join(consent for consent, _ in soon)
        pairs = [
            ("_id", ids),
            ("status", "active"),
            ("_count", str(len(soon))),
            ("_include", "Consent:patient"),
        ]
        found = asking.find("Consent", pairs, own=True)
        permits = permits_of(found.matches, at_us)
        names = asking.many([f"Organization/{one.recipient}" for one in permits])
        last = at_us + SOON_DAYS * _DAY_US
        told = []
        for one in permits:
            if not one.until or one.until[:10] > instant(last)[:10]:
                continue
            patient = one.patient.partition("/")[2]
            told.append(
                Ends(
                    patient,
                    called(found.along.get(one.patient)),
                    mark_of(patient),
                    one.consent,
                    name_of(names.get(f"Organization/{one.recipient}")),
                    one.until,
                )
            )
        return told

    def blank(self, seat: Seat, typed: dict[str, str], problems: dict[str, str]) -> Response:
        """Gives the form of a new file, with what was typed before."""
        return self.portal.page(
            seat,
            "portal/people/new.html",
            422 if problems else 200,
            typed=Fields(typed),
            ticked=self.portal.pages.all_of("channel") if request.method == "POST" else (),
            problems=Fields(problems),
            channels=CHANNELS,
            tongues=_tongues(self.portal.pages.language()),
        )

    def begun(self, seat: Seat, form: dict[str, str]) -> Response:
        """Opens a file: the person and the stretch of help that begins, as one act."""
        asking, problems = Asking(self.portal.hub, seat), {}
        name = " ".join(form.get("name", "").split())
        if len(name) > _LONGEST:
            problems["name"] = "people.problem.long"
        if form.get("age") not in ("adult", "child"):
            problems["age"] = "people.problem.age"
        language = form.get("language", "")
        if language and language not in TONGUES:
            problems["language"] = "people.problem.language"
        if problems:
            return self.blank(seat, form, problems)
        opening = Opening(
            name, form["age"] == "child", form.get("interpreter") == "yes", language, self._safety(form)
        )
        patient = self.portal.hub.ids.public_id()
        starts = instant(self.portal.hub.clock())
        asking.write(
            creating(opened(opening), patient),
            creating(episode(patient, asking.organization, starts)),
        )
        return self.portal.to(f"/people/{patient}")

    def changed(self, seat: Seat, patient: str, form: dict[str, str]) -> Response:
        """Takes a form of a person's page: her safety rules, or who works with her."""
        asking = Asking(self.portal.hub, seat)
        body = asking.one("Patient", patient)
        problems: dict[str, str] = {}
        if form.get("staff"):
            if not self.staff.changed(seat, patient, form):
                problems["staff"] = "inbox.problem.staff"
        elif form.get("act") == "safety":
            if form.get("version") != version_of(body):
                problems["changed"] = "error.changed"
            else:
                try:
                    asking.update(with_safety(body, self._safety(form)), form["version"])
                except (VersionConflict, Conflict):
                    problems["changed"] = "error.changed"
        if problems:
            return self.shown(seat, patient, form, problems)
        return self.portal.to(f"/people/{patient}")

    def _safety(self, form: dict[str, str]) -> Safety:
        ticked = self.portal.pages.all_of("channel")
        return Safety(
            tuple(code for code in CHANNELS if code in ticked),
            form.get("hours", "").strip()[:_LONGEST],
            form.get("safe_word", "").strip()[:_LONGEST],
            form.get("meeting_point", "").strip()[:_LONGEST],
        )

    def shown(self, seat: Seat, patient: str, typed: dict[str, str], problems: dict[str, str]) -> Response:
        """Gives a person's page; safe contact stands at its top.

        Args:
            seat: who sits there.
            patient: id of the Patient.
            typed: what was typed before, where a form did not fit.
            problems: what did not fit, as keys of sentences by field.
        """
        asking, at_us = Asking(self.portal.hub, seat), self.portal.hub.clock()
        body = asking.one("Patient", patient)
        hers = [("patient", f"Patient/{patient}")]
        tasks = asking.find(
            "Task",
            [*hers, ("intent", "order"), ("_sort", "-_lastUpdated"), ("_count", "20"), *ALONG],
            own=True,
        )
        rows = with_stops(rows_of(tasks, at_us), asking, at_us)
        consents = asking.find("Consent", [*hers, ("status", "active"), ("_count", "50")], own=True)
        permits = permits_of(consents.matches, at_us)
        names = asking.many([f"Organization/{one.recipient}" for one in permits])
        episodes = asking.find("EpisodeOfCare", [*hers, ("status", "active"), ("_count", "5")], own=True)
        plans = asking.find("CarePlan", [*hers, ("status", "active"), ("_count", "5")], own=True)
        came = asking.find(
            "Task",
            [*hers, ("owner", f"Organization/{asking.organization}"), ("intent", "order"), ("_count", "10")],
        )
        safety = self._safety(typed) if typed.get("act") == "safety" else safety_of(body)
        return self.portal.page(
            seat,
            "portal/people/one.html",
            422 if problems else 200,
            person=_known(body),
            own=bool(asking.find("Patient", [("_id", patient)], own=True).matches),
            version=version_of(body),
            safety=safety,
            channels=CHANNELS,
            rows=rows,
            more_rows=bool(tasks.next),
            permits=[(one, name_of(names.get(f"Organization/{one.recipient}"))) for one in permits],
            soon=instant(at_us + SOON_DAYS * _DAY_US),
            since=next((text_at(one, "period.start") for one in episodes.matches), ""),
            plans=[_plan(one) for one in plans.matches],
            came=[str(one["id"]) for one in came.matches if _asked_by_others(one, asking.organization)],
            team=self.staff.team(seat, patient),
            typed=Fields(typed),
            problems=Fields(problems),
        )


def _known(patient: Resource) -> Known:
    return Known(
        str(patient["id"]),
        called(patient),
        mark_of(str(patient["id"])),
        is_nameless(patient),
        is_child(patient),
        needs_interpreter(patient),
        language_of(patient),
        text_at(patient, "meta.lastUpdated"),
    )


def _plan(plan: Resource) -> tuple[str, str]:
    return code_in(plan.get("category"), STAGE), str(plan.get("description", ""))


def _asked_by_others(task: Resource, organization: str) -> bool:
    return reference_text(task.get("requester")) != f"Organization/{organization}" and bool(
        reference_text(task.get("requester"))
    )


def _tongues(language: str) -> list[tuple[str, str]]:
    """Gives the languages a form offers, as the reader calls them."""
    from babel import Locale

    names = Locale.parse(language).languages
    return sorted(((tag, str(names.get(tag, tag))) for tag in TONGUES), key=lambda one: one[1].casefold())
