"""Looking up names, where nobody answers as well."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Any
from unittest import mock

from connectordb.network import names
from connectordb.network.names import look_up
from tests.support.case import MS, SOON, Case

_ask = socket.getaddrinfo


class Resolver:
    """Stands in for the system's resolver, which answers when it is let."""

    def __init__(self, answer: Any = None) -> None:
        self.let = threading.Event()
        self.asked = 0
        self._answer = answer

    def __call__(self, host: str, port: int, family: int, kind: int, protocol: int, flags: int) -> Any:
        if flags & socket.AI_NUMERICHOST:
            return _ask(host, port, family, kind, protocol, flags)
        self.asked += 1
        self.let.wait(SOON)
        if isinstance(self._answer, Exception):
            raise self._answer
        return [(socket.AF_INET, kind, 0, "", ("192.0.2.1", port))]


class Names(Case):
    """Found, not found, or not in time."""

    def resolver(self, answer: Any = None) -> Resolver:
        """Put a resolver in the system's place."""
        resolver = Resolver(answer)
        patch = mock.patch.object(socket, "getaddrinfo", resolver)
        patch.start()
        self.addCleanup(patch.stop)
        self.addCleanup(resolver.let.set)
        return resolver

    def test_address(self) -> None:
        """An address needs no looking up, and no thread."""
        resolver = self.resolver()
        for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
            found = look_up(host, 80, 1.0)
            self.assertEqual((found[0][0], found[0][4][:2]), (family, (host, 80)))
        self.assertEqual(resolver.asked, 0)

    def test_name(self) -> None:
        """A name is looked up."""
        found = look_up("localhost", 3124, SOON)
        self.assertIn(found[0][4][0], ("127.0.0.1", "::1"))

    def test_no_name(self) -> None:
        """One that is none is told by the system's own error, and so is one that no name can be."""
        with self.assertRaises(socket.gaierror):
            look_up("nosuchhost.invalid", 80, SOON)
        with self.assertRaises(UnicodeError):
            look_up("a" * 70 + ".example", 80, SOON)

    def test_silence(self) -> None:
        """Where nobody answers the caller goes on in time, and there is one thread however many ask."""
        resolver = self.resolver()
        for _ in range(3):
            began = time.monotonic()
            with self.assertRaisesRegex(TimeoutError, "the name 'db.example' was not found within 0.05 s"):
                look_up("db.example", 80, 50 * MS)
            self.assertLess(time.monotonic() - began, 2000 * MS)
        self.assertEqual(resolver.asked, 1)
        resolver.let.set()
        self.eventually(lambda: not names._under_way, "the end of the lookup")

    def test_together(self) -> None:
        """Who asks for the same name while it is looked up gets the same answer."""
        self.assertEqual(set(self.together(self.resolver())), {"192.0.2.1"})

    def test_together_in_vain(self) -> None:
        """Each of them has an error of its own."""
        errors = self.together(self.resolver(socket.gaierror(socket.EAI_AGAIN, "try later")))
        self.assertEqual({error.strerror for error in errors}, {"try later"})
        self.assertEqual(len({id(error) for error in errors}), 3)

    def together(self, resolver: Resolver) -> list[Any]:
        """Ask with three threads at a time, and return what they are told."""
        told: list[Any] = []

        def ask() -> None:
            try:
                told.append(look_up("db.example", 80, SOON)[0][4][0])
            except OSError as error:
                told.append(error)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        self.eventually(lambda: resolver.asked, "the question")
        resolver.let.set()
        for thread in threads:
            thread.join(SOON)
        self.assertEqual(len(told), 3)
        return told

    def test_given_up(self) -> None:
        """Who does not want the answer any more goes on."""
        self.resolver()
        with self.assertRaises(InterruptedError):
            look_up("db.example", 80, SOON, stopped=lambda: True)

    def test_no_thread(self) -> None:
        """Where no thread can be started, the next who asks begins anew."""
        self.resolver().let.set()
        with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")):
            with self.assertRaises(RuntimeError):
                look_up("db.example", 80, SOON)
        self.assertEqual(look_up("db.example", 80, SOON)[0][4][0], "192.0.2.1")

    def test_fork(self) -> None:
        """A child does not wait for its parent's thread."""
        resolver = self.resolver()
        with self.assertRaises(TimeoutError):
            look_up("db.example", 80, 10 * MS)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                resolver.let.set()
                look_up("db.example", 80, SOON)
                status = 0
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
