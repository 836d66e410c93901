"""The hub beside HL7's own validator: ``python -m conformance.hl7``, which ``make conformance`` calls.

What lives here: the order of the run and its exit code. One run of the Java command judges the profiles with their
examples (``conformance.profiled``), everything the hub emitted (``conformance.emitted``) and every mutant
(``conformance.differential``).

Exit code 0: every definition, example and emitted body is valid, every broken example is refused for its rule, and
the hub takes nothing that HL7's validator refuses without a reason in ``exceptions.json``. Else 1.
"""

import sys
import time

from conformance import differential, emitted, profiled
from conformance.judge import CannotJudge, judge, missing_tools


def main() -> int:
    """Plays, breaks, judges and reports; gives the exit code."""
    if missing := missing_tools():
        print(f"conformance: {missing}")
        return 1
    began = time.monotonic()
    files = profiled.profiled()
    bodies = emitted.emitted()
    mutants = differential.cases(differential.sources(bodies))
    print(f"judging {len(files)} files, {len(bodies)} emitted bodies and {len(mutants)} mutants", flush=True)
    try:
        verdicts = judge((one.name, one.body) for one in (*files, *bodies, *mutants))
    except CannotJudge as failed:
        print(f"conformance: {failed}")
        return 1
    of_files, of_bodies = verdicts[: len(files)], verdicts[len(files) : len(files) + len(bodies)]
    compared = differential.compare(zip(mutants, verdicts[len(files) + len(bodies) :], strict=True))
    agree = differential.report(compared, len(mutants))
    kept = profiled.report(files, of_files)
    sound = emitted.report(bodies, of_bodies)
    print(f"conformance: {time.monotonic() - began:.0f} s")
    return 0 if agree and kept and sound else 1


if __name__ == "__main__":
    sys.exit(main())
