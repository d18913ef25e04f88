"""Writing a command once, and finding it again, also where answers are lost."""

from __future__ import annotations

import threading
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb import ConnectorDB
from connectordb.exceptions import (
    ConnectionFailed,
    ConnectorDBError,
    InvalidRequest,
    OutcomeUnknown,
    PermissionDenied,
    ServerError,
)
from connectordb.live.commanding.sending import Sending, own_time
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from tests.support.case import SOON, Case
from tests.support.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.support.target import TargetCase


class OwnTimeTests(Case):
    """Times that are nobody else's."""

    @given(st.lists(st.sampled_from([1.7e9, 1.7e9 + 1e-7, 1.7e9 + 0.5]), max_size=30))
    def test_own(self, clock: list[float]) -> None:
        """None is returned twice, however the clock goes; each is that of the clock, or next to the one before."""
        times = [own_time(now) for now in clock]
        self.assertEqual(len(set(times)), len(times))
        for now, given_out in zip(clock, times, strict=True):
            self.assertGreaterEqual(given_out, now)
            self.assertLess(given_out, now + 0.6)

    def test_set_back(self) -> None:
        """A clock that was set back is believed."""
        own_time(2e9)
        self.assertEqual(own_time(1.9e9), 1.9e9)


class JudgingTests(Case):
    """What answers mean that are hard to get: the server's are said by the test."""

    def sending(self, *says: Exception | None) -> tuple[Sending, list[str | None]]:
        """Return a command to a server that says this, one after the other, and the keys of the inserts that it got."""
        answers, keys = iter(says), list[str | None]()

        def call(request: rest.Request[Any]) -> Any:
            assert request.inserts, "nothing is read here"
            keys.append(request.key)
            error = next(answers)
            if error is not None:
                raise error

        path, caller = Path.parse("mara/lamp/light/downlink"), Path.parse("mara/user")
        return Sending(call, path, "on", caller, time.time, lambda: True), keys

    def test_not_done(self) -> None:
        """A server that says that it was too late to begin has written nothing; if an earlier copy is unknown that proves nothing."""
        late = ServerError("Not done: the time was up; nothing was changed", status=503, ref="1")
        sending, _ = self.sending(late)
        with self.assertRaises(ServerError):
            sending.write()
        self.assertIs(sending.is_written, False)
        sending, keys = self.sending(OutcomeUnknown("no answer"), late, None)
        sending.write()
        self.assertIsNone(sending.is_written)
        sending.is_stored = False
        sending.settle()
        self.assertIsNone(sending.is_written)
        sending.settle()
        self.assertIs(sending.is_written, True)
        self.assertEqual(len(set(keys)), 1)

    def test_no_more_keys(self) -> None:
        """A device that has no keys left commands without; but not where the copy with the key may arrive yet."""
        full = PermissionDenied("no more than 5 Idempotency-Keys are kept", status=429, ref="1")
        sending, keys = self.sending(full, None)
        sending.write()
        self.assertIs(sending.is_written, True)
        self.assertEqual([key is None for key in keys], [False, True])
        sending, keys = self.sending(OutcomeUnknown("no answer"), full)
        sending.write()
        sending.is_stored = False
        sending.settle()
        self.assertIsNone(sending.is_written)
        self.assertEqual([key is None for key in keys], [False, False])


