"""Chapter three: legal aid, the adviser, and the office she decides about herself (steps 12 to 17).

Source: ``practice.md`` (the story), rules 3, 11, 13 and 15; ``views.md`` 9.
"""

import base64

from referral_hub.demo import papers
from referral_hub.demo.cast import Story, public_id, step_of
from referral_hub.demo.clinics import NOTICE_REQUEST, NOTICE_TASK, disclosures, sign_answer
from referral_hub.demo.papers import BUSINESS_STATUS, CARE_STAGE, CATEGORY, coded, given, to
from referral_hub.demo.stage import Step
from referral_hub.demo.tracker import Row, ball_of, tracker
from referral_hub.fhir.elements import code_in

_ALL = ("Task", "ServiceRequest", "Consent", "CarePlan", "Patient", "EpisodeOfCare", "DocumentReference")
LATE_S = 2


def hand_over_case(story: Story) -> str:
    """Legal aid checks by voice and takes the case; the shelter is responsible until it confirms."""
    prove, shelter, legal = story.prove, story.shelter, story.party("legal_aid")
    patient, task = story.papers["person"], story.papers["legal_task"]
    shelter.change(story.papers["plan"], category=[coded(CARE_STAGE, "transitional")])
    allowed = papers.permit(legal.organization, "legal-representation", ("identity", "legal-needs"), days=90)
    story.write("legal_release", papers.release(patient, shelter.organization, allowed))
    sign_answer(story, "legal_back", legal.organization)
    shelter.change(task, status="requested", input=[given("handoff", valueBoolean=True)])

    seen = legal.read(task)
    prove.nothing_but("the notice", seen, NOTICE_TASK)
    prove.nothing_but("the person", legal.read(patient), ("extension",))
    legal.change(task, businessStatus=coded(BUSINESS_STATUS, "acknowledged"))
    prove.same("after the check by voice", step_of(story.referral("legal_task")), "acknowledged")
    prove.nothing_but("the person, after the check", legal.read(patient), ("extension",))

    legal.change(task, status="accepted")
    prove.true("her name, now", "Larissa" in str(legal.read(patient)["name"]))
    prove.same(
        "the legal need", legal.read(story.papers["wages"])["category"], [coded(CATEGORY, "legal-needs")]
    )
    prove.absent("her health and her stay", [legal.get(story.papers[name]) for name in ("hand", "papers")])
    prove.same("who has the ball", _ball(story, "legal_task"), shelter.organization)
    legal.change(task, status="in-progress", businessStatus=coded(BUSINESS_STATUS, "contact-made"))
    prove.same("who has the ball, once confirmed", _ball(story, "legal_task"), legal.organization)
    return (
        "Legal aid checks by voice for conflicts, with no names in writing, and takes the case. The shelter stays "
        "responsible until legal aid confirms that it is on it."
    )


def stop_mistake(story: Story) -> str:
    """A worker addresses the government office by mistake: nothing is stored, queued or sent."""
    prove, shelter, office = story.prove, story.shelter, story.party("office")
    patient = story.papers["person"]
    wrong = papers.request(patient, "immigration", "immigration-advice", office.organization)
    story.write("stay_request", wrong)
    before = story.versions(*_ALL)
    attempt = papers.task(patient, story.papers["stay_request"], office.organization)
    prove.answered("the mistake", shelter.software.create(attempt), 422, "She refused")
    prove.same("what it left behind", story.versions(*_ALL), before)
    prove.same("referrals to that office", shelter.search("Task", focus=story.papers["stay_request"]), [])
    prove.same("what that office finds", [*office.search("Task"), *office.search("ServiceRequest")], [])
    prove.absent("her file, at that office", [office.get(patient)])
    refused = [
        line
        for line in disclosures(story)
        if line.get("recipient") == office.organization and line["reason"] == "ConsentRefused"
    ]
    prove.same("the attempt, on her record", [line["outcome"] for line in refused], ["refused"])
    return (
        "A worker addresses the government immigration office by mistake. It is stopped: nothing stored, nothing "
        "queued, nothing sent. The attempt itself stands in her record."
    )


