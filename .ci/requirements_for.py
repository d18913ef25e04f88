"""
Print the requirements of the base install, ``fast`` and ``server``, and on a desktop ``cli`` too, for another machine.

    python .ci/requirements_for.py 3.11 armv7l

Markers are evaluated for that machine and not for this one, which pip does not do when it downloads for another.
"""

from __future__ import annotations

import sys
from importlib.metadata import requires

from packaging.requirements import Requirement


def main(version: str, machine: str) -> None:
    """Print one line."""
    chosen = set()
    for line in requires("ConnectorDB") or []:
        requirement = Requirement(line)
        for extra in ("", "fast", "server", "cli"):
            here = {"python_version": version, "platform_machine": machine, "extra": extra, "sys_platform": "linux"}
            if requirement.marker is None or requirement.marker.evaluate(here):
                chosen.add(f"{requirement.name}{requirement.specifier}")
    print(*sorted(chosen))


if __name__ == "__main__":
    main(*sys.argv[1:])
