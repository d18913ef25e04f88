"""
Hold the embedded server to what an original 0.3 server answered, by the pack's own runner, one scenario after the other.

The suite plays the same scenarios at once; what is left out, and why, is listed there.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parent.parent
sys.path.insert(0, str(TOP))

from tests.server.test_conformance import LEFT_OUT, OTHER_AREAS  # noqa: E402  the folder must be on the path first
from tests.support.server import run_server  # noqa: E402


def main() -> int:
    """Play everything that is not left out by name."""
    files = [
        path for path in sorted((TOP / "tests/conformance/scenarios").glob("*.json")) if path.stem not in OTHER_AREAS
    ]
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    names = [(document["area"], scenario["name"]) for document in documents for scenario in document["scenarios"]]
    for area, name in sorted(LEFT_OUT):
        print(f"left out: {area}: {name}")
    kept = "|".join(re.escape(f"{area}: {name}") for area, name in names if (area, name) not in LEFT_OUT)
    with run_server() as server:
        runner = [sys.executable, str(TOP / "tests/conformance/run.py"), "--url", server.url, "--level", "all"]
        return subprocess.run([*runner, "--only", f"^({kept})$", *map(str, files)], timeout=600).returncode


if __name__ == "__main__":
    sys.exit(main())
