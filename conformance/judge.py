"""HL7's own validator, asked about many resources at once.

What lives here: building the Java command under ``conformance/java`` with Maven, running it with the hub's own
definitions, and reading its verdicts. What does not: which resources (``conformance.emitted``,
``conformance.mutations``), and which of its errors count (``conformance.verdicts``).

The hub's definitions go in as the FHIR NPM package that ``make profiles`` gives to others, so that this package
is proven by a foreign tool in every run. A profile that a resource claims is in force.

Source: HAPI FHIR ``FhirInstanceValidator`` with the R4 4.0.1 definitions and ``NpmPackageValidationSupport``;
see ``docs/conformance.md``.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from conformance.verdicts import Fault, Verdict, verdict_of
from referral_hub.fhir.canonical import CANONICAL
from scripts import build_profiles

_PROJECT = Path(__file__).with_name("java")
_SOURCE = _PROJECT / "src/main/java/conformance/Judge.java"
_TARGET = _PROJECT / "target"
_STAMP = _TARGET / "built"
_OLDEST_JAVA = 17
_PACKAGE = "package.tgz"


class CannotJudge(Exception):
    """There is no verdict at all: a tool is missing, or the Java command failed."""


def missing_tools() -> str:
    """Gives in one line what the Java validator needs and this machine lacks; empty for nothing."""
    absent = [
        f"{tool} ({package})"
        for tool, package in (
            ("javac", "openjdk-17-jdk-headless"),
            ("java", "openjdk-17-jdk-headless"),
            ("mvn", "maven"),
        )
        if shutil.which(tool) is None
    ]
    if absent:
        return (
            f"missing: {', '.join(absent)}; Debian and Ubuntu: apt-get install openjdk-17-jdk-headless maven"
        )
    told = subprocess.run(["javac", "-version"], capture_output=True, text=True, check=False).stdout  # noqa: S607
    major = told.removeprefix("javac ").partition(".")[0].strip()
    if major.isdigit() and int(major) < _OLDEST_JAVA:
        return f"missing: a JDK of version {_OLDEST_JAVA} or newer; this one is {major}"
    return ""


def build() -> None:
    """Compiles the Java command and fetches what it needs, unless that was done since it last changed.

    Raises:
        CannotJudge: Maven failed; the text ends with what it said.
    """
    newest = max(file.stat().st_mtime for file in (_SOURCE, _PROJECT / "pom.xml"))
    if _STAMP.exists() and _STAMP.stat().st_mtime > newest:
        return
    command = ["mvn", "-q", "-B", "-ntp", "-f", str(_PROJECT / "pom.xml"), "compile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  fixed words
    if done.returncode:
        raise CannotJudge(f"Maven could not build the validator:\n{(done.stdout + done.stderr)[-2000:]}")
    _STAMP.touch()


def judge(resources: Iterable[tuple[str, bytes]]) -> list[Verdict]:
    """Gives the verdict of HL7's validator on each resource, in their order.

    Args:
        resources: a name and the bytes of each.

    Raises:
        CannotJudge: the Java command failed, or it no longer tells a broken resource from a sound one.
    """
    asked = [*_SELF_TEST, *resources]
    build()
    with tempfile.TemporaryDirectory() as folder:
        questions, answers = Path(folder, "resources.ndjson"), Path(folder, "verdicts.ndjson")
        with questions.open("w", encoding="utf-8") as lines:
            for name, body in asked:
                lines.write(json.dumps({"name": name, "body": body.decode()}) + "\n")
        Path(folder, _PACKAGE).write_bytes(build_profiles.package(build_profiles.committed()))
        # ":" parts a class path wherever there is no Windows.
        classes = f"{_TARGET / 'classes'}:{_TARGET / 'lib'}/*:{folder}"
        command = [
            "java",
            "-XX:+UseParallelGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            classes,
            "conformance.Judge",
            CANONICAL,
            _PACKAGE,
        ]
        done = subprocess.run(  # noqa: S603  fixed words
            [*command, str(questions), str(answers)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise CannotJudge(f"the Java validator failed:\n{done.stderr[-2000:]}")
        verdicts = [_read(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    if [verdict.name for verdict in verdicts] != [name for name, _ in asked]:
        raise CannotJudge("the Java validator lost a resource")
    _check_itself(verdicts[: len(_SELF_TEST)])
    return verdicts[len(_SELF_TEST) :]


def _read(line: str) -> Verdict:
    told = json.loads(line)
    return verdict_of(
        told["name"],
        [Fault(issue["id"] or "", issue["location"] or "", issue["message"]) for issue in told["issues"]],
    )


_BROKEN = "self-test: broken"
_SELF_TEST: tuple[tuple[str, bytes], ...] = (
    (
        f"{_BROKEN} code",
        b'{"resourceType":"Patient","gender":"banana"}',
    ),
    (
        f"{_BROKEN} element",
        b'{"resourceType":"Patient","shoeSize":44}',
    ),
    (
        f"{_BROKEN} reference",
        b'{"resourceType":"Patient","managingOrganization":{"reference":"Patient/1"}}',
    ),
    (
        f"{_BROKEN} extension of a stranger",
        b'{"resourceType":"Patient","extension":[{"url":"https://stranger.test/x","valueCode":"a"}]}',
    ),
    (
        f"{_BROKEN} profile",
        f"""{{"resourceType":"Patient","meta":{{"profile":["{CANONICAL}/StructureDefinition/person"]}},
        "gender":"female"}}""".encode(),
    ),
    (
        f"{_BROKEN} claim of a profile that nobody knows",
        f"""{{"resourceType":"Patient","meta":{{"profile":["{CANONICAL}/StructureDefinition/nothing"]}}}}""".encode(),
    ),
    (
        "self-test: sound, with an extension and a code system of the hub's own base",
        f"""{{"resourceType":"Patient","extension":[{{"url":"{CANONICAL}/StructureDefinition/age-group",
        "valueCode":"adult"}}],"maritalStatus":{{"coding":[{{"system":"{CANONICAL}/CodeSystem/any",
        "code":"any"}}]}}}}""".encode(),
    ),
)


def _check_itself(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        if bool(verdict.errors) is not verdict.name.startswith(_BROKEN):
            raise CannotJudge(f"{verdict.name}: judged {'broken' if verdict.errors else 'sound'}")
