"""Whole resources through XML and back: the standard's examples, a foreign reader and writer, and invented ones."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from referral_hub.errors import InvalidResource, MalformedContent
from referral_hub.fhir import json_codec
from referral_hub.fhir.element_tables import UNBOUNDED, ElementRow, index, is_primitive, json_name, part_table
from referral_hub.fhir.primitives import json_type
from referral_hub.fhir.xml_codec import decode, encode, pretty

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT.parent / "shared" / "fhir" / "examples"


def exact(value: Any) -> Any:
    """Gives the same value with every number as its text, so that 1.50 and 1.5 differ."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    return value if value is None or isinstance(value, bool | str) else (type(value).__name__, str(value))


def examples() -> list[Path]:
    if not EXAMPLES.is_dir():
        pytest.skip("the official examples are not beside this checkout")
    return sorted(EXAMPLES.glob("*.json"))


def test_every_example_of_the_standard_comes_back():
    differing = []
    files = examples()
    for path in files:
        resource = json_codec.decode(path.read_bytes())
        written = encode(resource)
        if exact(decode(written)) != exact(resource) or exact(decode(pretty(written))) != exact(resource):
            differing.append(path.name)
    assert (len(files) > 300, differing) == (True, [])


# ---- a reader and writer that others wrote ----

# One example in so many: the other library takes some 20 ms for each.
_EVERY = 4

# It knows R4B, where some types of R4 are gone; it writes the id of a part as an element, where the standard has
# an attribute; and it cannot read one element of ActivityDefinition back.
_BEYOND_TYPES = frozenset({"ActivityDefinition"})


def has_id_on_a_part(value: Any) -> bool:
    if isinstance(value, dict):
        return ("id" in value and "resourceType" not in value) or any(map(has_id_on_a_part, value.values()))
    return isinstance(value, list) and any(map(has_id_on_a_part, value))


def loose(value: Any) -> Any:
    """Gives the same value with numbers and times as the other library sees them: 2.0 is 2, +00:00 is Z."""
    if isinstance(value, dict):
        return {key: loose(item) for key, item in value.items()}
    if isinstance(value, list):
        return [loose(item) for item in value]
    return value.replace("+00:00", "Z") if isinstance(value, str) else value


def outline(data: bytes) -> list[tuple[str, list[str]]]:
    """Gives the names of all elements in their order, with the names of their attributes."""
    parser = etree.XMLParser(remove_comments=True)
    return [(str(node.tag), sorted(map(str, node.keys()))) for node in etree.fromstring(data, parser).iter()]


def test_another_library_reads_what_we_write_and_we_read_what_it_writes():
    models = pytest.importorskip("fhir.resources.R4B")
    compared, differing = 0, []
    for path in examples()[::_EVERY]:
        stated = json.loads(path.read_bytes())
        type_name = stated["resourceType"]
        if type_name in _BEYOND_TYPES or has_id_on_a_part(stated):
            continue
        try:
            model = models.get_fhir_model_class(type_name)
            typed = model.model_validate(stated)
        except ValueError:
            continue  # no type of R4B, or not valid there
        # What that library makes of the resource is what it can be asked about: it loses decimals.
        plain = json_codec.decode(typed.model_dump_json().encode())
        theirs = typed.model_dump_xml()
        back = json_codec.decode(model.model_validate_xml(encode(plain)).model_dump_json().encode())
        same = loose(decode(theirs)) == loose(plain) == loose(back) and outline(encode(plain)) == outline(
            theirs
        )
        compared += 1
        if not same:
            differing.append(path.name)
    assert (compared > 70, differing) == (True, [])


# ---- the order of the standard, from the definitions themselves ----


@pytest.mark.parametrize(
    "type_name", ["Patient", "Task", "ServiceRequest", "Consent", "Observation", "CarePlan"]
)
def test_the_order_of_elements_is_that_of_the_definition(type_name: str):
    package = EXAMPLES.parent / "hl7.fhir.r4.core-4.0.1.tgz"
    if not package.exists():
        pytest.skip("the official definitions are not beside this checkout")
    published = first_elements(package, type_name)
    # The same elements, one of each choice, with the keys in the opposite order.
    made = {key: value for row in reversed(part_table(type_name).elements) for key, value in [simple(row)]}
    written = etree.fromstring(encode({"resourceType": type_name, **made}))
    assert [without_type(child.tag, published) for child in written] == published


def first_elements(package: Path, type_name: str) -> list[str]:
    with tarfile.open(package) as archive:
        member = archive.extractfile(f"package/StructureDefinition-{type_name}.json")
        assert member is not None
        elements = json.load(member)["snapshot"]["element"]
    return [e["path"].split(".")[1] for e in elements if e["path"].count(".") == 1]


def without_type(tag: str, published: list[str]) -> str:
    name = tag.rpartition("}")[2]
    if name in published:
        return name
    return next(one for one in published if one.endswith("[x]") and name.startswith(one[:-3]))


