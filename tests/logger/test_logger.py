"""Tests of `connectordb.logger.logger`."""

from __future__ import annotations

import json
import sqlite3

import jsonschema

from connectordb import ConnectorDB, DatapointWarning
from connectordb.exceptions import (
    ClosedError,
    ConnectionFailed,
    LocalProtocolError,
    LoggerError,
    ResponseError,
    StorageError,
    StreamNotAdded,
)
from connectordb.logger import Logger
from tests.support.logger_cases import NOWHERE, WAIT, OpenCase
from tests.support.signatures import by_position

#: What programs written for 0.3.5 call, with the names that they pass.
SIGNATURES = {
    "__init__": "database_file_path on_create=None apikey=None onsync=None onsyncfail=None syncraise=False",
    "addStream": "streamname schema=None **properties",
    "addStream_force": "streamname schema=None",
    "insert": "streamname value t=None",  # the time is new
    "insert_many": "data_dict",
    "sync": "",
    "start": "",
    "stop": "",
    "close": "",
    "ping": "",
    "cleardata": "",
    "__len__": "",
    "__contains__": "streamname",
}
#: With True those that are assignable.
PROPERTIES = {
    **dict.fromkeys(("apikey", "serverurl", "syncperiod", "data"), True),
    **dict.fromkeys(("lastsynctime", "connectordb", "name", "streams"), False),
}


