"""The public keys of each client: from its registration, or from its own address.

What lives here: keeping fetched key sets no longer than their owner allows, and asking again for a key that
is not known, but not at the wish of whoever sends nonsense. What does not: the fetching itself (a
``JwksFetcher``), and what makes a key fit (``auth.keys``).

Source: SMART App Launch 2.2, client authentication (asymmetric): a key set is not kept longer than the
client's cache-control header allows; ``consent.md`` O-07.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from joserfc.jwk import ECKey, RSAKey

from referral_hub.auth.keys import KeyRefused, PartnerKey, choose_key, read_key_set
from referral_hub.auth.ports import JwksFetcher, OAuthClientRow
from referral_hub.errors import Unavailable

SECOND_US = 1_000_000
LONGEST_KEPT_S = 300
"""Seconds a fetched key set is kept at most, also where its owner allows more or does not say."""

PAUSE_S = 30
"""Seconds between two fetches of one address that only an unknown key, or a failed fetch, asks for."""

_LONGEST_WAIT_S = 3.0


@dataclass(slots=True)
class _Kept:
    """One address: the last set fetched, until when it counts, and when it was last asked for."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: tuple[PartnerKey, ...] | None = None
    fetched_us: int = -1
    until_us: int = -1
    asked_us: int | None = None


class ClientKeys:
    """Finds the key that an assertion names; safe for threads, one fetch at a time for each address.

    Args:
        fetcher: fetches a registered address.
        most: how many addresses are kept at once.
    """

    def __init__(self, fetcher: JwksFetcher, most: int = 256) -> None:
        self._fetcher = fetcher
        self._most = most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def key_of(self, client: OAuthClientRow, kid: str, alg: str, at_us: int) -> RSAKey | ECKey:
        """Gives the one key of this client with this name, for this algorithm.

        Args:
            client: the registration.
            kid: the name of the key, from the header of the assertion.
            alg: ``RS384`` or ``ES384``.
            at_us: the moment of the request, microseconds since 1970 UTC.

        Raises:
            KeyRefused: there is no such key, it may not be used, or the set cannot be had now.
        """
        if client.kind == "jwks":
            return choose_key(read_key_set(client.jwks), kid, alg)
        if client.kind == "jwks_url" and client.jwks_url:
            return self._fetched_key(client.jwks_url, kid, alg, at_us)
        raise KeyRefused("client-has-no-keys")

    def _fetched_key(self, url: str, kid: str, alg: str, at_us: int) -> RSAKey | ECKey:
        kept = self._entry(url)
        keys = kept.keys if kept.fetched_us <= at_us < kept.until_us else None
        if keys is not None:
            try:
                return choose_key(keys, kid, alg)
            except KeyRefused as refusal:
                if refusal.reason != "key-unknown" or not _may_ask(kept, at_us):
                    raise
        return choose_key(self._asked(kept, url, at_us, known=keys), kid, alg)

    def _asked(
        self, kept: _Kept, url: str, at_us: int, *, known: tuple[PartnerKey, ...] | None
    ) -> tuple[PartnerKey, ...]:
        """Gives the set as it is now, or as another thread fetched it since this request began."""
        if not kept.lock.acquire(timeout=_LONGEST_WAIT_S):
            raise KeyRefused("keys-unreachable")
        try:
            if kept.keys is not None and kept.keys is not known and kept.fetched_us >= at_us:
                return kept.keys
            if known is None and kept.keys is None and not _may_ask(kept, at_us):
                raise KeyRefused("keys-unreachable")
            return self._fetch(kept, url, at_us)
        finally:
            kept.lock.release()

    def _fetch(self, kept: _Kept, url: str, at_us: int) -> tuple[PartnerKey, ...]:
        kept.asked_us = at_us
        try:
            answer = self._fetcher.fetch(url)
            keys = read_key_set(answer.body.decode("utf-8"))
        except (Unavailable, UnicodeDecodeError, KeyRefused):
            if kept.keys is not None and at_us < kept.until_us:
                return kept.keys
            kept.keys = None
            raise KeyRefused("keys-unreachable") from None
        life_s = LONGEST_KEPT_S if answer.max_age_s is None else min(answer.max_age_s, LONGEST_KEPT_S)
        kept.keys, kept.fetched_us, kept.until_us = keys, at_us, at_us + life_s * SECOND_US
        return keys

    def _entry(self, url: str) -> _Kept:
        with self._lock:
            kept = self._kept.get(url)
            if kept is None:
                kept = self._kept[url] = _Kept()
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(url)
            return kept


def _may_ask(kept: _Kept, at_us: int) -> bool:
    return kept.asked_us is None or not 0 <= at_us - kept.asked_us < PAUSE_S * SECOND_US
