"""Values that are wrong, nearly wrong, or look wrong and are right, by what they stand for.

What lives here: lists of values. What does not: where they are put (``conformance.faults``).

Source: FHIR R4 ``datatypes.html#primitive``, ``references.html#literal``.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

SOUND: Mapping[str, Any] = {
    "boolean": True,
    "integer": 1,
    "positiveInt": 1,
    "unsignedInt": 1,
    "decimal": Decimal("1.5"),
    "date": "2026-11-24",
    "dateTime": "2026-11-24",
    "instant": "2026-11-24T10:00:00Z",
    "time": "10:00:00",
    "uri": "urn:x:y",
    "url": "https://a.referral-hub.example/x",
    "oid": "urn:oid:1.2.3",
    "uuid": "urn:uuid:2f0a3f4c-6a3c-4c55-9a0e-0f3b0f7d5a11",
    "base64Binary": "eA==",
}
BAD_DATES: Sequence[Any] = (
    "2026-02-30", "2026-13-01", "2026-1-1", "26-01-01", "2026-11-24T10:00:00", "2026-11-24T25:00:00Z",
    "2026-11-24 10:00:00Z", "2026-11-24T10:00Z", "tomorrow", "2026/11/24", "2026-00-10", "0000", "2026-",
    "2026-11-24T10:00:00+15:00", "2026-11-24T10:00:60Z", "2026-02-29", "2024-02-29", "2026-11-24Z", "20261124",
    "2026-11-24T24:00:00Z", "12026-01-01", "2026-11-24T10:00:00.Z", " 2026-11-24", 20261124,
)  # fmt: skip
BAD_TEXTS = (
    "", " ", "\n", " in blanks ", "two  blanks", "a\tb", "a\x00b", "a\x0bb", "line\nline", "  ", "x" * 20_000,
    "<b>html</b>", "zero​width",
)  # fmt: skip
BAD_URIS = (
    "a b", "", "urn:oid:1.2.banana", "urn:oid:01.2.3", "urn:uuid:not-a-uuid", "http://", "relative", "http://a b/c",
    "urn:uuid:2F0A3F4C-6A3C-4C55-9A0E-0F3B0F7D5A11", "oid:1.2.3", "HTTP://A.test/x", "http://a.test/x|1.0", "#here",
    "urn:banana", "://x",
)  # fmt: skip
BAD_REFERENCES = (
    "Patient/1", "Organization/1", "Banana/1", "Patient", "Patient/", "/Patient/1", "Patient/1/2", "Patient/a b",
    "#nothing", "#", "", "https://ehr.test/fhir/Patient/1", "urn:uuid:2f0a3f4c-6a3c-4c55-9a0e-0f3b0f7d5a11",
    "patient/1", "Patient/1/_history/2", "Patient/1/_history/", "Patient?identifier=x|y", "Location/1",
    "Medication/1", "https://ehr.test/Patient", "Patient/" + "x" * 65, "urn:uuid:x", "Task/1#a",
)  # fmt: skip
BAD_NUMBERS = (-1, 0, 2_147_483_648, Decimal("1.5"), "7", True, Decimal("1E400"), Decimal("-0.0"), 10**20)
NO_TEXTS: Sequence[Any] = (1, Decimal("1.0"), False)
