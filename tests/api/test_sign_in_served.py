"""Signing in at a hub that is really served: several processes, the writer's socket, real HTTP, the real hash."""

import re
from pathlib import Path
from typing import Any

import pytest
import requests

from referral_hub.app import clock
from tests.api.browsing import PASSWORD, digits_of
from tests.api.running_hub import founded, running
from tests.postgres import PostgresServer

_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


class Person:
    """Somebody with a browser."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.http = requests.Session()

    def get(self, address: str) -> requests.Response:
        return self.http.get(self.base_url + address, allow_redirects=False, timeout=30)

    def post(self, address: str, page: str, **form: str) -> requests.Response:
        token = _TOKEN.search(self.get(page).text)
        assert token
        sent = {"form_token": token[1], **form}
        return self.http.post(self.base_url + address, data=sent, allow_redirects=False, timeout=30)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_from_init_to_a_second_step_over_several_processes(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = ""
    if database == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = request.getfixturevalue("fresh_postgres_url")()
        assert server
    hub = founded(tmp_path, url)
    organization = hub.command("init")["id"]
    unit = hub.command("organization", "add", "--name", "Unit", "--type", "shelter")["id"]
    (first,) = hub.command("person", "list", "--organization", organization)["accounts"]
    with running(hub, workers=2):
        # beside the running hub: the command takes the writer's socket
        given: dict[str, Any] = hub.command(
            "person", "add", "--organization", unit, "--role", "caseworker", "--email", "w@unit.example",
            "--trained-until", "2099-12-31", "--authorised-by", first["id"],
        )  # fmt: skip
        somebody = Person(hub.base_url)
        answer = somebody.post(
            "/sign-in", "/sign-in", login="w@unit.example", password=given["one_time_password"]
        )
        assert answer.headers["Location"] == "/account/password"
        answer = somebody.post("/account/password", "/account/password", new=PASSWORD, again=PASSWORD)
        assert answer.headers["Location"] == "/account/second"
        shown = somebody.get("/account/second").text
        ticket = re.search(r'name="ticket" value="([^"]+)"', shown)
        secret = re.search(r'<p class="codes">([A-Z2-7 ]+)</p>', shown)
        assert ticket
        assert secret
        import base64

        digits = digits_of(base64.b32decode(secret[1].replace(" ", "")), clock())
        answer = somebody.post("/account/second", "/account/password", ticket=ticket[1], digits=digits)
        assert answer.status_code == 200
        assert len(re.findall(r"<li>[A-Z0-9-]{14}</li>", answer.text)) == 10
        for _ in range(6):  # whichever worker answers
            assert somebody.get("/account").status_code == 200
        assert somebody.get("/manage").status_code == 200
        wrong = Person(hub.base_url)
        codes = [
            wrong.post(
                "/sign-in", "/sign-in", login="w@unit.example", password="wrong wrong wrong"
            ).status_code
            for _ in range(8)
        ]
        assert codes[:4] == [403] * 4
        assert 429 in codes
        hub.command("person", "remove", given["id"])
        assert somebody.get("/account").status_code == 303
        assert somebody.get("/manage").status_code == 303
