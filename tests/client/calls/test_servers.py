"""Which of several servers is used."""

from __future__ import annotations

import unittest
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from connectordb.client.calls.servers import FIRST_AWAY, LONGEST_AWAY, Servers


class Choosing(unittest.TestCase):
    """In order, sticky, and back."""

    def test_sticky(self) -> None:
        """The first is used until it fails; then the next in order, which stays in use."""
        servers = Servers(3)
        self.assertEqual((servers.present, servers.worth_asking(0.0)), (0, (None, inf)))
        self.assertTrue(servers.failed(0, 0.0))
        self.assertEqual(servers.present, 1)
        self.assertTrue(servers.is_away(0, 0.5))
        self.assertFalse(servers.is_away(1, 0.5))
        self.assertEqual(servers.present, 1)

    def test_known(self) -> None:
        """That one failed is news once: threads that used it at the same time change nothing."""
        servers = Servers(2)
        servers.failed(0, 0.0)
        self.assertFalse(servers.failed(0, 0.1))
        self.assertEqual(servers.present, 1)
        self.assertFalse(servers.is_away(0, FIRST_AWAY + 0.01))

    def test_back(self) -> None:
        """A better one is worth asking after a while, and used when it answers."""
        servers = Servers(3)
        servers.failed(0, 0.0)
        servers.failed(1, 0.0)
        self.assertEqual(servers.present, 2)
        self.assertEqual(servers.worth_asking(0.25), (None, FIRST_AWAY - 0.25))
        self.assertEqual(servers.worth_asking(FIRST_AWAY)[0], 0)
        servers.failed(0, FIRST_AWAY)
        self.assertEqual(servers.worth_asking(FIRST_AWAY)[0], 1)
        self.assertTrue(servers.answered(1, FIRST_AWAY))
        self.assertEqual((servers.present, servers.worth_asking(FIRST_AWAY)[0]), (1, None))
        self.assertFalse(servers.answered(2, 5.0))
        self.assertTrue(servers.answered(0, 5.0))
        self.assertEqual((servers.present, servers.worth_asking(5.0)), (0, (None, inf)))

    def test_all_away(self) -> None:
        """Where all have failed, the one that is due soonest is tried, and nobody need hurry."""
        servers = Servers(2)
        servers.failed(0, 0.0)
        self.assertFalse(servers.failed(1, 0.25))
        self.assertEqual(servers.present, 0)
        self.assertFalse(servers.failed(0, 0.5))
        self.assertEqual(servers.present, 1)

    def test_pauses_grow(self) -> None:
        """One that comes and goes is left alone for longer and longer; once it was stable, it begins anew."""
        servers = Servers(2)
        now, pauses = 0.0, []
        for _ in range(9):
            servers.failed(0, now)
            pause = servers.worth_asking(now)[1]
            pauses.append(pause)
            now += pause
            servers.answered(0, now)
        self.assertEqual(pauses, [min(LONGEST_AWAY, FIRST_AWAY * 2**number) for number in range(9)])
        servers.failed(0, now + 3600.0)
        self.assertEqual(servers.worth_asking(now + 3600.0)[1], FIRST_AWAY)

    def test_leave(self) -> None:
        """Who asks for the next gets it, round and round, and keeps it for a while."""
        servers = Servers(3)
        seen = []
        for _ in range(4):
            self.assertTrue(servers.leave(0.0))
            seen.append(servers.present)
        self.assertEqual(seen[:2], [1, 2])
        self.assertTrue(servers.is_away(0, LONGEST_AWAY - 1))
        self.assertFalse(Servers(1).leave(0.0))

    def test_one(self) -> None:
        """A single server is used whatever happens."""
        servers = Servers(1)
        self.assertFalse(servers.failed(0, 0.0))
        self.assertEqual((servers.present, servers.worth_asking(0.0)), (0, (None, inf)))

    @given(
        st.integers(1, 4),
        st.lists(st.tuples(st.sampled_from(["failed", "answered", "leave"]), st.integers(0, 3), st.floats(0, 100))),
    )
    def test_always_one(self, number: int, events: list[tuple[str, int, float]]) -> None:
        """Whatever happens, one of them is in use; after a move for the better it is none that is away."""
        servers, now = Servers(number), 0.0
        for what, which, passed in events:
            now += passed
            before = servers.present
            if what == "leave":
                servers.leave(now)
            elif getattr(servers, what)(which % number, now):
                self.assertNotEqual(servers.present, before)
                self.assertFalse(servers.is_away(servers.present, now))
            self.assertIn(servers.present, range(number))
            found, pause = servers.worth_asking(now)
            self.assertEqual(pause == inf, servers.present == 0)
            self.assertTrue(found is None or found < servers.present)
