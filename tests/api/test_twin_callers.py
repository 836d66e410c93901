"""Twin worlds for every kind of caller: what lies beyond its reach changes no answer.

World A lacks what is hidden, world B has it, in the SAME organisation or released to it: another person's record for
staff who do not work with her, for tokens about one person and for the person herself; records of categories a bound
token is not bound to. Same questions as ``test_twin_worlds``; and every address of the hub is asked by every kind.

Source: ``consent.md`` 3.3; ``views.md`` 9 (Roles inside an organisation).
"""

import re
from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from referral_hub.fhir.canonical import code_system
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.web.addresses import ROUTES
from tests import builders as b
from tests.api.callers import assigned, bound_to, signed_in
from tests.api.hidden import HIDDEN_NUMBER
from tests.api.network import Story, story
from tests.api.test_twin_worlds import ASKS, KINDS, UNKNOWN, Twins, normalised, twins
from tests.world import Caller, World, parsed

__all__ = ["twins"]

_AT_ONCE = "history of the hub"
"""Answers whose order is a matter of chance where one Change wrote several resources: compared by what is in them."""


def compared(ask: str, answer: TestResponse) -> object:
    """Gives what of an answer must be the same in both worlds."""
    if ask == "a batch of all":  # of which one entry asks for two of several that were written at once
        return answer.status_code, re.findall(r'"status":"(\d{3})', answer.get_data(as_text=True))
    if ask.startswith(_AT_ONCE):
        return answer.status_code, sorted(
            re.findall(r'"(?:resourceType|method|status)":"(\w+)', answer.get_data(as_text=True))
        )
    return normalised(answer)


ACCOUNT = "account-of-observer"
OBSERVERS = ("caseworker", "coordinator", "software about one", "herself", "clinician", "desk", "bound")
_FORMS = (
    "as XML",
    "packed",
    "head",
    "options",
    "known by time",
    "search as XML",
    "some history",
    "count",
    "vread",
)
"""How an answer is written down; ``test_twin_worlds`` asks in every form."""
ASKED = tuple(name for name in ASKS if not name.startswith(_FORMS))
_ENDED_BY_ANYBODY = ("$withdraw", "$revoke")
"""Who works in her organisation ends sharing for her, whoever is assigned: withdrawing needs less than granting."""


def _observer(it: Story, kind: str) -> Caller:
    world = it.world
    match kind:
        case "caseworker":
            assigned(world, f"{ACCOUNT}-{it.shelter}", it.person)
            return signed_in(world, it.shelter, role=kind, account=f"{ACCOUNT}-{it.shelter}")
        case "coordinator":
            return signed_in(world, it.shelter, role=kind, account=ACCOUNT)
        case "software about one":
            return signed_in(world, it.shelter, "system", person=it.person)
        case "herself":
            return signed_in(world, it.shelter, "patient", account=ACCOUNT, person=it.person)
        case "clinician":
            assigned(world, f"{ACCOUNT}-{it.clinic}", it.person)
            return signed_in(world, it.clinic, role="clinician", account=f"{ACCOUNT}-{it.clinic}")
        case "desk":
            return signed_in(world, it.clinic, role="intake", account=ACCOUNT)
        case _:
            binding = bound_to(it.release, "identity", "health")
            return signed_in(world, it.clinic, "system", person=it.person, binding=binding)


def _hide(it: Story, kind: str) -> dict[str, str]:
    """Writes what the observer must not notice: of another person, and for one who is bound of another category."""
    found: dict[str, str] = {}

    def keep(resource: dict[str, object]) -> str:
        made = it.s.create(resource)
        found[made["resourceType"]] = made["id"]
        return f"{made['resourceType']}/{made['id']}"

    person = keep(b.patient("Hidden", identifier=[{"system": "urn:example:h", "value": "hidden-1"}]))
    request = keep(b.service_request(person, it.clinic))
    keep(b.release(person, it.shelter, b.permit(it.clinic, categories=it.categories)))
    document = keep(b.about_person("DocumentReference", person, category="health", request="-", document="-"))
    for name, definition in DEFINITIONS.items():
        if definition.opened and name not in found and not definition.is_referral:
            keep(b.about_person(name, person, category="health", request=request, document=document))
            if kind == "bound":
                it.record(name, "mental-health")
    keep(b.of_author("Provenance", person))
    keep(
        {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "code": b.coded(code_system("task-code"), "case-review"),
            "for": {"reference": person},
            "owner": {"reference": f"Organization/{it.shelter}"},
        }
    )
    if kind != "desk":  # it may see what is asked
        task = keep(b.task(person, request, it.clinic))
        if kind in ("clinician", "bound"):
            it.c.changed(task, status="accepted")
            answer = it.c.create(b.observation(person))
            found["Observation"] = answer["id"]
    return found