def ask_adviser(story: Story) -> str:
    """An independent immigration adviser accepts under its own permission."""
    prove, shelter, adviser = story.prove, story.shelter, story.party("adviser")
    patient = story.papers["person"]
    shelter.change(story.papers["stay_request"], performer=[to("Organization", adviser.organization)])
    allowed = papers.permit(
        adviser.organization,
        "immigration-representation",
        ("identity", "immigration"),
        very_restricted=True,
        days=90,
    )
    story.write("adviser_release", papers.release(patient, shelter.organization, allowed))
    story.write("adviser_task", papers.task(patient, story.papers["stay_request"], adviser.organization))
    prove.nothing_but("the notice", adviser.read(story.papers["adviser_task"]), NOTICE_TASK)
    prove.absent("her papers, before a yes", [adviser.get(story.papers["papers"])])
    adviser.change(story.papers["adviser_task"], status="accepted")
    told = adviser.read(story.papers["papers"])
    prove.same("what it may know of her papers", told["code"]["text"], "Passport is with somebody else")
    prove.absent(
        "the rest", [adviser.get(story.papers[name]) for name in ("hand", "wages", "procedure", "plan")]
    )
    legal = story.party("legal_aid")
    prove.absent("the adviser's referral, at legal aid", [legal.get(story.papers["adviser_task"])])

    second = papers.request(patient, "legal-needs", "compensation", legal.organization)
    story.write("claim_request", second)
    soon = {"period": {"end": papers.now(seconds=LATE_S)}}
    late = papers.task(patient, story.papers["claim_request"], legal.organization, restriction=soon)
    story.write("claim_task", late)
    return (
        "An independent immigration adviser accepts, under a permission of its own. It reads about her stay and "
        "nothing of her health, her wages or her plan."
    )


def allow_one_letter(story: Story) -> str:
    """She decides: one letter to that office, for one purpose; she narrows her own refusal."""
    prove, shelter, office = story.prove, story.shelter, story.party("office")
    patient = story.papers["person"]
    words = "She asks for a permit to stay while her case is open."
    story.write("letter", papers.letter(patient, "Request to stay", words))
    story.write("other_letter", papers.letter(patient, "Notes for the adviser", "Not for anybody else."))
    story.write(
        "office_request", papers.request(patient, "immigration", "identity-documents", office.organization)
    )
    allowed = papers.permit(office.organization, "residence-permit", instances=(story.papers["letter"],))
    story.write("office_release", papers.release(patient, shelter.organization, allowed))
    addressed = papers.task(patient, story.papers["office_request"], office.organization)
    attempt = shelter.software.create(addressed)
    prove.answered("while her refusal stands whole", attempt, 422, "She refused")

    refusal = shelter.read(story.papers["refusal"])
    narrowed = {**refusal["provision"], "provision": [papers.exception(allowed)]}
    shelter.change(story.papers["refusal"], provision=narrowed)
    shelter.create(papers.her_act(story.papers["refusal"], patient, shelter.organization))
    story.write("office_task", addressed)
    office.change(story.papers["office_task"], status="accepted")

    attachment = office.read(story.papers["letter"])["content"][0]["attachment"]
    prove.same("the letter", base64.b64decode(attachment["data"]).decode(), words)
    prove.nothing_but("the referral", office.read(story.papers["office_task"]), NOTICE_TASK)
    request = office.read(story.papers["office_request"])
    prove.nothing_but("the request", request, NOTICE_REQUEST)
    prove.same("what is asked, roughly", request["code"]["coding"][0]["code"], "immigration")
    prove.nothing_but("the person", office.read(patient), ("extension",))
    hidden = ("other_letter", "papers", "hand", "wages", "plan", "refusal", "stay_request", "adviser_task")
    prove.absent("everything else", [office.get(story.papers[name]) for name in hidden])
    found = [one["id"] for one in office.search("DocumentReference")]
    prove.same(
        "letters that office can find",
        [f"DocumentReference/{one}" for one in found],
        [story.papers["letter"]],
    )
    return (
        "Lark decides: one letter to that office, for one purpose, and narrows her own refusal by just that. "
        "The office reads the letter and, beyond the bare notice, nothing: no name, no other letter."
    )


