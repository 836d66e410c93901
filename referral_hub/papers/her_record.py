"""Plain lines out of a person's resources and of what was disclosed of them, for her copy.

What lives here: which words of a resource are told, and in which part of the copy. What does not: what she may have
(all of this was released before), how it looks (``papers.her_copy``).

A resource is told by its day and by whatever in it is words; codes without words are told as they are. Nothing is
left out silently: a resource without words is named.

Source: ``consent.md`` F-10; ``practice.md`` 10 and 12; FHIR R4 Parameters (``Patient/[id]/$disclosures``).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from referral_hub.fhir.elements import at_path, codings, reference_text, text_at
from referral_hub.papers.her_copy import Group, HerCopy, Line, Section
from referral_hub.papers.words import day, word
from referral_hub.resources.consent import CONSENT_KIND
from referral_hub.texts.catalogs import Catalog, catalog

MOST_LINES = 3_000
"""Lines of one part of the copy at most; beyond them the copy says that it is a part."""
_NOT_TOLD = frozenset({"Consent", "Provenance", "AuditEvent", "Binary", "OperationOutcome"})
_NEVER_COMES = frozenset({"refused", "failed"})
_DAYS = (
    "authoredOn", "recordedDate", "effectiveDateTime", "effectivePeriod.start", "date", "sent", "created", "start",
    "onsetDateTime", "occurrenceDateTime", "authored", "period.start", "startDate", "dateTime", "meta.lastUpdated",
)  # fmt: skip
_CODED = (
    "code", "serviceType", "reasonCode", "valueCodeableConcept", "type", "relationship", "outcomeCodeableConcept",
    "category", "specialty",
)  # fmt: skip
_WORDS = (
    "title", "description", "description.text", "valueString", "valueInteger", "valueBoolean", "valueDate",
    "valueDateTime", "comment", "patientInstruction", "payload.contentString", "content.attachment.title",
    "name.text", "summary", "note.text", "minutesDuration", "item.text", "item.answer.valueString",
)  # fmt: skip
_LOOKS = ("read", "vread", "search-type", "search", "history-instance", "history-type", "everything")
_SENDS = ("task-notice", "task-update", "task-report", "task-copy", "subscription-notification", "recall")
_ACTS = {
    **dict.fromkeys(_LOOKS, "looked"),
    **dict.fromkeys(_SENDS, "sent"),
    **dict.fromkeys(("create", "update", "patch", "delete"), "wrote"),
    **{one: one for one in ("export", "print", "list-export")},
}
_BESIDE = ("compelled-disclosure", "emergency-opening", "external-request", "held-recall", "assign", "unassign",
           "assign-asked")  # fmt: skip


def copy_of(
    resources: Sequence[Mapping[str, Any]],
    disclosures: Mapping[str, Any],
    names: Mapping[str, str],
    language: str,
    made: date,
    custodian: str,
    *,
    is_part: bool = False,
) -> HerCopy:
    """Gives the lines of her copy.

    Args:
        resources: her record as released to this reader.
        disclosures: the Parameters of ``$disclosures``.
        names: an Organization's id to the name she may read.
        language: hers.
        made: the day it is made.
        custodian: who keeps the record.
        is_part: ``resources`` are not all.
    """
    teller = _Teller(catalog(language), names)
    told = [parameter for parameter in disclosures.get("parameter", []) if isinstance(parameter, dict)]
    consents = [one for one in resources if one.get("resourceType") == "Consent"]
    record = teller.record(resources)
    got, refused = teller.disclosed(told, comes=True), teller.disclosed(told, comes=False)
    sections = (
        teller.section("allowed", teller.permissions(consents, "release", made), "nobody"),
        teller.section("never", teller.permissions(consents, "refusal", made), "nobody"),
        teller.section("got", got, "nobody"),
        teller.section("refused", refused, "nobody"),
        teller.section("recalled", teller.recalls(told), "nothing"),
        teller.section("beside", teller.beside(told), "nothing"),
        teller.section("record", record, "nothing"),
    )
    cut = any(len(group.lines) >= MOST_LINES for section in sections for group in section.groups)
    return HerCopy(language, made, custodian, sections, is_part or cut)


class _Teller:
    """Tells in one language."""

    def __init__(self, said: Catalog, names: Mapping[str, str]) -> None:
        self._said = said
        self._names = names

    def section(self, key: str, groups: Sequence[Group], nothing: str) -> Section:
        return Section(self._copy(key), tuple(groups), self._copy(nothing))

    def permissions(self, consents: Sequence[Mapping[str, Any]], kind: str, made: date) -> list[Group]:
        return [
            Group(self._whom(consent), tuple(self._permission(consent, kind, made)))
            for consent in consents
            if any(code == kind for system, code in _codes(consent, "category") if system == CONSENT_KIND)
        ]

    def disclosed(self, told: Sequence[Mapping[str, Any]], *, comes: bool) -> list[Group]:
        lines: dict[Line, None] = {}
        for parameter in told:
            parts = _parts(parameter)
            interaction = str(parts.get("what", ""))
            if parameter.get("name") != "disclosure" or interaction in _BESIDE:
                continue
            if (parts.get("outcome") in _NEVER_COMES) == comes:
                continue
            whom = self._name(parts.get("recipient") or parts.get("by"))
            act = _ACTS.get(interaction, "other")
            words = [whom]
            if comes:
                words.append(self._word("act", act))
            if parts.get("purpose"):
                words.append(self._word("purpose", str(parts["purpose"])))
            kinds = sorted({str(one).partition("/")[0] for one in parts.get("resource", ())})
            words += dict.fromkeys(self._type(kind) for kind in kinds)
            lines.setdefault((self._day(parts.get("when")), " · ".join(words)), None)
        return [Group("", tuple(lines)[:MOST_LINES])] if lines else []

    def recalls(self, told: Sequence[Mapping[str, Any]]) -> list[Group]:
        groups = []
        for parameter in told:
            if parameter.get("name") != "recall":
                continue
            parts = _parts(parameter)
            answer = self._word("answer", str(parts.get("answer", "none")))
            if parts.get("law"):
                answer = f"{answer}: {parts['law']}"
            lines = ((self._copy("when"), self._day(parts.get("asked"))), (self._copy("answer"), answer))
            groups.append(Group(self._name(parts.get("recipient")), lines))
        return groups

    def beside(self, told: Sequence[Mapping[str, Any]]) -> list[Group]:
        lines = []
        for parameter in told:
            parts = _parts(parameter)
            name = str(parameter.get("name"))
            act = str(parts.get("what")) if name == "disclosure" else name
            if act not in _BESIDE:
                continue
            words = [self._word("act", act)]
            words += [
                str(parts[key]) for key in ("reason", "asked-by", "legal-basis", "opened") if key in parts
            ]
            if parts.get("recipient"):
                words.append(self._name(parts["recipient"]))
            lines.append((self._day(parts.get("when")), " · ".join(words)))
        return [Group("", tuple(dict.fromkeys(lines))[:MOST_LINES])] if lines else []

    def record(self, resources: Sequence[Mapping[str, Any]]) -> list[Group]:
        by_type: dict[str, list[Line]] = defaultdict(list)
        for resource in resources:
            type_name = str(resource.get("resourceType", ""))
            if type_name == "Patient":
                by_type[self._type("Patient")] += self._person(resource)
            elif type_name not in _NOT_TOLD:
                by_type[self._type(type_name)].append(
                    (self._day(_first_day(resource)), self._words(resource))
                )
        return [Group(heading, tuple(lines)[:MOST_LINES]) for heading, lines in by_type.items()]

    # --- one of each ------------------------------------------------------------------------------------------

    def _permission(self, consent: Mapping[str, Any], kind: str, made: date) -> Iterator[Line]:
        provisions = _provisions(consent)
        purposes = dict.fromkeys(
            self._word("purpose", str(code)) for _, code in _codes(provisions, "purpose")
        )
        kinds = dict.fromkeys(self._word("category", str(code)) for _, code in _codes(provisions, "class"))
        if purposes:
            yield self._copy("why"), ", ".join(purposes)
        if kinds:
            yield self._copy("what"), ", ".join(kinds)
        ends = sorted(text_at(one, "period.end") for one in provisions if text_at(one, "period.end"))
        status = str(consent.get("status", ""))
        if kind == "release" and ends:
            yield self._copy("until"), self._day(ends[-1])
            if status == "active" and ends[-1][:10] < made.isoformat():
                status = "ended"
        yield self._copy("state"), self._word("state", status)

    def _whom(self, consent: Mapping[str, Any]) -> str:
        actors = [
            self._name(reference) if isinstance(reference, dict) else ""
            for provision in _provisions(consent)
            for reference in at_path(provision, "actor.reference")
        ]
        texts = [
            str(code).replace("-", " ")
            for _, code in _codes(_provisions(consent), "actor.role")
            if code != "IRCP"
        ]
        return ", ".join(dict.fromkeys(one for one in (*actors, *texts) if one)) or self._copy("somebody")

    def _person(self, patient: Mapping[str, Any]) -> Iterator[Line]:
        for name in _dicts(patient, "name"):
            parts = [name.get("text")] if name.get("text") else [*name.get("given", []), name.get("family")]
            words = " ".join(str(part) for part in parts if part)
            if words:
                yield self._copy("name"), words
        if patient.get("birthDate"):
            yield self._copy("born"), str(patient["birthDate"])
        for point in _dicts(patient, "telecom"):
            if point.get("value"):
                yield self._copy("reach"), str(point["value"])
        for language in at_path(patient, "communication.language"):
            yield self._copy("speaks"), _coded_words(language)

    def _words(self, resource: Mapping[str, Any]) -> str:
        found: dict[str, None] = {}
        for path in _CODED:
            for value in at_path(resource, path):
                found.setdefault(_coded_words(value), None)
        for path in _WORDS:
            for value in at_path(resource, path):
                if isinstance(value, str | int | float) and not isinstance(value, bool):
                    found.setdefault(str(value).strip(), None)
                elif isinstance(value, bool):
                    found.setdefault(self._copy("yes" if value else "no"), None)
        for quantity in _dicts(resource, "valueQuantity"):
            found.setdefault(f"{quantity.get('value', '')} {quantity.get('unit', '')}".strip(), None)
        found.pop("", None)
        return " · ".join(found) or str(resource.get("resourceType", ""))

    def _name(self, reference: Any) -> str:
        public_id = reference_text(reference).rpartition("/")[2] if isinstance(reference, dict) else ""
        return self._names.get(public_id) or self._copy("somebody")

    def _day(self, text: Any) -> str:
        stated = str(text or "")
        try:
            return day(self._said.language, date.fromisoformat(stated[:10]))
        except ValueError:
            return stated or "–"

    def _copy(self, key: str) -> str:
        return self._said.text(f"paper.copy.{key}")

    def _word(self, group: str, code: str) -> str:
        return word(self._said, group, code)

    def _type(self, type_name: str) -> str:
        try:
            return self._said.text(f"paper.type.{type_name.lower()}")
        except KeyError:
            return self._said.text("paper.type.other")


def _parts(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """Gives the parts of a parameter by name; ``resource`` as a list."""
    found: dict[str, Any] = {"resource": []}
    for one in parameter.get("part", []):
        value = next((value for key, value in one.items() if key.startswith("value")), None)
        if one.get("name") == "resource":
            found["resource"].append(value)
        else:
            found[str(one.get("name"))] = value
    return found


def _dicts(resource: Any, path: str) -> list[dict[str, Any]]:
    return [one for one in at_path(resource, path) if isinstance(one, dict)]


def _provisions(consent: Mapping[str, Any]) -> list[dict[str, Any]]:
    root = consent.get("provision")
    if not isinstance(root, dict):
        return []
    return [root, *_dicts(root, "provision")]


def _codes(of: Any, path: str) -> Iterator[tuple[str, str]]:
    for holder in of if isinstance(of, list) else [of]:
        yield from codings(list(at_path(holder, path)))


def _coded_words(concept: Any) -> str:
    """Gives the words of a CodeableConcept: its text, else a display, else a code."""
    for path in ("text", "coding.display"):
        found = text_at(concept, path)
        if found:
            return found
    return text_at(concept, "coding.code").replace("-", " ")


def _first_day(resource: Mapping[str, Any]) -> str:
    for path in _DAYS:
        found = text_at(resource, path)
        if found:
            return found
    return ""
