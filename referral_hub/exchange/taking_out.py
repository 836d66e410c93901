"""What a member of staff takes out of the hub by hand: a print, a copied text, a list. Each is counted and told to her.

What lives here: leaving that line. What does not: what may be shown (the reads and searches before it), the paper or
the list itself (``papers``, ``casework``).

Source: ``practice.md`` 12 (prints and exports are counted and shown to her); ``consent.md`` P-16.
"""

from collections.abc import Iterable
from typing import Literal

from referral_hub.exchange.audit import read_entry
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.reaching import check_working
from referral_hub.exchange.state import Working

How = Literal["print", "list-export"]
TAKEN_OUT: frozenset[str] = frozenset({"print", "list-export"})
"""Interactions of such lines; ``$disclosures`` tells them."""


def record_taking_out(hub: Hub, token_digest: bytes, how: How, references: Iterable[str]) -> int:
    """Leaves one line for each person something of whom is taken out, and gives how many persons these are.

    Call it before the paper, text or list is given. What the caller does not see leaves no line.

    Args:
        hub: store, gate and clock.
        token_digest: of the member of staff.
        how: ``print`` for paper and copied text, ``list-export`` for a list.
        references: ``Type/id`` of everything that is taken out.

    Raises:
        Forbidden: a role that works with nobody, or the person herself (403).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        check_working(caller)
        working = Working(snapshot)
        persons: dict[int | None, list[str]] = {}
        for row in working.resources(references).values():
            if not row.deleted and hub.gate.sees(caller, row, working, at_us):
                persons.setdefault(row.person, []).append(f"{row.type}/{row.id}/{row.version}")
    entries = tuple(
        read_entry(caller, how, person, entities, (), at_us, own=True) for person, entities in persons.items()
    )
    if entries:
        hub.store.spool(entries, durable=True)
    return len(persons)
