"""Profiles: what a resource must be beyond R4, once it claims a profile or one is in force for it.

What lives here: :func:`check_profile` for one profile and :func:`check_claims` for those that a resource names
in ``meta.profile``, made from the tables once and kept. What does not: R4's own rules
(:mod:`referral_hub.fhir.field_rules`), the tables (:mod:`referral_hub.fhir.profile_tables`), single elements
(:mod:`referral_hub.fhir.demand_rules`), and which profile is in force without being claimed (``exchange``).

Source: FHIR R4 ``profiling.html``, ``resource.html#Meta`` (profile).
"""

from functools import cache
from typing import Any

from referral_hub.fhir.demand_rules import Check, demand_check
from referral_hub.fhir.element_tables import index
from referral_hub.fhir.profile_tables import profile
from referral_hub.fhir.structure_rows import CORE
from referral_hub.fhir.validation_run import Json, Path, Run

_ANY = frozenset({"Resource", "DomainResource"})


def check_profile(url: str, value: Json, path: Path, run: Run) -> bool:
    """Checks a resource against one profile and notes what is wrong.

    Args:
        url: the canonical URL of the profile, without a version.
        value: a resource, not necessarily a valid one.
        path: its place.
        run: where problems are noted.

    Returns:
        False if the profile is not known here; then nothing was checked.
    """
    table = profile(url)
    if table is None:
        return False
    if value.get("resourceType") != table.type_name:
        run.add("structure", f"The profile {_short(url)} is one of {table.type_name}.", path)
        return True
    _compiled(url)(value, None, path, table.type_name, run)
    return True


def check_claims(value: Json, path: Path, run: Run) -> None:
    """Checks a resource against every profile it claims and that is known here.

    A profile that is not known is no reason to refuse: it is told where best practices are.
    """
    meta = value.get("meta")
    claims = meta.get("profile") if type(meta) is dict else None
    if type(claims) is list:
        for position, claim in enumerate(claims):
            if isinstance(claim, str):
                _check_claim(claim, value, path, position, run)


def _check_claim(claim: str, value: Json, path: Path, position: int, run: Run) -> None:
    place: Path = ((path, "meta", -1), "profile", position)
    url, _, version = claim.partition("|")
    name = url.removeprefix(CORE)
    if url.startswith(CORE) and (name in index().resource_types or name in _ANY):
        if name not in _ANY and name != value.get("resourceType"):
            run.add("structure", f"The profile claimed here is one of {name}.", place)
        return
    table = profile(url)
    if table is None or version not in ("", table.version):
        if run.with_warnings:
            text = "This profile is not known here in this version, so nothing was judged by it."
            run.add("not-supported", text, place, "warning")
        return
    check_profile(url, value, path, run)


@cache
def _compiled(url: str) -> Check:
    table = profile(url)
    if table is None:
        raise KeyError(url)
    return demand_check(table.demand, _short(url), (table.type_name,), _follows)


def _follows(url: str, value: Any, run: Run) -> bool:
    """Says whether a value follows a profile, and notes nothing."""
    table = profile(url)
    if table is None or not isinstance(value, dict):
        return False
    silent = Run(run.root, run.resource, bundle=run.bundle)
    _compiled(url)(value, None, (None, table.type_name, -1), table.type_name, silent)
    return not any(issue.is_error for issue in silent.issues)


def _short(url: str) -> str:
    return url.rpartition("/")[2]
