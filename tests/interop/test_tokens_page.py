"""The Python of docs/tokens.md, run as it stands against a hub in processes of its own.

It signs with PyJWT, which the hub itself does not use.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from jwcrypto.jwk import JWK

from tests import builders as b
from tests.interop.served import Partner, Served, served_hub

PAGE = Path(__file__).parents[2] / "docs" / "tokens.md"
SCOPE = "system/Patient.crus system/ServiceRequest.crus system/Task.crus system/Consent.crus"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub with two workers."""
    with served_hub(tmp_path_factory.mktemp("tokens")) as found:
        yield found


def referred(served: Served) -> tuple[Partner, str]:
    """A clinic and a referral it was sent."""
    shelter = served.partner("shelter", "shelter", scope=SCOPE)
    clinic = served.partner("clinic", "clinic", scope="system/*.rus")
    headers = {"Authorization": f"Bearer {shelter.token()}", "Content-Type": "application/fhir+json"}

    def create(resource: dict[str, Any]) -> str:
        url = f"{served.base_url}/fhir/{resource['resourceType']}"
        answer = requests.post(url, json=resource, headers=headers, timeout=10)
        assert answer.status_code == 201, answer.text
        return f"{resource['resourceType']}/{answer.json()['id']}"

    person = create(b.patient("Siskin"))
    create(b.release(person, shelter.organization, b.permit(clinic.organization)))
    request = create(b.service_request(person, clinic.organization))
    return clinic, create(b.task(person, request, clinic.organization))


def test_the_python_of_the_page_does_what_the_page_says(served: Served) -> None:
    clinic, task = referred(served)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    page: dict[str, Any] = {
        "BASE": served.base_url,
        "CLIENT": clinic.client_id,
        "KEY": clinic.key,
        "KID": clinic.kid,
    }
    text = "\n".join(blocks).replace("Task/…", task)
    # The one line that names an invented hub, and a key file that is not there.
    text = re.sub(r"^BASE, CLIENT, KEY, KID = .*$", "", text, flags=re.MULTILINE)
    exec(compile(text, str(PAGE), "exec"), page)
    answer = page["answer"]
    assert answer["authorization_details"][0]["identifier"].startswith("grant:")
    assert set(answer["scope"].split()) >= {"system/Task.rs", "system/Patient.rs"}

    # The three steps of the page for a token bound to a key.
    address = f"{served.base_url}/oauth/token"

    def asked() -> requests.Response:
        form = {
            "grant_type": "client_credentials",
            "scope": "system/*.rs",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": page["assertion"](),
        }
        return requests.post(address, data=form, headers={"DPoP": page["proof"]("POST", address)}, timeout=10)

    first = asked()
    assert (first.status_code, first.json()["error"]) == (400, "use_dpop_nonce")
    page["nonce"] = first.headers["DPoP-Nonce"]
    given = asked().json()
    assert given["token_type"] == "DPoP"
    token, url = given["access_token"], f"{served.base_url}/fhir/{task}"
    assert token.partition(".")[2] == JWK(**page["jwk"]).thumbprint()
    # One proof at whichever worker answers: it counts once in all of them.
    proof = page["proof"]("GET", url, token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    assert [requests.get(url, headers=headers, timeout=10).status_code for _ in range(4)] == [
        200,
        401,
        401,
        401,
    ]
    assert requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code == 401
