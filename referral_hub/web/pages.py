"""Pages: a template, a language, and the headers that keep a page from being misused.

What lives here: ``Pages``, which gives a page, proves that a form came from one of ours, and serves the two static
files. What does not: what a page says (``texts``), which page comes when (``web.sign_in`` and its neighbours), and
any decision.

A page is never stored, never framed, runs no script but files of this hub, and sends no address elsewhere. A form
carries a token that is worth something only together with a cookie of the same browser; a request that the browser
says came from elsewhere is refused first.

Source: OWASP ASVS 5.0, chapters V3 and V8; W3C Content Security Policy 3; ADR 0029.
"""

import hmac
import secrets
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, request

from referral_hub.texts.catalogs import DEFAULT, LANGUAGES, Catalog, catalog, chosen

if TYPE_CHECKING:
    from jinja2 import Environment

LANGUAGE_COOKIE = "hub-language"
FORM_FIELD = "form_token"
LARGEST_FORM = 64 * 1024
"""Bytes of a form that are read at most: 413 beyond."""

_FOLDER = Path(__file__).parent
_STATIC = _FOLDER / "static"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_YEAR_S = 31_536_000
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_POLICY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; frame-ancestors 'none'; img-src 'self' data:; "
    "script-src 'self'; style-src 'self'"
)

_FOR_SOFTWARE = ("/fhir", "/.well-known", "/health", "/metrics")
_SENTENCES = {
    **dict.fromkeys((404, 405, 410), "error.absent"),
    **dict.fromkeys((401, 403), "error.refused"),
    **dict.fromkeys((429, 503), "error.busy"),
    **dict.fromkeys((400, 413), "error.form"),
}


class FormRefused(Exception):
    """A form did not come from a page of this hub, or the page is too old: 403, and nothing was changed."""


class Pages:
    """Makes the pages of one hub.

    Args:
        base_url: the address others see; decides whether cookies need ``https``.
        key: the secret key of form tokens.
    """

    def __init__(self, base_url: str, key: bytes) -> None:
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._key = key
        self.secure = parts.scheme == "https"
        self.form_cookie = "__Host-hub-form" if self.secure else "hub-form"

    def page(
        self, template: str, http_status: int = 200, *, form_targets: Iterable[str] = (), **values: Any
    ) -> Response:
        """Gives a page in the language of the request.

        Args:
            template: the file below ``web/templates``.
            http_status: the status of the answer.
            form_targets: origins to which a form of the page may lead by a redirect, beside this hub.
            values: what the template shows; never a sentence.
        """
        found = catalog(self.language())
        seed = request.cookies.get(self.form_cookie, "")
        if not _is_seed(seed):
            seed = secrets.token_urlsafe(24)
        given = {
            "language": found.language,
            "direction": found.direction,
            "languages": LANGUAGES,
            "here": request.full_path.rstrip("?") if request.method == "GET" else request.path,
            "t": _speaker(found),
            "static": static_address,
            "form_token": _hidden(self._token(seed)),
        }
        if taken := given.keys() & values.keys():
            raise TypeError(f"A page gives these names itself: {', '.join(sorted(taken))}")
        body = _environment().get_template(template).render({**given, **values})
        response = Response(body, status=http_status, mimetype="text/html")
        response.headers.update(_HEADERS)
        targets = " ".join(("'self'", *sorted(set(form_targets))))
        response.headers["Content-Security-Policy"] = f"{_POLICY}; form-action {targets}"
        response.headers["Content-Language"] = found.language
        response.vary.update(("Accept-Language", "Cookie"))
        response.set_cookie(
            self.form_cookie, seed, secure=self.secure, httponly=True, samesite="Lax", path="/"
        )
        return response

    def refused(self, sentence: str, http_status: int) -> Response:
        """Gives the page that says what did not work.

        Args:
            sentence: the key of its one sentence.
            http_status: the status of the answer.
        """
        return self.page("error.html", http_status, sentence=sentence)

    def error_page(self, http_status: int) -> Response | None:
        """Gives the page of an error, in one calm sentence; None where it is software that is answered."""
        if request.path.startswith(_FOR_SOFTWARE):
            return None
        accepted = request.accept_mimetypes
        if accepted.quality("text/html") <= accepted.quality("application/json"):
            return None
        return self.refused(_SENTENCES.get(http_status, "error.fault"), http_status)

    def form(self, largest: int = LARGEST_FORM) -> dict[str, str]:
        """Gives the form that was sent, after asking whether it came from a page of this hub.

        Args:
            largest: bytes that are read at most, files of the form among them.

        Returns:
            the first value of each field, without the token.

        Raises:
            FormRefused: it came from elsewhere, or the page is too old.
        """
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        origin = request.headers.get("Origin", self._origin)
        if site not in ("same-origin", "none") or origin != self._origin:
            raise FormRefused
        request.max_content_length = largest
        request.max_form_memory_size = LARGEST_FORM
        seed = request.cookies.get(self.form_cookie, "")
        given = request.form.get(FORM_FIELD, "")
        if not _is_seed(seed) or not hmac.compare_digest(given.encode(), self._token(seed).encode()):
            raise FormRefused
        return {name: value for name, value in request.form.items() if name != FORM_FIELD}

    def all_of(self, name: str) -> list[str]:
        """Gives every value of a field of the form, such as the boxes that were ticked; ask :meth:`form` first."""
        return request.form.getlist(name)

    def language(self) -> str:
        """Gives the language of the request: chosen on a page, else what the browser asks for."""
        kept = request.cookies.get(LANGUAGE_COOKIE, "")
        if kept in LANGUAGES:
            return kept
        return chosen(tag for tag, _ in request.accept_languages) if request.accept_languages else DEFAULT

    def _token(self, seed: str) -> str:
        return hmac.digest(self._key, f"form|{seed}".encode(), "sha256").hex()


