"""Who calls: other credentials for refused ones, and one thread that logs in at a time. (What is sent: ``test_session.py``.)"""

from __future__ import annotations

import copy
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

from connectordb import AuthenticationError, ConnectionFailed, TimedOut
from connectordb.client.calls import login as login_module
from connectordb.client.calls.login import Login
from connectordb.client.settings.credentials import Credentials
from connectordb.exceptions import ServerTrouble
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from connectordb.runtime.clock import SYSTEM, Deadline
from tests.support.case import MS, Case
from tests.support.interrupts import interrupted_at

PASSWORD = Credentials("mara", "secret")


class Server:
    """What a `Login` asks, without one."""

    url = "http://x"
    clock = SYSTEM

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[bool] = []
        self.patience = 5.0
        self.before: Callable[[], object] = lambda: None

    def send_as_is(self, request: rest.Request[Any], once: bool) -> Any:
        """Answer."""
        self.asked.append(once)
        self.before()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def time_for_a_call(self) -> Deadline:
        """Return the patience."""
        return Deadline(self.patience)

    def pause(self, seconds: float) -> None:
        """Wait for nothing."""


def logged_in(*more: Any) -> tuple[Login, Server]:
    """Return a login by password that got the key ``k1``, and its server."""
    server = Server(Path.parse("mara/user"), {"apikey": "k1"}, *more)
    login = Login(server, PASSWORD)
    login.login()
    return login, server


class Renewing(Case):
    """Credentials that were refused."""

    def test_password(self) -> None:
        """A key that came with a password is asked for again, once for all threads that were refused."""
        login, server = logged_in(Path.parse("mara/user"), {"apikey": "k2"})
        refused = login.credentials
        self.assertTrue(login.renew(refused))
        self.assertTrue(login.renew(refused))
        self.assertEqual((login.credentials, login.header), (Credentials(secret="k2"), Credentials(secret="k2").header))
        self.assertEqual(server.answers, [])

    def test_key(self) -> None:
        """A key that was given cannot be renewed; one that was replaced here has been."""
        login = Login(Server(), Credentials(secret="given"))
        given = login.credentials
        self.assertFalse(login.renew(given))
        login.use(Credentials(secret="new"))
        self.assertTrue(login.renew(given))

    def test_password_refused(self) -> None:
        """A password that is refused as well is not tried again, and what went with requests goes on."""
        login, server = logged_in(AuthenticationError("no", status=401))
        self.assertFalse(login.renew(login.credentials))
        self.assertFalse(login.renew(login.credentials))
        self.assertEqual((login.credentials, server.answers), (Credentials(secret="k1"), []))

    def test_threads(self) -> None:
        """Of many threads that were refused one asks, and the others wait for what it finds; no request has the password checked."""
        for answers, found in (
            ([Path.parse("mara/user"), {"apikey": "k2"}], True),
            ([AuthenticationError("no", status=401)], False),
        ):
            login, server = logged_in(*answers)
            asked, refused = len(server.asked), login.credentials
            held, leave = threading.Event(), threading.Event()
            seen: list[object] = []

            def hold(held: threading.Event = held, leave: threading.Event = leave) -> None:
                held.set()
                self.wait(leave)

            def renew(login: Login = login, refused: Credentials = refused, seen: list[object] = seen) -> None:
                seen.append(login.renew(refused))

            def begin(login: Login = login, seen: list[object] = seen) -> None:
                login.first()
                seen.append(login.credentials.are_a_password)

            server.before = hold
            threads = [threading.Thread(target=renew) for _ in range(4)]
            for thread in threads:
                thread.start()
            self.wait(held)
            threads.append(threading.Thread(target=begin))
            threads[-1].start()
            leave.set()
            for thread in threads:
                thread.join(5)
            self.assertEqual(sorted(map(str, seen)), sorted([str(found)] * 4 + ["False"]))
            self.assertEqual((len(server.asked) - asked, server.answers), (len(answers), []))

    def test_fork(self) -> None:
        """A child that is forked off in the midst goes on with what was refused, and asks anew; it does not keep the password."""
        login, server = logged_in(Path.parse("mara/user"), {"apikey": "k2"}, Path.parse("mara/user"), {"apikey": "k2"})
        refused, seen = login.credentials, list[object]()

        def fork() -> None:
            server.before = lambda: None
            child = copy.copy(login)
            child.begin_in_process()
            seen.append((child.credentials, child.header == refused.header, child.renew(refused), child.credentials))

        server.before = fork
        login.renew(refused)
        self.assertEqual(seen, [(refused, True, True, Credentials(secret="k2"))])

    def test_no_answer(self) -> None:
        """Where there is no answer, that is told, and it may be tried again."""
        login, _ = logged_in(ConnectionFailed("away"), Path.parse("mara/user"), {"apikey": "k2"})
        with self.assertRaises(ConnectionFailed):
            login.renew(login.credentials)
        self.assertEqual(login.credentials, Credentials(secret="k1"))
        self.assertTrue(login.renew(login.credentials))


