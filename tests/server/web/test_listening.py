"""Sockets, addresses, and who could listen in."""

from __future__ import annotations

import sys
import unittest

from connectordb.exceptions import ConfigurationError
from connectordb.server.config import Listen
from connectordb.server.web import listening
from connectordb.server.web.listening import bound, make_room, refuse_exposure, room, url

from ...support.case import Case


class ListeningTests(Case):
    """Real sockets."""

    def test_url(self) -> None:
        """An address at which nobody can be asked stands for this machine."""
        for host, shown in (
            ("127.0.0.1", "127.0.0.1"),
            ("0.0.0.0", "127.0.0.1"),
            ("", "127.0.0.1"),
            ("localhost", "localhost"),
        ):
            with bound(host, 0) as listener:
                port = listener.getsockname()[1]
                self.assertEqual(url(host, listener), f"http://{shown}:{port}")
                self.assertEqual(url("::", listener, "https"), f"https://[::1]:{port}")

    def test_taken(self) -> None:
        """What cannot be is told, with where and what to do."""
        with bound("127.0.0.1", 0) as listener:
            port = listener.getsockname()[1]
            with self.assertRaisesRegex(OSError, rf"127\.0\.0\.1:{port}: .*; give another port"):
                bound("127.0.0.1", port)
        for host in ("192.0.2.1", "nosuch.invalid"):
            with self.subTest(host), self.assertRaisesRegex(OSError, f"{host}.*; give an address of this machine"):
                bound(host, 0)

    @unittest.skipIf(sys.platform == "win32", "there is no such limit there")
    def test_room(self) -> None:
        """There are no more connections than files that may be open; who may asks for more of them."""
        import resource

        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))
        self.assertEqual(room(100), 100)
        with self.assertLogs(listening.log, "INFO"):
            self.assertEqual(room(1000), 236)
        make_room(200)
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 300)
        make_room(900)
        self.assertEqual((resource.getrlimit(resource.RLIMIT_NOFILE)[0], room(900)), (964, 900))

    def test_exposure(self) -> None:
        """Nobody else is let in by mistake."""
        for host in ("", "0.0.0.0", "::", "192.168.1.5", "pi.local"):
            with self.subTest(host), self.assertRaisesRegex(ConfigurationError, "--tls-cert.*--unencrypted"):
                refuse_exposure(Listen(host=host))
            refuse_exposure(Listen(host=host, unencrypted=True))
            refuse_exposure(Listen(host=host, tls_cert="x"))
        for host in ("127.0.0.1", "::1", "localhost"):
            refuse_exposure(Listen(host=host))

    def test_port_in_the_address(self) -> None:
        """An address with a port in it is told as that, whatever else is allowed."""
        for listen in (Listen(host="127.0.0.1:3124"), Listen(host="0.0.0.0:80", unencrypted=True)):
            with self.assertRaisesRegex(ConfigurationError, "no address; give the port by itself"):
                refuse_exposure(listen)