class SendingTests(TargetCase):
    """One command on its way to a real server."""

    def setUp(self) -> None:
        super().setUp()
        self.lamp = self.stream(downlink=True)
        self.downlink = Path.parse(self.lamp.path).at_downlink()

    def proxy(self, *script: Fault, announces: bool = True) -> FaultProxy:
        """Return a proxy that does these things to inserts."""
        running = fault_proxy(self.url)
        proxy = running.__enter__()
        self.addCleanup(running.__exit__, None, None, None)
        proxy.announces = announces
        proxy.script(*script)
        return proxy

    def sending(self, value: Any, cdb: ConnectorDB | None = None, wall: float | None = None) -> Sending:
        """Return a command of the user."""
        cdb = cdb or self.person()
        session = cdb._session
        caller = session.path
        return Sending(
            session.call,
            self.downlink,
            value,
            caller,
            session.clock.wall if wall is None else lambda: wall,
            lambda: session.features.idempotency is not None,
        )

    def through(self, proxy: FaultProxy) -> ConnectorDB:
        """Return a connection through *proxy*."""
        cdb = ConnectorDB(self.user_key, url=proxy.url)
        self.addCleanup(cdb.close)
        return cdb

    def knows_keys(self) -> bool:
        """Tell whether the server takes the same insert twice for one."""
        cdb = self.person()
        cdb.ping()
        return cdb._session.features.idempotency is not None

    def commanded(self) -> list[Any]:
        """Return the values in the downlink."""
        return self.lamp(downlink=True)["d"]

    def test_found(self) -> None:
        """A command is found again among many that are equal, each at its own place."""
        cdb = self.person()
        sent = [self.sending(value, cdb) for value in ("on", "on", "off", "on", None, True, 1)]
        for sending in sent:
            self.assertEqual((sending.is_written, sending.is_settled), (False, False))
            sending.write()
            self.assertEqual((sending.is_written, sending.index), (True, None))
        for sending in reversed(sent):
            sending.settle()
            self.assertTrue(sending.is_settled)
        self.assertEqual([sending.index for sending in sent], list(range(7)))
        self.assertEqual(self.commanded(), ["on", "on", "off", "on", None, True, 1])

    def test_at_once(self) -> None:
        """Many threads that command the same get a place each."""
        cdb, indices = self.person(), list[Any]()

        def send() -> None:
            for _ in range(5):
                sending = self.sending("on", cdb)
                sending.write()
                sending.settle()
                indices.append(sending.index)

        threads = [threading.Thread(target=send) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SOON)
        self.assertEqual(sorted(indices), list(range(30)))
        self.assertEqual(len(self.commanded()), 30)

    def test_far_back(self) -> None:
        """A command is found behind hundreds of others that came since."""
        sending = self.sending("on")
        sending.write()
        now = time.time() + 10
        self.person()(self.lamp.path).insert_array([{"t": now, "d": "off"}] * 450)
        sending.settle()
        self.assertEqual(sending.index, 0)

    def test_clock_behind(self) -> None:
        """Where the downlink holds something newer the command is still taken, and found; its value is not damaged."""
        future = time.time() + 1000
        self.person()(self.lamp.path).insert_array([{"t": future, "d": 0}])
        for index in (1, 2):
            sending = self.sending({"a": None, "b": {}}, wall=time.time())
            sending.write()
            sending.settle()
            self.assertEqual(sending.index, index)
        self.assertEqual(self.commanded(), [0, {"a": None, "b": {}}, {"a": None, "b": {}}])

    def test_refused(self) -> None:
        """A refusal is raised, and nothing is written."""
        self.lamp.schema = {"type": "boolean"}
        sending = self.sending("on")
        with self.assertRaises(InvalidRequest):
            sending.write()
        self.assertIs(sending.is_written, False)

    def test_away(self) -> None:
        """A server that is not there is told, and nothing is written."""
        self.without_pauses()
        proxy = self.proxy()
        cdb = self.through(proxy)
        proxy.close()
        sending = self.sending("on", cdb)
        with self.assertRaises(ConnectionFailed):
            sending.write()
        self.assertIs(sending.is_written, False)

    def test_emptied(self) -> None:
        """A command that is not there any more is not looked for for ever."""
        sending = self.sending("on")
        sending.write()
        self.person()(str(self.downlink)).delete()
        sending.settle()
        self.assertEqual((sending.is_written, sending.index, sending.is_settled), (True, None, True))

    def test_lost_answers(self) -> None:
        """Whatever becomes of answers, a command is written once; on a server without keys it may remain unknown, never twice."""
        for announces in {True, False} if self.knows_keys() else {False}:
            for fault in Fault:
                if fault in (Fault.NONE, Fault.LATE):
                    continue
                with self.subTest(fault=fault, announces=announces):
                    proxy = self.proxy(announces=announces)
                    sending = self.sending([fault.name, announces], self.through(proxy))
                    proxy.script(fault)
                    before = len(self.commanded())
                    try:
                        sending.write()
                    except ConnectorDBError:
                        self.assertIs(sending.is_written, False)
                    for _ in range(3):
                        if not sending.is_settled and sending.is_written is not False:
                            sending.settle()
                    written = len(self.commanded()) - before
                    if sending.is_written is None:
                        self.assertEqual((announces, written), (False, 0))
                    else:
                        self.assertEqual(written, int(sending.is_written))
                    if sending.is_written:
                        self.assertEqual(sending.index, before)

    def test_late(self) -> None:
        """A copy that arrives late is found then."""
        proxy = self.proxy(announces=False)
        sending = self.sending("on", self.through(proxy))
        proxy.script(Fault.LATE)
        sending.write()
        sending.settle()
        self.assertEqual((sending.is_written, sending.is_settled), (None, False))
        proxy.deliver()
        sending.settle()
        self.assertEqual((sending.is_written, sending.index), (True, 0))

    def test_not_stored(self) -> None:
        """Where nothing is stored nothing is looked for."""
        sending = self.sending("on")
        sending.is_stored = False
        sending.write()
        sending.settle()
        self.assertEqual((sending.is_written, sending.index, sending.is_settled), (True, None, True))
