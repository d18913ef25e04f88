"""Tests of `connectordb.logger.file.upgrade`: the cache file of the 0.3.5 client opens with all its points."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import Any
from unittest import mock

from connectordb.logger.file.upgrade import open_file
from connectordb.logger.rows.store import Store
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from connectordb.runtime import layouts, sqlite
from tests.support.logger_cases import PassCase


class UpgradeTests(PassCase):
    """A 0.3.5 cache file is taken over whole, as a batch that may have been sent."""

    def setUp(self) -> None:
        super().setUp()
        self.store.close()
        self.path = self.folder() / "old.db"

    def old_file(
        self,
        points: list[tuple[str, Any, str]],
        streams: dict[str, str | None],
        metadata: tuple[Any, ...] | None = None,
    ) -> Store:
        """Make a file as the 0.3.5 client did, and open it."""
        connection = sqlite3.connect(self.path)
        connection.execute("CREATE TABLE cache (stream TEXT, timestamp REAL, jsondata TEXT)")
        connection.execute("CREATE TABLE streams (stream TEXT, jsonschema TEXT)")
        connection.execute(
            "CREATE TABLE metadata (apikey TEXT, serverurl TEXT, lastsynctime REAL, syncperiod REAL, userdatajson TEXT)"
        )
        connection.executemany("INSERT INTO cache VALUES (?, ?, ?)", points)
        connection.executemany("INSERT INTO streams VALUES (?, ?)", streams.items())
        given = metadata or (self.key, self.url + "/api/v1/", 12.5, 30.0, '{"a": [1]}')
        connection.execute("INSERT INTO metadata VALUES (?, ?, ?, ?, ?)", given)
        connection.commit()
        connection.close()
        self.store = Store(self.path)
        self.server = self.link(self.url, self.key)
        self.id = next((stream.id for stream in self.store.catalogue.streams() if stream.name == "s"), 0)
        return self.store

    def test_settings(self) -> None:
        """What was set is there, the server's address without the root of its interface."""
        settings = self.old_file([], {}).catalogue.settings()
        self.assertEqual(settings.pop("created"), True)
        self.assertEqual(
            settings,
            {"apikey": self.key, "serverurl": self.url, "lastsynctime": 12.5, "syncperiod": 30.0, "data": {"a": [1]}},
        )

    def test_private(self) -> None:
        """It holds a key: from now on its owner alone may read it."""
        self.path.touch(0o644)
        self.old_file([], {})
        for file in self.path.parent.glob("old.db*"):
            with self.subTest(file=file.name):
                self.assertEqual(file.stat().st_mode & 0o077, 0)

    def test_empty_settings(self) -> None:
        """Settings that were never made are as in a new file."""
        settings = self.old_file([], {}, (None, None, None, None, None)).catalogue.settings()
        self.assertEqual((settings["apikey"], settings["data"], settings["syncperiod"]), ("", {}, 600.0))

    def test_data_that_is_no_json(self) -> None:
        """The user's data has null for what JSON cannot carry; a schema that is none allows anything; both opens go well."""
        metadata = ("", None, 0, 60, '{"a": NaN, "b": 1}')
        self.old_file([("s", 10.0, "1")], {"s": "nonsense"}, metadata).close()
        self.store = Store(self.path)
        self.assertEqual(self.store.catalogue.settings()["data"], {"a": None, "b": 1})
        self.assertEqual([stream.schema for stream in self.store.catalogue.streams()], ["{}"])
        self.assertEqual([name for name in os.listdir(self.path.parent) if "damaged" in name], [])

    def test_points(self) -> None:
        """Every point is there, in the order of time; equal times stay; a null schema takes any value."""
        points = [("s", 20.0, "2"), ("s", 10.0, '"a"'), ("s", 20.0, "3"), ("lost", 5.0, "null"), ("s", 15, "{}")]
        store = self.old_file(points, {"s": "null", "n": '{"type": "number"}'})
        self.assertEqual(store.points.waiting(), 5)
        self.assertEqual([(row.t, row.d) for row in self.waiting()], [(10, '"a"'), (15, "{}"), (20, "2"), (20, "3")])
        self.assertEqual(
            {stream.name: stream.schema for stream in store.catalogue.streams()},
            {"n": '{"type": "number"}', "s": "{}", "lost": "{}"},
        )
        self.assert_adds_up()

    def test_what_is_no_json(self) -> None:
        """A NaN, which the old client let in, is set aside with the reason; nothing is dropped."""
        store = self.old_file([("s", 10.0, "NaN"), ("s", 11.0, "1"), ("s", -5.0, "2")], {"s": "{}"})
        self.assertEqual(store.points.waiting(), 1)
        self.assertEqual([point.d for point in store.aside.points()], ["NaN", 2])
        store.points.append(self.id, 5.0, "3", 0)
        self.assertEqual([row.d for row in self.waiting()], ["1", "3"])
        self.assert_adds_up()

    def test_partly_sent(self) -> None:
        """What the old client had sent before it could delete it is not sent again; the rest is, once."""
        times = [1000.0 + n // 2 for n in range(60)]
        self.old_file([("s", t, str(n)) for n, t in enumerate(times)], {"s": "{}"})
        self.server_stream.delete()
        stream = self.new_stream()
        self.assertEqual(len(stream), 0)
        for n, t in enumerate(times[:20]):
            self.server.call(_insert(f"{self.room}/s", t, n))
        self.run_pass()
        self.assertEqual(self.stored(), list(range(60)))
        self.assertEqual((self.store.points.waiting(), self.store.aside.points()), (0, []))
        self.assert_adds_up()

    def test_equal_points(self) -> None:
        """Of three equal points of which one was sent, two are sent."""
        self.old_file([("s", 1000.0, "1")] * 3, {"s": "{}"})
        self.server.call(_insert(f"{self.room}/s", 1000.0, 1))
        self.run_pass()
        self.assertEqual(self.stored(), [1, 1, 1])

    def test_older_than_another_writers(self) -> None:
        """Old points that are not there, and cannot be stored any more, are set aside."""
        self.old_file([("s", 1000.0, "1"), ("s", 3000.0, "2")], {"s": "{}"})
        self.server.call(_insert(f"{self.room}/s", 2000.0, "x"))
        with self.assertLogs("connectordb.logger", "WARNING"):
            self.run_pass()
        self.assertEqual(self.stored(), ["x", 2])
        self.assertEqual([point.d for point in self.store.aside.points()], [1])

    def test_twice(self) -> None:
        """A file that was upgraded is opened as it is."""
        self.old_file([("s", 10.0, "1")], {"s": "{}"}).close()
        open_file(self.path).close()
        self.store = Store(self.path)
        self.assertEqual(self.store.points.waiting(), 1)

    def test_made_meanwhile(self) -> None:
        """A file that another process makes while it is looked at is not taken for damaged."""
        with contextlib.closing(sqlite3.connect(self.path)) as empty:
            empty.execute("PRAGMA journal_mode = WAL")
        real, made = layouts.version, []

        def version(connection: sqlite.Connection) -> int:
            if not made:
                made.append(True)
                open_file(self.path).close()
            return real(connection)

        with mock.patch.object(layouts, "version", version):
            open_file(self.path).close()
        self.assertEqual(made, [True])


def _insert(path: str, t: float, value: Any) -> Any:

    return rest.insert(Path.parse(path), [{"t": t, "d": value}])
