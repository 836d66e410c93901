"""What a Change does to own files: seals what is written, makes network copies, ends them.

What lives here: ``OwnFilePlan``, made for one Change and only where some organisation holds its key. What does not: the
statements and which rows are meant (``store.own_file``), keys (``keyring.own_file``).

A version that is written is in the clear at that moment, so its copy is made without any key where a release covers it.
For what was written before, the key of its author has to be there: it comes with the request that signs the release, or
with any later one that writes about the same person. Until then the release shows nothing of those rows. After a
rotation such a request brings both keys, and what lies under the earlier one is sealed anew.

Source: ``engine.md`` 4.
"""

from collections.abc import Mapping
from typing import Any

from referral_hub.exchange.change import Change, ResourceWrite
from referral_hub.store.bodies import OWN, OwnFiles, body_label
from referral_hub.store.own_file import close_steps, guards_of, is_own_file, seal_steps, share_steps
from referral_hub.store.plan import Step, many


class OwnFilePlan:
    """Collects what one Change does to own files.

    Args:
        own_files: the keys that organisations hold.
        holders: their public keys by organisation.
        change: the Change.
        at_us: now, microseconds UTC.
    """

    def __init__(self, own_files: OwnFiles, holders: Mapping[str, bytes], change: Change, at_us: int) -> None:
        self._own_files = own_files
        self._holders = holders
        self._change = change
        self._at_us = at_us
        self._offers: dict[tuple[int, str], dict[str, Any]] = {}
        self._persons: set[int] = set()

    def sealed(self, write: ResourceWrite, body_format: int, inner: bytes) -> tuple[int, bytes]:
        """Gives a version's bytes as its row holds them: of an own file sealed to its author as well.

        Args:
            write: the version.
            body_format: of ``inner``.
            inner: the body, sealed under the person's key.
        """
        public = self._holders.get(write.author)
        if public is None or not is_own_file(write):
            return body_format, inner
        offer = {"row_id": write.row_id, "version": write.version, "body": inner}
        self._offers[write.row_id, write.version] = offer
        if write.person is not None:
            self._persons.add(write.person)
        return OWN, self._own_files.seal(public, inner, body_label(write.id, write.version))

    def work(self) -> tuple[list[Step], list[Step]]:
        """Gives the guards and the last steps of the Change, after everything was sealed."""
        change = self._change
        ending = {rows.person for rows in change.consents}
        ending |= {access.person for access in change.accesses if access.person is not None}
        ending |= {
            write.person
            for write in change.resources
            if write.person is not None and write.author in self._holders and not write.body
        }
        persons = ending | self._persons
        steps: list[Step] = []
        if self._own_files.is_given():
            steps += self._under_key_in_force(persons)
            self._bring_forward(persons)
        steps += [
            *close_steps(ending, self._at_us),
            *share_steps(self._offers.values(), self._at_us),
        ]
        return guards_of(persons), steps

    def _under_key_in_force(self, persons: set[int]) -> list[Step]:
        """Seals to the key in force what lies under an earlier one, where the request brings both."""
        sealed: list[dict[str, Any]] = []
        laid_by: list[dict[str, Any]] = []
        for organization, public in self._holders.items():
            for person in sorted(persons):
                for row_id, public_id, version, stored, here in self._own_files.earlier(
                    person, organization, public
                ):
                    label = body_label(public_id, version)
                    inner = self._own_files.open(stored, label)
                    if inner is None:
                        continue
                    outer = self._own_files.seal(public, inner, label)
                    one = {"row_id": row_id, "version": version, "body": outer}
                    if here:
                        sealed.append({**one, "before": OWN})
                    else:
                        laid_by.append(one)
        return [*seal_steps(sealed), *many("own_file_seal_own_body", laid_by)]

    def _bring_forward(self, persons: set[int]) -> None:
        """Offers copies of what was written before, as far as the keys of this request open it."""
        grants = [grant for rows in self._change.consents for grant in rows.grants]
        written = {write.row_id for write in self._change.resources}
        for person in sorted(persons):
            mine = [grant for grant in grants if grant.person == person]
            categories = sorted({grant.category for grant in mine if grant.category})
            names = sorted({grant.resource for grant in mine if grant.resource})
            found = self._own_files.locked(person, categories, names, self._at_us)
            for row_id, public_id, version, stored in found:
                inner = self._own_files.open(stored, body_label(public_id, version))
                if inner is not None and row_id not in written:
                    offer = {"row_id": row_id, "version": version, "body": inner}
                    self._offers[row_id, version] = offer
