"""What the shelter's and the clinics' software does in the drill, person after person, in several threads.

What lives here: the referral from the first paper to one of its ends, and what was acknowledged on the way as the
verdict needs it. What does not: sending (``tests.drill.asking``), data (``tests.builders``).
"""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from referral_hub.fhir.canonical import PLACER
from tests import builders as b
from tests.drill.asking import Asking, GaveUp, Memory, Refused
from tests.drill.hub import POLLED, Network, now_s
from tests.drill.partners import Partners

Fate = Literal[
    "left alone",
    "answered",
    "cancelled",
    "cancelled and withdrawn",
    "half withdrawn",
    "withdrawn",
    "withdrawn after",
]
FATES: Mapping[Fate, int] = {
    "left alone": 3,
    "answered": 3,
    "cancelled": 2,
    "cancelled and withdrawn": 1,
    "half withdrawn": 1,
    "withdrawn": 2,
    "withdrawn after": 1,
}
"""What becomes of a referral, as weights. Half: one of two releases for the same clinic ends, the other lives."""
_BETWEEN_S = 0.12


@dataclass(slots=True)
class Referral:
    """One acknowledged referral and what became of it.

    ``completed`` tells that the clinic closed it at the hub, so that it need not be told of it any more.
    ``at_home`` tells that the clinic's people accepted it in their own system.
    ``teller`` names the thread that sent it; in its list referrals stand in the order they were acknowledged.
    ``ending_s`` is when a withdrawal was first sent, ``ended_s`` when it was acknowledged, ``seen_s`` when the
    clinic was first answered with something about her.
    """

    teller: int
    clinic: str
    person: str
    task: str
    placer: str
    cancelled: bool = False
    completed: bool = False
    at_home: bool = False
    seen_s: float | None = None
    ending_s: float | None = None
    ended_s: float | None = None