class SurfaceTests(OpenCase):
    """The names of 0.3.5."""

    def test_signatures(self) -> None:
        """Each is there, with its parameters in order; what was added can only be passed by name."""
        for name, wanted in SIGNATURES.items():
            with self.subTest(name):
                self.assertEqual(by_position(getattr(Logger, name)), wanted)
        for name, assignable in PROPERTIES.items():
            with self.subTest(name):
                found = getattr(Logger, name)
                self.assertIsInstance(found, property)
                self.assertEqual(found.fset is not None, assignable)
        for name in (*SIGNATURES, *PROPERTIES):
            self.assertTrue(name == "__init__" or getattr(Logger, name).__doc__, name)

    def test_defaults(self) -> None:
        """A new file has the defaults of 0.3.5."""
        logger = Logger(self.path)
        self.addCleanup(logger.close)
        self.assertEqual((logger.serverurl, logger.apikey, logger.syncperiod), ("http://localhost:3124", "", 600))
        self.assertEqual((logger.lastsynctime, logger.data, len(logger), logger.streams), (0, {}, 0, {}))
        self.assertTrue(logger)
        self.assertEqual((logger.onsync, logger.onsyncfail, logger.syncraise), (None, None, False))

    def test_settings_are_kept(self) -> None:
        """Settings, and streams, are there when the file is opened again; a key that is passed replaces the old one."""
        with self.open() as logger:
            logger.syncperiod, logger.data = 5, {"a": [1, None]}
            logger.addStream_force("s", {"type": "number"})
        with Logger(self.path) as logger:
            self.assertEqual((logger.apikey, logger.serverurl), (self.key, self.proxy.url))
            self.assertEqual((logger.syncperiod, logger.data), (5, {"a": [1, None]}))
            self.assertEqual(logger.streams, {"s": {"type": "number"}})
            self.assertIn("s", logger)
            self.assertNotIn("t", logger)
        with Logger(self.path, apikey="other") as logger:
            self.assertEqual(logger.apikey, "other")

    def test_by_position(self) -> None:
        """The constructor's arguments may be passed by position; the callbacks and `syncraise` are assignable."""

        def synced() -> None:
            pass

        logger = Logger(str(self.path), None, self.key, synced, print, True)
        self.addCleanup(logger.close)
        self.assertEqual((logger.apikey, logger.onsync, logger.onsyncfail), (self.key, synced, print))
        self.assertIs(logger.syncraise, True)
        logger.onsync, logger.onsyncfail, logger.syncraise = None, None, False
        self.assertEqual((logger.onsync, logger.onsyncfail, logger.syncraise), (None, None, False))

    def test_data(self) -> None:
        """`data` is any JSON value, and kept in the file."""
        for value in ({"a": [1, {"b": None}]}, [1, 2], "text", 5.5, True, None, {}):
            with self.open() as logger:
                logger.data = value
                self.assertEqual(logger.data, value)
            with Logger(self.path) as logger, self.subTest(value):
                self.assertEqual(logger.data, value)

    def test_close_does_not_sync(self) -> None:
        """What waits when the Logger is closed is not sent, and waits when it is opened again."""
        self.new_stream()
        with self.open() as logger:
            logger.addStream("s")
            logger.insert("s", 1)
        self.assertEqual(self.stored(), [])
        self.assertEqual(len(self.open()), 1)

    def test_old_file(self) -> None:
        """A cache file of 0.3.5 opens with settings, streams and points, is not taken for a new one, and syncs."""
        self.new_stream()
        with sqlite3.connect(self.path) as old:
            old.executescript(
                "CREATE TABLE cache (stream TEXT, timestamp REAL, jsondata TEXT);"
                "CREATE TABLE streams (stream TEXT, jsonschema TEXT);"
                "CREATE TABLE metadata (apikey TEXT, serverurl TEXT, lastsynctime REAL, syncperiod REAL, userdatajson TEXT)"
            )
            old.executemany("INSERT INTO cache VALUES ('s', ?, ?)", [(1000.0, "1"), (1001.0, "2"), (1001.0, "3")])
            old.execute("INSERT INTO streams VALUES ('s', ?)", [json.dumps({"type": "number"})])
            old.execute(
                "INSERT INTO metadata VALUES (?, ?, 12.5, 30.0, ?)", (self.key, f"{self.proxy.url}/api/v1/", '{"a": 1}')
            )
        old.close()
        with Logger(self.path, on_create=lambda logger: self.fail("the file is not new")) as logger:
            logger._syncing.patience = WAIT
            self.assertEqual((len(logger), logger.streams), (3, {"s": {"type": "number"}}))
            self.assertEqual((logger.apikey, logger.lastsynctime, logger.syncperiod), (self.key, 12.5, 30))
            self.assertEqual(logger.data, {"a": 1})
            self.assertEqual(logger.ping(), self.room)
            logger.sync()
            self.assertEqual(len(logger), 0)
        self.assertEqual(self.stored(), [1, 2, 3])

    def test_bad_settings(self) -> None:
        """Settings that make no sense are refused."""
        logger = self.open()
        for name, value in (
            ("syncperiod", 0),
            ("syncperiod", "5"),
            ("syncperiod", float("inf")),
            ("serverurl", ""),
            ("serverurl", "http://"),
            ("apikey", None),
            ("data", {1, 2}),
        ):
            with self.subTest(name=name, value=value), self.assertRaises(LocalProtocolError):
                setattr(logger, name, value)

    def test_name(self) -> None:
        """`name` and `ping` are the path of the device, `connectordb` a connection as that device."""
        logger = self.open()
        self.assertEqual((logger.name, logger.ping()), (self.room, self.room))
        self.assertIsInstance(logger.connectordb, ConnectorDB)
        self.assertIs(logger.connectordb, logger.connectordb)
        self.assertEqual(logger.connectordb.path, self.room)

    def test_reset_apikey(self) -> None:
        """A key that is reset through the Logger's connection is saved in the file, and used."""
        with self.open() as logger:
            key = logger.connectordb.reset_apikey()
            self.assertNotEqual(key, self.key)
            self.assertEqual((logger.apikey, logger.ping()), (key, self.room))
        with Logger(self.path) as logger:
            self.assertEqual((logger.apikey, logger.ping()), (key, self.room))

    def test_closed(self) -> None:
        """After close everything raises; closing again does nothing."""
        logger = self.open()
        logger.addStream_force("s")
        logger.close()
        logger.close()
        for use in (
            lambda: logger.insert("s", 1),
            lambda: len(logger),
            logger.sync,
            logger.start,
            logger.ping,
        ):
            with self.assertRaises(ClosedError):
                use()


