"""The examples of the API's reference do what they say."""

import re
import subprocess
from pathlib import Path

import pytest

from lab import finish

REFERENCE = Path(__file__).parents[2] / "docs/reference/http.md"
EXAMPLES = re.findall(r"```sh\n(.*?)```", REFERENCE.read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def plate(start_daemon, microscope):
    """A daemon of its own, so that its plate is the first."""
    daemon = start_daemon()
    microscope.write(daemon, "first", microscope.draw())
    finish(daemon, "first", image_sets=6)
    return daemon


def test_there_are_examples():
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[0].lstrip("# ")[:40])
def test_an_example_works(plate, tmp_path, example):
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", example],
        cwd=tmp_path,
        env={"URL": plate.url, "PATH": "/usr/bin:/bin", "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    written = {path.name: path.read_bytes()[:4] for path in tmp_path.iterdir()}
    signatures = {".xlsx": b"PK\x03\x04", ".svg": b"<svg", ".png": b"\x89PNG"}
    for name, start in written.items():
        assert start == signatures[Path(name).suffix], name
    assert run.stdout or written
