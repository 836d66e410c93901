"""Her copy on paper: Patient/[id]/$copy, and the same for pages.

What lives here: collecting what she or her own organisation may have, and the route. What does not: the gate (each
part comes through ``$everything`` and ``$disclosures``, so whoever may not have those gets the 404 of a thing that
does not exist), how it looks (``referral_hub.papers``).

The operation gives one Binary: as a PDF to whom asks for one, as the resource to whom asks for FHIR. It stores nothing.

Source: FHIR R4 operations.html, binary.html#rest; ``consent.md`` F-10; ``practice.md`` 12.
"""

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from referral_hub.auth.tokens import digest_of
from referral_hub.errors import Forbidden, InvalidParameter
from referral_hub.exchange.disclosing import disclosures
from referral_hub.exchange.everything import everything
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.taking_out import record_taking_out
from referral_hub.fhir import json_codec
from referral_hub.fhir.dates import instant
from referral_hub.fhir.elements import at_path, reference_text
from referral_hub.papers.her_copy import her_copy
from referral_hub.papers.her_record import copy_of
from referral_hub.texts.catalogs import LANGUAGES, chosen
from referral_hub.web.answers import json_reply
from referral_hub.web.binary_content import content_reply
from referral_hub.web.forms import asks_for_content
from referral_hub.web.papers import FILE_NAME, PDF
from referral_hub.web.wire import Asked, Reply

MOST_RESOURCES = 3_000
"""Resources on one copy at most; the copy says where there are more."""

Away = Callable[[], AbstractContextManager[None]]


def copy_for(hub: Hub, token_digest: bytes, public_id: str, language: str, away: Away = nullcontext) -> bytes:
    """Gives a person's record in plain words as a tagged PDF, for her and for the organisation that keeps it.

    Args:
        hub: store, gate and clock.
        token_digest: SHA-256 of the access token.
        public_id: the Patient's id.
        language: of the copy; a key of ``LANGUAGES``.
        away: gives up the worker's lane while the paper is set.

    Raises:
        NotFound: absent, or not the caller's own person (404).
        TooLarge, Busy: see ``papers.press``.

    Source: ``consent.md`` F-10; ``interfaces.md`` 4.
    """
    told = disclosures(hub, token_digest, public_id)
    resources, is_part = _record(hub, token_digest, public_id)
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        patient = snapshot.resource("Patient", public_id)
        custodian = patient.author if patient is not None else ""
        names = {}
        for organization_id in {custodian, *_organizations(resources), *_organizations([told])}:
            found = snapshot.organization(organization_id)
            if found is not None:
                names[organization_id] = found.neutral_name or found.name
    made = date.fromisoformat(instant(at_us)[:10])
    copy = copy_of(resources, told, names, language, made, names.get(custodian, ""), is_part=is_part)
    with away():
        return her_copy(copy)


@dataclass(frozen=True, slots=True)
class CopyApi:
    """The operation as a route."""

    hub: Hub
    away: Away

    def copy(self, asked: Asked, public_id: str) -> Reply:
        """Gives her copy as a Binary, or as the PDF it holds."""
        language = asked.argument("language") or chosen(_languages(asked.header("HTTP_ACCEPT_LANGUAGE")))
        if language not in LANGUAGES:
            raise InvalidParameter("language", f"language is one of {', '.join(LANGUAGES)}.")
        digest = digest_of(asked.authorization)
        pdf = copy_for(self.hub, digest, public_id, language, self.away)
        with suppress(Forbidden):  # her own copy is no print that she has to be told of
            record_taking_out(self.hub, digest, "print", [f"Patient/{public_id}"])
        body = {"resourceType": "Binary", "contentType": PDF, "data": base64.b64encode(pdf).decode("ascii")}
        reply = json_reply(json_codec.encode(body))
        if not asks_for_content(asked):
            return reply
        made = content_reply(reply)
        made.headers = [pair for pair in made.headers if pair[0] != "Content-Disposition"]
        made.headers.append(("Content-Disposition", f'attachment; filename="{FILE_NAME}"'))
        made.headers.append(("Content-Language", language))
        return made


def _languages(header: str) -> list[str]:
    """Gives the languages of an ``Accept-Language`` header as they stand in it."""
    return [part.partition(";")[0].strip() for part in header[:200].split(",")]


def _record(hub: Hub, token_digest: bytes, public_id: str) -> tuple[list[dict[str, Any]], bool]:
    """Gives the resources of ``$everything``, and whether there are more of them than a copy holds."""
    found: list[dict[str, Any]] = []
    pairs: list[tuple[str, str]] = [("_count", str(hub.limits.max_page_entries))]
    while len(found) < MOST_RESOURCES:
        page = everything(hub, token_digest, public_id, pairs)
        found += [json_codec.decode_own(one.body) for one in page.found]
        if not page.next:
            return found, False
        pairs = [("_cursor", page.next)]
    return found, True


def _organizations(resources: list[dict[str, Any]]) -> set[str]:
    """Gives the ids of the organisations that a copy names."""
    paths = (
        "organization",
        "provision.provision.actor.reference",
        "provision.actor.reference",
        "provision.provision.provision.actor.reference",
        "parameter.part.valueReference",
    )
    named = {
        reference_text(one) for resource in resources for path in paths for one in at_path(resource, path)
    }
    return {name.rpartition("/")[2] for name in named if "Organization/" in name}
