"""What a search answers beside its criteria: order, pages, parts, what is sent along, chains; both databases."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from referral_hub.exchange.indexing import parameters
from referral_hub.exchange.search import possible_of
from referral_hub.fhir.canonical import code_system
from referral_hub.resources.catalog import DEFINITIONS
from tests import builders as b
from tests.api.network import Story, story
from tests.world import Caller, World, parsed, texts

CATEGORY = code_system("information-category")


def bundle(caller: Caller, path: str) -> dict[str, Any]:
    answer = caller.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return parsed(answer)


def entries(found: dict[str, Any], mode: str = "match") -> list[dict[str, Any]]:
    return [e["resource"] for e in found.get("entry", ()) if e["search"]["mode"] == mode]


def named(found: dict[str, Any], mode: str = "match") -> set[str]:
    return {f"{one['resourceType']}/{one['id']}" for one in entries(found, mode)}


def next_path(found: dict[str, Any]) -> str:
    links = {link["relation"]: link["url"] for link in found["link"]}
    return str(links.get("next", "")).rpartition("/fhir")[2]


@pytest.fixture
def it(world: World) -> Story:
    """A person of a shelter, referred to a clinic that accepted."""
    made = story(world)
    made.sign()
    made.refer()
    made.move("accepted")
    return made


# --- order and pages ---------------------------------------------------------------------------------------


MARK = "urn:example:mark"


def marked(it: Story) -> dict[str, tuple[str, str]]:
    """Entries of two days and of none; gives (day, when it was written) by id."""
    found = {}
    for day in ("2026-11-20", "2026-11-21", "2026-11-20", ""):
        for _ in range(2):
            made = it.s.create(
                {
                    "resourceType": "Basic",
                    "code": b.coded(MARK, "x"),
                    "subject": {"reference": it.person},
                    **({"created": day} if day else {}),
                }
            )
            found[made["id"]] = (day, made["meta"]["lastUpdated"])
    return found


@pytest.mark.parametrize("count", [1, 3, 50])
@pytest.mark.parametrize("sort", ["created,-_lastUpdated", "-created,_lastUpdated", "created,_id"])
def test_several_keys_order_all_pages_alike(it: Story, sort: str, count: int) -> None:
    made = marked(it)
    path, walked = f"/Basic?patient={it.person}&_sort={sort}&_count={count}", []
    while path:
        page = bundle(it.s, path)
        assert len(entries(page)) <= count
        walked += [one["id"] for one in entries(page)]
        path = next_path(page)
    keys = [key.removeprefix("-") for key in sort.split(",")]
    down = [key.startswith("-") for key in sort.split(",")]

    def value(public_id: str, key: str, descending: bool) -> Any:
        day, updated = made[public_id]
        if key == "created":
            return day or ("" if descending else "9999")  # without one it comes last, both ways
        return updated if key == "_lastUpdated" else public_id

    expected = list(made)
    for key, descending in reversed(list(zip(keys, down, strict=True))):
        expected.sort(key=lambda one: value(one, key, descending), reverse=descending)
    assert [made[one] for one in walked] == [made[one] for one in expected]
    assert sorted(walked) == sorted(made)


def test_an_inbox_is_sorted_by_what_every_owner_sees(it: Story) -> None:
    first = it.task
    it.refer(authoredOn="2020-01-01")
    found = bundle(it.c, "/Task?_sort=authored-on")
    assert [f"Task/{one['id']}" for one in entries(found)] == [it.task, first]


@pytest.mark.attack("S-14")
def test_an_order_by_what_others_may_not_see_is_for_own_rows(it: Story) -> None:
    it.s.create(b.condition(it.person))
    assert len(entries(bundle(it.c, "/Condition"))) == 1
    assert entries(bundle(it.c, "/Condition?_sort=recorded-date")) == []
    assert len(entries(bundle(it.s, "/Condition?_sort=-recorded-date"))) == 1


@pytest.mark.attack("S-14")
def test_names_and_birth_dates_give_no_order(it: Story) -> None:
    for code in ("birthdate", "name"):
        answer = it.s.get(f"/Patient?_sort={code}")
        assert answer.status_code == 400
        assert "_lastUpdated" in texts(answer)[0]


@pytest.mark.attack("S-08")
def test_a_page_link_is_for_its_caller_alone_and_stays_as_given(it: Story, world: World) -> None:
    marked(it)
    link = next_path(bundle(it.s, "/Basic?code=urn:example:mark|x&_count=2"))
    assert it.s.get(link).status_code == 200
    others = [it.c, world.caller(it.shelter), world.caller(it.shelter, purpose="HRESCH")]
    assert {caller.get(link).status_code for caller in others} == {400}
    assert it.s.get(f"{link}&code=x").status_code == 400
    assert it.s.get(link.replace("/Basic", "/Task")).status_code == 400
    assert it.s.get(link[:-4] + "AAAA").status_code == 400


def test_a_new_row_moves_no_page(it: Story) -> None:
    made = marked(it)
    first = bundle(it.s, "/Basic?code=urn:example:mark|x&_count=3")
    more = marked(it)
    walked, path = [one["id"] for one in entries(first)], next_path(first)
    while path:
        page = bundle(it.s, path)
        walked += [one["id"] for one in entries(page)]
        path = next_path(page)
    assert set(walked) == set(made)
    assert not set(walked) & set(more)


# --- counts and parts --------------------------------------------------------------------------------------


def test_a_count_has_no_entries_and_no_links_on(it: Story) -> None:
    made = marked(it)
    for asked in ("_summary=count", "_count=0"):
        found = bundle(it.s, f"/Basic?code={MARK}|x&{asked}")
        assert (found["total"], found.get("entry"), next_path(found)) == (len(made), None, "")
    assert bundle(it.s, "/Basic?code=urn:example:mark|x&_count=2&_total=accurate")["total"] == len(made)
    assert "total" not in bundle(it.s, "/Basic?code=x&_total=none")


SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


@pytest.mark.parametrize(
    ("asked", "has", "lacks"),
    [
        ("_elements=description,note", {"note", "status", "intent"}, {"priority", "focus", "owner"}),
        ("_elements=priority", {"priority", "status", "intent", "id"}, {"note", "owner"}),
        ("_summary=true", {"status", "focus", "owner", "intent"}, {"note", "text"}),
        ("_summary=data", {"note", "focus"}, {"text"}),
        ("_summary=text", {"text", "status", "intent"}, {"note", "owner", "priority"}),
    ],
)
def test_a_part_keeps_what_must_be_there_and_says_it_is_one(
    it: Story, asked: str, has: set[str], lacks: set[str]
) -> None:
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">A task.</div>'}
    it.s.create(b.task(it.person, it.request, it.clinic, status="draft", note=[{"text": "x"}], text=text))
    [part] = entries(bundle(it.s, f"/Task?status=draft&{asked}"))
    assert has <= part.keys()
    assert not lacks & part.keys()
    assert SUBSETTED in part["meta"]["tag"]
    assert part["meta"]["versionId"]


@pytest.mark.attack("S-15")
def test_a_part_of_a_view_shows_no_more_than_the_view(it: Story) -> None:
    [whole] = entries(bundle(it.c, "/Patient"))
    [part] = entries(bundle(it.c, "/Patient?_elements=name,telecom,address,birthDate"))
    assert part.keys() <= whole.keys()
    assert {key: part[key] for key in part if key != "meta"} == {
        key: whole[key] for key in part if key != "meta"
    }


def test_nobody_writes_a_part_back(it: Story) -> None:
    for caller in (it.s, it.c):
        [part] = entries(bundle(caller, f"/Task?_id={it.task.partition('/')[2]}&_summary=true"))
        answer = caller.update(part)
        assert answer.status_code == 422
        assert "SUBSETTED" in texts(answer)[0]
    answer = it.s.ask("POST", "/Task", {**part, "status": "draft"})
    assert answer.status_code == 422


# --- what is sent along -----------------------------------------------------------------------------------


def test_what_a_request_is_pointed_at_by_comes_along(it: Story) -> None:
    found = bundle(it.s, f"/ServiceRequest?_id={it.request.partition('/')[2]}&_revinclude=Task:focus")
    assert named(found) == {it.request}
    assert named(found, "include") == {it.task}


def test_iterate_goes_on_from_what_was_sent_along(it: Story) -> None:
    condition = it.s.create(b.condition(it.person))
    plain = bundle(it.s, "/Task?_include=Task:focus")
    assert named(plain, "include") == {it.request}
    further = bundle(
        it.s,
        "/Task?_include=Task:focus&_include:iterate=ServiceRequest:patient&_revinclude:iterate=Condition:patient",
    )
    assert named(further, "include") == {it.request, it.person, f"Condition/{condition['id']}"}


@pytest.mark.attack("S-09", "S-20")
def test_a_reference_the_view_lacks_leads_nowhere(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer(requester={"reference": f"Organization/{it.shelter}"})
    before = bundle(it.c, "/Task?_include=Task:requester")
    assert f"Organization/{it.shelter}" not in named(before, "include")
    it.move("accepted")
    after = bundle(it.c, "/Task?_include=Task:requester")
    assert f"Organization/{it.shelter}" in named(after, "include")


def test_what_the_scope_does_not_open_does_not_come_along(it: Story, world: World) -> None:
    narrow = world.caller(it.clinic, scope="system/Task.rs system/ServiceRequest.rs")
    found = bundle(narrow, "/Task?_include=Task:focus&_include=Task:patient")
    assert named(found, "include") == {it.request}
    found = bundle(narrow, "/ServiceRequest?_revinclude=Task:focus&_revinclude=Provenance:target")
    assert named(found, "include") == {it.task}


@pytest.mark.attack("S-09", "S-37")
def test_what_a_recipient_may_not_see_does_not_come_along(it: Story) -> None:
    health = it.s.create(b.condition(it.person))
    it.s.create(b.condition(it.person, "mental-health"))
    it.s.create(
        b.refusal(
            it.person, it.shelter, actor={"reference": f"Organization/{it.world.organizations['network']}"}
        )
    )
    found = bundle(it.c, "/Patient?_revinclude=Condition:patient&_revinclude=Consent:patient")
    assert named(found, "include") == {f"Condition/{health['id']}", f"Consent/{it.release['id']}"}


# --- chains ------------------------------------------------------------------------------------------------

FILE = "urn:example:shelter-file|file-lark"


@pytest.mark.attack("S-10", "S-11", "E-02")
@pytest.mark.parametrize(
    ("path", "by_author", "by_recipient"),
    [
        (f"/Task?patient.identifier={FILE}", True, False),
        (f"/Task?subject:Patient.identifier={FILE}", True, False),
        ("/Task?patient.name=Lark", True, False),
        ("/Task?patient.name=Nobody", False, False),
        ("/Task?patient.identifier:missing=true", False, False),
        (f"/Task?focus.category={CATEGORY}|health", True, True),
        (f"/Task?focus.category={CATEGORY}|housing", False, False),
        ("/Task?focus.category=health,housing", True, True),
        (f"/Task?focus.category:not={CATEGORY}|housing", True, True),
        ("/Task?focus.status=active&focus.category=health", True, True),
        ("/Task?focus.status=active&focus.category=housing", False, False),
        (f"/ServiceRequest?patient.identifier={FILE}", True, False),
        ("/ServiceRequest?_has:Task:focus:status=accepted", True, True),
        ("/ServiceRequest?_has:Task:focus:status=draft", False, False),
        ("/ServiceRequest?_has:Task:focus:status:not=draft", True, True),
        ("/Patient?_has:Task:patient:status=accepted", True, True),
        ("/Patient?_has:Task:patient:status=rejected", False, False),
        ("/Patient?_has:Consent:patient:status=active", True, True),
        ("/Patient?_has:Consent:patient:status=draft", False, False),
        ("/Patient?_has:Condition:patient:category=health", True, True),
        ("/Patient?_has:Condition:patient:category=mental-health", True, False),
    ],
)
def test_a_chain_goes_through_what_its_caller_sees(
    it: Story, path: str, by_author: bool, by_recipient: bool
) -> None:
    it.s.create(b.condition(it.person))
    it.s.create(b.condition(it.person, "mental-health"))
    assert bool(entries(bundle(it.s, path))) is by_author
    assert bool(entries(bundle(it.c, path))) is by_recipient
    assert bundle(it.s, f"{path}&_summary=count")["total"] == int(by_author)
    assert bundle(it.c, f"{path}&_summary=count")["total"] == int(by_recipient)


@pytest.mark.attack("S-10")
def test_a_chain_ends_with_the_release(it: Story) -> None:
    path = "/Task?focus.category=health"
    assert entries(bundle(it.c, path))
    it.revoke()
    assert not entries(bundle(it.c, path))
    assert entries(bundle(it.s, path))


def test_a_chain_through_a_reference_of_its_own_index(world: World) -> None:
    clinic = world.add_organization("clinic", "clinic")
    caller = world.caller(clinic)
    made = caller.create(
        {
            "resourceType": "HealthcareService",
            "active": True,
            "name": "Wound care",
            "providedBy": {"reference": f"Organization/{clinic}"},
        }
    )
    stranger = world.caller(world.add_organization("stranger", "clinic"))
    path = f"/HealthcareService?_id={made['id']}&organization"
    for one in (caller, stranger):
        assert named(bundle(one, f"{path}.name=clinic")) == {f"HealthcareService/{made['id']}"}
        assert not entries(bundle(one, f"{path}:Organization.name=nowhere"))


def test_a_chain_needs_a_scope_for_both_ends(it: Story, world: World) -> None:
    narrow = world.caller(it.shelter, scope="system/Task.rs")
    assert narrow.get("/Task?patient.name=Lark").status_code == 403
    assert narrow.get("/Task?status=accepted").status_code == 200


@pytest.mark.attack("S-12", "S-16")
@pytest.mark.parametrize(
    "path",
    [
        "/Task?patient.birthdate=1994",
        "/Task?owner.partof.name=x",
        "/Patient?_has:Observation:patient:code=x",
        "/Patient?_has=x",
        "/Task?_tag=x",
        "/Task?_text=x",
        "/Task?_filter=x",
        "/Task?_include=*",
        "/Patient?name:contains=ar",
    ],
)
def test_what_is_not_possible_says_what_is(it: Story, path: str) -> None:
    answer = it.s.get(path)
    assert answer.status_code == 400
    [text] = texts(answer)
    assert any(word in text for word in ("possible", "not available", "whole words"))


def test_strict_names_the_parameter_and_lenient_leaves_it_out_of_the_self_link(it: Story) -> None:
    strict = it.s.get("/Task?colour=red&status=accepted", Prefer="handling=strict")
    assert strict.status_code == 400
    assert "colour" in texts(strict)[0]
    assert "authored-on" in texts(strict)[0]
    found = bundle(it.s, "/Task?colour=red&status=accepted")
    links = {link["relation"]: link["url"] for link in found["link"]}
    assert "colour" not in links["self"]
    assert "status=accepted" in links["self"]


def test_free_text_about_a_person_is_found_by_whole_words_and_kept_as_digests(it: Story) -> None:
    note = {key: value for key, value in b.observation(it.person).items() if key != "valueQuantity"}
    it.s.create({**note, "valueString": "Sleeps Badly"})
    for query, count in (
        ("value-string=badly", 1),
        ("value-string=bad", 0),
        ("value-string:exact=Sleeps Badly", 1),
        ("value-string:exact=sleeps badly", 0),
        ("code-value-string=8310-5$sleeps", 1),
        ("code-value-string=8310-5$slee", 0),
        ("code-value-string=1-1$sleeps", 0),
    ):
        assert len(entries(bundle(it.s, f"/Observation?patient={it.person}&{query}"))) == count, query


def test_a_recall_stands_in_the_inbox(it: Story) -> None:
    it.c.read(it.person)
    it.revoke()
    for path in (
        "/Task",
        "/Task?status=requested",
        "/Task?code=recall",
        "/Task?status=requested,accepted&code=recall",
    ):
        codes = [c["code"] for task in entries(bundle(it.c, path)) for c in task["code"]["coding"]]
        assert "recall" in codes, path


# --- any search string ------------------------------------------------------------------------------------

NAMES = st.one_of(
    st.sampled_from(
        [
            "_id",
            "_lastUpdated",
            "_sort",
            "_count",
            "_summary",
            "_elements",
            "_total",
            "_include",
            "_revinclude",
            "_include:iterate",
            "_has",
            "_has:Task:focus:status",
            "_cursor",
            "_type",
            "_format",
            "_pretty",
            "_tag",
            "patient.identifier",
            "subject:Patient.name",
            "focus.status:not",
            "_has:Task:focus:status:missing",
        ]
    ),
    st.text(max_size=15),
)
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "a|b",
            "|",
            "a,b",
            r"\,",
            "$",
            "a$b",
            "gt2026",
            "ge2026-13",
            "ap2026-11-24T10:00Z",
            "5.4|u|mg",
            "1e999",
            "-1e-999",
            "le" + "9" * 40,
            "Patient/x",
            "Organization/" + "a" * 64,
            "true",
            "missing",
            "-_lastUpdated",
            "status,-_id",
            "Task:focus",
            "http://a/b/c",
            "\x00",
            "\U0010ffff",
            "9999-12-31",
            "0001-01-01",
            "ne0001",
        ]
    ),
)


@given(data=st.data())
@settings(
    max_examples=150,
    deadline=2_000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_search_string_is_too_much(world: World, data: st.DataObject) -> None:
    if "any search" not in world.organizations:
        world.add_organization("any search", "clinic")
    caller = world.caller("any search")
    type_name = data.draw(st.sampled_from(sorted(DEFINITIONS)))
    codes = sorted(parameters(type_name)) or ["_id"]
    modifiers = st.sampled_from(
        ["", ":missing", ":not", ":exact", ":contains", ":identifier", ":above", ":below", ":Patient", ":x"]
    )
    own = st.builds(lambda code, modifier: code + modifier, st.sampled_from(codes), modifiers)
    chained = st.sampled_from(sorted(possible_of(type_name).chains) or ["_id"]).map(
        lambda entry: entry.split(".")[0] + "." + entry.split(".")[-1]
    )
    pairs = data.draw(st.lists(st.tuples(st.one_of(own, own, chained, NAMES), VALUES), max_size=5))
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
    strict = {"Prefer": "handling=strict"} if data.draw(st.booleans()) else {}
    answer = caller.get(f"/{type_name}?{query}", **strict)
    assert answer.status_code in (200, 400, 406), (query, answer.get_data(as_text=True))
    assert parsed(answer)["resourceType"] == ("Bundle" if answer.status_code == 200 else "OperationOutcome")