class CreateTests(OpenCase):
    """`on_create` runs once, when the file is new."""

    def test_once(self) -> None:
        """It runs for a new file, with the Logger, and not again."""
        calls: list[Logger] = []
        with self.open(calls.append) as logger:
            self.assertEqual(calls, [logger])
        self.open(calls.append)
        self.assertEqual(len(calls), 1)

    def test_false(self) -> None:
        """If it returns False the file is removed, and that is an error."""
        with self.assertRaisesRegex(LoggerError, "on_create returned False"):
            Logger(self.path, on_create=lambda logger: False)
        self.assertEqual(list(self.path.parent.iterdir()), [])

    def test_raises(self) -> None:
        """If it raises the file is removed, and the error goes on."""

        def fail(logger: Logger) -> None:
            logger.addStream_force("s")
            logger.insert("s", 1)
            raise KeyError("mine")

        with self.assertRaisesRegex(KeyError, "mine"):
            Logger(self.path, on_create=fail)
        self.assertEqual(list(self.path.parent.iterdir()), [])

    def test_not_alone(self) -> None:
        """If another process has the file open by then it stays, with what that has logged."""
        other: list[Logger] = []

        def fail(logger: Logger) -> None:
            other.append(self.open())
            other[0].addStream_force("s")
            other[0].insert("s", 1)
            raise KeyError("mine")

        with self.assertRaisesRegex(KeyError, "mine"), self.assertLogs("connectordb.logger", "WARNING"):
            Logger(self.path, on_create=fail)
        other[0].close()
        with Logger(self.path) as logger:
            self.assertEqual(len(logger), 1)

    def test_bad_files(self) -> None:
        """What is no cache file is refused, and stays."""
        self.path.write_text("my diary")
        for path in (self.path, self.path.parent):
            with self.assertRaises(StorageError):
                Logger(path)
        self.assertEqual(self.path.read_text(), "my diary")


