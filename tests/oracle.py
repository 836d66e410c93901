"""What a search should find, said a second time: FHIRPath by an engine we did not write, comparisons in plain Python.

What lives here: the official search parameters straight from the published package, the elements they mean, and for
each kind of parameter a list of searches with the answer each element gives. What does not: anything of the hub's own
search (``referral_hub.fhir.search_*``, ``referral_hub.store``), on purpose.

Source: FHIR R4 ``search.html``.
"""

import json
import re
import tarfile
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[2] / "shared" / "fhir" / "hl7.fhir.r4.core-4.0.1.tgz"
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
HOME = "https://hub.example/fhir"

Node = Any
Meets = Callable[[Node], bool]


@dataclass(frozen=True)
class Question:
    """One search: the name with its modifier, the value, and how an element answers.

    ``inverted``: it holds for a resource of which no element meets (``:not``); ``missing``: True or False for
    ``:missing``.
    """

    modifier: str
    value: str
    meets: Meets
    inverted: bool = False
    missing: bool | None = None

    def holds(self, nodes: list[Node]) -> bool:
        """Says whether a resource with these elements is found."""
        if self.missing is not None:
            return bool(nodes) is not self.missing
        return any(self.meets(node) for node in nodes) is not self.inverted


@cache
def published() -> dict[str, dict[str, Any]]:
    """Gives the official search parameters by URL."""
    found = {}
    with tarfile.open(PACKAGE) as archive:
        for member in archive:
            if member.isfile() and member.name.startswith("package/SearchParameter-"):
                content = archive.extractfile(member)
                assert content is not None
                parameter = json.load(content)
                found[parameter["url"]] = parameter
    return found


def expressions(type_name: str, expression: str) -> Iterator[tuple[str, str]]:
    """Gives the parts of an expression that are about a type, as the engine reads them, each with its target type."""
    for whole in re.split(r"\s\|\s", expression):
        part = whole.strip()
        if not re.match(rf"\(*{type_name}\b", part):
            continue
        target = ""
        if resolved := re.search(r"\.where\(resolve\(\) is ([A-Za-z]+)\)", part):
            part, target = part.replace(resolved[0], ""), resolved[1]
        # The engine takes ``as`` for one value only, as FHIRPath says; search parameters mean each.
        part = re.sub(r"\(([A-Za-z.]+) as ([A-Za-z]+)\)", r"\1.ofType(\2)", part)
        part = re.sub(r"\.as\(([A-Za-z]+)\)", r".ofType(\1)", part)
        yield part, target


@cache
def _engine() -> tuple[Any, Any]:
    import fhirpathpy
    from fhirpathpy.models import models

    return fhirpathpy, models["r4"]


@cache
def _compiled(expression: str) -> Any:
    engine, model = _engine()
    return engine.compile(expression, model=model)


def nodes_of(type_name: str, expression: str, resource: dict[str, Any]) -> list[Node]:
    """Gives the elements of a resource that an expression means."""
    found = []
    for part, target in expressions(type_name, expression):
        for node in _compiled(part)(resource):
            if not target or _leads_to(node, target):
                found.append(node)
    return found


def _leads_to(node: Node, target: str) -> bool:
    text = node.get("reference", "")
    return f"{target}/" in text or (not text and node.get("type") == target)


# ---- questions, by kind of parameter ----


def questions(kind: str, nodes: list[Node]) -> Iterator[Question]:
    """Gives searches about these elements, of which every kind of spelling, prefix and modifier is one."""
    made = {"token": _tokens, "string": _strings, "reference": _references, "date": _dates, "uri": _uris}
    if kind in made:
        yield from made[kind](nodes)
    elif kind in ("number", "quantity"):
        yield from _numbers(nodes, units=kind == "quantity")
    if kind != "composite":
        for missing in (True, False):
            yield Question(":missing", str(missing).lower(), lambda _: True, missing=missing)


def either(first: Question, second: Question) -> Question:
    """Gives the search for any of two values."""
    return Question(
        first.modifier, f"{first.value},{second.value}", lambda node: first.meets(node) or second.meets(node)
    )


