"""Headers that say in which form, how packed and under which condition: any text is understood or refused."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.errors import NotAcceptable
from referral_hub.exchange.ports import Released, ReleasedBytes
from referral_hub.web.addresses import ROUTES, allowed_methods, matched
from referral_hub.web.cross_origin import with_port
from referral_hub.web.forms import form_of
from referral_hub.web.negotiation import NOTHING_KNOWN, Known, known_of, preferences_of
from referral_hub.web.packing import takes_gzip
from referral_hub.web.wire import Asked

HEADER = st.text(st.characters(max_codepoint=255), max_size=60) | st.lists(
    st.sampled_from(
        [
            "application/fhir+json",
            "application/fhir+xml",
            "*/*",
            ";q=",
            "0.5",
            ",",
            "gzip",
            '"',
            "W/",
            "=",
            "return",
            "x",
        ]
    ),
    max_size=8,
).map("".join)


def asked(**environ: Any) -> Asked:
    return Asked({"REQUEST_METHOD": "GET", "PATH_INFO": "/fhir/Task/1", **environ})


@given(HEADER, HEADER, HEADER)
def test_any_header_is_understood_or_refused(one: str, two: str, query: str) -> None:
    request = asked(
        HTTP_ACCEPT=one,
        HTTP_PREFER=two,
        HTTP_IF_NONE_MATCH=one,
        HTTP_IF_MODIFIED_SINCE=two,
        QUERY_STRING=query,
    )
    with suppress(NotAcceptable):
        assert form_of(request).language in ("json", "xml")
    assert preferences_of(request).returned in ("representation", "minimal", "OperationOutcome")
    assert isinstance(known_of(request), Known)
    assert isinstance(takes_gzip(one), bool)
    assert with_port(one) == "" or "://" in with_port(one)


@given(HEADER)
def test_any_date_is_understood_or_none(text: str) -> None:
    known = known_of(asked(HTTP_IF_MODIFIED_SINCE=text))
    assert known is NOTHING_KNOWN or known.since_s is not None


def _released(etag: str) -> Released:
    return Released(ReleasedBytes("Task", "1", "a1", etag, 10_500_000, b"{}"))


@pytest.mark.parametrize(
    ("known", "etag", "has"),
    [
        (Known(frozenset({'"a1"'})), 'W/"a1"', True),
        (Known(frozenset({'"a1"'})), 'W/"a1-9f"', False),
        (Known(frozenset({'"a1-9f"'})), 'W/"a1-9f"', True),
        (Known(frozenset({'"a1-9e"'})), 'W/"a1-9f"', False),
        (Known(frozenset({"*"})), 'W/"a1-9f"', True),
        (Known(since_s=10), 'W/"a1"', True),
        (Known(since_s=9), 'W/"a1"', False),
        (Known(since_s=10), 'W/"a1-9f"', False),
        (Known(frozenset({'"b"'}), since_s=10), 'W/"a1"', False),
        (NOTHING_KNOWN, 'W/"a1"', False),
    ],
)
def test_the_tag_of_a_view_is_compared_whole_and_its_time_never(known: Known, etag: str, has: bool) -> None:
    assert known.has(_released(etag)) == has


@pytest.mark.parametrize(("rule", "methods", "name"), ROUTES)
def test_each_route_is_found_by_its_address(rule: str, methods: tuple[str, ...], name: str) -> None:
    path = rule
    for part, value in (
        ("type_name", "Task"),
        ("public_id", "7"),
        ("version", "1"),
        ("job", "j"),
        ("file", "f"),
    ):
        path = path.replace(f"<{part}>", value)
    for method in methods:
        found = matched(method, path)
        assert found is not None
        assert found[0] == name or (rule in ("", "/") and found[0] == "bundle")
        assert method in allowed_methods(path)


@given(st.text(max_size=40))
def test_any_address_is_known_or_not(path: str) -> None:
    assert isinstance(allowed_methods(path), tuple)
