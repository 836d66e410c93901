"""What a search answers with: the Bundle, its links, its pages, and how much of each resource."""

from urllib.parse import parse_qsl, urlsplit

from conformance.doors import FORM, Resource
from conformance.invented import patient
from conformance.lab import Lab
from conformance.registry import check
from conformance.results import Omitted, expect
from conformance.samples import address, person
from conformance.searching import STRICT, Observations, asked, bundle, link, matches, pages, query

_SHOWN = 5
_COMPOSITES = ("zq-nothing$1901-01-01", "zq-nothing$987654", "Patient/zq-nothing$zq-nothing")
_OPEN_OR_NOT_OURS = (200, 403)
"""A type that our token does not reach is 403, which says nothing of the parameter."""


def _one(lab: Lab) -> Resource:
    lab.claims.need("Patient", "search-type")
    return bundle(asked(lab.author, "Patient", ("_id", person(lab)["id"])))


@check("search.answer.bundle", "R4-SEARCH-1")
def searchset(lab: Lab) -> None:
    """A search is answered by a Bundle of type searchset."""
    found = _one(lab)
    expect(
        [one["id"] for one in matches(found)] == [person(lab)["id"]], "It does not hold what was asked for."
    )


@check("search.answer.self", "R4-SEARCH-2")
def self_link(lab: Lab) -> None:
    """The link self names the parameters that were used."""
    found = _one(lab)
    told = link(found, "self")
    expect(told, "There is no link self.")
    expect(("_id", person(lab)["id"]) in parse_qsl(urlsplit(told).query), f"self is {told}.")


@check("search.answer.entries", "R4-SEARCH-3")
def entries(lab: Lab) -> None:
    """Each entry has its full URL, which is the resource's address."""
    for one in _one(lab)["entry"]:
        wanted = f"{lab.base}{address(one['resource'])}"
        expect(one.get("fullUrl") == wanted, f"fullUrl is {one.get('fullUrl')}, expected {wanted}.")


@check("search.answer.mode", "R4-SEARCH-4")
def mode(lab: Lab) -> None:
    """Each entry says that it is a match."""
    for one in _one(lab)["entry"]:
        expect(one.get("search", {}).get("mode") == "match", "An entry has no search.mode.")


@check("search.answer.nothing", "R4-SEARCH-5")
def nothing(lab: Lab) -> None:
    """A search that finds nothing is 200 with an empty Bundle, total 0 where it is told."""
    lab.claims.need("Patient", "search-type")
    found = bundle(asked(lab.author, "Patient", ("_id", "00000000-0000-4000-8000-000000000000")))
    expect(not matches(found), "It holds something.")
    expect(found.get("total", 0) == 0, f"total is {found.get('total')}.")


@check("search.answer.total", "R4-SEARCH-6")
def total(lab: Lab) -> None:
    """The total, where it is told, is the number of all matches, whatever is on the page."""
    them = Observations(lab)
    found = bundle(asked(lab.author, "Observation", them.pair(), ("_count", "2"), ("_total", "accurate")))
    if "total" not in found:
        raise Omitted("The server tells no total.")
    expect(found["total"] == len(them.ids), f"total is {found['total']} of {len(them.ids)}.")


@check("search.answer.post", "R4-SEARCH-7")
def by_post(lab: Lab) -> None:
    """A search by POST finds what it finds by GET."""
    them = Observations(lab)
    body = query(them.pair(), ("status", "final"))
    answer = lab.author.ask("POST", "/Observation/_search", body, content_type=FORM)
    wanted = them.found(("status", "final"))
    expect(them.names(bundle(answer)) == wanted, "It finds something else than by GET.")


@check("search.count.most", "R4-SEARCH-8")
def count(lab: Lab) -> None:
    """A page has at most as many matches as _count says."""
    them = Observations(lab)
    found = bundle(asked(lab.author, "Observation", them.pair(), ("_count", "2")))
    expect(len(matches(found)) == 2, f"There are {len(matches(found))} on the page.")


@check("search.count.none", "R4-SEARCH-9")
def count_of_none(lab: Lab) -> None:
    """_count=0 gives the number and no entries."""
    them = Observations(lab)
    found = bundle(asked(lab.author, "Observation", them.pair(), ("_count", "0")))
    expect(not found.get("entry"), "There are entries.")
    expect(found.get("total") == len(them.ids), f"total is {found.get('total')}.")


