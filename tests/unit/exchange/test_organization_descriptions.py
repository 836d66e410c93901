"""What an operator may say of an organisation, and what is refused before anything is written."""

from dataclasses import replace

import pytest

from referral_hub.errors import ConfigurationError
from referral_hub.exchange.organization_descriptions import (
    KINDS,
    NewOrganization,
    checked,
    endpoint_of,
    resource_of,
)
from referral_hub.fhir.validator import validate

CLINIC = NewOrganization(name="Invented clinic", kind="clinic")


@pytest.mark.parametrize("kind", KINDS)
def test_the_organization_of_every_type_is_valid_fhir(kind: str) -> None:
    body = resource_of(replace(CLINIC, kind=kind, part_of="11111111-2222-3333-4444-555555555555"))
    assert validate(body) == []
    assert body["type"][0]["coding"][0]["code"] == kind


def test_a_shelters_neutral_name_is_not_in_itsresource_of() -> None:
    body = resource_of(replace(CLINIC, kind="shelter", neutral_name="House 3", country="PL"))
    assert "House 3" not in str(body)
    assert "PL" not in str(body)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "The name of an organisation"),
        ({"name": "x" * 201}, "The name of an organisation"),
        ({"name": "two\nlines"}, "The name of an organisation"),
        ({"neutral_name": "tab\there"}, "The neutral name"),
        ({"kind": "governmental"}, "An organisation is one of"),
        ({"kind": "hospital"}, "An organisation is one of"),
        ({"country": "pl"}, "two capital letters"),
        ({"country": "POL"}, "two capital letters"),
        ({"governmental": True}, "needs its country"),
        ({"poll_seconds": 60}, "Only an organisation with a FHIR endpoint"),
        ({"fhir_endpoint": "ftp://ehr.example"}, "A FHIR endpoint is an https address"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        checked(replace(CLINIC, **wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://ehr.example/fhir/", "https://ehr.example/fhir"),
        ("https://ehr.example:8443/r4", "https://ehr.example:8443/r4"),
        ("http://127.0.0.1:8081/fhir", "http://127.0.0.1:8081/fhir"),
        ("http://localhost/fhir", "http://localhost/fhir"),
        ("http://ehr.example/fhir", None),
        ("https://user:word@ehr.example/fhir", None),
        ("https://ehr.example/fhir?a=b", None),
        ("https://ehr.example/fhir#a", None),
        ("https:///fhir", None),
        ("https://ehr.example:0/fhir", None),
        ("https://ehr.example:x/fhir", None),
        ("https://[::1/fhir", None),
        ("https://ehr.exämple/fhir", None),
        ("https://ehr.example/a b", None),
        ("https://ehr.example/" + "a" * 500, None),
        ("", None),
    ],
)
def test_endpoints(url: str, kept: str | None) -> None:
    if kept is not None:
        assert endpoint_of(url) == kept
        return
    with pytest.raises(ConfigurationError, match="A FHIR endpoint is an https address"):
        endpoint_of(url)