class AddStreamTests(OpenCase):
    """`addStream` acts at once where the server is there, and at the first sync where it is not."""

    def test_created(self) -> None:
        """An absent stream is created, with its properties."""
        self.open().addStream("s", {"type": "number"}, nickname="S", downlink=True)
        stream = self.at("s")
        self.assertEqual((stream.schema, stream.nickname, stream.downlink), ({"type": "number"}, "S", True))

    def test_schema_as_text(self) -> None:
        """A schema may be JSON text."""
        logger = self.open()
        logger.addStream("s", '{"type": "number"}')
        self.assertEqual(logger.streams, {"s": {"type": "number"}})

    def test_existing(self) -> None:
        """Without a schema, that of the stream on the server is taken."""
        self.new_stream("s", {"type": "string"})
        logger = self.open()
        logger.addStream("s")
        self.assertEqual(logger.streams, {"s": {"type": "string"}})

    def test_absent_without_schema(self) -> None:
        """An absent stream without a schema is an error."""
        logger = self.open()
        with self.assertRaisesRegex(LoggerError, "give addStream a schema"):
            logger.addStream("s")
        self.assertNotIn("s", logger)

    def test_other_schema(self) -> None:
        """Where the server's schema is another one it wins, with a warning, or is refused."""
        self.new_stream("s", {"type": "string"})
        logger = self.open()
        with self.assertRaisesRegex(LoggerError, "has the schema"):
            logger.addStream("s", {"type": "number"}, on_schema="error")
        self.assertNotIn("s", logger)
        with self.assertLogs("connectordb.logger", "WARNING"):
            logger.addStream("s", {"type": "number"})
        logger.insert("s", "text")
        with self.assertRaises(jsonschema.ValidationError):
            logger.insert("s", 1)

    def test_same_schema(self) -> None:
        """Where the stream exists with the very schema, nothing is changed, and nothing is warned of."""
        stream = self.new_stream("s", {"type": "number", "minimum": 0})
        stream.nickname = "mine"
        logger = self.open()
        with self.assertNoLogs("connectordb.logger", "WARNING"):
            logger.addStream("s", '{ "minimum": 0, "type": "number" }', on_schema="error", nickname="S")
        self.assertIn("s", logger)
        stream.refresh()
        self.assertEqual(stream.nickname, "mine")

    def test_taken_over_for_good(self) -> None:
        """The server's schema, once taken over, is in the file."""
        self.new_stream("s", {"type": "string"})
        with self.open() as logger, self.assertLogs("connectordb.logger", "WARNING"):
            logger.addStream("s", {"type": "number"})
        with Logger(self.path) as logger:
            self.assertEqual(logger.streams, {"s": {"type": "string"}})

    def test_server_away(self) -> None:
        """With the server away a stream with a schema is created at the first sync; one without is an error."""
        logger = self.open(url=NOWHERE)
        with self.assertRaises(ConnectionFailed):
            logger.addStream("s")
        with self.assertLogs("connectordb.logger", "WARNING"):
            logger.addStream("s", {"type": "number"}, nickname="S")
        self.assertIn("s", logger)
        with self.assertRaises(jsonschema.ValidationError):
            logger.insert("s", "text")
        logger.insert("s", 1)
        logger.serverurl = self.proxy.url
        logger.sync()
        self.assertEqual(self.stored(), [1])
        self.assertEqual(self.at("s").nickname, "S")

    def test_another_in_the_servers_place(self) -> None:
        """A proxy whose server is away, and a portal, are no server, either: the stream is created at the first sync."""
        logger = self.open(url=self.proxy.url)
        for status in (b"502 Bad Gateway", b"429 Slow Down", b"200 OK", b"302 Found\r\nLocation: /welcome"):
            self.proxy.instead = b"HTTP/1.1 %s\r\nContent-Length: 14\r\n\r\n<html>a</html>" % status
            with self.subTest(status=status):
                with self.assertRaisesRegex(ResponseError, "web page|redirected"):
                    logger.addStream("s")
                with self.assertLogs("connectordb.logger", "WARNING"):
                    logger.addStream("s", {"type": "number"})
        logger.insert("s", 1)
        self.proxy.instead = b""
        logger.sync()
        self.assertEqual(self.stored(), [1])

    def test_created_meanwhile(self) -> None:
        """If somebody else creates it just then, another process of the same program for one, that is as good."""
        logger = self.open(url=self.proxy.url)

        def be_faster(line: str) -> None:
            if line.startswith("POST"):
                self.new_stream("s", {"type": "number"})

        self.proxy.on_request = be_faster
        logger.addStream("s", {"type": "number"})
        self.assertEqual(logger.streams, {"s": {"type": "number"}})

    def test_server_away_and_strict(self) -> None:
        """What to do about another schema is remembered: with ``"error"`` it is told at each sync, and the points wait."""
        self.new_stream("s", {"type": "string"})
        logger = self.open(url=NOWHERE)
        with self.assertLogs("connectordb.logger", "WARNING"):
            logger.addStream("s", {"type": "number"}, on_schema="error")
        logger.insert("s", 1)
        logger.serverurl = self.proxy.url
        logger.onsyncfail = lambda error: True
        for _ in range(2):
            with self.assertRaisesRegex(LoggerError, "has the schema"):
                logger.sync()
        self.assertEqual((len(logger), self.stored()), (1, []))
        with self.assertLogs("connectordb.logger", "WARNING"):
            logger.addStream("s", {"type": "number"})  # now it is to go by the server's
        logger.onsyncfail = None
        logger.sync()
        self.assertEqual([point["d"] for point in logger.rejected()], [1])

    def test_force(self) -> None:
        """`addStream_force` asks nobody, and without a schema any value goes."""
        logger = self.open(url=NOWHERE)
        logger.addStream_force("s")
        for value in (1, "a", None, [1, {"a": True}]):
            logger.insert("s", value)
        self.assertEqual(len(logger), 4)
        self.assertEqual(logger.streams, {"s": {}})
        logger.addStream_force("n", '{"type": "number"}')
        with self.assertRaises(jsonschema.ValidationError):
            logger.insert("n", "text")

    def test_bad(self) -> None:
        """Names and schemas that are none are refused before anything is sent."""
        logger = self.open()
        for name in ("a/b", "a b", "", 5):
            with self.assertRaises(LocalProtocolError):
                logger.addStream(name, {})  # type: ignore[arg-type]
        with self.assertRaises(jsonschema.SchemaError):
            logger.addStream("s", {"type": "nonsense"})
        with self.assertRaises(ValueError):
            logger.addStream("s", "{no json")
        self.assertEqual(self.proxy.requests, [])


