"""What schemathesis asks of every answer, beside that it is no server error.

What lives here: one check. It is loaded by the environment variable ``SCHEMATHESIS_HOOKS``.
"""

from typing import Any

import schemathesis

SLOWEST_S = 2.0


@schemathesis.check
def an_error_is_an_operation_outcome(ctx: Any, response: Any, case: Any) -> None:
    """Whatever is refused is refused in FHIR, within two seconds, without a trace of the inside."""
    elapsed = response.elapsed
    assert elapsed < SLOWEST_S, f"answered after {elapsed:.1f} s"
    if response.status_code < 400 or case.method.upper() == "HEAD":
        return
    assert response.status_code < 500, f"{response.status_code}"
    kind = response.headers.get("content-type", [""])[0]
    text = response.text
    assert "OperationOutcome" in text, f"{response.status_code} {kind}: {text[:200]}"
    assert "Traceback" not in text
    assert "site-packages" not in text
