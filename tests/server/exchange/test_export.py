"""Exports of databases."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from connectordb.exceptions import StorageError
from connectordb.runtime.sqlite import connect
from connectordb.server import database
from connectordb.server.exchange import export as module
from connectordb.server.exchange import export_database
from connectordb.server.storage import Series, Writer, access

from ...support.case import SOON
from .case import ExchangeCase, tree


class Exporting(ExchangeCase):
    """All of a database, at one moment."""

    def setUp(self) -> None:
        super().setUp()
        self.out = self.top / "out"

    def test_everything(self) -> None:
        """Users, devices, streams and their points are there, downlinks only where the flag is."""
        path = self.database()
        points = [{"t": 1, "d": {"ü": [None, "</a>"]}}, {"t": 1.5}, {"t": 2, "d": 1, "o": "ben/user"}]
        self.stream(path, "some", points)
        switch = self.stream(path, "switch", downlink=True, schema='{"type":"number"}')
        self.write(path, lambda writer: writer.insert(Series(switch, True), [{"t": 3, "d": 3}], False))
        done = export_database(path, self.out)
        self.assertEqual((done.users, done.devices, done.streams, done.points, done.gone), (1, 2, 2, 4, []))
        found = tree(self.out)
        self.assertEqual(found["test/user/some/data.json"], points)
        self.assertEqual(found["test/user/switch/data.json"], [])
        self.assertEqual(found["test/user/switch/downlink.json"], [{"t": 3, "d": 3}])
        self.assertEqual(found["test/user/switch/stream.json"]["schema"], '{"type":"number"}')
        self.assertEqual(found["test/user.json"]["password_scheme"], "scrypt")
        self.assertTrue(found["test/user.json"]["password_salt"])
        self.assertEqual(
            [name for name in found if "downlink.json" in name or "meta" in name],
            ["test/meta/device.json", "test/user/switch/downlink.json"],
        )

    def test_while_it_runs(self) -> None:
        """What comes during the export is not in it, and what was there is, though its server goes on and packs it."""
        path = self.database()
        first, second = self.stream(path, "first"), self.stream(path, "second")
        with database.open(path) as opened:

            def insert(begin: int, number: int) -> None:
                points = [{"t": begin + index, "d": index} for index in range(number)]

                def work(writer: Writer) -> None:
                    for id in (first, second):
                        writer.insert(Series(id), [dict(point) for point in points], False)

                opened.storage.write(work).result(SOON)

            insert(1, 3000)
            told: list[tuple[str, int, int]] = []

            def progress(what: str, done: int, all: int) -> None:
                told.append((what, done, all))
                insert(5000 * len(told), 500)

            with mock.patch.object(module, "_PAGE", 10_000):
                done = export_database(path, self.out, progress)
        self.assertEqual(done.points, 6000)
        found = tree(self.out)
        expected = [{"t": 1 + index, "d": index} for index in range(3000)]
        self.assertEqual(found["test/user/first/data.json"], expected)
        self.assertEqual(found["test/user/second/data.json"], expected)
        self.assertGreater(len(told), 4)
        self.assertEqual(told[-1], ("test/user/second", 6000, 6000))

    def test_deleted_meanwhile(self) -> None:
        """A stream that is deleted while it is read is left out, and told; so is one whose downlink began anew."""
        path = self.database()
        points = [{"t": 1 + index, "d": index} for index in range(3000)]
        deleted = self.stream(path, "deleted", points)
        anew = self.stream(path, "renewed", downlink=True)
        self.write(path, lambda writer: writer.insert(Series(anew, True), points, False))
        self.stream(path, "stays", points)
        with database.open(path) as opened:

            def change(writer: Writer) -> None:
                if writer.find(("test", "user", "deleted")).stream is not None:
                    writer.delete_stream(deleted)
                else:
                    writer.update_stream(anew, {"downlink": False})
                    writer.update_stream(anew, {"downlink": True})
                    later = [{"t": 10_000 + index} for index in range(4000)]
                    writer.insert(Series(anew, True), later, False)

            def progress(what: str, done: int, all: int) -> None:
                if what != "test/user/stays":
                    opened.storage.write(change).result(SOON)

            # of what is deleted some points are removed later
            with mock.patch.object(module, "_PAGE", 10_000), mock.patch.object(access, "_AT_ONCE", 1):
                done = export_database(path, self.out, progress)
        self.assertEqual(done.gone, ["test/user/deleted", "test/user/renewed"])
        self.assertEqual((done.streams, done.points), (1, 3000))
        self.assertEqual([name for name in tree(self.out) if "data" in name], ["test/user/stays/data.json"])

    def test_memory(self) -> None:
        """Memory does not grow with the stream, and SQLite's log is not held meanwhile."""
        path = self.database()
        id = self.stream(path, "large")
        with database.open(path) as opened:
            for begin in range(0, 200_000, 5000):
                points = [{"t": begin + index, "d": f"{begin + index:>100}"} for index in range(5000)]
                opened.storage.write(lambda writer, p=points: writer.insert(Series(id), p, False)).result(SOON)

            held: list[int] = []

            def progress(what: str, done: int, all: int) -> None:
                with connect(path / "connectordb.db") as other:
                    held.append(other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])

            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            done = export_database(path, self.out, progress)
        self.assertEqual(done.points, 200_000)
        self.assertEqual(set(held), {0}, "a view was open between two pages")
        self.assertLess(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, 16 * 1024, "kilobytes")
        self.assertGreater((self.out / "test/user/large/data.json").stat().st_size, 20_000_000)

    def test_refused(self) -> None:
        """What is no database, or is damaged, leaves no export behind."""
        with self.assertRaises(StorageError):
            export_database(self.top, self.out)
        path = self.database()
        self.stream(path, "s", [{"t": 1 + index, "d": index} for index in range(3000)])
        with connect(path / "connectordb.db") as connection:
            connection.execute("UPDATE chunks SET data = x'00' WHERE packed")
        with self.assertRaises(StorageError) as caught:
            export_database(path, self.out)
        self.assertIn("damaged", str(caught.exception))
        self.assertFalse(self.out.exists())

    def test_killed(self) -> None:
        """An export that was killed is no export, and running it again makes it one."""
        path = self.database()
        self.stream(path, "s", [{"t": 1 + index, "d": index} for index in range(3000)])
        program = (
            "import os, signal, sys; sys.path.insert(0, sys.argv[3])\n"
            "from connectordb.server import export_database\n"
            "export_database(sys.argv[1], sys.argv[2], lambda *_: os.kill(os.getpid(), signal.SIGKILL))"
        )
        arguments: list[Any] = [sys.executable, "-c", program, path, self.out, Path(__file__).parents[3]]
        self.assertEqual(subprocess.run(arguments, timeout=60, check=False).returncode, -9)
        self.assertTrue((self.out / "test").exists())
        self.assertFalse((self.out / "connectordb.json").exists())
        self.assertEqual(export_database(path, self.out).points, 3000)
        self.assertEqual(json.loads((self.out / "connectordb.json").read_text())["Version"], 2)
