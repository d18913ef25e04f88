"""The threads that run user code: order, independence, bounds, ends."""

from __future__ import annotations

import threading
from functools import partial
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.live import dispatch
from connectordb.live.dispatch import Lane, Pool
from connectordb.runtime.clock import Deadline
from tests.support.case import MS, SOON, Case
from tests.support.interrupts import interrupted_at, interrupted_start


class PoolTests(Case):
    """Lanes on a pool of threads."""

    def setUp(self) -> None:
        super().setUp()
        self.pool = Pool("callbacks", most=4)
        self.addCleanup(lambda: self.assertTrue(self.pool.close(Deadline(SOON))))

    def block(self, lane: Lane) -> tuple[threading.Event, threading.Event]:
        """Put a job on *lane* that waits; return the event of its beginning, and the one that ends it."""
        begun, end = threading.Event(), threading.Event()
        self.addCleanup(end.set)

        def job() -> None:
            begun.set()
            end.wait(SOON)

        lane.put(job)
        return begun, end

    def test_order(self) -> None:
        """One lane's jobs run in order, one at a time."""
        lane, ran, running = self.pool.lane(), [], threading.Lock()

        def job(number: int) -> None:
            self.assertTrue(running.acquire(blocking=False), "two jobs of one lane at the same time")
            ran.append(number)
            running.release()

        for number in range(500):
            lane.put(lambda number=number: job(number))  # type: ignore[misc]
        self.eventually(lambda: len(ran) == 500)
        self.assertEqual(ran, list(range(500)))

    def test_neighbours(self) -> None:
        """A slow lane does not stop the others, and threads have names."""
        begun, _ = self.block(self.pool.lane())
        self.wait(begun)
        names: list[str] = []
        lanes = [self.pool.lane() for _ in range(3)]
        for lane in lanes:
            lane.put(lambda: names.append(threading.current_thread().name))
        self.eventually(lambda: len(names) == 3)
        self.assertTrue(all(name.startswith("connectordb-callbacks-") for name in names), names)

    def test_more_lanes_than_threads(self) -> None:
        """Beyond the bound of threads lanes take turns."""
        done: list[int] = []
        for number in range(50):
            self.pool.lane().put(lambda number=number: done.append(number))  # type: ignore[misc]
        self.eventually(lambda: len(done) == 50)
        threads = [thread for thread in threading.enumerate() if thread.name.startswith("connectordb-callbacks-")]
        self.assertLessEqual(len(threads), 4)

    def test_a_bug_in_a_job(self) -> None:
        """A job that raises is logged, and the lane goes on."""
        lane, done = self.pool.lane(), threading.Event()
        with self.assertLogs("connectordb.live.dispatch", "ERROR"):
            lane.put(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
            lane.put(done.set)
            self.wait(done)

    def test_ctrl_c(self) -> None:
        """Ctrl-C at any moment of taking a job, on a thread of the caller's, leaves out none, and has none run twice."""
        calls_nothing: tuple[str, ...] = ("if lane is not None", "unbegun =")
        calls_nothing += (
            "job()",
            "lane._thread",
            "job = lane._begin",
            "del self._",
            "self._held -= weight",
            "return job",
        )
        for line in range(50):
            pool = Pool("pumped", 0)
            ran: list[tuple[str, int]] = []
            for name in ("a", "b"):
                lane = pool.lane()
                for number in range(3):
                    lane.put(partial(ran.append, (name, number)))

            def run(pool: Pool = pool) -> None:
                while pool.run_one(Deadline(0.0)):
                    pass

            with self.subTest(line=line):
                interrupted_at(line, dispatch.__file__, run, calls_nothing)
                run()
                for name in ("a", "b"):
                    self.assertEqual([each for each in ran if each[0] == name], [(name, 0), (name, 1), (name, 2)])

    def test_ctrl_c_while_a_thread_begins(self) -> None:
        """Ctrl-C while a thread is started leaves none that nobody knows; the job runs with what is put next."""
        for begins in (False, True):
            with self.subTest(begins=begins):
                pool, ran = Pool("callbacks", 1), []
                lane, done = pool.lane(), threading.Event()
                with interrupted_start(begins), self.assertRaises(KeyboardInterrupt):
                    lane.put(partial(ran.append, 0))
                lane.put(done.set)
                self.wait(done)
                self.assertEqual(ran, [0])
                self.assertTrue(pool.close(Deadline(SOON)))

    def test_ctrl_c_beside_threads(self) -> None:
        """Ctrl-C at any moment of putting a job, whoever is to run it, loses none that was put, and has none run twice."""
        calls_nothing: tuple[str, ...] = ("self._jobs.append", "self._ready.append", "lane._scheduled", "return lane")
        calls_nothing += (
            "self._called =",
            "return self._called",
            "del self._",
            "self._hands[number]",
            "hand.thread.start",
        )
        patience = mock.patch.multiple(
            dispatch, _LINGER=20 * MS, _LAST_LINGER=20 * MS
        )  # so long somebody called may sleep on
        patience.start()
        self.addCleanup(patience.stop)
        for line in range(40):
            for idle in (False, True):
                pool = Pool("callbacks", 2)
                ran: list[int] = []
                if idle:
                    # again and again: on a busy machine it may have gone before it is seen
                    self.eventually(lambda pool=pool: pool._idle or pool.lane().put(lambda: None))  # type: ignore[misc]
                lane, done = pool.lane(), threading.Event()

                def put(lane: Lane = lane, ran: list[int] = ran) -> None:
                    for number in range(3):
                        lane.put(partial(ran.append, number))

                with self.subTest(line=line, idle=idle):
                    interrupted_at(line, dispatch.__file__, put, calls_nothing)
                    lane.put(done.set)
                    self.wait(done)
                    self.assertEqual(ran, list(range(len(ran))))
                    self.assertTrue(pool.close(Deadline(SOON)))

    def test_exit_in_a_job(self) -> None:
        """sys.exit() in a callback ends one thread, and neither the lane nor its neighbours."""
        lane, done = self.pool.lane(), threading.Event()

        def leave() -> None:
            raise SystemExit

        with self.assertLogs("connectordb.live.dispatch", "ERROR"):
            lane.put(leave)
            lane.put(done.set)
            self.wait(done)
            self.eventually(lambda: len(self.pool._hands) == 1, "the thread that left is forgotten")

    def test_no_more_threads(self) -> None:
        """Where the system has no thread left, that is raised, what waits is run later, and closing works."""
        lane, done = self.pool.lane(), threading.Event()
        with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")):
            with self.assertRaises(RuntimeError):
                lane.put(done.set)
        lane.put(lambda: None)
        self.wait(done)
        with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")):
            self.assertTrue(self.pool.close(Deadline(SOON)))

    def test_the_last_thread_stays(self) -> None:
        """Idle threads end but for one, so that what comes is run also where the system has none to give just then."""
        with mock.patch.object(dispatch, "_LINGER", 10 * MS):
            blocked = [self.block(self.pool.lane()) for _ in range(3)]
            for begun, _ in blocked:
                self.wait(begun)
            for _, end in blocked:
                end.set()
            self.eventually(lambda: len(self.pool._hands) == 1, "all but one have ended")
            (last,) = self.pool._hands.values()
            last.thread.join(50 * MS)
            self.assertTrue(last.thread.is_alive())
        done = threading.Event()
        with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")):
            self.pool.lane().put(done.set)
            self.wait(done)

    def test_no_more_threads_than_there_are(self) -> None:
        """Where the system has no more threads than we have already, callbacks wait for each other, and that is logged, once."""
        begun, end = self.block(self.pool.lane())
        self.wait(begun)
        ran: list[int] = []
        with (
            mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")),
            self.assertLogs("connectordb.live.dispatch", "WARNING") as logs,
        ):
            for number in range(4):
                self.pool.lane().put(lambda number=number: ran.append(number))  # type: ignore[misc]
            end.set()
            self.eventually(lambda: ran == [0, 1, 2, 3])
        self.assertEqual(len(logs.output), 1, logs.output)

    def test_many_at_once(self) -> None:
        """Of lanes that have something to do at the same moment none waits for another that takes its time."""
        together = threading.Barrier(4, timeout=SOON)
        for _ in range(25):  # with threads that are new, idle, and about to be
            came: list[int] = []
            for _ in range(4):
                self.pool.lane().put(lambda came=came: came.append(together.wait()))  # type: ignore[misc]
            self.eventually(lambda came=came: len(came) == 4, within=SOON / 2)  # type: ignore[misc]

    def test_bounded(self) -> None:
        """Beyond the bound the oldest give way, those without weight never; one that is too large alone is taken."""
        lane = self.pool.lane(most=10)
        begun, end = self.block(lane)
        self.wait(begun)
        ran: list[str] = []
        self.assertEqual(lane.put(lambda: ran.append("told")), 0)
        self.assertEqual(lane.put(lambda: ran.append("a"), 6), 0)
        self.assertEqual(lane.put(lambda: ran.append("b"), 4), 0)
        self.assertEqual(lane.put(lambda: ran.append("c"), 1), 6)
        self.assertEqual(lane.put(lambda: ran.append("d"), 50), 5)
        end.set()
        self.eventually(lambda: "d" in ran)
        self.assertEqual(ran, ["told", "d"])

    def test_close_waits(self) -> None:
        """Closing a lane waits for what runs, drops what waits, and takes nothing more."""
        lane = self.pool.lane()
        begun, end = self.block(lane)
        self.wait(begun)
        ran: list[int] = []
        lane.put(lambda: ran.append(1))
        self.assertFalse(lane.close(Deadline(0.01)))
        end.set()
        self.assertTrue(lane.close(Deadline(SOON)))
        lane.put(lambda: ran.append(2))
        self.assertEqual(ran, [])

    def test_close_from_inside(self) -> None:
        """A job may close its own lane, and two jobs may close each other's without waiting for ever."""
        first, second = self.pool.lane(), self.pool.lane()
        both, results = threading.Barrier(2, timeout=SOON), []

        def close(other: Lane, own: Lane) -> None:
            both.wait()
            results.append(other.close(Deadline(SOON)))
            results.append(own.close(Deadline(SOON)))

        first.put(lambda: close(second, first))
        second.put(lambda: close(first, second))
        self.eventually(lambda: len(results) == 4, within=SOON / 2)
        self.assertEqual(results, [True] * 4)

    def test_two_pools_that_close_each_other(self) -> None:
        """Jobs of different pools may close each other's lanes, too."""
        another = Pool("own", most=1)
        self.addCleanup(lambda: self.assertTrue(another.close(Deadline(SOON))))
        first, second = self.pool.lane(), another.lane()
        both, results = threading.Barrier(2, timeout=SOON), []

        def close(other: Lane) -> None:
            both.wait()
            results.append(other.close(Deadline(SOON)))

        first.put(lambda: close(second))
        second.put(lambda: close(first))
        self.eventually(lambda: results == [True, True], within=SOON / 2)

    def test_close_pool_from_inside(self) -> None:
        """A job may close the whole pool."""
        results: list[bool] = []
        self.pool.lane().put(lambda: results.append(self.pool.close(Deadline(SOON))))
        self.eventually(lambda: results == [True], within=SOON / 2)

    @settings(max_examples=30)
    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4)), max_size=60))
    def test_any_load(self, jobs: list[tuple[int, int]]) -> None:
        """Whatever is put where: every lane runs its own in order, and what was not dropped ran."""
        pool = Pool("callbacks", most=3)
        lanes = [pool.lane() for _ in range(6)]
        ran: list[list[int]] = [[] for _ in lanes]
        for number, (lane, weight) in enumerate(jobs):
            lanes[lane].put(lambda lane=lane, number=number: ran[lane].append(number), weight)  # type: ignore[misc]
        self.eventually(lambda: sum(map(len, ran)) == len(jobs))
        for lane, numbers in enumerate(ran):
            self.assertEqual(numbers, [number for number, (at, _) in enumerate(jobs) if at == lane])
        self.assertTrue(pool.close(Deadline(SOON)))


