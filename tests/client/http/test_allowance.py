"""How long the next wait may be."""

from __future__ import annotations

import math
import unittest

from connectordb.client.http.allowance import Allowance
from connectordb.client.terms.timeouts import Timeout
from connectordb.client.terms.trace import Trace
from tests.support.clock import SteppedClock


class Waits(unittest.TestCase):
    """By the phase, and by what is left of the whole."""

    def setUp(self) -> None:
        self.clock = SteppedClock()
        self.trace = Trace()

    def allowance(self, timeout: Timeout) -> Allowance:
        """Begin a request."""
        return Allowance(timeout, timeout.deadline(self.clock), self.trace, self.clock)

    def test_phases(self) -> None:
        """Each phase has its own, and is noted."""
        allowance = self.allowance(Timeout(1, 2, 3, 4))
        for wait, seconds, phase in (
            (allowance.to_wait, 4, "pool"),
            (allowance.to_write, 3, "write"),
            (allowance.to_read, 2, "read"),
        ):
            self.assertEqual((wait(), self.trace.phase), (seconds, phase))

    def test_connecting(self) -> None:
        """Connecting has one for all its steps, whatever is said and heard meanwhile; it does not count as the request's."""
        allowance = self.allowance(Timeout(5, 60, 60, 60))
        allowance.begin_connecting()
        left = 5.0
        for phase in ("resolve", "connect", "tls"):
            self.assertEqual((allowance.to_connect(phase), self.trace.phase), (left, phase))
            self.assertEqual((allowance.to_write(), allowance.to_read(), self.trace.phase), (left, left, phase))
            allowance.wrote(10)
            allowance.came(10)
            self.clock.advance(1)
            left -= 1
        self.assertEqual((self.trace.bytes_out, self.trace.bytes_in, self.trace.first_byte), (0, 0, 0.0))
        self.clock.advance(2)
        with self.assertRaises(TimeoutError):
            allowance.to_connect("tls")
        self.assertEqual(allowance.what_ended(), "5 s")

    def test_whole(self) -> None:
        """No phase has more than what is left of the whole."""
        allowance = self.allowance(Timeout(60, 60, 60, 60, 10))
        for left in (10, 6, 2):
            allowance.begin_connecting()
            self.assertEqual(allowance.to_connect("connect"), left)
            allowance.connecting = None
            self.assertEqual((allowance.to_wait(), allowance.to_write(), allowance.to_read()), (left, left, left))
            self.clock.advance(4)
        self.assertEqual(allowance.to_wait(), 0)
        for wait in (allowance.to_write, allowance.to_read):
            self.assertRaises(TimeoutError, wait)
        self.assertEqual(allowance.what_ended(), "the 12 s that there were for the whole")

    def test_no_end(self) -> None:
        """Where there is no end to the whole there is one to each phase."""
        allowance = self.allowance(Timeout(1, 2, 3, 4, math.inf))
        self.clock.advance(1e6)
        self.assertEqual((allowance.to_read(), allowance.to_write()), (2, 3))
        self.assertEqual(allowance.to_wait(), 0)

    def test_counting(self) -> None:
        """What is sent and what comes is added up; the first byte is noted once."""
        allowance = self.allowance(Timeout())
        allowance.wrote(10)
        allowance.wrote(5)
        for number in (3, 4):
            self.clock.advance(1)
            allowance.came(number)
        self.assertEqual(allowance.end(), 2.0)
        trace = self.trace
        self.assertEqual((trace.bytes_out, trace.bytes_in, trace.first_byte, trace.seconds), (15, 7, 1.0, 2.0))
