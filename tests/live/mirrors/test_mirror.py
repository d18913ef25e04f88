"""A mirror that is fed by hand: what is read, who is told, who waits."""

from __future__ import annotations

import signal
import threading
import time
from datetime import timedelta
from typing import Any
from unittest import mock, skipUnless

from connectordb.exceptions import ClosedError, PipeScriptError, TimedOut
from connectordb.live.dispatch import Pool
from connectordb.live.mirrors.kept import Keep
from connectordb.live.mirrors.mirror import Mirror
from connectordb.pipescript import Script
from connectordb.protocol.paths import Path
from connectordb.query import pipe
from connectordb.runtime.clock import Deadline
from tests.support.case import MS, SOON, Case
from tests.support.clock import SteppedClock


class ByHandCase(Case):
    """A mirror that the test feeds."""

    def setUp(self) -> None:
        super().setUp()
        self.pool = Pool("test")
        self.addCleanup(lambda: self.pool.close(Deadline(SOON)))
        self.clock = SteppedClock()
        self.errors: list[Exception] = []

    def mirror(self, keep: Any = 1) -> Mirror:
        """Return a mirror."""
        return Mirror(
            Path.parse("mara/lamp/heat"),
            Keep.of(keep),
            lane=self.pool.lane,
            clock=self.clock,
            on_error=self.errors.append,
        )

    def points(self, *values: Any) -> list[dict[str, Any]]:
        """Return points of the present."""
        return [{"t": self.clock.wall(), "d": value} for value in values]


class ReadingTests(ByHandCase):
    """What is read."""

    def test_nothing_yet(self) -> None:
        """Without a point everything is None, and the mirror is stale."""
        mirror = self.mirror()
        self.assertEqual((mirror.value, mirror.t, mirror.age, mirror.point, list(mirror)), (None, None, None, None, []))
        self.assertEqual((mirror.is_stale, mirror.stale_reason), (True, "connecting"))
        self.assertEqual(repr(mirror), "<Mirror of 'mara/lamp/heat': None, stale (connecting)>")
        self.assertTrue(mirror)

    def test_newest(self) -> None:
        """Value, time, age and the whole point are those of the newest."""
        mirror = self.mirror()
        mirror.take([{"t": 1.7e9 - 5, "d": 20, "o": "mara/user"}, {"t": 1.7e9 - 2, "d": 21, "o": "mara/user"}])
        mirror.is_fresh()
        self.assertEqual((mirror.value, mirror.t, mirror.age), (21, 1.7e9 - 2, 2.0))
        self.assertEqual(mirror.point, {"t": 1.7e9 - 2, "d": 21, "o": "mara/user"})
        self.assertEqual((mirror.is_stale, mirror.stale_since, mirror.stale_reason), (False, None, None))
        self.assertEqual(repr(mirror), "<Mirror of 'mara/lamp/heat': 21>")

    def test_copies(self) -> None:
        """What a reader does to his points does nothing to the mirror's."""
        mirror = self.mirror()
        mirror.take(self.points(1))
        for point in (mirror.point, mirror.points()[0], next(iter(mirror))):
            assert point is not None
            point["d"] = "changed"
        self.assertEqual(mirror.value, 1)

    def test_filtered(self) -> None:
        """Points by a function of the point, or by a script in any of its shapes; a bad one is told."""
        mirror = self.mirror(10)
        mirror.take(self.points(1, 7, 3, 9))
        self.assertEqual(mirror.points(lambda point: point["d"] > 5)["d"], [7, 9])
        for script in ("if $ > 5", Script("if $ > 5"), pipe("if $ > {least}", least=5)):
            self.assertEqual(mirror.points(script)["d"], [7, 9])
        self.assertEqual(mirror.points("mean | if last")["d"], [5])
        self.assertEqual(mirror.points()["d"], [1, 7, 3, 9])
        self.assertEqual(len(mirror), 4)
        with self.assertRaises(PipeScriptError):
            mirror.points("if >")

    def test_span(self) -> None:
        """Of a span the points grow old while nobody looks; the newest value stays."""
        mirror = self.mirror(timedelta(seconds=10))
        mirror.take(self.points(1))
        self.clock.advance(6.0)
        mirror.take(self.points(2))
        self.assertEqual([point["d"] for point in mirror], [1, 2])
        self.clock.advance(6.0)
        self.assertEqual(mirror.points()["d"], [2])
        self.clock.advance(6.0)
        self.assertEqual((len(mirror), mirror.value, mirror.age), (0, 2, 12.0))

    def test_stale(self) -> None:
        """Since when it is stale, and why; what is known stays, but for what is of another stream."""
        mirror = self.mirror()
        mirror.take(self.points(1))
        mirror.is_fresh()
        self.clock.advance(10.0)
        mirror.goes_stale("connecting")
        self.clock.advance(5.0)
        mirror.goes_stale("deleted")
        self.assertEqual((mirror.stale_since, mirror.stale_reason, mirror.value), (1.7e9 + 10, "deleted", 1))
        mirror.begins_anew()
        self.assertEqual((mirror.value, list(mirror)), (None, []))


