"""Tests of `tests.support.tunnel`: the bytes of a websocket, and what happens to them."""

from __future__ import annotations

import socket
import threading

from .case import Case
from .tunnel import Tunnel, is_text, messages
from .ws_peer import PING, TEXT, frame

_REQUEST = b"GET / HTTP/1.1\r\n\r\n"
_ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nConnectorDB-Features: ws-id\r\n\r\n"


class TunnelTests(Case):
    """A client and a server, both sockets of the test, with a tunnel between them."""

    def tunnel(self, announces: bool = True) -> tuple[Tunnel, socket.socket, socket.socket]:
        """Return a tunnel whose handshake is over, and its ends: the client's and the server's."""
        pairs = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        ours = [socket.create_connection(listener.getsockname()) for listener in pairs]
        theirs = [listener.accept()[0] for listener in pairs]
        for connection in (*pairs, *ours, *theirs):
            connection.settimeout(10)
            self.addCleanup(connection.close)
        opened = threading.Event()
        tunnel = Tunnel(theirs[0], ours[1], announces, opened.set)
        running = threading.Thread(target=tunnel.run, args=(_REQUEST,))
        running.start()
        self.addCleanup(running.join, 10)
        self.addCleanup(tunnel.cut)
        client, server = ours[0], theirs[1]
        self.assertEqual(server.recv(100), _REQUEST)
        server.sendall(_ANSWER)
        self.wait(opened, "the handshake")
        self.assertEqual(b"ConnectorDB-Features" in client.recv(1000), announces)
        return tunnel, client, server

    def test_bytes_pass_both_ways(self) -> None:
        _, client, server = self.tunnel()
        client.sendall(b"whatever")
        self.assertEqual(server.recv(100), b"whatever")
        server.sendall(frame(TEXT, b"hello"))
        self.assertEqual(client.recv(100), frame(TEXT, b"hello"))

    def test_what_is_announced_can_be_left_out(self) -> None:
        self.tunnel(announces=False)

    def test_it_is_cut_after_so_many_bytes(self) -> None:
        tunnel, client, server = self.tunnel()
        tunnel.down.cut_after(4)
        server.sendall(frame(TEXT, b"hello"))
        self.assertEqual(_all(client), frame(TEXT, b"hello")[:4])
        self.wait(tunnel.ended, "its end")

    def test_a_cut_before_the_first_byte(self) -> None:
        tunnel, client, server = self.tunnel()
        tunnel.up.cut_after(0)
        client.sendall(b"x")
        self.assertEqual(_all(server), b"")

    def test_a_reset_is_seen_as_one(self) -> None:
        tunnel, client, _ = self.tunnel()
        tunnel.resets = True
        tunnel.cut()
        self.wait(tunnel.ended, "its end")
        client.settimeout(10)
        with self.assertRaises(ConnectionResetError):
            self.eventually(lambda: client.send(b"x") and not client.recv(1))

    def test_silence_says_nothing(self) -> None:
        tunnel, client, server = self.tunnel()
        tunnel.down.silence()
        server.sendall(frame(TEXT, b"hello"))
        client.settimeout(0.05)
        with self.assertRaises(TimeoutError):
            client.recv(1)

    def test_what_is_held_comes_later(self) -> None:
        tunnel, client, server = self.tunnel()
        tunnel.down.hold(True)
        server.sendall(frame(TEXT, b"hello"))
        client.settimeout(0.05)
        with self.assertRaises(TimeoutError):
            client.recv(1)
        client.settimeout(10)
        tunnel.down.hold(False)
        self.assertEqual(client.recv(100), frame(TEXT, b"hello"))

    def test_a_message_is_replaced_and_the_next_is_not(self) -> None:
        tunnel, client, server = self.tunnel()
        tunnel.down.change(lambda message: [b"garbage"])
        server.sendall(frame(TEXT, b"one") + frame(TEXT, b"two"))
        server.close()
        self.assertEqual(_all(client), b"garbage" + frame(TEXT, b"two"))


class MessageTests(Case):
    """A stream of bytes is taken apart into messages, however it was cut."""

    def test_messages_of_any_length_in_any_pieces(self) -> None:
        said = [frame(TEXT, b"x" * length) for length in (0, 1, 125, 126, 70_000)]
        said.insert(2, frame(PING, b"p"))
        for size in (1, 7, 1000, 1_000_000):
            with self.subTest(size=size):
                data = b"".join(said)
                pieces = iter([data[at : at + size] for at in range(0, len(data), size)] + [b""])
                self.assertEqual(list(messages(lambda pieces=pieces: next(pieces))), said)  # type: ignore[misc]

    def test_a_message_of_several_frames_is_one(self) -> None:
        first, last = frame(TEXT, b"x", final=False), frame(0, b"y")
        self.assertEqual(list(messages(lambda: b"", first + frame(PING) + last)), [frame(PING), first + last])

    def test_control_frames_are_no_texts(self) -> None:
        self.assertTrue(is_text(frame(TEXT, b"x")))
        self.assertFalse(is_text(frame(PING)))


def _all(connection: socket.socket) -> bytes:
    """Return what comes until the end."""
    data = b""
    while more := connection.recv(1000):
        data += more
    return data
