"""The looks after the drill: is everything acknowledged there, did everything leave, once, in order, and rightly.

What lives here: comparing what was remembered and what reached partners with what the hub has now. What does
not: what is remembered (``tests.drill.asking``, ``tests.drill.story``).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from referral_hub.fhir.canonical import PLACER
from tests.drill.asking import NUMBERS, Asking, Kept, Memory
from tests.drill.findings import Findings
from tests.drill.partners import Arrival, Partners
from tests.drill.story import Referral

CROSSING_S = 1.5
"""How long after an acknowledged withdrawal a message may arrive that was on its way while it was committed.

The hub looks at her consents last of all, at most 0.1 s before it opens the line; the rest is a slow machine.
A message that was put off, or taken up again after a kill, comes two seconds later at the earliest.
"""


# --- what was acknowledged is there ---------------------------------------------------------------------------


def everything_is_there(shelter: Asking, memory: Memory, findings: Findings) -> None:
    """Each acknowledged version is in the history of its resource, as it was answered; nothing was done twice."""
    by_resource: dict[str, list[Kept]] = defaultdict(list)
    for kept in memory.kept:
        by_resource[f"{kept.type}/{kept.id}"].append(kept)
    for reference, acknowledged in by_resource.items():
        answer = shelter.surely("GET", f"{reference}/_history?_count=200")
        if answer.status_code != 200:
            findings.is_wrong(f"{reference} was acknowledged and is not there", lost=True)
            continue
        versions = [entry["resource"] for entry in answer.json()["entry"]]
        stored = {version["meta"]["versionId"]: version for version in versions}
        for kept in acknowledged:
            if kept.version not in stored:
                findings.is_wrong(f"{reference} has no version {kept.version}, acknowledged", lost=True)
            elif kept.body is not None and kept.body != stored[kept.version]:
                findings.is_wrong(f"{reference} version {kept.version} is not as acknowledged", lost=True)
        for later, earlier in pairwise(versions):
            if _content(later) == _content(earlier):
                findings.is_wrong(f"{reference}: a move was made twice")
    findings.counts["resources"] = len(by_resource)
    findings.counts["versions"] = len(memory.kept)


def nothing_is_doubled(shelter: Asking, memory: Memory, findings: Findings) -> None:
    """Each number the shelter gave belongs to one resource: the acknowledged one."""
    holders: dict[str, set[str]] = defaultdict(set)
    for type_name in ("Patient", "Consent", "ServiceRequest", "Task"):
        for resource in _all(shelter, type_name):
            for identifier in resource.get("identifier", ()):
                if identifier.get("system") == NUMBERS:
                    holders[identifier["value"]].add(f"{type_name}/{resource['id']}")
    for number, reference in memory.numbers.items():
        if reference not in holders[number]:
            findings.is_wrong(f"{reference} is not found among its author's own", lost=True)
    for number, references in holders.items():
        if len(references) > 1:
            findings.is_wrong(f"one create made {len(references)} resources: {sorted(references)}")
        if number not in memory.numbers:
            findings.is_wrong(f"{references} exists and was never acknowledged")


def _all(asking: Asking, type_name: str) -> Iterable[dict[str, Any]]:
    path = f"{type_name}?_count=200"
    while path:
        page = asking.surely("GET", path).json()
        yield from (entry["resource"] for entry in page.get("entry", ()))
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        path = following[0].partition("/fhir/")[2] if following else ""


def _content(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "meta"}


# --- what had to leave has left ----------------------------------------------------------------------------------


def everything_arrived(referrals: Sequence[Referral], partners: Partners, findings: Findings) -> None:
    """Each open referral under a living release is at its clinic, once; a cancelled one is closed or never came."""
    at_clinics: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for clinic in partners.names:
        for task in partners.tasks(clinic):
            at_clinics[clinic, _placer(task)].append(task)
    for referral in referrals:
        found = at_clinics[referral.clinic, referral.placer]
        if len(found) > 1:
            findings.is_wrong(f"{referral.task} is at its clinic {len(found)} times")
        if referral.cancelled:
            if found and found[0]["status"] != "cancelled":
                findings.is_wrong(f"{referral.task} was cancelled and its clinic does not know", lost=True)
        elif referral.ending_s is None and not referral.completed and not found:
            findings.is_wrong(f"{referral.task} never arrived", lost=True)


def answers_entered(shelter: Asking, referrals: Sequence[Referral], findings: Findings) -> None:
    """What clinics' people moved in their own systems is known at the hub, once the hub has looked there."""
    for referral in referrals:
        if referral.at_home:
            findings.counts["answers at home"] += 1
            shelter.until(
                f"{referral.task} was accepted in a clinic's own system",
                lambda task=referral.task: shelter.read(task)["status"] == "accepted",  # type: ignore[misc]
            )


def in_order(referrals: Sequence[Referral], arrivals: Sequence[Arrival], findings: Findings) -> None:
    """At one clinic, what one client had acknowledged later never comes before the earlier is there."""
    first: dict[tuple[str, str], int] = {}
    there: dict[tuple[str, str], int] = {}
    for arrival in arrivals:
        if arrival.method == "POST" and not arrival.is_recall:
            first.setdefault((arrival.clinic, arrival.placer), arrival.order)
            if arrival.kept:
                there.setdefault((arrival.clinic, arrival.placer), arrival.order)
    lines: dict[tuple[int, str], list[Referral]] = defaultdict(list)
    for referral in referrals:
        if (referral.clinic, referral.placer) in there:
            lines[referral.teller, referral.clinic].append(referral)
    for line in lines.values():
        for earlier, later in pairwise(line):
            findings.counts["pairs in order"] += 1
            if first[later.clinic, later.placer] < there[earlier.clinic, earlier.placer]:
                findings.is_wrong(f"{later.task} overtook {earlier.task} on the way to its clinic")


