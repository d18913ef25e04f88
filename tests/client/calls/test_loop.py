"""The way of one call: what is sent, how often, and what is told in the end; over a real socket."""

from __future__ import annotations

import itertools
import pickle
import threading
import time
from typing import Any

from connectordb import (
    AuthenticationError,
    ClosedError,
    ConnectionFailed,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Retry,
    ServerError,
    ServerTrouble,
    TimedOut,
    Timeout,
)
from connectordb.client.session import Session
from connectordb.client.settings.credentials import Credentials
from connectordb.exceptions import ConnectorDBError
from connectordb.protocol import refusals, rest
from connectordb.protocol.paths import Path
from connectordb.runtime.clock import Deadline
from tests.support.case import MS, Case
from tests.support.clock import SteppedClock
from tests.support.wire import Peer, Received, Step, Tree, answer, by_request, hang_up, refuse, reset, silence

STREAM = Path.parse("mara/lamp/light")
INSERT = rest.insert(STREAM, [{"t": 1.0, "d": 1}])
LENGTH = rest.length(STREAM)
QUERY = rest.query("merge", [])
CHANGE = rest.update(STREAM, {"nickname": "x"})

KNOWS = {"ConnectorDB_Features": "durable, idempotency=3600"}


class LoopCase(Case):
    """A scripted server, and a session with it on a clock that passes at once."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = SteppedClock()

    def peer(self, *steps: Step, **options: Any) -> Peer:
        """Return a peer that ends with the test."""
        peer = Peer(*steps, **options)
        self.addCleanup(peer.close)
        return peer

    def session(self, *peers: Peer, **options: Any) -> Session:
        """Return a session that ends with the test."""
        session = Session([peer.url for peer in peers], Credentials(secret="key"), **{"clock": self.clock, **options})
        self.addCleanup(session.close)
        return session

    def fail_with(self, kind: type[ConnectorDBError], session: Session, request: rest.Request[Any]) -> ConnectorDBError:
        """Call; return what is raised."""
        with self.assertRaises(kind) as caught:
            session.call(request)
        self.assertIs(type(caught.exception), kind)
        return caught.exception


class Again(LoopCase):
    """What may be sent again is, and nothing else."""

    def test_reads(self) -> None:
        """A read goes again after anything that may pass."""
        for step in (
            *(hang_up(), reset(), refuse(429, "slowly"), refuse(502, ""), refuse(503, "busy"), refuse(504, "")),
            *(answer(b"<html>", 503), refuse(404, "pq: too many clients"), refuse(401, "database is locked")),
        ):
            for request in (LENGTH, rest.query("merge", [])):
                peer = self.peer(step, step, answer("5"))
                with self.subTest(step, method=request.method):
                    self.assertEqual(self.session(peer).call(request), 5)
                    self.assertEqual(len(peer.requests), 3)

    def test_at_most(self) -> None:
        """After so many attempts the last failure is told, and says how many there were."""
        for retry, number in ((None, 3), (5, 5), (1, 1), (0, 1), (-3, 1), (Retry(max_attempts=2), 2)):
            peer = self.peer(otherwise=refuse(503, "busy"))
            error = self.fail_with(ServerError, self.session(peer, retry=retry), LENGTH)
            with self.subTest(retry):
                self.assertEqual((len(peer.requests), error.attempts, error.retryable), (number, number, True))
                self.assertEqual(error.stats.requests, number)
                self.assertEqual(f"({number} attempts)" in str(error), number > 1)

    def test_final(self) -> None:
        """What was refused for good is told at once, and no second time asked."""
        for step, kind in (
            (refuse(403, "no such thing"), InvalidRequest),
            (refuse(500, "it broke"), ServerError),
            (refuse(403, "msgpack: invalid code 1"), ServerTrouble),
            (refuse(401, "Login Failed."), AuthenticationError),
            (answer(b"<html>"), ServerError),
            (answer(b"", 301, Location="http://elsewhere.example"), ServerError),
        ):
            peer = self.peer(otherwise=step)
            with self.subTest(step):
                error = self.fail_with(kind, self.session(peer), LENGTH)
                self.assertEqual((len(peer.requests), error.attempts, error.retryable), (1, 1, False))

    def test_changes(self) -> None:
        """A change goes again if it was not done, by the server's own word; otherwise it is said that nobody knows."""
        for step in (refuse(429, "slowly"), refuse(503, "ConnectorDB is shutting down"), refuse(503, "Not done: late")):
            for request in (CHANGE, INSERT):
                peer = self.peer(step, answer({} if request is CHANGE else "ok"))
                with self.subTest(step):
                    self.session(peer).call(request)
                    self.assertEqual(len(peer.requests), 2)
        for step, kind in (
            (hang_up(), ConnectionFailed),
            (answer(b"<html>", 503), ServerError),
            (refuse(502, ""), ServerError),
            (refuse(403, "pq: too many clients"), ServerTrouble),
        ):
            peer = self.peer(step, otherwise=answer({}))
            with self.subTest(step):
                error = self.fail_with(kind, self.session(peer), CHANGE)
                self.assertIn("whether it was done is not known: look", str(error))
                self.assertEqual((len(peer.requests), error.retryable), (1, False))

    def test_unsent(self) -> None:
        """What could not be sent may be sent again, whatever it is."""
        peer = self.peer()
        peer.close()
        for request in (LENGTH, INSERT, CHANGE):
            error = self.fail_with(ConnectionFailed, self.session(peer), request)
            self.assertEqual((error.attempts, error.retryable, error.method), (3, True, request.method))
            self.assertEqual((error.path, error.status, error.code, error.ref), (request.path, 0, 0, ""))

    def test_once(self) -> None:
        """For who tries again himself: only a read goes once more, after its connection broke."""
        for step, request, number in (
            (hang_up(), LENGTH, 2),
            (refuse(503, "busy"), LENGTH, 1),
            (refuse(503, "busy"), INSERT, 1),
            (hang_up(), INSERT, 1),
        ):
            peer = self.peer(otherwise=step)
            with self.subTest(request.method, step=step), self.assertRaises(ConnectorDBError):
                self.session(peer).once(request)
            self.assertEqual(len(peer.requests), number)

    def test_pauses(self) -> None:
        """The pauses are what the server asks for, and more, but not much; without its word, less than the bounds."""
        for steps, least, most in (
            ([refuse(503, "x")] * 2, 0.0, 0.5 + 1.0),
            ([answer("x", 503, Retry_After="7")] * 2, 14.0, 15.5),
            ([answer("x", 429, Retry_After="30"), hang_up()], 30.0, 31.5),
        ):
            begin = self.clock.monotonic()
            self.session(self.peer(*steps, answer("5"))).call(LENGTH)
            passed = self.clock.monotonic() - begin
            with self.subTest(steps):
                self.assertTrue(least <= passed <= most, passed)

    def test_budget(self) -> None:
        """When many requests fail, few are sent again."""
        peer = self.peer(otherwise=refuse(503, "busy"))
        session = self.session(peer)
        errors = [self.fail_with(ServerError, session, LENGTH) for _ in range(100)]
        self.assertLess(len(peer.requests), 100 + 10 + 20)
        self.assertIn("too many of the latest requests had to be", str(errors[-1]))
        before = len(peer.requests)
        with session.chosen(retry=Retry(budget=None)):
            self.fail_with(ServerError, session, LENGTH)
        self.assertEqual(len(peer.requests), before + 3)