class Trying(Case):
    """Being patient, and one at a time."""

    def test_trouble(self) -> None:
        """A 401 that is the server's own trouble is no refusal: whoever is patient tries again, once each time."""
        trouble = ServerTrouble("pq: starting up", status=401)
        server = Server(trouble, trouble, Path.parse("mara/lamp"))
        login = Login(server, Credentials(secret="key"))
        login.login(wait=60)
        self.assertEqual((str(login.path), server.asked), ("mara/lamp", [True] * 3))
        with self.assertRaises(ServerTrouble):
            Login(Server(trouble), Credentials(secret="key")).login()

    def test_refused(self) -> None:
        """A refusal keeps what the error knew."""
        error = AuthenticationError("no", status=401, ref="r", method="GET", path="/")
        error.attempts = 2
        with self.assertRaises(AuthenticationError) as caught:
            Login(Server(error), PASSWORD).login()
        self.assertEqual((caught.exception.ref, caught.exception.attempts), ("r", 2))
        self.assertIn("http://x did not accept the name 'mara' and its password: no", str(caught.exception))

    def test_threads(self) -> None:
        """Many threads ask once; one that another has kept waiting for as long as a call may take is told so."""
        server = Server(Path.parse("mara/lamp"))
        login = Login(server, Credentials(secret="key"))
        held, leave = threading.Event(), threading.Event()

        def hold() -> None:
            held.set()
            self.wait(leave)

        server.before = hold
        threads = [threading.Thread(target=lambda: login.path) for _ in range(8)]
        for thread in threads:
            thread.start()
        self.wait(held)
        server.patience = 50 * MS
        begin = time.monotonic()
        with self.assertRaisesRegex(TimedOut, "another thread has been at it"):
            login.first()
            _ = login.path
        self.assertLess(time.monotonic() - begin, 5000 * MS)
        leave.set()
        for thread in threads:
            thread.join(5)
        self.assertEqual((str(login.path), len(server.asked)), ("mara/lamp", 1))

    def test_interrupted(self) -> None:
        """Ctrl-C at any moment of a login leaves one that others can go on with."""
        file = login_module.__file__
        for line in itertools.count():
            server = Server(*[Path.parse("mara/user"), {"apikey": "k1"}] * 3)
            login = Login(server, PASSWORD)
            reached = interrupted_at(line, file, lambda login=login: login.path)  # type: ignore[misc]
            server.answers = [Path.parse("mara/user"), {"apikey": "k1"}]
            found: list[str] = []
            thread = threading.Thread(target=lambda login=login, found=found: found.append(str(login.path)))
            thread.start()
            thread.join(5)
            self.assertEqual(found, ["mara/user"], f"line {line}")
            if not reached:
                break
        self.assertGreater(line, 10)
