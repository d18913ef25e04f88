"""``cat``, ``insert``, ``tail``."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import unittest
from collections.abc import Iterator
from datetime import datetime
from types import FrameType
from typing import Any

from connectordb import ConnectorDB, DatapointWarning
from connectordb.cli import data
from connectordb.protocol.points import Datapoint

from ..frames.cases import needs_frames
from ..support.command_line import PATIENCE, command, environment, here
from ..support.target import new_name
from ..support.terminal import typed
from .test_tree import TreeCase

POINTS = [{"t": 1.6e9 + number, "d": number / 4} for number in range(12_000)]


class DataCase(TreeCase):
    """A stream of numbers."""

    def setUp(self) -> None:
        super().setUp()
        self.path = f"mara/user/{new_name()}"
        self.ran("new", self.path, 'schema={"type": "number"}')

    def filled(self) -> str:
        """Return lines of JSON, which are in the stream."""
        text = "".join(json.dumps(point) + "\n" for point in POINTS)
        self.assertEqual(self.ran("insert", self.path, stdin=text), "12,000 points\n")
        return text


class Points(DataCase):
    """In and out."""

    def test_lines(self) -> None:
        """What went in as lines comes out as lines, JSON, CSV, and parts of it."""
        self.filled()
        self.assertEqual([json.loads(line) for line in self.ran("cat", self.path).splitlines()], POINTS)
        self.assertEqual(json.loads(self.ran("cat", self.path, "--json")), POINTS)
        rows = list(csv.reader(io.StringIO(self.ran("cat", self.path, "--csv", "--i1", "-2"))))
        self.assertEqual(rows, [["t", "d"], ["1600011998", "2999.5"], ["1600011999", "2999.75"]])
        self.assertEqual(
            json.loads(self.ran("cat", self.path, "--json", "--transform", "count | if last"))[0]["d"], 12_000
        )
        at = datetime.fromtimestamp(1.6e9 + 11_997).isoformat()
        self.assertEqual(len(json.loads(self.ran("cat", self.path, "--json", "--t1", at))), 2)
        self.assertEqual(len(json.loads(self.ran("cat", self.path, "--json", "--t2", "1600000002"))), 3)
        self.assertEqual(self.ran("cat", self.path, "--json", "--t1", "1900000000"), "[]\n")

    def test_value(self) -> None:
        """A word is JSON, or else text."""
        path = f"mara/user/{new_name()}"
        self.ran("new", path)
        for word in ("21.5", "on", '{"a": [true]}', '"5"', "NaN", "-5", "-1.5e3"):
            self.ran("insert", path, word)
        self.ran("insert", path, "--", "-x")
        found = json.loads(self.ran("cat", path.rpartition("/")[2], "--json"))
        self.assertEqual([point["d"] for point in found], [21.5, "on", {"a": [True]}, "5", "NaN", -5, -1500, "-x"])
        self.assertRegex(self.ran("insert", path, "--restam", status=2), "Did you mean '?--restamp")
        self.assertIn("-5 is not in the range", self.ran("insert", path, "--skip", "-5", status=2))

    def test_units(self) -> None:
        """Times that are numbers may be counted otherwise, in each form; who does not say so is told how."""
        for text in ("t,d\n1767225600500,1\n2026-01-02T00:00Z,2", '{"t": 1767225600500, "d": 1}'):
            path = f"mara/user/{new_name()}"
            self.ran("new", path)
            told = self.ran("insert", path, stdin=text, status=1)
            self.assertIn("milliseconds (of 2026-01-01)", told)
            self.assertIn("--unit ms reads it so", told)
            self.ran("insert", path, "--unit", "ms", stdin=text)
            times = [point["t"] for point in json.loads(self.ran("cat", path, "--json"))]
            self.assertEqual(times, [1767225600.5, 1767312000][: len(times)])
        self.ran("insert", path, "5", "--unit", "ms", status=2)

    def test_go_on(self) -> None:
        """What fails on the way says how to go on with the rest, and that does."""
        lines = [json.dumps(point) for point in POINTS]
        broken = "\n".join([*lines[:7000], '{"t": 1, "d": 5}', *lines[7001:]])
        told = self.ran("insert", self.path, stdin=broken, status=1)
        self.assertIn("5000", told.replace(",", ""))
        skip = told.rpartition("--skip ")[2].strip()
        self.ran("insert", self.path, "--skip", skip, stdin="\n".join(lines))
        self.assertEqual(json.loads(self.ran("cat", self.path, "--json")), POINTS)

    def test_cut_off(self) -> None:
        """Ctrl-C stores what was taken, and says how to go on with the rest, and that does."""
        lines = [json.dumps(point) for point in POINTS]
        process = subprocess.Popen(
            command("insert", self.path),
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        self.addCleanup(process.kill)
        assert process.stdin is not None
        process.stdin.write("".join(f"{line}\n" for line in lines[:7000]))
        process.stdin.flush()
        self.eventually(lambda: '"length": 0' not in self.ran("info", self.path, "--json"))
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE)
        skip = told.rpartition("--skip ")[2].strip()
        self.assertEqual((process.returncode, told.replace(",", "")[:11]), (130, f"{skip} points"))
        self.assertEqual(len(self.ran("cat", self.path).splitlines()), int(skip))
        self.ran("insert", self.path, "--skip", skip, stdin="\n".join(lines))
        self.assertEqual(json.loads(self.ran("cat", self.path, "--json")), POINTS)

    def test_cut_off_anywhere(self) -> None:
        """Wherever Ctrl-C strikes it ends the points, also just before the next is waited for; what is counted was handed on."""
        handed_on = line = 0
        while handed_on < 3:
            handed_on = self.cut_off_at(line)
            line += 1
        self.assertGreater(line, 10)

    def cut_off_at(self, line: int) -> int:
        """Take points that never end, with Ctrl-C before the *line*-th line that does so; return how many were handed on."""

        def coming() -> Iterator[Datapoint]:
            while True:
                self.assertFalse(taken.is_cut_off, "it would wait for ever")
                yield {"t": 1.0, "d": 1}

        def trace(frame: FrameType, event: str, argument: object) -> Any:
            if frame.f_code.co_filename != data.__file__:
                return None
            if event == "line" and next(steps) == line:
                sys.settrace(None)
                taken._end(signal.SIGINT, frame)
            return trace

        taken, steps, before = data._Counted(coming()), itertools.count(), sys.gettrace()
        sys.settrace(trace)
        try:
            handed_on = len(list(taken))
        finally:
            sys.settrace(before)
        self.assertEqual(taken.number, handed_on)
        return handed_on

    @unittest.skipUnless(hasattr(os, "openpty"), "there are no pseudo-terminals here")
    def test_typed(self) -> None:
        """At a terminal it says what it waits for."""
        told = typed(
            self,
            ["-m", "connectordb", "insert", self.path],
            ("", "Ctrl-D ends"),
            ("1767225600,21.5\n\x04", "1 point\r\n"),
        )
        self.assertIn("Type points", told)
        self.assertEqual(json.loads(self.ran("cat", self.path, "--json")), [{"t": 1767225600, "d": 21.5}])

    def test_mistakes(self) -> None:
        """Text that holds no points, and options that exclude each other."""
        self.assertIn("standard input: line 1", self.ran("insert", self.path, stdin="{no", status=1))
        for value, given in (("5", ""), ("", "5,5")):
            told = self.ran("insert", "mara/user/none", *filter(None, [value]), stdin=given, status=1)
            self.assertIn("connectordb new mara/user/none makes it", told)
        self.ran("cat", self.path, "--csv", "--json", status=2)
        self.ran("insert", self.path, "5", "--skip", "3", status=2)
        self.assertIn("schema", self.ran("insert", self.path, "text", status=1))
        milliseconds = self.ran("insert", self.path, stdin="1,2\n1767225600000,3\n", status=1)
        self.assertIn("datapoint 1 has t=1767225600000.0, which is after the year 9999", milliseconds)
        for value, given in (("9007199254740993", ""), ("", '{"t": 1, "d": 9007199254740993}')):
            told = self.ran("insert", self.path, *filter(None, [value]), stdin=given, status=2 if value else 1)
            self.assertIn("the integer 9007199254740993, which a server keeps as 9007199254740992", told)
        self.assertEqual(self.ran("cat", self.path), "")
        self.ran("set", self.path, 'schema={"type": "number", "title": "\x9b2J"}')
        self.assertIn(
            '"·2J"', self.ran("insert", self.path, "text", status=1)
        )  # an error quotes, and writes to no terminal
        self.ran("insert", self.path, "5")
        self.assertIn("--restamp moves such times", self.ran("insert", self.path, stdin="1,2", status=1))
        self.ran("new", "mara/room/lamp")
        self.assertIn("connectordb login mara --device room", self.ran("insert", "mara/room/lamp", "1", status=1))

    @needs_frames
    def test_parquet(self) -> None:
        """A range becomes a file."""
        self.filled()
        file = self.folder() / "heat.parquet"
        self.ran("cat", self.path, "--i1", "-3", "--parquet", str(file))
        with ConnectorDB() as cdb:
            copy = cdb[new_name()]
            copy.create()
            copy.from_parquet(file)
            self.assertEqual(copy(), POINTS[-3:])


class Tails(DataCase):
    """The end, and what comes."""

    def test_last(self) -> None:
        """The last ones, for people and for programs."""
        self.filled()
        self.assertEqual(len(self.ran("tail", self.path).splitlines()), 10)
        self.assertEqual(len(self.ran("tail", self.path, "-n", str(10**20)).splitlines()), len(POINTS))
        at = datetime.fromtimestamp(1.6e9 + 11_999).isoformat(" ", "milliseconds")
        self.assertEqual(self.ran("tail", self.path, "-n", "1"), f"{at}  2999.75\n")
        self.assertEqual(self.ran("tail", self.path, "-n", "0"), "")
        self.assertEqual(json.loads(self.ran("tail", self.path, "-n", "1", "--json")), POINTS[-1])
        with ConnectorDB() as cdb, self.assertWarns(DatapointWarning):
            cdb(self.path).insert_array([{"t": 1767225600000, "d": 1}])  # in no calendar
        self.assertEqual(self.ran("tail", self.path, "-n", "1"), "1767225600000  1\n")

    def test_follow(self) -> None:
        """With -f what comes is printed as it comes, and Ctrl-C ends it with nothing left to say."""
        self.filled()
        process = subprocess.Popen(
            command("tail", "-f", "-n", "2", "--json", self.path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        self.addCleanup(process.kill)
        assert process.stdout is not None
        self.assertEqual([json.loads(process.stdout.readline()) for _ in range(2)], POINTS[-2:])
        self.ran("insert", self.path, "5")
        self.assertEqual(json.loads(process.stdout.readline())["d"], 5)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, said), (130, ""))


class Pipes(DataCase):
    """As other programs see it."""

    def test_reader_ends(self) -> None:
        """Who has read enough is no error."""
        self.filled()
        with subprocess.Popen(
            command("cat", self.path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        ) as process:
            assert process.stdout is not None and process.stderr is not None
            self.assertEqual(json.loads(process.stdout.readline()), POINTS[0])
            process.stdout.close()
            self.assertEqual((process.stderr.read(), process.wait(PATIENCE)), (b"", 0))

    def test_no_server(self) -> None:
        """A dead server and a wrong key are a line on standard error, and a status of 1."""
        self.without_pauses()
        self.set(CONNECTORDB_URL="http://127.0.0.1:9", CONNECTORDB_APIKEY="x")
        for arguments in (
            ("cat", "a/b/c"),
            ("tail", "-f", "a/b/c"),
            ("insert", "a/b/c", "5"),
            ("ls",),
            ("info",),
            ("rm", "-y", "a"),
        ):
            with self.subTest(arguments):
                done = here(*arguments)
                self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1), done)
        self.set(CONNECTORDB_URL=self.url, CONNECTORDB_APIKEY="wrong")
        done = here("cat", self.path)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        self.assertIn("did not accept" if "did not accept" in done.stderr else "401", done.stderr)
