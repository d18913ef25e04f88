"""How long a call may wait, as users say it."""

from __future__ import annotations

import copy
import math
import pickle
import unittest
from typing import Any

import connectordb
from connectordb.client.terms import timeouts
from connectordb.client.terms.timeouts import Timeout
from connectordb.exceptions import LocalProtocolError
from tests.support.clock import SteppedClock


class Saying(unittest.TestCase):
    """What is meant by what is passed."""

    def test_default(self) -> None:
        """Without a word: ten seconds to connect, a minute of silence, five minutes for all of it."""
        usual = Timeout.of(None)
        self.assertEqual(usual, Timeout(connect=10, read=60, write=60, pool=60))
        self.assertEqual(usual.whole, 300.0)
        self.assertIs(connectordb.Timeout, Timeout)

    def test_number(self) -> None:
        """A number is for the whole call, and no phase of it is longer."""
        self.assertEqual(Timeout.of(5), Timeout(5, 5, 5, 5, 5))
        self.assertEqual(Timeout.of(2.5).whole, 2.5)

    def test_pair(self) -> None:
        """A pair is for connecting, and for the server to go on."""
        for pair in ((1, 2.5), [1, 2.5]):
            self.assertEqual(Timeout.of(pair), Timeout(connect=1, read=2.5, write=2.5))  # type: ignore[arg-type]

    def test_itself(self) -> None:
        """A Timeout is itself."""
        given = Timeout(read=1)
        self.assertIs(Timeout.of(given), given)

    def test_whole(self) -> None:
        """Who allows a phase more than is usual for the whole has allowed the whole as much."""
        self.assertEqual(Timeout(read=1000).whole, 1130.0)
        self.assertEqual(Timeout(read=1000, total=20).whole, 20)
        self.assertEqual(Timeout(read=0.1).whole, 300.0)

    def test_no_end(self) -> None:
        """There may be no end to the whole, but there is one to each phase."""
        self.assertIsNone(Timeout(total=math.inf).deadline().left())
        self.assertEqual(Timeout(total=math.inf).whole, math.inf)

    def test_refused(self) -> None:
        """Nothing that would wait for ever, or not at all, and nothing that is no number."""
        bad: Any
        for bad in (0, -1, math.inf, math.nan, True, "5", (1,), (1, 2, 3), (1, None), (None, None), (1, 0), 1e300):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "timeout=.*expected a Timeout, seconds"):
                Timeout.of(bad)
        for name in ("connect", "read", "write", "pool", "total"):
            for bad in (0, -1, math.nan, True, "5", 1e300, *([] if name == "total" else [math.inf, None])):
                said = rf"Timeout\({name}=.*\): expected seconds, above 0"
                with self.subTest(name, bad=bad), self.assertRaisesRegex(LocalProtocolError, said):
                    Timeout(**{name: bad})


class Value(unittest.TestCase):
    """It is a value."""

    def test_deadline(self) -> None:
        """A deadline begins when it is asked for, by the clock that is given."""
        clock = SteppedClock()
        deadline = Timeout.of(5).deadline(clock)
        clock.advance(3)
        self.assertEqual(deadline.left(), 2.0)

    def test_frozen(self) -> None:
        """It cannot be changed, compares by what it says, and travels."""
        timeout = Timeout(connect=1)
        with self.assertRaises(AttributeError):
            timeout.connect = 2  # type: ignore[misc]
        self.assertEqual(hash(timeout), hash(Timeout(connect=1)))
        self.assertEqual(pickle.loads(pickle.dumps(timeout)), timeout)
        self.assertEqual(copy.copy(timeout), timeout)
        self.assertEqual(repr(timeout), "Timeout(connect=1, read=60, write=60, pool=60, total=None)")

    def test_usual(self) -> None:
        """What is usual is one value."""
        self.assertIs(Timeout.of(None), timeouts.DEFAULT)
