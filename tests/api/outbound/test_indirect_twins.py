"""An indirect referral changes no answer to anybody it is not for.

Strangers and the hub's own people are asked before and after; what one side of it may not see is to it like what is
not there. (Totals are the one thing the hub's organisation may learn: it authored the rows, and counts are its own.)
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests import builders as b
from tests.api.outbound.indirect import URI, Indirect, placed, records_system
from tests.api.outbound.partner_server import PartnerServer
from tests.api.test_twin_worlds import normalised
from tests.world import Caller, opened_world

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def it(hub_url: str, tmp_path: Path, partner: PartnerServer) -> Iterator[Indirect]:
    with records_system() as ehr, opened_world(hub_url, tmp_path / "data") as world:
        yield placed(world, ehr, partner)


def searches(it: Indirect) -> dict[str, str]:
    """Searches that would find something if a caller could see it."""
    return {
        "tasks": "/Task?_total=accurate",
        "owned": f"/Task?owner=Organization/{it.target}",
        "requested": f"/Task?requester=Organization/{it.network}",
        "parts": f"/Task?part-of={it.task or 'Task/' + UNKNOWN}",
        "requests": "/ServiceRequest?_total=accurate",
        "orders": "/ServiceRequest?intent=filler-order",
        "persons": "/Patient?_total=accurate",
        "by address": f"/Patient?identifier={URI}|{it.person}",
        "by source": f"/ServiceRequest?identifier={URI}|{it.request}",
        "elsewhere": f"/Task?focus={it.request}",
        "conditions": "/Condition?_total=accurate",
        "consents": "/Consent?_total=accurate",
        "every task": "/Task",
        "every request": "/ServiceRequest",
        "every person": "/Patient",
    }


@pytest.mark.attack("S-28")
def test_searches_of_others_are_the_same_before_and_after(it: Indirect):
    stranger = it.world.caller(it.world.add_organization("stranger", "clinic"))
    it.fill(b.condition(""))
    callers = {"stranger": stranger, "network": it.h}
    asked = {
        (who, name): normalised(caller.get(path))
        for who, caller in callers.items()
        for name, path in searches(it).items()
        if name != "parts" and not (who == "network" and "_total" in path)
    }
    it.refer()
    it.deliver()
    it.sign()
    it.deliver()
    it.answer("accepted")
    paths = searches(it)
    for (who, name), before in asked.items():
        assert normalised(callers[who].get(paths[name])) == before, (who, name)


Ask = Callable[[Indirect, Caller, str], TestResponse]


def _part(it: Indirect, caller: Caller, task: str) -> TestResponse:
    body = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": b.coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
        "authoredOn": "2026-11-24",
        "partOf": [{"reference": f"Task/{task}"}],
        "for": {"reference": f"Patient/{UNKNOWN}"},
        "focus": {"reference": f"ServiceRequest/{UNKNOWN}"},
        "requester": {"reference": f"Organization/{caller.organization}"},
        "owner": {"reference": f"Organization/{it.target}"},
    }
    return caller.ask("POST", "/Task", body)


def _put(it: Indirect, caller: Caller, task: str) -> TestResponse:
    body = {"resourceType": "Task", "id": task, "status": "accepted", "intent": "order"}
    return caller.ask("PUT", f"/Task/{task}", body, If_Match='W/"0123456789abcdef"')


ASKS: dict[str, Ask] = {
    "read": lambda it, caller, task: caller.get(f"/Task/{task}"),
    "history": lambda it, caller, task: caller.get(f"/Task/{task}/_history"),
    "actions": lambda it, caller, task: caller.get(f"/Task/{task}/$available-actions"),
    "by id": lambda it, caller, task: caller.get(f"/Task?_id={task}"),
    "parts": lambda it, caller, task: caller.get(f"/Task?part-of=Task/{task}"),
    "part of it": _part,
    "delete": lambda it, caller, task: caller.ask("DELETE", f"/Task/{task}"),
    "patch": lambda it, caller, task: caller.ask(
        "PATCH",
        f"/Task/{task}",
        b'[{"op": "replace", "path": "/status", "value": "cancelled"}]',
        Content_Type="application/json-patch+json",
        If_Match='W/"0123456789abcdef"',
    ),
    "put": _put,
}


@pytest.mark.attack("S-28")
@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("who", ["stranger", "network", "target"])
def test_asking_for_the_sources_task_is_like_asking_for_none(it: Indirect, who: str, ask: str):
    stranger = it.world.caller(it.world.add_organization("stranger", "clinic"))
    it.fill()
    it.refer()
    it.deliver()
    it.sign()
    it.deliver()
    caller = {"stranger": stranger, "network": it.h, "target": it.t}[who]
    task = it.task.partition("/")[2]
    hidden, absent = ASKS[ask](it, caller, task), ASKS[ask](it, caller, UNKNOWN)
    assert normalised(hidden).replace(task, UNKNOWN) == normalised(absent)


@pytest.mark.attack("S-28")
@pytest.mark.parametrize("who", ["stranger", "network", "source"])
def test_asking_for_the_hubs_task_is_like_asking_for_none(it: Indirect, who: str):
    stranger = it.world.caller(it.world.add_organization("stranger", "clinic"))
    it.fill()
    it.refer()
    it.deliver()
    it.sign()
    it.deliver()
    caller = {"stranger": stranger, "network": it.h, "source": it.s}[who]
    task = it.passed_on()
    for name in ("read", "history", "actions", "by id", "delete", "patch", "put"):
        hidden, absent = ASKS[name](it, caller, task["id"]), ASKS[name](it, caller, UNKNOWN)
        assert normalised(hidden) == normalised(absent), name
    order = task["focus"]["reference"]
    assert normalised(caller.get(f"/{order}")) == normalised(caller.get(f"/ServiceRequest/{UNKNOWN}"))
