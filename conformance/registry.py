"""The list of checks, filled by the modules of ``conformance.checks`` as they are imported.

What lives here: the decorator that names a check and the list. What does not: running (``conformance.runner``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.lab import Lab

_CHECKS: dict[str, "Check"] = {}


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Args:
        name: area, then what is looked at: ``rest.read.id``.
        title: what it shows, one sentence.
        requirements: the ids of what it proves.
        run: does it, and raises where it does not hold.
        needs: the clients it speaks as.
    """

    name: str
    title: str
    requirements: tuple[str, ...]
    run: "Callable[[Lab], None]"
    needs: tuple[str, ...] = ("author",)


def check(
    name: str, *requirements: str, needs: tuple[str, ...] = ("author",)
) -> "Callable[[Callable[[Lab], None]], Callable[[Lab], None]]":
    """Registers a function as a check; the first line of its docstring is the title."""

    def register(run: "Callable[[Lab], None]") -> "Callable[[Lab], None]":
        add(Check(name, (run.__doc__ or "").strip().partition("\n")[0], requirements, run, needs))
        return run

    return register


def add(one: Check) -> None:
    """Adds a check.

    Raises:
        ValueError: the name is taken, or it proves nothing.
    """
    if one.name in _CHECKS or not one.requirements or not one.title:
        raise ValueError(f"check {one.name}: the name is taken, or it has no requirement or title")
    _CHECKS[one.name] = one


def all_checks() -> Sequence[Check]:
    """Gives every check, in the order of the modules' names and of their lines."""
    package = import_module("conformance.checks")
    for module in sorted(one.name for one in iter_modules(package.__path__)):
        import_module(f"conformance.checks.{module}")
    return tuple(_CHECKS.values())
