"""From the typed query of a search to the store's terms.

What lives here: which kind of look each criterion is, and for whom it may match, by the type's declaration. What
does not: the grammar (``fhir.search_grammar``), index rows (``exchange.indexing``), SQL (``store``).

Source: FHIR R4 search.html; ``views.md`` 5 (a parameter matches only where the caller may see the element).
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from referral_hub.access.redact_rules import NEVER_SENT, never_sent
from referral_hub.errors import InvalidParameter
from referral_hub.exchange.indexing import (
    BELOW,
    EXACT,
    HIDDEN,
    IDENTIFIER,
    is_coded,
    led_to,
    parameters,
    types_led_to,
)
from referral_hub.exchange.search_plan import Criterion, NumberSpan
from referral_hub.fhir import search_query
from referral_hub.fhir.calendar_blocks import blocks_asked
from referral_hub.fhir.canonical import TASK_CODE
from referral_hub.fhir.number_keys import number_key
from referral_hub.fhir.references import ancestors
from referral_hub.fhir.search_parameters import OF_EVERY_TYPE, SearchParameter, official
from referral_hub.fhir.search_query import (
    CompositeTerm,
    DateTerm,
    Link,
    MissingTerm,
    NumberTerm,
    QuantityTerm,
    Query,
    ReferenceTerm,
    StringTerm,
    Term,
    TokenTerm,
    UriTerm,
)
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.resources.definition import Searchable
from referral_hub.resources.task import TASK_CODES

MOST_DATES = 10
"""The most values of a date that is kept as digests: each is a range of many."""
_TASK_CODE_SYSTEMS = (TASK_CODE, TASK_CODES)


@cache
def declared(type_name: str) -> dict[str, SearchParameter]:
    """Gives what a search of a type may say, by code."""
    found = {code: official(type_name)[code] for code in OF_EVERY_TYPE}
    found.update({code: parameter for code, (_, parameter) in parameters(type_name).items()})
    return found


def criteria_of(type_name: str, query: Query) -> tuple[Criterion, ...]:
    """Gives a query's criteria, those on other resources among them.

    Raises:
        InvalidParameter: what is asked cannot be found in a value that is kept as a digest (400).
    """
    own = (_criterion(type_name, criterion) for criterion in query.criteria)
    return (*own, *(_any([_link(type_name, link) for link in links]) for links in query.links))


def _any(found: list[Criterion]) -> Criterion:
    if len(found) == 1:
        return found[0]
    return Criterion(found[0].parameter, "any", found[0].visibility, parts=tuple(found))


def _link(type_name: str, link: Link) -> Criterion:
    kind, source = ("has", link.type) if link.backwards else ("chain", type_name)
    return Criterion(
        link.parameter,
        kind,
        _searchable(source, link.parameter).visibility,
        parts=(_criterion(link.type, link.criterion),),
        target=link.type,
    )


def _searchable(type_name: str, code: str) -> Searchable:
    found = parameters(type_name).get(code)
    return Searchable(code) if found is None else found[0]


def _criterion(type_name: str, criterion: search_query.Criterion) -> Criterion:
    """Gives a criterion, with how it finds what others wrote where that differs."""
    found = _stored(type_name, criterion)
    if criterion.modifier == "identifier":
        found = replace(found, visibility="own")  # views keep no identifier beside a reference
    if found.visibility == "own":
        return found
    code, kind = criterion.parameter.code, criterion.parameter.type
    if type_name == "Task" and code == "code":
        return replace(found, others=_shown_task_code(found))
    if (type_name, code) == ("Task", "focus"):
        return replace(found, others=_shown_focus(found))
    if code in led_to(type_name):
        if DEFINITIONS[type_name].opened or found.kind == "missing":
            return replace(found, others=_shown_target(criterion, found))
        return replace(found, others=_shown_entry(found))
    if kind == "token" and is_coded(criterion.parameter):
        return _without_hidden(criterion, found)
    return found


def _shown_entry(found: Criterion) -> Criterion:
    """Gives the criterion on a reference of a directory entry for others: they see those to other entries."""
    entries = [text for text in found.texts if text.partition("/")[0] in _DIRECTORY]
    return replace(found, texts=tuple(entries)) if entries else _NEVER


_DIRECTORY = frozenset(
    name for name, definition in DEFINITIONS.items() if definition.directory or definition.listed
)


def _without_hidden(criterion: search_query.Criterion, found: Criterion) -> Criterion:
    """Keeps codes that are never shown to others from being found by them, or told by what is not found."""
    terms = [term for term in criterion.terms if isinstance(term, TokenTerm)]
    if any(_never_shown(term) for term in terms):
        return replace(found, visibility="own")
    precise = all(term.code and term.system not in (None, *NEVER_SENT) for term in terms)
    if found.kind != "missing" and not found.negated and precise:
        return found
    code = criterion.parameter.code
    # What they do not see is neither there nor missing, neither the code nor not the code.
    return replace(
        found, others=Criterion(code, "all", found.visibility, parts=(found, _not_hidden(code, found)))
    )


def _never_shown(term: TokenTerm) -> bool:
    if not term.code:
        return False
    if term.system is not None:
        return never_sent(term.system, term.code)
    begins = (begin for codes in NEVER_SENT.values() for begin in codes if begin)
    return term.code.startswith(tuple(begins))


def _shown_task_code(found: Criterion) -> Criterion:
    """Gives the criterion on Task.code for others: they see, and so find, codes of the two task lists only."""
    shown = replace(
        found, kind="token", texts=tuple(f"{system}|" for system in _TASK_CODE_SYSTEMS), negated=False
    )
    if found.kind == "missing":
        return shown if found.texts == ("false",) else _NEVER
    texts = [
        spelling
        for text in found.texts
        for spelling in ([text] if "|" in text else [f"{system}|{text}" for system in _TASK_CODE_SYSTEMS])
        if spelling.startswith(tuple(shown.texts))
    ]
    asked = replace(found, texts=tuple(texts))
    # What they do not see is neither the code nor not the code.
    return Criterion("code", "all", "notice", parts=(shown, asked)) if found.negated else asked


def _shown_focus(found: Criterion) -> Criterion:
    """Gives the criterion on Task.focus for others: the view leaves what leads into the hub, and opens it itself."""
    if found.kind == "missing":
        return (
            Criterion("focus", "all", found.visibility, parts=(found, _not_hidden("focus", found)))
            if found.texts == ("false",)
            else _NEVER
        )
    texts = tuple(text for text in found.texts if ":" not in text and text.count("/") == 1)
    return replace(found, texts=texts) if texts else _NEVER


def _not_hidden(code: str, found: Criterion) -> Criterion:
    return Criterion(code + HIDDEN, "token", found.visibility, texts=("",), negated=True)


def _shown_target(criterion: search_query.Criterion, found: Criterion) -> Criterion:
    """Gives the criterion on a reference for others: they see it only where they see what it leads to."""
    if found.kind == "missing":
        types = types_led_to(criterion.parameter) if found.texts == ("false",) else ()
        return _any([_chain(found, target, ()) for target in types]) if types else _NEVER
    ids: dict[str, list[str]] = {}
    for text in found.texts:
        target, slash, public_id = text.partition("/")
        if slash and target in DEFINITIONS and "/" not in public_id:
            ids.setdefault(target, []).append(public_id)
    if not ids:
        return _NEVER
    return _any(
        [
            _chain(found, target, (Criterion("_id", "id", "notice", texts=tuple(found_ids)),))
            for target, found_ids in ids.items()
        ]
    )


def _chain(found: Criterion, target: str, parts: tuple[Criterion, ...]) -> Criterion:
    return Criterion(found.parameter, "chain", found.visibility, parts=parts, target=target)


_NEVER = Criterion("_id", "id", "notice", texts=("",))
_ALWAYS = Criterion("_lastUpdated", "updated", "notice", spans=(("ge", -(2**62), -(2**62)),))


def _stored(type_name: str, criterion: search_query.Criterion) -> Criterion:
    code, kind = criterion.parameter.code, criterion.parameter.type
    searchable = _searchable(type_name, code)
    # Part of a text is found in own data only.
    visibility = "own" if criterion.modifier == "contains" else searchable.visibility
    identifying = searchable.identifying
    if isinstance(criterion.terms[0], MissingTerm):
        wanted = "true" if criterion.terms[0].is_missing else "false"
        if code in OF_EVERY_TYPE:
            return _NEVER if wanted == "true" else _ALWAYS
        return Criterion(
            code, "missing", visibility, texts=(wanted,), parameter_type=kind, identifying=identifying
        )
    if code == "_id":
        return Criterion(
            code,
            "id",
            "notice",
            texts=_ids(criterion.terms),
            negated=criterion.modifier == "not",
        )
    if code == "_lastUpdated":
        return Criterion(code, "updated", "notice", spans=_spans(criterion.terms))
    if kind == "composite":
        return _composite(criterion, visibility, identifying=identifying)
    return _plain(criterion, criterion.terms, searchable, visibility)


def _ids(terms: Iterable[Term]) -> tuple[str, ...]:
    return tuple(term.code or "" for term in terms if isinstance(term, TokenTerm) and not term.system)


def _plain(
    criterion: search_query.Criterion,
    terms: Iterable[Term],
    searchable: Searchable,
    visibility: str,
    *,
    parameter: SearchParameter | None = None,
    under: str = "",
) -> Criterion:
    code, modifier = criterion.parameter.code, criterion.modifier
    of = parameter or criterion.parameter
    found = tuple(terms)
    match of.type:
        case "date" if searchable.identifying:
            return Criterion(code, "token", visibility, texts=_blocks(code, found))
        case "date":
            return Criterion(code, "date", visibility, spans=_spans(found), under=under)
        case "number" | "quantity":
            return Criterion(code, "number", visibility, numbers=_numbers(found), under=under)
        case "string" if modifier == "exact":
            exact = tuple(term.exact for term in found if isinstance(term, StringTerm))
            return Criterion(code + EXACT, "token", visibility, texts=exact)
        case "string":
            if searchable.identifying and modifier == "contains":
                raise InvalidParameter(
                    code,
                    f"{code} is kept as digests of whole words: ask for whole words, or with :exact for all of it.",
                )
            return Criterion(
                code,
                "string",
                visibility,
                texts=tuple(term.folded for term in found if isinstance(term, StringTerm)),
                modifier=modifier,
                identifying=searchable.identifying,
                under=under,
            )
        case "uri" if modifier == "above":
            return Criterion(code, "token", visibility, texts=_above(found))
        case "uri" if modifier == "below":
            return Criterion(code + BELOW, "token", visibility, texts=_texts(found, of))
        case _:
            name = code + IDENTIFIER if modifier == "identifier" else code
            return Criterion(
                name, "token", visibility, texts=_texts(found, of), negated=modifier == "not", under=under
            )


def _composite(criterion: search_query.Criterion, visibility: str, *, identifying: bool) -> Criterion:
    searchable = Searchable(criterion.parameter.code, "notice", identifying=identifying)
    kept = (
        _never_shown(part)
        for term in criterion.terms
        if isinstance(term, CompositeTerm)
        for part in (term.first, term.second)
        if isinstance(part, TokenTerm)
    )
    if any(kept) or criterion.parameter.components[1].type == "reference":
        visibility = "own"  # whether others see what it leads to is not asked here
    return _any(
        [
            _plain(
                criterion,
                (term.second,),
                searchable,
                visibility,
                parameter=criterion.parameter.components[1],
                under=term.first.text,
            )
            for term in criterion.terms
            if isinstance(term, CompositeTerm)
        ]
    )


def _texts(terms: Iterable[Term], parameter: SearchParameter) -> tuple[str, ...]:
    found: list[str] = []
    for term in terms:
        if isinstance(term, TokenTerm):
            found.append(term.text)
        elif isinstance(term, ReferenceTerm):
            found.extend(_reference_texts(term, parameter))
        elif isinstance(term, UriTerm):
            found.append(term.uri)
    return tuple(found)


def _reference_texts(term: ReferenceTerm, parameter: SearchParameter) -> list[str]:
    if term.url or term.type:
        return [term.text]
    targets = parameter.targets or tuple(DEFINITIONS)
    return [f"{target}/{term.id}" for target in targets]


def _above(terms: Iterable[Term]) -> tuple[str, ...]:
    asked = [term.uri for term in terms if isinstance(term, UriTerm)]
    return tuple(dict.fromkeys(text for uri in asked for text in (uri, *ancestors(uri))))


def _spans(terms: Iterable[Term]) -> tuple[tuple[str, int, int], ...]:
    return tuple((term.prefix, term.low_us, term.high_us) for term in terms if isinstance(term, DateTerm))


def _blocks(code: str, terms: tuple[Term, ...]) -> tuple[str, ...]:
    if len(terms) > MOST_DATES:
        raise InvalidParameter(code, f"{code} takes at most {MOST_DATES} values.")
    return tuple(
        dict.fromkeys(
            block
            for term in terms
            if isinstance(term, DateTerm)
            for block in blocks_asked(term.prefix, term.low_us, term.high_us)
        )
    )


def _numbers(terms: Iterable[Term]) -> tuple[NumberSpan, ...]:
    return tuple(_number(term) for term in terms if isinstance(term, NumberTerm | QuantityTerm))


def _number(term: NumberTerm | QuantityTerm) -> NumberSpan:
    unit, number = "", term if isinstance(term, NumberTerm) else term.number
    if isinstance(term, QuantityTerm) and term.code is not None:
        unit = f"{term.system or ''}|{term.code}"
    return NumberSpan(
        number.prefix, number_key(number.value), number_key(number.low), number_key(number.high), unit
    )
