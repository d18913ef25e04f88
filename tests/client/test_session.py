"""Logging in, calling, and the end."""

from __future__ import annotations

import os
import threading
import time
from base64 import b64decode
from typing import Any

from connectordb.client.session import Session
from connectordb.client.settings.credentials import Credentials
from connectordb.exceptions import (
    AuthenticationError,
    ClosedError,
    ConnectionFailed,
    LocalProtocolError,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    ResponseError,
    ServerError,
    TimedOut,
)
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from connectordb.runtime.clock import Deadline
from tests.support.case import MS, Case
from tests.support.clock import SteppedClock
from tests.support.wire import Peer, Step, Tree, answer, cut, hang_up, refuse, reset, reset_at_connect, silence

STREAM = Path.parse("mara/lamp/light")
INSERT = rest.insert(STREAM, [{"t": 1.0, "d": 1}])


class SessionCase(Case):
    """A scripted server, and a session with it."""

    def peer(self, *steps: Step, **options: Any) -> Peer:
        """Return a peer that ends with the test."""
        peer = Peer(*steps, **options)
        self.addCleanup(peer.close)
        return peer

    def session(self, peer: Peer, *credentials: str | None, **options: Any) -> Session:
        """Return a session that ends with the test."""
        session = Session(peer.url, Credentials.of(*(credentials or ("key", None))), **options)  # type: ignore[misc]
        self.addCleanup(session.close)
        return session


def sent_as(peer: Peer) -> list[str]:
    """Return what credentials came with each request."""
    headers = [request.headers.get("authorization") for request in peer.requests]
    return ["" if header is None else b64decode(header.removeprefix("Basic ")).decode() for header in headers]


class Login(SessionCase):
    """Who the server says this is."""

    def test_password(self) -> None:
        """A password is sent while logging in; then the device's key is used. The path is what the server says."""
        peer = self.peer(otherwise=Tree().step)
        session = self.session(peer, "MARA", "secret")
        device = session.login()
        assert device is not None
        self.assertEqual((str(session.path), device["apikey"]), ("mara/user", "key-of-user"))
        session.call(rest.read(Path.parse("mara")))
        self.assertEqual(sent_as(peer), ["MARA:secret", "MARA:secret", ":key-of-user"])

    def test_password_without_a_key_to_see(self) -> None:
        """Where the key is not shown, or not even the device, the password goes on."""
        keyless, nothing = Tree(), Tree()
        del keyless.objects["mara/user"]["apikey"]
        del nothing.objects["mara/user"]
        for tree in (keyless, nothing):
            peer = self.peer(otherwise=tree.step)
            session = self.session(peer, "mara", "secret")
            session.login()
            session.call(rest.whoami())
            self.assertEqual((str(session.path), sent_as(peer)[-1]), ("mara/user", "mara:secret"))

    def test_key(self) -> None:
        """With a key one request says who it is."""
        peer = self.peer(otherwise=Tree("mara/lamp").step)
        session = self.session(peer, "the-key", None)
        self.assertIsNone(session.login())
        self.assertEqual((str(session.path), sent_as(peer)), ("mara/lamp", [":the-key"]))

    def test_nobody(self) -> None:
        """Without credentials none are sent."""
        peer = self.peer(otherwise=Tree("nobody").step)
        session = self.session(peer, None, None)
        self.assertEqual((str(session.path), sent_as(peer)), ("nobody", [""]))

    def test_later(self) -> None:
        """Nothing is sent before it is needed; then a password is sent as rarely as otherwise."""
        peer = self.peer(otherwise=Tree().step)
        session = self.session(peer, "mara", "secret")
        self.assertEqual((peer.requests, session.path_if_known), ([], None))
        for _ in range(3):
            session.call(rest.read(Path.parse("mara")))
        self.assertEqual(sent_as(peer), ["mara:secret", "mara:secret", *[":key-of-user"] * 3])

    def test_refused(self) -> None:
        """What was refused is told, with the server's words, and without the secret."""
        hint = "; is it a key of this server, and the newest one of its device?"
        for credentials, what, told, more in (
            (("hidden", None), "the API key", "The requested device was not found", hint),
            (("mara", "hidden"), "the name 'mara' and its password", "The requested device was not found.", ""),
        ):
            peer = self.peer(refuse(401, "The requested device was not found."))
            with self.subTest(what), self.assertRaises(AuthenticationError) as caught:
                self.session(peer, *credentials).login(wait=60)
            self.assertIs(type(caught.exception), AuthenticationError)
            self.assertEqual(
                str(caught.exception),
                f"GET /: 401 {peer.url} did not accept {what}: {told}{more} (ref ref-1)",
            )
            self.assertEqual(len(peer.requests), 1)

    def test_no_server_of_ours(self) -> None:
        """A web page in answer to a login is told as one, whatever its status."""
        page = b"<!doctype html><title>Welcome</title>"
        for status, kind in ((200, ServerError), (404, AuthenticationError), (502, ServerError)):
            peer = self.peer(answer(page, status))
            with (
                self.subTest(status),
                self.assertRaisesRegex(kind, f"web page.*is {peer.url} the address of a ConnectorDB server"),
            ):
                self.session(peer, retry=1).login()

    def test_redirected(self) -> None:
        """A redirect says where to."""
        peer = self.peer(answer("", 301, Location="https://example.org/api/v1/"))
        with self.assertRaisesRegex(
            ServerError, "redirected to https://example.org/api/v1/; give that address as the url"
        ):
            self.session(peer).login()

    def test_wait(self) -> None:
        """With patience a server that comes up later is found, and one that does not is told at the end."""
        clock = SteppedClock()
        peer = self.peer(reset(), reset(), answer(b"<html>", 503), hang_up(), otherwise=Tree("mara/lamp").step)
        session = self.session(peer, clock=clock)
        session.login(wait=3600)
        self.assertEqual(str(session.path), "mara/lamp")
        before = clock.monotonic()
        gone = self.session(self.peer(otherwise=reset()), clock=clock)
        with self.assertRaises(ConnectionFailed):
            gone.login(wait=100)
        self.assertAlmostEqual(clock.monotonic() - before, 100, places=6)

    def test_bad_wait(self) -> None:
        """Patience is a number of seconds."""
        for bad in (-1, "5", float("nan"), None, True):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "wait=.*expected seconds"):
                self.session(self.peer()).login(wait=bad)  # type: ignore[arg-type]


