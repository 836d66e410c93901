"""A source with a records system of its own, a hub, and a recipient: what tests of indirect referrals share."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from referral_hub.adapters.fhir_rest import FhirRestChannel
from referral_hub.adapters.guarded_http import GuardedHttp
from referral_hub.demo.ehr import Clinic
from referral_hub.exchange.hub import Hub
from referral_hub.outbound.delivery import Delivery
from referral_hub.outbound.patience import Patience
from referral_hub.outbound.polling import Poller
from referral_hub.outbound.timers import TimerWork
from referral_hub.store.outbox import Outbox
from referral_hub.store.partner_copies import PartnerCopies
from referral_hub.store.statements import Statement
from referral_hub.store.timers import Timers
from tests import builders as b
from tests.api.outbound.partner_server import PartnerServer
from tests.world import Caller, World, parsed

SECOND_US = 1_000_000
URI = "urn:ietf:rfc:3986"


@contextmanager
def records_system() -> Iterator[Clinic]:
    """Serves the demo's records system in this process, on a free port of this machine."""
    ehr = Clinic(0, "desk")
    thread = threading.Thread(target=ehr.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield ehr
    finally:
        ehr.shutdown()
        ehr.server_close()
        thread.join()


@dataclass
class Indirect:
    """A source clinic with its own records system, a recipient with its own server, the hub's organisation."""

    world: World
    ehr: Clinic
    partner: PartnerServer
    source: str
    target: str
    network: str
    s: Caller
    t: Caller
    h: Caller
    hub: Hub
    later_us: int = 0
    person: str = ""
    request: str = ""
    task: str = ""

    def __post_init__(self) -> None:
        parts = self.world.parts
        real = parts.hub.clock
        self.hub = replace(parts.hub, clock=lambda: real() + self.later_us)
        self.outbox = Outbox(parts.database, parts.writer, parts.bodies)
        copies = PartnerCopies(parts.database, parts.writer)
        origins = frozenset({self.ehr.base, self.partner.base.removesuffix("/fhir")})
        http = GuardedHttp(inner_origins=origins, timeout_s=2.0)
        self.channel = FhirRestChannel(http, self.hub.base, self.hub.clock)
        patience = Patience(first_s=2, tries_answered=3, tries_unreached=3)
        self.delivery = Delivery(self.hub, self.outbox, copies, self.channel, patience=patience)
        self.poller = Poller(self.hub, copies, self.channel)
        self.timers = TimerWork(self.hub, Timers(parts.database, parts.writer, parts.bodies))

    @property
    def base(self) -> str:
        """Gives the FHIR base of the source."""
        return f"{self.ehr.base}/fhir"

    # --- at the source -----------------------------------------------------------------------------------------

    def file(self, resource: dict[str, Any]) -> str:
        """Files a record at the source; gives its absolute address."""
        return f"{self.base}/{self.ehr.records.file(resource)}"

    def fill(self, *beside: dict[str, Any], **request: Any) -> None:
        """Files a person, what belongs to her, and a request, with references relative to the source's server."""
        self.person = self.file(b.patient())
        here = self.person.removeprefix(f"{self.base}/")
        info = []
        for one in beside:
            element = "patient" if one["resourceType"] == "Consent" else "subject"
            whole = {**one, element: {"reference": here}}
            if "performer" in one:
                whole["performer"] = [{"reference": here}]
            info.append(self.file(whole).removeprefix(f"{self.base}/"))
        body = b.service_request(here, "x", requester={"reference": "Practitioner/7"}, **request)
        del body["performer"]
        if info:
            body["supportingInfo"] = [{"reference": one} for one in info]
        self.request = self.file(body)

    def refer(self, owner: str = "", **more: Any) -> dict[str, Any]:
        """Writes the source's Task with absolute addresses; gives it as answered."""
        more.setdefault("requester", {"reference": f"Organization/{self.source}"})
        made = self.s.create(b.task(self.person, self.request, owner or self.target, **more))
        self.task = f"Task/{made['id']}"
        return made

    # --- at the hub --------------------------------------------------------------------------------------------

    def copies(self, url: str) -> list[dict[str, Any]]:
        """Gives the source's copies of one of its resources."""
        type_name = url.removeprefix(f"{self.base}/").partition("/")[0]
        found = parsed(self.s.get(f"/{type_name}?identifier={URI}|{url}"))
        return [entry["resource"] for entry in found.get("entry", ())]

    def copy(self, url: str) -> dict[str, Any]:
        """Gives the one copy of one of the source's resources."""
        (found,) = self.copies(url)
        return found

    def sign(self, receiver: str = "", **how: Any) -> dict[str, Any]:
        """Signs a release at the hub."""
        person = f"Patient/{self.copy(self.person)['id']}"
        return self.s.create(b.release(person, self.source, b.permit(receiver or self.target, **how)))

    def end(self, release: dict[str, Any]) -> None:
        """Ends a release."""
        answer = self.s.ask("POST", f"/Consent/{release['id']}/$revoke")
        assert answer.status_code == 200, answer.get_data(as_text=True)

    def passed_on(self) -> dict[str, Any]:
        """Gives the one Task the recipient sees."""
        (found,) = self.inbox(self.t)
        return found

    def inbox(self, caller: Caller) -> list[dict[str, Any]]:
        """Gives the Tasks a caller sees."""
        found = parsed(caller.get("/Task"))
        return [entry["resource"] for entry in found.get("entry", ()) if entry["search"]["mode"] == "match"]

    def state(self) -> tuple[str, str, str]:
        """Gives status, finer step and reason code of the source's Task, as the source reads them."""
        task = self.s.read(self.task)
        step = task.get("businessStatus", {}).get("coding", [{}])[0].get("code", "")
        reason = task.get("statusReason", {}).get("coding", [{}])[0].get("code", "")
        return task["status"], step, reason

    def answer(self, status: str, reason: str = "", **more: Any) -> dict[str, Any]:
        """Moves the hub's Task as the recipient."""
        if reason:
            more["statusReason"] = b.reason(reason, "words that stay here")
        return self.t.changed(f"Task/{self.passed_on()['id']}", status=status, **more)

    # --- what the delivery process does -----------------------------------------------------------------------

    def deliver(self) -> int:
        """Delivers until nothing may leave now; gives how many messages were settled."""
        count = 0
        while self.delivery.deliver_one(self.hub.clock()):
            count += 1
        return count

    def wait(self, seconds: float) -> None:
        """Lets time pass for the delivery process."""
        self.later_us += round(seconds * SECOND_US)

    def fire(self) -> int:
        """Works the timers that are due."""
        count = 0
        while self.timers.fire_one(self.hub.clock()):
            count += 1
        return count

    def rows(self, table: sa.Table, *columns: str) -> list[tuple[Any, ...]]:
        """Gives columns of a table, in the order of its first column."""
        chosen = [table.c[name] for name in columns]
        statement = Statement(
            f"test_{table.name}_{'_'.join(columns)}", sa.select(*chosen).order_by(*chosen[:1])
        )
        return self.world.parts.database.run(statement, {})


def placed(world: World, ehr: Clinic, partner: PartnerServer, *, kind: str = "clinic") -> Indirect:
    """Puts a source with this records system and a recipient with this server into a hub."""
    base = f"{ehr.base}/fhir"
    source = world.add_organization("source", kind, fhir_endpoint=base, bases=(base,))
    target = world.add_organization("target", "clinic", fhir_endpoint=partner.base, bases=(partner.base,))
    network = world.organizations["network"]
    s, t, h = world.caller(source), world.caller(target), world.caller(network)
    return Indirect(world, ehr, partner, source, target, network, s, t, h, world.parts.hub)
