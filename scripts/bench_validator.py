"""Prints how long the validator takes beside fhir.resources, per type, in one run.

    python scripts/bench_validator.py [folder of example resources] [rounds]

Both work on the same bytes, turn by turn, so that a busy machine slows both. Ours: `validate` alone, and
exact JSON decoding, `validate` and encoding together. Theirs: parsing and dumping (fhir.resources, R4B
models). Each figure is the median over the rounds; the ratio is ours divided by theirs.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from referral_hub.fhir.json_codec import decode, encode
from referral_hub.fhir.validator import validate

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "shared" / "fhir" / "examples"
ROUNDS = 60
PER_TYPE = 3
TYPES = """
    Appointment AuditEvent Binary CarePlan CareTeam Communication Condition Consent DocumentReference
    Encounter Endpoint EpisodeOfCare HealthcareService Location Observation Organization Patient Practitioner
    PractitionerRole Procedure Provenance RelatedPerson RiskAssessment ServiceRequest Task Bundle
"""


def main(folder: Path, rounds: int) -> None:
    """Measures every type of which there is an example, and prints one line each."""
    samples = _samples(folder)
    if not samples:
        sys.exit(f"no examples in {folder}")
    sys.stdout.write(
        f"{'type':20} {'bytes':>7} {'validate':>9} {'+ json':>9} {'theirs':>9}   ratio  + json\n"
    )
    ratios = []
    for type_name in TYPES.split():
        for data in samples.get(type_name, []):
            row = _measure(type_name, data, rounds)
            if row is None:
                continue
            alone, whole, theirs = row
            ratios.append((alone / theirs, whole / theirs))
            figures = f"{alone:7.1f}us {whole:7.1f}us {theirs:7.1f}us"
            sys.stdout.write(
                f"{type_name:20} {len(data):7} {figures}   {alone / theirs:5.3f}   {whole / theirs:5.3f}\n"
            )
    alone, whole = median(r[0] for r in ratios), median(r[1] for r in ratios)
    worst = max(r[0] for r in ratios), max(r[1] for r in ratios)
    sys.stdout.write(f"median {alone:.3f} ({whole:.3f} with json), worst {worst[0]:.3f} ({worst[1]:.3f})\n")


def _samples(folder: Path) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for file in sorted(folder.glob("*.json")):
        resource = decode(file.read_bytes())
        of_type = found.setdefault(resource["resourceType"], [])
        if len(of_type) < PER_TYPE:
            of_type.append(encode(resource))
    return found


def _measure(type_name: str, data: bytes, rounds: int) -> tuple[float, float, float] | None:
    model: Any = getattr(import_module(f"fhir.resources.R4B.{type_name.lower()}"), type_name)
    resource = decode(data)

    def theirs() -> None:
        model.model_validate_json(data).model_dump_json()

    def whole() -> None:
        decoded = decode(data)
        validate(decoded)
        encode(decoded)

    try:
        theirs()
    except ValueError:
        return None
    work: tuple[Callable[[], object], ...] = (lambda: validate(resource), whole, theirs)
    times: list[list[float]] = [[], [], []]
    for turn in range(rounds + 3):
        for place, act in enumerate(work):
            start = perf_counter()
            act()
            if turn >= 3:
                times[place].append(perf_counter() - start)
    return median(times[0]) * 1e6, median(times[1]) * 1e6, median(times[2]) * 1e6


if __name__ == "__main__":
    main(
        Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES,
        int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS,
    )