def pages_blueprint(pages: Pages) -> Blueprint:
    """Gives the routes every page leans on: static files, the choice of language, the refusal of a form."""
    blueprint = Blueprint("pages", __name__)

    @blueprint.get("/static/<digest>/<name>")
    def static_file(digest: str, name: str) -> Response:
        content = _static_files().get(name)
        if content is None or digest != _digest(name):
            return pages.refused("error.absent", 404)
        response = Response(content, mimetype=_KINDS[Path(name).suffix])
        response.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    @blueprint.post("/language")
    def language() -> Response:
        form = pages.form()
        response = redirect(local_address(form.get("back", "")), 303)
        wanted = form.get("language", "")
        if wanted in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE, wanted, max_age=_YEAR_S, secure=pages.secure, httponly=True, samesite="Lax"
            )
        response.headers.update(_HEADERS)
        return response  # type: ignore[return-value]  # Werkzeug's response, which Flask takes as its own

    @blueprint.app_errorhandler(FormRefused)
    def form_refused(_error: FormRefused) -> Response:
        return pages.refused("error.form", 403)

    return blueprint


def local_address(wanted: str, below: str = "/") -> str:
    r"""Gives an address of this hub to go on to, or ``below`` where the wanted one leads elsewhere.

    Args:
        wanted: what a form or an address asked for; anybody may have written it.
        below: the only part of the hub it may lead to.

    >>> local_address("/account?x=1"), local_address("//evil.example/a"), local_address("/\\evil.example")
    ('/account?x=1', '/', '/')
    """
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted and " " not in wanted
    parts = urlsplit(wanted) if plain else None
    if parts is None or parts.scheme or parts.netloc or wanted.startswith("//"):
        return below
    inside = parts.path == below or parts.path.startswith(below if below.endswith("/") else f"{below}/")
    return wanted if inside and ".." not in parts.path.split("/") else below


def static_address(name: str) -> str:
    """Gives the address of a static file; it changes with the content, so a browser may keep it for good."""
    return f"/static/{_digest(name)}/{name}"


@cache
def _static_files() -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(_STATIC.iterdir()) if path.suffix in _KINDS}


@cache
def _digest(name: str) -> str:
    content = _static_files().get(name)
    return "" if content is None else sha256(content).hexdigest()[:16]


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _speaker(found: Catalog) -> Any:
    from markupsafe import Markup, escape

    def speak(key: str, number: int | None = None, **values: object) -> Markup:
        return Markup(escape(found.sentence(key, number))).format(number=number, **values)  # noqa: S704

    return speak


def _hidden(token: str) -> Any:
    from markupsafe import Markup

    def field() -> Markup:
        return Markup('<input type="hidden" name="{}" value="{}">').format(FORM_FIELD, token)

    return field


def _is_seed(text: str) -> bool:
    return len(text) == 32 and text.isascii() and text.replace("-", "a").replace("_", "a").isalnum()