class ChangeTests(ByHandCase):
    """Listening and waiting."""

    def test_several(self) -> None:
        """Each of several functions is told; a slow one holds up no other, nor the mirror; one that raises is told."""
        mirror = self.mirror()
        mirror.take(self.points(0))
        go_on = threading.Event()
        self.addCleanup(go_on.set)
        calls: list[Any] = []

        def fails(old: Any, new: Any) -> None:
            raise ValueError(f"{old} → {new}")

        mirror.on_change(lambda old, new: go_on.wait(SOON))
        mirror.on_change(fails)
        ended = mirror.on_change(lambda old, new: calls.append((old, new)))
        with self.assertLogs("connectordb.live.mirrors.mirror", "ERROR"):
            mirror.take(self.points(1))
            mirror.take(self.points(1, 2))
            self.eventually(lambda: len(calls) == len(self.errors) == 2)
        self.assertEqual((calls, mirror.value), ([(0, 1), (1, 2)], 2))
        self.assertEqual([str(error) for error in self.errors], ["0 → 1", "1 → 2"])
        ended.close()
        self.errors.clear()
        with self.assertLogs("connectordb.live.mirrors.mirror", "ERROR"):
            mirror.take(self.points(3))
            self.eventually(lambda: self.errors)
        self.assertEqual(len(calls), 2)
        go_on.set()
        mirror.close()
        with self.assertRaises(ClosedError):
            mirror.on_change(fails)

    def test_wait_for(self) -> None:
        """The present value, one that comes later, one that stays only for an instant, none."""
        mirror = self.mirror()
        clock = mock.patch.object(self.clock, "monotonic", time.monotonic)
        clock.start()
        self.addCleanup(clock.stop)
        mirror.take(self.points(5))
        self.assertEqual(mirror.wait_for(lambda value: value == 5, 0), 5)
        with self.assertRaisesRegex(TimedOut, r"to no such value within 0.02 s; nothing new is heard.*'connecting'"):
            mirror.wait_for(lambda value: value > 5, 20 * MS)
        seen: list[Any] = []
        waiting = threading.Event()

        def condition(value: Any) -> bool:
            seen.append(value)
            waiting.set()
            return bool(value > 20)

        got: list[Any] = []
        thread = threading.Thread(target=lambda: got.append(mirror.wait_for(condition, SOON)))
        thread.start()
        self.wait(waiting)
        mirror.take(self.points(6, 21, 7))
        thread.join(SOON)
        self.assertEqual((got, seen, mirror.value), ([21], [5, 6, 21], 7))

    def test_condition_raises(self) -> None:
        """What the condition raises is raised."""
        mirror = self.mirror()
        mirror.take(self.points("text"))
        with self.assertRaises(TypeError):
            mirror.wait_for(lambda value: value > 5, SOON)
        self.assertEqual(mirror._waiters, {})

    def test_closed_meanwhile(self) -> None:
        """Closing wakes who waits."""
        mirror = self.mirror()
        clock = mock.patch.object(self.clock, "monotonic", time.monotonic)
        clock.start()
        self.addCleanup(clock.stop)
        raised: list[Exception] = []

        def wait() -> None:
            try:
                mirror.wait_for(bool, SOON)
            except ClosedError as error:
                raised.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        self.eventually(lambda: mirror._waiters)
        mirror.close()
        thread.join(SOON)
        self.assertEqual((len(raised), mirror.stale_reason), (1, "closed"))

    @skipUnless(hasattr(signal, "setitimer"), "needs a timer that interrupts")
    def test_interrupted(self) -> None:
        """Ctrl-C ends the waiting at once, and leaves nothing behind."""
        mirror = self.mirror()
        before = signal.signal(signal.SIGALRM, lambda number, frame: signal.default_int_handler(signal.SIGINT, frame))
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        began = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 20 * MS)
        with self.assertRaises(KeyboardInterrupt):
            mirror.wait_for(bool, SOON)
        self.assertLess(time.monotonic() - began, SOON / 4)
        self.assertEqual(mirror._waiters, {})
