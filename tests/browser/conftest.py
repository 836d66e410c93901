"""A hub with the demo's network behind it, Chromium, and the accessibility checker.

What lives here: starting them. What does not: what is looked at.

Chromium is the system's own (Debian: the package ``chromium``); ``axe-core`` comes from the npm registry.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.looking import HERE, Demo, Looks

_ADDRESS = re.compile(r"Open (http://127\.0\.0\.1:[0-9]+) in a browser")
_END = "ends it."
PATIENCE_MS = 20_000
"""How long a page may take to show what is expected of it; speed is measured elsewhere."""


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Runs the demo until its story is told, and keeps its hub."""
    folder = tmp_path_factory.mktemp("demo") / "hub"
    process = subprocess.Popen(
        [sys.executable, "-m", "referral_hub", "demo", "--port", "0", "--data-dir", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
    )
    told: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            told.append(line)
            if _END in line:
                break
        found = _ADDRESS.search("".join(told))
        assert found, "".join(told)
        yield Demo(found[1], folder)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Runs the system's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "Chromium is missing; Debian and Ubuntu: apt-get install chromium"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """Gives the source of the accessibility checker, fetching it the first time."""
    source = HERE / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        assert shutil.which("npm"), "npm is missing; Debian and Ubuntu: apt-get install nodejs npm"
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=HERE,
            check=True,
            capture_output=True,
        )
    return source.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def looks(demo: Demo, chromium: Browser, axe: str) -> Looks:
    """Gives what every test looks with."""
    screenshots = HERE / "screenshots"
    screenshots.mkdir(exist_ok=True)
    return Looks(demo, chromium, axe, screenshots)


@pytest.fixture
def context(chromium: Browser, demo: Demo) -> Iterator[BrowserContext]:
    """Gives a fresh browser profile."""
    opened = chromium.new_context(base_url=demo.base_url, locale="en")
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """Gives a tab."""
    return context.new_page()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the pages before the journeys, which change what they show."""
    here = [item for item in items if Path(item.fspath).parent == HERE]
    here.sort(key=lambda item: "journey" in item.nodeid)
    items[:] = [item for item in items if item not in here] + here
