"""Tests of `connectordb.logger.sync.batches`: passes of several batches, against a real server."""

from __future__ import annotations

import json
import threading
from unittest import mock

from connectordb.logger.rows import held, notes
from connectordb.logger.sync import plan
from connectordb.logger.sync.batches import Memory
from connectordb.logger.sync.links import Link
from connectordb.logger.sync.passes import Pass
from connectordb.logger.sync.sending import Report, Stopped
from connectordb.protocol import rest
from connectordb.runtime.clock import SYSTEM
from tests.support.fault_proxy import Fault
from tests.support.logger_cases import WAIT, PassCase


class Batches(PassCase):
    """Batches of two points each, whatever is learned about the server."""

    def setUp(self) -> None:
        super().setUp()
        self.stopping = threading.Event()
        patch = mock.patch.object(plan, "shape", lambda size, *_: size)
        patch.start()
        self.addCleanup(patch.stop)

    def run_in_twos(self) -> Report:
        memory = Memory(size=2)
        one = Pass(self.store, self.server, self.link, SYSTEM, self.stopping, WAIT, memory=memory)
        return one.run(self.store.points.newest())

    def writes(self, *values: str) -> int:
        """Log values; return in how many transactions their batches are noted and taken off."""
        self.log(*values)
        file = self.store._file
        with mock.patch.object(file, "write", wraps=file.write) as write:
            self.run_in_twos()
        return sum(call.args[0].__module__ in (notes.__name__, held.__name__) for call in write.call_args_list)

    def test_one_write_each(self) -> None:
        """The next batch is noted in the transaction that takes the one before off, by a server of either kind."""
        self.assertEqual((self.writes(*"12"), self.writes(*"3456789")), (2, 5))
        self.assertEqual(self.stored(), list(range(1, 10)))
        self.assertIsNone(self.store.notes.of(self.id))

    def test_only_the_first_asks(self) -> None:
        """The stream's length is asked for once; a later batch is noted behind those before it."""
        self.log(*"12345")
        before = len(self.proxy.requests)
        self.proxy.script(Fault.NONE, Fault.NONE, *[Fault.LOST] * 9)
        self.assertIn("s", self.run_in_twos().failed)
        note = self.store.notes.of(self.id)
        assert note is not None
        self.assertEqual((note.length, note.before, note.first), (4, self.clock - 1, self.waiting()[0].id))
        lengths = [line for line in self.proxy.requests[before:] if "q=length" in line]
        # and once more, as the lone one is waited for
        self.assertLessEqual(len(lengths), 1 + 3)
        self.run_passes()
        self.assertEqual(self.stored(), [1, 2, 3, 4, 5])

    def test_stopped(self) -> None:
        """A pass that is to end takes off what was stored, and leaves no note on what was not sent."""
        self.log(*"12345")
        call = Link.call

        def last_call(link: Link, request: rest.Request[object]) -> object:
            if request.inserts:
                self.stopping.set()
            return call(link, request)

        with mock.patch.object(Link, "call", last_call), self.assertRaises(Stopped):
            self.run_in_twos()
        self.assertEqual((self.stored(), [row.d for row in self.waiting()]), ([1, 2], ["3", "4", "5"]))
        self.assertIsNone(self.store.notes.of(self.id))
        self.assert_adds_up()

    def test_dropped_meanwhile(self) -> None:
        """What the user drops while a batch is on its way is not sent, and the pass ends."""
        self.log(*"12345")
        call = Link.call

        def beside(link: Link, request: rest.Request[object]) -> object:
            if request.inserts:
                self.store.notes.clear()
            return call(link, request)

        with mock.patch.object(Link, "call", beside):
            self.run_in_twos()
        self.assertEqual((self.stored(), self.waiting()), ([1, 2], []))
        self.assert_adds_up()

    def test_beside_inserts(self) -> None:
        """While somebody has to wait for a batch to be taken off, and for a second after that, batches are small."""
        self.log(*map(str, range(20)))
        sizes: list[int] = []
        call = Link.call

        def beside(link: Link, request: rest.Request[object]) -> object:
            if request.inserts:
                sizes.append(len(json.loads(request.body or b"")))
                self.store._file._commits.queued += len(sizes) == 2
            return call(link, request)

        memory = Memory(size=6)
        one = Pass(self.store, self.server, self.link, SYSTEM, self.stopping, WAIT, memory=memory)
        # however slow the machine is
        slowly = mock.patch.multiple(plan, _BESIDE=2, _QUICK=60, INSERTING=60, WRITTEN_BACK=2)
        write_back = mock.patch.object(self.store, "write_log_back", wraps=self.store.write_log_back)
        with mock.patch.object(Link, "call", beside), slowly, write_back as written_back:
            one.run(self.store.points.newest())
        self.assertEqual(written_back.call_count, 2)
        self.assertEqual(sizes, [6, 6, 2, 2, 2, 2])
        self.assertEqual(self.stored(), list(range(20)))
        self.assertEqual(memory.size, 6)


class BeforeAnOriginal(Batches):
    """The same, where the server may lose its last second."""

    announces = False