def escaped(text: str) -> str:
    for character in "\\,|$":
        text = text.replace(character, f"\\{character}")
    return text


def tokens_in(node: Node) -> Iterator[tuple[str | None, str]]:
    """Gives (system, code); the system is None where the standard implies one that the element does not say."""
    if isinstance(node, bool):
        yield "", str(node).lower()
    elif isinstance(node, str):
        yield None, node
    elif "coding" in node:
        for coding in node["coding"]:
            yield coding.get("system", ""), coding["code"]
    elif "code" in node:
        yield node.get("system", ""), node["code"]
    elif "value" in node:
        # A ContactPoint says what it is by a system that is no code system.
        is_contact = node.get("system") in ("phone", "email", "fax", "url", "sms", "pager", "other")
        yield "" if is_contact else node.get("system", ""), node["value"]


def _token(system: str | None, code: str | None) -> Meets:
    return lambda node: any(
        (system is None or own_system == system) and code in (None, own_code)
        for own_system, own_code in tokens_in(node)
    )


def _tokens(nodes: list[Node]) -> Iterator[Question]:
    known = list(dict.fromkeys(pair for node in nodes for pair in tokens_in(node)))
    plain = [Question("", escaped(code), _token(None, code)) for _, code in known[:4]]
    yield from plain
    for system, code in known[:4]:
        if system is not None:
            yield Question("", f"{system}|{escaped(code)}", _token(system, code))
            yield Question("", f"|{escaped(code)}", _token("", code))
            if system:
                yield Question("", f"{system}|", _token(system, None))
    yield Question("", "none-such", _token(None, "none-such"))
    for question in plain[:2]:
        yield Question(":not", question.value, question.meets, inverted=True)
    if len(plain) > 1:
        yield either(plain[0], plain[-1])
        both = either(plain[0], plain[-1])
        yield Question(":not", both.value, both.meets, inverted=True)


def folded(text: str) -> str:
    """Gives a text without case, accents and doubled blanks."""
    apart = unicodedata.normalize("NFD", text.casefold())
    bare = "".join(character for character in apart if not unicodedata.combining(character))
    return " ".join(bare.split())


def texts_in(node: Node) -> Iterator[str]:
    if isinstance(node, str):
        yield node
        return
    for key, value in node.items():
        if key not in ("use", "type", "period", "extension", "id"):
            yield from value if isinstance(value, list) else [value]


def _strings(nodes: list[Node]) -> Iterator[Question]:
    known = list(dict.fromkeys(text for node in nodes for text in texts_in(node)))[:4]

    def begins(text: str) -> Meets:
        return lambda node: any(folded(one).startswith(folded(text)) for one in texts_in(node))

    for text in known:
        yield Question("", escaped(text), begins(text))
        yield Question("", escaped(text[:3].upper()), begins(text[:3]))
        yield Question(":exact", escaped(text), lambda node, t=text: t in texts_in(node))
        yield Question(":exact", escaped(text.upper()), lambda node, t=text: t.upper() in texts_in(node))
        inner = text.strip()[1:4]
        yield Question(
            ":contains",
            escaped(inner),
            lambda node, t=inner: any(folded(t) in folded(one) for one in texts_in(node)),
        )
    if len(known) > 1:
        yield either(
            Question("", escaped(known[0]), begins(known[0])),
            Question("", escaped(known[-1]), begins(known[-1])),
        )


def _references(nodes: list[Node]) -> Iterator[Question]:
    texts = list(dict.fromkeys(text for node in nodes for text in links_in(node)))[:4]

    def leads(text: str) -> Meets:
        return lambda node: text in links_in(node)

    for text in texts:
        yield Question("", escaped(text), leads(text))
        if re.fullmatch(r"[A-Z][A-Za-z]+/[^/]+", text):
            type_name, public_id = text.split("/")
            yield Question("", public_id, leads(text))
            yield Question(f":{type_name}", public_id, leads(text))
            yield Question("", f"{HOME}/{text}", leads(text))
    if len(texts) > 1:
        yield either(
            Question("", escaped(texts[0]), leads(texts[0])), Question("", escaped(texts[1]), leads(texts[1]))
        )
    for system, value in list(dict.fromkeys(pair for node in nodes for pair in identifiers_in(node)))[:2]:
        yield Question(
            ":identifier", f"{system}|{value}", lambda node, p=(system, value): p in identifiers_in(node)
        )
        yield Question(
            ":identifier", value, lambda node, v=value: v in {one for _, one in identifiers_in(node)}
        )


