"""What a server says of itself: its CapabilityStatement, asked by name.

What lives here: looking things up; what is not claimed ends a check as omitted. What does not: judging the
statement itself (``conformance.checks.rest_capabilities``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.results import Omitted

SDOHCC = "http://hl7.org/fhir/us/sdoh-clinicalcare/CapabilityStatement/SDOHCC-CoordinationPlatform"
HUB = "https://referral-hub.example/fhir"


@dataclass(frozen=True, slots=True)
class Claims:
    """A CapabilityStatement, and what the server is held to beside it."""

    statement: Mapping[str, Any]
    held_to: frozenset[str] = frozenset()

    @property
    def rest(self) -> Mapping[str, Any]:
        """Gives its part as a server; empty where there is none."""
        found: Mapping[str, Any] = next(
            (one for one in self.statement.get("rest", []) if one.get("mode") == "server"), {}
        )
        return found

    @property
    def types(self) -> dict[str, Mapping[str, Any]]:
        """Gives the entry of each type it serves."""
        return {one["type"]: one for one in self.rest.get("resource", []) if "type" in one}

    def interactions(self, type_name: str) -> frozenset[str]:
        """Gives what can be done with a type."""
        found = self.types.get(type_name, {}).get("interaction", [])
        return frozenset(one.get("code", "") for one in found)

    @property
    def system_interactions(self) -> frozenset[str]:
        """Gives what can be done with the whole."""
        return frozenset(one.get("code", "") for one in self.rest.get("interaction", []))

    def has(self, type_name: str, *interactions: str) -> bool:
        """Tells whether all these interactions are claimed for a type."""
        return set(interactions) <= self.interactions(type_name)

    def need(self, type_name: str, *interactions: str) -> None:
        """Ends the check as omitted unless all these interactions are claimed for a type."""
        if not self.has(type_name, *interactions):
            raise Omitted(
                f"The server does not claim {' and '.join(interactions) or 'anything'} of {type_name}."
            )

    def need_system(self, interaction: str) -> None:
        """Ends the check as omitted unless this interaction of the whole system is claimed."""
        if interaction not in self.system_interactions:
            raise Omitted(f"The server does not claim {interaction}.")

    def parameters(self, type_name: str) -> dict[str, str]:
        """Gives the search parameters of a type, with what kind each is."""
        found = self.types.get(type_name, {}).get("searchParam", [])
        return {one.get("name", ""): one.get("type", "") for one in found}

    def need_parameter(self, type_name: str, *names: str) -> None:
        """Ends the check as omitted unless all these search parameters are claimed for a type."""
        self.need(type_name, "search-type")
        for name in names:
            if name not in self.parameters(type_name):
                raise Omitted(f"The server does not claim the search parameter {name} of {type_name}.")

    def includes(self, type_name: str, key: str = "searchInclude") -> tuple[str, ...]:
        """Gives what can be included in a search of a type."""
        return tuple(self.types.get(type_name, {}).get(key, []))

    def operations(self, type_name: str = "") -> dict[str, str]:
        """Gives the operations of a type, or of the whole, with their definitions."""
        entry = self.types.get(type_name, {}) if type_name else self.rest
        return {
            one.get("name", "").lstrip("$"): one.get("definition", "") for one in entry.get("operation", [])
        }

    def need_operation(self, type_name: str, *names: str) -> None:
        """Ends the check as omitted unless one of these operations is claimed."""
        if not set(names) & set(self.operations(type_name)):
            raise Omitted(f"The server does not claim ${names[0]}{f' of {type_name}' if type_name else ''}.")

    def speaks(self, *formats: str) -> bool:
        """Tells whether it claims one of these formats."""
        return bool(set(formats) & set(self.statement.get("format", [])))

    def need_xml(self) -> None:
        """Ends the check as omitted unless XML is claimed."""
        if not self.speaks("xml", "application/fhir+xml", "text/xml", "application/xml"):
            raise Omitted("The server does not claim XML.")

    @property
    def smart(self) -> bool:
        """Tells whether it claims to be secured by SMART on FHIR."""
        services = self.rest.get("security", {}).get("service", [])
        codes = {coding.get("code") for one in services for coding in one.get("coding", [])}
        texts = {one.get("text") for one in services}
        return "SMART-on-FHIR" in codes | texts

    def need_smart(self) -> None:
        """Ends the check as omitted unless SMART on FHIR is claimed."""
        if not self.smart:
            raise Omitted("The server does not claim SMART on FHIR.")

    def need_sdohcc(self) -> None:
        """Ends the check as omitted unless the server is a Coordination Platform of SDOHCC."""
        if "sdohcc" not in self.held_to and not self._instantiates(SDOHCC):
            raise Omitted("The server does not claim to be a Coordination Platform of SDOHCC.")

    def need_hub(self) -> None:
        """Ends the check as omitted unless the server has the referral hub's model of consent."""
        revoke = self.operations("Consent").get("revoke", "")
        if "referral-hub" not in self.held_to and not revoke.startswith(HUB):
            raise Omitted("The server does not claim the referral hub's model of consent.")

    def _instantiates(self, canonical: str) -> bool:
        found = [*self.statement.get("instantiates", []), *self.statement.get("implementationGuide", [])]
        return any(str(one).partition("|")[0] == canonical for one in found)
