"""One call that did not succeed at once: decisions that a script of answers does not reach easily."""

from __future__ import annotations

import gc
import logging
import unittest
import weakref
from typing import Any

from connectordb import CertificateRefused, ConnectionFailed, OutcomeUnknown, RemoteProtocolError, Retry
from connectordb.client.calls import Budget, Endpoints, Names, Surroundings
from connectordb.client.calls.attempts import Attempts
from connectordb.client.calls.surroundings import Sent
from connectordb.client.http import Transport
from connectordb.client.settings.credentials import Credentials
from connectordb.client.terms.judging import Fate
from connectordb.client.terms.trace import Trace
from connectordb.exceptions import ConnectorDBError
from connectordb.protocol import rest
from connectordb.protocol.features import Features
from connectordb.protocol.paths import Path
from connectordb.runtime.clock import SYSTEM, Deadline
from tests.support.clock import SteppedClock

STREAM = Path.parse("mara/lamp/light")
INSERT = rest.insert(STREAM, [{"t": 1.0, "d": 1}])


class Decisions(unittest.TestCase):
    """Attempts that are made up."""

    def setUp(self) -> None:
        logging.getLogger("connectordb.client.calls").setLevel(logging.ERROR)
        self.addCleanup(logging.getLogger("connectordb.client.calls").setLevel, logging.NOTSET)
        self.clock = SteppedClock()
        self.pauses: list[float] = []
        endpoints = Endpoints(["http://a"], Transport, self.clock, lambda: None)
        self.around = Surroundings(
            endpoints,
            Budget(self.clock),
            Names(self.clock),
            lambda refused: False,
            lambda: None,
            self.pause,
            self.clock,
        )

    def several(self) -> None:
        """Have two servers."""
        endpoints = Endpoints(["http://a", "http://b"], Transport, SYSTEM, lambda: None)
        self.addCleanup(endpoints.join, 5.0)
        self.addCleanup(endpoints.stop)
        self.around = self.around._replace(endpoints=endpoints)

    def pause(self, seconds: float) -> None:
        """Let the time pass."""
        self.pauses.append(seconds)
        self.clock.advance(seconds)

    def attempts(
        self, request: rest.Request[Any], retry: Retry | None, name: str | None = None, seconds: float = 100.0
    ) -> Attempts:
        """Return those of a call."""
        return Attempts(request, retry, name, Deadline(seconds, self.clock), self.around)

    def sent(self, fate: Fate, reused: bool = False, features: Features | None = None) -> Sent:
        """Return an attempt with that fate."""
        trace = Trace()
        trace.fate, trace.reused = fate, reused
        return Sent(self.around.endpoints.here, features or Features(), Credentials(secret="key"), trace)

    def test_stale(self) -> None:
        """A read over a connection that had been kept, and was closed, goes again without a pause, and at nobody's cost."""
        for _ in range(100):
            attempts = self.attempts(rest.delete(STREAM), Retry())
            with self.assertRaises(ConnectionFailed):
                attempts.failed(ConnectionFailed("x"), self.sent(Fate.BROKEN, reused=True))
            self.attempts(rest.whoami(), Retry()).failed(ConnectionFailed("x"), self.sent(Fate.BROKEN, reused=True))
        self.assertEqual(self.pauses, [])
        self.assertTrue(all(self.around.budget.spend(0.2) for _ in range(10)))

    def test_time_for_the_attempt(self) -> None:
        """A pause leaves time for the attempt behind it."""
        attempts = self.attempts(
            rest.whoami(), Retry(10, first_backoff=1000, max_backoff=1000, budget=None), seconds=8.0
        )
        with self.assertRaises(ConnectionFailed):
            for _ in range(10):
                attempts.failed(ConnectionFailed("x"), self.sent(Fate.BROKEN))
        self.assertLess(self.clock.monotonic(), 8.0)
        self.assertLess(len(self.pauses), 10)

    def test_certificate(self) -> None:
        """A certificate that is refused is so the next time, too: only another server is tried."""
        with self.assertRaises(CertificateRefused) as caught:
            self.attempts(rest.whoami(), Retry(9)).failed(CertificateRefused("x"), self.sent(Fate.UNSENT))
        self.assertFalse(caught.exception.retryable)
        self.several()
        attempts = self.attempts(rest.whoami(), Retry(1))
        attempts.failed(CertificateRefused("x"), self.sent(Fate.UNSENT))
        self.assertEqual(attempts.endpoint.url, "http://b")

    def test_doubt_stays(self) -> None:
        """Once a copy may be stored, a failure to send the next one leaves that unknown."""
        attempts = self.attempts(INSERT, Retry(2), "name")
        knows = Features(idempotency=60)
        self.around.endpoints.here.features = knows
        attempts.failed(ConnectionFailed("x"), self.sent(Fate.BROKEN, features=knows))
        with self.assertRaises(OutcomeUnknown) as caught:
            attempts.failed(ConnectionFailed("nobody there"), self.sent(Fate.UNSENT, features=knows))
        self.assertIn("nobody there; whether the points are stored is unknown", str(caught.exception))

    def test_forgotten(self) -> None:
        """A name that the server may have forgotten by now, or knows nothing of any more, is not sent again."""
        for later, announced in ((60.0, 60), (1.0, None)):
            attempts = self.attempts(INSERT, Retry(9, first_backoff=0, budget=None), "name")
            sent = self.sent(Fate.BROKEN, features=Features(idempotency=60))
            sent.endpoint.features = sent.features
            attempts.failed(ConnectionFailed("x"), sent)
            self.clock.advance(later)
            sent.endpoint.features = Features(idempotency=announced)
            with self.subTest(later), self.assertRaises(OutcomeUnknown):
                attempts.failed(ConnectionFailed("x"), sent)

    def test_too_long(self) -> None:
        """An answer that is longer than any can be is told; of an insert it proves nothing."""
        for request, kind in ((rest.whoami(), RemoteProtocolError), (INSERT, OutcomeUnknown)):
            with self.assertRaises(kind) as caught:
                self.attempts(request, Retry()).failed(RemoteProtocolError("too long"), self.sent(Fate.BROKEN))
            self.assertEqual((caught.exception.method, caught.exception.retryable), (request.method, False))

    def test_elsewhere_for_who_tries_again_himself(self) -> None:
        """What could not be sent goes to another server whoever calls."""
        self.several()
        attempts = self.attempts(INSERT, None)
        attempts.failed(ConnectionFailed("x"), self.sent(Fate.UNSENT))
        self.assertEqual(attempts.endpoint.url, "http://b")

    def test_no_circle(self) -> None:
        """An exception that nobody keeps is gone at once: nothing waits for the garbage collector."""

        class Lost(ConnectionFailed):
            """One that can be watched."""

        def call() -> weakref.ref[Lost]:
            try:
                error = Lost("x")
                watched = weakref.ref(error)
                self.attempts(rest.whoami(), Retry(1)).failed(error, self.sent(Fate.UNSENT))
            except Lost:
                pass
            finally:
                del error
            return watched

        gc.disable()
        self.addCleanup(gc.enable)
        self.assertIsNone(call()())

    def test_no_time(self) -> None:
        """When the time is up there is no other attempt."""
        attempts = self.attempts(rest.whoami(), Retry(), seconds=1.0)
        self.clock.advance(2.0)
        with self.assertRaises(ConnectorDBError):
            attempts.failed(ConnectionFailed("x"), self.sent(Fate.UNSENT))
        self.assertEqual(self.pauses, [])
