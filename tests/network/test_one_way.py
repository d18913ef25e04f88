"""Requests and subscriptions go the same way, trust the same, and are refused alike: against a server of our own over TLS."""

from __future__ import annotations

import os
import queue
import ssl
import traceback
from base64 import b64encode
from pathlib import Path
from typing import Any
from unittest import mock

from connectordb import CertificateRefused, ConnectorDB, ConnectorDBError, LocalProtocolError
from connectordb.server.config import Config, Listen
from tests.support.case import MS, SOON, Case
from tests.support.connect_proxy import ConnectProxy
from tests.support.server import run_server
from tests.support.socks_proxy import SocksProxy
from tests.support.wire import Peer, Step, answer, hang_up, nobody, silence

#: A key, and a password.
HIDDEN = "hidden-from-everybody"

CERTIFICATE, ANOTHER = (
    str(Path(__file__).parent.parent / "support" / name) for name in ("localhost.pem", "another.pem")
)


class Unseen(Case):
    """Neither shows what it sent in the variables of a traceback, which tools that report errors write down."""

    def seen(self, url: str, *steps: Step, **options: Any) -> str:
        """Return all that a traceback has of what becomes of a request, and of a subscription."""
        lines: list[str] = []
        with self.assertRaises(ConnectorDBError) as caught:
            ConnectorDB(HIDDEN, url=url, retry=1, timeout=50 * MS, **options)
        lines += traceback.TracebackException.from_exception(caught.exception, capture_locals=True).format()
        with ConnectorDB(HIDDEN, url=url, connect=False, retry=1, timeout=50 * MS, **options) as cdb:
            for act in (
                cdb.ping,
                lambda: cdb("a/b/c").insert("x" * 1024 * 1024),
                lambda: cdb("a/b/c").subscribe(print),
            ):
                with self.assertRaises(ConnectorDBError) as caught:
                    act()
                told = traceback.TracebackException.from_exception(caught.exception, capture_locals=True)
                lines += told.format()
        # what the test itself has in its own variables is not meant
        return "".join(line for line in lines if __file__ not in line)

    def test_unseen(self) -> None:
        """Whatever goes wrong: nobody there, a hang-up, silence, a refusal; straight and past a proxy."""
        refusal = answer({"code": 401, "msg": "no", "ref": "r"}, 401)
        for step in (hang_up(), silence(), refusal):
            peer = Peer(otherwise=step)
            self.addCleanup(peer.close)
            account = f"http://mara:{HIDDEN}@127.0.0.1:{peer.port}"
            for url, proxies in (
                (peer.url, {}),
                ("http://db.example", {"http": account}),
                ("https://db.example", {"https": account}),
            ):
                told = self.seen(url, proxies=proxies)
                for secret in (HIDDEN, *(b64encode(f"{name}:{HIDDEN}".encode()).decode() for name in ("", "mara"))):
                    self.assertNotIn(secret, told)
        self.assertNotIn(b64encode(f":{HIDDEN}".encode()).decode(), self.seen(f"http://127.0.0.1:{nobody()}"))


class OneWay(Case):
    """What is said once holds for both."""

    def setUp(self) -> None:
        super().setUp()
        server = run_server(config=Config(listen=Listen(tls_cert=CERTIFICATE)))
        self.url = server.__enter__().url.replace("127.0.0.1", "localhost")
        self.addCleanup(server.__exit__, None, None, None)
        self.proxy = SocksProxy({})
        self.addCleanup(self.proxy.close)

    def both(self, **options: Any) -> None:
        """Insert a point, and be told of it."""
        with ConnectorDB("test", "test", url=self.url, timeout=SOON, **options) as cdb:
            stream, told = cdb["s"], queue.SimpleQueue[Any]()
            if not stream.exists():
                stream.create({"type": "number"})
            stream.subscribe(lambda path, points: told.put(points[-1]["d"]))
            stream.insert(21.5)
            self.assertEqual(told.get(timeout=SOON), 21.5)

    def test_file(self) -> None:
        """An authority in a file, passed or named by the environment."""
        self.both(verify=CERTIFICATE)
        with mock.patch.dict(os.environ, {"REQUESTS_CA_BUNDLE": CERTIFICATE}):
            self.both()

    def test_context(self) -> None:
        """A context, which outvotes what else is said."""
        context = ssl.create_default_context(cafile=CERTIFICATE)
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", ssl.VerifyFlags(0))
        with mock.patch.dict(os.environ, {"CONNECTORDB_CA": ANOTHER}):
            self.both(ssl_context=context)
        with self.assertRaisesRegex(LocalProtocolError, "not both"):
            ConnectorDB(url=self.url, ssl_context=context, verify=CERTIFICATE)

    def test_proxy(self) -> None:
        """A proxy, passed or named by the environment; each connection goes through it."""
        address = f"socks5h://127.0.0.1:{self.proxy.port}"
        self.both(verify=CERTIFICATE, proxies={"https": address})
        passed = len(self.proxy.asked)
        self.assertGreaterEqual(passed, 2)
        with ConnectorDB(
            url=self.url, proxies={"https": f"socks5h://mara:secret@{address[10:]}"}, connect=False
        ) as cdb:
            self.assertEqual(cdb.proxy, f"the proxy {address} (proxies=)")
        with ConnectorDB(url=self.url, connect=False) as cdb:
            self.assertEqual(cdb.proxy, "")
        with mock.patch.dict(os.environ, {"https_proxy": address, "no_proxy": ""}):
            self.both(verify=CERTIFICATE)
        self.assertGreaterEqual(len(self.proxy.asked), passed + 2)
        self.assertEqual(set(self.proxy.asked), {"localhost"})
        with mock.patch.dict(os.environ, {"https_proxy": address, "no_proxy": "localhost"}):
            passed = len(self.proxy.asked)
            self.both(verify=CERTIFICATE)
        self.assertEqual(len(self.proxy.asked), passed)

    def test_secure_proxy(self) -> None:
        """A proxy that is spoken to over TLS itself."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        proxy = ConnectProxy(context)
        self.addCleanup(proxy.close)
        self.both(verify=CERTIFICATE, proxies={"https": proxy.url})
        self.assertGreaterEqual(len(proxy.asked), 2)

    def test_refused(self) -> None:
        """A certificate that is not trusted, by either."""
        with mock.patch.dict(os.environ, {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""}):
            with self.assertRaises(CertificateRefused):
                ConnectorDB("test", "test", url=self.url, timeout=SOON)

    def test_pool(self) -> None:
        """The pool's size and how long its connections are kept can be said."""
        self.both(verify=CERTIFICATE, pool_size=2, idle_timeout=30)
        for option in ({"pool_size": 0}, {"pool_size": 1.5}, {"idle_timeout": 0}, {"idle_timeout": "4"}):
            with self.assertRaisesRegex(LocalProtocolError, f"{next(iter(option))}=.*above 0"):
                ConnectorDB(url=self.url, connect=False, **option)

    def test_proxies_that_are_none(self) -> None:
        """One proxy without a scheme to go with it is refused at once, and not shown."""
        with self.assertRaisesRegex(LocalProtocolError, "proxies=: expected schemes") as caught:
            ConnectorDB(url=self.url, connect=False, proxies="http://mara:hidden@proxy")  # type: ignore[arg-type]
        self.assertNotIn("hidden", str(caught.exception))
