"""Reading a FHIR Consent into the form that decisions compare.

What lives here: :func:`compile_consent`, and the reading of each element of a provision. What does not: the
compiled form (``access.rules``), the two shapes the hub writes (``access.authoring``), evaluation
(``access.decision``).

Whatever is not understood is noted as an issue. For a Consent written here the issues are the answer. For
one that came from elsewhere they are dropped, and the rule is read so that it cannot open: a permit with
something in it that is not understood is left out, a deny forgets the condition and so stops more.

Source: FHIR R4 Consent; ``consent.md`` 1.1 (C-01 to C-20); ``views.md`` 7 and 9.
"""

from collections.abc import Mapping
from typing import Any

from referral_hub.access.authoring import authoring_issues
from referral_hub.access.consent_life import as_it_runs
from referral_hub.access.provision_elements import Reader
from referral_hub.access.rules import CompiledConsent, Deny, Kind, Permit
from referral_hub.errors import InvalidResource
from referral_hub.fhir.canonical import ACT_CODE, CONSENT_SCOPE, code_system
from referral_hub.fhir.elements import codings
from referral_hub.fhir.outcome import Issue

__all__ = ["CompiledConsent", "compile_consent"]

CONSENT_KIND = code_system("consent-kind")
PRIVACY = "patient-privacy"

_STATUSES = frozenset({"draft", "proposed", "active", "rejected", "inactive", "entered-in-error"})
_OVER = frozenset({"rejected", "inactive", "entered-in-error"})
_KINDS: Mapping[str, Kind] = {"release": "release", "refusal": "refusal"}
_POLICY_RULES = frozenset({"OPTIN", "OPTINR", "OPTOUT", "OPTOUTE"})
_OPT_OUT = frozenset({"OPTOUT", "OPTOUTE"})
_EVERYTHING = Deny("Consent")


def compile_consent(
    consent_id: str, version: str, body: Mapping[str, Any], *, authored: bool
) -> CompiledConsent:
    """Gives a Consent in the form that decisions and grant rows are made from.

    Args:
        consent_id: public id of the Consent.
        version: its version.
        body: decoded FHIR JSON.
        authored: True for a Consent that is written here and must have one of the two shapes; False for one
            that is stored or imported: that never fails, and what is not understood cannot permit.

    Returns:
        the compiled Consent; only one that is ``active`` has an effect.

    Raises:
        InvalidResource: authored only, with every problem and its place: 422 on the wire. A Consent that is
            over (rejected, inactive, entered in error) never raises, so that nothing stands in the way of
            an end.

    Source: ``consent.md`` 1.1 and C-18; ``views.md`` 9.

    >>> compile_consent("c", "1", {"status": "active"}, authored=False).kind
    ''
    >>> compile_consent("c", "1", {"status": "active"}, authored=True)
    Traceback (most recent call last):
    referral_hub.errors.InvalidResource: State in the category whether this is a release or a refusal.
    """
    reading = _Reading(body)
    compiled = reading.compiled(consent_id, version)
    if authored and compiled.status not in _OVER:
        issues = dict.fromkeys((*reading.issues, *authoring_issues(body, compiled)))
        if issues:
            raise InvalidResource(tuple(issues))
    return compiled


