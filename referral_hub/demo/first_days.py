"""Chapter one: the first night and the second day, before anybody learns who she is (steps 1 to 6).

Source: ``practice.md`` (the story), rules 1, 3, 10 and 13; ``views.md`` 9.
"""

from referral_hub.demo import papers
from referral_hub.demo.cast import Story, public_id
from referral_hub.demo.network import HER_COUNTRY
from referral_hub.demo.papers import output, reason, to
from referral_hub.demo.previews import preview
from referral_hub.demo.stage import Step
from referral_hub.fhir.canonical import INTERPRETER_REQUIRED, structure

NO_NAME_TASK = frozenset(
    {
        *("identifier", "status", "intent", "priority", "code", "focus", "for", "authoredOn", "lastModified"),
        *("requester", "owner", "restriction", "businessStatus"),
    }
)


def open_file(story: Story) -> str:
    """02:10: a file without name or story; police are next door, so signing is off."""
    prove, shelter, clinic = story.prove, story.shelter, story.party("clinic_one")
    person = story.write("person", papers.opened_file())
    patient = story.papers["person"]
    story.write("episode", papers.episode(patient, shelter.organization))
    story.write("signing", papers.cannot_sign(patient, true=True))
    prove.nothing_but("her file", person, ("extension", "name"))
    prove.same("what the file calls her", person["name"][0]["text"], "Lark")

    allowed = papers.permit(clinic.organization, "TREAT", ("identity", "health"))
    attempt = papers.release(patient, shelter.organization, allowed)
    prove.answered("a permission sent now", shelter.software.create(attempt), 422, "Signing is off")
    prove.same("permissions kept", shelter.kept("Consent"), [])

    for party in story.others():
        prove.absent(f"her file, asked for by {party.name}", [party.get(patient)])
        prove.same(f"people {party.name} can find", party.search("Patient"), [])
    prove.absent("her file, asked for by the second clinic", [story.clinic_two.look(patient)])
    entry = clinic.read(f"Organization/{shelter.organization}")
    prove.same("the shelter in the directory", entry["name"], "Linden Street Office")
    prove.nothing_but("the shelter in the directory", entry, ("active", "name"))
    return (
        'The shelter opens a file for "Lark": no name, no story. Police are in the next room, so signing is off; '
        "a permission sent anyway is refused, and no other organisation can tell that the file is there."
    )


def keep_safe(story: Story) -> str:
    """Her safety rules: nothing goes to her phone."""
    prove, shelter = story.prove, story.shelter
    patient = story.papers["person"]
    before = shelter.read(patient)
    shelter.change(patient, extension=[*before["extension"], papers.safety_rules()])
    for medium in ("PHONE", "ELECTRONIC"):
        message = papers.told(patient, medium, "Please call us back.")
        prove.answered(f"a message by {medium}", shelter.software.create(message), 422, "did not allow")
    prove.same("messages kept", shelter.kept("Communication", patient=public_id(patient)), [])
    story.write("rules_told", papers.told(patient, "FACE", "We never call or text you."))
    prove.true("words said in person are kept", bool(shelter.search("Communication")))
    return (
        "Her safety rules: no calls, no texts, a safe word, a meeting point that tells nothing. "
        "A message to her phone is blocked before it is stored."
    )


