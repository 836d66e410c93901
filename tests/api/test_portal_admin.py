"""Pages of the administration: who reaches them, what they do, and that nobody there learns of a person."""

import re

import pytest
import sqlalchemy as sa

from referral_hub.app import clock
from referral_hub.exchange.change import Change, Delivery
from referral_hub.exchange.ports import Admitted
from referral_hub.store import schema
from referral_hub.store.outbox import Outbox
from referral_hub.store.statements import Statement, whole, words
from tests.api.browsing import Browser, Office, office_of
from tests.api.callers import row_id_of
from tests.world import World

PAGES = (
    "/admin",
    "/admin/organizations",
    "/admin/organizations/new",
    "/admin/policies",
    "/admin/deliveries",
    "/admin/audit",
    "/admin/decisions",
)
NETWORK_ONLY = ("/admin/organizations/new", "/admin/deliveries", "/admin/audit")
_PASSWORD = re.compile(r'<p class="codes" id="one-time">([^<]+)</p>')
_NONCE = re.compile(r'name="form_token" value="[0-9a-f]+"|name="form_owner" value="[^"]+"')


@pytest.fixture
def office(world: World) -> Office:
    made = office_of(world)
    made._authority()  # the first coordinator is there before others are
    return made


@pytest.fixture
def network(office: Office) -> Browser:
    """A coordinator of the network, signed in."""
    return office.staff("coordinator", office._hub).at(office.browser())


def body_of(answer: object) -> str:
    return _NONCE.sub("", answer.get_data(as_text=True))  # type: ignore[attr-defined]


def state_of(office: Office, account: str) -> tuple[str, str, str]:
    table = schema.account
    chosen = sa.select(table.c.state, table.c.role, table.c.authorised_by).where(table.c.id == words("id"))
    row = office.world.parts.database.first(Statement("admin_account_state", chosen), {"id": account})
    assert row is not None
    return row[0], row[1], row[2]


# --- who reaches what --------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", PAGES)
def test_a_stranger_is_led_to_the_sign_in_page(office: Office, address: str) -> None:
    answer = office.browser().get(address)
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (303, "/sign-in")


def test_other_roles_find_nothing_there(office: Office) -> None:
    other = office.world.add_organization("elsewhere", "clinic")
    for role in ("caseworker", "clinician", "lawyer", "intake", "evaluator"):
        browser = office.staff(role).at(office.browser())
        shown = set()
        for address in (*PAGES, f"/admin/organizations/{other}", f"/admin/organizations/{other}/people"):
            answer = browser.get(address)
            assert answer.status_code == 404, (role, address)
            shown.add(body_of(answer).replace(f'value="{address}"', ""))
        assert len(shown) == 1, "the same page, whatever is there"


def test_a_coordinator_of_the_network_sees_every_page_but_decisions(network: Browser) -> None:
    for address in PAGES:
        answer = network.get(address)
        wanted = 404 if address == "/admin/decisions" else 200
        assert answer.status_code == wanted, address
        assert len(answer.get_data()) < 60_000


def test_a_supervisor_sees_her_own_organisation_and_no_other(office: Office) -> None:
    supervisor = office.staff("supervisor")
    browser = supervisor.at(office.browser())
    for address in NETWORK_ONLY:
        assert browser.get(address).status_code == 404, address
    own = f"/admin/organizations/{supervisor.organization}"
    for address in ("/admin", own, f"{own}/people", f"{own}/software", "/admin/policies", "/admin/decisions"):
        assert browser.get(address).status_code == 200, address
    elsewhere = office.staff("caseworker")
    for pair in (
        (f"/admin/organizations/{elsewhere.organization}", "/admin/organizations/none"),
        (f"/admin/organizations/{elsewhere.organization}/people", "/admin/organizations/none/people"),
        (f"/admin/organizations/{elsewhere.organization}/software", "/admin/organizations/none/software"),
        (f"/admin/accounts/{elsewhere.account}", "/admin/accounts/none"),
    ):
        hidden, absent = (browser.get(address) for address in pair)
        assert (hidden.status_code, absent.status_code) == (404, 404), pair
        there, not_there = (
            body_of(answer).replace(address, "")
            for answer, address in zip((hidden, absent), pair, strict=True)
        )
        assert there == not_there


