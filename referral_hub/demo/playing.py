"""Playing the demo: the network is founded, its processes run, the story is told, everything ends in order.

What lives here: that order. What does not: the network (``demo.network``), its processes (``demo.servers``), the
story (the chapters), how it is told (``demo.stage``).

Nothing here reaches past the hub's HTTP: each organisation fetches tokens with its own key and reads what it is
given. Only founding the network and verifying the audit chain use the functions of the command line.

Source: ``practice.md`` (the story the demo tells); ``interfaces.md`` 1 and 2.
"""

import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from referral_hub.app import clock
from referral_hub.checks import check_audit
from referral_hub.demo import clinics, first_days, her_own_way, legal_ways
from referral_hub.demo.cast import FrontDesk, Party, Story
from referral_hub.demo.logins import PASSWORD, Login, open_accounts
from referral_hub.demo.network import EHR, Network, found_network, keep_keys
from referral_hub.demo.servers import free_port, log_file, running_ehr, running_hub
from referral_hub.demo.smart_partner import PartnerFault, SmartPartner
from referral_hub.demo.stage import Evidence, Stage, Step, Unexpected
from referral_hub.demo.tracker import HEADS, tracker
from referral_hub.errors import HubError
from referral_hub.fhir.dates import instant
from referral_hub.founding import opened_hub
from referral_hub.settings import PREFIX, Settings

STEPS: tuple[Step[Story], ...] = (
    *first_days.STEPS,
    *clinics.STEPS,
    *legal_ways.STEPS,
    *her_own_way.STEPS,
)
"""The whole story, in order."""


def play(*, check: bool, port: int, data_dir: Path | None, steps: Sequence[Step[Story]] = STEPS) -> int:
    """Plays the demo, or only some of its steps; see :func:`referral_hub.demo.run`."""
    stage = Stage()
    with ExitStack() as stack:
        stack.enter_context(_ended_in_order())
        try:
            directory = data_dir or Path(stack.enter_context(_temporary()))
            return _played(stage, stack, directory.absolute(), port or free_port(), steps, check=check)
        except HubError as problem:
            stage.say(problem.text)
            return 1
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not stop the cleaning up
            stage.say()
            stage.say("Ended.")
            return int(check)


def _played(
    stage: Stage, stack: ExitStack, directory: Path, port: int, steps: Sequence[Step[Story]], *, check: bool
) -> int:
    began_s = time.monotonic()
    base_url = f"http://127.0.0.1:{port}"
    stage.say("Starting a hub with an invented network. Nobody in this story exists.")
    ehr_base, desk_key = stack.enter_context(running_ehr())
    given = _settings(directory, base_url, ehr_base)
    settings = Settings.from_environment(given)
    network = found_network(settings, ehr_base=ehr_base)
    stack.enter_context(running_hub(settings, given, port))
    story = _story(settings, network, ehr_base, desk_key)
    stage.say(f"The hub answers at {base_url}. It took {time.monotonic() - began_s:.0f} s.")
    stage.say()
    played = _tell(stage, story, steps)
    stage.say()
    if played == len(steps):
        rows = [row.cells() for row in tracker(story)]
        stage.table("The tracker of the shelter, made from its own referrals:", HEADS, rows)
        stage.say()
    logins: list[Login] = []
    if played == len(steps) == len(STEPS):
        try:
            logins = open_accounts(settings, network, story)
        except (Unexpected, PartnerFault) as fault:
            stage.say(f"The logins: {fault}")
            return 1
        stage.say(f"{len(logins)} people can sign in at a browser; each was tried.")
    stage.say(f"demo: {len(steps)} steps, {played} ok")
    if check or played < len(steps):
        return int(played < len(steps))
    _keep_serving(stage, network, base_url, ehr_base, directory, logins)
    return 0


def _tell(stage: Stage, story: Story, steps: Sequence[Step[Story]]) -> int:
    """Plays step after step; gives how many were as they must be."""
    when_width = max(len(step.when) for step in steps)
    for done, step in enumerate(steps):
        story.times.append((instant(clock()), step.when))
        try:
            line = step.play(story)
        except Unexpected as unexpected:
            stage.failure(step.number, step.name, unexpected)
            return done
        except (PartnerFault, LookupError, TypeError, ValueError) as fault:
            told = Unexpected(
                "an answer", "one that holds what the story needs", f"{type(fault).__name__}: {fault}"
            )
            stage.failure(step.number, step.name, told)
            return done
        stage.step(step.number, step.when, line, when_width=when_width)
    return len(steps)


def _story(settings: Settings, network: Network, ehr_base: str, desk_key: str) -> Story:
    parties: dict[str, Party] = {}
    for name, registered in network.partners.items():
        if registered.key is not None:
            software = SmartPartner(
                settings.fhir_base, registered.client_id, registered.key, registered.partner.scope
            )
            parties[name] = Party(registered.partner.called, registered.organization, software)
    clinic = network.partners[EHR]
    desk = FrontDesk(ehr_base, desk_key, organization=clinic.organization, name=clinic.partner.called)
    desk.act("connect", fhir_base=settings.fhir_base, client_id=clinic.client_id, scope=clinic.partner.scope)

    def verify() -> tuple[int, str]:
        with opened_hub(settings) as parts:
            found = check_audit(parts)
        return found.links, found.broken

    def alarms() -> list[str]:
        lines = log_file(settings).read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if " ERROR " in line or " CRITICAL " in line]

    nothing = parties["shelter"].get(f"Patient/{uuid.uuid4()}").body
    return Story(parties, desk, network.hub_organization, verify, alarms, Evidence(nothing))


def _settings(directory: Path, base_url: str, ehr_base: str) -> Mapping[str, str]:
    return {
        f"{PREFIX}DATA_DIR": str(directory),
        f"{PREFIX}BASE_URL": base_url,
        f"{PREFIX}INNER_ORIGINS": ehr_base,
        f"{PREFIX}LOG_LEVEL": "WARNING",
        f"{PREFIX}SECOND_FACTOR": "offered",
    }


def _keep_serving(
    stage: Stage, network: Network, base_url: str, ehr_base: str, directory: Path, logins: Sequence[Login]
) -> None:
    keep_keys(network, directory / "partners")
    stage.say()
    stage.say(
        f"The hub keeps serving: FHIR at {base_url}/fhir, the second clinic's own server at {ehr_base}/fhir."
    )
    if logins:
        stage.say()
        stage.table(
            f"Open {base_url} in a browser and play a part. The password of each: {PASSWORD}",
            ("organisation", "role", "login", "what to try"),
            [(one.organization, one.role, one.login, one.to_do) for one in logins],
        )
    stage.say()
    stage.say("Every organisation has its software and a key as well:")
    stage.table(
        "",
        ("organisation", "client_id", "purpose", "private key"),
        [
            (
                one.partner.called,
                one.client_id,
                one.partner.purpose,
                str(directory / "partners" / f"{name}.jwk.json") if one.key else "in its own server",
            )
            for name, one in network.partners.items()
        ],
    )
    stage.say()
    stage.say("Ctrl-C ends it." if sys.stdout.isatty() else "SIGINT or SIGTERM ends it.")
    while True:
        time.sleep(3600)


@contextmanager
def _temporary() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="referral-hub-demo-", ignore_cleanup_errors=True) as name:
        yield name


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Lets SIGTERM end everything in order, as Ctrl-C does; afterwards both are as they were."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