class Calling(SessionCase):
    """One place where answers become values or exceptions."""

    def test_features(self) -> None:
        """What a server announces is known after its first answer, and forgotten when it stops."""
        peer = self.peer(answer("ok", ConnectorDB_Features="durable, other=5"), answer("ok"))
        session = self.session(peer)
        self.assertFalse(session.features.durable)
        session.call(INSERT)
        self.assertTrue(session.features.durable)
        session.call(INSERT)
        self.assertFalse(session.features.durable)

    def test_refusals(self) -> None:
        """Refusals are of the tree, with what the server's log needs."""
        for status, message, kind in (
            (403, "Write access to stream data denied.", PermissionDenied),
            (403, "The requested stream was not found.", NotFound),
            (500, "it broke", ServerError),
        ):
            peer = self.peer(refuse(status, message, ref="abc"))
            with self.subTest(message), self.assertRaises(kind) as caught:
                self.session(peer).call(INSERT)
            error = caught.exception
            self.assertEqual(error.value, f"{status}: {message} (abc)")
            self.assertEqual((error.status, error.method, error.path), (status, "POST", "/crud/mara/lamp/light/data"))

    def test_read_again(self) -> None:
        """A read whose connection the server had closed is sent once more, and the caller sees nothing of it."""
        for step in (hang_up(), reset(), cut(), reset_at_connect()):
            peer = self.peer(step, answer("5"))
            with self.subTest(step):
                self.assertEqual(self.session(peer, clock=SteppedClock()).call(rest.length(STREAM)), 5)
        peer = self.peer(hang_up(), hang_up(), hang_up(), answer("5"))
        with self.assertRaises(ConnectionFailed):
            self.session(peer, clock=SteppedClock()).call(rest.length(STREAM))
        self.assertEqual(len(peer.requests), 3)

    def test_not_again(self) -> None:
        """Nothing else is sent twice."""
        changes: list[rest.Request[Any]] = [
            rest.update(STREAM, {"nickname": "x"}),
            rest.create(STREAM, {}),
            rest.delete(STREAM),
        ]
        for request in changes:
            peer = self.peer(hang_up(), otherwise=answer("ok"))
            with self.subTest(request.method), self.assertRaises(ConnectionFailed) as caught:
                self.session(peer).call(request)
            self.assertIs(type(caught.exception), ConnectionFailed)
            self.assertEqual(len(peer.requests), 1)

    def test_insert_unknown(self) -> None:
        """An insert that got no answer has an unknown outcome, and is not sent again."""
        for step in (hang_up(), reset(), cut(), silence()):
            peer = self.peer(step, otherwise=answer("ok"))
            with self.subTest(step), self.assertRaisesRegex(OutcomeUnknown, "whether the points are stored is unknown"):
                self.session(peer, timeout=(5000 * MS, 150 * MS)).call(INSERT)
            self.assertEqual(len(peer.requests), 1)

    def test_insert_not_sent(self) -> None:
        """An insert for which there was no connection is a failure like any other: nothing was sent."""
        self.without_pauses()
        peer = self.peer()
        peer.close()
        with self.assertRaises(ConnectionFailed) as caught:
            self.session(peer).call(INSERT)
        self.assertNotIsInstance(caught.exception, OutcomeUnknown)

    def test_timeout(self) -> None:
        """A read that gets no answer in time is told; it is not sent again."""
        peer = self.peer(silence(), otherwise=answer("5"))
        with self.assertRaises(TimedOut):
            self.session(peer, timeout=(5000 * MS, 150 * MS)).call(rest.length(STREAM))
        self.assertEqual(len(peer.requests), 1)

    def test_half_an_answer(self) -> None:
        """An answer that stops in the middle of its JSON, or holds none, is the server's failure."""
        for body in (b'[{"t":1,"d":1},{"t":2', b"", b"{}", b"[1,2]", b"<html>"):
            peer = self.peer(answer(body))
            with self.subTest(body), self.assertRaises(ServerError):
                self.session(peer).call(rest.points(STREAM, {"i1": "0"}))