@check("search.pages.all", "R4-SEARCH-10")
def all_pages(lab: Lab) -> None:
    """The pages together hold each match once."""
    them = Observations(lab)
    first = bundle(asked(lab.author, "Observation", them.pair(), ("_count", "2")))
    found = [one["id"] for page in pages(lab.author, first) for one in matches(page)]
    expect(len(found) == len(set(found)), "Something is on two pages.")
    expect(set(found) == set(them.ids.values()), f"{len(set(found))} of {len(them.ids)} were found.")


@check("search.pages.last", "R4-SEARCH-11")
def last_page(lab: Lab) -> None:
    """The last page has no link next."""
    them = Observations(lab)
    found = bundle(asked(lab.author, "Observation", them.pair(), ("_count", "50")))
    expect(not link(found, "next"), "A whole answer has a next page.")


@check("search.sort.date", "R4-SEARCH-12")
def sort(lab: Lab) -> None:
    """_sort orders by an element, and the other way with a minus."""
    lab.claims.need_parameter("Observation", "date")
    them = Observations(lab)
    by_id = {public_id: name for name, public_id in them.ids.items()}
    pairs = (them.pair(), ("date", "ge2023-12-31"), ("status", "final,preliminary"))
    for value, turned in (("date", False), ("-date", True)):
        found = [
            by_id[one["id"]]
            for one in matches(bundle(asked(lab.author, "Observation", *pairs, ("_sort", value))))
        ]
        dated = [name for name in found if name in ("december", "january", "february")]
        wanted = ["december", "january", "february"]
        expect(dated == (wanted[::-1] if turned else wanted), f"_sort={value} gave {', '.join(dated)}.")


@check("search.summary.count", "R4-SEARCH-13")
def summary_count(lab: Lab) -> None:
    """_summary=count gives the number and no entries."""
    them = Observations(lab)
    found = bundle(asked(lab.author, "Observation", them.pair(), ("_summary", "count")))
    expect(not found.get("entry"), "There are entries.")
    expect(found.get("total") == len(them.ids), f"total is {found.get('total')}.")


def _honoured(lab: Lab, *pairs: tuple[str, str]) -> Resource:
    lab.claims.need("Patient", "search-type")
    answer = asked(lab.author, "Patient", ("_id", person(lab)["id"]), *pairs)
    if answer.http_status == 400 or not set(pairs) <= set(
        parse_qsl(urlsplit(link(bundle(answer), "self")).query)
    ):
        raise Omitted(f"The server does not honour {query(*pairs)}.")
    return matches(bundle(answer))[0]


@check("search.summary.true", "R4-SEARCH-14")
def summary_true(lab: Lab) -> None:
    """_summary=true leaves out what is no summary element, and marks the answer as a part."""
    found = _honoured(lab, ("_summary", "true"))
    expect("communication" not in found and "contact" not in found, "Elements outside the summary are there.")
    expect("name" in found, "An element of the summary is missing.")
    _is_marked(found)


@check("search.summary.text", "R4-SEARCH-15")
def summary_text(lab: Lab) -> None:
    """_summary=text leaves id, meta, text and what must be there, and marks the answer as a part."""
    found = _honoured(lab, ("_summary", "text"))
    expect("birthDate" not in found and "gender" not in found, "Other elements are there.")
    _is_marked(found)


@check("search.summary.data", "R4-SEARCH-16")
def summary_data(lab: Lab) -> None:
    """_summary=data leaves out the narrative."""
    found = _honoured(lab, ("_summary", "data"))
    expect("text" not in found, "The narrative is there.")
    expect("name" in found, "Elements are missing.")
    _is_marked(found)


@check("search.elements", "R4-SEARCH-17")
def elements(lab: Lab) -> None:
    """_elements leaves what was named, with id and meta, and marks the answer as a part."""
    found = _honoured(lab, ("_elements", "gender"))
    expect(found.get("gender"), "What was named is missing.")
    expect("name" not in found and "birthDate" not in found, "What was not named is there.")
    expect(found.get("id"), "The id is missing.")
    _is_marked(found)


def _is_marked(found: Resource) -> None:
    tags = [tag.get("code") for tag in found.get("meta", {}).get("tag", [])]
    expect("SUBSETTED" in tags, "The part is not marked as SUBSETTED.")


@check("search.total.none", "R4-SEARCH-18")
def total_none(lab: Lab) -> None:
    """_total=none is taken, and the matches are the same."""
    them = Observations(lab)
    found = bundle(asked(lab.author, "Observation", them.pair(), ("_total", "none")))
    expect(them.names(found) == set(them.ids), "The matches are others.")


