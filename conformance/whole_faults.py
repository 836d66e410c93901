"""Faults of a resource as a whole: its head, its narrative, what it contains, its type.

What lives here: one function per kind; each changes the resource and says where, or gives an empty text where
there is no place for it. What does not: faults of single elements (``conformance.faults``).

Source: FHIR R4 ``resource.html``, ``narrative.html``, ``references.html#contained``.
"""

import random
from typing import Any

from referral_hub.fhir.element_tables import part_table

Json = dict[str, Any]


def narrative(resource: Json, chance: random.Random) -> str:
    """Gives the resource another narrative, most of them wrong."""
    xhtml = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
    div = chance.choice(
        (
            "<div>no name space</div>",
            xhtml.format(""),
            xhtml.format("   "),
            xhtml.format("<script>x</script>"),
            xhtml.format('<p onclick="x">y</p>'),
            xhtml.format("<p>not closed"),
            xhtml.format("&nbsp;&eacute; sound"),
            xhtml.format("&banana;"),
            xhtml.format('<a href="javascript:x">y</a>'),
            xhtml.format('<img src="#a" alt="b"/>'),
            xhtml.format("<iframe>x</iframe>"),
            xhtml.format("<form><input/></form>"),
            xhtml.format("<!-- nothing but a note -->"),
            xhtml.format('<p style="color: red">sound</p>'),
            xhtml.format('<img src="https://elsewhere.test/a.png" alt="b"/>'),
            '<p xmlns="http://www.w3.org/1999/xhtml">no div</p>',
            "no mark-up",
            "",
        )
    )
    status = chance.choice(("generated", "additional", "empty", "banana"))
    if not any(row.name == "text" for row in part_table(resource["resourceType"]).elements):
        return ""
    resource["text"] = {"status": status, "div": div}
    return f"{resource['resourceType']}.text"


def contained(resource: Json, chance: random.Random) -> str:
    """Puts another resource into it, with one fault."""
    if not any(row.name == "contained" for row in part_table(resource["resourceType"]).elements):
        return ""
    inner: list[Json] = chance.choice(
        (
            [{"resourceType": "Organization", "id": "nobody-points-here", "name": "x"}],
            [{"resourceType": "Organization", "name": "no id"}],
            [{"resourceType": "Banana", "id": "a"}],
            [{"id": "a"}],
            [{"resourceType": "Patient", "id": "a", "gender": "banana"}],
            [
                {
                    "resourceType": "Organization",
                    "id": "a",
                    "name": "x",
                    "contained": [{"resourceType": "Patient", "id": "b"}],
                }
            ],
            [{"resourceType": "Organization", "id": "a", "name": "x", "meta": {"versionId": "1"}}],
            [{"resourceType": "Organization", "id": "a", "name": "x", "meta": {"security": [{"code": "R"}]}}],
        )
    )
    resource["contained"] = inner
    return f"{resource['resourceType']}.contained"


def head(resource: Json, chance: random.Random) -> str:
    """Changes one of the elements that every resource has."""
    name, value = chance.choice(
        (
            ("resourceType", "Banana"),
            ("resourceType", "patient"),
            ("resourceType", 1),
            ("resourceType", None),
            ("id", "a b"),
            ("id", "x" * 65),
            ("id", ""),
            ("id", 7),
            ("language", ""),
            ("language", "de DE"),
            ("implicitRules", "not a url"),
            ("implicitRules", "https://rules.referral-hub.example/x"),
            ("meta", {}),
            ("meta", {"lastUpdated": "2026-11-24"}),
            ("meta", {"profile": ["a b"]}),
            ("meta", {"tag": [{"system": "relative", "code": "a"}]}),
            (
                "meta",
                {
                    "security": [
                        {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "Q"}
                    ]
                },
            ),
            ("contained", {}),
        )
    )
    resource[name] = value
    return f"{resource['resourceType']}.{name}"


def other_type(resource: Json, chance: random.Random) -> str:
    """Calls it by the name of another type."""
    resource["resourceType"] = chance.choice(("Task", "Patient", "Condition", "Location", "Basic"))
    return f"{resource['resourceType']}.resourceType"
