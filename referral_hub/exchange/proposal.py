"""A proposal: what a caller wants to write, before anything is decided; and the answer to one that was done.

What lives here: frozen shapes. What does not: the decision (``exchange.gate``), the walk (``exchange.interactions``).
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from referral_hub.exchange.ports import ResourceRow
from referral_hub.fhir.patch import Operation

Verb = Literal["create", "update", "patch", "delete"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One write as it was asked for.

    ``body`` is the decoded resource (create, update), ``patch`` the decoded JSON Patch. ``if_match`` is the
    version part of the ETag the caller named. ``if_none_exist`` is the criteria text of a conditional create.
    ``reserved_id`` is set inside a transaction, where ids are given before the entries are read.
    """

    verb: Verb
    type_name: str
    public_id: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    patch: tuple[Operation, ...] = ()
    if_match: str = ""
    if_none_exist: str = ""
    reserved_id: str = ""


@dataclass(frozen=True, slots=True)
class Built:
    """What one admitted proposal came to: the row the caller is answered with; its rows lie in the Draft.

    ``existing`` is True where a conditional create found its one match and nothing is written.
    """

    row: ResourceRow
    created: bool = False
    existing: bool = False
    deleted: bool = False