def refer_without_name(story: Story) -> str:
    """A no-name referral to the first clinic, answered by the nurse on call."""
    prove, shelter, clinic = story.prove, story.shelter, story.party("clinic_one")
    someone = story.write("someone", papers.no_name_person())
    patient = story.papers["someone"]
    link = {"other": {"reference": patient}, "type": "seealso"}
    shelter.change(story.papers["person"], link=[link])
    asked = papers.request(patient, "health", "emergency-medical-care", clinic.organization)
    asked["code"] = {"coding": [{"system": papers.ICD_10, "code": "S69.9"}]}
    asked["priority"] = "stat"
    with_words = {**asked, "note": [{"text": "She says more than a form should."}]}
    prove.answered("free text in it", shelter.software.create(with_words), 422, "no free text")
    story.write("night_request", asked)
    made = story.write("night_task", papers.task(patient, story.papers["night_request"], clinic.organization))
    number = made["identifier"][0]["value"]

    inbox = clinic.search("Task", status="requested")
    prove.same(
        "referrals the nurse finds", [f"Task/{one['id']}" for one in inbox], [story.papers["night_task"]]
    )
    task, request, seen = inbox[0], *(clinic.read(inbox[0][name]["reference"]) for name in ("focus", "for"))
    prove.nothing_but("the referral", task, NO_NAME_TASK)
    prove.same("who seems to ask", task["requester"], to("Organization", story.network))
    prove.same("the number on her card", task["identifier"][0]["value"], number)
    prove.same("what is needed", request["code"]["coding"][0]["code"], "S69.9")
    prove.same("how soon", request["priority"], "stat")
    prove.nothing_but("the person", seen, ("extension",))
    flags = {one["url"]: one for one in seen["extension"]}
    prove.same("adult or child", flags[structure("age-group")]["valueCode"], "adult")
    prove.true("interpreter", flags[INTERPRETER_REQUIRED]["valueBoolean"] is True)
    prove.absent("her own file", [clinic.get(story.papers["person"])])
    prove.true("nothing of it names her", "Lark" not in str((task, request, seen, someone)))

    clinic.change(story.papers["night_task"], status="accepted")
    prove.same("the shelter reads the answer", shelter.read(story.papers["night_task"])["status"], "accepted")
    return (
        "A referral without a name: the first clinic's nurse on call sees \"adult, hand injury, interpreter, "
        'tonight", and nothing else. She answers yes. Lark carries a card with a number.'
    )


def explain_options(story: Story) -> str:
    """Day 2: she takes two offers and declines one; nothing else changes."""
    prove, shelter, clinic = story.prove, story.shelter, story.party("clinic_one")
    night = story.papers["night_task"]
    came = [output("attendance", valueCode="came"), output("needs-more", valueBoolean=True)]
    clinic.change(night, status="completed", output=came)
    told = [entry["type"]["coding"][0]["code"] for entry in shelter.read(night)["output"]]
    prove.same("what the clinic says of the night", told, ["attendance", "needs-more"])
    prove.true("the closed referral names nobody any more", "for" not in clinic.read(night))

    patient = story.papers["person"]
    story.write("can_sign", papers.cannot_sign(patient, true=False))
    story.write("plan", papers.care_plan(patient, "crisis", "Sleep first. Then the hand."))
    legal = story.party("legal_aid")
    for name, category, domain, owner in (
        ("health", "health", "medical-care", clinic.organization),
        ("legal", "legal-needs", "unpaid-wages", legal.organization),
        ("counselling", "mental-health", "counselling", ""),
    ):
        story.write(f"{name}_request", papers.request(patient, category, domain, owner))
        draft = papers.task(patient, story.papers[f"{name}_request"], owner, status="draft")
        story.write(f"{name}_task", draft)

    declined = {story.papers["counselling_task"], story.papers["counselling_request"]}
    before = story.versions("Task", "ServiceRequest", "CarePlan", "Patient", "EpisodeOfCare")
    shelter.change(
        story.papers["counselling_task"],
        status="cancelled",
        statusReason=reason("client-declined", "She does not want this now."),
    )
    shelter.change(story.papers["counselling_request"], status="revoked")
    words = "You can come back to this whenever you like."
    story.write("card", papers.told(patient, "FACE", words, category="ways-back"))
    after = story.versions("Task", "ServiceRequest", "CarePlan", "Patient", "EpisodeOfCare")
    changed = {name for name in after if after[name] != before.get(name)}
    prove.same("what her no changed", changed, declined)
    prove.absent("drafts", [clinic.get(story.papers["health_task"]), legal.get(story.papers["legal_task"])])
    prove.absent("the card", [clinic.get(story.papers["card"])])
    return (
        "Her options are explained. She takes the clinic and legal help and says no to counselling for now: that "
        'one line ends, nothing else changes, and she gets the "you can come back" card.'
    )


