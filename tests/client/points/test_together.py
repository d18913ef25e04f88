"""Several calls at once."""

from __future__ import annotations

import signal
import threading

from connectordb import ClosedError, Timeout
from connectordb.client.points.together import together
from connectordb.protocol import rest
from tests.support.interrupts import interrupted_start
from tests.support.target import TargetCase


class Together(TargetCase):
    """They are as those of the thread that wants them."""

    def setUp(self) -> None:
        """Log in."""
        super().setUp()
        self.cdb = self.connect(self.device_key)
        self.session = self.cdb._session

    def test_order(self) -> None:
        """What they return stands in their order, and nothing of nothing."""
        self.assertEqual(together(self.session, [lambda n=n: n * n for n in range(40)]), [n * n for n in range(40)])  # type: ignore[misc]
        self.assertEqual(together(self.session, []), [])

    def test_at_once(self) -> None:
        """Eight of them are under way at a time, and no thread is left."""
        meeting = threading.Barrier(8, timeout=10)
        together(self.session, [meeting.wait] * 16)
        self.assertEqual([thread.name for thread in threading.enumerate() if "together" in thread.name], [])

    def test_pool(self) -> None:
        """There are no more at a time than the connections that there may be."""
        names: set[str] = set()
        session = self.connect(self.device_key, pool_size=1)._session
        together(session, [lambda: names.add(threading.current_thread().name)] * 3)
        self.assertEqual(names, {threading.current_thread().name})

    def test_failure(self) -> None:
        """The first that failed is raised, and others do not begin any more."""
        begun = []

        def fail(number: int) -> None:
            begun.append(number)
            raise ValueError(number)

        with self.assertRaisesRegex(ValueError, "^0$"):
            together(self.session, [lambda n=n: fail(n) for n in range(1000)])  # type: ignore[misc]
        self.assertLess(len(begun), 50)

    def interrupted(self, calls: int, in_a_call: bool) -> None:
        """Press Ctrl-C in a call of this thread, or while it waits for others; look that no call begins after that."""
        let_go, begun = threading.Event(), []

        def call() -> None:
            begun.append(1)
            if threading.current_thread() is not threading.main_thread():
                let_go.wait(10)
            elif in_a_call:
                raise KeyboardInterrupt
            else:
                signal.setitimer(signal.ITIMER_REAL, 0.05)

        with self.assertRaises(KeyboardInterrupt):
            together(self.session, [call] * calls)
        before = len(begun)
        let_go.set()
        for thread in threading.enumerate():
            if "together" in thread.name:
                thread.join(10)
        self.assertEqual(len(begun), before)

    def test_interrupt(self) -> None:
        """Ctrl-C ends the wait for the others, wherever it comes, and no other call begins."""
        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, signal.default_int_handler))
        self.interrupted(calls=100, in_a_call=True)
        self.interrupted(calls=8, in_a_call=False)

    def test_interrupt_of_a_beginning(self) -> None:
        """Ctrl-C while a thread begins leaves none that goes on."""
        begun, let_go = [], threading.Event()

        def call() -> None:
            begun.append(threading.current_thread())
            let_go.wait(10)

        with interrupted_start(True), self.assertRaises(KeyboardInterrupt):
            together(self.session, [call] * 50)
        let_go.set()
        self.eventually(lambda: not any("together" in thread.name for thread in threading.enumerate()))
        self.assertLessEqual(len(begun), 1)

    def test_as_here(self) -> None:
        """What is chosen for a block, and what it costs, is that of the block that wants them."""
        chosen = []

        def call() -> str:
            chosen.append(self.session._calls.options.timeout)
            return self.session.call(rest.whoami())

        meeting = threading.Barrier(2, timeout=10)
        with self.cdb.options(timeout=7.5), self.cdb.measure() as stats:
            together(self.session, [lambda: (meeting.wait(), call())] * 2)
        self.assertEqual([Timeout.of(7.5).total] * 2, [each.total for each in chosen])
        self.assertEqual(stats.calls, 2)

    def test_closed(self) -> None:
        """A connection that was closed says so."""
        self.session.close()
        with self.assertRaises(ClosedError):
            together(self.session, [lambda: self.session.call(rest.whoami())] * 3)
