"""``connectordb log``."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any
from unittest import mock

from connectordb.logger import Logger

from ..support.case import Case
from ..support.command_line import here
from ..support.logger_cases import LoggerCase, noted, waiting


class FileCase(Case):
    """A Logger's file, and the command."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "cache.db"

    def log(self, *arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run the command."""
        return here("log", self.path, *arguments, stdin=stdin)

    def filled(self) -> Logger:
        """Return a Logger, with points that wait, and two that were set aside."""
        log = Logger(self.path, apikey="key")
        self.addCleanup(log.close)
        log.addStream_force("a", {"type": "number"})
        log.addStream_force("b")
        log.insert_many({"a": [{"t": 10.0 + n, "d": n} for n in range(5)], "b": [{"t": 5.0, "d": "x"}]})
        rows = log._store.points.rows((1 << 40) + 1, (1 << 40) + 2, 9, 999)
        log._store.notes.resolve(1, (), [row.id for row in rows], "no good", 7.0)
        return log


class Files(FileCase):
    """A Logger's file is looked at, and looked after, while a program uses it."""

    def test_no_file(self) -> None:
        """Nothing is made where nothing is."""
        commands = "status", "sync", "rejected", "set-aside-unsettled", "export", "check", "vacuum"
        for arguments in (*([command] for command in commands), ["insert", "a"]):
            with self.subTest(arguments):
                done = self.log(*arguments)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("no such file", done.stderr)
                self.assertFalse(self.path.exists())

    def test_status(self) -> None:
        """What `Logger.status` says, as text or JSON."""
        log = self.filled()
        self.assertRegex(self.log("status").stdout, r"a +5 +0 +3 +2 +0\n")
        found = json.loads(self.log("status", "--json").stdout)
        self.assertEqual((found["streams"]["a"]["waiting"], found["file"]), (3, str(self.path)))
        self.assertEqual(log.status().waiting, 4)

    def test_export(self) -> None:
        """What waits and what was set aside comes out as lines, all or a stream's."""
        self.filled()

        def exported(*options: str) -> list[Any]:
            return [json.loads(line) for line in self.log("export", *options).stdout.splitlines()]

        waiting = [{"stream": "a", "t": 12.0 + n, "d": 2 + n} for n in range(3)]
        aside = [{"stream": "a", "t": 10.0 + n, "d": n, "reason": "no good", "at": 7.0} for n in range(2)]
        self.assertEqual(exported("--stream", "a"), waiting + aside)
        self.assertEqual(len(exported()), 6)

    def test_rejected(self) -> None:
        """What was set aside is listed, waits again or is dropped."""
        log = self.filled()
        first, second = (point["id"] for point in log.rejected())
        self.assertIn(f"{first}  a  10.0  0  no good", self.log("rejected").stdout)
        self.assertEqual(json.loads(self.log("rejected", "--json", second).stdout)["d"], 1)
        self.assertEqual(self.log("rejected", "--stream", "b").stdout, "")
        self.assertEqual(self.log("rejected", "--retry", first).stdout, "1 point waits again\n")
        self.assertEqual(json.loads(self.log("rejected", "--drop", "--json").stdout), {"dropped": 1})
        status = log.status()
        self.assertEqual((status.waiting, status.aside, status.dropped), (5, 0, 1))
        self.assertEqual(self.log("rejected", "--retry", "--drop").returncode, 2)
        self.assertEqual(self.log("rejected", "--drop", 77).returncode, 1)

    def test_unsettled(self) -> None:
        """What may have arrived at a server that is gone for good is set aside, of a stream or of all."""
        log = self.filled()
        log._store.notes.write(noted(1, waiting(log._store, 1)[:2]))
        self.assertEqual(self.log("set-aside-unsettled", "--stream", "b").stdout, "0 points set aside\n")
        self.assertEqual(self.log("set-aside-unsettled", "--stream", "c").returncode, 1)
        self.assertEqual(self.log("set-aside-unsettled").stdout, "2 points set aside\n")
        status = log.status()
        self.assertEqual((status.waiting, status.aside), (2, 4))
        self.assertIn("sent to http://x, which was given up", self.log("rejected").stdout)
        self.assertEqual(json.loads(self.log("set-aside-unsettled", "--json").stdout), {"aside": 0})

    def test_check(self) -> None:
        """A sound file has nothing wrong; of a damaged one it is told what, and it stays."""
        log = self.filled()
        self.assertEqual(
            (self.log("check").stdout, self.log("check").returncode), (f"{self.path}: nothing is wrong.\n", 0)
        )
        log.close()
        damaged = self.folder() / "cache.db"
        damaged.write_bytes(self.path.read_bytes()[:9000])
        done = here("log", damaged, "check", "--json")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(json.loads(done.stdout)["wrong"][0], "damaged")
        self.assertEqual(damaged.stat().st_size, 9000)

    def test_vacuum(self) -> None:
        """Space that is not needed is given back, beside a Logger, which goes on."""
        log = self.filled()
        log.insert_many({"b": [{"t": 100.0 + n, "d": "x" * 100} for n in range(5000)]})
        log.cleardata()
        found = json.loads(self.log("vacuum", "--json").stdout)
        self.assertLess(found["after"], found["before"] / 5)
        log.insert("a", 1)
        self.assertEqual(self.log("check").returncode, 0)


class Inserting(FileCase):
    """Lines from a pipe. (Signals, and pipes that stay open: `test_piping`.)"""

    def inserted(self, stdin: str, *options: str) -> tuple[list[Any], str]:
        """Log lines into a new stream; return its values and what was said on standard error."""
        for path in self.path.parent.iterdir():
            path.unlink()
        done = self.log("insert", "s", "--add", *options, stdin=stdin)
        self.status = done.returncode
        with Logger(self.path) as log:
            self.points = list(log.waiting())
        return [point["d"] for point in self.points], done.stderr

    def test_values(self) -> None:
        """Each line is a JSON value; empty ones are none; the last needs no end."""
        values, said = self.inserted('1\n 2.5 \n\n"x"\r\n{"a":[null]}')
        self.assertEqual((values, said, self.status), ([1, 2.5, "x", {"a": [None]}], "4 points logged\n", 0))
        times = [point["t"] for point in self.points]
        self.assertEqual((sorted(set(times)), times[0] > 1e9), (times, True))

    def test_bad_lines(self) -> None:
        """They are told with their numbers, and the rest goes on; or it ends there."""
        values, said = self.inserted("1\nx\nNaN\n4\n")
        self.assertEqual((values, self.status), ([1, 4], 1))
        self.assertRegex(said, r"(?s)^line 2: .*\nline 3: .*\n2 points logged, 2 refused\n$")
        values, said = self.inserted("1\nx\n4\n", "--strict")
        self.assertEqual((values, self.status), ([1], 1))

    def test_schema(self) -> None:
        """What the stream's schema refuses is told, too."""
        self.filled().close()
        done = self.log("insert", "a", stdin='7\n"seven"\n')
        self.assertEqual(done.returncode, 1)
        self.assertIn("line 2: the stream's schema refuses it: 'seven' is not of type 'number'", done.stderr)

    def test_text(self) -> None:
        """Each line is a text."""
        self.assertEqual(self.inserted("1\nhello there \n", "--text")[0], ["1", "hello there "])

    def test_times(self) -> None:
        """Times come with the lines, as datapoints or in a field."""
        values, _ = self.inserted('{"t":5,"d":1}\n{"t":"2020-01-01T00:00:00Z","d":2}\n{"d":3}\n', "--points")
        self.assertEqual(([point["t"] for point in self.points], values, self.status), ([5.0, 1577836800.0], [1, 2], 1))
        values, _ = self.inserted('{"when":7,"v":1}\n{"v":2}\n', "--time-field", "when")
        self.assertEqual(([point["t"] for point in self.points], values, self.status), ([7.0], [{"v": 1}], 1))
        self.assertEqual(self.log("insert", "s", "--points", "--text").returncode, 2)

    def test_no_stream(self) -> None:
        """A stream that the file does not have is an error, unless it is to be added."""
        self.filled().close()
        done = self.log("insert", "c", stdin="1\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no stream 'c'", done.stderr)

    def test_server_and_key(self) -> None:
        """A new file gets server and key from one source; one that is there keeps its own."""
        found = {"CONNECTORDB_URL": "https://a", "CONNECTORDB_APIKEY": "key of a"}
        for variables, expected in (
            ({}, ("http://localhost:3124", "")),
            (found, ("https://a", "key of a")),
        ):
            with mock.patch.dict(os.environ, variables):
                self.inserted("1\n")
                with Logger(self.path) as log:
                    self.assertEqual((log.serverurl, log.apikey), expected)
        with mock.patch.dict(os.environ, {"CONNECTORDB_URL": "https://b", "CONNECTORDB_APIKEY": "key of b"}):
            self.assertEqual(self.log("insert", "other", "--add", stdin="2\n").returncode, 0)
        with Logger(self.path) as log:
            self.assertEqual((log.serverurl, log.apikey), ("https://a", "key of a"))


class Syncing(LoggerCase):
    """Points go to the server, at a command."""

    def test_sync(self) -> None:
        """What waits is sent; what goes wrong is told."""
        path = self.folder() / "cache.db"
        with Logger(path, apikey=self.key) as log:
            log.serverurl = self.url
            log.addStream("s", {"type": "number"})
            log.insert("s", 1)
        self.assertEqual(here("log", path, "sync").stdout, "1 point sent, 0 set aside; 0 wait\n")
        self.assertEqual(here("log", path, "insert", "s", "--sync", stdin="2\n3\n").returncode, 0)
        self.assertEqual(self.stored(), [1, 2, 3])
        with Logger(path, apikey="wrong") as log:
            log.insert("s", 4)
        done = here("log", path, "sync", "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["waiting"]), (1, 1))