class InsertTests(OpenCase):
    """`insert` takes what the schema takes."""

    def setUp(self) -> None:
        super().setUp()
        self.logger = self.open(url=NOWHERE)
        self.logger.addStream_force("n", {"type": "number"})
        self.logger.addStream_force("any")

    def test_refused(self) -> None:
        """What the schema, or JSON, refuses is refused, and not in the file."""
        for value in ("a", None, True):
            with self.assertRaises(jsonschema.ValidationError):
                self.logger.insert("n", value)
        for value in (float("nan"), float("inf"), b"bytes", {1}, object(), {"a": {(1, 2): 3}}):
            with self.assertRaises(LocalProtocolError):
                self.logger.insert("any", value)
        with self.assertRaisesRegex(StreamNotAdded, "it has: any, n"):
            self.logger.insert("missing", 1)
        self.assertEqual(len(self.logger), 0)

    def test_many(self) -> None:
        """`insert_many` takes points with times, of several streams, in any order."""
        self.logger.insert_many({"n": [{"t": 30, "d": 3}, {"t": 10.5, "d": 1}], "any": [{"t": 1.0, "d": None}]})
        self.logger.insert_many({"n": [{"t": 20, "d": 2}]})
        rows = self.logger._store.points.rows(1 << 40, 2 << 40, 10, 10**6)
        self.assertEqual([(row.t, row.d) for row in rows], [(10.5, "1"), (20, "2"), (30, "3")])
        self.assertEqual(len(self.logger), 4)

    def test_many_or_none(self) -> None:
        """One bad point among many, and none is taken."""
        good = {"t": 1.0, "d": 1}
        for bad in (
            {"t": 2.0, "d": "a"},
            {"t": 2.0},
            {"d": 2},
            {"t": "2", "d": 2},
            {"t": 0, "d": 2},
            {"t": float("nan"), "d": 2},
            {"t": 10**400, "d": 2},
            5,
        ):
            with self.subTest(bad=bad), self.assertRaises((LocalProtocolError, jsonschema.ValidationError)):
                self.logger.insert_many({"any": [good], "n": [good, bad]})  # type: ignore[list-item]
        with self.assertRaises(StreamNotAdded):
            self.logger.insert_many({"any": [good], "missing": [good]})
        for no_dict in ([1], 5, None, "n"):
            with self.subTest(no_dict), self.assertRaisesRegex(LocalProtocolError, "is no dict of streams"):
                self.logger.insert_many(no_dict)  # type: ignore[arg-type]
        with self.assertRaisesRegex(LocalProtocolError, "5 for 'n' is no list of datapoints"):
            self.logger.insert_many({"any": [good], "n": 5})  # type: ignore[dict-item]
        self.assertEqual(len(self.logger), 0)
        self.logger.insert_many({})

    def test_times(self) -> None:
        """The Logger's times are the present, and increase strictly even if the clock stands or goes back."""
        clock = [1000.0]
        self.logger._clock = type("Stepping", (type(self.logger._clock),), {"wall": lambda self: clock[0]})()
        for now in (1000.0, 1000.0, 500.0, -5.0, 2000.0):
            clock[0] = now
            self.logger.insert("n", now)
        times = [row.t for row in self.logger._store.points.rows(1 << 40, 2 << 40, 10, 10**6)]
        self.assertEqual((times[0], times[-1]), (1000.0, 2000.0))
        self.assertTrue(all(one < two for one, two in zip(times, times[1:], strict=False)))

    def test_doubtful(self) -> None:
        """Milliseconds, and integers that a server keeps as others, are logged as by 0.3.5, with one warning for a call."""
        self.new_stream()
        logger = self.open()
        logger.addStream("s")
        late, large = {"t": 1767225600000, "d": 1}, {"t": 1, "d": [2**53 + 1]}
        for told, log in (
            ("a point for 's' has the integer 9007199254740993", lambda: logger.insert("s", 2**53 + 1)),
            ("a point for 's' has t=1767225600000.0", lambda: logger.insert("s", 1, 1767225600000)),
            ("point 0 for 's' has the integer", lambda: logger.insert_many({"s": [large, late]})),
            ("point 1 for 's' has t=1767225600000", lambda: logger.insert_many({"s": [{"t": 1, "d": 1}, late, late]})),
            (
                "point 1 for 's' has the integer",
                lambda: logger.insert_many({"s": [{"t": 1, "d": 1}, {"t": 2, "d": -(2**60) - 1}]}),
            ),
        ):
            with self.subTest(told), self.assertWarnsRegex(DatapointWarning, told) as caught:
                log()
            self.assertEqual((len(caught.warnings), caught.filename), (1, __file__))
        self.assertEqual(len(logger), 9)

    def test_older_than_sent(self) -> None:
        """A point older than what was sent is set aside at once, and shown."""
        self.logger.serverurl = self.proxy.url
        self.new_stream("n")
        self.logger.insert_many({"n": [{"t": 20.0, "d": 1}]})
        self.logger.sync()
        self.logger.insert_many({"n": [{"t": 10.0, "d": 2}, {"t": 30.0, "d": 3}]})
        self.logger.sync()
        self.assertEqual(self.stored("n"), [1, 3])
        (rejected,) = self.logger.rejected()
        self.assertEqual((rejected["stream"], rejected["t"], rejected["d"]), ("n", 10.0, 2))
        self.assertIn("older than 20.0", rejected["reason"])

    def test_cleardata(self) -> None:
        """`cleardata` drops what waits."""
        self.logger.insert("n", 1)
        self.logger.cleardata()
        self.assertEqual(len(self.logger), 0)

    def test_another_process_added_the_stream(self) -> None:
        """A stream that another process added to the file may be logged to."""
        with Logger(self.path) as other:
            other.addStream_force("new")
        self.logger.insert("new", 1)
        self.assertEqual(len(self.logger), 1)


