"""Reading the values of settings: text in, typed value out, or a sentence on what it must be.

What lives here: one reader for each kind of value. What does not: the settings themselves (`referral_hub.settings`).
"""

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine only.

    No name is looked up: a name other than `localhost` counts as reachable from outside.

    Args:
        host: an IPv4 or IPv6 address, with or without brackets, or a name.

    >>> is_loopback("127.0.0.1"), is_loopback("[::1]"), is_loopback("0.0.0.0"), is_loopback("hub.example")
    (True, True, False, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def path(value: str) -> Path:
    """Give a path of this machine, absolute."""
    return Path(value).expanduser().absolute()


def data_dir(value: str) -> Path:
    """Give the data directory."""
    if "?" in value:
        raise ValueError("must be a path without a question mark: it becomes part of the database's URL")
    return path(value)


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Give the reader of a whole number between two bounds, both included."""

    def read(value: str) -> int:
        # int() alone would take "1_000", " 5" and digits of other scripts.
        if not re.fullmatch(r"[0-9]{1,12}", value) or not low <= int(value) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(value)

    return read


def seconds(low: int, high: int) -> Callable[[str], timedelta]:
    """Give the reader of a number of seconds."""
    number = whole_number(low, high)
    return lambda value: timedelta(seconds=number(value))


def workers(value: str) -> int | None:
    """Give a number of processes, None for auto."""
    return None if value == "auto" else whole_number(1, 256)(value)


def log_level(value: str) -> str:
    """Give a log level."""
    if value.upper() not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}")
    return value.upper()


def locale(value: str) -> str:
    """Give a language tag."""
    if not LANGUAGE.fullmatch(value):
        raise ValueError("must be a language tag such as en, pl or pt-BR")
    return value


def base_url(value: str) -> str:
    """Give an address of scheme, host and port only."""
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket that is not closed, a port that is no number
        is_address = False
    if not is_address:
        raise ValueError("must be an address such as https://hub.example")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must be scheme, host and port only: the hub lives at the root of its address")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def origins(value: str) -> frozenset[str]:
    """Reads origins apart by spaces, each with its port written, as the HTTP client compares them."""
    found = set()
    for parts in (urlsplit(base_url(text)) for text in value.split()):
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError("must be https origins; http only for a loopback address")
        port = f":{parts.port or (443 if parts.scheme == 'https' else 80)}"
        found.add(f"{parts.scheme}://{parts.netloc.removesuffix(port)}{port}")
    return frozenset(found)


def database_url(value: str) -> str:
    """Give the address of a database; a value is never repeated in an error, it may hold a password."""
    if value.startswith("sqlite:///") and len(value) > len("sqlite:///") and "?" not in value:
        return "sqlite:///" + str(path(value.removeprefix("sqlite:///")))
    if value.startswith("postgresql://"):
        return value
    raise ValueError("must be sqlite:///PATH, a file, or postgresql://…")


def smtp_url(value: str) -> str:
    """Give the address of a mail server, or nothing; it may hold a password and is never repeated in an error."""
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        known = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(
            "must be smtp://host:port or smtps://host:port, with user:password@ where it wants them"
        )
    return value


def mailbox(value: str) -> str:
    """Give a mail address."""
    if not _MAILBOX.fullmatch(value):
        raise ValueError("must be a mail address such as hub@network.example")
    return value


def one_of(*words: str) -> Callable[[str], str]:
    """Give a reader of one of a few words."""

    def read(value: str) -> str:
        if value not in words:
            raise ValueError(f"is {' or '.join(words)}")
        return value

    return read


def optional_path(value: str) -> Path | None:
    """Give a path, or None where nothing is set."""
    return path(value) if value else None


def second_factor(value: str) -> bool:
    """Give whether every member of staff needs a second factor."""
    if value not in ("required", "offered"):
        raise ValueError("is required or offered")
    return value == "required"


def session_minutes(value: str) -> dict[str, tuple[int, int]]:
    """Give the lifetimes of browser sessions by role: minutes at rest, minutes altogether.

    >>> session_minutes("caseworker=20/480 person=5/30")
    {'caseworker': (20, 480), 'person': (5, 30)}
    """
    found = {}
    for part in value.split():
        match = re.fullmatch(r"([a-z]+)=([0-9]{1,4})/([0-9]{1,4})", part)
        if match is None or not 1 <= int(match[2]) <= int(match[3]) <= 1440:
            raise ValueError(
                "is a list such as caseworker=30/600: a role, minutes at rest / minutes altogether"
            )
        found[match[1]] = (int(match[2]), int(match[3]))
    return found


AUDIT_DAYS = {"disclosures": 3650, "changes": 3650, "refusals": 1095, "reads": 1095, "others": 1095}
"""How many days each kind of audit row is kept where the network decided nothing else."""


def audit_days(value: str) -> dict[str, int]:
    """Give how many days each kind of audit row is kept; 0 is for ever.

    >>> audit_days("reads=365 disclosures=0")["reads"], audit_days("")["disclosures"]
    (365, 3650)
    """
    found = dict(AUDIT_DAYS)
    for part in value.split():
        match = re.fullmatch(r"([a-z]+)=([0-9]{1,5})", part)
        if match is None or match[1] not in AUDIT_DAYS or 0 < int(match[2]) < 90:
            raise ValueError(
                f"is a list such as reads=365: one of {', '.join(AUDIT_DAYS)}, and 90 days at least or 0 for ever"
            )
        found[match[1]] = int(match[2])
    return found


def time_zone(value: str) -> tzinfo:
    """Give a time zone this machine knows; UTC needs no list of zones on the machine.

    >>> time_zone("UTC").utcoffset(None)
    datetime.timedelta(0)
    """
    if value == "UTC":
        return UTC
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be UTC or a time zone this machine knows, such as Europe/Warsaw") from None
