"""Bytes out and in, against peers that misbehave."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import requests

from connectordb.client.http import Transport
from connectordb.client.terms.judging import Fate
from connectordb.client.terms.timeouts import Timeout
from connectordb.client.terms.trace import Trace
from connectordb.exceptions import CertificateRefused, ConnectionFailed, LocalProtocolError, TimedOut
from connectordb.network import Trust
from tests.support.case import MS, SOON, Case
from tests.support.clock import SteppedClock
from tests.support.connect_proxy import ConnectProxy
from tests.support.wire import (
    Peer,
    Received,
    Step,
    answer,
    black_hole,
    by_request,
    cut,
    hang_up,
    raw,
    reset,
    reset_at_connect,
    silence,
)

CERTIFICATE = Path(__file__).parent.parent.parent / "support" / "localhost.pem"
SHORT = (5000 * MS, 150 * MS)


class TransportCase(Case):
    """A scripted peer, and a transport to it."""

    def peer(self, *steps: Step, **options: object) -> Peer:
        """Return a peer that ends with the test."""
        peer = Peer(*steps, **options)  # type: ignore[arg-type]
        self.addCleanup(peer.close)
        return peer

    def to(self, url: str, **options: object) -> Transport:
        """Return a transport that ends with the test."""
        transport = Transport(url, **options)  # type: ignore[arg-type]
        self.addCleanup(transport.close)
        return transport

    def fails(self, transport: Transport, method: str = "GET", body: bytes | None = None) -> tuple[Exception, Fate]:
        """Send, and return what came of it."""
        trace = Trace()
        with self.assertRaises((ConnectionFailed, LocalProtocolError)) as caught:
            transport.send(
                method, "/crud/mara", trace, body=body, authorization="Basic c2VjcmV0", parameters={"q": "hid"}
            )
        said = str(caught.exception)
        for hidden in ("c2VjcmV0", "hid", "object at 0x", "Max retries"):
            self.assertNotIn(hidden, said)
        return caught.exception, trace.fate


class Sending(TransportCase):
    """What goes out."""

    def test_request(self) -> None:
        """Verb, path, query, body and credentials arrive as they were given."""
        peer = self.peer(answer("ok"))
        transport = self.to(f"{peer.url}/db")
        response = transport.send(
            "PUT",
            "/crud/mara",
            Trace(),
            parameters={"q": "a+b c"},
            body=b'{"a":"\xc3\xb6"}',
            authorization="Basic eDp5",
        )
        self.assertEqual((response.status_code, response.content), (200, b"ok"))
        got = peer.requests[0]
        self.assertEqual((got.method, got.path, got.parameters), ("PUT", "/db/api/v1/crud/mara", {"q": "a+b c"}))
        self.assertEqual(got.body, b'{"a":"\xc3\xb6"}')
        self.assertEqual(got.headers["authorization"], "Basic eDp5")
        self.assertEqual(got.headers["content-type"], "application/json")
        self.assertNotIn("transfer-encoding", got.headers)

    def test_hosts(self) -> None:
        """A host may be an address of either family, or a name in any script; a path goes before, a query may follow."""
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
            url = f"http://[::1]:{listener.getsockname()[1]}/db"
            transport, heard = self.to(url), []

            def serve() -> None:
                held, _ = listener.accept()
                with held:
                    heard.append(held.recv(1000))
                    held.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

            thread = threading.Thread(target=serve)
            thread.start()
            response = transport.send("GET", "/x?a=b", Trace(), parameters={"q": "ä", "none": None})
            thread.join(SOON)
        self.assertTrue(heard[0].startswith(b"GET /db/api/v1/x?a=b&q=%C3%A4 HTTP/1.1\r\nHost: [::1]:"), heard)
        self.assertEqual(response.url, f"{url}/api/v1/x?a=b&q=%C3%A4")
        self.assertGreater(response.elapsed.total_seconds(), 0)
        proxy = self.peer(answer("ok"))
        self.to("http://bücher.example", proxies={"http": proxy.url}).send("GET", "/", Trace())
        self.assertEqual(proxy.requests[0].headers["host"], "xn--bcher-kva.example")

    def test_large_body(self) -> None:
        """A body of a megabyte arrives whole."""
        peer = self.peer(answer("ok"))
        body = b"0123456789abcdef" * 65536
        self.to(peer.url).send("POST", "/crud/a/b/c/data", Trace(), body=body)
        self.assertEqual(peer.requests[0].body, body)

    def test_no_foreign_credentials(self) -> None:
        """Neither a .netrc nor a cookie speaks for a caller."""
        peer = self.peer(answer("ok", Set_Cookie="connectordb-session=abc; Path=/"), answer("ok"))
        netrc = self.folder() / "netrc"
        netrc.write_text("machine 127.0.0.1 login mara password secret\n")
        netrc.chmod(0o600)
        transport = self.to(peer.url)
        with mock.patch.dict(os.environ, {"NETRC": str(netrc)}):
            for _ in range(2):
                transport.send("GET", "/", Trace())
        for request in peer.requests:
            self.assertNotIn("authorization", request.headers)
            self.assertNotIn("cookie", request.headers)

    def test_no_redirect(self) -> None:
        """A redirect is an answer; credentials go nowhere else."""
        other = self.peer(answer("ok"))
        peer = self.peer(answer("", 301, Location=f"{other.url}/api/v1/"))
        response = self.to(peer.url).send("GET", "/", Trace(), authorization="Basic eDp5")
        self.assertEqual(response.status_code, 301)
        self.assertEqual(other.requests, [])

    def test_nothing_secret_is_logged(self) -> None:
        """Even at the lowest level the log holds no credentials and no query."""
        peer = self.peer(answer("ok"))
        with self.assertLogs("connectordb", logging.DEBUG) as logs:
            self.to(peer.url).send("GET", "/", Trace(), authorization="Basic c2VjcmV0", parameters={"apikey": "hidden"})
        self.assertNotIn("c2VjcmV0", "".join(logs.output))
        self.assertNotIn("hidden", "".join(logs.output))

    def test_proxy(self) -> None:
        """A proxy that is given is used."""
        proxy = self.peer(answer("through the proxy"))
        transport = self.to("http://server.invalid:3124", proxies={"http": proxy.url})
        self.assertEqual(transport.send("GET", "/", Trace()).text, "through the proxy")
        self.assertTrue(proxy.requests[0].target.startswith("http://server.invalid:3124/api/v1/"))

    def test_proxy_of_the_environment(self) -> None:
        """A proxy that the environment names is used, and looked for anew when there is no connection to go on with."""
        proxy, other = self.peer(otherwise=answer("the one")), self.peer(otherwise=answer("the other"))
        transport = self.to("http://server.invalid:3124")
        for url in (proxy.url, other.url):
            with mock.patch.dict(os.environ, {"http_proxy": url, "no_proxy": ""}):
                transport.send("GET", "/", Trace())
            transport.send("GET", "/", Trace())
            transport.drop_connections()
        self.assertEqual((len(proxy.requests), len(other.requests)), (2, 2))
        with mock.patch.dict(os.environ, {"http_proxy": proxy.url, "no_proxy": ""}):
            transport.send("GET", "/", Trace())
        proxy.close()
        with mock.patch.dict(os.environ, {"http_proxy": other.url, "no_proxy": ""}):
            self.fails(transport)
            transport.send("GET", "/", Trace())
        self.assertEqual(len(other.requests), 3)


class Connections(TransportCase):
    """Kept while they are good, one set a thread."""

    def test_kept(self) -> None:
        """One connection serves many requests."""
        peer = self.peer(otherwise=answer("ok"))
        transport = self.to(peer.url)
        for _ in range(5):
            transport.send("GET", "/", Trace())
        self.assertEqual(peer.connections, 1)

    def test_idle(self) -> None:
        """One that has been idle for more than four seconds is not used again: the server may be closing it."""
        peer, clock = self.peer(otherwise=answer("ok")), SteppedClock()
        transport = self.to(peer.url, clock=clock)
        for idle, connections in ((3.9, 1), (4.1, 2), (0.0, 2)):
            transport.send("GET", "/", Trace())
            clock.advance(idle)
            transport.send("POST", "/", Trace(), body=b"[]")
            self.assertEqual(peer.connections, connections)

    def test_threads(self) -> None:
        """Requests at the same time have a connection each; later ones use any of them."""
        together = threading.Barrier(3)

        def meet(request: Received) -> Step:
            together.wait(5)
            return answer("ok")

        peer = self.peer(*[by_request(meet)] * 3, otherwise=answer("ok"))
        transport = self.to(peer.url)
        threads = [threading.Thread(target=transport.send, args=("GET", "/", Trace())) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
        for _ in range(5):
            transport.send("GET", "/", Trace())
        self.assertEqual(peer.connections, 3)

    def test_no_more_than_allowed(self) -> None:
        """Who finds all connections in use waits for one, and not for ever."""
        let, peer = threading.Event(), self.peer(otherwise=answer("ok"))

        def held(request: Received) -> Step:
            let.wait(5)
            return answer("ok")

        peer.steps[:] = [by_request(held)]
        transport = self.to(peer.url, pool_size=1, timeout=Timeout(pool=50 * MS))
        thread = threading.Thread(target=transport.send, args=("GET", "/", Trace()))
        thread.start()
        self.eventually(lambda: peer.requests, "the first request")
        error, fate = self.fails(transport, "POST", b"[]")
        self.assertIsInstance(error, TimedOut)
        self.assertEqual((error.phase, fate), ("pool", Fate.UNSENT))  # type: ignore[attr-defined]
        self.assertIn(
            "none of the 1 connections was free within 0.05 s; allow more of them with pool_size=", str(error)
        )
        let.set()
        thread.join(5)
        self.assertEqual(transport.send("GET", "/", Trace()).text, "ok")
        self.assertEqual(peer.connections, 1)

    def test_thread_that_ended(self) -> None:
        """The connection of a thread that ended serves others."""
        peer = self.peer(otherwise=answer("ok"))
        transport = self.to(peer.url)
        for _ in range(3):
            thread = threading.Thread(target=transport.send, args=("GET", "/", Trace()))
            thread.start()
            thread.join(5)
        self.assertEqual(peer.connections, 1)

    def test_closed_meanwhile(self) -> None:
        """A request that another thread waits for ends when all is closed, and none begins after that."""
        peer = self.peer(silence())
        transport = self.to(peer.url)
        self.ends_by_closing(transport, lambda: peer.requests)
        error, fate = self.fails(transport)
        self.assertIn("the connections were closed", str(error))
        self.assertEqual(fate, Fate.UNSENT)
        transport.close()

    def test_closed_while_connecting(self) -> None:
        """So does one that has no connection yet: that gets no word, or whose proxy says none."""
        with black_hole() as port:
            self.ends_by_closing(self.to(f"http://127.0.0.1:{port}"), lambda: True)
        for scheme in ("http", "socks5h"):
            proxy = self.peer(silence())
            transport = self.to("https://db.example", proxies={"https": f"{scheme}://127.0.0.1:{proxy.port}"})
            self.ends_by_closing(transport, lambda proxy=proxy: proxy.connections)

    def test_closed_in_a_handshake(self) -> None:
        """And one whose TLS is not there yet, be it straight or past a proxy."""
        silent = self.peer(silence())
        self.ends_by_closing(self.to(silent.url.replace("http:", "https:")), lambda: silent.connections)
        proxy = ConnectProxy()
        self.addCleanup(proxy.close)
        server = self.peer(silence())
        transport = self.to(server.url.replace("http:", "https:"), proxies={"https": proxy.url})
        self.ends_by_closing(transport, lambda: server.connections)

    def ends_by_closing(self, transport: Transport, has_begun: Callable[[], object]) -> None:
        """Close while another thread sends, and see that it ends."""
        failed: list[BaseException] = []

        def ask() -> None:
            try:
                transport.send("GET", "/", Trace())
            except ConnectionFailed as error:
                failed.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        self.eventually(has_begun, "the request")
        transport.close()
        thread.join(2000 * MS)
        self.assertEqual(len(failed), 1)
        self.assertNotIsInstance(failed[0], TimedOut)

    def test_fork(self) -> None:
        """A child process makes connections of its own, and leaves its parent's alone."""
        peer = self.peer(otherwise=answer("ok"))
        transport = self.to(peer.url)
        transport.send("GET", "/", Trace())
        child = os.fork()
        if child == 0:
            status = 1
            try:
                transport.send("GET", "/", Trace())
                status = 0
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        transport.send("GET", "/", Trace())
        self.assertEqual([request.connection for request in peer.requests], [0, 1, 0])

    def test_forks_beside_threads(self) -> None:
        """A child that is forked off while other threads send can send too, and they notice nothing."""
        peer = self.peer(otherwise=answer("ok"))
        transport, stop = self.to(peer.url), threading.Event()
        failed: list[BaseException] = []

        def work() -> None:
            try:
                while not stop.is_set():
                    transport.send("GET", "/", Trace())
            except ConnectionFailed as error:
                failed.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(8):  # each costs half a second of processor time beside busy threads, late in a long run
                child = os.fork()
                if child == 0:
                    status = 1
                    try:
                        transport.send("POST", "/", Trace(), body=b"[]", timeout=Timeout.of(SOON))
                        transport.close()
                        status = 0
                    finally:
                        os._exit(status)
                self.assertEqual(os.waitpid(child, 0)[1], 0)
        finally:
            stop.set()
            for thread in threads:
                thread.join(SOON)
        self.assertEqual(failed, [])


