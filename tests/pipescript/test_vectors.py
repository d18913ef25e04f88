"""What the original engine computed, computed here: each vector a test of its own (``tests/vectors``)."""

from __future__ import annotations

import json
import math
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript import Script, interpolator, tdataset, xdataset

VECTORS = Path(__file__).parent.parent / "vectors"
Vector = dict[str, Any]


def points(vector: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return points with times as they are in a stream."""
    return [{"t": float(point["t"]), "d": point["d"]} for point in vector]


def alike(a: Any, b: Any) -> bool:
    """Tell whether two values are the same, numbers to nine digits."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=1e-9)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    return bool(a == b)


def scripted(vector: Vector, out: list[Any]) -> None:
    """Put what comes of a script into *out*, one after the other."""
    for point in Script(vector["script"], tz="UTC")(points(vector["input"])):
        json.dumps(point, allow_nan=False)  # what no JSON can say is a failure
        out.append(point)


def interpolated(vector: Vector, out: list[Any]) -> None:
    """Put what comes of an interpolator or a dataset into *out*, one after the other."""
    if vector["kind"] == "interpolate":
        at = interpolator(vector["interpolator"], "UTC")(points(vector["input"]))
        for time in vector["times"]:
            out.append(at(time))
        return
    columns = {name: (points(each["input"]), each["interpolator"]) for name, each in vector["dataset"].items()}
    if vector["kind"] == "tdataset":
        rows = tdataset(vector["t1"], vector["t2"], vector["dt"], columns)
    else:
        rows = xdataset(points(vector["x"]), columns, vector["xname"])
    for row in rows:
        out.append(row)


class VectorCase(unittest.TestCase):
    """A vector, computed."""

    def check(self, vector: Vector, compute: Callable[[Vector, list[Any]], None]) -> None:
        """What comes out is the same, up to where the original failed."""
        out: list[Any] = []
        if vector.get("error"):
            with self.assertRaises((PipeScriptError, ValueError)):
                compute(vector, out)
        else:
            compute(vector, out)
        expected = vector.get("output", vector.get("partial_output", []))
        self.assertTrue(alike(out, expected), f"{out} is not {expected}")
        if "again" in vector:
            session = Script(vector["script"], tz="UTC").session()
            list(session(points(vector["input"])))
            for run in vector["again"]:
                self.assertTrue(alike(list(session(points(run["input"]))), run["output"]), run)


def _test(vector: Vector, compute: Callable[[Vector, list[Any]], None]) -> Callable[[VectorCase], None]:
    def test(case: VectorCase) -> None:
        case.check(vector, compute)

    test.__doc__ = f"{vector.get('script', vector.get('interpolator', ''))!r}: {vector['note']}"
    return test


def _cases(name: str, file: str, compute: Callable[[Vector, list[Any]], None]) -> type[VectorCase]:
    vectors = json.loads((VECTORS / file).read_text(encoding="utf-8"))
    return type(name, (VectorCase,), {f"test_{vector['id']}": _test(vector, compute) for vector in vectors})


Scripts = _cases("Scripts", "pipescript_vectors.json", scripted)
Interpolators = _cases("Interpolators", "interpolator_vectors.json", interpolated)
