"""Reading FHIRPath text into a tree.

What lives here: the tokens, the tree and the parser. What does not: what anything in the tree means
(:mod:`referral_hub.fhir.fhirpath.compiler`).

Source: FHIRPath 2.0, appendix B (grammar) and section 6.8 (precedence).
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

ESCAPES = {"f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[0-9]+(?:\.[0-9]+)?)
    | (?P<text>'(?:[^'\\]|\\.)*')
    | (?P<quoted>`(?:[^`\\]|\\.)*`)
    | @(?P<moment>T?[0-9][0-9T:.+\-Z]*)
    | %(?P<variable>[A-Za-z_][A-Za-z0-9_\-]*|`[^`]+`|'[^']+')
    | \$(?P<special>this|index|total)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<operator><=|>=|!=|!~|[.()\[\]{},|&+\-*/=~<>])
    )""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)

# From what binds loosest to what binds tightest; `is` and `as` stand between the last two levels.
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"implies"}),
    frozenset({"or", "xor"}),
    frozenset({"and"}),
    frozenset({"in", "contains"}),
    frozenset({"=", "~", "!=", "!~"}),
    frozenset({"<=", "<", ">", ">="}),
    frozenset({"|"}),
    frozenset({"is", "as"}),
    frozenset({"+", "-", "&"}),
    frozenset({"*", "/", "div", "mod"}),
)


class BadExpression(ValueError):
    """The text is not FHIRPath."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the expression; None stands for the empty collection."""

    value: str | int | Decimal | bool | None


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, a dateTime or a time written in the expression, without its ``@``."""

    text: str


@dataclass(frozen=True, slots=True)
class This:
    """``$this``: what the expression is asked about at this point."""


@dataclass(frozen=True, slots=True)
class Variable:
    """``%name``: a value the environment gives."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """The children of a name; ``source`` is what they are children of."""

    source: "Tree"
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function asked of ``source``."""

    source: "Tree"
    name: str
    arguments: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """Two expressions with an operator between them."""

    operator: str
    left: "Tree"
    right: "Tree"


@dataclass(frozen=True, slots=True)
class TypeQuestion:
    """``is`` (a question) or ``as`` (a filter), with the name of a type."""

    operator: str
    source: "Tree"
    type_name: str


Tree = Literal | Moment | This | Variable | Member | Call | Binary | TypeQuestion


def parse(text: str) -> Tree:
    """Gives the tree of an expression.

    Raises:
        BadExpression: the text does not follow the grammar.

    >>> parse("name.exists()")
    Call(source=Member(source=This(), name='name'), name='exists', arguments=())
    """
    reader = _Reader(_tokens(text))
    tree = reader.expression(0)
    if reader.peek() is not None:
        raise BadExpression(f"unexpected {reader.peek()!r}")
    return tree


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None or match.lastgroup is None:
            raise BadExpression(f"cannot read the expression at character {position}")
        found.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return found


def _unescape(quoted: str) -> str:
    def plain(match: re.Match[str]) -> str:
        escape = match[1]
        return chr(int(escape[1:], 16)) if len(escape) == 5 else ESCAPES.get(escape, escape)

    return _ESCAPED.sub(plain, quoted[1:-1])


class _Reader:
    """Walks over the tokens once, from left to right."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._position = 0

    def peek(self) -> str | None:
        """Gives the text of the next token; None at the end."""
        return self._tokens[self._position][1] if self._position < len(self._tokens) else None

    def _next(self) -> tuple[str, str]:
        if self._position >= len(self._tokens):
            raise BadExpression("the expression ends too early")
        self._position += 1
        return self._tokens[self._position - 1]

    def _take(self, text: str) -> bool:
        if self._position < len(self._tokens) and self._tokens[self._position] == ("operator", text):
            self._position += 1
            return True
        return False

    def _demand(self, text: str) -> None:
        if not self._take(text):
            raise BadExpression(f"{text!r} is missing before {self.peek()!r}")

    def expression(self, level: int) -> Tree:
        """Reads everything that binds at least as tightly as this level."""
        if level == len(_LEVELS):
            return self._signed()
        left = self.expression(level + 1)
        while self._position < len(self._tokens):
            kind, text = self._tokens[self._position]
            if kind not in ("operator", "name") or text not in _LEVELS[level]:
                break
            self._position += 1
            if text in ("is", "as"):
                left = TypeQuestion(text, left, self._type_name())
            else:
                left = Binary(text, left, self.expression(level + 1))
        return left

    def _signed(self) -> Tree:
        if self._take("-"):
            return Binary("-", Literal(0), self._signed())
        self._take("+")
        return self._path()

    def _path(self) -> Tree:
        tree = self._term()
        while True:
            if self._take("."):
                tree = self._invocation(tree)
            elif self._take("["):
                tree = Call(tree, "[]", (self.expression(0),))
                self._demand("]")
            else:
                return tree

    def _term(self) -> Tree:
        if self._take("("):
            tree = self.expression(0)
            self._demand(")")
            return tree
        if self._take("{"):
            self._demand("}")
            return Literal(None)
        kind, text = self._next()
        value = _literal(kind, text)
        if value is not None:
            return value
        self._position -= 1
        return self._invocation(This())

    def _invocation(self, source: Tree) -> Tree:
        kind, text = self._next()
        if kind == "quoted":
            return Member(source, _unescape(text))
        if kind != "name":
            raise BadExpression(f"a name is missing before {text!r}")
        if not self._take("("):
            return Member(source, text)
        arguments: list[Tree] = []
        if not self._take(")"):
            arguments.append(self.expression(0))
            while self._take(","):
                arguments.append(self.expression(0))
            self._demand(")")
        return Call(source, text, tuple(arguments))

    def _type_name(self) -> str:
        tree = self._invocation(This())
        while self._take("."):
            tree = self._invocation(tree)
        return type_name_of(tree)


def type_name_of(tree: Tree) -> str:
    """Gives the type that a tree in the place of a type names, without ``FHIR.`` or ``System.``.

    Raises:
        BadExpression: the tree is no name.
    """
    if isinstance(tree, Member):
        return tree.name
    raise BadExpression("the name of a type is missing")


def _literal(kind: str, text: str) -> Tree | None:
    plain: dict[str, Any] = {
        "number": lambda: Literal(Decimal(text) if "." in text else int(text)),
        "text": lambda: Literal(_unescape(text)),
        "moment": lambda: Moment(text),
        "variable": lambda: Variable(text.strip("`'")),
    }
    if kind in plain:
        made: Tree = plain[kind]()
        return made
    if kind == "special":
        if text != "this":
            raise BadExpression(f"${text} is not supported")
        return This()
    if kind == "name" and text in ("true", "false"):
        return Literal(text == "true")
    return None
