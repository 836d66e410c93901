"""Twin stories in one hub: two referrals that differ in one thing the recipient must not notice read alike.

Each row of the table does something more in the second story, at the shelter's side; both recipients then ask the same.
Both databases; before and after the recipient accepts, and after she withdraws.

Source: ``consent.md`` 3.3; ``views.md`` 1, 4 and 8.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests import builders as b
from tests.api.network import Story, story
from tests.api.test_twin_worlds import normalised
from tests.world import World

More = Callable[[Story], dict[str, dict[str, Any]]]
"""Does something more, and gives what is added to the resources of the story itself, by type."""

MARK = "xyzzy-41"
TEXT = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{MARK}</div>'}
GROUP = {"system": "urn:example:group", "value": MARK}


def _other(it: Story) -> str:
    return it.world.add_organization(f"other of {it.shelter}", "legal-aid")


def _elsewhere(it: Story) -> dict[str, dict[str, Any]]:
    """She is referred elsewhere too, and the shelter keeps the referrals together."""
    other = _other(it)
    it.s.create(
        b.release(
            it.person,
            it.shelter,
            b.permit(other, purpose="legal-representation", categories=("identity", "legal-needs")),
        )
    )
    request = it.s.create(
        b.service_request(it.person, other, category="legal-needs", requisition=GROUP, identifier=[GROUP])
    )
    task = it.s.create(
        b.task(it.person, f"ServiceRequest/{request['id']}", other, groupIdentifier=GROUP, identifier=[GROUP])
    )
    plan = it.s.create(
        b.about_person("CarePlan", it.person, category="health", request="-", document="-")
        | {"meta": b.tagged("mental-health")}
    )
    before = {"reference": f"ServiceRequest/{request['id']}"}
    return {
        "ServiceRequest": {
            "requisition": GROUP,
            "basedOn": [before, {"reference": f"CarePlan/{plan['id']}"}],
            "replaces": [before],
        },
        "Task": {
            "groupIdentifier": GROUP,
            "partOf": [{"reference": f"Task/{task['id']}"}],
            "basedOn": [{"reference": f"CarePlan/{plan['id']}"}],
        },
    }


def _linked(it: Story) -> dict[str, dict[str, Any]]:
    """She has another record at the shelter."""
    other = it.s.create(b.patient("Other"))
    it.s.changed(
        it.person,
        link=[{"type": "seealso", "other": {"reference": f"Patient/{other['id']}", "display": MARK}}],
    )
    return {}


def _narrative(it: Story) -> dict[str, dict[str, Any]]:
    """Everything has a narrative, and something contained."""
    inside = {"resourceType": "Organization", "id": "in", "name": MARK}
    doctor = {"resourceType": "Practitioner", "id": "in", "name": [{"text": MARK}]}
    it.s.changed(it.person, text=TEXT, contained=[inside], managingOrganization={"reference": "#in"})
    return {
        "ServiceRequest": {"text": TEXT, "contained": [inside], "supportingInfo": [{"reference": "#in"}]},
        "Task": {"text": TEXT},
        "Condition": {"text": TEXT, "contained": [doctor], "asserter": {"reference": "#in"}},
    }


def _words(it: Story) -> dict[str, dict[str, Any]]:
    """Names and places stand in displays, texts, notes and descriptions."""
    subject = {"reference": it.person, "display": MARK}
    return {
        "ServiceRequest": {
            "subject": subject,
            "note": [{"text": MARK}],
            "patientInstruction": MARK,
            "reasonCode": [{"text": MARK}],
            "locationCode": [{"text": MARK}],
        },
        "Task": {"for": subject, "description": MARK, "note": [{"text": MARK}], "reasonCode": {"text": MARK}},
        "Condition": {"subject": subject, "note": [{"text": MARK}], "recorder": {"display": MARK}},
    }


def _hidden_versions(it: Story) -> dict[str, dict[str, Any]]:
    """Her record was written again and again before anybody was asked."""
    for day in ("1994-03-01", "1994-03-03", "1994-03-02"):
        it.s.changed(it.person, birthDate=day)
    return {}


def _many_hidden(it: Story) -> dict[str, dict[str, Any]]:
    """Beside what is shown lies more of what is not than a page holds."""
    for _ in range(60):
        it.s.create(b.condition(it.person, "mental-health"))
    return {}


def _other_consents(it: Story) -> dict[str, dict[str, Any]]:
    """She refused others, permitted others, and has papers that are not signed."""
    other = _other(it)
    it.s.create(b.refusal(it.person, it.shelter, actor={"reference": f"Organization/{other}"}))
    it.s.create(b.release(it.person, it.shelter, b.permit(other)))
    it.s.create(b.release(it.person, it.shelter, b.permit(it.clinic), status="draft"))
    return {}


def _once_before(it: Story) -> dict[str, dict[str, Any]]:
    """She permitted this recipient once before and took it back, and nothing had been read."""
    permitted = it.s.create(b.release(it.person, it.shelter, b.permit(it.clinic, categories=it.categories)))
    assert it.s.ask("POST", f"/Consent/{permitted['id']}/$revoke").status_code == 200
    return {}


def _place(it: Story) -> dict[str, dict[str, Any]]:
    """The shelter's place, addresses and people stand in the directory."""
    place = it.s.create(
        {
            **b.in_directory("Location", it.shelter),
            "name": MARK,
            "address": {"line": [MARK], "city": MARK},
            "position": {"longitude": 1.5, "latitude": 2.5},
        }
    )
    reference = f"Location/{place['id']}"
    it.s.create(b.in_directory("Endpoint", it.shelter))
    it.s.create({**b.in_directory("Practitioner", it.shelter), "name": [{"text": MARK}]})
    return {
        "ServiceRequest": {"locationReference": [{"reference": reference, "display": MARK}]},
        "Task": {"location": {"reference": reference, "display": MARK}},
    }