class Failing(TransportCase):
    """What a user reads, and what became of the request."""

    def test_refused(self) -> None:
        """Where nobody listens nothing was sent."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        error, fate = self.fails(self.to(f"http://127.0.0.1:{port}"), "POST", b"[]")
        self.assertIs(type(error), ConnectionFailed)
        self.assertEqual(fate, Fate.UNSENT)
        self.assertEqual(
            str(error),
            f"POST http://127.0.0.1:{port}/api/v1/crud/mara: no connection: Connection refused; is the server running, and "
            "is this its address?",
        )
        self.assertIsInstance(error, requests.exceptions.ConnectionError)
        self.assertIsInstance(error, OSError)

    def test_no_such_host(self) -> None:
        """A name that is none is told."""
        error, fate = self.fails(self.to("http://nosuchhost.invalid"))
        self.assertEqual(fate, Fate.UNSENT)
        self.assertRegex(str(error), "no connection: .*is this its address")

    def test_no_connection_in_time(self) -> None:
        """A connection that is not made ends within the time for that."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            # the queue of those that wait to be accepted is full, so the next gets no word
            waiting = [socket.socket() for _ in range(3)]
            for knock in waiting:
                self.addCleanup(knock.close)
                knock.setblocking(False)
                knock.connect_ex(listener.getsockname())
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            error, fate = self.fails(self.to(url, timeout=(150 * MS, 5000 * MS)), "POST", b"[]")
        self.assertIs(type(error), TimedOut)
        self.assertEqual(fate, Fate.UNSENT)
        self.assertIn("no connection within 0.15 s; is the server there", str(error))

    def test_black_hole(self) -> None:
        """A server that says nothing is a timeout, by all the names that programs catch."""
        peer = self.peer(silence())
        error, fate = self.fails(self.to(peer.url, timeout=SHORT), "POST", b"[]")
        self.assertEqual(fate, Fate.SILENT)
        for kind in (TimedOut, requests.exceptions.Timeout, requests.exceptions.ConnectionError, TimeoutError):
            self.assertIsInstance(error, kind)
        self.assertIn("no answer within 0.15 s; try again, or allow more with timeout=", str(error))

    def test_black_hole_in_the_body(self) -> None:
        """So is one that falls silent in the middle of its answer."""
        step = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,")
        peer = self.peer(step)
        error, fate = self.fails(self.to(peer.url, timeout=SHORT))
        self.assertIs(type(error), TimedOut)
        self.assertEqual(fate, Fate.SILENT)

    def test_broken(self) -> None:
        """A connection that breaks after the request was sent is told as that."""
        for step in (hang_up(), reset(), cut(), cut(b"", 5)):
            peer = self.peer(step)
            for method, body in (("GET", None), ("POST", b"[]")):
                peer.steps[:] = [step]
                with self.subTest(step=step, method=method):
                    error, fate = self.fails(self.to(peer.url), method, body)
                    self.assertIs(type(error), ConnectionFailed)
                    self.assertEqual(fate, Fate.BROKEN)
                    self.assertIn("the connection broke", str(error))

    def test_reset_at_connect(self) -> None:
        """A connection that is reset at once is a failure, whatever was sent by then."""
        peer = self.peer(reset_at_connect())
        error, _ = self.fails(self.to(peer.url))
        self.assertIs(type(error), ConnectionFailed)

    def test_no_http(self) -> None:
        """What speaks something else than HTTP is a failure."""
        peer = self.peer(raw(b"SSH-2.0-OpenSSH_9.6\r\n", then_close=True))
        error, _ = self.fails(self.to(peer.url))
        self.assertIn("the connection broke", str(error))

    def test_proxy_away(self) -> None:
        """A proxy that is away is named, and nothing was sent."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        transport = self.to("http://127.0.0.1:9", proxies={"http": f"http://mara:c2VjcmV0@127.0.0.1:{port}"})
        error, fate = self.fails(transport, "POST", b"[]")
        self.assertEqual(fate, Fate.UNSENT)
        self.assertIn(
            f"the proxy http://127.0.0.1:{port} (proxies=) gave no connection: Connection refused", str(error)
        )

    def test_proxy_refuses(self) -> None:
        """One that wants to know who asks is no server that refuses, and has sent nothing on."""
        peer = self.peer(answer("<html>who are you?</html>", 407), answer("ok"))
        transport = self.to("http://db.example", proxies={"http": peer.url})
        error, fate = self.fails(transport, "POST", b"[]")
        self.assertEqual((type(error), fate), (ConnectionFailed, Fate.UNSENT))
        self.assertRegex(
            str(error), r"the proxy http\S+ \(proxies=\) gave no connection: 407 .*; put a name and a password"
        )
        self.assertEqual(transport.send("GET", "/x", Trace()).text, "ok")
        self.assertEqual(peer.connections, 1)

    def test_bad_proxy(self) -> None:
        """A proxy that is no address is the caller's mistake."""
        error, _ = self.fails(self.to("http://127.0.0.1:9", proxies={"http": "http://:"}))
        self.assertIsInstance(error, LocalProtocolError)