class Inserts(LoopCase):
    """No point is stored twice, and none given up that can be saved."""

    def test_named(self) -> None:
        """A server that knows names is sent the same again, under the same name; each insert has its own."""
        for step in (hang_up(), reset(), answer(b"<html>", 502), refuse(403, "redis: nil")):
            peer = self.peer(answer("mara/lamp", **KNOWS), step, step, answer("ok", **KNOWS), answer("ok", **KNOWS))
            session = self.session(peer)
            session.call(rest.whoami())
            session.call(INSERT)
            session.call(INSERT)
            names = [request.headers.get("idempotency-key") for request in peer.requests]
            with self.subTest(step):
                self.assertEqual((names[0], len(set(names[1:4])), len(set(names))), (None, 1, 3))
                self.assertEqual(len({request.body for request in peer.requests[1:]}), 1)

    def test_named_in_vain(self) -> None:
        """If no copy is answered, the outcome is unknown, also where the last one could not even be sent, or was put off."""
        for last in (hang_up(), refuse(503, "shutting down"), refuse(429, "slowly"), refuse(401, "who?")):
            peer = self.peer(answer("mara/lamp", **KNOWS), hang_up(), hang_up(), otherwise=last)
            session = self.session(peer)
            session.call(rest.whoami())
            error = self.fail_with(OutcomeUnknown, session, INSERT)
            with self.subTest(last):
                self.assertEqual((len(peer.requests), error.attempts, error.retryable), (4, 3, False))

    def test_refused_in_the_end(self) -> None:
        """A refusal of a later copy is a refusal: had the first been stored, it would have been answered."""
        peer = self.peer(answer("mara/lamp", **KNOWS), hang_up(), refuse(403, "did not conform to the stream's schema"))
        session = self.session(peer)
        session.call(rest.whoami())
        self.fail_with(InvalidRequest, session, INSERT)

    def test_nameless(self) -> None:
        """Without such a server, or with a name that it does not know, nothing goes twice that may be stored."""
        named = rest.insert_text(STREAM, b"[]", 1, key="abc")
        for request in (INSERT, named):
            peer = self.peer(hang_up(), otherwise=answer("ok"))
            error = self.fail_with(OutcomeUnknown, self.session(peer), request)
            self.assertEqual((len(peer.requests), error.retryable), (1, False))
            self.assertIsInstance(error.__cause__, ConnectionFailed)

    def test_one_attempt(self) -> None:
        """What is sent once at most needs no name."""
        peer = self.peer(answer("mara/lamp", **KNOWS), otherwise=answer("ok", **KNOWS))
        session = self.session(peer, retry=1)
        session.call(rest.whoami())
        session.call(INSERT)
        session.once(INSERT)
        self.assertEqual({request.headers.get("idempotency-key") for request in peer.requests}, {None})

    def test_no_room_for_names(self) -> None:
        """A server that has no room for names gets the insert without one, and the next ones for a while."""
        full = answer(
            {"code": 429, "ref": "r", "msg": "The server remembers 5 inserts with an Idempotency-Key of this device"},
            429,
            Retry_After="60",
            **KNOWS,
        )
        peer = self.peer(answer("mara/lamp", **KNOWS), full, otherwise=answer("ok", **KNOWS))
        session = self.session(peer)
        session.call(rest.whoami())
        session.call(INSERT)
        session.call(INSERT)
        self.clock.advance(61.0)
        session.call(INSERT)
        has_name = ["idempotency-key" in request.headers for request in peer.requests]
        self.assertEqual(has_name, [False, True, False, False, True])


