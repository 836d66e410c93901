"""The records of the second clinic's own FHIR server that a referral of its own points at: filed, and read by the hub.

What lives here: the little store. What does not: HTTP (``demo.ehr``), Tasks (``demo.ehr_tasks``).

Source: HL7 FHIR R4 ``http.html`` (read); SDOHCC (a source hosts its ServiceRequest and what belongs to it).
"""

import copy
import threading
import uuid
from typing import Any

from referral_hub.demo.ehr_tasks import Kept, Refused, Resource


class Records:
    """Everything but Tasks, in memory. Safe for threads."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._lock = threading.Lock()

    def file(self, resource: Resource) -> str:
        """Files a record, or its next version where it has an id that is known; gives ``Type/id``."""
        type_name = str(resource["resourceType"])
        public_id = str(resource.get("id") or uuid.uuid4())
        reference = f"{type_name}/{public_id}"
        with self._lock:
            before = self._kept.get(reference)
            version = before.version + 1 if before is not None else 1
            body: dict[str, Any] = copy.deepcopy(resource)
            body.update(id=public_id, meta={**body.get("meta", {}), "versionId": str(version)})
            self._kept[reference] = Kept(version, body, created=before is None)
        return reference

    def read(self, reference: str) -> Kept:
        """Gives a record by ``Type/id``.

        Raises:
            Refused: there is none (404).
        """
        with self._lock:
            kept = self._kept.get(reference)
        if kept is None:
            raise Refused(404, "not-found", "There is no such record.")
        return Kept(kept.version, copy.deepcopy(kept.body))
