"""Chapter two: the two clinics, of which only one ever learns who she is (steps 7 to 11).

Source: ``practice.md`` (the story), rules 3, 4 and 6; ``views.md`` 1, 2, 6 and 9.
"""

from datetime import UTC, datetime, timedelta

from referral_hub.app import clock
from referral_hub.demo import papers
from referral_hub.demo.cast import Story, answers_of, public_id, step_of
from referral_hub.demo.papers import CATEGORY, given, reason, to
from referral_hub.demo.previews import preview_bytes
from referral_hub.demo.stage import Step, wait_for

CONDITIONS = ("no-reminders", "no-portal", "no-letters")
NOTICE_TASK = frozenset(
    {
        *("identifier", "status", "businessStatus", "intent", "priority", "code", "focus", "for"),
        *("authoredOn", "lastModified", "requester", "owner", "restriction", "input", "output"),
    }
)
NOTICE_REQUEST = frozenset(
    {"identifier", "status", "intent", "category", "code", "priority", "subject", "requester", "performer"}
)
CUT = frozenset({"status", "scope", "category", "patient", "dateTime", "policy", "provision"})


def sign(story: Story) -> str:
    """She signs with a mark: two separate yeses."""
    prove, shelter, clinic = story.prove, story.shelter, story.party("clinic_one")
    patient, release = story.papers["person"], story.papers["clinic_release"]
    requested = {**story.referral("health_task"), "status": "requested"}
    prove.answered("sending before she signed", shelter.software.update(requested), 422, "No release")

    signed = shelter.change(release, status="active", dateTime=papers.now())
    shelter.create(papers.her_act(release, patient, shelter.organization))
    (permit,) = signed["provision"]["provision"]
    lasts = _moment(permit["period"]["end"]) - _moment(permit["period"]["start"])
    prove.same("how long the first yes lasts", lasts, timedelta(days=30))
    sign_answer(story, "clinic_back", clinic.organization)
    more = {**permit, "class": [*permit["class"], {**permit["class"][0], "code": "family"}]}
    widened = {**signed, "provision": {**signed["provision"], "provision": [more]}}
    prove.answered("changing what was signed", shelter.software.update(widened), 422, "signed")
    acts = [f"Consent/{public_id(story.papers[name])}" for name in ("clinic_release", "clinic_back")]
    for act in acts:
        (told,) = shelter.search("Provenance", target=act, agent=patient)
        prove.same("whose act it was", told["agent"][0]["who"]["reference"], patient)

    shelter.change(story.papers["health_task"], status="requested")
    inbox = clinic.search("Task", status="requested")
    prove.same("what the clinic finds", [f"Task/{one['id']}" for one in inbox], [story.papers["health_task"]])
    request, person = clinic.read(story.papers["health_request"]), clinic.read(patient)
    prove.nothing_but("the notice", inbox[0], NOTICE_TASK)
    prove.nothing_but("the request", request, NOTICE_REQUEST)
    prove.same("what is needed, roughly", request["code"]["coding"], [{"system": CATEGORY, "code": "health"}])
    prove.nothing_but("the person", person, ("extension",))
    prove.same("who seems to ask", inbox[0]["requester"], to("Organization", story.network))
    hidden = ("hand", "asthma", "sleep", "wages", "clinic_release", "clinic_back")
    prove.absent("all else", [clinic.get(story.papers[name]) for name in hidden])
    return (
        "She signs with a mark, and gives two separate yeses: we may tell the clinic, for 30 days; the clinic may "
        'tell us "came, next date". The clinic now reads the bare notice, still without a name.'
    )


def sign_answer(story: Story, name: str, keeper: str) -> None:
    """Lets her say that an organisation may tell the shelter: came or not, next date, needs more."""
    shelter, patient = story.shelter, story.papers["person"]
    allowed = papers.permit(shelter.organization, "shelter-placement", ("outcome",))
    story.write(name, papers.release(patient, keeper, allowed))
    shelter.create(papers.her_act(story.papers[name], patient, shelter.organization))


