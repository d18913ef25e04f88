"""Tests of `connectordb.client.terms.statistics`."""

from __future__ import annotations

import copy
import os
import pickle
import threading

from hypothesis import given
from hypothesis import strategies as st

from connectordb import ConnectorDB, ConnectorDBError, NotFound
from connectordb.client.terms.statistics import Statistics, Stats
from connectordb.client.terms.trace import Trace
from tests.support.case import SOON, Case
from tests.support.target import TargetCase
from tests.support.wire import Peer, answer


def trace(seconds: float = 0.5, first_byte: float = 0.25, bytes_out: int = 100, bytes_in: int = 10) -> Trace:
    """Return what a request cost."""
    made = Trace()
    made.seconds, made.first_byte, made.bytes_out, made.bytes_in = seconds, first_byte, bytes_out, bytes_in
    return made


def cost(*statuses: int, points: int = 0, timing: str | None = None) -> Stats:
    """Return what a call cost whose requests had these statuses."""
    made = Stats()
    for status in statuses:
        made.count(trace(), status, timing)
    made.points_inserted = points
    return made


class OneCall(Case):
    """The figures of one call."""

    def test_request(self) -> None:
        """A request that was answered counts with all that it cost."""
        stats = cost(200)
        self.assertEqual((stats.requests, stats.retries, stats.answers), (1, 0, 1))
        self.assertEqual((stats.bytes_out, stats.bytes_in, stats.seconds, stats.slowest), (100, 10, 0.5, 0.5))
        self.assertEqual(stats.first_byte, 0.25)

    def test_again(self) -> None:
        """Every request but the first is a retry."""
        stats = cost(0, 503, 200)
        self.assertEqual((stats.requests, stats.retries, stats.answers), (3, 2, 2))
        self.assertEqual(stats.first_byte, 0.25)
        self.assertIsNone(cost(0).first_byte)
        self.assertIsNone(Stats().first_byte)

    def test_server(self) -> None:
        """The server's own account is added up by its parts, in seconds."""
        stats = cost(200, 200, timing='total;dur=1.50, queue;dur=0.25, storage;dur=1.00, points;desc="5"')
        self.assertEqual(stats.server, {"total": 0.003, "queue": 0.0005, "storage": 0.002})

    def test_server_that_talks_nonsense(self) -> None:
        """What makes no sense there is passed over, and does not grow."""
        stats = cost(200, timing="total;dur=1.2.3, a;dur=, ;dur=5, " + ",".join(f"part{n};dur=1" for n in range(99)))
        self.assertNotIn("total", stats.server)
        self.assertLessEqual(len(stats.server), 16)

    def test_as_a_value(self) -> None:
        """Figures can be copied, pickled and compared, and tell what is not 0."""
        stats = cost(0, 200, points=3, timing="total;dur=1")
        for same in (copy.copy(stats), copy.deepcopy(stats), pickle.loads(pickle.dumps(stats))):
            self.assertEqual(same, stats)
        self.assertNotEqual(stats, Stats())
        self.assertNotEqual(stats, 5)
        self.assertEqual(
            repr(stats),
            "<Stats requests=2 retries=1 answers=1 bytes_out=200 bytes_in=20 points_inserted=3 seconds=1 "
            "seconds_to_first_byte=0.25 slowest=0.5 server={total: 0.002}>",
        )
        self.assertEqual(repr(Stats()), "<Stats of nothing>")
        self.assertEqual(stats.as_dict()["server"], {"total": 0.002})

    @given(
        st.lists(st.lists(st.sampled_from([0, 200, 403, 503]), min_size=1, max_size=4), max_size=10), st.integers(0, 10)
    )
    def test_differences(self, calls: list[list[int]], until: int) -> None:
        """What came after some moment is the difference of the figures then and now."""
        statistics, after = Statistics(), Statistics()
        for number, statuses in enumerate(calls):
            if number == until:
                before = statistics.snapshot()
            statistics.add(cost(*statuses, timing="total;dur=1000"))
            if number >= until:
                after.add(cost(*statuses, timing="total;dur=1000"))
        if until < len(calls):
            difference = statistics.snapshot() - before
            self.assertEqual({**difference.as_dict()}, {**after.snapshot().as_dict()} | {"server": difference.server})
            self.assertAlmostEqual(difference.server["total"], after.snapshot().server["total"])