@check("search.unknown.lenient", "R4-SEARCH-19")
def unknown_parameter(lab: Lab) -> None:
    """An unknown parameter is ignored, and self does not name it."""
    lab.claims.need("Patient", "search-type")
    pairs = (("_id", person(lab)["id"]), ("banana", "yes"))
    answer = asked(lab.author, "Patient", *pairs, Prefer="handling=lenient")
    found = bundle(answer)
    expect(len(matches(found)) == 1, "It changed what was found.")
    expect("banana" not in link(found, "self"), "self names it as if it had been used.")


@check("search.unknown.strict", "R4-SEARCH-20")
def unknown_parameter_strictly(lab: Lab) -> None:
    """An unknown parameter is 400 where strict handling is preferred."""
    lab.claims.need("Patient", "search-type")
    asked(lab.author, "Patient", ("banana", "yes"), Prefer=STRICT).must_be(400)


@check("search.bad-value", "R4-SEARCH-21")
def bad_value(lab: Lab) -> None:
    """A value that is no date is refused where a date is asked for."""
    lab.claims.need_parameter("Observation", "date")
    them = Observations(lab)
    asked(lab.author, "Observation", them.pair(), ("date", "notadate"), Prefer=STRICT).must_be(400, 422)


@check("search.bad-modifier", "R4-SEARCH-22")
def bad_modifier(lab: Lab) -> None:
    """A modifier that the server does not support is refused."""
    lab.claims.need_parameter("Observation", "status")
    them = Observations(lab)
    asked(lab.author, "Observation", them.pair(), ("status:banana", "final")).must_be(400, 422)


@check("search.parameters.claimed", "R4-SEARCH-23")
def claimed_parameters(lab: Lab) -> None:
    """Every search parameter that is claimed is taken in strict handling."""
    values = {
        "string": "zq-nobody",
        "token": "zq-nothing",
        "date": "1901-01-01",
        "reference": "zq-nobody",
        "uri": "urn:zq:nothing",
        "number": "987654",
        "quantity": "987654",
        "composite": "zq-nothing$zq-nothing",  # and others, by the kinds of its parts
    }
    refused = []
    for type_name in lab.claims.types:
        if not lab.claims.has(type_name, "search-type"):
            continue
        for name, kind in lab.claims.parameters(type_name).items():
            if kind in values:
                value = "1901-01-01" if name == "_lastUpdated" else values[kind]
                answer = asked(lab.author, type_name, (name, value), Prefer=STRICT)
                if (
                    answer.http_status == 400
                    and name != "patient"
                    and "patient" in lab.claims.parameters(type_name)
                ):
                    about = ("patient", f"Patient/{person(lab)['id']}")  # it wants a person to be named
                    answer = asked(lab.author, type_name, about, (name, value), Prefer=STRICT)
                if answer.http_status == 400 and kind == "composite":
                    others = [asked(lab.author, type_name, (name, one), Prefer=STRICT) for one in _COMPOSITES]
                    answer = next((one for one in others if one.http_status == 200), answer)
                if answer.http_status not in _OPEN_OR_NOT_OURS:
                    refused.append(f"{type_name}?{name}={value} -> {answer.http_status} {answer.reason}")
            if len(refused) > _SHOWN:
                break
    expect(not refused, f"{len(refused)} or more refused, such as {'; '.join(refused[:3])}")


@check("search.includes.claimed", "R4-SEARCH-24")
def claimed_includes(lab: Lab) -> None:
    """Every _include and _revinclude that is claimed is taken in strict handling."""
    refused = []
    for type_name in lab.claims.types:
        for key, parameter in (("searchInclude", "_include"), ("searchRevInclude", "_revinclude")):
            for value in lab.claims.includes(type_name, key):
                pairs = (("_id", "00000000-0000-4000-8000-000000000000"), (parameter, value))
                answer = asked(lab.author, type_name, *pairs, Prefer=STRICT)
                if answer.http_status not in _OPEN_OR_NOT_OURS:
                    refused.append(f"{type_name}?{parameter}={value} -> {answer.http_status} {answer.reason}")
        if len(refused) > _SHOWN:
            break
    expect(not refused, f"{len(refused)} or more refused, such as {'; '.join(refused[:3])}")


@check("search.id.several", "R4-SEARCH-25")
def several_ids(lab: Lab) -> None:
    """_id takes several ids, and finds those that exist."""
    lab.claims.need("Patient", "search-type")
    other = lab.once("another-person", lambda: lab.kept(patient(f"Zq{lab.run}Turnstone")))
    value = f"{person(lab)['id']},{other['id']},00000000-0000-4000-8000-000000000000"
    found = {one["id"] for one in matches(bundle(asked(lab.author, "Patient", ("_id", value))))}
    expect(found == {person(lab)["id"], other["id"]}, f"It found {len(found)} of 2.")