def test_no_form_is_taken_from_elsewhere(office: Office, network: Browser) -> None:
    member = office.staff("caseworker")
    answer = network.client.post(f"/admin/accounts/{member.account}/remove", data={"form_token": "0" * 64})
    assert answer.status_code == 403
    assert state_of(office, member.account)[0] == "active"


# --- organisations -----------------------------------------------------------------------------------------


def added(network: Browser, **form: str) -> str:
    answer = network.post(
        "/admin/organizations/new",
        page="/admin/organizations/new",
        **{"name": "Clinic by the sea", "kind": "clinic", "country": "PL", **form},
    )
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"].rpartition("/")[2]


def test_an_organisation_is_added_changed_and_paused(office: Office, network: Browser) -> None:
    name = f"Clinic {clock()}"
    made = added(network, name=name, phone="+48 22 123 45 67")
    page = network.get(f"/admin/organizations/{made}").get_data(as_text=True)
    assert name in page
    assert "+48 22 123 45 67" in page
    again = network.post(
        "/admin/organizations/new", page="/admin/organizations/new", name=name, kind="clinic"
    )
    assert again.status_code == 422, "sent twice it is added once"
    here = f"/admin/organizations/{made}"
    form = {"name": f"{name} b", "kind": "clinic", "country": "PL", "phone": "112", "governmental": "yes"}
    assert network.post(here, page=here, **form).status_code == 303
    with office.world.parts.store.snapshot() as snapshot:
        row, resource = snapshot.organization(made), snapshot.resource("Organization", made)
    assert row is not None
    assert row.facts.governmental
    assert resource is not None
    assert b'"112"' in resource.body
    effect = network.get(f"{here}/active")
    assert effect.status_code == 200
    assert network.post(f"{here}/active", page=f"{here}/active", active="no").status_code == 303
    with office.world.parts.store.snapshot() as snapshot:
        row = snapshot.organization(made)
    assert row is not None
    assert not row.facts.active


def test_what_counts_as_government_counts_for_its_units(office: Office, network: Browser) -> None:
    above = added(network, name=f"Office {clock()}", kind="immigration")
    unit = added(network, name=f"Desk {clock()}", kind="legal-aid", part_of=above)
    here = f"/admin/organizations/{above}"
    form = {"name": "", "kind": "immigration", "country": "PL", "governmental": "yes"}
    assert network.post(here, page=here, **form).status_code == 303
    with office.world.parts.store.snapshot() as snapshot:
        row = snapshot.organization(unit)
    assert row is not None
    assert row.facts.governmental


def test_the_networks_own_organisation_is_not_paused(office: Office, network: Browser) -> None:
    here = f"/admin/organizations/{office._hub}/active"
    assert network.post(here, page=here, active="no").status_code == 422


def test_a_wrong_form_says_why_and_stores_nothing(network: Browser) -> None:
    answer = network.post(
        "/admin/organizations/new", page="/admin/organizations/new", name="A", kind="clinic", country="poland"
    )
    assert answer.status_code == 422
    assert "two capital letters" in answer.get_data(as_text=True)


def test_a_shelters_name_is_not_shown_to_the_network(office: Office, network: Browser) -> None:
    made = added(network, name="Under the lindens", kind="shelter", neutral_name="House 9")
    office.later(minutes=6)
    for address in (f"/admin/organizations/{made}", "/admin/organizations", "/admin/deliveries"):
        text = network.get(address).get_data(as_text=True)
        assert "Under the lindens" not in text
    here = f"/admin/organizations/{made}"
    form = {"name": "", "kind": "shelter", "neutral_name": "House 10", "country": "PL"}
    assert network.post(here, page=here, **form).status_code == 303
    with office.world.parts.store.snapshot() as snapshot:
        row = snapshot.organization(made)
    assert row is not None
    assert (row.name, row.neutral_name) == ("Under the lindens", "House 10")


# --- people ------------------------------------------------------------------------------------------------