class Time(LoopCase):
    """A call has an end, retries and all."""

    def test_retry_after(self) -> None:
        """What the server asks for is not waited for if there is not so much time."""
        peer = self.peer(otherwise=answer("x", 503, Retry_After="7"))
        error = self.fail_with(ServerError, self.session(peer, timeout=6.0), LENGTH)
        self.assertEqual((len(peer.requests), error.attempts), (1, 1))
        self.assertIn("there is no time to wait for as long as the server asks for", str(error))
        self.assertEqual(self.clock.monotonic(), 0.0)

    def test_total(self) -> None:
        """All attempts and pauses together take no longer than the whole may."""
        peer = self.peer(otherwise=refuse(503, "busy"))
        session = self.session(peer, retry=Retry(1000, first_backoff=5, budget=None), timeout=60.0)
        self.fail_with(ServerError, session, LENGTH)
        self.assertLessEqual(self.clock.monotonic(), 60.0)
        self.assertGreater(len(peer.requests), 3)

    def test_told_to_the_server(self) -> None:
        """A time that somebody chose for the block is told, less what has passed; what is usual is not."""
        peer = self.peer(answer("5"), answer("x", 503, Retry_After="4"), answer("5"))
        session = self.session(peer)
        session.call(LENGTH)
        with session.chosen(timeout=20):
            session.call(LENGTH)
        said = [request.headers.get("connectordb-timeout") for request in peer.requests]
        self.assertEqual(said[:2], [None, "20.000"])
        self.assertTrue(15.0 < float(said[2] or 0) <= 16.0, said)

    def test_silence(self) -> None:
        """No answer in time is told, by the only server; a change, too."""
        for request in (LENGTH, CHANGE):
            peer = self.peer(silence(), otherwise=answer("5"))
            session = self.session(peer, timeout=(5000 * MS, 100 * MS))
            error = self.fail_with(TimedOut, session, request)
            self.assertEqual((len(peer.requests), error.retryable), (1, request is LENGTH))

    def test_deadline(self) -> None:
        """A deadline for the block ends a call before the usual time does, and the other way round."""
        session = self.session(self.peer(otherwise=answer("x", 503, Retry_After="5")), timeout=Timeout(total=30))
        for seconds in (12.0, 1000.0):
            begin = self.clock.monotonic()
            with session.within(Deadline(seconds, self.clock)), session.chosen(retry=Retry(100, budget=None)):
                self.fail_with(ServerError, session, LENGTH)
            self.assertTrue(min(seconds, 30) - 10 <= self.clock.monotonic() - begin <= min(seconds, 30))


