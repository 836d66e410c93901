"""``verify-audit``, ``audit-retention`` and ``doctor``: does the audit hold, what of it is over, is the hub well."""

import os

import click

from referral_hub.commands.telling import as_json, progress, settings_here, tell


@click.command("verify-audit")
@as_json
@click.pass_context
def verify_audit(context: click.Context, *, json_wanted: bool) -> None:
    """Check the hash chain of the audit and the disclosure ledger; name the first broken link.

    Everything that waits in the spool is read in and sealed first. It can be run beside `serve`.
    """
    from referral_hub.checks import AUDIT_STEPS, check_audit
    from referral_hub.founding import opened_hub

    with opened_hub(settings_here()) as parts, progress("verifying the audit", AUDIT_STEPS) as step:
        found = check_audit(parts, step=step)
    if found.broken:
        line = f"The audit does not hold: {found.broken}. {found.links} links before it hold."
    else:
        line = f"The audit holds: {found.links} links, and the ledger tells the same."
    fields = {"holds": not found.broken, "links": found.links, "broken": found.broken}
    tell([line], fields, json_wanted=json_wanted)
    context.exit(1 if found.broken else 0)


@click.command("audit-retention")
@click.option("--remove", "wants_removal", is_flag=True, help="take away now what is over its time")
@as_json
def audit_retention(*, wants_removal: bool, json_wanted: bool) -> None:
    """Say how long each kind of audit line is kept, and how many are over their time.

    The delivery process takes them away within the hour; --remove does it now. It can be run beside `serve`.
    """
    from referral_hub.app import clock
    from referral_hub.delivering import retention_of
    from referral_hub.founding import opened_hub

    with opened_hub(settings_here()) as parts:
        retention, now_us, days = retention_of(parts), clock(), parts.settings.audit_days
        over = retention.over(now_us)
        removed = retention.remove(now_us) if wants_removal else None
    lines = [
        f"{kind}: kept {f'{days[kind]} days' if days[kind] else 'for ever'}, {count} over their time"
        + (f", {removed.rows[kind]} removed" if removed else "")
        for kind, count in over.items()
    ]
    if removed:
        lines.append(f"files of reads removed: {removed.files}")
    fields = {
        "days": dict(days),
        "over": over,
        "removed": dict(removed.rows) if removed else {},
        "files": removed.files if removed else 0,
    }
    tell(lines, fields, json_wanted=json_wanted)


@click.command("doctor")
@as_json
@click.pass_context
def doctor(context: click.Context, *, json_wanted: bool) -> None:
    """Look at configuration, database, keys, gate, clock and partners' endpoints; one line each.

    Exit code 1 where anything is bad.
    """
    from referral_hub.checks import examine

    found = list(examine(os.environ))
    width = max(len(finding.what) for finding in found)
    lines = [
        f"{'ok ' if finding.good else 'BAD'}  {finding.what:<{width}}  {finding.text}" for finding in found
    ]
    is_well = all(finding.good for finding in found)
    fields = {
        "ok": is_well,
        "findings": [{"what": one.what, "ok": one.good, "text": one.text} for one in found],
    }
    tell(lines, fields, json_wanted=json_wanted)
    context.exit(0 if is_well else 1)
