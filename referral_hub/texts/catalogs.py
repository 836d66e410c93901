"""The sentences of one language: read from its file when they are first needed.

What lives here: languages, the choice between them, and ``Catalog``. What does not: layout and escaping
(``web.pages``), and the words of errors of the FHIR API, which stand where the error is raised.

Each language is one file, ``texts/<language>.po``, in the format of GNU gettext, so that translators use the tools
they know. The key of a sentence is its ``msgid`` (``sign-in.title``); values stand in braces (``{minutes}``).
What a language lacks is said in English. A key that English lacks is a fault, and a test finds it.

Source: ADR 0029; GNU gettext, the format of PO files.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

LANGUAGES: Mapping[str, str] = MappingProxyType(
    {"en": "English", "pl": "polski", "uk": "українська", "es": "español", "ar": "العربية"}
)
"""Language codes (BCP 47) and what each language calls itself."""
RIGHT_TO_LEFT = frozenset({"ar"})
DEFAULT = "en"

_FOLDER = Path(__file__).parent


class Catalog:
    """The sentences of one language, with the English ones behind them.

    Args:
        language: a key of :data:`LANGUAGES`.
        sentences: key to sentence; where a number decides, key to the sentences of each plural form.
        plural: gives which plural form a number takes.
        behind: the English catalog; None for English itself.
    """

    def __init__(
        self,
        language: str,
        sentences: Mapping[str, str | tuple[str, ...]],
        plural: "Plural",
        behind: "Catalog | None" = None,
    ) -> None:
        self.language = language
        self.sentences = sentences
        self._plural = plural
        self._behind = behind

    @property
    def direction(self) -> str:
        """Gives ``rtl`` or ``ltr``, as HTML's ``dir`` takes it."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    def sentence(self, key: str, number: int | None = None) -> str:
        """Gives the sentence of a key, its values still in braces.

        Args:
            key: such as ``sign-in.title``.
            number: decides the plural form, where the sentence has several.

        Raises:
            KeyError: no language has it.

        >>> catalog("en").sentence("page.skip")
        'Go to the content'
        """
        found = self.sentences.get(key)
        if not found:
            if self._behind is None:
                raise KeyError(key)
            return self._behind.sentence(key, number)
        if isinstance(found, str):
            return found
        return found[self._plural(0 if number is None else number)]

    def text(self, key: str, number: int | None = None, **values: object) -> str:
        """Gives the sentence with its values; for letters and paper (pages escape: ``web.pages``)."""
        return self.sentence(key, number).format(number=number, **values)


class Plural:
    """Which plural form a number takes, by the rules of the Unicode CLDR.

    Args:
        language: a language code.
        forms: how many forms the file of the language has.

    >>> [Plural("pl", 3)(number) for number in (1, 2, 5)]
    [0, 1, 2]
    """

    def __init__(self, language: str, forms: int) -> None:
        from gettext import c2py

        from babel.messages.plurals import get_plural

        self._rule = c2py(get_plural(language).plural_expr)
        self._last = forms - 1

    def __call__(self, number: int) -> int:
        """Gives the place of the form, from 0."""
        return min(int(self._rule(number)), self._last)


@cache
def catalog(language: str) -> Catalog:
    """Gives the catalog of a language; its file is read once per process.

    Raises:
        KeyError: the hub does not speak it.
    """
    from babel.messages.pofile import read_po

    if language not in LANGUAGES:
        raise KeyError(language)
    with (_FOLDER / f"{language}.po").open("rb") as file:
        messages = read_po(file, locale=language)
    sentences: dict[str, str | tuple[str, ...]] = {}
    for message in messages:
        key = message.id if isinstance(message.id, str) else message.id[0]
        if key and not message.fuzzy:
            said = message.string
            sentences[key] = said if isinstance(said, str) else tuple(said or ())
    behind = None if language == DEFAULT else catalog(DEFAULT)
    return Catalog(language, MappingProxyType(sentences), Plural(language, messages.num_plurals), behind)


def chosen(wanted: Iterable[str]) -> str:
    """Gives the first wanted language that the hub speaks, else English.

    Args:
        wanted: BCP 47 tags, the most wanted first; a tag's language decides.

    >>> chosen(["de", "pl-PL", "en"])
    'pl'
    """
    for tag in wanted:
        language = tag.replace("_", "-").split("-")[0].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT
