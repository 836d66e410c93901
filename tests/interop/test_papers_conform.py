"""The papers, judged by veraPDF: every paper in every language meets PDF/UA-1, whatever words are on it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from referral_hub.papers.press import _fonts, _source
from referral_hub.texts.catalogs import LANGUAGES
from tests.unit.papers.papers import PAPERS
from tests.unit.papers.test_papers import HOSTILE

HERE = Path(__file__).parent / "verapdf"
MISSING = [tool for tool in ("java", "javac", "mvn") if shutil.which(tool) is None]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with veraPDF's libraries, fetched by Maven."""
    if MISSING:
        pytest.fail(f"missing: {', '.join(MISSING)} (Debian: default-jdk maven)")
    folder = tmp_path_factory.mktemp("verapdf")
    goal = "org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies"
    command = ["mvn", "-q", "-B", "-ntp", "-f", str(HERE / "pom.xml"), goal, f"-DoutputDirectory={folder}"]
    subprocess.run(command, check=True, timeout=600)
    return folder


def judged(judge: Path, files: list[Path]) -> list[str]:
    command = ["java", "-cp", f"{judge}/*", str(HERE / "PaperJudge.java"), *map(str, files)]
    said = subprocess.run(command, check=True, timeout=600, capture_output=True, text=True).stdout
    return [line for line in said.splitlines() if line.startswith(("meets", "lacks", "  "))]


def test_every_paper_meets_pdf_ua(judge: Path, tmp_path: Path) -> None:
    files = []
    for name, make in PAPERS.items():
        for language in LANGUAGES:
            files.append(tmp_path / f"{name}-{language}.pdf")
            files[-1].write_bytes(make(language))
        files.append(tmp_path / f"{name}-hostile.pdf")
        files[-1].write_bytes(make("ar", HOSTILE))
    said = judged(judge, files)
    assert len(said) == len(files), "\n".join(said)
    assert all(line.startswith("meets") for line in said), "\n".join(said)


def test_the_judge_finds_a_paper_without_tags(judge: Path, tmp_path: Path) -> None:
    import typst

    values = '{"title": "Notes", "language": "en", "pieces": [{"kind": "text", "text": "Notes"}]}'
    compiler = typst.Compiler(
        _source("sheet"), font_paths=_fonts(), ignore_system_fonts=True, sys_inputs={"values": values}
    )
    made = compiler.compile(format="pdf", pdf_tags=False)
    assert isinstance(made, bytes)
    file = tmp_path / "untagged.pdf"
    file.write_bytes(made)
    assert judged(judge, [file])[0].startswith("lacks")
