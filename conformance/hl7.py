"""The hub beside HL7's own validator: ``python -m conformance.hl7``, which ``make conformance`` calls.

What lives here: the order of the run and its exit code. One run of the Java command judges both everything the
hub emitted (``conformance.emitted``) and every mutant (``conformance.differential``).

Exit code 0: every emitted body is valid, and the hub takes nothing that HL7's validator refuses without a
reason in ``exceptions.json``. Else 1.
"""

import sys
import time

from conformance import differential, emitted
from conformance.judge import CannotJudge, judge, missing_tools


def main() -> int:
    """Plays, breaks, judges and reports; gives the exit code."""
    if missing := missing_tools():
        print(f"conformance: {missing}")
        return 1
    began = time.monotonic()
    bodies = emitted.emitted()
    mutants = differential.cases(differential.sources(bodies))
    print(f"judging {len(bodies)} emitted bodies and {len(mutants)} mutants", flush=True)
    asked = [(one.name, one.body) for one in bodies] + [(one.name, one.body) for one in mutants]
    try:
        verdicts = judge(asked)
    except CannotJudge as failed:
        print(f"conformance: {failed}")
        return 1
    compared = differential.compare(zip(mutants, verdicts[len(bodies) :], strict=True))
    agree = differential.report(compared, len(mutants))
    sound = emitted.report(bodies, verdicts[: len(bodies)])
    print(f"conformance: {time.monotonic() - began:.0f} s")
    return 0 if agree and sound else 1


if __name__ == "__main__":
    sys.exit(main())
