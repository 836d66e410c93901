"""Whether a row lies within one caller's reach, and whether a caller may ask at all.

What lives here: the facts that tie a caller to a row, looked up beside it, and the questions about the caller alone.
What does not: the arithmetic of reach (``access.reach``), what the organisation sees (``exchange.sight``), the order of
the questions (``exchange.gate``).

Source: ``views.md`` 9 (Roles inside an organisation); ``practice.md`` 12; ``consent.md`` D-03, D-07 and D-10 to D-12.
"""

from referral_hub.access.principal import Principal
from referral_hub.access.reach import REFERRAL_TYPES, Reach, Ties, within
from referral_hub.access.views import directory_view, stored_view
from referral_hub.errors import Forbidden, HubError, InsufficientScope
from referral_hub.exchange.corrections import is_correction
from referral_hub.exchange.openings import Openings, Reader
from referral_hub.exchange.ports import ResourceRow, Standing
from referral_hub.exchange.proposal import Built, Proposal
from referral_hub.exchange.sight import Look, Seen, neutral_name
from referral_hub.exchange.state import Working

_LETTERS = {"create": "c", "update": "u", "patch": "u", "delete": "d", "read": "r", "search": "s"}
_NOT_HERS = frozenset({"AuditEvent", "Provenance", "Subscription", "Group"})
"""Types that are not shown to the person: who looked is told by ``$disclosures``."""


def check_caller(caller: Principal) -> None:
    """Lets a caller in at all.

    Raises:
        Forbidden: the organisation is suspended, or the account has no role that opens anything (403).
    """
    if not caller.organization.active:
        raise Forbidden("This organisation's access is paused. Ask the network's coordinator.")
    reach = caller.reach
    if reach is not None and (reach.kind == "nothing" or caller.user.startswith("RelatedPerson/")):
        raise Forbidden(
            "This account opens nothing here. Ask whoever keeps the accounts of your organisation."
        )


def check_asking(caller: Principal, type_name: str, interaction: str) -> None:
    """Lets a caller ask: the scope of its own context names the type and the interaction.

    Raises:
        Forbidden: facts of the caller alone (403).
        InsufficientScope: the token's scope lacks it (403): fetch a token with more.
    """
    check_caller(caller)
    if not caller.covers(type_name, _LETTERS[interaction]):
        raise InsufficientScope(
            f"The token's scope does not open {interaction} on {type_name}. "
            "Ask for a token whose scope names it."
        )
    if caller.reach is not None and caller.reach.kind == "herself" and type_name in _NOT_HERS:
        raise Forbidden("This is not read here. Who looked at your record is told by $disclosures.")


def may_ask(caller: Principal, type_name: str, interaction: str) -> bool:
    """Tells whether :func:`check_asking` lets a caller ask."""
    try:
        check_asking(caller, type_name, interaction)
    except HubError:
        return False
    return True


def check_lasting(caller: Principal) -> None:
    """Lets software of a whole organisation open what outlives its token: exports and Subscriptions.

    Raises:
        Forbidden: the token stands for one member of staff or for one person (403).
    """
    check_caller(caller)
    if caller.reach is not None:
        raise Forbidden(
            "Exports and Subscriptions are opened by an organisation's own software, not by an account."
        )


def of_herself(caller: Principal) -> bool:
    """Tells whether the person asks about her own record."""
    return caller.reach is not None and caller.reach.kind == "herself"


def check_unbound(caller: Principal) -> None:
    """Lets a caller ask what an organisation wrote of a type.

    Raises:
        Forbidden: the person herself asks, or a token that is bound to one permission (403).
    """
    check_staff(caller)
    if caller.binding is not None:
        raise Forbidden("A token that is bound to one permission asks for the history of one resource.")


def check_working(caller: Principal) -> None:
    """Lets software, and accounts whose role works with persons, ask what is about one.

    Raises:
        Forbidden: an account whose role reads nobody's record, or none (403).
    """
    check_staff(caller)
    if caller.reach is not None and caller.reach.kind == "directory":
        raise Forbidden("This is for those who work with persons.")


def check_staff(caller: Principal) -> None:
    """Lets staff and software of an organisation ask what is no matter of the person's own token.

    Raises:
        Forbidden: the person herself asks (403).
    """
    check_caller(caller)
    if caller.reach is not None and caller.reach.kind == "herself":
        raise Forbidden("This is asked by the organisation that keeps the record.")


