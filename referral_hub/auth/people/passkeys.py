"""Passkeys: registering one, and signing in with it, whole in one step.

What lives here: the options a browser is given, and the check of what its authenticator answers. What does not: the
small script in the page (``web/static/passkeys.js``), where keys are kept (``store.accounts``).

A passkey has to be discoverable and to verify its user, so that it is two factors in one: something the owner has,
and her finger, face or number. The origin must be this hub's to the letter. A challenge is used once.

Source: W3C WebAuthn 3, 7.1 and 7.2; ADR 0031.
"""

import hashlib
import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from referral_hub.auth.people.ports import PeopleRows
from referral_hub.auth.people.refusals import Refused
from referral_hub.auth.people.tickets import new_ticket, opened
from referral_hub.exchange.accounts import PASSKEY, Factor
from referral_hub.exchange.change import Row
from referral_hub.setting_values import is_loopback

if TYPE_CHECKING:
    from fido2.server import Fido2Server

METHODS = ("hwk", "user", "mfa")
"""How a passkey proves its owner (RFC 8176)."""
MOST_PASSKEYS = 20
LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class Asserted:
    """A passkey that answered rightly: its factor, and the rows that count it and use up the challenge."""

    factor: Factor
    rows: tuple[Row, ...]


class Passkeys:
    """Registers and checks passkeys for one hub. Safe for threads.

    Args:
        rows: the store.
        base_url: the address of the hub; its host is what passkeys are bound to.
    """

    def __init__(self, rows: PeopleRows, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._rows = rows
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._host = parts.hostname or ""
        self._made: Fido2Server | None = None

    @property
    def offered(self) -> bool:
        """Tells whether browsers take passkeys at this address: a name, not a number, and https or this machine."""
        named = self._host == "localhost" or not (is_loopback(self._host) or _is_number(self._host))
        return named and (self._origin.startswith("https://") or self._host == "localhost")

    def _server(self) -> "Fido2Server":
        if self._made is None:
            from fido2.server import Fido2Server
            from fido2.webauthn import PublicKeyCredentialRpEntity

            # It logs the names of credentials, which belong to people.
            logging.getLogger("fido2").setLevel(logging.WARNING)
            party = PublicKeyCredentialRpEntity(id=self._host, name="Referral Hub")
            self._made = Fido2Server(party, verify_origin=self._origin.__eq__)
        return self._made

    # --- registering -----------------------------------------------------------------------------------------

    def registration(
        self, account: str, session: bytes, known: Sequence[Factor], at_us: int
    ) -> dict[str, Any]:
        """Gives what a browser needs to make a passkey: the options of WebAuthn, and the ticket to send back.

        Args:
            account: id of the account.
            session: digest of the session that asks.
            known: its factors; an authenticator that holds one of its passkeys makes no second.
            at_us: now, microseconds UTC.
        """
        from fido2.webauthn import (
            PublicKeyCredentialUserEntity,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        # The name is shown by the authenticator, on a screen others may see: it tells no login.
        user = PublicKeyCredentialUserEntity(
            id=account.encode(), name="Referral Hub", display_name="Referral Hub"
        )
        options, state = self._server().register_begin(
            user,
            [_credential(factor) for factor in known if factor.kind == PASSKEY],
            resident_key_requirement=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        remembered = {"state": _plain(state), "account": account, "session": session.hex()}
        return {"options": dict(options), "ticket": new_ticket(self._rows, "passkey-new", remembered, at_us)}

    def registered(
        self,
        account: str,
        session: bytes,
        ticket: str,
        response: Mapping[str, Any],
        label: str,
        *,
        at_us: int,
    ) -> tuple[Row, ...]:
        """Gives the rows that keep a new passkey.

        Raises:
            Refused: the answer does not fit the challenge, the origin, this account or this browser session.
        """
        held = opened(self._rows, "passkey-new", ticket, at_us)
        if (held.remembered["account"], held.remembered["session"]) != (account, session.hex()):
            raise Refused("passkey.wrong")
        try:
            made = self._server().register_complete(held.remembered["state"], response)
        except Exception:  # noqa: BLE001 - whatever a browser sends: it is no registration
            raise Refused("passkey.wrong") from None
        credential = made.credential_data
        if credential is None:
            raise Refused("passkey.wrong")
        factor = secrets.token_hex(16)
        text = " ".join(label.split())[:LONGEST_LABEL]
        row = Row(
            "account_factor_insert",
            {
                "id": factor,
                "account": account,
                "kind": PASSKEY,
                "handle": handle_of(credential.credential_id),
                "secret": self._rows.seal(bytes(credential), f"factor/{account}/{factor}"),
                "counter": made.counter,
                "label": self._rows.seal(text.encode(), f"factor-label/{account}/{factor}"),
                "created_us": at_us,
                "used_us": 0,
            },
            at_least_one=True,
        )
        return held.used, row

    # --- signing in ------------------------------------------------------------------------------------------

    def assertion(self, at_us: int) -> dict[str, Any]:
        """Gives what a browser needs to sign in with any passkey of this hub: options, and the ticket."""
        from fido2.webauthn import UserVerificationRequirement

        options, state = self._server().authenticate_begin(
            user_verification=UserVerificationRequirement.REQUIRED
        )
        ticket = new_ticket(self._rows, "passkey", {"state": _plain(state)}, at_us)
        return {"options": dict(options), "ticket": ticket}

    def asserted(self, ticket: str, response: Mapping[str, Any], at_us: int) -> Asserted:
        """Gives the passkey that answered, after checking its signature, user and count.

        Raises:
            Refused: ``passkey.wrong`` whatever was wrong, ``sign-in.begin-again`` where it took too long.
        """
        held = opened(self._rows, "passkey", ticket, at_us)
        try:
            from fido2.utils import websafe_decode
            from fido2.webauthn import AttestedCredentialData, AuthenticationResponse

            answer = AuthenticationResponse.from_dict(response)
            factor = self._rows.factor(PASSKEY, handle_of(answer.raw_id))
            if factor is None or websafe_decode(_user_handle(response)) != factor.account.encode():
                raise Refused("passkey.wrong")
            self._server().authenticate_complete(
                held.remembered["state"], [AttestedCredentialData(factor.secret)], response
            )
            counter = answer.response.authenticator_data.counter
        except Refused:
            raise
        except Exception:  # noqa: BLE001 - whatever a browser sends: it is no proof
            raise Refused("passkey.wrong") from None
        if counter <= factor.counter and (counter or factor.counter):
            # A count that does not grow is a copied authenticator (WebAuthn 3, 7.2 step 22).
            raise Refused("passkey.wrong")
        counted = Row(
            "account_factor_counted",
            {"id": factor.id, "seen_counter": factor.counter, "counter": counter, "used_us": at_us},
            at_least_one=True,
        )
        return Asserted(factor, (held.used, counted))


def handle_of(credential_id: bytes) -> bytes:
    """Gives what a passkey is found by: a digest, since its id would tie accounts of other places together."""
    return hashlib.sha256(b"passkey\0" + credential_id).digest()


def _user_handle(response: Mapping[str, Any]) -> str:
    inner = response["response"]
    return str(inner["userHandle"])


def _credential(factor: Factor) -> Any:
    from fido2.webauthn import AttestedCredentialData

    return AttestedCredentialData(factor.secret)


def _plain(state: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(state))
    return found


def _is_number(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
