"""Bulk Data export over HTTP: kicking off, looking, fetching, ending.

What lives here: headers, status codes and the manifest. What does not: the export (``exchange.exports``), its
parameters (``exchange.export_asking``).

Source: HL7 Bulk Data Access 2.0, export; RFC 7240 (Prefer: respond-async).
"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from referral_hub.auth.tokens import digest_of
from referral_hub.errors import InvalidResource, MalformedContent, NotFound
from referral_hub.exchange import exports
from referral_hub.exchange.export_asking import Asked as AskedFor
from referral_hub.exchange.export_asking import Level, read_asked
from referral_hub.exchange.exports import ExportJobs, Job, Position
from referral_hub.exchange.hub import Hub
from referral_hub.fhir.dates import instant
from referral_hub.fhir.outcome import Issue, outcome_bytes
from referral_hub.fhir.search_grammar import query_pairs
from referral_hub.web.answers import http_date
from referral_hub.web.forms import sent_resource
from referral_hub.web.negotiation import BodySizes, preferences_of
from referral_hub.web.wire import Asked, Reply

NDJSON = "application/fhir+ndjson"
LOOK_AGAIN_S = 2
_ASYNC = re.compile(r"(?:^|[,;\s])respond-async(?:$|[,;\s])", re.IGNORECASE)
_FILE = re.compile(r"([1-9][0-9]{0,8})\.ndjson")


@dataclass(frozen=True, slots=True)
class BulkApi:
    """The addresses of exports."""

    hub: Hub
    sizes: BodySizes
    jobs: ExportJobs

    def export_system(self, asked: Asked) -> Reply:
        """Notes an export of the whole hub, for the network's own organisation."""
        return self._kick_off(asked, "system")

    def export_patients(self, asked: Asked) -> Reply:
        """Notes an export of everything about all persons the caller may read about."""
        return self._kick_off(asked, "patient")

    def export_group(self, asked: Asked, public_id: str) -> Reply:
        """Notes an export of everything about the members of a group."""
        return self._kick_off(asked, "group", public_id)

    def look(self, asked: Asked, job_id: str) -> Reply:
        """Gives how far an export is: 202 while it is under way, 200 with its manifest when it is done."""
        job = exports.job_of(self.hub, self.jobs, digest_of(asked.authorization), job_id)
        if job.state == "running":
            return _under_way(job)
        if job.state == "failed":
            body = outcome_bytes((Issue("error", "exception", job.reason),))
            return Reply(500, body, [("Content-Type", "application/fhir+json"), *_PRIVATE])
        ends = http_date(job.ended_us + exports.KEPT_US)
        headers = [("Content-Type", "application/json"), ("Expires", ends), *_PRIVATE]
        return Reply(200, msgspec.json.encode(self._manifest(job)), headers)

    def end(self, asked: Asked, job_id: str) -> Reply:
        """Ends an export, or takes away its files."""
        exports.delete(self.hub, self.jobs, digest_of(asked.authorization), job_id)
        return Reply(202, b"", list(_PRIVATE))

    def fetch(self, asked: Asked, job_id: str, file: str) -> Reply:
        """Gives what a file shows the caller now, one resource a line."""
        digest = digest_of(asked.authorization)
        number = _FILE.fullmatch(file)
        if number is None:
            exports.job_of(self.hub, self.jobs, digest, job_id)
            raise NotFound
        shown = exports.fetched(self.hub, self.jobs, digest, job_id, int(number.group(1)))
        body = b"".join([one.body + b"\n" for one in shown])
        return Reply(200, body, [("Content-Type", NDJSON), *_PRIVATE])

    def _kick_off(self, asked: Asked, level: Level, group: str = "") -> Reply:
        digest = digest_of(asked.authorization)
        if not _ASYNC.search(asked.header("HTTP_PREFER")):
            raise MalformedContent("An export is made in the background: send Prefer: respond-async.")
        pairs = list(query_pairs(asked.query))
        if asked.environ["REQUEST_METHOD"] == "POST":
            pairs += self._sent(asked)
        place = {"system": "", "patient": "/Patient", "group": f"/Group/{group}"}[level]
        url = f"{self.hub.base}{place}/$export" + (f"?{asked.query}" if asked.query else "")
        wanted = read_asked(level, url, pairs, group=group, strict=preferences_of(asked).strict)
        job = exports.kick_off(self.hub, self.jobs, digest, wanted)
        return Reply(202, b"", [("Content-Location", f"{self.hub.base}/$export/{job}"), *_PRIVATE])

    def _sent(self, asked: Asked) -> list[tuple[str, str]]:
        if not asked.content_length:
            return []
        body = sent_resource(asked, self.sizes)
        if body.get("resourceType") != "Parameters":
            raise InvalidResource([Issue("error", "value", "An operation takes Parameters.", "resourceType")])
        found = []
        for parameter in body.get("parameter") or ():
            for key, value in parameter.items() if isinstance(parameter, dict) else ():
                if key.startswith("value"):
                    text = value.get("reference") if isinstance(value, dict) else value
                    found.append((str(parameter.get("name")), str(text)))
        return found

    def _manifest(self, job: Job) -> dict[str, Any]:
        here = f"{self.hub.base}/$export/{job.id}"
        return {
            "transactionTime": instant(job.created_us),
            "request": msgspec.json.decode(job.asked, type=AskedFor).url,
            "requiresAccessToken": True,
            "output": [
                {"type": file.type, "url": f"{here}/{file.number}.ndjson", "count": file.count}
                for file in self.jobs.files(job.id)
            ],
            "error": [],
        }


_PRIVATE = (("Cache-Control", "no-store"),)


def _under_way(job: Job) -> Reply:
    """Gives how far the walk is in words without content."""
    parts = len(msgspec.json.decode(job.asked, type=AskedFor).parts)
    at = msgspec.json.decode(job.position, type=Position).part if job.position else 0
    progress = f"{at} of {parts} searches done, {job.files} files so far"
    return Reply(202, b"", [("X-Progress", progress), ("Retry-After", str(LOOK_AGAIN_S)), *_PRIVATE])
