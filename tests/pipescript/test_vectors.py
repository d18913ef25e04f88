"""What the original engine computed, computed here (``interpolator_vectors.json``: its README is in the documentation)."""

from __future__ import annotations

import json
import unittest
from pathlib import Path
from typing import Any

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript import INTERPOLATORS, interpolator, tdataset, xdataset

VECTORS = json.loads((Path(__file__).parent / "interpolator_vectors.json").read_text(encoding="utf-8"))


def points(vector: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return points with times as they are in a stream."""
    return [{"t": float(point["t"]), "d": point["d"]} for point in vector]


def names(vector: dict[str, Any]) -> set[str]:
    """Return the interpolators that a vector uses."""
    columns = vector.get("dataset", {"": vector}).values()
    return {column["interpolator"] for column in columns}


def results(vector: dict[str, Any], out: list[Any]) -> None:
    """Put what comes of a vector into *out*, one after the other."""
    if vector["kind"] == "interpolate":
        at = interpolator(vector["interpolator"])(points(vector["input"]))
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


class Vectors(unittest.TestCase):
    """Interpolators that have names, alone and in datasets."""

    def test_each(self) -> None:
        """What comes out is the same, up to where the original failed."""
        mine = [vector for vector in VECTORS if names(vector) <= set(INTERPOLATORS)]
        self.assertGreater(len(mine), 100)
        for vector in mine:
            with self.subTest(vector["id"], note=vector["note"]):
                out: list[Any] = []
                if vector.get("error"):
                    with self.assertRaises(PipeScriptError):
                        results(vector, out)
                    self.assertEqual(out, vector.get("partial_output", []))
                else:
                    results(vector, out)
                    self.assertEqual(out, vector["output"])