def links_in(node: Node) -> list[str]:
    if isinstance(node, str):
        return [node, *([node.split("|")[0]] if "|" in node else [])]
    text = node.get("reference", "")
    return [text.split("/_history/")[0].removeprefix(f"{HOME}/")] if text and text[0] != "#" else []


def identifiers_in(node: Node) -> list[tuple[str, str]]:
    if not isinstance(node, dict) or "value" not in node.get("identifier", {}):
        return []
    return [(node["identifier"].get("system", ""), node["identifier"]["value"])]


def _uris(nodes: list[Node]) -> Iterator[Question]:
    known = list(dict.fromkeys(nodes))[:4]
    for uri in known:
        yield Question("", escaped(uri), lambda node, u=uri: node == u)
        yield Question(":below", escaped(uri), lambda node, u=uri: _is_below(node, u))
        yield Question(":above", escaped(uri), lambda node, u=uri: _is_below(u, node))
        if uri.startswith("http"):
            longer, shorter = f"{uri}/more", uri.rpartition("/")[0]
            yield Question(":above", escaped(longer), lambda node, u=longer: _is_below(u, node))
            yield Question(":below", escaped(shorter), lambda node, u=shorter: _is_below(node, u))


def _is_below(uri: str, base: str) -> bool:
    return uri == base or (base.startswith("http") and uri.startswith(base.rstrip("/") + "/"))


# ---- time ----


def moment(text: str) -> datetime:
    """Gives the first moment of a date or time."""
    padded = text + "0001-01-01"[len(text) :] if len(text) < 10 else text
    if re.fullmatch(r".*T\d\d:\d\d", padded):
        padded += ":00"
    found = datetime.fromisoformat(padded)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def ends(text: str) -> tuple[datetime, datetime]:
    """Gives the first moment of a date or time, and the first after it."""
    begin = moment(text)
    if len(text) == 4:
        return begin, begin.replace(year=begin.year + 1)
    if len(text) == 7:
        return begin, (begin.replace(day=28) + timedelta(days=7)).replace(day=1)
    if len(text) == 10:
        return begin, begin + timedelta(days=1)
    if "." in text:
        return begin, begin + timedelta(microseconds=1)
    return begin, begin + (
        timedelta(seconds=1)
        if text.count(":") > 1 + ("+" in text or "-" in text[10:])
        else timedelta(minutes=1)
    )


_START, _END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def spans_in(node: Node) -> Iterator[tuple[datetime, datetime]]:
    if isinstance(node, str):
        if re.match(r"\d{4}", node):
            yield ends(node)
        return
    if "start" in node or "end" in node:
        begin = ends(node["start"])[0] if "start" in node else _START
        yield begin, ends(node["end"])[1] if "end" in node else _END
        return
    found = [ends(event) for event in node.get("event", ())]
    found += spans_in(node.get("repeat", {}).get("boundsPeriod", {"none": 0})) if "repeat" in node else []
    if found:
        yield min(one for one, _ in found), max(one for _, one in found)


def _compare(prefix: str, asked: tuple[Any, Any], stored: tuple[Any, Any]) -> bool:
    """Gives the table of prefixes of R4, for spans that hold their beginning and not their end."""
    (a, b), (x, y) = asked, stored
    return {
        "eq": a <= x and y <= b,
        "ne": not (a <= x and y <= b),
        "gt": y > b,
        "lt": x < a,
        "ge": y > b or (a <= x and y <= b),
        "le": x < a or (a <= x and y <= b),
        "sa": x >= b,
        "eb": y <= a,
        "ap": x < b and y > a,
    }[prefix]


