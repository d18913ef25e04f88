"""Every way in which a server can keep a caller waiting, and that it ends in time, said as what it is."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

from connectordb.client.http import Transport
from connectordb.client.terms.judging import Fate
from connectordb.client.terms.timeouts import Timeout
from connectordb.client.terms.trace import Trace
from connectordb.exceptions import ConnectionFailed, TimedOut
from connectordb.network import Trust
from connectordb.runtime.clock import Deadline
from tests.support.case import MS, SOON, Case
from tests.support.wire import Peer, Step, answer, black_hole, by_request, drip, flood, hang_up, raw, silence

CERTIFICATE = Path(__file__).parent.parent.parent / "support" / "localhost.pem"

#: What each call has in all, where the phases alone would let it hang.
WHOLE = 350 * MS
PATIENT = Timeout(connect=SOON, read=SOON, write=SOON, pool=SOON, total=WHOLE)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class WireCase(Case):
    """A peer, and a transport to it whose calls have a short time in all, and a long one for each phase."""

    def peer(self, *steps: Step, **options: object) -> Peer:
        """Return a peer that ends with the test."""
        peer = Peer(*steps, **options)  # type: ignore[arg-type]
        self.addCleanup(peer.close)
        return peer

    def late(
        self, url: str, phase: str, fate: Fate = Fate.UNSENT, timeout: Timeout = PATIENT, body: bytes | None = b"[]"
    ) -> Trace:
        """Send, see that it is given up in time and in the phase that is named, and return the trace."""
        transport = Transport(url, timeout=timeout, trust=Trust(False))
        self.addCleanup(transport.close)
        trace, began = Trace(), time.monotonic()
        with self.assertRaises(TimedOut) as caught:
            transport.send("POST" if body is not None else "GET", "/crud/a/b/c/data", trace, body=body)
        took = time.monotonic() - began
        self.assertLess(took, WHOLE + 1500 * MS)
        self.assertEqual((trace.phase, caught.exception.phase, trace.fate), (phase, phase, fate), str(caught.exception))
        self.assertAlmostEqual(trace.seconds, took, delta=500 * MS)
        return trace


class Endless(WireCase):
    """Each phase ends with the time for all of it, however the server drags it out."""

    def test_name(self) -> None:
        """A name server that does not answer."""
        let = threading.Event()
        self.addCleanup(let.set)
        ask = socket.getaddrinfo

        def wait(host: str, port: int, family: int, kind: int, protocol: int, flags: int) -> list[object]:
            if not flags & socket.AI_NUMERICHOST:
                let.wait(SOON)
            return ask("127.0.0.1" if let.is_set() else host, port, family, kind, protocol, flags)  # type: ignore[return-value]

        with mock.patch.object(socket, "getaddrinfo", wait):
            self.late("http://db.example", "resolve")
            let.set()
            self.eventually(
                lambda: not [thread for thread in threading.enumerate() if thread.name == "connectordb-lookup"],
                "the end of the lookup",
            )

    def test_connect(self) -> None:
        """A machine that gives no word."""
        with black_hole() as port:
            self.late(f"http://127.0.0.1:{port}", "connect")

    def test_tls(self) -> None:
        """A server that takes the connection, and says nothing to the greeting; or a byte of its own at a time."""
        for step in (silence(), drip(b"\x16\x03\x03\x20\x00\x02\x00\x1f\xfc\x03\x03" + bytes(200))):
            self.late(self.peer(step).url.replace("http:", "https:"), "tls")

    def test_write(self) -> None:
        """A server that reads nothing of a body that is larger than what the systems between hold."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            trace = self.late(url, "write", body=bytes(32 * 1024 * 1024))
        self.assertGreater(trace.bytes_out, 0)
        self.assertFalse(trace.complete)

    def test_write_by_drips(self) -> None:
        """One that reads a little of it at a time."""
        peer = self.peer()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

            def sip() -> None:
                connection, _ = listener.accept()
                with connection:
                    while not peer.closing.wait(5 * MS) and connection.recv(1000):
                        pass

            thread = threading.Thread(target=sip)
            thread.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            self.late(url, "write", body=bytes(32 * 1024 * 1024))
            peer.close()
            thread.join(SOON)

    def test_read(self) -> None:
        """A server that takes the request, and is gone without a word."""
        trace = self.late(self.peer(silence()).url, "read", Fate.SILENT)
        self.assertTrue(trace.complete)
        self.assertEqual(trace.bytes_in, 0)

    def test_drips(self) -> None:
        """A byte at a time: of the first line, of a header, of ever more headers, of the body, of a chunk, of its length."""
        chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        drips = [
            (b"", b"HTTP/1.1 200 O"),
            (b"", b" "),
            (HEAD + b"X-Long: ", b"x"),
            (HEAD, b"X: y\r\n"),
            (HEAD + b"Content-Length: 100000\r\n\r\n[", b"1,"),
            (HEAD + b"\r\n[", b"1,"),
            (chunked + b"fff\r\n", b"1,"),
            (chunked, b"1\r\n,\r\n"),
            (chunked, b"0"),
            (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ]
        with ThreadPoolExecutor() as threads:
            late = [
                threads.submit(self.late, self.peer(_then(start, drip(data))).url, "read", Fate.SILENT)
                for start, data in drips
            ]
        for (start, data), each in zip(drips, late, strict=True):
            with self.subTest(start=start, data=data):
                self.assertGreater(each.result().bytes_in, 0)

    def test_drips_over_tls(self) -> None:
        """The same within TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        peer = self.peer(_then(HEAD + b"Content-Length: 100000\r\n\r\n[", drip(b"1,")), context=context)
        with self.assertWarnsRegex(Warning, "Unverified HTTPS"):
            self.late(peer.url, "read", Fate.SILENT)

    def test_proxy(self) -> None:
        """A proxy that takes the connection and says nothing to where it should lead; or a byte at a time."""
        for step in (silence(), drip(b"HTTP/1.1 200 O"), _then(b"HTTP/1.1 200 OK\r\n", drip(b"X: y\r\n"))):
            proxy = self.peer(step)
            with mock.patch.dict("os.environ", {"https_proxy": proxy.url, "no_proxy": ""}):
                self.late("https://db.example", "connect")

    def test_tls_beyond_a_proxy(self) -> None:
        """A proxy that leads to where TLS never ends."""
        proxy = self.peer(_then(b"HTTP/1.1 200 OK\r\n\r\n", silence()))
        with mock.patch.dict("os.environ", {"https_proxy": proxy.url, "no_proxy": ""}):
            self.late("https://db.example", "tls")

    def test_floods(self) -> None:
        """Headers without end are refused by their number and size, before the time is over."""
        for data in (b"X: y\r\n", b"x" * 65536):
            peer = self.peer(flood(data, HEAD))
            transport = Transport(peer.url, timeout=10)
            self.addCleanup(transport.close)
            with self.assertRaises(ConnectionFailed) as caught:
                transport.send("GET", "/", Trace())
            self.assertNotIsInstance(caught.exception, TimedOut)
            transport.close()


class Phases(WireCase):
    """Each phase has its own time, where there is enough for the whole."""

    def test_each(self) -> None:
        """Connecting, TLS and reading end with theirs."""
        short = 100 * MS
        with black_hole() as port:
            self.late(f"http://127.0.0.1:{port}", "connect", timeout=Timeout(connect=short))
        silent = self.peer(otherwise=silence())
        self.late(silent.url.replace("http:", "https:"), "tls", timeout=Timeout(connect=short))
        self.late(silent.url, "read", Fate.SILENT, timeout=Timeout(read=short))

    def test_write(self) -> None:
        """So does writing."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            self.late(url, "write", timeout=Timeout(write=100 * MS), body=bytes(32 * 1024 * 1024))

    def test_silence_only(self) -> None:
        """The time to read is for a silence: an answer that takes longer and goes on is waited for."""
        pieces = 6

        def answered(received: object) -> Step:
            return _slowly(HEAD + b"Content-Length: %d\r\n\r\n" % pieces, b"1" * pieces, 120 * MS)

        peer = self.peer(by_request(answered))
        transport = Transport(peer.url, timeout=Timeout(read=500 * MS))
        self.addCleanup(transport.close)
        trace = Trace()
        self.assertEqual(transport.send("GET", "/", trace).content, b"111111")
        self.assertGreater(trace.seconds, 500 * MS)
        self.assertLess(trace.first_byte, 500 * MS)

    def test_deadline(self) -> None:
        """A deadline that is passed along is kept, and nothing is sent after it."""
        peer = self.peer(otherwise=silence())
        transport = Transport(peer.url)
        self.addCleanup(transport.close)
        deadline, began = Deadline(100 * MS), time.monotonic()
        for _ in range(2):
            with self.assertRaises(TimedOut):
                transport.send("GET", "/", Trace(), deadline=deadline)
        self.assertLess(time.monotonic() - began, 2000 * MS)
        self.assertEqual(len(peer.requests), 1)


class Counting(WireCase):
    """What a request cost."""

    def test_figures(self) -> None:
        """Bytes out and in are those of the wire, and connections that are used again are told."""
        peer = self.peer(otherwise=answer("12345"))
        transport = Transport(peer.url)
        self.addCleanup(transport.close)
        for reused in (False, True):
            trace = Trace()
            transport.send("POST", "/x", trace, body=b"0123456789", parameters={"q": "1"})
            received = peer.requests[-1]
            head = f"POST {received.target} HTTP/1.1\r\n" + "".join(
                f"{k}: {v}\r\n" for k, v in received.headers.items()
            )
            self.assertEqual(trace.bytes_out, len(head) + 2 + 10)
            self.assertEqual(trace.bytes_in, len("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345"))
            self.assertEqual((trace.reused, trace.complete, trace.phase), (reused, True, "read"))
            self.assertTrue(0 < trace.first_byte <= trace.seconds < SOON)

    def test_complete(self) -> None:
        """What broke after all of it was sent is told from what broke before."""
        transport = Transport(self.peer(hang_up()).url)
        self.addCleanup(transport.close)
        trace = Trace()
        with self.assertRaises(ConnectionFailed):
            transport.send("POST", "/x", trace, body=b"[]")
        self.assertEqual((trace.fate, trace.complete), (Fate.BROKEN, True))

        with socket.create_server(("127.0.0.1", 0)) as listener:
            transport = Transport(f"http://127.0.0.1:{listener.getsockname()[1]}")
            self.addCleanup(transport.close)

            def look_and_leave() -> None:
                connection, _ = listener.accept()
                connection.recv(1000)
                connection.close()

            thread = threading.Thread(target=look_and_leave)
            thread.start()
            trace = Trace()
            with self.assertRaises(ConnectionFailed):
                transport.send("POST", "/x", trace, body=bytes(32 * 1024 * 1024))
            thread.join(SOON)
        self.assertEqual((trace.fate, trace.complete), (Fate.UNSENT, False))


def _then(first: bytes, step: Step) -> Step:
    """Send *first*, and go on with a step."""

    def act(peer: Peer, connection: socket.socket, request: object) -> bool:
        raw(first).act(peer, connection, None)
        return step.act(peer, connection, None)

    return Step(act)


def _slowly(first: bytes, rest: bytes, every: float) -> Step:
    """Send *first*, and the rest a byte at a time."""

    def act(peer: Peer, connection: socket.socket, request: object) -> bool:
        connection.sendall(first)
        for byte in rest:
            peer.closing.wait(every)
            connection.sendall(bytes([byte]))
        return True

    return Step(act)
