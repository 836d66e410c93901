"""What a search finds: tokens, strings, dates, references, quantities, and how they are joined."""

from conformance.invented import ABOUT_A_PERSON, FILE_SYSTEM, LOINC, UCUM, patient
from conformance.lab import Lab
from conformance.registry import check
from conformance.results import Omitted, expect
from conformance.samples import person
from conformance.searching import Observations, asked, bundle, matches, people

TEMPERATURE = {"january", "december", "year"}
ALL = {"january", "february", "december", "year", "period", "undated"}


def _them(lab: Lab, *parameters: str) -> Observations:
    lab.claims.need_parameter("Observation", *parameters)
    return Observations(lab)


# --- token -------------------------------------------------------------------------------------------------


@check("search.token.code", "R4-TOKEN-1")
def token_code(lab: Lab) -> None:
    """A token without a system finds the code in any system."""
    _them(lab, "code").must_find(TEMPERATURE | {"period"}, ("code", "8310-5"))


@check("search.token.system", "R4-TOKEN-2")
def token_system(lab: Lab) -> None:
    """A token with a system finds the code in that system alone."""
    _them(lab, "code").must_find(TEMPERATURE, ("code", f"{LOINC}|8310-5"))


@check("search.token.any-code", "R4-TOKEN-3")
def token_of_a_system(lab: Lab) -> None:
    """A token of a system and nothing after the bar finds every code of that system."""
    _them(lab, "code").must_find(TEMPERATURE | {"february"}, ("code", f"{LOINC}|"))


@check("search.token.no-system", "R4-TOKEN-4")
def token_without_a_system(lab: Lab) -> None:
    """A token that begins with the bar finds no code that has a system."""
    _them(lab, "code").must_find(set(), ("code", "|8310-5"))


@check("search.token.status", "R4-TOKEN-5")
def token_of_a_code_element(lab: Lab) -> None:
    """A token finds an element that is a bare code."""
    _them(lab, "status").must_find({"december"}, ("status", "preliminary"))


@check("search.token.not", "R4-TOKEN-6")
def token_not(lab: Lab) -> None:
    """:not finds everything else, what has no value too."""
    them = _them(lab, "code")
    pairs = (them.pair(), ("code:not", f"{LOINC}|8310-5"))
    if asked(lab.author, "Observation", *pairs).http_status == 400:
        raise Omitted("The server does not support :not.")
    them.must_find(ALL - TEMPERATURE, ("code:not", f"{LOINC}|8310-5"))


@check("search.token.identifier", "R4-TOKEN-7")
def token_identifier(lab: Lab) -> None:
    """An identifier is found by system and value, and not by another system."""
    lab.claims.need_parameter("Patient", "identifier")
    value = f"token-{lab.run}"
    it = lab.once(
        "token-identifier",
        lambda: lab.kept(
            patient(f"Zq{lab.run}Redshank", identifier=[{"system": FILE_SYSTEM, "value": value}])
        ),
    )
    found = matches(bundle(asked(lab.author, "Patient", ("identifier", f"{FILE_SYSTEM}|{value}"))))
    expect([one["id"] for one in found] == [it["id"]], "It is not found by system and value.")
    other = matches(bundle(asked(lab.author, "Patient", ("identifier", f"urn:example:other|{value}"))))
    expect(not other, "It is found by another system.")


@check("search.missing", "R4-TOKEN-8")
def missing(lab: Lab) -> None:
    """:missing finds what has no value, and what has one."""
    them = _them(lab, "date")
    if asked(lab.author, "Observation", them.pair(), ("date:missing", "true")).http_status == 400:
        raise Omitted("The server does not support :missing.")
    them.must_find({"undated"}, ("date:missing", "true"))
    them.must_find(ALL - {"undated"}, ("date:missing", "false"))


# --- joined ------------------------------------------------------------------------------------------------


@check("search.or", "R4-JOIN-1")
def joined_by_or(lab: Lab) -> None:
    """Values with a comma between them find what has one or the other."""
    _them(lab, "status").must_find({"december", "year"}, ("status", "preliminary,amended"))


@check("search.and", "R4-JOIN-2")
def joined_by_and(lab: Lab) -> None:
    """A parameter given twice finds what has both."""
    _them(lab, "date").must_find({"february", "year"}, ("date", "ge2024-02-20"), ("date", "le2024-03-01"))