def hired(browser: Browser, organization: str, role: str = "caseworker") -> tuple[str, str, str]:
    login = f"new-{clock()}@unit.example"
    here = f"/admin/organizations/{organization}/people"
    answer = browser.post(here, page=here, login=login, role=role)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200, text
    password = _PASSWORD.search(text)
    account = re.search(r"/admin/accounts/([0-9a-f-]+)", text)
    assert password
    assert account
    return login, account[1], password[1]


def test_a_second_person_authorises_whom_the_first_added(office: Office, network: Browser) -> None:
    supervisor = office.staff("supervisor")
    first = supervisor.at(office.browser())
    login, account, _ = hired(first, supervisor.organization)
    here = f"/admin/accounts/{account}"
    assert first.post(f"{here}/train", page=here, until="2027-11-30").status_code == 303
    assert "second person" in first.get(here).get_data(as_text=True)
    assert first.post(f"{here}/authorise", page=here).status_code == 422
    assert state_of(office, account)[2] == ""
    assert network.post(f"{here}/authorise", page=here).status_code == 303
    assert state_of(office, account)[2] != ""
    people = f"/admin/organizations/{supervisor.organization}/people"
    assert login in network.get(people).get_data(as_text=True)


def test_an_address_is_given_once(office: Office) -> None:
    supervisor = office.staff("supervisor")
    browser = supervisor.at(office.browser())
    here = f"/admin/organizations/{supervisor.organization}/people"
    answer = browser.post(here, page=here, login=supervisor.login, role="intake")
    assert answer.status_code == 422
    assert "one human has one account" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "act", ["remove", "withdraw", "role", "reset", "train", "authorise", "unlock", "on-call"]
)
def test_nobody_changes_her_own_account(office: Office, act: str) -> None:
    coordinator = office.staff("coordinator", office._hub)
    browser = coordinator.at(office.browser())
    here = f"/admin/accounts/{coordinator.account}"
    before = state_of(office, coordinator.account)
    version = re.search(r'name="version" value="(\d+)"', browser.get(here).get_data(as_text=True))
    assert version is None, "and no form is offered"
    answer = browser.post(f"{here}/{act}", page="/admin", role="evaluator", hours="2", until="2027-11-30")
    assert answer.status_code == 422
    assert state_of(office, coordinator.account) == before


def test_a_supervisor_of_the_network_neither_makes_nor_takes_over_a_coordinator(office: Office) -> None:
    supervisor = office.staff("supervisor", office._hub)
    victim = office.staff("coordinator", office._hub)
    browser = supervisor.at(office.browser())
    people = f"/admin/organizations/{office._hub}/people"
    answer = browser.post(people, page=people, login="puppet@network.example", role="coordinator")
    assert answer.status_code == 422
    for act in ("remove", "reset", "withdraw", "role"):
        answer = browser.post(
            f"/admin/accounts/{victim.account}/{act}", page=people, role="intake", factors="yes", version="1"
        )
        assert answer.status_code == 422, act
    assert state_of(office, victim.account)[:2] == ("active", "coordinator")
    assert browser.get("/admin/audit").status_code == 404


def test_who_resets_everything_does_not_walk_in(office: Office) -> None:
    supervisor = office.staff("supervisor")
    member = office.staff("caseworker", supervisor.organization)
    browser = supervisor.at(office.browser())
    here = f"/admin/accounts/{member.account}"
    version = re.search(r'name="version" value="(\d+)"', browser.get(here).get_data(as_text=True))
    assert version
    answer = browser.post(f"{here}/reset", page=here, version=version[1], factors="yes")
    password = _PASSWORD.search(answer.get_data(as_text=True))
    assert password
    assert state_of(office, member.account)[2] == "", "the role has to be authorised anew"
    assert browser.post(f"{here}/authorise", page=here).status_code == 422, (
        "and not by whoever has the password"
    )
    again = browser.post(f"{here}/reset", page=here, version=version[1], factors="yes")
    assert again.status_code == 422, "sent twice it gives one password"


def test_a_removed_account_has_nothing_left(office: Office) -> None:
    supervisor = office.staff("supervisor")
    member = office.staff("caseworker", supervisor.organization)
    hers = member.at(office.browser())
    browser = supervisor.at(office.browser())
    here = f"/admin/accounts/{member.account}"
    assert browser.post(f"{here}/remove", page=here).status_code == 303
    assert hers.signed_in() is None
    assert browser.get(here).status_code == 404
    assert browser.post(f"{here}/remove", page="/admin").status_code == 404