class Told(LoopCase):
    """What an exception says."""

    def test_attributes(self) -> None:
        """Each exception of a request has them, and they travel between processes."""
        away = self.peer()
        away.close()
        for peer, request, kind in (
            (self.peer(refuse(403, "no", ref="abc")), CHANGE, InvalidRequest),
            (self.peer(otherwise=refuse(503, "busy", ref="abc")), LENGTH, ServerError),
            (self.peer(hang_up()), INSERT, OutcomeUnknown),
            (self.peer(answer(b"nonsense")), LENGTH, ServerError),
            (away, CHANGE, ConnectionFailed),
        ):
            error = self.fail_with(kind, self.session(peer), request)
            copy = pickle.loads(pickle.dumps(error))
            for each in (error, copy):
                said = (each.status, each.code, each.ref, each.method, each.path, each.attempts, each.retryable)
                with self.subTest(kind):
                    self.assertEqual(said[3:5], (request.method, request.path))
                    self.assertTrue(said[5] >= 1 and each.stats.requests == said[5])
                    self.assertEqual((said[0], said[1]), (said[1], said[0]))
                    self.assertEqual(str(each), str(error))

    def test_words_of_the_server(self) -> None:
        """What a server said stays as it was, however often it was asked: others go by its words."""
        for said in ("Can't access this resource.", "The requested stream was not found."):
            error = self.fail_with(NotFound, self.session(self.peer(hang_up(), refuse(404, said))), LENGTH)
            self.assertEqual((error.message, refusals.says_absent(error)), (said, True))  # type: ignore[attr-defined,arg-type]
            self.assertEqual(str(error), f"GET {LENGTH.path}: 404 {said} (2 attempts) (ref ref-1)")

    def test_cause(self) -> None:
        """What lies beneath is chained."""
        error = self.fail_with(ConnectionFailed, self.session(self.peer(otherwise=hang_up())), LENGTH)
        self.assertIsNotNone(error.__cause__)

    def test_nobody_asked(self) -> None:
        """What was refused here has them, too, and they say that nothing was asked."""
        error = ConnectorDBError("x")
        self.assertEqual(
            (error.status, error.ref, error.attempts, error.retryable, error.stats), (0, "", 0, False, None)
        )


