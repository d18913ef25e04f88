"""Connecting to the first address that answers."""

from __future__ import annotations

import socket
import time
from typing import Any
from unittest import mock

from connectordb.network import dialling
from connectordb.network.dialling import STAGGER, dial
from tests.support.case import MS, SOON, Case
from tests.support.wire import black_hole, nobody


def address(port: int, host: str = "127.0.0.1") -> Any:
    """Return an address as name servers tell it."""
    return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]


class Dialling(Case):
    """One of several takes the connection, or none."""

    def setUp(self) -> None:
        super().setUp()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.here = address(self.listener.getsockname()[1])

    def test_connects(self) -> None:
        """The socket is connected, blocks, and has the options that were asked for."""
        with dial([self.here], SOON, [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]) as connected:
            self.assertEqual(connected.getpeername(), self.listener.getsockname())
            self.assertIsNone(connected.gettimeout())
            self.assertTrue(connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    def test_next(self) -> None:
        """Where nobody listens the next is tried at once; so it is where there is no such network."""
        nowhere = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("255.255.255.255", 1))
        unknown = (250, socket.SOCK_STREAM, 0, "", ())
        with mock.patch.object(dialling, "STAGGER", SOON):
            began = time.monotonic()
            dial([address(nobody()), nowhere, unknown, self.here], SOON).close()
            self.assertLess(time.monotonic() - began, SOON / 2)

    def test_beside(self) -> None:
        """Where one gives no word the next is begun a quarter of a second later."""
        with black_hole() as port:
            began = time.monotonic()
            dial([address(port), self.here], SOON).close()
        self.assertGreater(time.monotonic() - began, STAGGER / 2)
        self.assertLess(time.monotonic() - began, SOON / 2)

    def test_refused(self) -> None:
        """Where none takes it, the reason that tells most is raised."""
        nowhere = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("255.255.255.255", 1))
        with self.assertRaises(ConnectionRefusedError):
            dial([nowhere, address(nobody())], SOON)
        with self.assertRaises(OSError):
            dial([nowhere], SOON)
        with self.assertRaisesRegex(OSError, "no address"):
            dial([], SOON)

    def test_no_word(self) -> None:
        """Where none gives a word it ends in time."""
        with black_hole() as port:
            began = time.monotonic()
            with self.assertRaisesRegex(TimeoutError, "no connection within 0.05 s"):
                dial([address(port), address(port)], 50 * MS)
            self.assertLess(time.monotonic() - began, 2000 * MS)

    def test_given_up(self) -> None:
        """Who does not want the connection any more goes on."""
        with black_hole() as port, self.assertRaises(InterruptedError):
            dial([address(port)], SOON, stopped=lambda: True)

    def test_families_in_turns(self) -> None:
        """A family that leads nowhere holds up the other once, however many addresses it has."""
        with black_hole() as port, mock.patch.object(dialling, "STAGGER", 500 * MS):
            nowhere = address(port)
            elsewhere = (socket.AF_INET6, *nowhere[1:4], ("::1", port, 0, 0))
            began = time.monotonic()
            dial([elsewhere, elsewhere, elsewhere, elsewhere, self.here], SOON).close()
        self.assertLess(time.monotonic() - began, 1500 * MS)