def _dates(nodes: list[Node]) -> Iterator[Question]:
    written = [text for node in nodes for text in _written(node)]
    asked = list(dict.fromkeys([*written[:2], *(text[:10] for text in written[2:3]), "2026-11-24", "2026"]))[
        :3
    ]
    for text in asked:
        for prefix in PREFIXES[:-1]:
            yield Question(
                "",
                prefix + text if prefix != "eq" else text,
                lambda node, p=prefix, t=text: any(_compare(p, ends(t), span) for span in spans_in(node)),
            )
    # What is near depends on now; far in the past a tenth of the way is decades.
    yield Question(
        "", "ap0900", lambda node: any(_compare("ap", _near("0900"), span) for span in spans_in(node))
    )
    yield either(
        Question("", asked[0], lambda node: any(_compare("eq", ends(asked[0]), s) for s in spans_in(node))),
        Question(
            "", "gt2026-11", lambda node: any(_compare("gt", ends("2026-11"), s) for s in spans_in(node))
        ),
    )


def _near(text: str) -> tuple[datetime, datetime]:
    begin, end = ends(text)
    gap = (datetime.now(UTC) - end) / 10
    return begin - gap, end + gap


def _written(node: Node) -> Iterator[str]:
    if isinstance(node, str):
        if re.match(r"\d{4}", node):
            yield node
        return
    for value in node.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str | dict):
                yield from _written(one)


# ---- numbers ----


def amounts_in(node: Node) -> Iterator[tuple[Decimal | None, Decimal | None, dict[str, Any]]]:
    if not isinstance(node, dict):
        yield Decimal(str(node)), Decimal(str(node)), {}
    elif "low" in node or "high" in node:
        low, high = node.get("low", {}), node.get("high", {})
        yield (
            Decimal(str(low["value"])) if "value" in low else None,
            Decimal(str(high["value"])) if "value" in high else None,
            low or high,
        )
    elif "value" in node:
        value, comparator = Decimal(str(node["value"])), node.get("comparator", "")
        yield (
            None if comparator in ("<", "<=") else value,
            None if comparator in (">", ">=") else value,
            node,
        )


_INFINITE = Decimal("Infinity")


def _number(prefix: str, text: str, low: Decimal | None, high: Decimal | None) -> bool:
    value = Decimal(text)
    half = Decimal(1).scaleb(int(value.as_tuple().exponent)) / 2
    if prefix == "ap":
        half = abs(value) / 10
    x, y = -_INFINITE if low is None else low, _INFINITE if high is None else high
    inside = value - half <= x and y < value + half
    return {
        "eq": inside,
        "ne": not inside,
        "gt": y > value,
        "lt": x < value,
        "ge": y >= value,
        "le": x <= value,
        "sa": x > value,
        "eb": y < value,
        "ap": y >= value - half and x <= value + half,
    }[prefix]


def _numbers(nodes: list[Node], *, units: bool) -> Iterator[Question]:
    known = [one for node in nodes for one in amounts_in(node)]
    texts = list(dict.fromkeys(str(low if low is not None else high) for low, high, _ in known))[:2]
    for text in texts:
        for prefix in PREFIXES:
            yield Question(
                "",
                prefix + text if prefix != "eq" else text,
                lambda node, p=prefix, t=text: any(_number(p, t, x, y) for x, y, _ in amounts_in(node)),
            )
    if not units:
        return
    for low, high, unit in known[:3]:
        text = str(low if low is not None else high)
        if unit.get("code"):
            asked = f"{text}|{unit.get('system', '')}|{unit['code']}"
            yield Question("", asked, _in_unit("eq", text, unit.get("system", ""), unit["code"]))
            yield Question("", f"le{asked}", _in_unit("le", text, unit.get("system", ""), unit["code"]))
        for word in {unit.get("code"), unit.get("unit")} - {None}:
            yield Question("", f"ge{text}||{word}", _in_unit("ge", text, None, str(word)))
    yield Question("", "ge0||none-such", lambda _: False)


def _in_unit(prefix: str, text: str, system: str | None, code: str) -> Meets:
    def meets(node: Node) -> bool:
        for low, high, unit in amounts_in(node):
            named = (
                code in (unit.get("code"), unit.get("unit"))
                if not system
                else (unit.get("system"), unit.get("code")) == (system, code)
            )
            if named and _number(prefix, text, low, high):
                return True
        return False

    return meets
