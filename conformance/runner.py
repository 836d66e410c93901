"""Running checks, one after the other, and noting what each came to.

What lives here: the loop, and what an exception counts for. What does not: what is printed
(``conformance.reports``).
"""

import time
from collections.abc import Callable, Iterable, Iterator

from requests import RequestException

from conformance.claims import Claims
from conformance.lab import Lab
from conformance.registry import Check
from conformance.requirements import strength
from conformance.results import Ended, Result, Verdict

_SHOWN = 3


def run(checks: Iterable[Check], lab: Lab, each: Callable[[Result], None] = lambda _: None) -> list[Result]:
    """Runs checks and gives their results in order.

    Args:
        checks: what to run.
        lab: what they work with.
        each: is told each result as it comes.
    """
    found = []
    for result in _results(checks, lab):
        each(result)
        found.append(result)
    return found


def _results(checks: Iterable[Check], lab: Lab) -> Iterator[Result]:
    for one in checks:
        yield run_one(one, lab)


_AREAS: dict[str, Callable[[Claims], None]] = {
    "consent": Claims.need_hub,
    "side": Claims.need_hub,
    "smart": Claims.need_smart,
    "sdohcc": Claims.need_sdohcc,
}


def _claimed_at_all(one: Check, lab: Lab) -> None:
    """Ends a check as omitted where the server does not claim its whole area."""
    need = _AREAS.get(one.name.partition(".")[0])
    if need is not None and one.name not in _ABOUT_THE_CLAIM:
        need(lab.claims)


_ABOUT_THE_CLAIM = frozenset({"smart.discovery.capability-statement"})


def run_one(one: Check, lab: Lab) -> Result:
    """Runs one check.

    A failed check whose requirements are no more than recommendations is a warning. Whatever else goes wrong
    is an error: the check could not be carried out, so it says nothing of the server.
    """
    lab.record.clear()
    began = time.monotonic()
    verdict, message = Verdict.PASS, ""
    try:
        _claimed_at_all(one, lab)
        for role in one.needs:
            if role != "author":
                lab.client(role)
        one.run(lab)
    except Ended as ended:
        verdict, message = ended.verdict, str(ended)
        if verdict is Verdict.FAIL and strength(one.requirements) == "SHOULD":
            verdict = Verdict.WARN
    except RequestException as fault:
        verdict, message = Verdict.ERROR, f"The server did not answer: {type(fault).__name__}"
    except Exception as fault:  # noqa: BLE001 - one broken check must not end the run; it is shown as an error
        verdict, message = Verdict.ERROR, f"{type(fault).__name__}: {fault}"
    shown = verdict in (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
    told = tuple(answer.told() for answer in lab.record[-_SHOWN:]) if shown else ()
    return Result(one.name, one.title, one.requirements, verdict, message, told, time.monotonic() - began)
