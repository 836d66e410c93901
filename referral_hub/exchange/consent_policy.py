"""What a network has decided about permissions: lengths, evidence, forms, spoken bridges, and the ages of the law.

What lives here: the decisions as data, and reading them from the text of a policy file. What does not: the file
itself (``referral_hub.app`` opens it), the rules that use them (``exchange.consent_rules`` and beside it).

What a file does not say is decided the strict way: nobody under eighteen agrees alone.

Source: ``practice.md`` 2, 4 and 7; ``consent.md`` C-34 and F-13.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from referral_hub.errors import ConfigurationError

ADULT_YEARS = 18
"""When a guardian's part ends, whatever the place."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PLACE = re.compile(r"[A-Z]{2}|default")


@dataclass(frozen=True, slots=True)
class Form:
    """One version of the form: whether it may still be signed, and the SHA-256 of its text in each language."""

    current: bool
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Ages:
    """Ages in years by the law of one place from which a minor alone agrees, by purpose."""

    alone: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class ConsentPolicy:
    """What a network demands of a signature.

    ``evidence`` full: language, text digest, kind of signature, reader and explaining back are on every permission,
    and an interpreter where she needs one. ``spoken`` bridge: a spoken permission for 72 hours is possible.
    ``forms`` by ``policy.uri``; where there are none, any version is taken.
    """

    evidence: Literal["basic", "full"] = "basic"
    spoken: Literal["off", "bridge"] = "off"
    forms: Mapping[str, Form] = field(default_factory=lambda: MappingProxyType({}))
    ages: Mapping[str, Ages] = field(default_factory=lambda: MappingProxyType({}))

    def ages_in(self, country: str) -> Ages:
        """Gives the ages of a country, else those of ``default``, else none: nobody under eighteen agrees alone.

        >>> dict(ConsentPolicy().ages_in("PL").alone)
        {}
        """
        return self.ages.get(country) or self.ages.get("default") or Ages()


@dataclass(frozen=True, slots=True)
class ConsentLimits:
    """How long a permit may run in this network: the default, and the most without a legal note, in days."""

    default_days: int
    most_days: int
    policy: ConsentPolicy = field(default_factory=ConsentPolicy)


def policy_tables(text: str) -> tuple[Mapping[str, Form], Mapping[str, Ages]]:
    r"""Reads the forms and the ages of a policy file.

    Args:
        text: TOML with the tables ``forms`` and ``minors``.

    Raises:
        ConfigurationError: it cannot be read, or says something that is not known; nothing is guessed.

    >>> forms, ages = policy_tables('[minors.PL]\nalone = {TREAT = 16}')
    >>> ages["PL"].alone["TREAT"]
    16
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise _unusable(f"is no TOML: {problem}") from None
    _known(given, {"forms", "minors"}, "the file")
    forms = {uri: _form(uri, row) for uri, row in _table(given.get("forms", {}), "forms").items()}
    ages = {place: _ages(place, row) for place, row in _table(given.get("minors", {}), "minors").items()}
    return MappingProxyType(forms), MappingProxyType(ages)


def _form(uri: str, row: Any) -> Form:
    row = _table(row, f"form {uri}")
    _known(row, {"state", "texts"}, f"form {uri}")
    if row.get("state") not in ("current", "retired"):
        raise _unusable(f"form {uri}: state is current or retired")
    texts = _table(row.get("texts", {}), f"form {uri}")
    if not all(isinstance(digest, str) and _DIGEST.fullmatch(digest) for digest in texts.values()):
        raise _unusable(f"form {uri}: a text is named by 64 hexadecimal digits in small letters")
    return Form(row["state"] == "current", MappingProxyType(dict(texts)))


def _ages(place: str, row: Any) -> Ages:
    row = _table(row, f"minors {place}")
    _known(row, {"alone"}, f"minors {place}")
    if not _PLACE.fullmatch(place):
        raise _unusable(f"minors {place}: name a country by two capital letters, or default")
    alone = _table(row.get("alone", {}), f"minors {place}")
    if not all(type(years) is int and 0 < years < ADULT_YEARS for years in alone.values()):
        raise _unusable(f"minors {place}: an age is a whole number of years below {ADULT_YEARS}")
    return Ages(MappingProxyType(dict(alone)))


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unusable(f"{where} is a table")
    return value


def _known(row: dict[str, Any], names: set[str], where: str) -> None:
    for name in row:
        if name not in names:
            raise _unusable(f"{where}: {name} is not known; {', '.join(sorted(names))} are")


def _unusable(text: str) -> ConfigurationError:
    return ConfigurationError(f"REFERRAL_HUB_CONSENT_POLICY_FILE cannot be used: {text}.")