def test_a_dangerous_act_asks_who_sits_there(office: Office) -> None:
    supervisor = office.staff("supervisor")
    member = office.staff("caseworker", supervisor.organization)
    browser = supervisor.at(office.browser())
    office.later(minutes=25)
    here = f"/admin/accounts/{member.account}"
    answer = browser.post(f"{here}/remove", page=here)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in?confirm=1")
    assert state_of(office, member.account)[0] == "active"


def test_who_was_removed_meanwhile_does_nothing_more(office: Office) -> None:
    one, other = office.staff("coordinator", office._hub), office.staff("coordinator", office._hub)
    first, second = one.at(office.browser()), other.at(office.browser())
    assert first.post(f"/admin/accounts/{other.account}/remove", page="/admin").status_code == 303
    answer = second.post(f"/admin/accounts/{one.account}/remove", page="/sign-in")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")
    assert state_of(office, one.account)[0] == "active"


# --- software ----------------------------------------------------------------------------------------------


def registered(network: Browser, organization: str, **form: str) -> tuple[str, str]:
    here = f"/admin/organizations/{organization}/software/new"
    sent = {"name": "Records", "key": "secret", "scope": "system/Task.rs", "purpose": "TREAT", **form}
    answer = network.post(here, page=here, **sent)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200, text
    secret, client = _PASSWORD.search(text), re.search(r"/admin/software/(c-[0-9a-f]+)", text)
    assert secret
    assert client
    return client[1], secret[1]


def test_software_is_registered_rotated_and_paused(office: Office, network: Browser) -> None:
    clinic = office.world.add_organization(f"clinic {clock()}", "clinic")
    client, secret = registered(network, clinic)
    here = f"/admin/software/{client}"
    text = network.get(here).get_data(as_text=True)
    assert secret not in text
    assert "TREAT" in text
    version = re.search(r'name="version" value="(\d+)"', text)
    assert version
    fresh = network.post(f"{here}/rotate", page=here, version=version[1])
    found = _PASSWORD.search(fresh.get_data(as_text=True))
    assert found
    assert found[1] != secret
    assert network.post(f"{here}/rotate", page=here, version=version[1]).status_code == 422, "sent twice"
    assert network.post(f"{here}/pause", page=here).status_code == 303
    row = office.world.parts.oauth._rows.oauth_client(client)  # type: ignore[attr-defined]
    assert not row.active
    twice = network.post(
        f"/admin/organizations/{clinic}/software/new",
        page=here,
        name="Records",
        key="secret",
        scope="system/Task.rs",
    )
    assert twice.status_code == 422


def test_pausing_ends_the_tokens_at_once(office: Office, network: Browser) -> None:
    caller = office.world.caller(office.world.add_organization(f"clinic {clock()}", "clinic"))
    assert caller.get("/Task").status_code == 200
    listed = network.get(f"/admin/organizations/{caller.organization}/software").get_data(as_text=True)
    client = re.search(r"/admin/software/(c-[0-9a-f]+)", listed)
    assert client
    here = f"/admin/software/{client[1]}"
    assert network.post(f"{here}/pause", page=here).status_code == 303
    assert caller.get("/Task").status_code == 401


def test_a_supervisor_may_stop_her_software_and_no_more(office: Office, network: Browser) -> None:
    supervisor = office.staff("supervisor")
    client, _ = registered(network, supervisor.organization)
    browser = supervisor.at(office.browser())
    here = f"/admin/software/{client}"
    for act in ("rotate", "allow", "resume"):
        assert (
            browser.post(f"{here}/{act}", page=here, version="1", scope="system/*.cruds").status_code == 404
        )
    assert browser.post(f"{here}/pause", page=here).status_code == 303
    stranger = office.staff("supervisor").at(office.browser())
    assert stranger.get(here).status_code == 404
    assert stranger.post(f"{here}/pause", page="/admin").status_code == 404