class ConflictTests(OpenCase):
    """What becomes of points that are older than what their stream holds."""

    def setUp(self) -> None:
        super().setUp()
        self.new_stream()
        self.logger = self.open(on_conflict="restamp")
        self.logger.addStream("s")

    def test_older_than_sent_and_restamped(self) -> None:
        """With `on_conflict="restamp"` it is given the first time after that, before what waits."""
        logger = self.logger
        logger.insert_many({"s": [{"t": 10.0, "d": 1}]})
        logger.sync()
        logger.insert_many({"s": [{"t": 30.0, "d": 3}]})
        logger.insert_many({"s": [{"t": 5.0, "d": 2}]})
        logger.sync()
        self.assertEqual((self.stored(), logger.rejected()), ([1, 2, 3], []))
        times = [point["t"] for point in self.at("s")[:]]
        self.assertTrue(10.0 < times[1] < 10.1)

    def test_other_writer_and_restamped(self) -> None:
        """What is older than another writer's points is stored behind those."""
        logger = self.logger
        logger.insert_many({"s": [{"t": 10.0, "d": 1}, {"t": 20.0, "d": 2}, {"t": 40.0, "d": 3}]})
        with ConnectorDB(self.key, url=self.url) as device:
            device["s"].insert_array([{"t": 30.0, "d": 0}])
        logger.sync()
        self.assertEqual((self.stored(), logger.rejected(), len(logger)), ([0, 1, 2, 3], [], 0))

    def test_bad_conflict(self) -> None:
        """Anything else is refused at the door, and makes no file."""
        path = self.folder() / "other.db"
        with self.assertRaisesRegex(LocalProtocolError, "'reject' or 'restamp'"):
            Logger(path, on_conflict="overwrite")  # type: ignore[arg-type]
        self.assertFalse(path.exists())
