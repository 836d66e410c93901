"""The second clinic's screen: what its people see of a referral, and what they do with it.

What lives here: folders filled by pulling from the hub with the clinic's own credentials, and the acts of the
clinic's people on their own Task. What does not: keeping Tasks (``demo.ehr_tasks``), HTTP (``demo.ehr``).

The clinic's software never moves the hub's Task. It moves its own, and the hub looks at that one.

Source: ``views.md`` 6 (a recipient with its own FHIR server) and 9 (conditions to confirm, recalls).
"""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from referral_hub.demo.ehr_tasks import TERMINAL, Resource, Tasks
from referral_hub.demo.smart_partner import PartnerFault, SmartPartner
from referral_hub.fhir.canonical import INTERPRETER_REQUIRED, code_system, structure

DESK_KEY = "DEMO_DESK_KEY"
"""The environment variable that holds the key of the desk."""
PULLED_TYPES = ("Condition", "Observation")
LAW = "Act on patient records (invented), section 29"
"""The law by which the clinic keeps what it wrote itself."""
_OUTPUT = code_system("task-output-type")
_INPUT = code_system("task-input-type")


@dataclass(slots=True)
class Folder:
    """What the clinic pulled for one referral; ``closed`` where the hub gave it nothing more."""

    task: str
    request: str
    person: str
    shown: dict[str, Resource] = field(default_factory=dict)
    closed: bool = False