@check("search.and.different", "R4-JOIN-3")
def different_parameters(lab: Lab) -> None:
    """Different parameters find what has all of them."""
    _them(lab, "code", "status").must_find(
        {"december"}, ("code", f"{LOINC}|8310-5"), ("status", "preliminary")
    )


@check("search.escape", "R4-JOIN-4")
def escaped_comma(lab: Lab) -> None:
    """A comma with a backslash before it belongs to the value."""
    lab.claims.need_parameter("Patient", "identifier")
    value = f"one,two-{lab.run}"
    it = lab.once(
        "escaped-comma",
        lambda: lab.kept(patient(f"Zq{lab.run}Curlew", identifier=[{"system": FILE_SYSTEM, "value": value}])),
    )
    told = value.replace(",", "\\,")
    found = matches(bundle(asked(lab.author, "Patient", ("identifier", f"{FILE_SYSTEM}|{told}"))))
    expect([one["id"] for one in found] == [it["id"]], "It is not found.")


# --- date --------------------------------------------------------------------------------------------------


@check("search.date.day", "R4-DATE-1")
def date_day(lab: Lab) -> None:
    """A day finds what lies within that day."""
    _them(lab, "date").must_find({"february"}, ("date", "2024-02-20"))


@check("search.date.month", "R4-DATE-2")
def date_month(lab: Lab) -> None:
    """A month finds what lies within that month, periods too, and nothing wider."""
    _them(lab, "date").must_find({"january", "period"}, ("date", "2024-01"))


@check("search.date.ge", "R4-DATE-3")
def date_ge(lab: Lab) -> None:
    """Ge finds what is on or after."""
    _them(lab, "date").must_find({"february", "year"}, ("date", "ge2024-02-20"))


@check("search.date.lt", "R4-DATE-4")
def date_lt(lab: Lab) -> None:
    """Lt finds what begins before."""
    _them(lab, "date").must_find({"december"}, ("date", "lt2024-01-01"))


@check("search.date.gt", "R4-DATE-5")
def date_gt(lab: Lab) -> None:
    """Gt finds what goes on after."""
    _them(lab, "date").must_find({"february", "year"}, ("date", "gt2024-01-20"))


@check("search.date.le", "R4-DATE-6")
def date_le(lab: Lab) -> None:
    """Le finds what is on or before."""
    _them(lab, "date").must_find({"december"}, ("date", "le2023-12-31"))


@check("search.date.sa", "R4-DATE-7")
def date_sa(lab: Lab) -> None:
    """Sa finds what begins after, and nothing that only goes on."""
    _them(lab, "date").must_find({"february"}, ("date", "sa2024-01-20"))


@check("search.date.eb", "R4-DATE-8")
def date_eb(lab: Lab) -> None:
    """Eb finds what ends before."""
    _them(lab, "date").must_find({"december"}, ("date", "eb2024-01-01"))


@check("search.date.ne", "R4-DATE-9")
def date_ne(lab: Lab) -> None:
    """Ne finds what does not lie within."""
    found = _them(lab, "date").found(("date", "ne2024-01-15"))
    expect("january" not in found, "What lies within is found.")
    expect({"february", "december", "period", "year"} <= found, "What does not lie within is missing.")


@check("search.date.time", "R4-DATE-10")
def date_with_a_zone(lab: Lab) -> None:
    """A moment in another time zone is the same moment."""
    _them(lab, "date").must_find({"february"}, ("date", "2024-02-20T11:30:00+01:00"))


@check("search.last-updated", "R4-DATE-11")
def last_updated(lab: Lab) -> None:
    """_lastUpdated finds by the time of the last change."""
    them = _them(lab, "_lastUpdated")
    them.must_find(set(ALL), ("_lastUpdated", "gt2020-01-01"))
    them.must_find(set(), ("_lastUpdated", "lt2020-01-01"))


# --- string ------------------------------------------------------------------------------------------------


def _families(lab: Lab, name: str, value: str) -> set[str]:
    lab.claims.need_parameter("Patient", "family")
    by_id = {public_id: end for end, public_id in people(lab).items()}
    answer = asked(lab.author, "Patient", (name, f"Zq{lab.run}{value}"))
    if ":" in name and answer.http_status == 400:
        raise Omitted(f"The server does not support {name}.")
    return {by_id.get(one["id"], "other") for one in matches(bundle(answer))}


