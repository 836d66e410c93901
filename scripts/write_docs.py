"""Writes the parts of docs/ that follow from declarations, between their markers.

    python scripts/write_docs.py [--check]

A page keeps what people wrote; only what stands between ``<!-- made from NAME -->`` and ``<!-- end -->`` is made.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from referral_hub.exchange.criteria import MOST_DATES
from referral_hub.exchange.cursors import LINK_LIFE_US
from referral_hub.exchange.including import MOST_INCLUDED, MOST_ROUNDS
from referral_hub.exchange.indexing import parameters
from referral_hub.exchange.ordering import sortable
from referral_hub.exchange.search import COUNT_BOUND
from referral_hub.fhir.search_criteria import MOST_COMPOSITES, MOST_VALUES
from referral_hub.fhir.search_grammar import (
    LARGEST_PAGE,
    MOST_LINKS,
    MOST_PARAMETERS,
    MOST_SORT_KEYS,
    MOST_TERMS,
)
from referral_hub.fhir.search_terms import MODIFIERS
from referral_hub.resources.catalog import DEFINITIONS, PUBLISHED
from referral_hub.resources.definition import ResourceDefinition, Visibility

DOCS = Path(__file__).resolve().parent.parent / "docs"
_PART = re.compile(r"(<!-- made from (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_REFERRAL = {
    "Patient": "N, F as the referral's state says",
    "ServiceRequest": "N, F as the referral's state says",
    "Task": "N, F, K, H as the referral's state says",
    "Consent": "the release itself, cut to what names it",
}
_MATCHES: dict[Visibility, str] = {
    "notice": "",
    "public": "",
    "accepted": " (others: from acceptance)",
    "full": " (others: where the category is open)",
    "self": " (others: themselves)",
    "own": " (own)",
}


_OTHERS: dict[Visibility, str] = {
    "notice": "yes, where they see it",
    "public": "yes, never a shelter's",
    "accepted": "from acceptance on",
    "full": "where the category is open",
    "self": "themselves only",
    "own": "no",
}


def main() -> int:
    """Writes every page, or says which ones differ."""
    reading = argparse.ArgumentParser(description="Write the parts of docs/ that follow from declarations.")
    reading.add_argument("--check", action="store_true", help="write nothing; fail where a page differs")
    given = reading.parse_args()
    different = []
    for page in sorted(DOCS.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = made(before)
        if after != before:
            different.append(page.name)
            if not given.check:
                page.write_text(after, encoding="utf-8")
    print(
        f"docs: {len(different)} pages {'differ' if given.check else 'written'} {' '.join(different)}".rstrip()
    )
    return 1 if different and given.check else 0


def made(page: str) -> str:
    """Gives a page with every made part written anew.

    >>> made("a")
    'a'
    """
    return _PART.sub(lambda found: f"{found[1]}{PARTS[found['name']]()}{found[3]}", page)


def types() -> str:
    """Gives the table of the types the hub stores."""
    rows = ((f"`{one.type_name}`", writers(one), category(one), seen(one)) for one in DEFINITIONS.values())
    return table(("type", "who writes it", "information category", "what a recipient reads"), rows)


def searches() -> str:
    """Gives what each type is searched by."""
    rows = []
    for name, one in {**DEFINITIONS, **PUBLISHED}.items():
        codes = ", ".join(
            f"{code}{_MATCHES[searchable.visibility]}" for code, (searchable, _) in parameters(name).items()
        )
        includes = ", ".join((*one.includes, *(f"{include} (back)" for include in one.revincludes)))
        along = ", ".join((*one.chains, *(f"_has:{has}" for has in one.has)))
        rows.append((f"`{name}`", codes or "read only", includes, along))
    return table(
        ("type", "search parameters beside `_id` and `_lastUpdated`", "includes", "chains and `_has`"), rows
    )


def search_parameters() -> str:
    """Gives every search parameter of every type: its kind, for whom it matches, and whether it gives an order."""
    parts = []
    for name, one in {**DEFINITIONS, **PUBLISHED}.items():
        sorts = sortable(name) if name in DEFINITIONS else ()
        rows = [
            (
                f"`{code}`",
                parameter.type + (", digests" if searchable.identifying else ""),
                _OTHERS[searchable.visibility],
                "yes" if code in sorts else "",
            )
            for code, (searchable, parameter) in parameters(name).items()
        ]
        lists = (
            ("Includes", one.includes),
            ("Reverse includes", one.revincludes),
            ("Chains", [":".join(chain.split(".", 1)) for chain in one.chains]),
            ("Reverse chains", [f"_has:{has}" for has in one.has]),
        )
        told = "".join(
            f"- {label}: {', '.join(f'`{x}`' for x in names)}\n" for label, names in lists if names
        )
        made = table(("parameter", "kind", "others find by it", "`_sort`"), rows) if rows else "Read only.\n"
        parts.append(f"\n### {name}\n\n{made}" + (f"\n{told}" if told else ""))
    return "".join(parts) + "\n"


def search_modifiers() -> str:
    """Gives what each kind of parameter understands."""
    rows = (
        (
            kind,
            (", ".join(f"`:{one}`" for one in known) or "none")
            + (", `:[type]`" if kind == "reference" else ""),
        )
        for kind, known in MODIFIERS.items()
    )
    return table(("kind", "modifiers"), rows)


def search_limits() -> str:
    """Gives the bounds of one search."""
    of_one = f"{MOST_VALUES} (a composite {MOST_COMPOSITES}, a birth date {MOST_DATES})"
    rows = (
        ("parameters", str(MOST_PARAMETERS)),
        ("values, together", str(MOST_TERMS)),
        ("values of one parameter", of_one),
        ("chains and `_has`", str(MOST_LINKS)),
        ("keys of `_sort`", str(MOST_SORT_KEYS)),
        ("entries of a page", f"{LARGEST_PAGE}; `REFERRAL_HUB_MAX_PAGE_ENTRIES` may say less"),
        ("resources sent along", f"{MOST_INCLUDED} a page"),
        ("rounds of `:iterate`", str(MOST_ROUNDS)),
        ("`total`", f"counts to {COUNT_BOUND:,}; above it there is none"),
        ("a page link", f"{LINK_LIFE_US // 60_000_000} minutes"),
    )
    return table(("what", "at most"), rows)


def published() -> str:
    """Gives the types of definitions."""
    return "".join(f"- `{name}`\n" for name in PUBLISHED)


def writers(one: ResourceDefinition) -> str:
    """Gives who may write a type."""
    if "create" not in one.interactions:
        return "nobody; the hub renders it"
    if one.by_coordinator:
        return "the network's coordinator"
    if one.keeper:
        return f"an organisation for itself (`{one.keeper}`)"
    if one.type_name == "Consent":
        return "the organisation that opened her file"
    if one.type_name == "Task":
        return "the requester; the owner its own part"
    return "any organisation"


def category(one: ResourceDefinition) -> str:
    """Gives how the information category of a type is found."""
    if one.category:
        return one.category
    codes = " or ".join(f"`{path}`" for path in one.coded_by)
    based = "that of what it is based on" if one.inherits else ""
    return ", else ".join(part for part in (f"by {codes}" if codes else "", based, "very-restricted") if part)


def seen(one: ResourceDefinition) -> str:
    """Gives what an organisation reads that did not write it."""
    if one.type_name in _REFERRAL:
        return _REFERRAL[one.type_name]
    shelter = "" if one.at_shelter or one.by_coordinator else "; of a shelter nothing"
    parts = []
    if one.directory:
        unless = f" (unless `{one.subject[0]}` leads to a person)" if one.subject else ""
        parts.append(f"everybody reads it{unless}{shelter}")
    if one.listed:
        parts.append(f"everybody, where its organisation lists it{shelter}")
    if one.opened:
        parts.append("*when granted*")
    return "; ".join(parts) or "nothing: its author's alone"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Gives a Markdown table.

    >>> print(table(("a", "b"), [("1", "2")]), end="")
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    columns = list(head)
    lines = [columns, ["---"] * len(columns), *(list(row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


PARTS: dict[str, Callable[[], str]] = {
    "types": types,
    "searches": searches,
    "published": published,
    "search-limits": search_limits,
    "search-modifiers": search_modifiers,
    "search-parameters": search_parameters,
}

if __name__ == "__main__":
    sys.exit(main())