def look_at_tracker(story: Story) -> str:
    """One tracker for all: who has the ball, since when; one answer is late and is raised."""
    prove, legal = story.prove, story.party("legal_aid")
    late = story.until("claim_task", "an answer is late", lambda task: step_of(task) == "overdue")
    prove.same("its status stays", late["status"], "requested")
    prove.same(
        "legal aid still has the notice", legal.read(story.papers["claim_task"])["status"], "requested"
    )
    rows = tracker(story)
    prove.same("what is late", [row.asked for row in rows if row.late], [legal.name])
    stands = {(row.asked, row.need): row for row in rows if row.stands != "done"}
    expected = {
        ("Bridge Clinic", "health"): "we",
        ("Open Door Legal Aid", "legal needs"): "Open Door Legal Aid",
        ("Ferry Immigration Advice", "immigration"): "Ferry Immigration Advice",
        ("Immigration Office", "immigration"): "Immigration Office",
    }
    prove.same("who has the ball", {place: row.ball for place, row in stands.items()}, expected)
    prove.true("since when", all(row.since for row in rows), rows)
    prove.same("referrals of others on it", _foreign(story, rows), [])
    events = story.shelter.search("AuditEvent", patient=public_id(story.papers["person"]))
    alerts = [one["entity"] for one in events if one["subtype"][0]["code"] == "alert"]
    prove.true("it is raised to the shelter", story.papers["claim_task"] in str(alerts), alerts)
    return (
        "One tracker for all agencies, made from the referrals themselves: who has the ball, and since when. "
        "One answer is later than agreed and is raised; nobody's view changes by that."
    )


def _foreign(story: Story, rows: list[Row]) -> list[str]:
    known = {story.clinic_two.name, *(party.name for party in story.parties.values())}
    return [row.asked for row in rows if row.asked not in known]


def step_back(story: Story) -> str:
    """Her plan, in her words, goes back from stage two to crisis; nothing closes."""
    prove, shelter = story.prove, story.shelter
    before = story.versions(*_ALL)
    plan = shelter.read(story.papers["plan"])
    prove.same("the stage before", code_in(plan["category"], CARE_STAGE), "transitional")
    words = "I saw his car. I need a few quiet days."
    shelter.change(story.papers["plan"], category=[coded(CARE_STAGE, "crisis")], description=words)
    after = story.versions(*_ALL)
    prove.same(
        "what that changed",
        {name for name in after if after[name] != before.get(name)},
        {story.papers["plan"]},
    )
    for name in ("clinic_one", "legal_aid", "adviser", "office"):
        prove.absent("her plan, elsewhere", [story.party(name).get(story.papers["plan"])])
    prove.absent("her plan, at the second clinic", [story.clinic_two.look(story.papers["plan"])])
    return (
        "Her plan, in her own words, goes back from stage two to crisis. Nothing closes: every referral, permission "
        "and visit stays as it was, and nobody else reads her words."
    )


def _ball(story: Story, name: str) -> str:
    return ball_of(story.referral(name), mine=story.shelter.organization)


STEPS = (
    Step(12, "day 5, 11:00", "legal aid takes the case", hand_over_case),
    Step(13, "day 6, 16:40", "a mistake is stopped", stop_mistake),
    Step(14, "day 7, 10:00", "the adviser", ask_adviser),
    Step(15, "day 9, 13:00", "one letter", allow_one_letter),
    Step(16, "day 10, 09:00", "the tracker", look_at_tracker),
    Step(17, "day 12, 18:00", "back to crisis", step_back),
)