class Ends(LoopCase):
    """Closing while calls run."""

    def test_pause(self) -> None:
        """A call that pauses ends at once; the points of an insert that may be stored are told as such."""
        for request, kind in ((LENGTH, ClosedError), (INSERT, OutcomeUnknown)):
            peer = self.peer(
                answer("mara/lamp", **KNOWS), *([hang_up()] if request is INSERT else []), otherwise=refuse(503, "busy")
            )
            session = Session(peer.url, Credentials(secret="key"), retry=Retry(9, first_backoff=600, max_backoff=600))
            self.addCleanup(session.close)
            session.call(rest.whoami())
            caught: list[BaseException] = []

            thread = threading.Thread(target=_collect, args=(session, request, caught))
            thread.start()
            self.eventually(lambda peer=peer: len(peer.requests) > 1, "the first attempt")
            begin = time.monotonic()
            session.close()
            thread.join(5)
            self.assertLess(time.monotonic() - begin, 2500 * MS)
            self.assertEqual([type(error) for error in caught], [kind])

    def test_under_way(self) -> None:
        """Calls that wait for an answer end at once, whoever closes, and however often; what may be stored is told as such."""
        peer = self.peer(otherwise=silence())
        session = Session(peer.url, Credentials(secret="key"))
        caught: list[BaseException] = []
        threads = [
            threading.Thread(target=_collect, args=(session, request, caught))
            for request in [LENGTH, INSERT, CHANGE, QUERY] * 2
        ]
        for thread in threads:
            thread.start()
        self.eventually(lambda: len(peer.requests) == 8, "all to wait")
        begin = time.monotonic()
        closing = [threading.Thread(target=session.close) for _ in range(3)]
        for thread in closing:
            thread.start()
        for thread in closing + threads:
            thread.join(5)
        self.assertLess(time.monotonic() - begin, 2500 * MS)
        self.assertEqual(sorted(type(error).__name__ for error in caught), ["ClosedError"] * 6 + ["OutcomeUnknown"] * 2)

    def test_many_threads(self) -> None:
        """Many threads share a connection to a server that fails now and then, and each gets its own answers."""
        answers = [hang_up(), refuse(503, "busy"), refuse(429, "slowly")]

        def reply(request: Received) -> Step:
            said = request.parameters.get("i1", "")
            with lock:
                number = next(count)
                fails = number % 20 == 0 and said not in failed
                if fails:
                    failed.add(said)
            return answers[number % 3] if fails else answer(said)

        lock, count, failed = threading.Lock(), itertools.count(1), set[str]()
        peer = self.peer(otherwise=by_request(reply))
        session = self.session(peer)
        wrong: list[object] = []

        def work(number: int) -> None:
            for step in range(20):
                said = f"{number}.{step}"
                request = rest.Request("GET", "/x", bytes.decode, {"i1": said})
                try:
                    if session.call(request) != said:
                        wrong.append(said)
                except ConnectorDBError as error:
                    wrong.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self.assertEqual(wrong, [])
        figures = session.statistics.snapshot()
        self.assertEqual((figures.calls, figures.failures), (640, 0))
        self.assertEqual(figures.requests, len(peer.requests))


class Credential(LoopCase):
    """Credentials that are refused once."""

    def test_renewed(self) -> None:
        """A key that came with a password and was reset by somebody is asked for again, once."""
        tree = Tree()
        peer = self.peer(
            *[tree.step] * 2,
            refuse(401, "The requested device was not found."),
            *[tree.step] * 2,
            otherwise=answer("5"),
        )
        session = Session(peer.url, Credentials("mara", "secret"))
        self.addCleanup(session.close)
        session.login()
        self.assertEqual(session.call(LENGTH), 5)
        self.assertEqual(len(peer.requests), 6)
        gone = self.peer(*[tree.step] * 2, otherwise=refuse(401, "no"))
        session = Session(gone.url, Credentials("mara", "secret"))
        self.addCleanup(session.close)
        session.login()
        for number in (4, 5):
            self.fail_with(AuthenticationError, session, INSERT)
            self.assertEqual(len(gone.requests), number)

    def test_changed_meanwhile(self) -> None:
        """A request that went with a key that this process has replaced meanwhile goes again with the new one."""
        peer = self.peer()
        session = self.session(peer)
        peer.steps[:] = [_also(refuse(401, "no"), lambda: session.use_apikey("new")), answer("5")]
        self.assertEqual(session.call(LENGTH), 5)
        self.assertNotEqual(*[request.headers["authorization"] for request in peer.requests])

    def test_key(self) -> None:
        """A key that was given is refused once and for all."""
        peer = self.peer(refuse(401, "no"), otherwise=answer("5"))
        session = self.session(peer)
        error = self.fail_with(AuthenticationError, session, LENGTH)
        self.assertEqual((error.status, error.attempts), (401, 1))
        self.assertEqual(session.call(LENGTH), 5)


def _collect(session: Session, request: rest.Request[Any], caught: list[BaseException]) -> None:
    """Call, and keep what is raised."""
    try:
        session.call(request)
    except ConnectorDBError as error:
        caught.append(error)


def _also(step: Step, action: Any) -> Step:
    """Do something before a step."""

    def act(peer: Peer, connection: Any, request: Any) -> bool:
        action()
        return step.act(peer, connection, request)

    return Step(act)
