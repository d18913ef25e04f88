"""One websocket: opening it, refusals, bytes in any shape, TLS."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from pathlib import Path

from connectordb.exceptions import (
    AuthenticationError,
    CertificateRefused,
    ConnectionFailed,
    LocalProtocolError,
    NotFound,
    RemoteProtocolError,
    ServerError,
    TimedOut,
)
from connectordb.live.socket import frames
from connectordb.live.socket.connection import MESSAGE_LIMIT, Connection, Target
from connectordb.network import Trust
from tests.support.case import MS, SOON, Case
from tests.support.socks_proxy import SocksProxy
from tests.support.wire import Peer as HttpPeer
from tests.support.wire import drip, silence
from tests.support.ws_peer import Peer, PeerConnection, frame

CERTIFICATE = Path(__file__).parents[2] / "support" / "localhost.pem"


class ConnectionCase(Case):
    """A peer, and connections to it."""

    def peer(self, context: ssl.SSLContext | None = None) -> Peer:
        """Return a peer that ends with the test."""
        peer = Peer(context)
        self.addCleanup(peer.close)
        return peer

    def connect(self, target: Target, authorization: str | None = None) -> Connection:
        """Return an open connection."""
        connection = Connection(target)
        self.addCleanup(connection.close)
        connection.open(authorization)
        return connection

    def both(self) -> tuple[Connection, PeerConnection]:
        """Return both ends of a connection."""
        peer = self.peer()
        return self.connect(Target(peer.url)), peer.connection()

    def receive(self, connection: Connection, number: int) -> list[frames.Event]:
        """Return so many events, waiting for them."""
        events: list[frames.Event] = []
        while len(events) < number:
            if not connection.has_more:
                self.assertTrue(select.select([connection], [], [], SOON)[0], "nothing to read")
            events += connection.receive()
        return events


class OpeningTests(ConnectionCase):
    """The handshake."""

    def test_request(self) -> None:
        """The address keeps its path, and the credentials are in the header."""
        peer = self.peer()
        self.connect(Target(f"{peer.url}/database/"), "Basic OmtleQ==")
        request = peer.connection().request
        self.assertTrue(request.startswith("GET /database/api/v1/websocket HTTP/1.1\r\n"), request)
        self.assertIn("\r\nUpgrade: websocket\r\n", request)
        self.assertIn("\r\nAuthorization: Basic OmtleQ==\r\n", request)

    def test_anonymous(self) -> None:
        """Without credentials there is no such header."""
        peer = self.peer()
        self.connect(Target(peer.url))
        self.assertNotIn("Authorization", peer.connection().request)

    def test_refused(self) -> None:
        """An answer other than 101 is what it would be over REST."""
        body = b'{"code":401,"msg":"Incorrect Password","ref":"r"}'
        for status, text, kind in (
            (b"401 Unauthorized", body, AuthenticationError),
            (b"404 Not Found", b"<html>nginx</html>", NotFound),
            (b"503 Service Unavailable", b"", ServerError),
            (b"200 OK", b"hello", ServerError),
        ):
            with self.subTest(status):
                peer = self.peer()
                peer.refusals = [b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(text), text)]
                with self.assertRaises(kind) as caught:
                    self.connect(Target(peer.url))
                if text is body:
                    self.assertEqual((caught.exception.message, caught.exception.ref), ("Incorrect Password", "r"))

    def test_redirected(self) -> None:
        """A redirect is not followed: it would take the credentials along."""
        peer, other = self.peer(), self.peer()
        peer.refusals = [b"HTTP/1.1 302 Found\r\nLocation: %s\r\n\r\n" % other.url.replace("http", "ws").encode()]
        with self.assertRaisesRegex(ServerError, "302"):
            self.connect(Target(peer.url), "Basic OmtleQ==")
        self.assertEqual(other.accepted, 0)

    def test_garbage(self) -> None:
        """Something that speaks no HTTP."""
        peer = self.peer()
        peer.refusals = [b"220 smtp.example.com ESMTP\r\n\r\n"]
        with self.assertRaises(ConnectionFailed):
            self.connect(Target(peer.url))

    def test_nobody_there(self) -> None:
        """Nothing listens."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with self.assertRaisesRegex(ConnectionFailed, f"127.0.0.1:{port}"):
            self.connect(Target(f"http://127.0.0.1:{port}"))

    def test_silence(self) -> None:
        """Something that takes the connection and says nothing."""
        peer = self.peer()
        peer.stalls = True
        with self.assertRaisesRegex(TimedOut, "no answer within 0.1 s"):
            self.connect(Target(peer.url, timeout=0.1))

    def test_abort(self) -> None:
        """Another thread breaks off a handshake that nobody answers."""
        peer = self.peer()
        peer.stalls = True
        connection = Connection(Target(peer.url, timeout=SOON * 10))
        self.addCleanup(connection.close)
        connection.abort()  # before there is anything to break off
        failures: list[Exception] = []

        def connect() -> None:
            try:
                connection.open(None)
            except ConnectionFailed as error:
                failures.append(error)

        thread = threading.Thread(target=connect)
        thread.start()
        self.eventually(lambda: connection.abort() or failures)
        thread.join(SOON)

    def test_abort_anywhere(self) -> None:
        """So it does where TLS, or a proxy, gives no word."""
        for scheme, proxies in (("https", {}), ("http", {"http": "http://"}), ("http", {"http": "socks5h://"})):
            peer = HttpPeer(silence())
            self.addCleanup(peer.close)
            here = f"127.0.0.1:{peer.port}"
            target = Target(
                f"{scheme}://{here}",
                Trust(False),
                {name: address + here for name, address in proxies.items()},
                SOON * 10,
            )
            connection, failures = Connection(target), list[Exception]()

            def connect(connection: Connection = connection, failures: list[Exception] = failures) -> None:
                try:
                    connection.open(None)
                except ConnectionFailed as error:
                    failures.append(error)

            thread = threading.Thread(target=connect)
            thread.start()
            self.eventually(lambda peer=peer: peer.connections)
            connection.abort()
            thread.join(2000 * MS)
            self.assertEqual(len(failures), 1)
            connection.close()

    def test_address(self) -> None:
        """http becomes ws, https becomes wss, and nothing else is an address."""
        self.assertEqual(Target("http://h:1").websocket_url, "ws://h:1/api/v1/websocket")
        self.assertEqual(Target("https://h/x/").websocket_url, "wss://h/x/api/v1/websocket")
        with self.assertRaises(LocalProtocolError):
            _ = Target("ftp://h").websocket_url

    def test_through_a_proxy(self) -> None:
        """The tunnel is asked for at the proxy."""
        proxy = self.peer()
        proxy.refusals = [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"]
        said = rf"the proxy {proxy.url} \(proxies=\) gave no connection: it refused: 407 .*; put a name and a password into"
        with self.assertRaisesRegex(ConnectionFailed, said):
            self.connect(Target("http://db.example.com", proxies={"http": proxy.url}))
        self.assertEqual(proxy.accepted, 1)

    def test_through_socks(self) -> None:
        """A SOCKS proxy leads there, and looks the name up."""
        peer = self.peer()
        proxy = SocksProxy({"db.example": ("127.0.0.1", peer.port)})
        self.addCleanup(proxy.close)
        ours = self.connect(Target("http://db.example", proxies={"all": f"socks5h://127.0.0.1:{proxy.port}"}))
        theirs = peer.connection()
        theirs.send(frame(1, b"hello"))
        self.assertEqual([event.payload for event in self.receive(ours, 1)], [b"hello"])
        self.assertEqual(proxy.asked, ["db.example"])

    def test_drip(self) -> None:
        """All of it has one time, however slowly an answer trickles in, or TLS."""
        for scheme, data in (
            ("http", b"HTTP/1.1 101 Switching Protocols\r\nX: "),
            ("https", b"\x16\x03\x03\x20\x00\x02\x00\x1f\xfc\x03\x03" + bytes(200)),
        ):
            peer = HttpPeer(drip(data))
            self.addCleanup(peer.close)
            began = time.monotonic()
            with self.assertRaisesRegex(TimedOut, "no answer within 0.15 s"):
                self.connect(Target(peer.url.replace("http", scheme), timeout=150 * MS))
            self.assertLess(time.monotonic() - began, 2000 * MS)


class BytesTests(ConnectionCase):
    """Frames over a real socket."""

    def test_pieces(self) -> None:
        """A message in frames, its last empty, the bytes one by one."""
        ours, theirs = self.both()
        wire = frame(1, b'{"a":', final=False) + frame(0, b"1}", final=False) + frame(0, b"")
        for byte in wire:
            theirs.send(bytes([byte]))
        (event,) = self.receive(ours, 1)
        self.assertEqual((event.opcode, event.payload), (frames.TEXT, b'{"a":1}'))

    def test_large(self) -> None:
        """Eight megabytes in one frame arrive whole, and none is left behind."""
        ours, theirs = self.both()
        text = bytes(range(256)) * 4096 * 8
        sender = threading.Thread(target=lambda: theirs.send(frame(1, text) + frame(1, b"after")))
        sender.start()
        events = self.receive(ours, 2)
        sender.join(SOON)
        self.assertEqual([event.payload for event in events], [text, b"after"])

    def test_too_large(self) -> None:
        """A message beyond the limit is refused by its size alone."""
        ours, theirs = self.both()
        theirs.send(b"\x81\x7f" + (MESSAGE_LIMIT + 1).to_bytes(8, "big"))
        with self.assertRaises(RemoteProtocolError):
            self.receive(ours, 1)

    def test_sent(self) -> None:
        """What is sent arrives, masked."""
        ours, theirs = self.both()
        ours.send(frames.TEXT, b'{"cmd":"x"}')
        ours.send(frames.PING, b"7")
        ours.flush()
        self.assertEqual(ours.unsent, 0)
        self.assertEqual(theirs.commands.get(timeout=SOON), {"cmd": "x"})
        self.assertEqual(theirs.pings.get(timeout=SOON), b"7")

    def test_who_does_not_read(self) -> None:
        """Sending to somebody who does not read waits for nobody."""
        held = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(held.close)
        ours, theirs = self.both()
        with theirs._lock:  # its reader stands still at the first ping
            ours.send(frames.PING, b"")
            ours.flush()
            for _ in range(400):
                ours.send(frames.TEXT, b" " * 65_536)
                ours.flush()
            self.assertGreater(ours.unsent, 0)

    def test_cut(self) -> None:
        """A connection that ends without a word is an error, after what came before."""
        ours, theirs = self.both()
        theirs.send(frame(1, b"last"))
        theirs.drop()
        self.assertEqual(self.receive(ours, 1)[0].payload, b"last")
        with self.assertRaisesRegex(ConnectionFailed, "without a word"):
            self.receive(ours, 1)

    def test_goodbye(self) -> None:
        """Closing says so; twice is allowed."""
        ours, theirs = self.both()
        ours.close()
        ours.close()
        self.assertEqual(theirs.closed.get(timeout=SOON), frames.close_payload(1000))
        self.wait(theirs.ended)


class TlsTests(ConnectionCase):
    """An encrypted connection."""

    def setUp(self) -> None:
        super().setUp()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        self.server = self.peer(context)

    def test_verified(self) -> None:
        """A certificate of an unknown authority is refused; the error says what to do."""
        with self.assertRaisesRegex(CertificateRefused, "not trusted .*verify="):
            self.connect(Target(self.server.url))

    def test_trusted(self) -> None:
        """With its authority given, or without looking, messages pass; what TLS holds back is not forgotten."""
        for verify in (str(CERTIFICATE), False):
            with self.subTest(verify=verify):
                ours = self.connect(Target(self.server.url, Trust(verify)))
                theirs = self.server.connection()
                # many frames in one record: the system tells of it once, the rest waits inside of the TLS socket
                theirs.send(b"".join(frame(1, b"%d" % number) for number in range(3000)))
                events = self.receive(ours, 3000)
                self.assertEqual([int(event.payload) for event in events], list(range(3000)))
                ours.send(frames.TEXT, b'{"cmd":"x"}')
                ours.flush()
                self.assertEqual(theirs.commands.get(timeout=SOON), {"cmd": "x"})
                ours.close()
                self.wait(theirs.ended)
                theirs.drop()
