"""Everything an operator can set, read once from the environment into one frozen object.

What lives here: each setting with its variable, default, unit and meaning, the rules between settings, and the paths
in the data directory. What does not: flags of commands (`referral_hub.cli`), rules of one organisation or person
(rows in the database). The same table for readers is docs/settings.md; a test holds the two together.
"""

import difflib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Any

from referral_hub import setting_values as read
from referral_hub.errors import ConfigurationError
from referral_hub.setting_values import is_loopback

PREFIX = "REFERRAL_HUB_"

CONSENT_DAYS_WITHOUT_LEGAL_NOTE = 90
"""The longest permission, in days, that needs no written legal note of the network."""

_SOCKET_PATH_BYTES = 103  # sun_path holds 104 bytes on macOS and 108 on Linux, one of them the closing zero


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the settings table: where a value comes from and what it means."""

    variable: str
    default: str
    unit: str
    meaning: str
    read: Callable[[str], Any]


def _setting(
    name: str, default: str, unit: str, meaning: str, read: Callable[[str], Any], *, secret: bool = False
) -> Any:
    row = Setting(PREFIX + name, default, unit, meaning, read)
    # No dataclass default: the one way to make Settings is from_environment.
    return field(repr=not secret, metadata={"setting": row})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one hub; made by `Settings.from_environment` and passed on, never read again.

    Raises:
        ConfigurationError: where two settings contradict each other, naming the variable.
    """

    data_dir: Path = _setting(
        "DATA_DIR", "./hub-data", "path", "keys, embedded database, audit spool", read.data_dir
    )
    database_url: str = _setting(
        "DATABASE_URL",
        "sqlite:///{data_dir}/hub.db",
        "URL",
        "the database: a file (sqlite:///PATH) or a PostgreSQL server (postgresql://…)",
        read.database_url,
        secret=True,
    )
    base_url: str = _setting(
        "BASE_URL",
        "http://127.0.0.1:8080",
        "URL",
        "the address others see, in links and as issuer of tokens; without https only this machine is served",
        read.base_url,
    )
    secret_key_file: Path = _setting(
        "SECRET_KEY_FILE",
        "{data_dir}/secret.key",
        "path",
        "the master key; created with mode 0600 where it does not exist",
        read.path,
    )
    secret_key: str = _setting(
        "SECRET_KEY",
        "",
        "text",
        "the master key itself, in the form of the file, instead of the file",
        str,
        secret=True,
    )
    secret_key_command: str = _setting(
        "SECRET_KEY_COMMAND",
        "",
        "command line",
        "a program that prints the master key in the form of the file, instead of the file",
        str,
        secret=True,
    )
    log_level: str = _setting(
        "LOG_LEVEL", "INFO", "level", "how much is logged: " + ", ".join(read.LOG_LEVELS), read.log_level
    )
    locale: str = _setting(
        "LOCALE", "en", "language tag", "the language of pages where nobody chose one", read.locale
    )
    consent_default_days: int = _setting(
        "CONSENT_DEFAULT_DAYS",
        "30",
        "days",
        "how long a permission lasts for a purpose that has no length of its own",
        read.whole_number(1, 365),
    )
    consent_max_days: int = _setting(
        "CONSENT_MAX_DAYS",
        "90",
        "days",
        "the longest permission that can be signed; more than 90 needs the legal note",
        read.whole_number(1, 365),
    )
    consent_legal_note: str = _setting(
        "CONSENT_LEGAL_NOTE",
        "",
        "text",
        "the network's written reason for permissions above 90 days, shown on the form",
        str,
    )
    consent_evidence: str = _setting(
        "CONSENT_EVIDENCE",
        "basic",
        "policy",
        "what a signature must carry: basic (signed form, who, when), or full "
        "(also language, text, kind of signature, reader, explained back)",
        read.one_of("basic", "full"),
    )
    spoken_release: str = _setting(
        "SPOKEN_RELEASE",
        "off",
        "policy",
        "whether a spoken permission of 72 hours is taken: off or bridge",
        read.one_of("off", "bridge"),
    )
    consent_policy_file: Path | None = _setting(
        "CONSENT_POLICY_FILE",
        "",
        "path",
        "TOML with the versions of the form and the ages from which minors agree alone; none by default",
        read.optional_path,
    )
    small_cell: int = _setting(
        "SMALL_CELL",
        "11",
        "people",
        "in statistics, a number of people below this is hidden",
        read.whole_number(5, 1000),
    )
    access_token_lifetime: timedelta = _setting(
        "ACCESS_TOKEN_SECONDS", "300", "seconds", "how long an access token lives", read.seconds(30, 3600)
    )
    refresh_token_days: int = _setting(
        "REFRESH_TOKEN_DAYS",
        "30",
        "days",
        "how long after an approval software may go on without asking again (offline_access)",
        read.whole_number(1, 365),
    )
    workers: int | None = _setting(
        "WORKERS", "auto", "processes", "worker processes; auto is one per processor, up to 4", read.workers
    )
    worker_threads: int = _setting(
        "WORKER_THREADS",
        "16",
        "threads",
        "threads of each worker, one computing at a time",
        read.whole_number(1, 128),
    )
    max_body_bytes: int = _setting(
        "MAX_BODY_BYTES",
        "4194304",
        "bytes",
        "the largest JSON or XML request body; beyond it 413",
        read.whole_number(1024, 1 << 30),
    )
    max_binary_bytes: int = _setting(
        "MAX_BINARY_BYTES",
        "33554432",
        "bytes",
        "the largest Binary, CDA document or HL7 v2 message; beyond it 413",
        read.whole_number(1024, 1 << 30),
    )
    max_bundle_entries: int = _setting(
        "MAX_BUNDLE_ENTRIES",
        "500",
        "entries",
        "the most entries of one Bundle sent in; beyond it 422",
        read.whole_number(1, 10_000),
    )
    max_page_entries: int = _setting(
        "MAX_PAGE_ENTRIES",
        "500",
        "entries",
        "the most entries of one page of results; a larger _count is cut to it",
        read.whole_number(1, 10_000),
    )
    page_entries: int = _setting(
        "PAGE_ENTRIES",
        "50",
        "entries",
        "entries of one page of results where the request gives no _count",
        read.whole_number(1, 10_000),
    )
    max_json_depth: int = _setting(
        "MAX_JSON_DEPTH",
        "64",
        "levels",
        "how deep JSON and XML may be nested; beyond it 400",
        read.whole_number(8, 200),
    )
    absence_beat_ms: int = _setting(
        "ABSENCE_BEAT_MS",
        "10",
        "milliseconds",
        "refusals and search results leave at a full multiple of this, so that time tells nothing; 0 is at once",
        read.whole_number(0, 200),
    )
    audit_days: Mapping[str, int] = _setting(
        "AUDIT_DAYS",
        "",
        "kind=days",
        "how long lines of the audit are kept, apart by spaces; 0 is for ever; docs/audit.md has kinds and defaults",
        read.audit_days,
    )
    inner_origins: frozenset[str] = _setting(
        "INNER_ORIGINS",
        "",
        "origins",
        "partners inside your own network that the hub may call, apart by spaces; all others must be public",
        read.origins,
    )
    browser_origins: frozenset[str] = _setting(
        "BROWSER_ORIGINS",
        "",
        "origins",
        "browser apps that may read the FHIR API, apart by spaces; none by default",
        read.origins,
    )
    proxies: int = _setting(
        "PROXIES",
        "0",
        "proxies",
        "how many proxies of yours stand before the hub, so that it knows where an attempt to sign in comes from",
        read.whole_number(0, 5),
    )
    time_zone: tzinfo = _setting(
        "TIME_ZONE", "UTC", "zone", "the time zone of dates on pages", read.time_zone
    )
    second_factor_needed: bool = _setting(
        "SECOND_FACTOR",
        "required",
        "policy",
        "whether staff need a second factor: required, or offered (asked for where one was set up)",
        read.second_factor,
    )
    session_minutes: Mapping[str, tuple[int, int]] = _setting(
        "SESSION_MINUTES",
        "",
        "role=idle/longest",
        "how long browser sessions of a role live, in minutes, apart by spaces; docs/accounts.md has the defaults",
        read.session_minutes,
    )

    smtp_url: str = _setting(
        "SMTP_URL",
        "",
        "URL",
        "the mail server for notifications: smtp://user:password@host:587 or smtps://…; none by default",
        read.smtp_url,
        secret=True,
    )
    mail_from: str = _setting(
        "MAIL_FROM", "hub@localhost", "mail address", "whom letters of the hub come from", read.mailbox
    )

    def __post_init__(self) -> None:
        if self.consent_max_days > CONSENT_DAYS_WITHOUT_LEGAL_NOTE and not self.consent_legal_note.strip():
            raise ConfigurationError(
                f"{PREFIX}CONSENT_MAX_DAYS is above {CONSENT_DAYS_WITHOUT_LEGAL_NOTE}: "
                f"give the network's written reason in {PREFIX}CONSENT_LEGAL_NOTE, or a smaller number."
            )
        if self.consent_default_days > self.consent_max_days:
            raise ConfigurationError(
                f"{PREFIX}CONSENT_DEFAULT_DAYS is above {PREFIX}CONSENT_MAX_DAYS ({self.consent_max_days})."
            )
        if self.page_entries > self.max_page_entries:
            raise ConfigurationError(
                f"{PREFIX}PAGE_ENTRIES is above {PREFIX}MAX_PAGE_ENTRIES ({self.max_page_entries})."
            )

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> "Settings":
        """Read all settings, or say which variable cannot be used and why.

        A variable that is absent or empty takes its default. A variable that starts with `REFERRAL_HUB_`
        and is no setting is refused: a mistyped limit must not leave the default in force without a word.

        Args:
            env: the environment, as `os.environ` gives it.

        Raises:
            ConfigurationError: naming the variable; the text never repeats a value that may be a secret.

        >>> Settings.from_environment({"REFERRAL_HUB_SMALL_CELL": "20"}).small_cell
        20
        >>> Settings.from_environment({"REFERRAL_HUB_LOCAL": "pl"})
        Traceback (most recent call last):
        ...
        referral_hub.errors.ConfigurationError: REFERRAL_HUB_LOCAL is no setting; REFERRAL_HUB_LOCALE is.
        """
        declared = dict(declared_settings())
        _refuse_unknown(env, {setting.variable for setting in declared.values()})
        values: dict[str, Any] = {}
        for name, setting in declared.items():
            default = setting.default.replace("{data_dir}", str(values.get("data_dir", "")))
            try:
                values[name] = setting.read(env.get(setting.variable) or default)
            except ValueError as problem:
                raise ConfigurationError(f"{setting.variable} {problem}.") from None
        return cls(**values)

    @property
    def fhir_base(self) -> str:
        """Give the FHIR base address, without a slash at the end."""
        return self.base_url + "/fhir"

    @property
    def is_protected(self) -> bool:
        """Tell whether others reach this hub by https."""
        return self.base_url.startswith("https://")

    @property
    def sqlite_file(self) -> Path | None:
        """Give the file of the embedded database, or None where PostgreSQL keeps the data."""
        if not self.database_url.startswith("sqlite:///"):
            return None
        return Path(self.database_url.removeprefix("sqlite:///"))

    @property
    def writer_lock_file(self) -> Path | None:
        """Give the lock that only the one writer of an embedded database holds; None on PostgreSQL."""
        file = self.sqlite_file
        return None if file is None else file.with_name(file.name + ".writer")

    @property
    def writer_socket(self) -> Path:
        """Give the Unix socket on which the writer of an embedded database takes changes.

        Raises:
            ConfigurationError: where the path is longer than the system allows for a socket.
        """
        path = self.data_dir / "writer.sock"
        if len(os.fsencode(path)) > _SOCKET_PATH_BYTES:
            raise ConfigurationError(
                f"{PREFIX}DATA_DIR is too long for a socket inside it: "
                f"{_SOCKET_PATH_BYTES - len('/writer.sock')} bytes are the most."
            )
        return path

    @property
    def keys_dir(self) -> Path:
        """Give the directory of wrapped keys; an ordinary backup leaves it out: an erasure stays one."""
        return self.data_dir / "keys"

    @property
    def audit_spool_dir(self) -> Path:
        """Give the directory of the audit segments that readers append to."""
        return self.data_dir / "audit"

    def refuse_open_door(self, host: str) -> None:
        """Refuse to listen where others could read along.

        Args:
            host: the address the server is about to listen on.

        Raises:
            ConfigurationError: where the base URL is not https and the address is not of this machine alone.
        """
        if not self.is_protected and not is_loopback(host):
            raise ConfigurationError(
                f"Without https in {PREFIX}BASE_URL the hub serves this machine only: "
                f"listen on 127.0.0.1, or set an https address."
            )


def declared_settings() -> Iterator[tuple[str, Setting]]:
    """Give every setting as (field name, row), in the order of the settings table."""
    return ((declared.name, declared.metadata["setting"]) for declared in fields(Settings))


def _refuse_unknown(env: Mapping[str, str], known: set[str]) -> None:
    for variable in sorted(env):
        if variable.startswith(PREFIX) and variable not in known:
            near = difflib.get_close_matches(variable, sorted(known), n=1)
            hint = f"{near[0]} is" if near else "docs/settings.md lists them"
            raise ConfigurationError(f"{variable} is no setting; {hint}.")
