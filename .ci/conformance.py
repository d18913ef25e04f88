"""Hold the embedded server to what an original 0.3 server answered, by the pack's own runner."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).parent.parent
sys.path.insert(0, str(TOP))

from tests.support.server import run_server  # noqa: E402  the package's folder must be on the path first

PACK = TOP / "tests" / "conformance"

#: What is held here. The rest of the pack is about transforms, merges and datasets.
AREAS = (
    "auth users devices streams insert restamp read_by_index read_by_time length downlink ephemeral lists permissions "
    "websocket trees errors apikeys"
).split()


def uses_transform(scenario: object) -> bool:
    """Tell whether a step of the scenario asks for a transform."""
    if isinstance(scenario, dict):
        return any((key == "transform" and value) or uses_transform(value) for key, value in scenario.items())
    if isinstance(scenario, list):
        return any(uses_transform(item) for item in scenario)
    return isinstance(scenario, str) and "transform=" in scenario


def main() -> int:
    """Play the scenarios; those that need a transform are left out by name."""
    kept: list[str] = []
    for area in AREAS:
        document = json.loads((PACK / "scenarios" / f"{area}.json").read_text(encoding="utf-8"))
        for scenario in document["scenarios"]:
            name = f"{document['area']}: {scenario['name']}"
            if uses_transform(scenario):
                print(f"left out, as it needs a transform: {name}")
            else:
                kept.append(re.escape(name))
    files = [str(PACK / "scenarios" / f"{area}.json") for area in AREAS]
    with run_server() as server, tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(PACK / "run.py"), "--url", server.url, "--level", "must"]
        return subprocess.run([*command, "--only", f"^({'|'.join(kept)})$", "--json", f"{folder}/x", *files]).returncode


if __name__ == "__main__":
    sys.exit(main())