class _Reading:
    """One pass over one Consent: the compiled form, and what was not understood."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self.issues: list[Issue] = []
        self.elements = Reader(self.issues)

    def compiled(self, consent_id: str, version: str) -> CompiledConsent:
        status = self.body.get("status")
        readable = isinstance(status, str) and status in _STATUSES
        if not readable:
            self._issue(
                "Consent.status", "The status of the consent is missing or is not one that FHIR knows."
            )
        kind = self._kind()
        may_permit = self._may_permit()
        active = self._is_about_sharing() and (status == "active" or not readable)
        permits, denies, root = self._rules(kind)
        if not readable:
            permits, denies = (), (_EVERYTHING,)
        elif not may_permit:
            permits = ()
        if kind == "release":
            permits = as_it_runs(permits, self.body)
        return CompiledConsent(
            consent_id, version, str(status) if readable else "", kind or "", active, permits, denies, root
        )

    def _kind(self) -> Kind | None:
        """Gives the shape; None where it states one that cannot be understood."""
        stated = {code for system, code in codings(self.body.get("category")) if system == CONSENT_KIND}
        if not stated:
            self._issue("Consent.category", "State in the category whether this is a release or a refusal.")
            return ""
        if len(stated) > 1 or not stated <= _KINDS.keys():
            self._issue(
                "Consent.category", "A consent is either a release or a refusal: state one of the two."
            )
            return None
        return _KINDS[stated.pop()]

    def _is_about_sharing(self) -> bool:
        """Tells whether it is about sharing at all; one whose scope cannot be read is."""
        stated = {code for system, code in codings(self.body.get("scope")) if system == CONSENT_SCOPE}
        if stated == {PRIVACY}:
            return True
        self._issue("Consent.scope", "The scope of a consent to share is patient-privacy.")
        return not stated or PRIVACY in stated

    def _may_permit(self) -> bool:
        """Tells whether nothing around the provisions could change their meaning."""
        before = len(self.issues)
        scopes = {code for system, code in codings(self.body.get("scope")) if system == CONSENT_SCOPE}
        if self.body.get("implicitRules") is not None:
            self._issue("Consent.implicitRules", "A consent cannot rest on rules kept elsewhere.")
        if _modified(dict(self.body)):
            path = "Consent.modifierExtension" if "modifierExtension" in self.body else "Consent"
            self._issue(
                path, "A modifier extension changes what the consent means; it cannot be kept with one."
            )
        rule = self.body.get("policyRule")
        if rule is not None and not self._policy_codes():
            self._issue("Consent.policyRule", "The policy rule is not one that the hub knows; leave it out.")
        return scopes == {PRIVACY} and len(self.issues) == before

    def _policy_codes(self) -> set[str]:
        found = set(codings(self.body.get("policyRule")))
        known = {code for system, code in found if system == ACT_CODE and code in _POLICY_RULES}
        return known if len(known) == len(found) else set()

    def _rules(self, kind: Kind | None) -> tuple[tuple[Permit, ...], tuple[Deny, ...], Deny | None]:
        """Gives nested permits, denies and the deny it falls back to."""
        path = "Consent.provision"
        provision = self.body.get("provision")
        if provision is None:
            opted_out = kind == "" and not self._policy_codes().isdisjoint(_OPT_OUT)
            refused = kind == "refusal" or kind is None or opted_out
            self._issue(path, "A consent says in its provision what it is about.")
            return (), (), _EVERYTHING if refused else None
        if not isinstance(provision, dict):
            self._issue(path, "The provision of the consent cannot be read.")
            return (), (_EVERYTHING,), None
        children = provision.get("provision", [])
        if not isinstance(children, list) or not all(isinstance(child, dict) for child in children):
            self._issue(f"{path}.provision", "The provisions inside this one cannot be read.")
            return (), (self.elements.whole(provision, path),), None
        if any(child.get("provision") for child in children):
            self._issue(f"{path}.provision", "Provisions may be nested once, not deeper.")
            return (), (self.elements.whole(provision, path),), None
        return self._nested(kind, provision, children, path)

    def _nested(
        self, kind: Kind | None, provision: Mapping[str, Any], children: list[Any], path: str
    ) -> tuple[tuple[Permit, ...], tuple[Deny, ...], Deny | None]:
        permits: list[Permit] = []
        denies: list[Deny] = []
        for index, child in enumerate(children):
            place = f"{path}.provision[{index}]"
            if child.get("type") == "permit":
                found = self.elements.permit(child, place, provision, path, kind=kind or "")
                permits.extend((found,) if found else ())
                continue
            if child.get("type") != "deny":
                self._issue(f"{place}.type", "A provision is either permit or deny.")
            denies.append(self.elements.deny(child, place, provision, path))
        if kind == "release":
            return tuple(permits), tuple(denies), None
        if kind == "" and provision.get("type") == "permit":
            found = self.elements.permit(provision, path, provision, path, kind=kind)
            permits.extend((found,) if found else ())
            return tuple(permits), tuple(denies), None
        if kind is None:
            permits = []
        return tuple(permits), tuple(denies), self.elements.deny(provision, path, provision, path)

    def _issue(self, path: str, text: str) -> None:
        self.issues.append(Issue("error", "invalid", text, path))


def _modified(value: dict[str, Any] | list[Any]) -> bool:
    """Tells whether there is a modifier extension anywhere."""
    if isinstance(value, dict):
        if "modifierExtension" in value:
            return True
        value = list(value.values())
    return any(_modified(child) for child in value if isinstance(child, (dict, list)))
