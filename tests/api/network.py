"""A small invented network inside a test hub: a shelter with one person, a clinic, and their referral."""

from dataclasses import dataclass, field
from typing import Any

from referral_hub.resources.catalog import DEFINITIONS
from tests import builders as b
from tests.world import Caller, World


@dataclass
class Story:
    """One person of one shelter and what was written about her so far."""

    world: World
    shelter: str
    clinic: str
    s: Caller
    c: Caller
    person: str
    release: dict[str, Any] = field(default_factory=dict)
    request: str = ""
    task: str = ""
    categories: tuple[str, ...] = ("identity", "health")

    def sign(self, **how: Any) -> dict[str, Any]:
        """Signs a release to the clinic."""
        permit = b.permit(self.clinic, **{"categories": self.categories, **how})
        self.release = self.s.create(b.release(self.person, self.shelter, permit))
        return self.release

    def record(self, type_name: str, category: str = "health") -> dict[str, Any]:
        """Writes one record of the person as the shelter, of any type a release opens."""
        request = document = "-"
        if DEFINITIONS[type_name].inherits or type_name == "Composition":
            made = self.s.create(b.service_request(self.person, self.clinic, category=category))
            request = f"ServiceRequest/{made['id']}"
        if type_name == "Binary":
            document = f"DocumentReference/{self.record('DocumentReference', category)['id']}"
        return self.s.create(
            b.about_person(type_name, self.person, category=category, request=request, document=document)
        )

    def refer(self, *, status: str = "requested", category: str = "health", **more: Any) -> str:
        """Writes request and Task; gives the Task's reference."""
        made = self.s.create(b.service_request(self.person, self.clinic, category=category))
        self.request = f"ServiceRequest/{made['id']}"
        made = self.s.create(b.task(self.person, self.request, self.clinic, status=status, **more))
        self.task = f"Task/{made['id']}"
        return self.task

    def move(self, status: str, reason: str = "", **more: Any) -> dict[str, Any]:
        """Moves the Task as the clinic."""
        if reason:
            more["statusReason"] = b.reason(reason)
        return self.c.changed(self.task, status=status, **more)

    def revoke(self) -> None:
        """Ends the release."""
        answer = self.s.ask("POST", f"/Consent/{self.release['id']}/$revoke")
        assert answer.status_code == 200, answer.get_data(as_text=True)


def story(world: World, *, purpose: str = "TREAT", person: dict[str, Any] | None = None) -> Story:
    """Opens a fresh shelter, clinic and person."""
    shelter = world.add_organization("shelter", "shelter")
    clinic = world.add_organization("clinic", "clinic")
    s, c = world.caller(shelter), world.caller(clinic, purpose=purpose)
    made = s.create(person or b.patient())
    return Story(world, shelter, clinic, s, c, f"Patient/{made['id']}")
