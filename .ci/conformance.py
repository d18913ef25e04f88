"""
Hold the embedded server to what an original 0.3 server answered, by the pack's own runner, one scenario after the other.

The suite plays the same scenarios at once.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parent.parent
sys.path.insert(0, str(TOP))

from tests.support.server import run_server  # noqa: E402  the folder must be on the path first


def main() -> int:
    """Play everything, at every level."""
    files = map(str, sorted((TOP / "tests/conformance/scenarios").glob("*.json")))
    with run_server() as server:
        runner = [sys.executable, str(TOP / "tests/conformance/run.py"), "--url", server.url, "--level", "all"]
        return subprocess.run([*runner, *files], timeout=600).returncode


if __name__ == "__main__":
    sys.exit(main())
