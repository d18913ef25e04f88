"""Check that a wheel holds the package and nothing else."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).parent.parent


def main(wheel: str) -> str | None:
    """Compare the wheel's files with the folder's; return what is wrong."""
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {name for name in names if ".dist-info/" not in name}
    here = {path.relative_to(HERE).as_posix() for path in (HERE / "connectordb").rglob("*.py")} | {
        "connectordb/py.typed"
    }
    print(f"{wheel}: {len(package)} files of the package")
    if package != here:
        return f"missing: {sorted(here - package)}; surplus: {sorted(package - here)}"
    if not any(name.endswith("/LICENSE") for name in names):
        return "the license is missing"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
