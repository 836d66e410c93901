"""What was signed on a form, read in one way for permissions and for a no that is taken back, and its paper.

What lives here: that. What does not: the fields (``web.portal.permission_fields``), the pages that are signed
(``web.portal.signing_pages``, ``web.portal.never_pages``), what a signature means (``casework.permission_forms``).

Source: ``practice.md`` 2; ``consent.md`` F-21.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.permission_forms import Attached, Signature, binary_of, signed_paper
from referral_hub.casework.scans import LARGEST
from referral_hub.exchange.proposal import Proposal
from referral_hub.papers.permission_form import form_digest
from referral_hub.web.portal.permission_desk import PermissionDesk
from referral_hub.web.portal.permission_fields import attached_of, mark_of, signature_of

LARGEST_FORM = LARGEST + 200_000
"""Bytes of a form with a scan."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a form that is being signed came to: the signature, its paper's attachment, and what is missing."""

    signature: Signature
    attached: Attached | None
    mark: str
    missing: dict[str, str]


def read_signed(
    desk: PermissionDesk, seat: Seat, patient: str, form: Mapping[str, str], language: str
) -> Signed:
    """Gives what was signed; ``missing`` holds the key of a sentence for each field that is not as it must be.

    Args:
        desk: what the pages work with.
        seat: who read the form to her.
        patient: public id of her record.
        form: the fields.
        language: the one she read or heard it in.
    """
    missing: dict[str, str] = {}
    if form.get("now") not in ("yes", "no"):
        missing["now"] = "permission.wrong.now"
    signature = signature_of(
        form,
        language=language,
        digest=form_digest(desk.shown_language(language)),
        reader=seat.signed.organization,
        herself=f"Patient/{patient}",
        missing=missing,
    )
    mark = mark_of(form, missing)
    attached = attached_of(form, desk.portal.hub.ids.public_id(), missing)
    return Signed(signature, attached, mark, missing)


def paper_of(
    desk: PermissionDesk, patient: str, lines: Sequence[str], found: Signed
) -> tuple[str, list[Proposal]]:
    """Gives the reference of the paper that was signed, and what writes it: the words, and the scan where there is one.

    Args:
        desk: what the pages work with.
        patient: public id of her record.
        lines: what stands on the paper.
        found: what was signed.
    """
    document = desk.portal.hub.ids.public_id()
    paper = f"DocumentReference/{document}"
    body = signed_paper(f"Patient/{patient}", list(lines), found.signature, found.attached, desk.now_us)
    proposals = [Proposal("create", "DocumentReference", body=body, reserved_id=document)]
    if found.attached is not None:
        scan = binary_of(found.attached, paper)
        proposals.append(Proposal("create", "Binary", body=scan, reserved_id=found.attached.binary))
    return paper, proposals