@check("search.string.begins", "R4-STRING-1")
def string_begins(lab: Lab) -> None:
    """A string finds what begins with it, in capitals or not."""
    found = _families(lab, "family", "LARK")
    expect(found == {"Lark", "larkspur"}, f"It found {', '.join(sorted(found)) or 'nothing'}.")


@check("search.string.accent", "R4-STRING-2")
def string_accent(lab: Lab) -> None:
    """A string finds what differs from it by accents alone."""
    expect(_families(lab, "family", "muller") == {"Müller"}, "Müller is not found by muller.")


@check("search.string.exact", "R4-STRING-3")
def string_exact(lab: Lab) -> None:
    """:exact finds the whole value with its capitals and accents, and nothing else."""
    expect(_families(lab, "family:exact", "Lark") == {"Lark"}, "Lark is not found alone.")
    expect(not _families(lab, "family:exact", "LARK"), "LARK is found.")


@check("search.string.contains", "R4-STRING-4")
def string_contains(lab: Lab) -> None:
    """:contains finds a part anywhere in the value."""
    lab.claims.need_parameter("Patient", "family")
    them = people(lab)
    answer = asked(lab.author, "Patient", ("family:contains", f"{lab.run[2:]}larks"))
    if answer.http_status == 400:
        raise Omitted("The server does not support :contains.")
    found = [one["id"] for one in matches(bundle(answer))]
    expect(found == [them["larkspur"]], f"It found {len(found)}.")


# --- reference, quantity -------------------------------------------------------------------------------------


@check("search.reference.forms", "R4-REF-1")
def reference_forms(lab: Lab) -> None:
    """A reference is found by id, by type and id, and by its whole address."""
    them = _them(lab)
    for value in (them.person, them.person.partition("/")[2], f"{lab.base}/{them.person}"):
        found = them.names(bundle(asked(lab.author, "Observation", ("patient", value))))
        expect(found == ALL, f"patient={value} found {len(found)} of {len(ALL)}.")


@check("search.reference.type", "R4-REF-2")
def reference_type(lab: Lab) -> None:
    """A reference is found with its type as modifier, and not with another type."""
    them = _them(lab, "subject")
    public_id = them.person.partition("/")[2]
    answer = asked(lab.author, "Observation", ("subject:Patient", public_id))
    if answer.http_status == 400:
        raise Omitted("The server does not support :[type].")
    expect(them.names(bundle(answer)) == ALL, "It is not found by subject:Patient.")
    other = asked(lab.author, "Observation", ("subject:Device", public_id))
    expect(other.http_status == 400 or not matches(bundle(other)), "It is found by subject:Device.")


@check("search.reference.other", "R4-REF-3")
def another_reference(lab: Lab) -> None:
    """Another person's id finds nothing of this one."""
    them = _them(lab)
    found = them.names(bundle(asked(lab.author, "Observation", ("patient", f"Patient/{person(lab)['id']}"))))
    expect(not found & ALL, "It finds the other's.")


@check("search.quantity", "R4-QUANTITY-1")
def quantity(lab: Lab) -> None:
    """A quantity is found by value and unit, with prefixes."""
    them = _them(lab, "value-quantity")
    them.must_find({"february"}, ("value-quantity", f"80|{UCUM}|/min"))
    them.must_find({"february"}, ("value-quantity", "gt50"))
    them.must_find(set(), ("value-quantity", f"80|{UCUM}|Cel"))


# --- include, chain ------------------------------------------------------------------------------------------


@check("search.include", "R4-INCLUDE-1")
def include(lab: Lab) -> None:
    """_include brings what a match refers to, marked as included, and does not count it."""
    type_name, wanted = _including(lab)
    it = lab.once(f"including-{type_name}", lambda: lab.kept(_about(lab, type_name)))
    found = bundle(asked(lab.author, type_name, ("_id", it["id"]), ("_include", wanted)))
    modes = {
        one["resource"]["resourceType"]: one.get("search", {}).get("mode") for one in found.get("entry", [])
    }
    expect(modes.get("Patient") == "include", f"The entries are {modes}.")
    expect(modes.get(type_name) == "match", f"The entries are {modes}.")
    expect(found.get("total", 1) == 1, f"total is {found.get('total')}.")


