"""Points on standard output."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import click

from connectordb.cli.printing import check_formats, counted, show_columns, show_lines, show_points
from connectordb.protocol.points import Datapoint

from ..support.case import Case

POINTS: list[Datapoint] = [{"t": 1.5, "d": "ö"}, {"t": 2.5, "d": None}]


def printed(run: Callable[[], object]) -> str:
    """Return what is printed meanwhile, also if it fails."""
    out = io.TextIOWrapper(io.BytesIO())
    with mock.patch.object(sys, "stdout", out):
        try:
            run()
        except ValueError:
            pass
    assert isinstance(out.buffer, io.BytesIO)
    return out.buffer.getvalue().decode()


class Formats(Case):
    """Lines, an array, CSV."""

    def test_formats(self) -> None:
        """Each is what programs read."""
        self.assertEqual(printed(lambda: show_points(POINTS)), '{"t":1.5,"d":"ö"}\n{"t":2.5,"d":null}\n')
        self.assertEqual(
            printed(lambda: show_points(POINTS, as_json=True)), '[{"t":1.5,"d":"ö"},\n{"t":2.5,"d":null}]\n'
        )
        self.assertEqual(printed(lambda: show_points(POINTS, as_csv=True)), "t,d\n1.5,ö\n2.5,\n")
        self.assertEqual(printed(lambda: show_points([], as_json=True)), "[]\n")
        self.assertEqual(printed(lambda: show_points([])), "")

    def test_failure(self) -> None:
        """What came before a failure is there; of an array of which nothing came, nothing."""

        def failing() -> Iterator[Datapoint]:
            yield POINTS[1]
            raise ValueError

        def failing_at_once() -> Iterator[Datapoint]:
            raise ValueError
            yield POINTS[0]

        self.assertEqual(printed(lambda: show_lines(failing(), lambda point: b"one\n")), "one\n")
        self.assertEqual(printed(lambda: show_points(failing_at_once(), as_json=True)), "")

    def test_one(self) -> None:
        """Two formats at once are refused."""
        check_formats(True, False, None)
        for given in ((True, True, None), (False, True, Path("x")), (True, False, Path("x"))):
            with self.subTest(given), self.assertRaises(click.UsageError):
                check_formats(*given)


class Terminals(Case):
    """What a person reads."""

    def test_at_once(self) -> None:
        """At a terminal each point is there when it comes, of an array, too; in a pipe when there are many."""
        for is_terminal, as_json in ((True, False), (True, True), (False, False)):
            raw = io.BytesIO()
            out = io.TextIOWrapper(io.BufferedWriter(raw))  # type: ignore[arg-type]  # it is one, to a writer

            def coming(raw: io.BytesIO = raw, is_terminal: bool = is_terminal) -> Iterator[Datapoint]:
                for number in range(3):
                    self.assertEqual(raw.getvalue().count(b'"t"'), number if is_terminal else 0)
                    yield {"t": number, "d": 1}

            with (
                mock.patch.object(sys, "stdout", out),
                mock.patch.object(out, "isatty", lambda is_terminal=is_terminal: is_terminal),
            ):
                show_points(coming(), as_json=as_json)
            self.assertEqual(raw.getvalue().count(b'"t"'), 3)

    def test_names(self) -> None:
        """What others have named is in its column, and cannot write to the terminal."""
        out = io.StringIO()
        with mock.patch.object(sys, "stdout", out):
            show_columns([("heat", "a\x1b[31m\nb\x9b2J", "x"), ("ö", "\u202e", "日本")])
        self.assertEqual(out.getvalue(), "heat  a·[31m·b·2J  x\nö     ·            日本\n")


class Numbers(Case):
    """Numbers of things, in words."""

    def test_counted(self) -> None:
        """One is one thing, and thousands have commas."""
        self.assertEqual([counted(number, "point") for number in (0, 1, 1200)], ["0 points", "1 point", "1,200 points"])