def one_key_each(arrivals: Sequence[Arrival], findings: Findings) -> None:
    """A message that comes again has the key it had; each message has its own."""
    keys: dict[tuple[str, ...], set[str]] = defaultdict(set)
    says: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for arrival in arrivals:
        message = (arrival.clinic, arrival.placer, "" if arrival.method == "POST" else arrival.status)
        keys[message].add(arrival.key)
        says[arrival.key].add((arrival.clinic, arrival.placer))
        if not arrival.key:
            findings.is_wrong(f"a message to {arrival.clinic} has no key")
    for one, found in keys.items():
        if len(found) > 1:
            findings.is_wrong(f"one message to {one[0]} came under {len(found)} keys")
    for key, found_messages in says.items():
        if len(found_messages) > 1:
            findings.is_wrong(f"the key {key} names {len(found_messages)} referrals")
    findings.counts["deliveries"] = len({arrival.key for arrival in arrivals if arrival.kept})
    findings.counts["duplicates"] = len(arrivals) - len(
        {(arrival.key, arrival.method) for arrival in arrivals}
    )


# --- what must not leave has not left ------------------------------------------------------------------------------


def nothing_after_a_withdrawal(
    referrals: Sequence[Referral], arrivals: Sequence[Arrival], findings: Findings
) -> None:
    """After an acknowledged withdrawal nothing about her is sent; who may have had something gets a recall."""
    ended = {(r.clinic, r.placer): r for r in referrals if r.ended_s is not None}
    recalled = {
        (arrival.clinic, number) for arrival in arrivals if arrival.kept for number in arrival.recalls
    }
    had: dict[tuple[str, str], float] = {}
    for arrival in arrivals:
        if arrival.is_recall:
            if arrival.person:
                findings.is_wrong("a recall names a person")
            continue
        place = (arrival.clinic, arrival.placer)
        referral = ended.get(place)
        if arrival.method != "POST" or referral is None or referral.ended_s is None:
            continue
        if arrival.kept:
            had.setdefault(place, arrival.at_s)
        late_s = arrival.at_s - referral.ended_s
        if late_s > CROSSING_S:
            findings.is_wrong(f"{referral.task} was sent {late_s:.1f} s after the acknowledged withdrawal")
        elif late_s > 0:
            findings.counts["crossed a withdrawal"] += 1
            findings.slowest_crossing_s = max(findings.slowest_crossing_s, late_s)
    for place, referral in ended.items():
        if (referral.seen_s is not None or place in had) and place not in recalled:
            text = (
                f"{referral.task} was known to {referral.clinic} before it was withdrawn, and no recall came"
            )
            findings.is_wrong(f"{text} ({_since(referral, had.get(place))})", lost=True)
    findings.counts["withdrawals"] = len(ended)
    findings.counts["recalls"] = len(
        {arrival.key for arrival in arrivals if arrival.is_recall and arrival.kept}
    )


def _since(referral: Referral, arrived_s: float | None) -> str:
    """Tells when it was read and when it arrived, beside when the withdrawal was sent and acknowledged."""
    begun_s = referral.ending_s or 0.0
    moments = {"read": referral.seen_s, "arrived": arrived_s, "acknowledged": referral.ended_s}
    told = [f"{name} {(at_s - begun_s) * 1000:+.0f} ms" for name, at_s in moments.items() if at_s is not None]
    return ", ".join(told) + " from the withdrawal's sending"


def everything_is_told(
    shelter: Asking,
    network: dict[str, str],
    referrals: Sequence[Referral],
    partners: Partners,
    findings: Findings,
) -> None:
    """Whatever a clinic has of a person, her file can tell: a disclosure, or where it crossed a withdrawal a recall."""
    at_clinics = {(clinic, _placer(task)) for clinic in partners.names for task in partners.tasks(clinic)}
    for referral in referrals:
        if (referral.clinic, referral.placer) not in at_clinics:
            continue
        answer = shelter.surely("GET", f"{referral.person}/$disclosures")
        told = answer.json().get("parameter", ()) if answer.status_code == 200 else ()
        organization = f"Organization/{network[referral.clinic]}"
        if not any(_names(one, organization) for one in told):
            findings.is_wrong(f"her file does not tell that {referral.clinic} has {referral.task}", lost=True)
        else:
            findings.counts["disclosures told"] += 1


def _names(parameter: dict[str, Any], organization: str) -> bool:
    parts = {part["name"]: part for part in parameter["part"]}
    recipient = parts.get("recipient", {}).get("valueReference", {}).get("reference")
    is_disclosed = parameter["name"] == "recall" or parts.get("outcome", {}).get("valueCode") == "disclosed"
    return bool(recipient == organization and is_disclosed)


def _placer(task: dict[str, Any]) -> str:
    return next((one["value"] for one in task.get("identifier", ()) if one["system"] == PLACER), "")
