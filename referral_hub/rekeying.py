"""Renewing and destroying keys while the hub runs: the master key, what signs and seals links, a person's own key.

What lives here: the work of ``referral-hub keys``, ``own-file`` and ``erase``. What does not: keys (``keyring``), their
rows (``store.key_rows``), the words on the terminal (``commands.keys``).

A master key is renewed in two steps, because processes that run still wrap under the earlier one for some minutes:
``rotate`` puts a fresh key in front and wraps every data key anew; ``retire`` wraps what came meanwhile, and takes the
earlier keys out of the file once nothing lies under them.

Source: ``engine.md`` 4.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from referral_hub.app import Parts, clock, master_source
from referral_hub.errors import Conflict, InvalidParameter, NotFound
from referral_hub.exchange.building import Draft
from referral_hub.exchange.change import AuditEntry, Change, Row
from referral_hub.exchange.consent_rules import kind_of
from referral_hub.exchange.interactions import hub_write
from referral_hub.exchange.ports import ConsentRow
from referral_hub.fhir import json_codec
from referral_hub.keyring.master import WRAPPING_S, MasterKey, renew_master_key, retire_master_keys
from referral_hub.keyring.own_file import LOOK_AGAIN_S, key_id, read_public
from referral_hub.keyring.ring import FAMILIES, LINKS, renew, rewrap
from referral_hub.store.erasing import erasing_rows
from referral_hub.store.key_rows import KeyRows, own_key_rows
from referral_hub.store.own_file_keeping import OwnFileKeeper

LINK_KEPT_US = 86_400_000_000
"""How long a key that sealed page links is kept after it was replaced: a day, far longer than a link lives."""

SIGNING = "signing"
"""The family of keys that sign ID tokens (``auth.signing_keys``): published before they sign, and a while after."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did: the key in force, how many data keys were wrapped anew, how many earlier keys went."""

    master: str
    wrapped: int
    retired: int = 0


def rotate_master(parts: Parts, step: Callable[[int], None] = lambda _: None) -> Rotated:
    """Puts a fresh master key in front and wraps every data key under it.

    Where the key does not lie in a file, whoever keeps it has put the new one in front already, and everything is
    wrapped under that.

    Args:
        parts: the opened hub.
        step: told, now and then, how many data keys were wrapped anew.
    """
    source = master_source(parts.settings)
    master = renew_master_key(source.file) if source.kind == "file" else source.read()
    wrapped = _wrap_anew(parts, master, step)
    _note(parts, "keys-rotate", f"master {master.name}")
    return Rotated(master.name, wrapped)


