"""What shows that a permission was given: which form, in which language, how signed, who read and interpreted.

What lives here: reading the evidence and its rules, written and spoken. What does not: who may agree for whom
(``exchange.minors``), lengths (``exchange.consent_rules``).

Evidence stands on the Consent itself or on the paper it names as its source. What is given is always judged; how
much must be given is the network's decision, save for a spoken permission, where everything must.

Source: ``practice.md`` 2; ``consent.md`` C-05, C-06, F-21, F-22.
"""

import re
from collections.abc import Iterator
from typing import Any

from referral_hub.exchange.consent_policy import ConsentPolicy
from referral_hub.fhir.canonical import structure
from referral_hub.fhir.elements import at_path, codings, extension, extensions, reference_text
from referral_hub.fhir.outcome import Issue

EVIDENCE = structure("signing-evidence")
SIGNATURES = frozenset({"drawn", "mark", "paper", "spoken"})
SPOKEN = "spoken"
MODES = frozenset({"in-person", "phone", "video"})
_BY_LINE = frozenset({"phone", "video"})
_DIGEST = re.compile(r"[0-9a-f]{64}")
_STAFF_NUMBER = re.compile(r"(?=.*\d)[A-Za-z0-9./-]{1,20}")

_DEMANDED = {
    "language": "Say in which language she was shown or read the form.",
    "text-digest": "Give the SHA-256 of the text she was shown.",
    "signature": "Say how she signed: drawn, a mark, or on paper.",
    "reader": "Say which organisation read the form to her.",
    "explained-back": "Say whether she explained it back in her own words.",
}


def evidence_of(consent: dict[str, Any], source: dict[str, Any] | None) -> dict[str, Any]:
    """Gives the evidence of a permission, of its source where the Consent has none; empty where there is none."""
    found = extension(consent, EVIDENCE) or extension(source, EVIDENCE)
    return found if isinstance(found, dict) else {}


def part(evidence: Any, name: str) -> Any:
    """Gives the value of one part of an extension, or None.

    >>> part({"extension": [{"url": "language", "valueCode": "vi"}]}, "language")
    'vi'
    """
    found = extension(evidence, name)
    return next((value for key, value in (found or {}).items() if key.startswith("value")), None)


def place(name: str, url: str = EVIDENCE) -> str:
    """Gives the FHIRPath of one part of an extension of the Consent."""
    return f"Consent.extension('{url}').extension('{name}')"


def evidence_issues(
    consent: dict[str, Any],
    evidence: dict[str, Any],
    policy: ConsentPolicy,
    *,
    readers_in_question: frozenset[str],
    needs_interpreter: bool,
) -> Iterator[Issue]:
    """Gives every rule of evidence that a permission to be signed breaks.

    Args:
        consent: the release.
        evidence: its evidence.
        policy: what the network demands.
        readers_in_question: ids of the receiving unit and of all above and below it.
        needs_interpreter: her file says that she needs one.
    """
    if sum(1 for _ in extensions(consent, EVIDENCE)) > 1:
        yield _required(f"Consent.extension('{EVIDENCE}')", "A permission is signed once.")
    spoken = part(evidence, "signature") == SPOKEN
    if policy.evidence == "full" or spoken:
        yield from (
            _required(place(name), text)
            for name, text in _DEMANDED.items()
            if part(evidence, name) in (None, "")
        )
        if needs_interpreter and not extension(evidence, "interpreter"):
            yield _required(
                place("interpreter"), "Her file says that she needs an interpreter: say who it was."
            )
    yield from _given_issues(evidence, readers_in_question)
    if spoken:
        yield from _spoken_issues(consent, evidence, policy)


