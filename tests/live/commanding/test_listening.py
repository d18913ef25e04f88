"""Hearing on one thread what is said on others."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from connectordb.exceptions import NotFound, PermissionDenied
from connectordb.live.commanding.listening import Ear, Listening
from connectordb.protocol.paths import Path
from connectordb.protocol.points import Datapoint
from tests.support.case import MS, SOON, Case
from tests.support.target import TargetCase, new_name


class EarTests(Case):
    """Waiting."""

    def test_order(self) -> None:
        """What was said before and meanwhile is taken in, in order, by the thread that waits."""
        ear, heard = Ear(), list[tuple[int, threading.Thread]]()

        def say(number: int) -> None:
            ear.hear(lambda: heard.append((number, threading.current_thread())))

        say(1)
        say(2)
        ear.wait(SOON)
        later = threading.Timer(20 * MS, say, (3,))
        later.start()
        ear.wait(SOON)
        later.join()
        me = threading.current_thread()
        self.assertEqual(heard, [(1, me), (2, me), (3, me)])

    def test_nothing(self) -> None:
        """Nobody waits longer than he wants to."""
        began = time.monotonic()
        Ear().wait(10 * MS)
        self.assertLess(time.monotonic() - began, SOON / 2)


class ListeningTests(TargetCase):
    """Hearing a stream."""

    def setUp(self) -> None:
        super().setUp()
        self.heat = self.stream()
        self.live = self.person()._session.live
        self.ear = Ear()
        self.heard: list[float] = []

    def listening(self, since: int | None, path: str = "") -> Listening:
        """Return what listens to the stream."""

        def told(points: Sequence[Datapoint]) -> None:
            self.heard += [point["d"] for point in points]

        return Listening(self.live, Path.parse(path or self.heat.path), since, self.ear, told)

    def hear(self, *values: float) -> None:
        """Wait until these have been heard, and no others."""

        def heard() -> bool:
            self.ear.wait(10 * MS)
            return len(self.heard) >= len(values)

        self.eventually(heard)
        self.assertEqual(self.heard, list(values))

    def test_from_an_index(self) -> None:
        """Points from an index on, those that are there already and those that come; until it is closed."""
        self.heat.insert_array([{"t": 1.0, "d": 1}, {"t": 2.0, "d": 2}])
        listening = self.listening(1)
        listening.start()
        self.hear(2)
        self.heat.insert(3)
        self.hear(2, 3)
        listening.close()
        listening.close()
        self.assertFalse(self.live._switchboard.is_wanted())

    def test_from_now_on(self) -> None:
        """Of what is not stored it says from when on it is told."""
        self.heat.ephemeral = True
        listening = self.listening(None)
        self.addCleanup(listening.close)
        self.assertFalse(listening.is_live)
        listening.start()
        while not listening.is_live:
            self.ear.wait(SOON)
        self.heat.insert(5)
        self.hear(5)

    def test_closed_at_once(self) -> None:
        """What is closed before it has begun, or meanwhile, leaves nothing behind."""
        before = self.listening(0)
        before.close()
        before.start()
        meanwhile = self.listening(None)
        meanwhile.start()
        meanwhile.close()
        done = threading.Event()
        self.eventually(lambda: meanwhile._lane.put(done.set) == 0 and done.is_set())
        self.eventually(lambda: not self.live._switchboard.is_wanted())

    def test_refused(self) -> None:
        """What cannot be watched is told to who waits."""
        listening = self.listening(None, f"{self.user_name}/own/{new_name()}")
        listening.start()
        with self.assertRaises((NotFound, PermissionDenied)):
            self.eventually(lambda: self.ear.wait(SOON))
        listening.close()
