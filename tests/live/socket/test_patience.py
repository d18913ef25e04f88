"""Patience: when a connection is asked, given up, or not needed any more."""

from __future__ import annotations

import unittest

from connectordb.live.socket.patience import Patience, Timing

TIMING = Timing(quiet=30, answer=10, linger=5)


class PatienceTests(unittest.TestCase):
    """The patience with one connection, from time 100 on."""

    def setUp(self) -> None:
        self.patience = Patience(TIMING, 100.0)

    def test_quiet(self) -> None:
        """After half a minute without a word the server is asked, and after ten seconds more it is dead."""
        self.assertEqual(self.patience.next(), 130)
        self.assertFalse(self.patience.should_ask(129.9))
        self.assertTrue(self.patience.should_ask(130))
        self.patience.asked(130)
        self.assertFalse(self.patience.should_ask(135))
        self.assertEqual(self.patience.next(), 140)
        self.assertFalse(self.patience.is_dead(139.9))
        self.assertTrue(self.patience.is_dead(140))
        self.assertEqual(self.patience.silence(140), 40)

    def test_a_word(self) -> None:
        """Whatever comes is a sign of life, and the time begins anew."""
        self.patience.asked(130)
        self.patience.asked(138)
        self.patience.heard(139)
        self.assertFalse(self.patience.is_dead(150))
        self.assertEqual(self.patience.next(), 169)

    def test_pieces(self) -> None:
        """Of who answers a ping with pieces of a message, and is silent again, nothing is to be expected; a whole one is an answer."""
        self.patience.asked(130)
        self.patience.heard(131, whole=False)
        self.assertFalse(self.patience.is_dead(150))
        self.assertEqual(self.patience.next(), 161)
        self.assertFalse(self.patience.should_ask(161))
        self.assertTrue(self.patience.is_dead(161))
        self.patience.heard(161)
        self.assertFalse(self.patience.is_dead(191))
        self.assertTrue(self.patience.should_ask(191))

    def test_deaf(self) -> None:
        """A server that speaks and does not answer is asked by a ping, and is deaf if it does not answer that either."""
        self.patience.waits(True, 110)
        for now in range(110, 140):
            self.patience.waits(True, now)
            self.patience.heard(now)
        self.assertEqual(self.patience.next(), 140)
        self.assertFalse(self.patience.should_ask(139.9))
        self.assertTrue(self.patience.should_ask(140))
        self.patience.asked(140)
        self.patience.heard(149)
        self.assertFalse(self.patience.should_ask(149))
        self.assertEqual(self.patience.next(), 150)
        self.assertFalse(self.patience.is_deaf(149.9))
        self.assertTrue(self.patience.is_deaf(150))
        self.assertFalse(self.patience.is_dead(150))

    def test_slow(self) -> None:
        """One that answers pings is slow and not deaf, and is asked again; once it has answered, no more."""
        self.patience.waits(True, 110)
        self.patience.asked(140)
        self.patience.heard(141)
        self.patience.answered(141)
        self.assertFalse(self.patience.is_deaf(170))
        self.patience.heard(170)
        self.assertFalse(self.patience.should_ask(170))
        self.assertTrue(self.patience.should_ask(171))
        self.patience.asked(171)
        self.patience.heard(172)
        self.patience.waits(False, 172)
        self.assertFalse(self.patience.is_deaf(999))
        self.assertEqual(self.patience.next(), 202)

    def test_unwanted(self) -> None:
        """A connection that nobody needs stays for a while."""
        self.patience.wanted(False, 110)
        self.patience.wanted(False, 112)
        self.assertEqual(self.patience.next(), 115)
        self.assertFalse(self.patience.is_over(114.9))
        self.assertTrue(self.patience.is_over(115))
        self.patience.wanted(True, 114)
        self.assertFalse(self.patience.is_over(200))
