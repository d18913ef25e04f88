"""The arguments of a range."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from connectordb import InvalidRange, Stream
from tests.support.target import TargetCase, new_name

RANGE = "t1=None t2=None limit=None i1=None i2=None downlink=False transform=None"


class Ranged(TargetCase):
    """Methods that read a range."""

    def setUp(self) -> None:
        """Have a stream."""
        super().setUp()
        self.stream = self.connect(self.device_key)[new_name()]
        self.stream.create()
        self.stream.insert_array([{"t": 1.0 + n, "d": n} for n in range(5)])

    def test_what_is_shown(self) -> None:
        """`help` shows what they take and return, their own arguments first, and what they do."""
        for name, own, back in (("to_df", "", "pd.DataFrame"), ("to_csv", "file ", "None")):
            method: Any = getattr(Stream, name)
            shown = inspect.signature(method)
            arguments = [
                each.name if each.default is each.empty else f"{each.name}={each.default}"
                for each in shown.parameters.values()
            ]
            self.assertEqual(" ".join(arguments), f"self {own}{RANGE}")
            self.assertEqual((method.__name__, shown.return_annotation), (name, back))
            self.assertIn("range", inspect.getdoc(method) or "")

    def test_arguments(self) -> None:
        """They are given by place or by name."""
        path = self.folder() / "a.csv"
        written = []
        for given in ((path, None, None, None, 1, 3), (path,)):
            named: dict[str, Any] = {} if len(given) > 1 else {"i1": 1, "i2": 3}
            self.stream.to_csv(*given, **named)
            written.append(path.read_text())
        to_csv: Any = self.stream.to_csv
        to_csv(i2=3, i1=1, file=str(path))
        self.assertEqual({*written, path.read_text()}, {"t,d\n2,1\n3,2\n"})

    def test_refused(self) -> None:
        """What is too much, or no range, is refused, and nothing is written."""
        wrong: Any = self.stream.to_csv
        with self.assertRaisesRegex(TypeError, r"LongStream.to_csv\(\) missing a required argument: 'file'"):
            wrong()
        with self.assertRaisesRegex(TypeError, "unexpected keyword argument 'begin'"):
            wrong(Path("a"), begin=1)
        with self.assertRaises(InvalidRange):
            self.stream.to_csv(self.folder() / "a.csv", t1=1, i1=1)
