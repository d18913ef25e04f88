"""Keys of inserts."""

from __future__ import annotations

from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.runtime.layouts import migrate
from connectordb.runtime.sqlite import connect, transaction
from connectordb.server.storage import InsertKey, Remembered, Series, Writer
from connectordb.server.storage.keys import InsertKeys
from connectordb.server.storage.layout import MIGRATIONS

from ...support.case import Case
from ...support.clock import SteppedClock
from .trees import StorageCase

WINDOW = 100.0

#: What a test does to a clock that keys are kept by: seconds pass, a key comes, old ones are looked for, the server restarts.
STEPS = st.lists(
    st.tuples(st.sampled_from(["pass", "remember", "forget", "restart"]), st.integers(0, 90), st.integers(1, 2)),
    max_size=40,
)


class KeyCase(Case):
    """Keys in a file of their own, by a clock that the test moves."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "keys.db"
        self.open()
        self.addCleanup(lambda: self.connection.close())

    def open(self) -> None:
        """Open the file; the clock begins anywhere, as a monotonic one does."""
        self.clock = SteppedClock()
        self.connection = connect(self.path)
        migrate(self.connection, self.path, MIGRATIONS)
        self.keys = InsertKeys(self.connection, self.clock)

    def remember(self, text: str, device: int = 1) -> None:
        """Remember a key."""
        with transaction(self.connection):
            self.keys.remember(key(text, device), Remembered(b"body", False, 5))

    def forget(self, most: int = 1000) -> int:
        """Forget what is old enough."""
        with transaction(self.connection):
            return self.keys.forget(WINDOW, most)


def key(text: str, device: int = 1, stream: int = 1, downlink: bool = False) -> InsertKey:
    """Return a key."""
    return InsertKey(device, Series(stream, downlink), text)


class Keeping(KeyCase):
    """What is remembered, and for how long."""

    def test_scope(self) -> None:
        """A key is one device's for one series: nobody else's is the same."""
        for number, one in enumerate((key("a"), key("a", 2), key("a", 1, 2), key("a", 1, 1, True), key("1 a"))):
            what = Remembered(bytes([number]), number % 2 == 1, number or None)
            self.assertIsNone(self.keys.recall(one))
            with transaction(self.connection):
                self.keys.remember(one, what)
            self.assertEqual(self.keys.recall(one), what)
        self.assertEqual([self.keys.count(device) for device in (1, 2, 3)], [4, 1, 0])

    def test_window(self) -> None:
        """A key is forgotten when its time is over, and not before."""
        self.remember("a")
        self.clock.advance(WINDOW)
        self.assertEqual((self.forget(), self.keys.count(1)), (0, 1))
        self.clock.advance(3)
        self.assertEqual((self.forget(), self.keys.count(1)), (1, 0))
        self.assertIsNone(self.keys.recall(key("a")))

    def test_many_starts(self) -> None:
        """Time goes on over many short lives of a server, in which no key comes."""
        hours = 20
        for number in range(3):
            self.remember(str(number))
        with mock.patch(f"{__name__}.WINDOW", hours * 3600.0):
            for _ in range(hours + 2):
                self.assertEqual((self.forget(), self.keys.count(1)), (0, 3))
                self.clock.advance(3700)
                forgotten = self.forget()
                if forgotten:
                    break
                self.connection.close()
                self.open()
            self.assertEqual((forgotten, self.keys.count(1)), (2, 1), "the newest notes the time")
            self.clock.advance(hours * 3600 + 2)
            self.assertEqual((self.forget(), self.keys.count(1)), (1, 0), "which one that is alone does not")

    def test_the_wall_clock(self) -> None:
        """Whatever the wall clock does, nothing is forgotten by it."""
        self.remember("a")
        self.clock._wall += 50 * 365 * 86400.0
        self.assertEqual(self.forget(), 0)

    def test_slices(self) -> None:
        """No more are forgotten at once than was asked for, the oldest first."""
        for number in range(10):
            self.remember(str(number))
        self.clock.advance(2 * WINDOW)
        self.assertEqual((self.forget(4), self.keys.count(1)), (4, 6))
        self.assertEqual([self.keys.recall(key(text)) is None for text in "345"], [True, False, False])
        self.assertEqual((self.forget(), self.forget(), self.keys.count(1)), (6, 0, 0))

    @settings(max_examples=30)
    @given(STEPS)
    def test_never_too_early(self, steps: list[tuple[str, int, int]]) -> None:
        """After any steps, what was remembered while the server ran for less than the window is there, and counted."""
        self.connection.close()
        self.path = self.folder() / "keys.db"
        self.open()
        ran: dict[tuple[str, int], int] = {}
        for number, (step, seconds, device) in enumerate(steps):
            if step == "remember":
                self.remember(str(number), device)
                ran[str(number), device] = 0
            elif step == "pass":
                self.clock.advance(seconds)
                ran = {name: age + seconds for name, age in ran.items()}
            elif step == "restart":
                self.connection.close()
                self.open()
            else:
                self.forget()
            there = {name: self.keys.recall(key(*name)) is not None for name in ran}
            for name, age in ran.items():
                self.assertTrue(there[name] or age >= WINDOW, (name, age))
            for one in (1, 2):
                self.assertEqual(self.keys.count(one), sum(there[name] for name in ran if name[1] == one))


class Storing(StorageCase):
    """Keys in a storage."""

    def test_with_the_points(self) -> None:
        """A key is remembered with what else the transaction does, or not at all."""

        def fail(writer: Writer) -> None:
            writer.remember_insert(key("a"), Remembered(b"", False, 1))
            raise KeyError("no")

        with self.assertRaises(KeyError):
            self.write(fail)
        self.assertIsNone(self.read(lambda reader: reader.recall_insert(key("a"))))
        self.write(lambda writer: writer.remember_insert(key("a"), Remembered(b"", False, 1)))
        self.storage.close()
        self.storage = self.opened()
        self.assertEqual(self.read(lambda reader: reader.recall_insert(key("a"))), Remembered(b"", False, 1))
        self.assertEqual(self.read(lambda reader: reader.count_inserts(1)), 1)
        self.assertEqual(self.write(lambda writer: writer.forget_inserts(1000, 10)), 0)