def simple(row: ElementRow) -> tuple[str, Any]:
    """Gives an element with as little in it as can be."""
    type_name = row.types[0]
    key = json_name(row, type_name)
    if type_name == "Resource":
        value: Any = {"resourceType": "Basic"}
    elif is_primitive(type_name):
        value = {"boolean": True, "number": 1, "string": "a"}[json_type(type_name)]
    else:
        value = {"extension": [{"url": "urn:a", "valueCode": "a"}]}
    return key, [value] if row.max == UNBOUNDED else value


# ---- invented resources of every type ----

_TEXTS = st.text(
    st.characters(
        exclude_categories=["Cs"], exclude_characters=[*map(chr, (*range(9), 11, 12, *range(14, 32)))]
    ),
    min_size=1,
    max_size=8,
).filter(lambda text: "\ufffe" not in text and "\uffff" not in text)
_WORDS = st.from_regex(r"[A-Za-z0-9.\-:/]{1,8}", fullmatch=True)
_DECIMALS = st.from_regex(r"-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
_DIVS = st.lists(
    st.sampled_from(
        ["a &amp; b", "<p>c</p>", "<br/>", "\n  ", "<!-- d -->", '<span class="e">f &lt; g</span>', "\u00e9"]
    ),
    max_size=4,
).map(lambda pieces: f'<div xmlns="http://www.w3.org/1999/xhtml">h{"".join(pieces)}</div>')
_KEEPING_BLANKS = frozenset({"string", "markdown", "base64Binary"})


def values(type_name: str) -> st.SearchStrategy[Any]:
    if type_name == "xhtml":
        return _DIVS
    kind = json_type(type_name)
    if kind == "boolean":
        return st.booleans()
    if type_name == "decimal":
        return _DECIMALS.map(lambda text: json_codec.decode(text.encode()))
    if kind == "number":
        return st.integers(-(10**9), 10**9)
    return _TEXTS if type_name in _KEEPING_BLANKS else _WORDS


@st.composite
def siblings(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {"id": draw(_WORDS)} if draw(st.booleans()) else {}
    if not made or draw(st.booleans()):
        made["extension"] = [{"url": draw(_WORDS), "valueString": draw(_TEXTS)}]
    return made


@st.composite
def objects(draw: st.DrawFn, name: str, depth: int) -> dict[str, Any]:
    """Gives an object of a type, some of its elements in any order; not valid, but well formed."""
    rows = [row for row in part_table(name).elements if depth or is_primitive(row.types[0])]
    made: dict[str, Any] = {"resourceType": name} if name in index().resource_types else {}
    for row in draw(st.lists(st.sampled_from(rows), min_size=1, max_size=4, unique_by=lambda row: row.name)):
        type_name = draw(st.sampled_from(row.types))
        key = json_name(row, type_name)
        is_attribute = key == "id" or (name == "Extension" and key == "url")
        if is_attribute and "resourceType" not in made:
            made[key] = draw(_WORDS)
        elif type_name == "Resource" or not is_primitive(type_name):
            if depth:
                item = objects("Basic" if type_name == "Resource" else type_name, depth - 1)
                made[key] = draw(st.lists(item, min_size=1, max_size=2) if row.max == UNBOUNDED else item)
        elif row.max == UNBOUNDED:
            pairs = draw(st.lists(pair(type_name), min_size=1, max_size=3))
            if any(value is not None for value, _ in pairs):
                made[key] = [value for value, _ in pairs]
            if any(sibling for _, sibling in pairs):
                made[f"_{key}"] = [sibling for _, sibling in pairs]
        else:
            value, sibling = draw(pair(type_name))
            if value is not None:
                made[key] = value
            if sibling is not None:
                made[f"_{key}"] = sibling
    return made or {"extension": [{"url": "urn:a", "valueCode": "a"}]}


@st.composite
def pair(draw: st.DrawFn, type_name: str) -> tuple[Any, Any]:
    value = draw(values(type_name))
    if type_name == "xhtml" or draw(st.booleans()):
        return value, None
    return (value if draw(st.booleans()) else None), draw(siblings())


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(index().resource_types)).flatmap(lambda name: objects(name, 3)))
def test_whatever_can_be_said_in_json_comes_back_from_xml(resource: dict[str, Any]):
    written = encode(resource)
    assert exact(decode(written)) == exact(resource)
    assert encode(decode(written)) == written


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 400), st.integers(0, 20))
def test_damaged_xml_is_read_or_refused_and_nothing_else(noise: bytes, place: int, gone: int):
    whole = encode(
        {"resourceType": "Patient", "active": True, "name": [{"given": ["Ada"], "_given": [{"id": "a"}]}]}
    )
    damaged = whole[:place] + noise + whole[place + gone :]
    try:
        found = decode(damaged)
    except (MalformedContent, InvalidResource):
        return
    assert decode(encode(found)) == found
