"""Tests of `connectordb.live.many`: one callback for many streams."""

from __future__ import annotations

import threading
from typing import Any
from unittest import mock

from connectordb import Stream
from connectordb.exceptions import LocalProtocolError, NotFound, PermissionDenied
from connectordb.live import device_streams
from connectordb.live import many as many_module
from connectordb.protocol.paths import Path
from tests.support.case import MS, SOON
from tests.support.live_cases import Record
from tests.support.target import TargetCase, new_name


class ManyTests(TargetCase):
    """Streams of a device on a real server."""

    def setUp(self) -> None:
        super().setUp()
        self.cdb = self.connect(self.device_key)
        self.record = Record()

    def test_all_of_a_device(self) -> None:
        """Those that are there, and those that appear, from their first point on; those that go are left."""
        first, second = self.cdb[new_name()], self.cdb[new_name()]
        first.create({})
        with (
            mock.patch.object(device_streams, "PERIOD", 30 * MS),
            self.cdb.subscribe([f"{self.cdb.path}/*"], self.record) as many,
        ):
            first.insert("first")
            second.create({})
            second.insert("second")
            self.eventually(lambda: sorted(self.record.values) == ["first", "second"])
            self.assertEqual({path for path, _ in self.record.calls}, {first.path, second.path})
            self.assertLessEqual({first.path, second.path}, set(many.streams))
            first.delete()
            self.eventually(lambda: first.path not in many.streams)
            self.assertIn(second.path, repr(many))
        self.assertEqual(many.streams, {})
        self.nothing_comes(second)
        self.assertEqual(len(self.record.values), 2)

    def test_named_twice(self) -> None:
        """A stream that is named twice, by itself and by its device, is watched once, and ends once."""
        stream = self.cdb[new_name()]
        stream.create({})
        with self.cdb.subscribe([stream.path, stream.path, f"{self.cdb.path}/*"], self.record):
            stream.insert(1)
            self.eventually(lambda: self.record.values == [1])
        self.nothing_comes(stream)
        self.assertEqual(self.record.values, [1])

    def test_not_listed_once(self) -> None:
        """A look that brings nothing, as it was refused for the moment, has no stream begun anew."""
        stream = self.cdb[new_name()]
        stream.create({})
        stream.insert(0)
        with (
            mock.patch.object(device_streams, "PERIOD", 10 * MS),
            self.cdb.subscribe([f"{self.cdb.path}/*"], self.record) as many,
        ):
            refused = PermissionDenied("Too many", status=429, ref="x")
            with mock.patch.object(device_streams.rest, "list_streams", side_effect=refused) as looked:
                self.eventually(lambda: looked.call_count > 2)
            many._streams_are(Path.parse(self.cdb.path), [])
            many._streams_are(Path.parse(self.cdb.path), [stream.name])
            stream.insert(1)
            self.eventually(lambda: self.record.values)
            self.assertEqual(self.record.values, [1])

    def test_forgotten(self) -> None:
        """A stream that was found and has been deleted for long is forgotten, one that was named is not; both are watched when they are back."""
        named, found = self.cdb[new_name()], self.cdb[new_name()]
        for stream in (named, found):
            stream.create({})
        with (
            mock.patch.object(device_streams, "PERIOD", 30 * MS),
            self.cdb.subscribe([named.path, f"{self.cdb.path}/*"], self.record) as many,
        ):
            device = Path.parse(self.cdb.path)
            for stream in (named, found):
                stream.delete()
            self.eventually(lambda: not {named.path, found.path} & many.streams.keys())
            many._streams_are(device, [])
            self.assertLessEqual({named.path, found.path}, many._by_path.keys())
            with mock.patch.object(many_module, "_FORGOTTEN", 0.0):
                self.eventually(lambda: found.path not in many._by_path)
            self.assertIn(named.path, many._by_path)
            for stream in (named, found):
                stream.create({})
                stream.insert(stream.name)
            self.eventually(lambda: sorted(self.record.values) == sorted([named.name, found.name]))

    def test_several(self) -> None:
        """Streams one by one, from where one likes; other callbacks on them stay."""
        streams = [self.cdb[new_name()] for _ in range(2)]
        other = Record()
        for number, stream in enumerate(streams):
            stream.create({})
            stream.insert(number)
        streams[0].subscribe(other)
        with self.cdb.subscribe([stream.path for stream in streams], self.record, since=0):
            self.eventually(lambda: sorted(self.record.values) == [0, 1])
            streams[0].insert(2)
            self.eventually(lambda: other.values == [2])

    def test_closed_while_one_appears(self) -> None:
        """Closing waits for a stream that is just being begun: afterwards nothing comes of it."""
        begun, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)
        stream = self.cdb[new_name()]
        with (
            mock.patch.object(device_streams, "PERIOD", 30 * MS),
            self.cdb.subscribe([f"{self.cdb.path}/*"], self.record) as many,
        ):
            subscribe = many._live.subscribe

            def slowly(*arguments: Any, **options: Any) -> Any:
                begun.set()
                self.assertTrue(go_on.wait(SOON))
                return subscribe(*arguments, **options)

            with mock.patch.object(many._live, "subscribe", slowly):
                stream.create({})
                self.wait(begun)
                closing = threading.Thread(target=many.close)
                closing.start()
                closing.join(50 * MS)
                self.assertTrue(closing.is_alive())
                go_on.set()
                closing.join(SOON)
        stream.insert(1)
        self.nothing_comes(stream)

    def nothing_comes(self, stream: Stream) -> None:
        """Check that nobody is told of *stream*: what another hears who was told later has been told to all."""
        self.assertFalse(self.cdb._session.live._switchboard.is_wanted())
        before, other = list(self.record.values), Record()
        with stream.subscribe(other):
            stream.insert("last")
            self.eventually(lambda: other.values)
        self.assertEqual(self.record.values, before)

    def test_refused(self) -> None:
        """What is no path, what is not there; and then nothing is left."""
        with self.assertRaisesRegex(LocalProtocolError, "list of paths"):
            self.cdb.subscribe("a/b/c", self.record)
        with self.assertRaisesRegex(LocalProtocolError, "user/device/\\*"):
            self.cdb.subscribe(["a/*"], self.record)
        stream = self.cdb[new_name()]
        stream.create({})
        with self.assertRaises(NotFound):
            self.cdb.subscribe([stream.path, f"{self.cdb.path}/nosuch"], self.record)
        self.nothing_comes(stream)
        self.assertEqual(self.record.calls, [])