def refuse_governments(story: Story) -> str:
    """Never to any government office, her own country's included."""
    prove, shelter, office = story.prove, story.shelter, story.party("office")
    patient = story.papers["person"]
    never = papers.refusal(
        patient, shelter.organization, papers.any_government(), papers.government_of(HER_COUNTRY)
    )
    story.write("refusal", never)
    shelter.create(papers.her_act(story.papers["refusal"], patient, shelter.organization))
    prove.same("her refusal", shelter.read(story.papers["refusal"])["status"], "active")
    supposed = papers.permit(office.organization, "residence-permit", ("identity", "legal-needs"))
    draft = story.write("supposed", papers.release(patient, shelter.organization, supposed, status="draft"))
    for state in ("requested", "accepted"):
        shown = preview(story, "legal_request", office.organization, state, "supposed")
        prove.same(f"what that office would see even with a permission ({state})", shown, {})
    shelter.change(f"Consent/{draft['id']}", status="rejected")
    prove.absent("her file", [office.get(patient), office.get(story.papers["legal_request"])])
    return (
        "She says: never to any government office, my own country's included. "
        "Even with a permission in hand such an office would see nothing."
    )


def show_preview(story: Story) -> str:
    """What the clinic would see, before it does; she takes one line out."""
    prove, shelter, clinic = story.prove, story.shelter, story.party("clinic_one")
    patient = story.papers["person"]
    shelter.change(patient, **papers.her_particulars())
    for name, category, icd_10, text in (
        ("hand", "health", "S61.8", "Deep cut, left hand"),
        ("asthma", "health", "J45.9", "Asthma, uses a spray"),
        ("sleep", "mental-health", "F51.0", "Wakes every hour"),
        ("wages", "legal-needs", "", "Eleven months of wages not paid"),
        ("papers", "immigration", "", "Passport is with somebody else"),
    ):
        story.write(name, papers.condition(patient, category, icd_10, text))
    allowed = papers.permit(clinic.organization, "TREAT", ("identity", "health", "mental-health"))
    story.write("clinic_release", papers.release(patient, shelter.organization, allowed, status="draft"))

    before = preview(story, "health_request", clinic.organization, "accepted", "clinic_release")
    expected = {story.papers[name] for name in ("health_request", "person", "hand", "asthma", "sleep")}
    prove.same("the preview", set(before), expected)
    notice = preview(story, "health_request", clinic.organization, "requested", "clinic_release")
    prove.nothing_but("her name before they say yes", notice[patient], ("extension",))
    prove.nothing_but("her file after", before[patient], ("extension", "name", "gender", "birthDate"))
    prove.true(
        "no place, phone or safe word",
        not any(w in str(before) for w in ("Hidden Lane", "555 0100", "bicycle")),
    )
    prove.true("no words of the shelter", "Deep cut" not in str(before))

    permits = shelter.read(story.papers["clinic_release"])["provision"]
    permits["provision"][0]["class"].pop()
    shelter.change(story.papers["clinic_release"], provision=permits)
    after = preview(story, "health_request", clinic.organization, "accepted", "clinic_release")
    prove.same("the line she took out", set(before) - set(after), {story.papers["sleep"]})
    prove.same("all else is as before", {name: before[name] for name in after}, after)
    prove.absent("meanwhile at the clinic", [clinic.get(patient), clinic.get(story.papers["health_request"])])
    return (
        "The preview shows exactly what the clinic would see once it says yes: name, year of birth, two findings. "
        "A third line, about her sleep, she takes out; the preview is made anew without it."
    )


STEPS = (
    Step(1, "night 1, 02:10", "a file without a name", open_file),
    Step(2, "night 1, 02:20", "her safety rules", keep_safe),
    Step(3, "night 1, 02:40", "a referral without a name", refer_without_name),
    Step(4, "day 2, 10:00", "her options", explain_options),
    Step(5, "day 2, 10:30", "never to a government", refuse_governments),
    Step(6, "day 2, 11:00", "the preview", show_preview),
)