def test_the_hubs_own_pages_are_no_software_to_pause(network: Browser) -> None:
    assert network.get("/admin/software/portal").status_code == 404
    assert network.post("/admin/software/portal/pause", page="/admin").status_code == 404


# --- deliveries --------------------------------------------------------------------------------------------


def given_up(office: Office, person: int | None = None, kind: str = "task-notice") -> tuple[int, str]:
    """Puts a message into the outbox that was given up, and gives its number and destination."""
    parts = office.world.parts
    destination = office.world.add_organization(f"partner {clock()}", "clinic")
    key = f"key-{clock()}"
    delivery = Delivery(key, destination, kind, 1, person, clock(), b"secret words")
    parts.store.apply(Admitted(Change(key, deliveries=(delivery,))))
    outbox = Outbox(parts.database, parts.writer, parts.bodies)
    while (claimed := outbox.claim(clock() + 10**7, 10**7)) is not None:
        if claimed.key == key:
            break
    assert claimed is not None
    assert outbox.dead(claimed, clock(), "The server answered with 410.")
    return claimed.sequence, destination


def outbox_state(office: Office, sequence: int) -> int:
    table = schema.outbox
    statement = Statement(
        "admin_outbox", sa.select(table.c.state).where(table.c.sequence == whole("sequence"))
    )
    row = office.world.parts.database.first(statement, {"sequence": sequence})
    assert row is not None
    return int(row[0])


def test_a_message_that_was_given_up_is_tried_again_once(office: Office, network: Browser) -> None:
    sequence, _ = given_up(office)
    page = network.get("/admin/deliveries").get_data(as_text=True)
    assert "answered with 410" in page
    assert "secret words" not in page
    here = f"/admin/deliveries/{sequence}/retry"
    assert network.post(here, page="/admin/deliveries").status_code == 303
    assert outbox_state(office, sequence) == schema.OUTBOX_WAITING
    assert network.post(here, page="/admin/deliveries").status_code == 404


def test_a_message_ends_with_a_reason_of_the_list(office: Office, network: Browser) -> None:
    sequence, _ = given_up(office, kind="recall")
    here = f"/admin/deliveries/{sequence}/give-up"
    for reason in ("", "she is called Anna", "not-needed"):
        assert network.post(here, page="/admin/deliveries", reason=reason).status_code == 422
    assert network.post(here, page="/admin/deliveries", reason="told-otherwise").status_code == 303
    assert outbox_state(office, sequence) == schema.OUTBOX_CANCELLED


def test_a_supervisor_acts_on_no_message(office: Office) -> None:
    sequence, _ = given_up(office)
    browser = office.staff("supervisor").at(office.browser())
    for act in ("retry", "give-up"):
        answer = browser.post(f"/admin/deliveries/{sequence}/{act}", page="/admin", reason="not-needed")
        assert answer.status_code == 404
    assert outbox_state(office, sequence) == schema.OUTBOX_DEAD


# --- never a person ----------------------------------------------------------------------------------------


def test_no_byte_of_a_coordinators_pages_tells_of_a_person(office: Office, network: Browser) -> None:
    shelter = office.world.add_organization(f"shelter {clock()}", "shelter")
    software = office.world.caller(shelter)
    made = software.create(
        {"resourceType": "Patient", "name": [{"family": "Skowronkowska", "given": ["Lark"]}]}
    )
    given_up(office, row_id_of(office.world, f"Patient/{made['id']}"))
    row_id = str(row_id_of(office.world, f"Patient/{made['id']}"))
    office.world.parts.store.settle(clock())
    here = f"/admin/organizations/{shelter}"
    for address in (
        *PAGES,
        here,
        f"{here}/people",
        f"{here}/software",
        f"{here}/active",
        "/admin/audit?days=30",
    ):
        text = network.get(address).get_data(as_text=True)
        for hidden in ("Skowronkowska", "Lark", str(made["id"]), row_id, "secret words"):
            assert hidden not in text, (address, hidden)


