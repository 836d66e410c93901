"""The examples of docs/rest.md run as they stand, with curl, against a hub that listens."""

import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from tests.api.network import story
from tests.world import World

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rest.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_examples_of_the_page_run(world: World, tmp_path: Path) -> None:
    it = story(world)
    examples = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 7
    server = make_server("127.0.0.1", 0, world.client.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        environment = {
            "PATH": "/usr/bin:/bin",
            "BASE": f"http://127.0.0.1:{server.server_port}/fhir",
            "TOKEN": it.s.token,
            "PATIENT": it.person.partition("/")[2],
        }
        script = "set -euo pipefail\n" + "\n".join(examples)
        ran = subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert ran.returncode == 0, (ran.stdout + ran.stderr).decode()[-2000:]
    assert b"<Patient" in ran.stdout
    assert it.s.read(it.person)["language"] == "en"