def form_issues(consent: dict[str, Any], evidence: dict[str, Any], policy: ConsentPolicy) -> Iterator[Issue]:
    """Gives what is wrong with the version of the form; nothing where the network has registered none.

    Source: ``consent.md`` C-06 and C-34.
    """
    if not policy.forms:
        return
    for index, uri in enumerate(at_path(consent, "policy.uri")):
        form = policy.forms.get(uri) if isinstance(uri, str) else None
        path = f"Consent.policy[{index}].uri"
        if form is None:
            yield _required(path, "The network does not know this version of the form. Use a current one.")
        elif not form.current:
            yield _required(
                path,
                "This version of the form is not signed any more. What was signed under it stays as it is.",
            )
        else:
            language, digest = part(evidence, "language"), part(evidence, "text-digest")
            known = form.texts.get(language) if isinstance(language, str) else None
            if known is not None and digest is not None and digest != known:
                yield _required(
                    place("text-digest"),
                    "The text she was shown is not the form of this version and language.",
                )
    if not list(at_path(consent, "policy.uri")):
        yield _required("Consent.policy", "Name the version of the form that was signed: Consent.policy.uri.")


def _given_issues(evidence: dict[str, Any], readers_in_question: frozenset[str]) -> Iterator[Issue]:
    signature = part(evidence, "signature")
    if signature is not None and signature not in SIGNATURES:
        yield _required(
            place("signature"), "She signs by drawing, with a mark, or on paper; never with a fingerprint."
        )
    digest = part(evidence, "text-digest")
    if digest is not None and not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        yield _required(place("text-digest"), "The digest of the text is a SHA-256: 64 hexadecimal digits.")
    if part(evidence, "explained-back") is False:
        yield _required(
            place("explained-back"),
            "She could not explain it back. Explain it again, or leave it for another day.",
        )
    reader = reference_text(part(evidence, "reader")).partition("/_history/")[0].rpartition("/")[2]
    if reader in readers_in_question:
        yield _required(place("reader"), "Whoever reads the form to her is not who would receive her data.")
    interpreter = extension(evidence, "interpreter")
    if interpreter:
        yield from _interpreter_issues(interpreter)


def _interpreter_issues(interpreter: dict[str, Any]) -> Iterator[Issue]:
    path = place("interpreter")
    if not part(interpreter, "agency"):
        yield _required(f"{path}.extension('agency')", "Say which agency the interpreter works for.")
    number = part(interpreter, "staff-number")
    if not (isinstance(number, str) and _STAFF_NUMBER.fullmatch(number)):
        yield _required(
            f"{path}.extension('staff-number')",
            "Give the interpreter's staff number; a name is not recorded.",
        )
    if part(interpreter, "no-ties") is not True:
        yield _required(
            f"{path}.extension('no-ties')",
            "The interpreter states: no ties to her, to the case or to anybody in it. Without that, take another.",
        )
    mode = part(interpreter, "mode")
    if mode not in MODES:
        yield _required(
            f"{path}.extension('mode')", "The interpreter was there in person, by phone or by video."
        )
    if mode in _BY_LINE and part(interpreter, "line-held") is not True:
        yield _required(
            f"{path}.extension('line-held')",
            "The line was not held to the end, so the permission was not given.",
        )


def _spoken_issues(
    consent: dict[str, Any], evidence: dict[str, Any], policy: ConsentPolicy
) -> Iterator[Issue]:
    """Gives what a spoken permission breaks: one need, the least, nothing very restricted, a witness."""
    if policy.spoken != "bridge":
        yield _required(place("signature"), "In this network a permission is signed, not spoken.")
        return
    if part(evidence, "witness") is None:
        yield _required(
            place("witness"), "A spoken permission has a witness of the organisation that takes it."
        )
    nested = [one for one in at_path(consent, "provision.provision") if isinstance(one, dict)]
    if len(nested) > 1:
        yield _required("Consent.provision.provision[1]", "A spoken permission is for one need.")
    for index, permit in enumerate(nested):
        path = f"Consent.provision.provision[{index}]"
        needs = [code for _, code in codings(permit.get("class")) if code != "identity"]
        if len(needs) > 1:
            yield _required(
                f"{path}.class", "A spoken permission is for one need: identity and one category."
            )
        if permit.get("data"):
            yield _required(f"{path}.data", "Single things are shared with a signature only.")
        if any(code == "V" for _, code in codings(permit.get("securityLabel"))):
            yield _required(
                f"{path}.securityLabel", "Nothing very restricted is shared by a spoken permission."
            )


def _required(path: str, text: str) -> Issue:
    return Issue("error", "business-rule", text, path)