def go_elsewhere(story: Story) -> str:
    """The first clinic is full; she gives a new yes for the second."""
    prove, shelter, first = story.prove, story.shelter, story.party("clinic_one")
    patient, second = story.papers["person"], story.clinic_two
    task = story.papers["health_task"]
    first.change(task, status="rejected", statusReason=reason("at-capacity", "Full until Monday."))
    seen = first.read(task)
    prove.same("the first clinic's card", seen["status"], "rejected")
    prove.true("its card names nobody", not {"for", "focus", "businessStatus"} & set(seen), seen)
    prove.absent(
        "the rest at the first clinic", [first.get(patient), first.get(story.papers["health_request"])]
    )
    told = [part for part in disclosures(story) if part.get("recipient") == first.organization]
    prove.true("what it ever got of her is on record", bool(told))
    prove.true("none of it was her own words or findings", not _mentions(told, "Condition"), told)

    shelter.change(story.papers["health_request"], performer=[to("Organization", second.organization)])
    allowed = papers.permit(second.organization, "TREAT", ("identity", "health"))
    draft = papers.release(patient, shelter.organization, allowed, status="draft")
    story.write("second_release", draft)
    for state in ("requested", "accepted"):
        story.kept[f"preview {state}"] = preview_bytes(
            story, "health_request", second.organization, state, "second_release"
        ).body
    prove.absent("her file, at the second clinic, before her yes", [second.look(patient)])
    shelter.change(story.papers["second_release"], status="active", dateTime=papers.now())
    shelter.create(papers.her_act(story.papers["second_release"], patient, shelter.organization))
    sign_answer(story, "second_back", second.organization)
    conditions = [given("handling-condition", valueCode=condition) for condition in CONDITIONS]
    asked = papers.task(patient, story.papers["health_request"], second.organization, input=conditions)
    story.write("second_task", asked)

    prove.absent("the new referral, at the first clinic", [first.get(story.papers["second_task"])])
    inbox = {f"Task/{one['id']}" for one in first.search("Task")}
    prove.same("all the first clinic has", inbox, {task, story.papers["night_task"]})
    return (
        "The first clinic is full and never learned who she is; its card tells nobody's name. She sees a new "
        "preview and gives a new yes for the second clinic. Neither clinic can tell of the other."
    )


def notice_arrives(story: Story) -> str:
    """The second clinic's own system gets the notice and confirms three conditions."""
    prove, clinic = story.prove, story.clinic_two
    base = story.shelter.software.fhir_base
    screen = wait_for(
        "the referral in the second clinic's own system",
        lambda: clinic.screen()["referrals"],
        lambda found: bool(found) and bool(found[0]["need"]),
    )
    (seen,) = screen
    story.kept["second"] = seen["id"]
    sent = clinic.own_task(seen["id"])
    prove.nothing_but("what was sent", sent, NOTICE_TASK)
    prove.same("where it leads", sent["for"]["reference"], f"{base}/{story.papers['person']}")
    prove.same("who seems to ask", sent["requester"]["reference"], f"{base}/Organization/{story.network}")
    prove.same("the label on it", [one["code"] for one in sent["meta"]["security"]], ["R", "NOREUSE"])
    prove.same("what is needed, on its screen", seen["need"], ["health"])
    prove.same("adult or child", (seen["age_group"], seen["interpreter"]), ("adult", True))
    prove.same("a name", seen["name"], "")
    prove.same(
        "what it may open", seen["items"], sorted((story.papers["health_request"], story.papers["person"]))
    )
    for name in ("health_request", "person"):
        got = clinic.look(story.papers[name])
        prove.true(f"{name} as in her preview, byte for byte", got.body in story.kept["preview requested"])

    prove.same("the conditions", tuple(seen["asked_to_confirm"]), CONDITIONS)
    clinic.act("confirm", task=seen["id"])
    story.until("second_task", "the clinic saw it", lambda task: step_of(task) == "acknowledged")
    own = clinic.look(story.papers["second_task"]).resource
    confirmed = [entry["valueCode"] for entry in own["output"]]
    prove.same("what it confirmed", tuple(confirmed), CONDITIONS)
    prove.same("a name, still", clinic.referral(seen["id"])["name"], "")
    return (
        "The second clinic's own records system gets the notice, still without a name, and confirms: no reminders, "
        "no portal, no letters."
    )


