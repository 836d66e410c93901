"""The first page of the administration, and what the network decided.

What lives here: ``/admin`` (what needs somebody, as counts) and ``/admin/policies``. What does not: the counts
themselves (``exchange.administration``), changing a setting: that is a file of the operator.

Source: ``practice.md`` 12 and 17; ``interfaces.md`` 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response

from referral_hub.auth.people.browser_sessions import LIFETIMES, Lifetime
from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.consent_templates import template_of
from referral_hub.exchange.accounts import ROLES
from referral_hub.exchange.desk_counts import desk_counts
from referral_hub.exchange.desks import OPEN
from referral_hub.web.portal.admin_room import OFFICE, Administration
from referral_hub.web.portal.frame import Portal

DAY_US = 24 * 3_600_000_000
OLD_KEY_US = 365 * DAY_US
"""After a year a key of the hub is to be renewed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One decision of the network: the key of its sentence, what stands in it, and the setting that holds it."""

    text_key: str
    values: dict[str, object]
    setting: str


def admin_desk_blueprint(portal: Portal, room: Administration) -> Blueprint:
    """Gives the routes."""
    blueprint = Blueprint("admin_desk", __name__)

    @blueprint.get("/admin")
    @portal.staff(*OFFICE)
    def overview(seat: Seat) -> Response:
        signed, now_us = seat.signed, portal.hub.clock()
        network = room.governing.is_network(signed)
        accounts = room.reads.account_counts("" if network else signed.organization, now_us)
        old = [family for family, made_us in room.reads.key_ages() if now_us - made_us > OLD_KEY_US]
        queues = room.reads.queues() if network else []
        return portal.page(
            seat,
            "portal/admin/overview.html",
            network=network,
            accounts=accounts,
            waiting=_waiting(portal, seat),
            given_up=room.reads.given_up_count() if network else 0,
            unreachable=sum(queue.stands for queue in queues),
            queued=sum(queue.waiting for queue in queues),
            old_keys=len(old) if network else 0,
        )

    @blueprint.get("/admin/policies")
    @portal.staff(*OFFICE)
    def policies(seat: Seat) -> Response:
        decided = tuple(_policies(room))
        forms = sorted(room.consent_policy.forms)
        ages = [
            (country, sorted((template_of(code).text_key, age) for code, age in found.alone.items()))
            for country, found in sorted(room.consent_policy.ages.items())
        ]
        return portal.page(seat, "portal/admin/policies.html", policies=decided, forms=forms, ages=ages)

    return blueprint


def _waiting(portal: Portal, seat: Seat) -> int:
    """How many Tasks of the desk wait, as a number: a person is in none of it."""
    found = 0
    for count in desk_counts(portal.hub, seat.token).get("parameter", ()):
        parts = {part["name"]: part for part in count["part"]}
        if parts["status"].get("valueCode") == OPEN:
            found += int(parts["number"]["valueInteger"])
    return found


def _policies(room: Administration) -> Iterator[Policy]:
    settings = room.settings
    yield Policy(
        "admin.policy.consent-default", {"number": settings.consent_default_days}, "CONSENT_DEFAULT_DAYS"
    )
    yield Policy("admin.policy.consent-most", {"number": settings.consent_max_days}, "CONSENT_MAX_DAYS")
    yield Policy(f"admin.policy.evidence.{settings.consent_evidence}", {}, "CONSENT_EVIDENCE")
    yield Policy(f"admin.policy.spoken.{settings.spoken_release}", {}, "SPOKEN_RELEASE")
    yield Policy("admin.policy.small-cell", {"number": settings.small_cell}, "SMALL_CELL")
    second = "required" if settings.second_factor_needed else "offered"
    yield Policy(f"admin.policy.second-factor.{second}", {}, "SECOND_FACTOR")
    for role in ROLES:
        lifetime = _lifetime(settings.session_minutes.get(role), role)
        minutes = {"role_key": f"admin.role.{role}", "idle": lifetime.idle, "most": lifetime.most}
        yield Policy("admin.policy.session", minutes, "SESSION_MINUTES")
    for kind, days in sorted(settings.audit_days.items()):
        key = "admin.policy.audit-days" if days else "admin.policy.audit-for-ever"
        yield Policy(key, {"kind_key": f"admin.audit-kind.{kind}", "number": days}, "AUDIT_DAYS")
    token = int(settings.access_token_lifetime.total_seconds())
    yield Policy("admin.policy.token", {"number": token}, "ACCESS_TOKEN_SECONDS")
    yield Policy("admin.policy.refresh", {"number": settings.refresh_token_days}, "REFRESH_TOKEN_DAYS")
    yield Policy("admin.policy.zone", {"zone": settings.time_zone}, "TIME_ZONE")


def _lifetime(chosen: tuple[int, int] | None, role: str) -> Lifetime:
    return Lifetime(*chosen) if chosen is not None else LIFETIMES[role]