def _including(lab: Lab) -> tuple[str, str]:
    for type_name in ("ServiceRequest", "Task", "Observation"):
        for code in ("patient", "subject"):
            named = lab.claims.includes(type_name)
            if lab.claims.has(type_name, "create") and {f"{type_name}:{code}", "*"} & set(named):
                return type_name, f"{type_name}:{code}"
    raise Omitted("The server claims no _include of a person.")


def _about(lab: Lab, type_name: str) -> dict[str, object]:
    return ABOUT_A_PERSON[type_name](f"Patient/{person(lab)['id']}")


@check("search.revinclude", "R4-INCLUDE-2")
def revinclude(lab: Lab) -> None:
    """_revinclude brings what refers to a match, marked as included."""
    named = set(lab.claims.includes("Patient", "searchRevInclude"))
    wanted = [
        one for one in ("Observation:subject", "Observation:patient", "Condition:patient") if one in named
    ]
    if not wanted:
        raise Omitted("The server claims no _revinclude of what is known here.")
    them = Observations(lab)
    pairs = (("_id", them.person.partition("/")[2]), ("_revinclude", wanted[0]))
    included = [
        one["resource"]
        for one in bundle(asked(lab.author, "Patient", *pairs)).get("entry", [])
        if one.get("search", {}).get("mode") == "include"
    ]
    expect(included, "Nothing was included.")
    expect(
        all(one["subject"]["reference"].endswith(them.person) for one in included), "Others were included."
    )


@check("search.include.unclaimed", "R4-INCLUDE-3")
def unclaimed_include(lab: Lab) -> None:
    """An _include that is not supported is refused in strict handling, or ignored; the matches stay."""
    them = _them(lab)
    answer = asked(lab.author, "Observation", them.pair(), ("_include", "Observation:banana"))
    if answer.must_be(200, 400).http_status == 200:
        expect(them.names(bundle(answer)) == ALL, "The matches changed.")


@check("search.chain", "R4-CHAIN-1")
def chain(lab: Lab) -> None:
    """A chained parameter finds by an element of what is referred to, where the server offers chains."""
    them = _them(lab)
    offers = (
        ("patient.family", f"Zq{lab.run}Sanderling", f"Zq{lab.run}Nobody"),
        ("patient.identifier", f"{FILE_SYSTEM}|searched-{lab.run}", f"{FILE_SYSTEM}|nobody"),
    )
    name, right, wrong = _offered(lab, "Observation", "patient.banana", *offers)
    expect(
        them.names(bundle(asked(lab.author, "Observation", (name, right)))) == ALL,
        f"{name} finds too little.",
    )
    expect(not matches(bundle(asked(lab.author, "Observation", (name, wrong)))), f"{name} finds too much.")


@check("search.has", "R4-CHAIN-2")
def has(lab: Lab) -> None:
    """_has finds by an element of what refers here, where the server offers it."""
    own = ("_id", _them(lab).person.partition("/")[2])
    offers = (
        ("_has:Observation:patient:status", "preliminary", "cancelled"),
        ("_has:Condition:patient:code", "283371005", "199999003"),
    )
    name, right, wrong = _offered(lab, "Patient", "_has:Observation:patient:banana", *offers)
    expect(
        len(matches(bundle(asked(lab.author, "Patient", own, (name, right))))) == 1, f"{name} finds nothing."
    )
    expect(not matches(bundle(asked(lab.author, "Patient", own, (name, wrong)))), f"{name} finds too much.")


def _offered(lab: Lab, type_name: str, nonsense: str, *offers: tuple[str, str, str]) -> tuple[str, str, str]:
    """Gives the first parameter that the server takes; omitted where it takes none, or ignores what is none."""
    answer = asked(lab.author, type_name, (nonsense, offers[0][1]))
    if answer.http_status == 200 and matches(answer.resource):
        raise Omitted(f"The server ignores {nonsense}, so its answers say nothing.")
    for one in offers:
        if asked(lab.author, type_name, one[:2]).http_status == 200:
            return one
    raise Omitted(f"The server offers none of {', '.join(one[0] for one in offers)}.")