class Session(Case):
    """The figures of a session."""

    def test_whole(self) -> None:
        """Calls are added up; a snapshot does not change any more."""
        statistics = Statistics(lambda: 3)
        statistics.add(cost(200))
        before = statistics.snapshot()
        statistics.add(cost(0, 0), failed=True)
        now = statistics.snapshot()
        self.assertEqual((before.calls, before.failures, before.requests), (1, 0, 1))
        self.assertEqual((now.calls, now.failures, now.requests, now.retries, now.reconnects), (2, 1, 3, 1, 3))

    def test_blocks(self) -> None:
        """A block counts what its thread calls in it; an inner one is part of the outer one; it can be read within."""
        statistics = Statistics()
        statistics.add(cost(200))
        with statistics.measure() as outer:
            statistics.add(cost(200))
            with statistics.measure() as inner:
                statistics.add(cost(200, points=5))
                self.assertEqual(inner.points_inserted, 5)
                other = threading.Thread(target=lambda: statistics.add(cost(200)))
                other.start()
                other.join(SOON)
            statistics.add(cost(200))
        statistics.add(cost(200))
        self.assertEqual((outer.calls, inner.calls, statistics.snapshot().calls), (3, 1, 6))

    def test_blocks_that_end_in_another_order(self) -> None:
        """So it is where the outer block ends first, and where both have counted the same."""
        statistics = Statistics()
        first, second = statistics.measure(), statistics.measure()
        one, two = first.__enter__(), second.__enter__()
        first.__exit__(None, None, None)
        statistics.add(cost(200))
        second.__exit__(None, None, None)
        statistics.add(cost(200))
        self.assertEqual((one.calls, two.calls), (0, 1))

    def test_threads(self) -> None:
        """No call is lost where many threads count."""
        statistics = Statistics()

        def work() -> None:
            with statistics.measure() as mine:
                for _ in range(1000):
                    statistics.add(cost(200, points=2))
            self.assertEqual(mine.calls, 1000)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SOON)
        whole = statistics.snapshot()
        self.assertEqual((whole.calls, whole.requests, whole.points_inserted), (8000, 8000, 16000))


class Calls(TargetCase):
    """What is counted of real calls."""

    def test_story(self) -> None:
        """Inserts, reads and refusals of a connection, of a block and of a call that failed."""
        stream = self.stream()
        cdb = self.device()
        mine = cdb(stream.path)
        before = cdb.stats
        with cdb.measure() as whole:
            with cdb.measure() as inserts:
                mine.insert_array([{"t": float(number), "d": number} for number in range(1, 8001)])
            with cdb.measure() as reads:
                points = mine[:]
                self.assertEqual(mine.length(), 8000)
            with self.assertRaises(NotFound) as caught:
                cdb(f"{cdb.path}/nosuch").refresh()
        self.assertEqual(
            (inserts.calls, inserts.requests, inserts.points_inserted, inserts.points_read), (2, 2, 8000, 0)
        )
        self.assertEqual((reads.calls, reads.points_inserted, reads.points_read), (2, 0, len(points)))
        self.assertEqual((whole.calls, whole.failures, whole.retries), (5, 1, 0))
        self.assertEqual((whole - inserts - reads).requests, 1)
        for stats in (inserts, reads):
            self.assertGreater(stats.bytes_out + stats.bytes_in, 8000 * len('{"t":1,"d":1}'))
            self.assertGreater(stats.seconds, stats.seconds_to_first_byte)
            self.assertGreater(stats.slowest, stats.seconds / 2 - 1e-9)
            assert stats.first_byte is not None
            self.assertGreater(stats.first_byte, 0.0)
            if "Server-Timing" in cdb.request("GET", "meta/version").headers:
                self.assertLess(0.0, stats.server["total"])
                self.assertLessEqual(stats.server["total"], stats.seconds)
        difference = cdb.stats - before
        self.assertGreaterEqual(difference.calls, whole.calls)
        self.assertEqual((difference.points_inserted, difference.points_read), (8000, 8000))
        error = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual((error.stats.requests, error.stats.failures), (1, 1))
        self.assertEqual(error.stats, caught.exception.stats)

    def test_confirmed(self) -> None:
        """Only what a server of ours confirms counts as inserted: not what a portal answers that lets nobody out."""
        peer = Peer(answer("<html>Welcome</html>"), otherwise=answer("ok"))
        self.addCleanup(peer.close)
        with ConnectorDB("key", url=peer.url, connect=False, retry=1) as cdb:
            with cdb.measure() as stats:
                with self.assertRaises(ConnectorDBError):
                    cdb("mara/user/heat").insert(5)
                self.assertEqual((stats.points_inserted, stats.failures > 0), (0, True))
                cdb("mara/user/heat").insert(5)
            self.assertEqual(stats.points_inserted, 1)

    def test_child(self) -> None:
        """A child process counts its own."""
        cdb = self.device()
        self.assertGreater(cdb.stats.calls, 0)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                cdb.ping()
                status = 0 if cdb.stats.calls == 1 else 2
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
