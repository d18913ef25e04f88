"""An environment that holds the client 0.3.5 and what it needs, apart from everything else; made once and kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

#: The package, and what it imports without asking for it: apsw for its Logger, six for its queries.
REQUIREMENTS = ("ConnectorDB==0.3.5", "websocket-client==0.59.0", "apsw", "six")

#: Seconds that installing may take.
_PATIENCE = 300.0


def python() -> Path:
    """Return the interpreter of the environment, which is made if it is not there yet."""
    what = hashlib.sha256("\n".join((sys.version, sys.executable, *REQUIREMENTS)).encode()).hexdigest()[:12]
    folder = _cache() / f"0.3.5-{what}"
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        _run(interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS)
        (folder / "complete").touch()
    return interpreter


def versions() -> str:
    """Return what is installed, for the log of a run."""
    return " ".join(_run(python(), "-m", "pip", "list", "--format", "freeze", "--disable-pip-version-check").split())


def _cache() -> Path:
    named = os.environ.get("CONNECTORDB_TEST_CACHE")
    return (
        Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "connectordb-tests"
    )


def _run(*command: object) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
