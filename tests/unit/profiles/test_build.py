"""The build of the profiles: same content, same bytes; a difference is told by name."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from scripts import build_profiles

MADE = build_profiles.committed()


def test_committed_files_are_in_their_settled_form() -> None:
    for name, content in MADE.items():
        assert build_profiles.settled(json.loads(content)) == content, name


def test_a_date_of_a_day_is_left_out_of_a_definition_and_kept_in_an_example() -> None:
    definition = {"resourceType": "ValueSet", "id": "a", "url": "urn:a", "date": "2026-11-24"}
    example = {"resourceType": "DocumentReference", "id": "a", "status": "current", "date": "2026-11-24"}
    assert "date" not in json.loads(build_profiles.settled(definition))
    assert "date" in json.loads(build_profiles.settled(example))


def test_no_difference_from_itself() -> None:
    assert build_profiles.differences(MADE, build_profiles.PROFILES) == []


def test_changed_missing_and_surplus_files_are_named() -> None:
    first, second, *_ = MADE
    new = "generated/ValueSet-new.json"
    other = {**MADE, first: b"{}", new: b"{}"}
    del other[second]
    assert build_profiles.differences(other, build_profiles.PROFILES) == sorted([first, second, new])


def test_the_package_holds_definitions_examples_and_an_index() -> None:
    packed = build_profiles.package(MADE)
    assert packed == build_profiles.package(dict(reversed(MADE.items())))
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as archive:
        names = archive.getnames()
        manifest = json.load(archive.extractfile("package/package.json"))  # type: ignore[arg-type]
        index = json.load(archive.extractfile("package/.index.json"))  # type: ignore[arg-type]
    assert manifest["canonical"] == "https://referral-hub.example/fhir"
    assert manifest["dependencies"] == {"hl7.fhir.r4.core": "4.0.1"}
    assert {f"package/{line['filename']}" for line in index["files"]} < set(names)
    assert len(names) == len(MADE) + 2


def test_a_missing_tool_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert build_profiles.main(["--check"]) == 1
    assert capsys.readouterr().err == "profiles: node is missing: install Node.js 18 or newer with npm\n"


def test_nothing_but_the_build_directory_is_written(tmp_path: Path) -> None:
    build_profiles.write(MADE, tmp_path)
    (tmp_path / "generated" / "ValueSet-old.json").write_bytes(b"{}")
    build_profiles.write(MADE, tmp_path)
    assert build_profiles.differences(MADE, tmp_path) == []