class Tls(TransportCase):
    """Certificates are looked at."""

    def setUp(self) -> None:
        super().setUp()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        self.tls = self.peer(otherwise=answer("ok"), context=context)

    def test_unknown_authority(self) -> None:
        """A certificate of nobody one trusts is refused before anything is sent."""
        error, fate = self.fails(self.to(self.tls.url), "POST", b"[]")
        self.assertEqual((fate, self.tls.requests), (Fate.UNSENT, []))
        self.assertIsInstance(error, CertificateRefused)
        self.assertRegex(str(error), "no TLS connection: .*certificate.*pass its certificate as verify=")

    def test_own_authority(self) -> None:
        """One that is passed is trusted, whatever the environment says."""
        with mock.patch.dict(os.environ, {"REQUESTS_CA_BUNDLE": "/nosuch/file"}):
            self.assertEqual(self.to(self.tls.url, trust=Trust(str(CERTIFICATE))).send("GET", "/", Trace()).text, "ok")

    def test_not_verified(self) -> None:
        """verify=False is obeyed."""
        with self.assertWarnsRegex(Warning, "Unverified HTTPS"):
            self.to(self.tls.url, trust=Trust(False)).send("GET", "/", Trace())

    def test_plain_http_there(self) -> None:
        """HTTPS to what speaks plain HTTP says what to do, and nothing was sent."""
        peer = self.peer(raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
        error, fate = self.fails(self.to(peer.url.replace("http:", "https:")), "POST", b"[]")
        self.assertEqual(fate, Fate.UNSENT)
        self.assertIn(
            "something speaks plain HTTP there, not HTTPS: if that is the server, say url='http://…'", str(error)
        )

    def test_no_tls_there(self) -> None:
        """HTTPS to what hangs up says what to look at."""
        peer = self.peer(hang_up())
        error, fate = self.fails(self.to(peer.url.replace("http:", "https:")), "POST", b"[]")
        self.assertEqual(fate, Fate.UNSENT)
        self.assertIn("does the server speak HTTPS?", str(error))