def _traces(it: Story) -> dict[str, dict[str, Any]]:
    """What was done to her record left traces: Provenance, audit, messages inside the shelter."""
    it.s.create(b.of_author("Provenance", it.person))
    it.s.create(b.of_author("Group", it.person))
    it.record("Communication", "mental-health")
    it.s.read(it.person)
    it.s.get(f"/Condition?patient={it.person}")
    return {}


TABLE: dict[str, tuple[More, tuple[str, ...]]] = {
    "referred elsewhere too": (_elsewhere, ("S-28", "S-20")),
    "another record": (_linked, ("S-39", "S-21")),
    "narrative and contained": (_narrative, ("S-22", "S-20")),
    "words": (_words, ("S-21",)),
    "many versions before": (_hidden_versions, ("S-05", "S-06", "T-32")),
    "more hidden than a page": (_many_hidden, ("S-34", "S-07", "S-08", "S-33")),
    "consents about others": (_other_consents, ("S-37",)),
    "permitted and withdrawn before": (_once_before, ("S-38", "S-37", "S-43")),
    "the place of the shelter": (_place, ("S-30", "S-20", "T-28")),
    "traces": (_traces, ("S-27", "S-23")),
}


def told(world: World, more: More) -> tuple[Story, str]:
    """Sends a referral with or without something more; gives the story and what is found about a Condition."""
    it = story(world)
    added = more(it)
    it.s.changed(
        it.person, gender="other"
    )  # that something was changed may show; what and how often does not
    condition = it.s.create({**b.condition(it.person), **added.get("Condition", {})})
    it.sign()
    request = b.service_request(it.person, it.clinic, note=[])
    del request["note"]
    it.request = f"ServiceRequest/{it.s.create({**request, **added.get('ServiceRequest', {})})['id']}"
    task = b.task(it.person, it.request, it.clinic)
    it.task = f"Task/{it.s.create({**task, **added.get('Task', {})})['id']}"
    return it, f"Condition/{condition['id']}"