def retire_master(
    parts: Parts, *, now: bool = False, step: Callable[[int], None] = lambda _: None
) -> Rotated:
    """Takes earlier master keys out of the file, after wrapping what came meanwhile under the one in force.

    Args:
        parts: the opened hub.
        now: True where no other process of the hub runs, so that nothing has to be waited for.
        step: told, now and then, how many data keys were wrapped anew.

    Raises:
        Conflict: the key was renewed a moment ago, and running processes may not have seen it yet.
    """
    source = master_source(parts.settings)
    if source.kind == "file" and not now:
        age_s = clock() / 1_000_000 - source.file.stat().st_mtime
        if age_s < 2 * WRAPPING_S:
            minutes = int((2 * WRAPPING_S - age_s) // 60) + 1
            raise Conflict(
                f"The master key was renewed a moment ago, and running processes may still use the one before. "
                f"Try again in {minutes} minutes, or say --now if nothing of the hub runs."
            )
    master = source.read()
    wrapped = _wrap_anew(parts, master, step)
    needed = _rows(parts).masters()
    retired = retire_master_keys(source.file, needed) if source.kind == "file" else 0
    _note(parts, "keys-retire", f"master {master.name}")
    return Rotated(master.name, wrapped, retired)


def rotate_family(parts: Parts, family: str) -> str:
    """Makes a further key of a family and gives its name; running processes find it by themselves.

    Keys that sealed page links are destroyed a day after they were replaced. Keys that signed checkpoints stay: the
    checkpoints of the past are checked with them.

    Raises:
        InvalidParameter: there is no such family.
    """
    at_us = clock()
    if family == SIGNING:
        name = parts.signing.add(at_us)
        _note(parts, "keys-rotate", SIGNING)
        return name
    if family not in FAMILIES:
        raise InvalidParameter("family", f"No such family of keys. There are: {', '.join(FAMILIES)}.")
    rows = _rows(parts)
    name = renew(master_source(parts.settings).read(), rows, family, at_us)
    if family == LINKS:
        made = [made_us for _, _, _, made_us in rows.generations(family)]
        for (old, _, _, _), replaced_us in zip(rows.generations(family)[1:], made, strict=False):
            if at_us - replaced_us >= LINK_KEPT_US:
                rows.destroy(old, at_us)
    _note(parts, "keys-rotate", name)
    return name


def _rows(parts: Parts) -> KeyRows:
    return KeyRows(parts.database, parts.writer)


def _wrap_anew(parts: Parts, master: MasterKey, step: Callable[[int], None]) -> int:
    rows = _rows(parts)
    done = 0
    for name, wrapped, before in rows.below_other_masters(master.name):
        made = rewrap(master, name, (wrapped, before))
        rows.replace(name, made.wrapped, made.master, before, clock())
        done += 1
        step(done)
    return done


def _note(parts: Parts, interaction: str, detail: str) -> None:
    """Leaves the line of an operator's act in the audit."""
    with parts.store.snapshot() as snapshot:
        hub = snapshot.hub_organization()
    at_us = clock()
    entry = AuditEntry(
        at_us=at_us,
        action="E",
        interaction=interaction,
        outcome=0,
        organization=hub.facts.id if hub is not None else "",
        oauth_client="",
        user="",
        purpose="",
        person=None,
        detail=json.dumps({"key": detail}).encode("ascii"),
    )
    parts.store.apply(parts.gate.admit_record(parts.hub.ids.public_id(), (entry,)))


# --- an organisation's own key ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """How an own file lies: the name of its key, how many records are sealed, shared for a release, waiting for one."""

    key: str
    sealed: int
    shared: int
    waiting: int


def hold_own_file(
    parts: Parts, organization: str, public: str, *, pause: Callable[[float], None] = time.sleep
) -> Held:
    """Seals an organisation's own file to a key that it holds, from now on and all that is there.

    A second key replaces the first for what is written from now on; what lies under the first still opens with that.

    Args:
        parts: the opened hub.
        organization: its id.
        public: the public key as text; the secret never comes here.
        pause: waits so many seconds, until every process that runs has seen the key.

    Raises:
        InvalidParameter: that is no public key.
        NotFound: there is no such organisation.
        Conflict: it is the network's own organisation, whose work the hub does itself.
    """
    key = read_public(public)
    with parts.store.snapshot() as snapshot:
        found = snapshot.organization(organization)
    if found is None:
        raise NotFound("There is no such organisation.")
    if found.is_hub:
        raise Conflict("The network's own organisation keeps no file of its own: the hub works in its name.")
    name = key_id(key).hex()
    at_us = clock()
    _settle(parts, own_key_rows(organization, name, key, at_us))
    _note(parts, "keys-hold", f"organization {organization} key {name}")
    parts.keyring.own_files.forget()
    keeper = _keeper(parts)
    for _ in range(2):  # what a process wrote open before it saw the key is met the second time
        keeper.seal_all(organization, clock())
        pause(2 * LOOK_AGAIN_S)
    keeper.seal_all(organization, clock())
    return own_file(parts, organization)


def own_file(parts: Parts, organization: str) -> Held:
    """Gives how the own file of an organisation lies.

    Raises:
        NotFound: it holds no key.
    """
    public = parts.keyring.own_files.holders().get(organization)
    if public is None:
        raise NotFound("That organisation holds no key of its own file.")
    return Held(key_id(public).hex(), *_keeper(parts).counts(organization, clock()))


def own_file_holders(parts: Parts) -> list[str]:
    """Gives the ids of the organisations that hold the key of their own file."""
    return sorted(parts.keyring.own_files.holders())


def _keeper(parts: Parts) -> OwnFileKeeper:
    return OwnFileKeeper(parts.database, parts.writer, parts.bodies)


def _settle(parts: Parts, rows: tuple[Row, ...]) -> None:
    change = Change(parts.hub.ids.public_id(), rows=rows)
    parts.store.apply(parts.gate.admit_token(change))


# --- a person's own key ---------------------------------------------------------------------------------


def erase(parts: Parts, patient: str, organization: str, reason: str) -> None:
    """Erases a person: her rows, and her key, so that copies of the rows in backups open no more.

    Args:
        patient: the public id of her Patient.
        organization: the organisation that keeps her record and asks for it.
        reason: why, one word for the audit: ``asked`` (she asked), ``retention`` (the time to keep it is over).

    Raises:
        NotFound: that organisation keeps no such record.
        Conflict: a permission of hers is in force: it is withdrawn first, so that those who received something are
            asked to delete it.
    """
    found: list[int] = []

    def decide(draft: Draft) -> bool:
        found.clear()
        row = draft.working.resource("Patient", patient)
        if row is None or row.deleted or row.author != organization or row.person is None:
            raise NotFound("That organisation keeps no record with this id.")
        if any(_permits(consent) for consent in draft.working.consents(row.person)):
            raise Conflict(
                "A permission of this person is in force. Withdraw it first, so that those who received something "
                "are asked to delete it."
            )
        draft.working.guard_row(row)
        for erased in erasing_rows(row.person, draft.at_us):
            draft.settle(erased)
        draft.audit.append(
            AuditEntry(
                at_us=draft.at_us,
                action="D",
                interaction="erase",
                outcome=0,
                organization=organization,
                oauth_client="",
                user="",
                purpose="",
                person=None,
                entities=(f"Patient/{row.id}/{row.version}",),
                reason=reason,
            )
        )
        found.append(row.person)
        return True

    hub_write(parts.hub, decide)
    parts.keyring.forget(found[0])


def _permits(consent: ConsentRow) -> bool:
    return consent.status == "active" and kind_of(json_codec.decode_own(consent.body)) != "refusal"
