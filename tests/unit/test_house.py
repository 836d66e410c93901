"""The rules of the house that no linter knows: what is documented, who makes proofs, how things are named."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from referral_hub.settings import declared_settings

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "referral_hub"
GATE = PACKAGE / "exchange" / "gate.py"
PROOFS = frozenset({"Admitted", "Released"})
FORBIDDEN_NAMES = frozenset({"utils", "helpers", "common", "manager", "process", "data", "info"})
LONGEST_MODULE = 400
LONGEST_ADR = 40


def package_modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def repository_files() -> list[Path]:
    """Every file that is in the repository or would be with the next `git add .`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout, so there is no list of the repository's files")
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ---- what is documented ----


def table_rows(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip().strip("|").split("|")]


def test_every_setting_is_documented_with_its_default_unit_and_meaning():
    documented = {
        row[0].strip("`"): tuple(row[1:4])
        for row in table_rows((ROOT / "docs" / "settings.md").read_text(encoding="utf-8"))
        if row[0].startswith("`REFERRAL_HUB_")
    }
    declared = {
        setting.variable: (
            f"`{setting.default.replace('{data_dir}', '$REFERRAL_HUB_DATA_DIR')}`"
            if setting.default
            else "none",
            setting.unit,
            setting.meaning,
        )
        for _, setting in declared_settings()
    }
    assert documented == declared


def test_every_room_is_in_the_architecture_page():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    assert rooms
    assert [room for room in rooms if f"`{room}/`" not in page] == []


def test_the_changelog_has_the_heading_who_sees_what():
    assert "**Who sees what**" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_dependency_has_a_reason_in_a_decision_record():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.match(r"[a-z0-9.-]+", line).group() for line in project["dependencies"]]  # type: ignore[union-attr]
    records = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "adr").glob("*.md"))
    assert [name for name in names if f"`{name}`" not in records] == []


@pytest.mark.parametrize(
    "record", sorted((ROOT / "docs" / "adr").glob("[0-9]*.md")), ids=lambda path: path.name
)
def test_a_decision_record_is_short_and_says_what_it_costs(record: Path):
    lines = record.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST_ADR
    assert [line for line in lines if line.startswith("## ")] == [
        "## Situation",
        "## Decision",
        "## Consequences",
    ]


def test_decision_records_are_numbered_without_gaps_and_listed():
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [path.name[:4] for path in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in records if f"({path.name})" not in index] == []


def test_links_between_our_pages_lead_somewhere():
    broken = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "profiles").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
                broken.append(f"{relative(page)} -> {target}")
    assert broken == []


# ---- who makes the proofs ----


def constructions(source: str) -> list[tuple[str, int]]:
    """Find where a proof (`Admitted`, `Released`) is made, under another name or by a cast as well."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            found += [
                (a.name, node.lineno)
                for a in node.names
                if a.name in PROOFS and a.asname not in (None, a.name)
            ]
        elif isinstance(node, ast.Assign) and _named(node.value) in PROOFS:
            found.append((_named(node.value), node.lineno))
        elif isinstance(node, ast.Call):
            name = _named(node.func)
            if name == "cast" and node.args and _mentioned(node.args[0]) & PROOFS:
                name = min(_mentioned(node.args[0]) & PROOFS)
            if name in PROOFS:
                found.append((name, node.lineno))
    return found


def _named(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _mentioned(node: ast.expr) -> set[str]:
    return set(re.findall(r"\w+", ast.unparse(node)))


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("from x import Released\nReleased(1)", [("Released", 2)]),
        ("import ports\nports.Admitted(1)", [("Admitted", 2)]),
        ("from x import Released as R\nR(1)", [("Released", 1)]),
        ("make = ports.Released\nmake(1)", [("Released", 1)]),
        ("cast(Released, x)", [("Released", 1)]),
        ("typing.cast('Sequence[ports.Admitted]', x)", [("Admitted", 1)]),
        ("Released = NewType('Released', Body)", []),
        ("def send(body: Released) -> None: ...", []),
        ("from x import Released, Admitted", []),
    ],
)
def test_making_a_proof_is_found_in_every_disguise(source, made):
    assert constructions(source) == made


def test_only_the_gate_makes_proofs():
    elsewhere = [
        f"{relative(path)}:{line} makes {name}"
        for path in package_modules()
        if path != GATE
        for name, line in constructions(path.read_text(encoding="utf-8"))
    ]
    assert elsewhere == []


def test_the_gate_makes_both_proofs():
    if not GATE.exists():
        assert not (PACKAGE / "web" / "fhir_api.py").exists(), "a FHIR API without a gate"
        return
    assert {name for name, _ in constructions(GATE.read_text(encoding="utf-8"))} == PROOFS


# ---- names and sizes ----


def test_no_module_has_a_name_that_says_nothing():
    places = [*package_modules(), *(ROOT / "conformance").rglob("*.py"), *(ROOT / "scripts").rglob("*.py")]
    assert [relative(path) for path in places if FORBIDDEN_NAMES & {path.stem, path.parent.name}] == []


def test_no_module_needs_a_second_noun():
    lengths = {
        relative(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in package_modules()
        if not path.read_text(encoding="utf-8").startswith("# Generated by ")
    }
    assert {path: length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


# ---- what a repository must not tell ----

# Put together from pieces, so that this file does not hold what it looks for.
TELLTALES = re.compile(
    "|".join(
        [
            r"(?<![\w.])/" + r"work/(main|shared|notes|\.library)\b",
            "/" + r"root/\.",
            "/" + r"home/[a-z]+/",
            "/" + r"Users/[A-Za-z]+/",
            "/" + r"opt/wheels",
            "pypi" + r"\.org",
            "files.python" + r"hosted\.org",
            "registry" + r"\.npmjs\.org",
            "(static|index)?" + r"\.?crates\.io",
            r"(repo1?|central)\.maven" + r"\.(apache\.)?org",
            "proxy" + r"\.golang\.org",
            r"(deb|security|ftp)\.debian" + r"\.org",
        ]
    )
)


def test_no_file_tells_of_a_machine_or_a_registry():
    told = []
    for path in repository_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for match in TELLTALES.finditer(text):
            told.append(f"{relative(path)}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}")
    assert told == []


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("see /" + "work/main/x", True),
        ("--index https://py" + "pi.org/simple", True),
        ("/" + "home/someone/hub", True),
        ("social/work/mainly", False),
        ("/srv/hub", False),
        ("https://referral-hub.example/fhir", False),
    ],
)
def test_telltales_are_recognised(text, tells):
    assert bool(TELLTALES.search(text)) is tells
