"""Who is told of changes, without a stream."""

from __future__ import annotations

import threading
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import TimedOut
from connectordb.live.dispatch import Pool
from connectordb.live.mirrors import listeners
from connectordb.live.mirrors.listeners import MOST_WAITING, Listener, Told, is_same
from connectordb.runtime.clock import Deadline
from tests.support.case import SOON, Case

VALUES = st.sampled_from([None, True, 1, 1.0, "on", {"a": None}])


def points(*values: Any) -> list[dict[str, Any]]:
    """Return points of these values."""
    return [{"t": float(number), "d": value} for number, value in enumerate(values)]


class ToldTests(Case):
    """What a function is told."""

    def setUp(self) -> None:
        super().setUp()
        self.pool = Pool("test")
        self.addCleanup(lambda: self.pool.close(Deadline(SOON)))
        self.errors: list[Exception] = []

    def settled(self, lane: Any) -> None:
        """Wait until what was put on *lane* has been run."""
        done = threading.Event()
        lane.put(done.set)
        self.wait(done)

    def test_changes(self) -> None:
        """Each change is told, with the value before; what stays the same is not, and True is another value than 1."""
        calls: list[Any] = []
        lane = self.pool.lane()
        told = Told(lambda old, new: calls.append((old, new)), lane, None, self.errors.append)
        told.came(points(1, 1.0, True))
        told.came(points(True, None, "on"))
        self.eventually(lambda: len(calls) == 4)
        self.assertEqual([repr(call) for call in calls], ["(None, 1)", "(1.0, True)", "(True, None)", "(None, 'on')"])

    @given(st.lists(st.lists(VALUES, max_size=4), max_size=5))
    def test_chain(self, batches: Any) -> None:
        """However points come, the old value is the new one of the call before, and the last call has the newest."""
        calls: list[Any] = []
        lane = self.pool.lane()
        told = Told(lambda old, new: calls.append((old, new)), lane, {"t": 0.0, "d": 0}, self.errors.append)
        for batch in batches:
            told.came(points(*batch))
        everything = [0, *(value for batch in batches for value in batch)]
        changes = sum(not is_same(one, other) for one, other in zip(everything, everything[1:], strict=False))
        self.eventually(lambda: len(calls) == changes)
        self.settled(lane)
        self.assertEqual(len(calls), changes)
        for (_, new), (old, _) in zip(calls, calls[1:], strict=False):
            self.assertTrue(is_same(new, old))
        if calls:
            self.assertTrue(is_same(calls[-1][1], everything[-1]))

    def test_slow(self) -> None:
        """What waits is bounded: the oldest give way, the old value is right, the newest is told."""
        begun, go_on = threading.Event(), threading.Event()
        calls: list[Any] = []

        def slow(old: Any, new: Any) -> None:
            calls.append((old, new))
            begun.set()
            go_on.wait(SOON)

        told = Told(slow, self.pool.lane(), None, self.errors.append)
        told.came(points(0))
        self.wait(begun)
        told.came(points(*range(1, 3 * MOST_WAITING)))
        go_on.set()
        self.eventually(lambda: calls[-1][1] == 3 * MOST_WAITING - 1)
        self.assertEqual(calls[:2], [(None, 0), (0, 2 * MOST_WAITING)])
        self.assertEqual(len(calls), 1 + MOST_WAITING)

    def test_raising(self) -> None:
        """A function that raises is called again at the next change; the old value is the one it was told of."""
        calls: list[Any] = []

        def fails(old: Any, new: Any) -> None:
            calls.append((old, new))
            raise ValueError(new)

        told = Told(fails, self.pool.lane(), None, self.errors.append)
        told.came(points(1, 2))
        self.eventually(lambda: len(self.errors) == 2)
        self.assertEqual(calls, [(None, 1), (1, 2)])
        self.assertEqual([str(error) for error in self.errors], ["1", "2"])

    def test_close(self) -> None:
        """A listener that was closed is told nothing more; closing it twice does nothing."""
        calls: list[Any] = []
        lane = self.pool.lane()
        forgotten: list[Listener] = []
        told = Told(lambda old, new: calls.append(new), lane, None, self.errors.append)
        with Listener(lane, forgotten.append) as listener:
            told.came(points(1))
            self.eventually(lambda: calls == [1])
        listener.close()
        told.came(points(2, 3))
        self.assertEqual((calls, set(forgotten)), ([1], {listener}))

    def test_close_while_running(self) -> None:
        """Closing waits for the call that runs, and says so if that takes too long; the call may close it itself."""
        begun, go_on = threading.Event(), threading.Event()
        lane = self.pool.lane()
        listener = Listener(lane, lambda listener: None)
        told = Told(lambda old, new: (begun.set(), go_on.wait(SOON), listener.close()), lane, None, self.errors.append)
        told.came(points(1))
        self.wait(begun)
        before, listeners._PATIENCE = listeners._PATIENCE, 0.02
        self.addCleanup(setattr, listeners, "_PATIENCE", before)
        with self.assertRaisesRegex(TimedOut, "still runs"):
            listener.close()
        go_on.set()
        listeners._PATIENCE = SOON
        listener.close()
        self.assertEqual(self.errors, [])
