"""
Hold the embedded server to what an original 0.3 server answered, by the pack's own runner, one scenario after the other.

The suite plays the same scenarios at once; what is left out, and why, is listed there.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

TOP = Path(__file__).parent.parent
sys.path.insert(0, str(TOP))

from tests.server.test_conformance import LEFT_OUT, NOT_YET  # noqa: E402  the folder must be on the path first
from tests.support.server import run_server  # noqa: E402


def main() -> int:
    """Play everything that is not left out by name; print what failed, but for want of transforms."""
    files = sorted((TOP / "tests/conformance/scenarios").glob("*.json"))
    for area, name in sorted(LEFT_OUT):
        print(f"left out: {area}: {name}")
    kept = "|".join(re.escape(f"{area}: {name}") for area, name in LEFT_OUT)
    with tempfile.TemporaryDirectory() as directory, run_server() as server:
        report = Path(directory) / "report.json"
        runner = [sys.executable, str(TOP / "tests/conformance/run.py"), "--url", server.url, "--level", "all"]
        options = ["--json", str(report), "--only", f"^(?!({kept})$)"]
        done = subprocess.run([*runner, *options, *map(str, files)], timeout=600, capture_output=True, text=True)
        if not report.exists():
            print(done.stdout, done.stderr)
            return 1
        told = json.loads(report.read_text(encoding="utf-8"))
    return judge(told)


def judge(told: dict[str, Any]) -> int:
    """Print a report; tell whether it will do."""
    failures = [failure for failure in told["failures"] if NOT_YET not in json.dumps(failure, ensure_ascii=False)]
    for failure in failures:
        print(failure)
    print(f"{told['passed']} passed, {told['failed'] - len(failures)} need transforms, {len(failures)} failed")
    return 1 if failures or not told["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