def _setting(world: World, *, hidden: bool, kind: str) -> tuple[Caller, dict[str, str]]:
    it = story(world)
    it.categories = ("identity", "health", "mental-health")
    it.s.create(b.condition(it.person))
    it.sign()
    it.refer()
    it.move("accepted")
    return _observer(it, kind), _hide(it, kind) if hidden else {}


@pytest.fixture(scope="module", params=OBSERVERS)
def observed(request: pytest.FixtureRequest, twins: Twins) -> list[tuple[Caller, dict[str, str]]]:
    """The same observer in both worlds, with the ids of what is hidden."""
    return [
        _setting(twins.without, hidden=False, kind=request.param),
        _setting(twins.with_hidden, hidden=True, kind=request.param),
    ]


@pytest.fixture
def kind_of_observer(request: pytest.FixtureRequest) -> str:
    """Gives the kind the observers of this test are of."""
    found: str = request.node.callspec.params["observed"]
    return found


@pytest.mark.attack(
    "E-01", "E-02", "E-03", "E-04", "E-08", "E-10", "E-12", "S-01", "S-06", "S-07", "S-09", "S-10", "S-11"
)
@pytest.mark.parametrize("ask", ASKED)
def test_what_is_out_of_reach_changes_no_answer(
    observed: list[tuple[Caller, dict[str, str]]], ask: str
) -> None:
    first, second = (compared(ask, ASKS[ask](caller, ids)) for caller, ids in observed)
    assert first == second


@pytest.mark.attack("E-02", "S-12", "S-13")
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_out_of_reach_changes_no_search(
    observed: list[tuple[Caller, dict[str, str]]], kind: str
) -> None:
    definition = DEFINITIONS[kind]
    queries = [
        *(f"{one.code}:missing=false&_total=accurate" for one in definition.search),
        *(f"_include={include}" for include in definition.includes),
        *(f"_revinclude={include}" for include in definition.revincludes),
    ]
    for query in queries:
        first, second = (normalised(caller.get(f"/{kind}?{query}")) for caller, _ in observed)
        assert first == second, query


def _addresses() -> Iterator[tuple[str, str, str, str]]:
    """Every route and method of the hub; of those that take a type, two types."""
    for rule, methods, name in ROUTES:
        for method in methods:
            for type_name in ("Patient", "Task") if "<type_name>" in rule else ("",):
                yield name, method, rule, type_name


@pytest.mark.attack("T-25", "E-05", "E-06", "E-09", "E-12", "S-24", "S-25")
@pytest.mark.parametrize("address", list(_addresses()), ids=lambda one: f"{one[1]} {one[2]} {one[3]}")
def test_every_address_answers_the_same(
    observed: list[tuple[Caller, dict[str, str]]],
    kind_of_observer: str,
    address: tuple[str, str, str, str],
) -> None:
    """Whatever an address is for, what it is asked about the hidden it answers as about nothing."""
    _, method, rule, type_name = address
    if kind_of_observer == "caseworker" and rule.endswith(_ENDED_BY_ANYBODY):
        pytest.skip("whoever works in her organisation ends sharing for her")
    answers = []
    for caller, ids in observed:
        named = type_name or rule.strip("/").partition("/")[0]
        path = rule.replace("<type_name>", type_name).replace("<public_id>", ids.get(named, UNKNOWN))
        for part in ("<version>", "<job_id>", "<file>"):
            path = path.replace(part, "1")
        body = None
        if method in ("POST", "PUT", "PATCH"):
            body = {"resourceType": type_name or "Parameters"}
            if rule in ("", "/"):
                body = {"resourceType": "Bundle", "type": "batch"}
            if method == "PUT" and ids.get(named) and "<public_id>" in rule:
                body["id"] = ids[named]
            elif method == "PUT" and "<public_id>" in rule:
                body["id"] = UNKNOWN
        conditional = method in ("PUT", "PATCH", "DELETE") and "<public_id>" not in rule and "$" not in rule
        answer = caller.ask(method, f"{path}?{HIDDEN_NUMBER}" if conditional else path, body)
        assert answer.status_code < 500, answer.get_data(as_text=True)
        answers.append(compared("history of the hub" if rule == "/_history" else rule, answer))
    assert answers[0] == answers[1]


def test_the_observers_see_something(twins: Twins) -> None:
    """The comparison says something only where the observer reads its own part."""
    for kind in OBSERVERS:
        caller, _ = _setting(twins.with_hidden, hidden=True, kind=kind)
        total = parsed(caller.get("/Patient?_total=accurate"))["total"]
        assert total == (0 if kind in ("coordinator", "desk") else 1), kind