class Within(SessionCase):
    """Calls that must have ended by a deadline."""

    def test_told_and_kept(self) -> None:
        """The deadline is told to the server, and kept; it counts for this thread and this block alone, and may be narrowed."""
        peer = self.peer(answer("mara/lamp"), answer("mara/lamp"), silence(), answer("mara/lamp"))
        session = self.session(peer, timeout=50_000 * MS)
        with session.within(Deadline(100.0)):
            with session.within(Deadline(20.0)):
                session.call(rest.whoami())
            other = threading.Thread(target=session.call, args=(rest.whoami(),))
            other.start()
            other.join()
        said = [request.headers.get("connectordb-timeout") for request in peer.requests]
        self.assertAlmostEqual(float(said[0] or 0), 20.0, delta=5.0)
        self.assertIsNone(said[1])
        began = time.monotonic()
        with session.within(Deadline(50 * MS)), self.assertRaises(TimedOut):
            session.call(rest.whoami())
        self.assertLess(time.monotonic() - began, 2500 * MS)

    def test_passed(self) -> None:
        """When the time is up nothing is sent."""
        peer = self.peer()
        with self.assertRaisesRegex(TimedOut, "before it could be sent"):
            session = self.session(peer)
            with session.within(Deadline(0.0)):
                session.call(rest.whoami())
        self.assertEqual(peer.requests, [])


