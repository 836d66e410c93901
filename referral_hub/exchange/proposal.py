"""A proposal: what a caller wants to write, before anything is decided; and the answer to one that was done.

What lives here: frozen shapes. What does not: the decision (``exchange.gate``), the walk (``exchange.interactions``).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from referral_hub.exchange.ports import ResourceRow

Verb = Literal["create", "update", "patch", "delete"]
Patch = Callable[[dict[str, Any]], dict[str, Any]]
"""A patch that was read: gives the patched resource, or raises ``PatchFailed``."""


def _unpatched(body: dict[str, Any]) -> dict[str, Any]:
    return body


@dataclass(frozen=True, slots=True)
class Proposal:
    """One write as it was asked for.

    ``body`` is the decoded resource (create, update), ``patch`` the patch that was read. ``if_match`` is the
    version part of the ETag the caller named. ``if_none_exist`` is the criteria text of a conditional create,
    ``criteria`` that of a conditional update, patch or delete, which names no id.
    ``reserved_id`` is set inside a transaction, where ids are given before the entries are read; ``place`` is where
    the entry stands in it.
    """

    verb: Verb
    type_name: str
    public_id: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    patch: Patch = _unpatched
    if_match: str = ""
    criteria: str = ""
    if_none_exist: str = ""
    reserved_id: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Built:
    """What one admitted proposal came to: the row the caller is answered with; its rows lie in the Draft.

    ``existing`` is True where a conditional create found its one match and nothing is written.
    """

    row: ResourceRow
    created: bool = False
    existing: bool = False
    deleted: bool = False