def asks(it: Story, condition: str) -> list[str]:
    """Everything a recipient may ask about it."""
    named = [it.task, it.request, it.person, condition]
    return [
        *(f"/{one}" for one in named),
        *(f"/{one}?_format=xml" for one in named),
        *(f"/{one}/_history" for one in named),
        f"/{it.task}/$available-actions",
        f"/{it.person}/$everything",
        f"/{it.person}/$disclosures",
        "/Task?_total=accurate&_include=Task:focus&_include=Task:patient&_include=Task:requester",
        "/ServiceRequest?_total=accurate&_include=ServiceRequest:patient&_revinclude=Task:focus",
        "/Patient?_total=accurate&_revinclude=Condition:patient&_revinclude=Task:patient&_revinclude=Consent:patient",
        "/Condition?_total=accurate&_count=1",
        "/Condition?_summary=count",
        "/Consent?_total=accurate",
        "/Task?_has:Provenance:target:patient:missing=false",
        f"/Task?group-identifier={GROUP['system']}|{GROUP['value']}&_total=accurate",
        f"/ServiceRequest?requisition={GROUP['system']}|{GROUP['value']}&_total=accurate",
        f"/Location?name={MARK}&_total=accurate",
        "/Provenance?_total=accurate",
        "/Communication?_total=accurate",
        "/Group?_total=accurate",
        f"/AuditEvent?patient={it.person}",
        "/_history",
        "/Task/_history",
    ]


def _accept(it: Story) -> None:
    it.move("accepted")


STATES: dict[str, tuple[Callable[[Story], object], ...]] = {
    "requested": (),
    "accepted": (_accept,),
    "withdrawn": (_accept, Story.revoke),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "more", [pytest.param(name, marks=pytest.mark.attack(*rows)) for name, (_, rows) in TABLE.items()]
)
def test_the_recipient_does_not_notice(world: World, more: str, state: str) -> None:
    answers: list[list[str]] = []
    for done in (lambda it: {}, TABLE[more][0]):
        it, condition = told(world, done)
        for step in STATES[state]:
            step(it)
        found = []
        for path in asks(it, condition):
            answer = it.c.get(path)
            assert answer.status_code < 500, path
            body = answer.get_data(as_text=True)
            assert MARK not in body.replace(path.partition("?")[2], "").replace(GROUP["value"] + "&", ""), (
                path
            )
            found.append(f"{path.partition('?')[0].split('/')[1]} {path.count('/')}\n{normalised(answer)}")
        answers.append(found)
    for one, other in zip(*answers, strict=True):
        assert one == other


def test_the_comparison_tells_a_difference(world: World) -> None:
    """One record more that is shown, and the answers are others."""
    answers = []
    for more in (False, True):
        it, condition = told(world, lambda it: {})
        it.move("accepted")
        if more:
            it.s.create(b.condition(it.person))
        answers.append([normalised(it.c.get(path)) for path in asks(it, condition)])
    assert sum(one != other for one, other in zip(*answers, strict=True)) >= 3


ENDS: dict[str, Callable[[Story], object]] = {
    "revoked": Story.revoke,
    "withdrawn as a whole": lambda it: it.s.ask("POST", f"/{it.person}/$withdraw"),
    "refused": lambda it: it.s.create(
        b.refusal(it.person, it.shelter, actor={"reference": f"Organization/{it.clinic}"})
    ),
    "refused by everybody": lambda it: it.s.create(b.refusal(it.person, it.shelter, actor=None)),
}


@pytest.mark.attack("S-38", "S-37")
@pytest.mark.parametrize("end", [name for name in ENDS if name != "revoked"])
@pytest.mark.parametrize("state", ["requested", "accepted"])
def test_however_she_ends_it_the_recipient_reads_the_same(world: World, end: str, state: str) -> None:
    answers = []
    for one in ("revoked", end):
        it, condition = told(world, lambda it: {})
        for step in STATES[state]:
            step(it)
        ENDS[one](it)
        card = it.c.read(it.task)
        assert "for" not in card
        # What asks back what was read is another Task, and comes in its own time.
        only = f"_id={it.task.partition('/')[2]}"
        paths = [path.replace("/Task?_total", f"/Task?{only}&_total") for path in asks(it, condition)]
        answers.append([normalised(it.c.get(path)) for path in paths])
    for path, (first, second) in enumerate(zip(*answers, strict=True)):
        assert first == second, path


@pytest.mark.attack("S-38", "S-02")
@pytest.mark.parametrize("end", ENDS)
def test_who_was_never_asked_cannot_tell_that_it_ended(world: World, end: str) -> None:
    it, condition = told(world, lambda it: {})
    it.move("accepted")
    stranger = world.caller(world.add_organization(f"stranger of {it.shelter}", "clinic"))
    before = [normalised(stranger.get(path)) for path in asks(it, condition)]
    ENDS[end](it)
    assert [normalised(stranger.get(path)) for path in asks(it, condition)] == before
