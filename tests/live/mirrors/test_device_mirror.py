"""The mirrors of a device, fed by hand: which streams there are, and who is told of their changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectordb.exceptions import ClosedError
from connectordb.live.dispatch import Pool
from connectordb.live.mirrors.device_mirror import DeviceMirror
from connectordb.live.mirrors.kept import Keep
from connectordb.live.mirrors.mirror import Mirror
from connectordb.protocol.paths import Path
from connectordb.runtime.clock import Deadline
from tests.support.case import SOON, Case
from tests.support.clock import SteppedClock

DEVICE = Path.parse("mara/room")


class DeviceMirrorTests(Case):
    """A device whose streams the test arranges."""

    def setUp(self) -> None:
        super().setUp()
        self.pool = Pool("test")
        self.addCleanup(lambda: self.pool.close(Deadline(SOON)))
        self.clock = SteppedClock()
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.room = DeviceMirror(DEVICE, lane=self.pool.lane, begin=self.begin)

    def begin(self, name: str, join: Callable[[Mirror], None]) -> Mirror:
        """Return a mirror that has a first point already."""
        mirror = Mirror(DEVICE / name, Keep.of(1), lane=self.pool.lane, clock=self.clock)
        join(mirror)
        mirror.end_feed = lambda: self.ended.append(name)
        self.begun.append(name)
        mirror.take([{"t": 1.0, "d": 1}])
        mirror.is_fresh()
        return mirror

    def test_streams(self) -> None:
        """Streams appear and go; each is begun and ended once; who has the mirror of one that is gone keeps what it held."""
        self.assertEqual((list(self.room), len(self.room), bool(self.room)), ([], 0, True))
        self.assertEqual(repr(self.room), "<Mirror of 'mara/room': no streams>")
        self.assertEqual(len(self.room.streams_are(["heat", "door"])), 2)
        self.assertEqual(self.room.streams_are(["heat", "door"]), [])
        door = self.room["door"]
        self.room.streams_are(["heat", "light"])
        self.assertEqual(
            (list(self.room), self.begun, self.ended), (["heat", "light"], ["heat", "door", "light"], ["door"])
        )
        self.assertEqual((door.value, door.stale_reason, "door" in self.room), (1, "closed", False))
        with self.assertRaises(KeyError):
            self.room["door"]
        self.assertEqual({name: mirror.value for name, mirror in self.room.items()}, {"heat": 1, "light": 1})
        self.assertEqual(repr(self.room), "<Mirror of 'mara/room': heat, light>")

    def test_changes(self) -> None:
        """A function is told of all streams with their names, of those too that appear later, from their first point on."""
        self.room.streams_are(["heat", "door"])
        calls: list[Any] = []
        own: list[Any] = []
        listener = self.room.on_change(lambda name, old, new: calls.append((name, old, new)))
        self.room["heat"].on_change(lambda old, new: own.append(new))
        self.room["heat"].take([{"t": 2.0, "d": 2}])
        self.room["door"].take([{"t": 2.0, "d": 1}])
        self.room.streams_are(["heat", "light"])
        self.eventually(lambda: len(calls) == 2 and own == [2])
        self.assertEqual(calls, [("heat", 1, 2), ("light", None, 1)])
        self.room["heat"].take([{"t": 3.0, "d": 3}])
        self.eventually(lambda: own == [2, 3] and len(calls) == 3)
        listener.close()
        self.room["heat"].take([{"t": 4.0, "d": 4}])
        self.room.streams_are(["heat", "light", "door"])
        self.eventually(lambda: own == [2, 3, 4])
        self.assertEqual(len(calls), 3)

    def test_stale(self) -> None:
        """The device is as stale as the first of its streams."""
        self.room.streams_are(["heat", "door"])
        self.assertEqual((self.room.is_stale, self.room.stale_since), (False, None))
        self.clock.advance(5.0)
        self.room["door"].goes_stale("deleted")
        self.clock.advance(5.0)
        self.room["heat"].goes_stale("connecting")
        self.assertEqual((self.room.is_stale, self.room.stale_since), (True, 1.7e9 + 5))
        self.assertIn("stale", repr(self.room))

    def test_close(self) -> None:
        """Afterwards no stream appears, and nobody is told; what was held is still there."""
        self.room.streams_are(["heat"])
        self.room.on_change(lambda name, old, new: None)
        with self.room as room:
            pass
        room.close()
        self.assertEqual((room.streams_are(["heat", "door"]), self.begun, self.ended), ([], ["heat"], ["heat", "heat"]))
        self.assertEqual((room["heat"].value, room.is_stale), (1, True))
        with self.assertRaises(ClosedError):
            room.on_change(lambda name, old, new: None)
