"""Which request has to prove possession of a key, and what the proof is good for there.

What lives here: the token endpoint's demand, a token at the FHIR API with its proof, and the keeping of used proofs.
What does not: the checks of a proof (``auth.dpop``), HTTP (``web.proving``).

A proof's name is written down only for somebody who is known: a client that proved itself, or the holder of a live
token. So nobody without one can fill the table.

Source: RFC 9449 5, 7 and 8; ``consent.md`` 0.2.
"""

import logging

from referral_hub.auth.changes import proof_used
from referral_hub.auth.dpop import INVALID, Proof, ProofRefused, Proofs
from referral_hub.auth.ports import AdmitOAuth, OAuthClientRow, OAuthRows
from referral_hub.auth.refusals import DpopRefused, TemporarilyUnavailable
from referral_hub.auth.request import OAuthRequest
from referral_hub.auth.tokens import ProofNeeded, Proven, bound_digest, bound_token, live
from referral_hub.errors import Busy, GuardFailed, Unauthenticated, Unavailable

log = logging.getLogger(__name__)

_TOKEN_PATH = b"/oauth/token"


class ProvenRequests:
    """Checks the proofs that come with requests, and keeps each from counting twice. Safe for threads.

    Args:
        proofs: the checks.
        rows: the store, as this room sees it.
        admit: the gate's word that a Change of this room may be applied.
    """

    def __init__(self, proofs: Proofs, rows: OAuthRows, admit: AdmitOAuth) -> None:
        self._proofs = proofs
        self._rows = rows
        self._admit = admit

    def looked_at(self, request: OAuthRequest, path: bytes = _TOKEN_PATH) -> None:
        """Notes the proof of a request to the authorization server on it; a request without one stays as it is.

        Nothing is written yet, so that a client which only lacks a nonce can use its assertion again.

        Raises:
            DpopRefused: there is a proof and it does not hold, or lacks a nonce of the hub.
        """
        if not request.dpop:
            return
        try:
            request.proof = self._proofs.check(request.dpop, "POST", path, request.at_us)
        except ProofRefused as refusal:
            raise DpopRefused(refusal.error, refusal.reason, self._proofs.nonce(request.at_us)) from None

    def kept(self, request: OAuthRequest) -> None:
        """Writes down the proof of a request whose client proved itself.

        Raises:
            DpopRefused: the proof was used before.
            TemporarilyUnavailable: the store cannot write now.
        """
        if request.proof is None:
            return
        try:
            self._keep(request.proof)
        except GuardFailed:
            raise DpopRefused(INVALID, "proof-replayed", self._proofs.nonce(request.at_us)) from None
        except (Busy, Unavailable):
            raise TemporarilyUnavailable from None

    def demand(self, client: OAuthClientRow, request: OAuthRequest) -> None:
        """Refuses a request without a proof, where the registration wants one with each token.

        Raises:
            DpopRefused: it is wanted and missing.
        """
        if client.require_dpop and request.proof is None:
            raise DpopRefused(INVALID, "proof-missing", self._proofs.nonce(request.at_us))

    def nonce(self, request: OAuthRequest) -> str:
        """Gives the nonce to use from now on; empty while the one that was used will do."""
        return request.proof.next_nonce if request.proof is not None else ""

    def at_the_api(
        self, authorization: str, dpop: str, method: str, path: bytes, at_us: int
    ) -> tuple[Proven, str]:
        """Gives the header that stands for a token whose key was proved, and the nonce to use from now on.

        Args:
            authorization: the header ``Authorization: DPoP`` of the request.
            dpop: the ``DPoP`` header.
            method: the method as sent.
            path: the path below the hub's base address, percent-encoding undone.
            at_us: the moment, microseconds since 1970 UTC.

        Raises:
            ProofNeeded: the proof does not hold or was used before, or the token is not live or bound to another key:
                401 on the wire.
            Busy, Unavailable: the store cannot write now, so nothing is answered: 503.

        Source: RFC 9449 7.1.
        """
        token = bound_token(authorization)
        if not token:
            raise self._unknown(at_us)
        try:
            proof = self._proofs.check(dpop, method, path, at_us, token=token)
        except ProofRefused as refusal:
            log.warning("refused: error=%s reason=%s", refusal.error, refusal.reason)
            raise self._refused(refusal.error, at_us) from None
        found = Proven(authorization)
        found.digest = bound_digest(token, proof.jkt)
        try:
            live(self._rows.oauth_token(found.digest), at_us)
        except Unauthenticated:
            raise self._unknown(at_us) from None
        try:
            self._keep(proof)
        except GuardFailed:
            log.warning("refused: error=%s reason=proof-replayed", INVALID)
            raise self._refused(INVALID, at_us) from None
        return found, proof.next_nonce

    def _keep(self, proof: Proof) -> None:
        change = self._admit(proof_used(proof.jkt, proof.jti, proof.expires_us))
        try:
            self._rows.apply(change)
        except Unavailable:
            # It is not known whether it was applied. The same Change again is the same as once.
            self._rows.apply(change)

    def _unknown(self, at_us: int) -> ProofNeeded:
        text = "The access token is not valid, is not bound to the key that was proved, or has ended."
        return ProofNeeded(text, "invalid_token", self._proofs.nonce(at_us))

    def _refused(self, error: str, at_us: int) -> ProofNeeded:
        text = "Send one DPoP proof for this request, fresh, unused, and with the nonce of the DPoP-Nonce header."
        return ProofNeeded(text, error, self._proofs.nonce(at_us))
