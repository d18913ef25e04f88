"""Scripts on values, for tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connectordb.pipescript import Script


def run(script: str, *values: Any, **how: Any) -> list[Any]:
    """Return what a script makes of values, a second after each other."""
    return [
        point["d"] for point in Script(script, tz="UTC", **how)({"t": at, "d": it} for at, it in enumerate(values, 1))
    ]


def timed(script: str, points: Iterable[tuple[float, Any]], tz: str = "UTC") -> list[tuple[float, Any]]:
    """Return what a script makes of pairs of time and value, as such pairs."""
    return [(point["t"], point["d"]) for point in Script(script, tz=tz)({"t": t, "d": d} for t, d in points)]
