"""Chapter four: she ends one permission, hears what cannot be undone, and reads who knows what (steps 18 to 20).

Source: ``practice.md`` (the story), rule 5; ``views.md`` 8 and 9.
"""

from referral_hub.demo import papers
from referral_hub.demo.cast import Story, answers_of, public_id
from referral_hub.demo.clinics import CONDITIONS, disclosures
from referral_hub.demo.ehr_desk import LAW
from referral_hub.demo.papers import INPUT_TYPE, given
from referral_hub.demo.smart_partner import next_page
from referral_hub.demo.stage import Step, wait_for
from referral_hub.fhir.elements import code_in

RECALL = frozenset(
    {"identifier", "status", "intent", "code", "authoredOn", "lastModified", "requester", "owner"}
    | {"restriction", "input"}
)


def stop_clinic(story: Story) -> str:
    """She phones: "stop the clinic". Every door closes; her appointment stands."""
    prove, shelter, clinic = story.prove, story.shelter, story.clinic_two
    patient, release = story.papers["person"], story.papers["second_release"]
    page = clinic.look(f"Condition?patient={public_id(patient)}&_count=1")
    following = next_page(page.resource)
    prove.true("the clinic has a page open, with more to come", bool(following))
    prove.same("her next visit", clinic.look(story.papers["next_visit"]).resource["status"], "booked")
    messages = clinic.screen()["messages"]
    _queue_message(story)

    ended = shelter.operation(f"{release}/$revoke", papers.parameters(how={"valueCode": "oral"}))
    prove.same("the permission", ended["status"], "inactive")
    shelter.create(papers.her_act(release, patient, shelter.organization))

    closed = [clinic.look(story.papers[name]) for name in ("person", "health_request", "hand", "asthma")]
    prove.absent("its next reads", closed)
    prove.same(
        "the token is the same live one",
        {(one.token, one.same_token) for one in closed},
        {(page.token, True)},
    )
    after = clinic.look(following)
    prove.same("the next page", (after.http_status, "entry" in after.resource), (200, False))
    clinic.act("pull", task=story.kept["second"])
    seen = clinic.referral(story.kept["second"])
    prove.same("its open page", (seen["closed"], seen["name"], seen["items"]), (True, "", []))
    card = clinic.look(story.papers["second_task"]).resource
    prove.same(
        "the card it keeps", (card["status"], "for" in card, "focus" in card), ("completed", False, False)
    )

    clinic.act("maintenance", on=False)
    screen = wait_for("the request to stop using it", clinic.screen, lambda found: bool(found["recalls"]))
    prove.same("what arrived since", screen["messages"] - messages, 1)
    story.kept["recall"] = screen["recalls"][0]["id"]

    prove.same("her next visit, after", clinic.look(story.papers["next_visit"]).resource["status"], "booked")
    stands = [story.referral(name)["status"] for name in ("second_task", "follow_task", "legal_task")]
    prove.same("her referrals", stands, ["completed", "requested", "in-progress"])
    prove.same("the other yes still runs", answers_of(story.referral("second_task"))["attendance"], "came")
    prove.true("legal aid still knows her", "name" in story.party("legal_aid").read(patient))
    return (
        'She phones: "stop the clinic". Its next read, its open page, its live token and a message already in the '
        "queue all find a closed door. Her appointment stands; nobody else is touched."
    )


def _queue_message(story: Story) -> None:
    """Lets a further request wait in the queue: the clinic's own server is closed just then."""
    clinic, patient = story.clinic_two, story.papers["person"]
    clinic.act("maintenance", on=True)
    turned_away = clinic.screen()["turned_away"]
    story.write("follow_request", papers.request(patient, "health", "medical-care", clinic.organization))
    conditions = [given("handling-condition", valueCode=condition) for condition in CONDITIONS]
    follow = papers.task(patient, story.papers["follow_request"], clinic.organization, input=conditions)
    story.write("follow_task", follow)
    wait_for(
        "a message waits for the clinic's server",
        lambda: clinic.screen()["turned_away"],
        lambda count: count > turned_away,
    )


