"""Words that several papers share: days, kinds of information, purposes, names of languages.

What lives here: looking a code up in the sentences of a language. What does not: the sentences (``texts``).

Source: ``practice.md`` (words on pages and paper); Unicode CLDR (dates); Unicode Standard Annex 9 (isolates).
"""

from datetime import date, timedelta
from functools import cache

from referral_hub.texts.catalogs import LANGUAGES, Catalog


def word(said: Catalog, group: str, code: str) -> str:
    """Gives the words for a code; a code without words (one a network registered) as it is, dashes as spaces.

    Args:
        said: the sentences of a language.
        group: ``category``, ``purpose``, ``capacity`` and so on.
        code: the code.

    >>> from referral_hub.texts.catalogs import catalog
    >>> word(catalog("pl"), "category", "housing")
    'mieszkanie'
    >>> word(catalog("en"), "purpose", "residence-permit")
    'residence permit'
    """
    try:
        return said.text(f"paper.{group}.{code.lower()}")
    except KeyError:
        return code.replace("-", " ")


def own(text: str) -> str:
    r"""Gives what came from outside so that it keeps its own direction inside a sentence: between isolates.

    >>> own("+48 555").encode("ascii", "backslashreplace")
    b'\\u2068+48 555\\u2069'
    """
    return f"\u2068{text}\u2069"


def day(language: str, at: date) -> str:
    """Gives a day as people of a language write it, with Western digits.

    >>> day("en", date(2026, 11, 24)), day("pl", date(2026, 11, 24))
    ('24 November 2026', '24 listopada 2026')
    """
    from babel.dates import format_date

    return format_date(at, "d MMMM y", locale=_locale(language)).replace("\u202f", " ")


def ago(language: str, days: int) -> str:
    """Gives how long something is ago.

    >>> ago("en", 3), ago("pl", 3)
    ('3 days ago', '3 dni temu')
    """
    from babel.dates import format_timedelta

    gone = timedelta(days=-days)
    return format_timedelta(gone, add_direction=True, threshold=1.5, locale=_locale(language))


@cache
def _locale(language: str) -> str:
    return {"en": "en_GB"}.get(language, language)


def own_name(language: str) -> str:
    """Gives what a language calls itself.

    >>> own_name("pl")
    'polski'
    """
    return LANGUAGES.get(language, language)