def check_writing(caller: Principal, proposal: Proposal) -> None:
    """Lets a caller write at all, whatever it names.

    Raises:
        Forbidden: the person writes nothing but a request to correct her record; an account opens no Subscription
            (403).
    """
    if caller.reach is None:
        return
    if proposal.type_name == "Subscription":
        check_lasting(caller)
    if caller.reach.kind == "herself" and not (
        proposal.verb == "create" and is_correction(proposal.body, caller)
    ):
        raise Forbidden(
            "Your own token writes one thing here: a request to correct your record (a Communication of category "
            "correction-request to the organisation that keeps it). A permission is ended by $revoke."
        )


def check_written(caller: Principal, built: Built, *, reached: bool) -> None:
    """Refuses what a caller would make beyond its reach: what it may not read, it may not write.

    Raises:
        Forbidden: it is about somebody this caller does not work with, or about nobody (403).
    """
    if built.created and not reached:
        raise Forbidden("With this token only records of persons it reaches are written.")


class Reaching:
    """Answers whether a row lies within reach.

    Args:
        openings: what the consents open, for tokens bound to them.
    """

    def __init__(self, openings: Openings) -> None:
        self._openings = openings

    def reaches(
        self,
        caller: Principal,
        reader: Reader,
        row: ResourceRow,
        standing: Standing | None,
        look: Look,
        at_us: int,
        *,
        fresh: bool = False,
    ) -> bool:
        """Tells whether a row that the organisation sees lies within this caller's reach; deleted ones too."""
        reach = caller.reach
        if reach is None:
            return True
        if caller.binding is not None and at_us >= caller.binding.not_after_us:
            return False
        ties = Ties()
        if row.person is not None and reach.person in (None, row.person):
            ties = self._ties(caller, reach, reader, row, standing, look, at_us, fresh=fresh)
        return within(reach, row, ties)

    def _ties(
        self,
        caller: Principal,
        reach: Reach,
        reader: Reader,
        row: ResourceRow,
        standing: Standing | None,
        look: Look,
        at_us: int,
        *,
        fresh: bool,
    ) -> Ties:
        person = row.person
        assigned = asked = live = False
        if person is not None and reach.by_assignment:
            assigned = person in look.assigned(caller.account, (person,))
            asked = reach.kind == "intake" and _asked(row, standing, caller.organization_id)
        if person is not None and reach.bound:
            if standing is None:
                standing = look.standing(person, caller.organization_id, caller.refusal_targets)
            live = "notice" in self._openings.of(reader, standing, look, at_us, fresh=fresh).opened
        return Ties(assigned=assigned, asked=asked, live=live)


def seen_by_herself(caller: Principal, row: ResourceRow, look: Look) -> Seen | None:
    """Gives how the person sees a row: what is about her as it was written, the directory as everybody does."""
    if row.deleted or caller.reach is None or not within(caller.reach, row, Ties()):
        return None
    if row.person is not None:
        return Seen(stored_view(caller.organization_id))
    shelter = row.kind == "shelter"
    return Seen(directory_view(reader="", shelter=shelter, neutral_name=neutral_name(row, look)))


def _asked(row: ResourceRow, standing: Standing | None, me: str) -> bool:
    """Tells whether a referral to the organisation that it has not answered yet leads to the row."""
    if row.type not in REFERRAL_TYPES or row.author == me or standing is None:
        return False
    for access in standing.accesses:
        link = {"Task": access.task, "ServiceRequest": access.service_request}.get(row.type, access.person)
        waiting = not (access.back or access.accepted) and access.level != "history"
        if link == row.row_id and access.organization == me and waiting:
            return True
    return False


def reader_of(caller: Principal) -> Reader:
    """Gives what a decision needs of a caller."""
    return Reader(
        caller.organization,
        caller.refusal_targets,
        caller.purpose,
        caller.role,
        caller.opens_very_restricted,
        caller.binding,
        caller.reach is not None and caller.reach.kind == "herself",
    )


def standing_of(caller: Principal, row: ResourceRow, working: Working) -> tuple[Standing | None, bool]:
    """Gives how the caller's organisation stands to the person of a row, and whether this write changes that."""
    if row.person is None:
        return None, False
    standing = working.standing(row.person, caller.organization_id, caller.refusal_targets)
    return standing, working.changed_consents(row.person)