class Ending(SessionCase):
    """Closed is closed."""

    def test_close(self) -> None:
        """After close, which may be called twice, every use says so."""
        peer = self.peer(otherwise=Tree().step)
        session = self.session(peer)
        session.login()
        session.close()
        session.close()
        self.eventually(lambda: not peer._open, "the connection to end")
        for use in (lambda: session.call(INSERT), lambda: session.live, session.login, lambda: session.send(INSERT)):
            with self.assertRaisesRegex(ClosedError, "was closed; make a new ConnectorDB"):
                use()

    def test_close_in_a_child(self) -> None:
        """A child process that closes leaves its parent's session open; closed before the fork is closed after it."""
        peer = self.peer(otherwise=Tree().step)
        session, closed = self.session(peer), self.session(peer)
        session.login()
        closed.close()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                session.close()
                closed.login()
            except ClosedError:
                status = 0
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(str(session.call(rest.whoami())), "mara/user")

    def test_close_ends_waiting(self) -> None:
        """Closing ends a login that is patient."""
        peer = self.peer(otherwise=hang_up())
        session, caught = self.session(peer), []

        def login() -> None:
            try:
                session.login(wait=600)
            except ClosedError as error:
                caught.append(error)

        thread = threading.Thread(target=login)
        thread.start()
        self.eventually(lambda: peer.requests, "the first attempt")
        session.close()
        thread.join(5)
        self.assertEqual(len(caught), 1)

    def test_fork(self) -> None:
        """A child process goes on with the session, even if its parent was logging in at that moment."""
        peer = self.peer(otherwise=Tree().step)
        session = self.session(peer, "mara", "secret")
        # held by a thread that the child does not have
        held, leave = threading.Event(), threading.Event()

        def hold() -> None:
            with session._login._logging_in:
                held.set()
                leave.wait(5)

        thread = threading.Thread(target=hold)
        thread.start()
        self.wait(held)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if str(session.path) == "mara/user" else 2
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        leave.set()
        thread.join(5)

    def test_of_another(self) -> None:
        """A session of another device has the same server."""
        peer = self.peer(otherwise=Tree().step)
        other = self.session(peer, timeout=5).of_another("other-key")
        self.addCleanup(other.close)
        other.call(rest.whoami())
        self.assertEqual(sent_as(peer), [":other-key"])
        self.assertEqual((other.urls, other.options["timeout"]), ((peer.url,), 5))

    def test_feeding_oneself(self) -> None:
        """An insert that would call the callback it is made by is refused, once subscriptions are loaded."""
        import connectordb.live  # noqa: F401  loads what knows of callbacks

        peer = self.peer(otherwise=Tree("mara/lamp").step)
        session = self.session(peer)
        session.check_insert(STREAM)
        from connectordb.live.feedback import OnBehalfOf

        with OnBehalfOf(STREAM.at_downlink()):
            session.check_insert(STREAM)
            with self.assertRaisesRegex(LocalProtocolError, "called again by its own insert"):
                session.check_insert(STREAM.at_downlink())


class WhatTheServerSays(SessionCase):
    """What answers tell beside what was asked for."""

    def test_time(self) -> None:
        """The server's clock goes on from what its last answer said; one that says nothing leaves it."""
        peer = self.peer(
            answer("mara/lamp"),
            answer("mara/lamp", Date="Sun, 06 Nov 1994 08:49:37 GMT"),
            answer("mara/lamp"),
            answer("mara/lamp", Date="noon"),
        )
        clock = SteppedClock()
        session = self.session(peer, clock=clock)
        session.call(rest.whoami())
        self.assertIsNone(session.server_time())
        session.call(rest.whoami())
        clock.wait(threading.Event(), 5.0)
        self.assertEqual(session.server_time(), 784111777.5 + 5.0)
        session.call(rest.whoami())
        self.assertEqual(session.server_time(), 784111777.5 + 5.0)
        session.call(rest.whoami())
        self.assertIsNone(session.server_time())

    def test_retry_after(self) -> None:
        """How long it wants to be left alone is on the exception, where the status makes that meaningful."""
        peer = self.peer(
            answer("busy", 503, Retry_After="7"),
            answer("slowly", 429, Retry_After="8"),
            answer("no", 403, Retry_After="9"),
        )
        session = self.session(peer, retry=1)
        asked = []
        for _ in range(3):
            with self.assertRaises(ResponseError) as caught:
                session.call(rest.whoami())
            asked.append(caught.exception.retry_after)
        self.assertEqual(asked, [7.0, 8.0, None])

    def test_key(self) -> None:
        """An insert that has a name is sent with it."""
        peer = self.peer(answer(), answer())
        session = self.session(peer)
        session.call(rest.insert_text(STREAM, b"[]", 1, key="abc"))
        session.call(INSERT)
        self.assertEqual([request.headers.get("idempotency-key") for request in peer.requests], ["abc", None])
