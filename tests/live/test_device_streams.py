"""A device's mirrors against a real server."""

from __future__ import annotations

import time
from typing import Any
from unittest import mock

from connectordb.exceptions import ConnectionFailed, ConnectorDBError, LocalProtocolError, NotFound
from connectordb.live import device_streams
from connectordb.live.mirrors.device_mirror import DeviceMirror
from connectordb.live.socket.connection import Connection
from tests.support.case import MS, SOON
from tests.support.target import TargetCase, new_name


class DeviceTests(TargetCase):
    """Streams that are there, come and go."""

    def setUp(self) -> None:
        super().setUp()
        self.room = self.person()(f"{self.user_name}/{new_name()}")
        self.room.create(streams={"heat": {}, "door": {}})
        self.addCleanup(lambda: self.room.exists() and self.room.delete())
        self.room_itself = self.connect(self.room.apikey)
        self.watching = self.person()

    def live(self, **options: Any) -> DeviceMirror:
        """Return the mirror of the room."""
        mirror: DeviceMirror = self.watching(self.room.path).live(**options)
        self.addCleanup(mirror.close)
        return mirror

    def test_follows(self) -> None:
        """What is there at first, what comes, and streams that come and go, told by the log of changes."""
        self.room_itself["heat"].insert_array([{"t": 1.0, "d": 1}, {"t": 2.0, "d": 2}])
        room = self.live(keep=10)
        self.assertEqual(list(room), ["door", "heat"])
        self.assertEqual((room["heat"].points()["d"], room["door"].value, room.is_stale), ([1, 2], None, False))
        calls: list[Any] = []
        room.on_change(lambda name, old, new: calls.append((name, old, new)))
        self.room_itself["heat"].insert(3)
        self.eventually(lambda: calls == [("heat", 2, 3)])
        self.room_itself["light"].create()
        self.eventually(lambda: "light" in room)
        self.room_itself["light"].insert("on")
        self.eventually(lambda: calls[1:] == [("light", None, "on")])
        self.room_itself["door"].delete()
        self.eventually(lambda: list(room) == ["heat", "light"])
        self.assertFalse(room.is_stale)

    def test_without_the_log(self) -> None:
        """Where the log of changes may not be read, it is looked now and then."""
        with (
            mock.patch.object(device_streams, "PERIOD", 20 * MS),
            mock.patch.object(device_streams, "_LOG", ("meta", "nolog")),
        ):
            room = self.live()
            self.room_itself["light"].create()
            self.room_itself["light"].insert("on")
            self.eventually(lambda: "light" in room and room["light"].value == "on")
            self.room_itself["heat"].delete()
            self.eventually(lambda: list(room) == ["door", "light"])

    def test_device_deleted(self) -> None:
        """With the device all of its streams are gone; when it is back, so are they."""
        with mock.patch.object(device_streams, "PERIOD", 20 * MS):
            room = self.live()
            self.room.delete()
            self.eventually(lambda: not list(room))
            self.room.create(streams={"heat": {}})
            self.eventually(lambda: list(room) == ["heat"])
            self.connect(self.room.apikey)["heat"].insert(5)
            self.assertEqual(room["heat"].wait_for(bool, SOON), 5)

    def test_refused(self) -> None:
        """A device that is not there; nothing to keep; afterwards nobody listens."""
        with self.assertRaises(NotFound):
            self.watching(f"{self.user_name}/{new_name()}").live()
        with self.assertRaises(LocalProtocolError):
            self.live(keep=0)
        self.assertFalse(self.watching._session.live._switchboard.is_wanted())

    def test_without_a_websocket(self) -> None:
        """Where REST answers and no websocket can be had, that is raised, and at once."""
        began = time.monotonic()
        with (
            mock.patch.object(Connection, "open", side_effect=ConnectionFailed("no websocket today")),
            self.assertRaisesRegex(ConnectionFailed, "no websocket today"),
        ):
            self.watching(self.room.path).live()
        self.assertLess(time.monotonic() - began, SOON / 2)
        self.assertFalse(self.watching._session.live._switchboard.is_wanted())

    def test_connection_closed(self) -> None:
        """With the connection everything ends; what was held can still be read."""
        self.room_itself["heat"].insert(1)
        cdb = self.person()
        room = cdb(self.room.path).live()
        room.on_change(lambda name, old, new: None)
        cdb.close()
        self.assertEqual((room["heat"].value, room["heat"].stale_reason), (1, "closed"))
        room.close()

    def test_trouble(self) -> None:
        """A look that fails is one of many: the streams stay."""
        with mock.patch.object(device_streams, "PERIOD", 20 * MS):
            room = self.live()
            with (
                mock.patch.object(
                    device_streams.rest, "list_streams", side_effect=ConnectorDBError("not now")
                ) as listing,
                self.assertLogs("connectordb.live.device_streams", "INFO"),
            ):
                self.eventually(lambda: listing.call_count > 2)
                self.assertEqual(list(room), ["door", "heat"])
            self.room_itself["light"].create()
            self.eventually(lambda: "light" in room)
