"""How a permission begins: its evidence, its form, who agrees, speech, renewal. On both databases, by each policy."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from referral_hub.fhir.canonical import code_system, structure
from tests import builders as b
from tests.api.network import Story, story
from tests.postgres import PostgresServer
from tests.world import World, opened_world, parsed

V1, V2 = "https://network.example/policy/release/v1", "https://network.example/policy/release/v2"
TEXT = sha256(b"We may tell the clinic.").hexdigest()
POLICY = f"""
[forms."{V1}"]
state = "retired"
[forms."{V2}"]
state = "current"
texts = {{ vi = "{TEXT}" }}
[minors.PL]
alone = {{ TREAT = 16 }}
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def strict(
    request: pytest.FixtureRequest, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A hub of a network that demands all evidence, takes spoken bridges, and knows two versions of its form."""
    folder = tmp_path_factory.mktemp("strict")
    policy = folder / "policy.toml"
    policy.write_text(POLICY, encoding="utf-8")
    settings = {
        "CONSENT_EVIDENCE": "full",
        "SPOKEN_RELEASE": "bridge",
        "CONSENT_POLICY_FILE": str(policy),
        "CONSENT_MAX_DAYS": "180",
        "CONSENT_LEGAL_NOTE": "Courts take half a year; see the network's note 3.",
    }
    yield from _hub(request.param, postgres, folder, settings)


def _hub(kind: str, postgres: PostgresServer, folder: Path, settings: dict[str, str]) -> Iterator[World]:
    if kind == "sqlite":
        with opened_world(f"sqlite:///{folder / 'hub.db'}", folder, **settings) as world:
            yield world
    else:
        with postgres.database() as url, opened_world(url, folder, **settings) as world:
            yield world


def sub(url: str, **value: Any) -> dict[str, Any]:
    return {"url": url, **value}


def interpreter(*without: str, **instead: dict[str, Any]) -> dict[str, Any]:
    parts: dict[str, dict[str, Any]] = {
        "agency": {"valueString": "Bridges"},
        "staff-number": {"valueString": "B-417"},
        "mode": {"valueCode": "phone"},
        "no-ties": {"valueBoolean": True},
        "line-held": {"valueBoolean": True},
        **instead,
    }
    return sub("interpreter", extension=[sub(n, **v) for n, v in parts.items() if n not in without])


def evidence(it: Story, *without: str, **instead: dict[str, Any]) -> dict[str, Any]:
    parts: dict[str, dict[str, Any]] = {
        "language": {"valueCode": "vi"},
        "text-digest": {"valueString": TEXT},
        "signature": {"valueCode": "mark"},
        "reader": {"valueReference": {"reference": f"Organization/{it.shelter}"}},
        "explained-back": {"valueBoolean": True},
        **{name.replace("_", "-"): value for name, value in instead.items()},
    }
    found = [sub(name, **value) for name, value in parts.items() if name not in without]
    if "interpreter" not in without and "interpreter" not in instead:
        found.append(interpreter())
    return sub(structure("signing-evidence"), extension=found)


def release(it: Story, *extensions: dict[str, Any], policy: str = V2, **more: Any) -> dict[str, Any]:
    permit = more.pop("permit", None) or b.permit(it.clinic)
    if extensions:
        more["extension"] = list(extensions)
    return b.release(it.person, it.shelter, permit, policy=[{"uri": policy}], **more)


def refused(it: Story, consent: dict[str, Any]) -> dict[str, str]:
    """Gives text by element of what keeps a Consent from being taken."""
    answer = it.s.ask("POST", "/Consent", consent)
    assert answer.status_code == 422, answer.get_data(as_text=True)
    issues = parsed(answer)["issue"]
    return {issue["expression"][0]: issue["details"]["text"] for issue in issues}


def at(name: str, url: str = "signing-evidence") -> str:
    return f"Consent.extension('{structure(url)}').extension('{name}')"


# --- evidence --------------------------------------------------------------------------------------------


def test_a_plain_signed_form_is_enough_where_the_network_demands_no_more(world: World) -> None:
    it = story(world)
    it.sign()
    kept = it.s.read(f"Consent/{it.release['id']}")
    assert kept["status"] == "active"
    assert "extension" not in kept


def test_all_evidence_is_taken_and_leaves_with_no_copy(strict: World) -> None:
    it = story(strict)
    it.release = it.s.create(release(it, evidence(it)))
    it.refer()
    it.move("accepted")
    shown = it.c.read(f"Consent/{it.release['id']}")
    assert "extension" not in shown
    assert it.s.read(f"Consent/{it.release['id']}")["extension"] == it.release["extension"]


@pytest.mark.parametrize(
    "part", ["language", "text-digest", "signature", "reader", "explained-back", "interpreter"]
)
def test_what_a_strict_network_demands_is_named_where_it_is_missing(strict: World, part: str) -> None:
    it = story(strict)
    assert list(refused(it, release(it, evidence(it, part)))) == [at(part)]


def test_the_signed_paper_may_carry_the_evidence(strict: World) -> None:
    it = story(strict)
    paper = b.about_person("DocumentReference", it.person, category="plan", request="", document="")

    def signed(made: dict[str, Any]) -> dict[str, Any]:
        consent = release(it, sourceReference={"reference": f"DocumentReference/{made['id']}"})
        del consent["sourceAttachment"]
        return consent

    bare = refused(it, signed(it.s.create(paper)))
    assert bare
    taken = it.s.create(signed(it.s.create({**paper, "extension": [evidence(it)]})))
    assert taken["status"] == "active"


def test_the_signed_paper_is_about_her(world: World) -> None:
    it = story(world)
    other = it.s.create(b.patient("Wren"))
    paper = b.about_person(
        "DocumentReference", f"Patient/{other['id']}", category="plan", request="", document=""
    )
    made = it.s.create(paper)
    consent = b.release(it.person, it.shelter, b.permit(it.clinic))
    consent["sourceReference"] = {"reference": f"DocumentReference/{made['id']}"}
    del consent["sourceAttachment"]
    assert "Consent.sourceReference" in refused(it, consent)


@pytest.mark.parametrize(
    ("instead", "part"),
    [
        ({"signature": {"valueCode": "fingerprint"}}, "signature"),
        ({"text_digest": {"valueString": "abc"}}, "text-digest"),
        ({"explained_back": {"valueBoolean": False}}, "explained-back"),
    ],
)
def test_what_is_given_is_judged_in_every_network(world: World, instead: dict[str, Any], part: str) -> None:
    it = story(world)
    told = refused(it, release(it, evidence(it, **instead)))
    if part == "signature":
        assert list(told) == ["Consent.extension[0].extension[2].value"]
    else:
        assert at(part) in told


@pytest.mark.parametrize(
    ("broken", "part"),
    [
        (interpreter(**{"no-ties": {"valueBoolean": False}}), "no-ties"),
        (interpreter(**{"line-held": {"valueBoolean": False}}), "line-held"),
        (interpreter("line-held"), "line-held"),
        (interpreter(**{"staff-number": {"valueString": "Anna Nowak"}}), "staff-number"),
    ],
)
def test_an_interpreter_is_a_number_without_ties_who_held_the_line(
    world: World, broken: dict[str, Any], part: str
) -> None:
    it = story(world)
    given = evidence(it, "interpreter")
    given["extension"].append(broken)
    assert list(refused(it, release(it, given))) == [f"{at('interpreter')}.extension('{part}')"]


@pytest.mark.parametrize("who", ["recipient", "parent", "below"])
def test_the_reader_is_not_the_recipient(world: World, who: str) -> None:
    it = story(world)
    parent = world.add_organization("hospital", "clinic")
    unit = world.add_organization("ward", "clinic", part_of=parent)
    below = world.add_organization("desk", "clinic", part_of=unit)
    reader = {"recipient": unit, "parent": parent, "below": below}[who]
    given = evidence(it, reader={"valueReference": {"reference": f"Organization/{reader}"}})
    assert list(refused(it, release(it, given, permit=b.permit(unit)))) == [at("reader")]


def test_she_cannot_have_signed_in_the_future(world: World) -> None:
    it = story(world)
    assert list(refused(it, release(it, dateTime=b.instant(1)))) == ["Consent.dateTime"]


def test_a_signature_of_long_ago_makes_nothing_longer(world: World) -> None:
    it = story(world)
    told = refused(it, release(it, permit=b.permit(it.clinic, days=60), dateTime=b.instant(-40)))
    assert list(told) == ["Consent.provision.provision[0].period.end"]


# --- the form --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [V1, "https://network.example/policy/release/v9"])
def test_a_retired_or_unknown_form_begins_nothing(strict: World, version: str) -> None:
    it = story(strict)
    assert list(refused(it, release(it, evidence(it), policy=version))) == ["Consent.policy[0].uri"]


def test_the_text_is_the_one_of_the_form_and_language(strict: World) -> None:
    it = story(strict)
    other = evidence(it, text_digest={"valueString": sha256(b"another").hexdigest()})
    assert list(refused(it, release(it, other))) == [at("text-digest")]


def test_an_old_signature_is_never_moved_to_a_new_form(world: World) -> None:
    it = story(world)
    it.sign()
    it.release["policy"] = [{"uri": V2}]
    answer = it.s.update(it.release)
    assert answer.status_code == 422
    assert parsed(answer)["issue"][0]["expression"] == ["Consent.policy"]


# --- what was signed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("element", ["dateTime", "performer", "sourceAttachment", "extension"])
def test_what_shows_the_signature_does_not_change(world: World, element: str) -> None:
    it = story(world)
    it.release = it.s.create(release(it, evidence(it)))
    changed = {**it.release}
    changed[element] = {
        "dateTime": b.instant(-1),
        "performer": [{"reference": f"Organization/{it.shelter}"}],
        "sourceAttachment": {"contentType": "text/plain", "data": "YW5vdGhlcg=="},
        "extension": [evidence(it, signature={"valueCode": "paper"})],
    }[element]
    answer = it.s.update(changed)
    assert answer.status_code == 422
    assert element in parsed(answer)["issue"][0]["expression"][0]


def test_she_may_allow_less_in_the_same_permission(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    condition = it.s.create(b.condition(it.person))
    assert it.c.read(f"Condition/{condition['id']}")
    permit = it.release["provision"]["provision"][0]
    permit["class"] = [one for one in permit["class"] if one["code"] == "identity"]
    answer = it.s.update(it.release)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert it.c.get(f"/Condition/{condition['id']}").status_code == 404
    assert "name" in it.c.read(it.person)


def test_a_renewal_says_the_same_or_less(world: World) -> None:
    it = story(world)
    it.sign()
    mark = sub(structure("renewal-of"), valueReference={"reference": f"Consent/{it.release['id']}"})
    it.s.create(release(it, mark, permit=b.permit(it.clinic, categories=("identity",), days=60)))
    wider = b.permit(it.clinic, categories=("identity", "health", "family"))
    told = refused(it, release(it, mark, permit=wider))
    assert list(told) == [f"Consent.extension('{structure('renewal-of')}')"]
    it.revoke()
    assert "not renewed" in " ".join(refused(it, release(it, mark)).values())


# --- speech ----------------------------------------------------------------------------------------------


def spoken(it: Story, *without: str, **more: Any) -> dict[str, Any]:
    witness = {"valueIdentifier": {"system": "urn:example:staff", "value": "S-12"}}
    given = evidence(it, *without, signature={"valueCode": "spoken"}, witness=witness)
    return release(it, given, **{"permit": b.permit(it.clinic, days=2.9), **more})


def test_a_spoken_permission_is_off_unless_the_network_takes_it(world: World) -> None:
    it = story(world)
    assert list(refused(it, spoken(it))) == [at("signature")]


def test_a_spoken_permission_opens_one_need_for_three_days_and_once(strict: World) -> None:
    it = story(strict)
    it.release = it.s.create(spoken(it))
    it.refer()
    it.move("accepted")
    assert "name" in it.c.read(it.person)
    assert "word of mouth" in " ".join(refused(it, spoken(it)).values())
    it.revoke()
    assert list(refused(it, spoken(it))) == [at("signature")]
    it.s.create(release(it, evidence(it)))


@pytest.mark.parametrize(
    "part", ["witness", "language", "text-digest", "reader", "explained-back", "interpreter"]
)
def test_a_spoken_permission_lacks_nothing(strict: World, part: str) -> None:
    it = story(strict)
    assert list(refused(it, spoken(it, part))) == [at(part)]


@pytest.mark.parametrize("fault", ["long", "two needs", "very restricted", "two permits", "instance"])
def test_a_spoken_permission_is_small_and_short(strict: World, fault: str) -> None:
    it = story(strict)
    consent = spoken(it)
    permit = consent["provision"]["provision"][0]
    place = "Consent.provision.provision[0]"
    if fault == "long":
        permit["period"]["end"], place = b.instant(4), f"{place}.period.end"
    elif fault == "two needs":
        permit["class"].append({"system": code_system("information-category"), "code": "housing"})
        place = f"{place}.class"
    elif fault == "very restricted":
        permit["securityLabel"] = b.permit(it.clinic, very_restricted=True)["securityLabel"]
        place = f"{place}.securityLabel"
    elif fault == "two permits":
        consent["provision"]["provision"].append(b.permit(it.clinic, categories=("housing",), days=2))
        place = "Consent.provision.provision[1]"
    else:
        condition = it.s.create(b.condition(it.person))
        del permit["class"]
        permit["data"] = [{"meaning": "instance", "reference": {"reference": f"Condition/{condition['id']}"}}]
        place = f"{place}.data"
    assert place in refused(it, consent)


# --- who agrees ------------------------------------------------------------------------------------------


def child(born: str = "", *, group: str = "child") -> dict[str, Any]:
    found = b.patient("Pip")
    found["extension"][0]["valueCode"] = group
    if born:
        found["birthDate"] = born
    else:
        del found["birthDate"]
    return found


def years_ago(years: int, days: float = 0) -> str:
    day = b.instant(days)[:10]
    return f"{int(day[:4]) - years:04d}{day[4:]}".replace("-02-29", "-02-28")


def guardian(it: Story) -> str:
    made = it.s.create({"resourceType": "RelatedPerson", "patient": {"reference": it.person}})
    return f"RelatedPerson/{made['id']}"


def agreed(*without: str, **instead: dict[str, Any]) -> dict[str, Any]:
    parts: dict[str, dict[str, Any]] = {
        "own-view": {"valueCode": "yes"},
        "guardian-no-suspect": {"valueBoolean": True},
        "guardian-not-refused": {"valueBoolean": True},
        **{name.replace("_", "-"): value for name, value in instead.items()},
    }
    found = [sub(name, **value) for name, value in parts.items() if name not in without]
    return sub(structure("agreed-for-her"), extension=found)


def by(*performers: str) -> list[dict[str, str]]:
    return [{"reference": one} for one in performers]


@pytest.mark.parametrize(
    ("file", "is_taken"),
    [
        (child(), False),
        (child(group="adult"), True),
        (child(years_ago(18)), True),
        (child(years_ago(18, 1), group="adult"), False),
        (child(years_ago(18)[:4], group="adult"), False),
        (child(years_ago(19)[:4]), True),
        ({**b.patient("Pip"), "extension": []}, True),
        ({"resourceType": "Patient", "name": [{"text": "Pip"}]}, True),
    ],
)
def test_she_counts_as_a_child_until_something_says_otherwise(
    world: World, file: dict[str, Any], is_taken: bool
) -> None:
    it = story(world, person={name: value for name, value in file.items() if value != []})
    consent = b.release(it.person, it.shelter, b.permit(it.clinic))
    if is_taken:
        it.s.create(consent)
    else:
        assert list(refused(it, consent)) == ["Consent.performer"]


def test_where_all_evidence_is_demanded_a_silent_file_is_a_childs(strict: World) -> None:
    it = story(strict, person={"resourceType": "Patient", "name": [{"text": "Pip"}]})
    consent = b.release(it.person, it.shelter, b.permit(it.clinic))
    assert "Consent.performer" in refused(it, consent)


def test_a_guardian_signs_with_everything_attested(world: World) -> None:
    it = story(world, person=child())
    who = guardian(it)
    it.s.create(release(it, agreed(), performer=by(it.person, who)))
    for part in ("own-view", "guardian-no-suspect", "guardian-not-refused"):
        told = refused(it, release(it, agreed(part), performer=by(who)))
        assert list(told) == [at(part, "agreed-for-her")], part
    for part in ("guardian-no-suspect", "guardian-not-refused"):
        told = refused(it, release(it, agreed(**{part: {"valueBoolean": False}}), performer=by(who)))
        assert list(told) == [at(part, "agreed-for-her")], part


def test_a_guardian_of_somebody_else_signs_nothing(world: World) -> None:
    it = story(world, person=child())
    kin = it.s.create(b.patient("Wren"))
    stranger = b.about_person("RelatedPerson", f"Patient/{kin['id']}", category="", request="", document="")
    made = it.s.create(stranger)
    told = refused(it, release(it, agreed(), performer=by(f"RelatedPerson/{made['id']}")))
    assert list(told) == ["Consent.performer"]
    told = refused(it, release(it, performer=by(f"Organization/{it.shelter}")))
    assert "Consent.performer" in told


@pytest.mark.parametrize(
    ("purpose", "urgent", "is_taken"),
    [("TREAT", True, True), ("TREAT", False, False), ("legal-representation", True, False)],
)
def test_a_childs_no_stands_unless_it_is_urgent(
    world: World, purpose: str, urgent: bool, is_taken: bool
) -> None:
    it = story(world, person=child())
    given = agreed(own_view={"valueCode": "no"}, urgent={"valueBoolean": urgent})
    permit = b.permit(it.clinic, purpose=purpose, categories=("identity",), days=20)
    consent = release(it, given, permit=permit, performer=by(guardian(it)))
    if is_taken:
        it.s.create(consent)
    else:
        assert list(refused(it, consent)) == [at("own-view", "agreed-for-her")]


def professionals(it: Story, count: int) -> list[str]:
    made = [
        it.s.create({"resourceType": "Practitioner", "name": [{"text": f"Worker {n}"}]}) for n in range(count)
    ]
    return [f"Practitioner/{one['id']}" for one in made]


def test_two_professionals_decide_urgent_health_or_shelter_for_seven_days(world: World) -> None:
    it = story(world, person=child())
    two = professionals(it, 2)
    urgent = agreed("guardian-no-suspect", "guardian-not-refused", urgent={"valueBoolean": True})
    calm = agreed("guardian-no-suspect", "guardian-not-refused")
    week = b.permit(it.clinic, days=6.9)
    it.s.create(release(it, urgent, permit=week, performer=by(*two)))
    assert "Consent.performer" in refused(it, release(it, urgent, permit=week, performer=by(two[0])))
    assert "Consent.performer" in refused(it, release(it, urgent, permit=week, performer=by(two[0], two[0])))
    assert at("urgent", "agreed-for-her") in refused(it, release(it, calm, permit=week, performer=by(*two)))
    law = b.permit(it.clinic, purpose="legal-representation", days=6)
    assert at("urgent", "agreed-for-her") in refused(it, release(it, urgent, permit=law, performer=by(*two)))
    long = b.permit(it.clinic, days=8)
    told = refused(it, release(it, urgent, permit=long, performer=by(*two)))
    assert list(told) == ["Consent.provision.provision[0].period.end"]


def test_who_agreed_is_known_however_the_reference_is_spelt(world: World) -> None:
    it = story(world)
    base = world.parts.hub.base
    it.s.create(release(it, performer=by(f"{base}/{it.person}")))
    given = evidence(it, reader={"valueReference": {"reference": f"{base}/Organization/{it.clinic}"}})
    assert list(refused(it, release(it, given))) == [at("reader")]


def test_nobody_decides_for_somebody_grown_up(world: World) -> None:
    it = story(world)
    told = refused(it, release(it, agreed(), performer=by(*professionals(it, 2))))
    assert list(told) == ["Consent.performer"]


def test_the_law_of_the_place_lets_her_agree_alone(strict: World) -> None:
    shelter = strict.add_organization("shelter-pl", "shelter", country="PL")
    it = story(strict, person=child(years_ago(16)))
    it.shelter, it.s = shelter, strict.caller(shelter)
    for born, purpose, is_taken in (
        (years_ago(16), "TREAT", True),
        (years_ago(16, 1), "TREAT", False),
        (years_ago(17), "legal-representation", False),
    ):
        it.person = f"Patient/{it.s.create(child(born))['id']}"
        consent = release(it, evidence(it), permit=b.permit(it.clinic, purpose=purpose))
        if is_taken:
            it.s.create(consent)
        else:
            assert list(refused(it, consent)) == ["Consent.performer"]


def test_what_a_guardian_signs_ends_when_she_comes_of_age(world: World) -> None:
    it = story(world, person=child(years_ago(18, 10)))
    who = guardian(it)
    told = refused(it, release(it, agreed(), performer=by(who)))
    assert list(told) == ["Consent.provision.provision[0].period.end"]
    assert years_ago(18, 10) not in str(told)
    it.s.create(release(it, agreed(), permit=b.permit(it.clinic, days=9), performer=by(who)))


# --- one unit, one purpose; families ---------------------------------------------------------------------


@pytest.mark.parametrize("who", ["parent", "sister", "below"])
def test_a_permission_reaches_the_one_unit_and_no_relative_of_it(world: World, who: str) -> None:
    it = story(world)
    hospital = world.add_organization("hospital", "clinic")
    unit = world.add_organization("emergency", "clinic", part_of=hospital)
    other = {
        "parent": hospital,
        "sister": world.add_organization("dental", "clinic", part_of=hospital),
        "below": world.add_organization("ward", "clinic", part_of=unit),
    }[who]
    it.s.create(b.release(it.person, it.shelter, b.permit(unit)))
    request = f"ServiceRequest/{it.s.create(b.service_request(it.person, other))['id']}"
    answer = it.s.ask("POST", "/Task", b.task(it.person, request, other))
    assert answer.status_code == 422
    assert world.caller(other).get(f"/{it.person}").status_code == 404
    request = f"ServiceRequest/{it.s.create(b.service_request(it.person, unit))['id']}"
    it.s.create(b.task(it.person, request, unit))
    assert world.caller(unit).get(f"/{it.person}").status_code == 200
    assert world.caller(other).get(f"/{it.person}").status_code == 404


@pytest.mark.parametrize("very_restricted", [False, True])
def test_a_childs_copy_never_carries_her_mothers_address(world: World, very_restricted: bool) -> None:
    it = story(world, person=b.patient("Pip"))
    lane = [{"line": ["9 Mother Lane"], "city": "Elsewhere"}]
    mother = it.s.create(
        {
            "resourceType": "RelatedPerson",
            "patient": {"reference": it.person},
            "name": [{"text": "Wren"}],
            "address": lane,
        }
    )
    it.s.changed(it.person, contact=[{"name": {"text": "Wren"}, "address": lane[0]}])
    it.categories = ("identity", "contact", "family", "health")
    it.sign(very_restricted=very_restricted)
    it.refer()
    it.move("accepted")
    for reference in (it.person, f"RelatedPerson/{mother['id']}"):
        assert b"Mother Lane" not in it.c.get(f"/{reference}").get_data(), reference
