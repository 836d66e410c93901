"""What she never allows: from a form to a refusal that reaches whom she means, and nobody by mistake."""

import pytest

from referral_hub.access.principal import OrganizationFacts, refusal_targets
from referral_hub.access.provisions import compile_consent
from referral_hub.casework.permissions_told import nevers_of
from referral_hub.casework.refusals import Refused, lifted, refusal_of, with_exception, without_exceptions
from referral_hub.errors import InvalidResource

NOW_US = 1_795_000_000_000_000
OFFICE = OrganizationFacts("office", ("ministry",), "immigration", governmental=True, country="PL")
CLINIC = OrganizationFacts("clinic", (), "clinic", governmental=False, country="PL")


def reaches(refused: Refused, facts: OrganizationFacts) -> bool:
    body = refusal_of("p-1", "s-1", refused, NOW_US)
    root = compile_consent("r", "1", body, authored=True).root
    assert root is not None
    return root.targets is None or not root.targets.isdisjoint(refusal_targets(facts))


@pytest.mark.parametrize(
    ("refused", "office", "clinic"),
    [
        (Refused("everyone"), True, True),
        (Refused("unit", "clinic"), False, True),
        (Refused("unit", "ministry"), True, False),
        (Refused("kind", "immigration"), True, False),
        (Refused("kind", "clinic"), False, True),
        (Refused("any-government"), True, False),
        (Refused("government", "PL"), True, False),
        (Refused("government", "UA"), False, False),
    ],
)
def test_a_refusal_reaches_whom_she_means(refused: Refused, office: bool, clinic: bool) -> None:
    assert (reaches(refused, OFFICE), reaches(refused, CLINIC)) == (office, clinic)


@pytest.mark.parametrize(
    "refused",
    [
        Refused(""),
        Refused("unit"),
        Refused("kind"),
        Refused("kind", "governmental-ish"),
        Refused("government", "pl"),
        Refused("government", "Poland"),
        Refused("everybody"),
        Refused("unit", "clinic", ("everything",)),
    ],
)
def test_what_names_nobody_is_refused_and_never_means_everybody(refused: Refused) -> None:
    with pytest.raises(InvalidResource):
        refusal_of("p-1", "s-1", refused, NOW_US)


def test_a_refusal_needs_no_signature() -> None:
    body = refusal_of("p-1", "s-1", Refused("everyone", categories=("immigration",)), NOW_US)
    assert body["status"] == "active"
    assert "sourceAttachment" not in body
    assert body["performer"] == [{"reference": "Patient/p-1"}]


def test_an_exception_makes_room_for_one_thing_and_goes_away_whole() -> None:
    body = refusal_of("p-1", "s-1", Refused("any-government"), NOW_US)
    made = with_exception(body, "office", "residence-permit", ["DocumentReference/d-1"])
    compiled = compile_consent("r", "1", made, authored=True)
    assert [permit.instances for permit in compiled.permits] == [frozenset({"DocumentReference/d-1"})]
    (told,) = nevers_of([{**made, "id": "r"}], NOW_US)
    assert told.targets == (("kind", "governmental"),)
    assert told.exceptions == (("DocumentReference/d-1", "office"),)
    assert without_exceptions(made) == body
    assert nevers_of([lifted(body)], NOW_US) == ()


@pytest.mark.parametrize(
    ("unit", "purpose", "things"),
    [
        ("", "TREAT", ["DocumentReference/d"]),
        ("office", "", ["DocumentReference/d"]),
        ("office", "TREAT", []),
    ],
)
def test_an_exception_names_one_unit_one_purpose_and_single_things(
    unit: str, purpose: str, things: list[str]
) -> None:
    body = refusal_of("p-1", "s-1", Refused("any-government"), NOW_US)
    with pytest.raises(InvalidResource):
        with_exception(body, unit, purpose, things)