class Desk:
    """The clinic's people at work. Safe for threads.

    Args:
        tasks: the clinic's own Tasks.
    """

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._hub: SmartPartner | None = None
        self._folders: dict[str, Folder] = {}
        self._treatments: list[str] = []
        self._visits: dict[str, str] = {}
        self._lock = threading.Lock()
        self.in_maintenance = False
        self.turned_away = 0

    @property
    def hub(self) -> SmartPartner:
        """Gives the way to the hub.

        Raises:
            PartnerFault: it was not set up yet.
        """
        if self._hub is None:
            raise PartnerFault("the hub is not set up here yet")
        return self._hub

    def connect(self, hub: SmartPartner) -> None:
        """Sets up the way to the hub."""
        self._hub = hub

    # --- pulling ---------------------------------------------------------------------------------------

    def arrived(self, task: Resource) -> None:
        """Opens a folder for a referral that came in; a recall has none."""
        person, request = _reference(task, "for"), _reference(task, "focus")
        if person and request:
            with self._lock:
                self._folders.setdefault(task["id"], Folder(task["id"], request, person))

    def pull_open(self) -> None:
        """Pulls every referral that is not closed here."""
        for task in self._tasks.all():
            if task["status"] not in TERMINAL:
                self.pull(task["id"])

    def pull(self, task_id: str) -> None:
        """Fetches what the hub gives this clinic now, and forgets on the screen what it gives no more."""
        folder = self._folders.get(task_id)
        if folder is None:
            return
        shown: dict[str, Resource] = {}
        for url in (folder.request, folder.person):
            answer = self.hub.get(url)
            if answer.http_status == 200:
                shown[url.removeprefix(f"{self.hub.fhir_base}/")] = answer.resource
        if shown:
            person = folder.person.removeprefix(f"{self.hub.fhir_base}/")
            for type_name in PULLED_TYPES:
                for found in self.hub.search(type_name, patient=person, _count="50"):
                    shown[f"{type_name}/{found['id']}"] = found
        with self._lock:
            folder.shown, folder.closed = shown, not shown

    def look(self, path: str) -> dict[str, Any]:
        """Asks the hub for one thing, with the token this clinic holds."""
        token = self.hub.token()
        answer = self.hub.get(path)
        return {
            "status": answer.http_status,
            "etag": answer.headers.get("etag", ""),
            "body": answer.body.decode(),
            "token": hashlib.sha256(token.encode()).hexdigest()[:12],
            "same_token": token == self.hub.token(),
        }

    def screen(self) -> dict[str, Any]:
        """Gives what the clinic's people see, as their page would be made from it."""
        with self._lock:
            folders = [self._row(folder) for folder in self._folders.values()]
        recalls = [
            {"id": task["id"], "status": task["status"]}
            for task in self._tasks.all()
            if _coded(task.get("code"), code_system("task-code")) == "recall"
        ]
        return {
            "referrals": folders,
            "recalls": recalls,
            "treatment_records": list(self._treatments),
            "messages": len(self._tasks.all()),
            "turned_away": self.turned_away,
        }

    def _row(self, folder: Folder) -> dict[str, Any]:
        task = self._tasks.read(folder.task).body
        base = self.hub.fhir_base
        person = folder.shown.get(folder.person.removeprefix(f"{base}/"), {})
        request = folder.shown.get(folder.request.removeprefix(f"{base}/"), {})
        flags = {one["url"]: one for one in person.get("extension", ())}
        return {
            "id": folder.task,
            "status": task["status"],
            "closed": folder.closed,
            "need": [coding["code"] for coding in request.get("code", {}).get("coding", ())],
            "age_group": flags.get(structure("age-group"), {}).get("valueCode", ""),
            "interpreter": flags.get(INTERPRETER_REQUIRED, {}).get("valueBoolean"),
            "name": " ".join(name.get("text", "") for name in person.get("name", ())),
            "asked_to_confirm": conditions_of(task),
            "items": sorted(folder.shown),
        }

    # --- acts ------------------------------------------------------------------------------------------

    def confirm(self, task_id: str) -> None:
        """Confirms every condition the sender set, and that the referral was seen."""

        def edit(task: Resource) -> None:
            task["status"] = "received"
            task["output"] = [
                _output("handling-confirmed", valueCode=condition) for condition in conditions_of(task)
            ]

        self._tasks.change(task_id, edit)

    def accept(self, task_id: str) -> None:
        """Says yes."""
        self._tasks.change(task_id, lambda task: task.update(status="accepted"))

    def book(self, task_id: str) -> None:
        """Books the first visit, writes it at the hub, and says so on the clinic's own Task."""
        visit = self._appointment(task_id, timedelta(days=1), "booked")
        self._visits[task_id] = visit["id"]
        business = {"coding": [{"system": code_system("business-status"), "code": "appointment-scheduled"}]}
        self._tasks.change(task_id, lambda task: task.update(status="in-progress", businessStatus=business))

    def complete(self, task_id: str) -> None:
        """Writes what was done, books the next visit in two weeks, and closes the referral."""
        folder = self._folders[task_id]
        next_visit = self._appointment(task_id, timedelta(days=14), "booked")
        done = self._written(
            {
                "resourceType": "Procedure",
                "status": "completed",
                "basedOn": [{"reference": self._local(folder.request)}],
                "subject": {"reference": self._local(folder.person)},
                "code": {"text": "Wound cleaned and closed with stitches"},
                "performedDateTime": _moment(timedelta()),
            }
        )
        self._treatments.append(f"Procedure/{done['id']}: wound cleaned and closed with stitches")
        self._visit_took_place(task_id)

        def edit(task: Resource) -> None:
            task["status"] = "completed"
            task.pop("businessStatus", None)
            task["note"] = [{"text": "She was calm. Keep the dressing dry."}]
            task["output"] = [
                *task.get("output", ()),
                _output("attendance", valueCode="came"),
                _output("next-date", valueDate=next_visit["start"][:10]),
                {
                    "type": {"text": "what was done"},
                    "valueReference": {"reference": f"{self.hub.fhir_base}/Procedure/{done['id']}"},
                },
            ]

        self._tasks.change(task_id, edit)

    def answer_recall(self, task_id: str) -> None:
        """Deletes the copies of the referral, keeps the treatment record as the law demands, and says so."""
        recall = self._tasks.read(task_id).body
        numbers = {
            entry["valueIdentifier"]["value"]
            for entry in recall.get("input", ())
            if _coded(entry.get("type"), _INPUT) == "recalled-referral"
        }
        recalled = {
            task["id"]
            for task in self._tasks.all()
            for identifier in task.get("identifier", ())
            if identifier.get("value") in numbers
        }
        with self._lock:
            for one in recalled:
                self._folders.pop(one, None)

        def edit(task: Resource) -> None:
            task["status"] = "completed"
            kept = {"coding": [{"system": code_system("recall-answer"), "code": "kept-by-law"}], "text": LAW}
            task["output"] = [_output("recall-answer", valueCodeableConcept=kept)]

        self._tasks.change(task_id, edit)

    def acts(self) -> dict[str, Callable[[str], None]]:
        """Gives what can be done with a Task, by name."""
        return {
            "pull": self.pull,
            "confirm": self.confirm,
            "accept": self.accept,
            "book": self.book,
            "complete": self.complete,
            "answer-recall": self.answer_recall,
        }

    # --- at the hub ------------------------------------------------------------------------------------

    def _appointment(self, task_id: str, ahead: timedelta, status: str) -> Resource:
        folder = self._folders[task_id]
        return self._written(
            {
                "resourceType": "Appointment",
                "status": status,
                "basedOn": [{"reference": self._local(folder.request)}],
                "start": _moment(ahead),
                "end": _moment(ahead + timedelta(minutes=30)),
                "participant": [{"actor": {"reference": self._local(folder.person)}, "status": "accepted"}],
            }
        )

    def _visit_took_place(self, task_id: str) -> None:
        answer = self.hub.get(f"Appointment/{self._visits[task_id]}")
        if answer.http_status == 200:
            self.hub.update({**answer.resource, "status": "fulfilled"})

    def _written(self, resource: Resource) -> Resource:
        answer = self.hub.create(resource)
        if answer.http_status != 201:
            raise PartnerFault(f"the hub refused a {resource['resourceType']}: {'; '.join(answer.texts)}")
        return answer.resource

    def _local(self, url: str) -> str:
        return url.removeprefix(f"{self.hub.fhir_base}/")


def conditions_of(task: Resource) -> list[str]:
    """Gives the conditions of handling that the sender asks to confirm."""
    return [
        entry["valueCode"]
        for entry in task.get("input", ())
        if _coded(entry.get("type"), _INPUT) == "handling-condition" and "valueCode" in entry
    ]


def _output(kind: str, **value: Any) -> Resource:
    return {"type": {"coding": [{"system": _OUTPUT, "code": kind}]}, **value}


def _coded(concept: Any, system: str) -> str:
    found = concept.get("coding", ()) if isinstance(concept, dict) else ()
    return next((str(one["code"]) for one in found if one.get("system") == system), "")


def _reference(task: Resource, element: str) -> str:
    return str(task.get(element, {}).get("reference", ""))


def _moment(ahead: timedelta) -> str:
    moment = datetime.now(UTC) + ahead
    return moment.replace(minute=0, second=0, microsecond=0).isoformat().replace("+00:00", "Z")