def answer_recall(story: Story) -> str:
    """The clinic answers the recall; she hears plainly what cannot be undone."""
    prove, shelter, clinic = story.prove, story.shelter, story.clinic_two
    recall = clinic.own_task(story.kept["recall"])
    prove.nothing_but("the request to stop using it", recall, RECALL)
    number = story.referral("second_task")["identifier"][0]["value"]
    named = [one["valueIdentifier"]["value"] for one in recall["input"] if "valueIdentifier" in one]
    kinds = {code_in(entry["type"], INPUT_TYPE) for entry in recall["input"]}
    prove.true("it names the referral by its number", number in named, named)
    prove.same("and nothing else but what it asks", kinds, {"recalled-referral", "recall-asks"})
    prove.true("no name in it", "Lar" not in str(recall))
    clinic.act("answer-recall", task=story.kept["recall"])
    answered = wait_for(
        "the clinic's answer",
        lambda: [line for line in disclosures(story) if line["kind"] == "recall"],
        lambda found: bool(found) and "answer" in found[0],
    )
    expected = {
        "kind": "recall",
        "recipient": clinic.organization,
        "status": "completed",
        "answer": "kept-by-law",
        "law": LAW,
        "late": "False",
    }
    told = [{name: line.get(name, "") for name in expected} for line in answered]
    prove.same("the answer, on her record", told, [expected])
    screen = clinic.screen()
    prove.same("referrals in the clinic's own system", screen["referrals"], [])
    prove.same("treatment records there", len(screen["treatment_records"]), 1)
    words = (
        "They deleted the referral. What they wrote about treating your hand they must keep, by law. "
        "That they know you were there cannot be undone."
    )
    story.write("told_plainly", papers.told(story.papers["person"], "FACE", words))
    prove.same("told to her in person", shelter.read(story.papers["told_plainly"])["status"], "completed")
    return (
        'The clinic answers: "referral deleted, treatment record kept by law". A worker tells her in plain words '
        "what cannot be undone."
    )


def read_record(story: Story) -> str:
    """She reads who knows what and who was refused; the chain verifies."""
    prove = story.prove
    lines = disclosures(story)
    got: dict[str, set[str]] = {}
    for line in lines:
        if line.get("outcome") == "disclosed":
            got.setdefault(line["recipient"], set()).update(line.get("resource", "").split())
    parties = {name: story.party(name) for name in ("clinic_one", "legal_aid", "adviser", "office")}
    everybody = {story.clinic_two.organization, *(party.organization for party in parties.values())}
    prove.same("who got anything", set(got), everybody)
    for name, mine in (
        ("clinic_one", ("health_task", "health_request", "person")),
        ("office", ("office_task", "office_request", "person", "letter", "office_release")),
    ):
        allowed = {story.papers[paper] for paper in mine}
        prove.same(f"beyond that, at {parties[name].name}", got[parties[name].organization] - allowed, set())
    for name, paper in (("legal_aid", "wages"), ("adviser", "papers"), ("office", "letter")):
        prove.true(
            f"{paper}, at {parties[name].name}", story.papers[paper] in got[parties[name].organization]
        )
    prove.true("her hand, at the second clinic", story.papers["hand"] in got[story.clinic_two.organization])
    nobody = [story.papers[name] for name in ("sleep", "other_letter", "plan", "told_plainly")]
    prove.same("what nobody got", {one for one in nobody for has in got.values() if one in has}, set())

    refused = [line for line in lines if line.get("reason") in ("ConsentRefused", "ConsentMissing")]
    tried = [line["recipient"] for line in refused if line["reason"] == "ConsentRefused"]
    prove.same("who was refused", tried, [parties["office"].organization] * 2)
    prove.true("each with its time", all(line.get("when") for line in lines if line["kind"] == "disclosure"))
    links, broken = story.verify_audit()
    prove.same("the chain", broken, "")
    prove.true("it has links", links > len(lines), links)
    prove.same("errors and alarms in the hub's own log", story.alarms(), [])
    return (
        f"She reads who knows what: five organisations, each only its part, and one refused twice. The chain of "
        f"{links} records verifies. (Totals for the donor, small numbers hidden: not yet.)"
    )


STEPS = (
    Step(18, "day 14, 08:15", "stop the clinic", stop_clinic),
    Step(19, "day 14, 11:00", "what cannot be undone", answer_recall),
    Step(20, "day 15, 14:00", "who knows what", read_record),
)