def test_a_persons_own_account_is_none_of_the_staffs(office: Office, network: Browser) -> None:
    supervisor = office.staff("supervisor")
    software = office.world.caller(supervisor.organization)
    made = software.create({"resourceType": "Patient", "name": [{"family": "Skowronkowska"}]})
    here = f"/admin/organizations/{supervisor.organization}/people"
    before = body_of(network.get(here))
    row_id = row_id_of(office.world, f"Patient/{made['id']}")
    office.people.herself.hand_code(
        row_id, str(made["id"]), supervisor.organization, supervisor.account, office.at_us
    )
    found = office.people.rows.account_of_person(row_id)
    assert found is not None
    assert body_of(network.get(here)) == before
    assert network.get(f"/admin/accounts/{found.id}").status_code == 404
    assert network.post(f"/admin/accounts/{found.id}/remove", page=here).status_code == 404


def test_small_numbers_of_the_audit_are_hidden(office: Office, network: Browser) -> None:
    clinic = office.world.add_organization(f"Tiny clinic {clock()}", "clinic")
    name = next(key for key, held in office.world.organizations.items() if held == clinic)
    office.world.caller(clinic).get("/Organization")
    office.world.caller(clinic).create({"resourceType": "Patient", "name": [{"family": "A"}]})
    office.world.parts.store.settle(clock())
    text = network.get("/admin/audit").get_data(as_text=True)
    row = re.search(rf'<th scope="row">{re.escape(name)}</th><td>([^<]*)</td>', text)
    assert row
    assert row[1] == "hidden"
    looked = network.post("/admin/audit", page="/admin/audit")
    assert looked.status_code == 200
    assert "newest part holds" in looked.get_data(as_text=True)


# --- decisions ---------------------------------------------------------------------------------------------


def test_another_answer_takes_a_second_person(office: Office) -> None:
    one = office.staff("supervisor")
    other = office.staff("supervisor", one.organization)
    first, second = one.at(office.browser()), other.at(office.browser())
    outside = "/admin/outside-request"
    form = {"asker_kind": "court", "asked_by": "District court, clerk", "other_answer": "Yes, by order 12"}
    assert first.post(outside, page=outside, **form).status_code == 200
    listed = first.get("/admin/decisions").get_data(as_text=True)
    task = re.search(r"/admin/decisions/([0-9a-f-]{36})", listed)
    assert task
    here = f"/admin/decisions/{task[1]}"
    assert "Confirm" not in first.get(here).get_data(as_text=True)
    assert first.post(here, page=here, decision="confirm", reason="so it is").status_code == 403
    assert second.post(here, page=here, decision="confirm").status_code == 422, "a reason is wanted"
    assert second.post(here, page=here, decision="confirm", reason="order seen").status_code == 303
    assert second.post(here, page=here, decision="confirm", reason="order seen").status_code == 409
    assert task[1] not in second.get("/admin/decisions").get_data(as_text=True)
    assert task[1] in second.get("/admin/decisions?show=decided").get_data(as_text=True)
    stranger = office.staff("supervisor").at(office.browser())
    assert stranger.get(here).status_code == 404
    assert stranger.post(here, page="/admin", decision="confirm", reason="x").status_code == 404


def test_every_worker_writes_down_who_asked(office: Office) -> None:
    browser = office.staff("intake").at(office.browser())
    outside = "/admin/outside-request"
    assert browser.post(outside, page=outside, asker_kind="police", asked_by="").status_code == 422
    answer = browser.post(outside, page=outside, asker_kind="police", asked_by="A sergeant")
    assert answer.status_code == 200
    assert "written down" in answer.get_data(as_text=True)


def test_a_large_network_is_shown_in_pages(office: Office, network: Browser) -> None:
    mark = f"Large {clock()}"
    for place in range(120):
        office.world.add_organization(f"{mark} {place:03}", "clinic")
    for address in PAGES:
        assert len(network.get(address).get_data()) < 60_000, address
    shown = [
        network.get(f"/admin/organizations?name={mark}&page={page}").get_data(as_text=True)
        for page in (1, 2, 3)
    ]
    found = [re.findall(rf"{mark} (\d\d\d)", text) for text in shown]
    assert [len(one) for one in found] == [50, 50, 20]
    assert sorted(one for page in found for one in page) == [f"{place:03}" for place in range(120)]
    for odd in ("0", "-1", "x", "99999", "%00"):
        assert network.get(f"/admin/organizations?page={odd}").status_code == 200, odd
