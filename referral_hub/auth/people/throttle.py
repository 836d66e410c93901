"""How often somebody may try: a growing delay, never a lock, and never by a stranger against the owner.

What lives here: the keys attempts are counted under, the delays, the counting. What does not: what an attempt is
about (``auth.people.signing_in``).

A browser in which the account signed in before is a known device and has a budget of its own: whatever others do from
elsewhere, it may go on. All other browsers share three: of this login from this network, of this login from
anywhere, of this network for any login. The first failures are free, then the delay doubles up to a quarter of an
hour; there is no count after which nobody may try any more. A login nobody has is counted in the same way.

An attempt is counted before it is checked and taken off again when it was right, so a hundred at the same moment are
a hundred attempts.

Source: OWASP, Slow Down Online Guessing Attacks with Device Cookies; NIST SP 800-63B-4, 3.2.2.
"""

import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from referral_hub.auth.people.ports import Apply, PeopleRows
from referral_hub.auth.people.refusals import Refused
from referral_hub.errors import GuardFailed
from referral_hub.exchange.accounts import Attempts
from referral_hub.exchange.change import Change, Row

SECOND_US = 1_000_000
LONGEST_S = 900
"""The longest delay, seconds."""
FORGOTTEN_US = 24 * 3600 * SECOND_US
"""After a day without an attempt the count begins anew."""
FREE = {"device": 5, "from": 5, "login": 20, "network": 50, "second": 5}
"""Failures without a delay, by kind of key."""
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Browser:
    """Where an attempt comes from.

    Args:
        device: digest of the device cookie, None where the browser has none.
        network: the address of the browser, as the server sees it; empty where it tells nothing.
    """

    device: bytes | None
    network: str = ""


def delay_s(kind: str, failures: int) -> int:
    """Gives how long after the last of these failures the next attempt has to wait, in seconds.

    >>> [delay_s("device", n) for n in (1, 5, 6, 9, 40)]
    [0, 1, 2, 16, 900]
    """
    over = failures - FREE[kind]
    return 0 if over < 0 else min(LONGEST_S, 1 << min(over, 10))


def network_of(address: str) -> str:
    """Gives the network an address belongs to: the address itself, of IPv6 its first 64 bits; empty for none.

    >>> network_of("192.0.2.7"), network_of("2001:db8::17"), network_of("unix:")
    ('192.0.2.7', '2001:db8::/64', '')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def is_known(keys: Iterable[str]) -> bool:
    """Tells whether an attempt comes from a browser its account is known in."""
    return any(key.startswith("device|") for key in keys)


class Throttle:
    """Counts attempts and says when the next is let through. Safe for threads and processes.

    Args:
        rows: the store.
        apply: applies a Change.
    """

    def __init__(self, rows: PeopleRows, apply: Apply) -> None:
        self._rows = rows
        self._apply = apply

    def keys(self, what: str, browser: Browser, account: str) -> tuple[str, ...]:
        """Gives the keys an attempt is counted under.

        Args:
            what: the keyed digest of the login or code.
            browser: where the attempt comes from.
            account: id of the account of the login; empty where nobody has it.
        """
        device = browser.device
        # Looked for whether or not there is such an account: the time tells nothing.
        if device is not None and self._rows.device(device, account) is not None:
            return (f"device|{what}|{device.hex()}",)
        network = network_of(browser.network)
        if not network:
            return (f"login|{what}",)
        place = self._rows.digest("network", network)
        return (f"from|{what}|{place}", f"login|{what}", f"network|{place}")

    def second_keys(self, account: str, browser: Browser) -> tuple[str, ...]:
        """Gives the keys a second factor is counted under: who gets here knows the password already."""
        device = browser.device
        if device is not None and self._rows.device(device, account) is not None:
            return (f"second|{account}|{device.hex()}",)
        return (f"second|{account}",)

    def take(self, keys: Iterable[str], at_us: int) -> tuple[str, ...]:
        """Counts one attempt, as failed until :meth:`right` takes it off again.

        Raises:
            Refused: it is too early; nothing is counted, and nothing may be checked.
        """
        wanted = tuple(keys)
        for _ in range(_TRIES):
            known = self._rows.attempts(wanted)
            waiting = max((_waits(known.get(key), at_us) for key in wanted), default=0)
            if waiting:
                raise Refused("sign-in.wait", -(-waiting // SECOND_US))
            rows = tuple(_counted(key, known.get(key), at_us) for key in wanted)
            try:
                self._apply(Change(secrets.token_hex(16), rows=rows))
            except GuardFailed:
                continue  # somebody else tried at the same moment: look again
            return wanted
        raise Refused("sign-in.wait", 1)

    def right(self, taken: Iterable[str], at_us: int) -> tuple[Row, ...]:
        """Gives the rows that take a right attempt off: the owner's counts end, a network's goes down by one."""
        known = self._rows.attempts(taken)
        rows = []
        for key in taken:
            found = known.get(key)
            if not key.startswith("network|"):
                rows.append(Row("sign_in_attempts_forget", {"key": key}))
            elif found is not None:
                rows.append(_changed(found, found.failures - 1, found.last_us, found.next_us, sure=False))
        return tuple(rows)


def _waits(found: Attempts | None, at_us: int) -> int:
    if found is None or _is_forgotten(found, at_us):
        return 0
    # Never longer than the longest wait, whatever a clock said before.
    return min(LONGEST_S * SECOND_US, max(0, found.next_us - at_us))


def _is_forgotten(found: Attempts, at_us: int) -> bool:
    return at_us - found.last_us > FORGOTTEN_US


def _counted(key: str, found: Attempts | None, at_us: int) -> Row:
    failures = 1 if found is None or _is_forgotten(found, at_us) else found.failures + 1
    wait_s = delay_s(key.partition("|")[0], failures)
    next_us = at_us + wait_s * SECOND_US if wait_s else 0
    if found is None:
        parameters: dict[str, int | str | bytes | None] = {
            "key": key,
            "failures": failures,
            "last_us": at_us,
            "next_us": next_us,
        }
        return Row("sign_in_attempts_first", parameters, at_least_one=True)
    return _changed(found, failures, at_us, next_us, sure=True)


def _changed(found: Attempts, failures: int, last_us: int, next_us: int, *, sure: bool) -> Row:
    parameters: dict[str, int | str | bytes | None] = {
        "key": found.key,
        "seen_failures": found.failures,
        "seen_last_us": found.last_us,
        "failures": max(0, failures),
        "last_us": last_us,
        "next_us": next_us,
    }
    return Row("sign_in_attempts_next", parameters, at_least_one=sure)
