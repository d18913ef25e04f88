"""Several servers of one database, on real sockets."""

from __future__ import annotations

from typing import Any

from connectordb import ConnectionFailed, InvalidRequest, LocalProtocolError, OutcomeUnknown, Retry, ServerError
from connectordb.client.session import Session
from connectordb.client.settings.credentials import Credentials
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from connectordb.runtime.clock import SYSTEM, Clock
from tests.support.case import MS, Case
from tests.support.wire import Peer, Step, answer, hang_up, refuse, reset, silence

STREAM = Path.parse("mara/lamp/light")
INSERT = rest.insert(STREAM, [{"t": 1.0, "d": 1}])
LENGTH = rest.length(STREAM)
CHANGE = rest.update(STREAM, {})

KNOWS = {"ConnectorDB_Features": "durable, idempotency=3600"}


class Hasty(Clock):
    """The machine's clock, whose pauses are short."""

    def wait(self, event: Any, seconds: float) -> bool:
        """Wait a hundredth of it."""
        return event.wait(seconds / 100)

    def monotonic(self) -> float:
        """Return a time that runs as much faster."""
        return SYSTEM.monotonic() * 100


class Several(Case):
    """Which one is asked."""

    def peer(self, *steps: Step, **options: Any) -> Peer:
        """Return a peer that ends with the test."""
        peer = Peer(*steps, **{"otherwise": answer("5"), **options})
        self.addCleanup(peer.close)
        return peer

    def session(self, *urls: str, **options: Any) -> Session:
        """Return a session that ends with the test."""
        session = Session(urls, Credentials(secret="key"), **options)
        self.addCleanup(session.close)
        return session

    def test_first(self) -> None:
        """The first that was given is asked, as long as it answers."""
        first, second = self.peer(), self.peer()
        session = self.session(first.url, second.url)
        for _ in range(5):
            session.call(LENGTH)
        self.assertEqual((len(first.requests), len(second.requests)), (5, 0))
        self.assertEqual((session.url, session.urls, session.origin), (first.url, (first.url, second.url), first.url))

    def test_given(self) -> None:
        """An address is asked once, however often it was given; none at all is an error."""
        self.assertEqual(
            self.session("http://a.example/", "http://A.example", "b.example").urls[1:], ("https://b.example",)
        )
        for bad in ([], ["http://a.example", 5]):
            with self.subTest(bad), self.assertRaises(LocalProtocolError):
                Session(bad, Credentials())  # type: ignore[arg-type]
        with self.assertRaisesRegex(LocalProtocolError, "order='any': expected 'given' or 'random'"):
            self.session("http://a.example", order="any")

    def test_random(self) -> None:
        """In random order each is the first of some clients; what they stand for is the same."""
        urls = tuple(f"http://{name}.example" for name in "abcd")
        sessions = [self.session(*urls, order="random") for _ in range(100)]
        self.assertEqual({session.url for session in sessions}, set(urls))
        self.assertEqual({session.origin for session in sessions}, {urls[0]})

    def test_moves(self) -> None:
        """When one fails the other is asked, without a pause, and stays in use; whatever could not be sent goes there."""
        gone, other = self.peer(), self.peer(otherwise=answer("ok"))
        gone.close()
        for request in (INSERT, rest.delete(STREAM)):
            session = self.session(gone.url, other.url, retry=1)
            session.call(request)
            session.call(request)
            self.assertEqual(session.url, other.url)
        self.assertEqual(len(other.requests), 4)

    def test_failures(self) -> None:
        """What moves to the other: a read after any failure of the server, a change after one that proves that nothing was done."""
        stops = refuse(503, "ConnectorDB is shutting down")
        for step, request in (
            *(
                (step, LENGTH)
                for step in (hang_up(), reset(), stops, answer(b"<html>", 502), answer(b"", 504), silence())
            ),
            *((stops, request) for request in (INSERT, CHANGE)),
        ):
            first, second = self.peer(step), self.peer(otherwise=answer({}) if request is CHANGE else answer("5"))
            if request is INSERT:
                second.otherwise = answer("ok")
            retry = Retry(max_attempts=2, first_backoff=600, max_backoff=600)  # nobody waits for that
            session = self.session(first.url, second.url, retry=retry, timeout=(5000 * MS, 500 * MS))
            with self.subTest(request.method, step=step):
                session.call(request)
                self.assertEqual((len(first.requests), len(second.requests), session.url), (1, 1, second.url))

    def test_stays(self) -> None:
        """What is about the request, or about the caller, moves nothing."""
        for step, kind in ((refuse(403, "no"), InvalidRequest), (refuse(500, "it broke"), ServerError)):
            first, second = self.peer(step), self.peer()
            session = self.session(first.url, second.url)
            with self.subTest(step), self.assertRaises(kind):
                session.call(LENGTH)
            self.assertEqual(session.url, first.url)
        first, second = self.peer(refuse(429, "slowly")), self.peer()
        session = self.session(first.url, second.url)
        session.call(LENGTH)
        self.assertEqual((session.url, len(first.requests)), (first.url, 2))

    def test_inserts(self) -> None:
        """An insert that may be stored goes to no other server: with its name to the same one, without one nowhere."""
        first, second = self.peer(hang_up()), self.peer(otherwise=answer("ok"))
        session = self.session(first.url, second.url)
        with self.assertRaises(OutcomeUnknown):
            session.call(INSERT)
        self.assertEqual((len(first.requests), len(second.requests), session.url), (1, 0, second.url))
        first = self.peer(answer("mara/lamp", **KNOWS), hang_up(), answer("ok", **KNOWS))
        session = self.session(first.url, second.url)
        session.call(rest.whoami())
        session.call(INSERT)
        self.assertEqual((len(first.requests), len(second.requests)), (3, 0))

    def test_all_gone(self) -> None:
        """Where none is there, all were tried, and the error names them."""
        peers = [self.peer() for _ in range(4)]
        for peer in peers:
            peer.close()
        session = self.session(*(peer.url for peer in peers))
        with self.assertRaises(ConnectionFailed) as caught:
            session.call(INSERT)
        self.assertTrue(caught.exception.retryable)
        for peer in peers:
            self.assertIn(peer.url, str(caught.exception))
        self.assertGreaterEqual(caught.exception.attempts, 4)

    def test_back(self) -> None:
        """Once the first is there again it is used again, without a call that has to find out."""
        first, second = (
            self.peer(hang_up(), refuse(503, "not yet"), hang_up(), otherwise=answer("mara/user")),
            self.peer(),
        )
        session = self.session(first.url, second.url, clock=Hasty())
        session.call(LENGTH)
        self.assertEqual(session.url, second.url)
        self.eventually(lambda: session.url == first.url, "the first to be used again")
        self.assertEqual([request.headers.get("authorization") for request in first.requests[1:]], [None] * 3)
        before = len(second.requests)
        first.otherwise = answer("5")
        session.call(LENGTH)
        self.assertEqual(len(second.requests), before)
        self.eventually(lambda: not session._endpoints._asking.is_running, "the thread to end")

    def test_back_and_away(self) -> None:
        """It is looked after again when it fails once more."""
        first, second = self.peer(*[refuse(503, "stopping"), answer("nobody")] * 2), self.peer()
        session = self.session(first.url, second.url, clock=Hasty())
        for _ in range(2):
            session.call(LENGTH)
            self.eventually(lambda: session.url == first.url, "the first to be used again")

    def test_next(self) -> None:
        """Who asks for the next gets it; with one server there is none."""
        first, second = self.peer(), self.peer()
        session = self.session(first.url, second.url)
        self.assertTrue(session.leave_server())
        self.assertEqual(session.url, second.url)
        self.assertFalse(self.session(first.url).leave_server())

    def test_features(self) -> None:
        """What one server says it can do is not believed of another."""
        first, second = self.peer(answer("5", **KNOWS)), self.peer(otherwise=answer("ok"))
        session = self.session(first.url, second.url)
        session.call(LENGTH)
        self.assertIsNotNone(session.features.idempotency)
        session.leave_server()
        self.assertIsNone(session.features.idempotency)
        session.call(INSERT)
        self.assertNotIn("idempotency-key", second.requests[-1].headers)
