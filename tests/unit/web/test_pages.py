"""Pages: what they send along, which forms are taken, and where an address may lead."""

import re
from urllib.parse import urlsplit

import pytest
from flask import Flask, Response
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.web.pages import LANGUAGE_COOKIE, Pages, local_address, pages_blueprint, static_address

BASE = "https://hub.example"


def hub_of_pages() -> Flask:
    app = Flask("pages", static_folder=None)
    app.testing = True
    pages = Pages(BASE, b"k" * 32)
    app.register_blueprint(pages_blueprint(pages))

    @app.get("/shown")
    def shown() -> Response:
        return pages.page("error.html", sentence="error.absent", form_targets=["https://app.example"])

    @app.post("/taken")
    def taken() -> Response:
        return Response(repr(sorted(pages.form().items())))

    return app


def token_in(answer: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', answer)
    assert found
    return found[1]


def test_a_page_is_not_stored_not_framed_and_runs_no_script_of_others() -> None:
    answer = hub_of_pages().test_client().get("/shown", base_url=BASE)
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self' https://app.example"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-hub-form=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in cookie
    text = answer.get_data(as_text=True)
    assert "style=" not in text
    assert "<script" not in text
    assert "onclick" not in text


def test_a_form_is_taken_from_a_page_of_the_hub() -> None:
    client = hub_of_pages().test_client()
    token = token_in(client.get("/shown", base_url=BASE).get_data(as_text=True))
    answer = client.post("/taken", data={"form_token": token, "a": "1"}, base_url=BASE)
    assert answer.get_data(as_text=True) == "[('a', '1')]"


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({}, {}),
        ({"form_token": "0" * 64}, {}),
        ({"form_token": "ż"}, {}),
        (None, {"Sec-Fetch-Site": "cross-site"}),
        (None, {"Sec-Fetch-Site": "same-site"}),
        (None, {"Origin": "https://evil.example"}),
        (None, {"Origin": "null"}),
        (None, {"Origin": "http://hub.example"}),
    ],
)
def test_a_form_from_elsewhere_is_refused(fields: dict[str, str] | None, headers: dict[str, str]) -> None:
    client = hub_of_pages().test_client()
    token = token_in(client.get("/shown", base_url=BASE).get_data(as_text=True))
    sent = {"form_token": token} if fields is None else fields
    answer = client.post("/taken", data=sent, headers=headers, base_url=BASE)
    assert answer.status_code == 403
    assert "[(" not in answer.get_data(as_text=True)


def test_the_token_of_another_browser_is_refused() -> None:
    app = hub_of_pages()
    others = token_in(app.test_client().get("/shown", base_url=BASE).get_data(as_text=True))
    mine = app.test_client()
    mine.get("/shown", base_url=BASE)
    assert mine.post("/taken", data={"form_token": others}, base_url=BASE).status_code == 403
    assert app.test_client().post("/taken", data={"form_token": others}, base_url=BASE).status_code == 403


def test_the_language_is_the_chosen_one_else_the_browsers() -> None:
    client = hub_of_pages().test_client()
    asked = client.get("/shown", headers={"Accept-Language": "de, ar;q=0.8, en;q=0.5"}, base_url=BASE)
    assert '<html lang="ar" dir="rtl">' in asked.get_data(as_text=True)
    assert asked.headers["Content-Language"] == "ar"
    token = token_in(asked.get_data(as_text=True))
    chosen = client.post(
        "/language", data={"form_token": token, "language": "pl", "back": "/shown"}, base_url=BASE
    )
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/shown")
    assert client.get_cookie(LANGUAGE_COOKIE, domain="hub.example") is not None
    again = client.get("/shown", headers={"Accept-Language": "ar"}, base_url=BASE)
    assert '<html lang="pl" dir="ltr">' in again.get_data(as_text=True)


def test_static_files_are_named_by_their_content() -> None:
    client = hub_of_pages().test_client()
    answer = client.get(static_address("hub.css"), base_url=BASE)
    assert answer.status_code == 200
    assert answer.mimetype == "text/css"
    assert "immutable" in answer.headers["Cache-Control"]
    assert client.get("/static/0000000000000000/hub.css", base_url=BASE).status_code == 404
    assert client.get(f"/static/{static_address('hub.css').split('/')[2]}/..%2fpages.py").status_code == 404


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/oauth/authorize/../../account",
        "/oauth/authorized",
        "/account",
        " /oauth/authorize",
        "/oauth/authorize\n",
        "",
    ],
)
def test_an_address_leads_nowhere_else(wanted: str) -> None:
    assert local_address(wanted, "/oauth/authorize") == "/oauth/authorize"


@given(st.text(alphabet=st.sampled_from("/\\:.?#@a%ehtps \t\n\x00ż"), max_size=20))
def test_no_address_leaves_the_hub(wanted: str) -> None:
    found = urlsplit(local_address(wanted))
    assert not found.netloc
    assert not found.scheme
    assert found.path.startswith("/")
    assert not found.path.startswith("//")