class RunOneTests(Case):
    """A pool without threads, whose jobs run on who asks."""

    def setUp(self) -> None:
        super().setUp()
        self.pool = Pool("pumped", most=0)
        self.addCleanup(lambda: self.assertTrue(self.pool.close(Deadline(SOON))))

    def run_one(self, within: float = SOON) -> bool:
        """Run the next job here."""
        return self.pool.run_one(Deadline(within))

    def test_on_the_caller(self) -> None:
        """Nothing runs by itself; each call runs one job, here, lanes take turns, and each keeps its order."""
        first, second = self.pool.lane(), self.pool.lane()
        ran: list[tuple[str, threading.Thread]] = []
        for name, lane in (("a", first), ("b", first), ("c", second)):
            lane.put(lambda name=name: ran.append((name, threading.current_thread())))  # type: ignore[misc]
        self.assertEqual(ran, [])
        self.assertEqual([self.run_one(0) for _ in range(4)], [True, True, True, False])
        self.assertEqual(ran, [(name, threading.current_thread()) for name in "acb"])

    def test_wakes(self) -> None:
        """Who waits is woken by the job, also where there is no end to the waiting."""
        lane, ran = self.pool.lane(), threading.Event()
        waiter = threading.Thread(target=self.pool.run_one, args=(Deadline(None),))
        waiter.start()
        lane.put(ran.set)
        self.wait(ran)
        waiter.join(SOON)
        self.assertFalse(waiter.is_alive())

    def test_the_next_waiter(self) -> None:
        """What is left of a lane is run by another who waits, if the first does not come back."""
        lane, ran = self.pool.lane(), []
        waiters = [threading.Thread(target=self.run_one) for _ in range(2)]
        for waiter in waiters:
            waiter.start()
        begun, end = threading.Event(), threading.Event()
        lane.put(lambda: (begun.set(), end.wait(SOON)))  # type: ignore[arg-type,return-value]
        self.wait(begun)
        lane.put(lambda: ran.append(1))
        end.set()
        self.eventually(lambda: ran == [1], within=SOON / 2)
        for waiter in waiters:
            waiter.join(SOON)

    def test_what_a_job_raises(self) -> None:
        """A bug is logged; sys.exit() and Ctrl-C reach the caller; the lane goes on behind either."""
        lane, ran = self.pool.lane(), []

        def interrupted() -> None:
            raise KeyboardInterrupt

        lane.put(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
        lane.put(interrupted)
        lane.put(lambda: ran.append(1))
        with self.assertLogs("connectordb.live.dispatch", "ERROR"):
            self.assertTrue(self.run_one())
        self.assertRaises(KeyboardInterrupt, self.run_one)
        self.assertTrue(self.run_one())
        self.assertEqual(ran, [1])

    def test_close(self) -> None:
        """Closing the pool ends the waiting; a lane is closed at once by who runs its jobs, in one or between them."""
        lane, results = self.pool.lane(), []
        lane.put(lambda: results.append(lane.close(Deadline(SOON))))
        lane.put(lambda: results.append(False))
        self.run_one()
        self.assertEqual((results, lane.close(Deadline(SOON)), self.run_one(0)), ([True], True, False))
        waiter = threading.Thread(target=lambda: results.append(self.run_one()))
        waiter.start()
        self.pool.close(Deadline(SOON))
        waiter.join(SOON)
        self.assertEqual(results, [True, False])