@dataclass(eq=False)
class Teller(threading.Thread):
    """One thread that plays referrals until its time is over, each to its end.

    Args:
        number: which of the threads.
        network: who takes part.
        partners: the clinics' own servers.
        memory: where answers are remembered.
        seed: makes its choices the same again.
        until_s: when no further person is begun.
        gives_up_s: when no further attempt is made.
    """

    number: int
    network: Network
    partners: Partners
    memory: Memory
    seed: int
    until_s: float
    gives_up_s: float
    referrals: list[Referral] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(name=f"teller-{self.number}", daemon=True)
        self._choice = random.Random(f"{self.seed}/teller/{self.number}")
        self._shelter = Asking(self.network.shelter, self.memory, self.gives_up_s)
        self._clinics = {
            name: Asking(partner, self.memory, self.gives_up_s)
            for name, partner in self.network.clinics.items()
        }
        self._pause = threading.Event()

    def run(self) -> None:
        while now_s() < self.until_s:
            try:
                self._person()
            except (Refused, GaveUp) as wrong:
                self.memory.complain(f"{type(wrong).__name__}: {wrong}")
                if isinstance(wrong, GaveUp):
                    return
            except Exception as fault:
                self.memory.complain(f"the drill itself broke: {fault!r}")
                raise
            self._pause.wait(self._choice.uniform(0, _BETWEEN_S))

    # --- one person --------------------------------------------------------------------------------------------

    def _person(self) -> None:
        name = self._choice.choice(list(self._clinics))
        clinic = self._clinics[name]
        referral, consent = self._sent(name, clinic)
        self.referrals.append(referral)
        (fate,) = self._choice.choices(list(FATES), list(FATES.values()))
        self.memory.count(f"referrals {fate}")
        if fate == "left alone" and name == POLLED:
            self.partners.accept(name, referral.placer)
            referral.at_home = True
        elif fate == "answered":
            self._answered(referral, clinic)
        elif fate in ("cancelled", "cancelled and withdrawn"):
            self._cancelled(referral)
            if fate == "cancelled and withdrawn":
                self._withdrawn(referral, clinic, consent)
        elif fate == "half withdrawn":
            other = b.release(
                referral.person, self._shelter.organization, b.permit(clinic.organization, days=9)
            )
            self._shelter.create(other)
            self._end(consent)
        elif fate != "left alone":
            if fate == "withdrawn after":
                self._look(referral, clinic)
            else:
                self._pause.wait(self._choice.choice((0, 0, 0.05, 0.3, 1.0)))
            self._withdrawn(referral, clinic, consent)

    def _sent(self, name: str, clinic: Asking) -> tuple[Referral, str]:
        """From the person to the referral: paper by paper, by way of a draft, or the release along with it."""
        shelter = self._shelter
        made = shelter.create(b.patient("Dunnock"))
        person = f"Patient/{made['id']}"
        release = b.release(person, shelter.organization, b.permit(clinic.organization))
        request = shelter.create(b.service_request(person, clinic.organization))
        papers = b.task(person, f"ServiceRequest/{request['id']}", clinic.organization)
        if self._choice.random() < 0.25:
            together = shelter.transact({"release": release, "task": papers})
            task = shelter.read(together["task"])
            return self._referral(name, person, task), together["release"]
        consent = f"Consent/{shelter.create(release)['id']}"
        if self._choice.random() < 0.4:
            draft = shelter.create({**papers, "status": "draft"})
            moved = shelter.move(f"Task/{draft['id']}", author=True, status="requested")
            if moved is None:
                raise Refused("a draft could not be sent")
            return self._referral(name, person, moved), consent
        return self._referral(name, person, shelter.create(papers)), consent

    def _referral(self, name: str, person: str, task: dict[str, Any]) -> Referral:
        (placer,) = (one["value"] for one in task["identifier"] if one["system"] == PLACER)
        return Referral(self.number, name, person, f"Task/{task['id']}", placer)

    # --- its ends ----------------------------------------------------------------------------------------------

    def _look(self, referral: Referral, clinic: Asking) -> None:
        """The clinic reads the notice at the hub."""
        clinic.read(referral.person)
        referral.seen_s = now_s()

    def _cancelled(self, referral: Referral) -> None:
        self._pause.wait(self._choice.uniform(0, 0.4))
        reason = b.reason("by-source")
        moved = self._shelter.move(referral.task, author=True, status="cancelled", statusReason=reason)
        referral.cancelled = moved is not None

    def _answered(self, referral: Referral, clinic: Asking) -> None:
        self._look(referral, clinic)
        clinic.move(referral.task, author=False, status="accepted")
        back = b.permit(self._shelter.organization, categories=("outcome",))
        self._shelter.create(b.release(referral.person, clinic.organization, back))
        clinic.move(referral.task, author=False, status="in-progress")
        if self._choice.random() < 0.5:
            return
        came = [b.output("attendance", valueCode="came")]
        clinic.move(referral.task, author=False, status="completed", output=came)
        referral.completed = True
        told = self._shelter.read(referral.task)
        if [one.get("valueCode") for one in told.get("output", ())] != ["came"]:
            self.memory.complain("the shelter does not read the acknowledged answer of a clinic")

    def _end(self, consent: str) -> None:
        """Ends a release exactly once, by the operation or by an update."""
        if self._choice.random() < 0.4:
            self._shelter.move(consent, author=True, status="inactive")
            return
        answer = self._shelter.surely("POST", f"{consent}/$revoke")
        if answer.status_code == 200:
            self.memory.keep(answer.json(), whole=True)
        elif answer.status_code != 409:  # 409: it had ended with an attempt that got no answer
            raise Refused(f"withdrawal: {answer.status_code} {answer.text}")
        self.memory.count("writes acknowledged")

    def _withdrawn(self, referral: Referral, clinic: Asking, consent: str) -> None:
        referral.ending_s = now_s()
        self._end(consent)
        referral.ended_s = now_s()
        if clinic.surely("GET", referral.person).status_code != 404:
            self.memory.complain("a clinic read a person after the acknowledged withdrawal")
        if {"for", "focus"} & clinic.read(referral.task).keys():
            self.memory.complain("a clinic's card names a person after the acknowledged withdrawal")
        request = clinic.surely("GET", f"ServiceRequest?subject={referral.person}")
        if request.status_code == 200 and "entry" in request.json():
            self.memory.complain("a clinic found a request after the acknowledged withdrawal")