def second_accepts(story: Story) -> str:
    """It accepts; only now name and agreed items arrive."""
    prove, clinic = story.prove, story.clinic_two
    clinic.act("accept", task=story.kept["second"])
    story.until("second_task", "the clinic accepted", lambda task: task["status"] == "accepted")
    seen = wait_for(
        "her name on the second clinic's screen",
        lambda: clinic.referral(story.kept["second"]),
        lambda found: bool(found["name"]) and len(found["items"]) >= 4,
    )
    agreed = ("health_request", "person", "hand", "asthma")
    prove.true("her name", "Larissa Sparrow" in seen["name"], seen["name"])
    prove.same("what it may open", seen["items"], sorted(story.papers[name] for name in agreed))
    for name in agreed:
        got = clinic.look(story.papers[name])
        prove.true(f"{name} as in her preview, byte for byte", got.body in story.kept["preview accepted"])
    person = clinic.look(story.papers["person"]).resource
    prove.nothing_but("her file", person, ("extension", "name", "gender", "birthDate"))
    own = clinic.look(story.papers["second_task"]).resource
    prove.same("who asks, now", own["requester"], to("Organization", story.shelter.organization))
    inbox = clinic.look("Task")
    found = [entry["resource"]["id"] for entry in inbox.resource["entry"]]
    prove.same("its whole inbox", found, [public_id(story.papers["second_task"])])
    opened = [inbox, *(clinic.look(story.papers[name]) for name in (*agreed, "second_release"))]
    first = story.party("clinic_one").organization.encode()
    prove.true("nothing it opens tells of the first clinic", not any(first in one.body for one in opened))
    cut = clinic.look(story.papers["second_release"]).resource
    prove.nothing_but("its copy of the permission", cut, CUT)

    prove.absent("all else", [clinic.look(story.papers[name]) for name in ("wages", "papers", "sleep")])
    found = [_found(story, category) for category in ("legal-needs", "immigration", "housing")]
    prove.same("a search for legal data and one for nothing", found, [0, 0, 0])
    return (
        "It accepts. Only now her name and the agreed items arrive, to the byte as she saw them in the preview. "
        "Asking for legal data looks exactly like asking for nothing."
    )


def _found(story: Story, category: str) -> int:
    person = public_id(story.papers["person"])
    found = story.clinic_two.look(
        f"Condition?patient={person}&category={CATEGORY}%7C{category}&_total=accurate"
    )
    story.prove.same("a search by the clinic", found.http_status, 200)
    story.prove.true("no entry", "entry" not in found.resource)
    return int(found.resource["total"])


def treat(story: Story) -> str:
    """It books and completes; the shelter sees came, next visit in two weeks, and no more."""
    prove, shelter, clinic = story.prove, story.shelter, story.clinic_two
    task = story.kept["second"]
    clinic.act("book", task=task)
    booked = story.until("second_task", "a visit is booked", lambda seen: seen["status"] == "in-progress")
    prove.same("the finer step", step_of(booked), "appointment-scheduled")
    prove.same("appointments the shelter can find", shelter.search("Appointment"), [])

    clinic.act("complete", task=task)
    done = story.until("second_task", "the visit took place", lambda seen: seen["status"] == "completed")
    (entry,) = clinic.look("Appointment?status=booked").resource["entry"]
    next_visit = entry["resource"]
    story.papers["next_visit"] = f"Appointment/{next_visit['id']}"
    ahead = _moment(next_visit["start"]) - datetime.fromtimestamp(clock() / 1e6, UTC)
    prove.same("the next visit", round(ahead / timedelta(days=1)), 14)
    prove.same("the answer", answers_of(done), {"attendance": "came", "next-date": next_visit["start"][:10]})
    prove.true("no note, no reason", not {"note", "statusReason"} & set(done), done)
    written = clinic.own_task(task)["output"][-1]["valueReference"]["reference"]
    story.papers["procedure"] = written.removeprefix(f"{shelter.software.fhir_base}/")
    prove.absent("what was done", [shelter.get(story.papers["procedure"])])
    prove.same(
        "what was done, as the clinic reads it", clinic.look(story.papers["procedure"]).http_status, 200
    )
    prove.absent("the next appointment itself", [shelter.get(story.papers["next_visit"])])
    return (
        'It books, treats her hand and completes. The shelter reads "came, next visit in two weeks" and no more: '
        "no findings, no note, no appointment."
    )


def disclosures(story: Story) -> list[dict[str, str]]:
    """Gives who received what of her and who was refused: one flat line per entry."""
    told = story.shelter.operation(f"{story.papers['person']}/$disclosures")
    lines = []
    for parameter in told.get("parameter", ()):
        line = {"kind": str(parameter["name"])}
        for part in parameter["part"]:
            value = next(held for name, held in part.items() if name.startswith("value"))
            text = value["reference"].partition("/")[2] if isinstance(value, dict) else str(value)
            line[part["name"]] = f"{line[part['name']]} {text}" if part["name"] in line else text
        lines.append(line)
    return lines


def _mentions(lines: list[dict[str, str]], type_name: str) -> bool:
    return any(
        f"{type_name}/" in line.get("resource", "") for line in lines if line["outcome"] == "disclosed"
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


STEPS = (
    Step(7, "day 2, 11:20", "two yeses", sign),
    Step(8, "day 2, 15:00", "the first clinic is full", go_elsewhere),
    Step(9, "day 2, 15:05", "the notice", notice_arrives),
    Step(10, "day 2, 16:00", "the second clinic accepts", second_accepts),
    Step(11, "day 4, 09:30", "the visit", treat),
)
