"""The thread that keeps the websocket: reconnecting, silence, every kind of broken server."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

from connectordb.exceptions import AuthenticationError, ConnectionFailed, NotFound, StreamGone, TimedOut
from connectordb.live import Options, Timing
from connectordb.live.socket import frames as codec
from connectordb.live.socket import loop
from connectordb.live.socket.loop import Loop
from connectordb.protocol import rest
from tests.support.case import MS, SOON, Case
from tests.support.live_cases import FAST, OTHER, POINT, SLOW, STREAM, PeerCase, Record
from tests.support.ws_peer import PING, PONG, TEXT, PeerConnection, frame, message


class StalledTests(Case):
    """A network that takes nothing for a while."""

    def test_waits(self) -> None:
        """While more waits for the network than it takes, the thread waits too, however much is still to be told."""
        ours, theirs = socket.socketpair()
        awake, wakeup = socket.socketpair()
        self.addCleanup(lambda: [each.close() for each in (ours, theirs, awake, wakeup)])
        ours.setblocking(False)
        wakeup.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                ours.send(bytes(65536))
        connection = mock.Mock(unsent=0, received=0, has_more=False)
        connection.fileno.return_value = ours.fileno()
        connection.send.side_effect = lambda opcode, payload: setattr(connection, "unsent", 10**6)
        connection.receive.return_value = []
        handler = mock.Mock()
        handler.outgoing.side_effect = lambda now: ([b"{}"], None, now)
        tested, stopping = Loop(mock.Mock(), handler, SLOW), threading.Event()
        with selectors.DefaultSelector() as selector:
            selector.register(wakeup, selectors.EVENT_READ)
            selector.register(connection, selectors.EVENT_READ)
            thread = threading.Thread(target=tested._serve, args=(connection, stopping, selector, wakeup))
            thread.start()
            stopping.wait(100 * MS)
            stopping.set()
            awake.send(b"x")
            thread.join(SOON)
        self.assertLess(connection.flush.call_count, 5)


class ReconnectTests(PeerCase):
    """A lost connection comes back, and with it every subscription."""

    def check_reconnects(self, ends: Callable[[PeerConnection], object], timing: Timing = SLOW) -> PeerConnection:
        """Lose the connection; expect another one with the same subscriptions, and messages on it."""
        live, peer, record = self.subscribed(timing)
        live.subscribe(OTHER, Record(), "if last", wait=False)
        self.assertEqual(peer.command(), ("subscribe", str(OTHER), "if last"))
        ends(peer)
        again = self.peer.connection()
        self.assertEqual(
            {again.command(), again.command()},
            {("subscribe", str(STREAM), ""), ("subscribe", str(OTHER), "if last")},
        )
        again.say(str(STREAM), [POINT])
        self.eventually(lambda: record.values == [1])
        self.assertGreaterEqual(self.looks.count("/crud/mara/lamp/light"), 2, "each time somebody looked before")
        live.close()
        return peer

    def test_dropped(self) -> None:
        """Cut without a word."""
        self.check_reconnects(lambda peer: peer.drop())

    def test_closed(self) -> None:
        """Closed with a frame, with a code and without."""
        for payload in (b"", codec.close_payload(1009)):
            with self.subTest(payload):
                self.looks.clear()
                self.check_reconnects(lambda peer, payload=payload: peer.send(frame(8, payload)))  # type: ignore[misc]

    def test_cut_in_a_message(self) -> None:
        """Cut in the middle of a message; half a message is none."""
        self.check_reconnects(lambda peer: (peer.send(frame(1, message(str(STREAM), [POINT]))[:20]), peer.drop()))

    def test_cut_after_any_byte(self) -> None:
        """Wherever it is cut: a point is handed on once, and the next connection serves."""
        live, peer, record = self.subscribed()
        wire = frame(1, message(str(STREAM), [POINT])[:9], final=False) + frame(0, message(str(STREAM), [POINT])[9:])
        for cut in range(0, len(wire) + 1, 3):
            peer.send(wire[:cut])
            peer.drop()
            peer = self.peer.connection()
            self.assertEqual(peer.command(), ("subscribe", str(STREAM), ""))
        self.peer.stored[str(STREAM)] = [POINT]
        peer.send(wire)
        self.eventually(lambda: record.calls)
        self.assertEqual((record.values, record.errors), ([1], []))

    def test_half_open(self) -> None:
        """The other side is gone without a trace: nothing comes, no ping is answered."""

        def silent(peer: PeerConnection) -> None:
            peer.answers_pings = False

        self.check_reconnects(silent, FAST)

    def test_deaf(self) -> None:
        """The other side speaks, and hears nothing: what it was told is told again by another connection."""
        live, peer, _ = self.subscribed(FAST)
        peer.answers_pings = False
        live.subscribe(OTHER, Record(), wait=False)
        self.assertEqual(peer.command()[1], str(OTHER))
        is_left = threading.Event()

        def speak() -> None:
            number = 0
            while not is_left.wait(20 * MS):
                number += 1
                with contextlib.suppress(OSError):
                    peer.say(str(STREAM), [{"t": number, "d": number}])

        speaker = threading.Thread(target=speak)
        speaker.start()
        try:
            again = self.peer.connection()
        finally:
            is_left.set()
            speaker.join(SOON)
        self.assertEqual({again.command()[1], again.command()[1]}, {str(STREAM), str(OTHER)})

    def test_half_a_frame_then_silence(self) -> None:
        """A frame that never ends."""

        def stall(peer: PeerConnection) -> None:
            peer.answers_pings = False
            peer.send(b"\x81\x7e\x10\x00abc")

        self.check_reconnects(stall, FAST)

    def test_half_a_frame_then_pongs(self) -> None:
        """A frame that never ends swallows what comes after it, the answers to pings, too."""
        self.check_reconnects(lambda peer: peer.send(b"\x81\x7e\x10\x00abc"), FAST)

    def test_garbage(self) -> None:
        """Frames that are none, text that is no JSON, JSON that is no message, bytes that are no text."""
        for garbage, code in {
            b"\xff\xff\xff\xff": 1002,
            frame(TEXT, b"<html>"): 1002,
            frame(TEXT, b"[1]"): 1002,
            frame(TEXT, b'{"stream":"a","data":[5]}'): 1002,
            frame(TEXT, b'{"stream":"\xff","data":[]}'): 1002,
            b"\x81\x7f" + (2**40).to_bytes(8, "big"): 1009,
        }.items():
            with self.subTest(garbage):
                self.looks.clear()
                peer = self.check_reconnects(lambda peer, garbage=garbage: peer.send(garbage))  # type: ignore[misc]
                self.assertEqual(peer.closed.get(timeout=SOON), codec.close_payload(code))

    def test_server_away_for_a_while(self) -> None:
        """Attempts that fail are repeated; a refusal of the credentials is told, once."""
        live, peer, record = self.subscribed()
        refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
        self.peer.refusals = [b"HTTP/1.1 503 Oops\r\n\r\n", refusal, refusal, b"nonsense\r\n\r\n"]
        peer.drop()
        again = self.peer.connection()
        self.assertEqual(again.command()[1], str(STREAM))
        self.assertEqual([type(error) for error in record.errors], [AuthenticationError])
        self.assertTrue(live.is_connected)

    def test_key_refused(self) -> None:
        """Where there is another key for one that was refused, that is tried at once, and nobody is told; but once."""
        refusal, keys = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", ["Basic b2xk"]
        refused: list[str | None] = []

        def renew(header: str | None) -> bool:
            refused.append(header)
            keys.append("Basic bmV3")
            return True

        live, record = self.live(authorization=lambda: keys[-1], renew=renew), Record()
        self.peer.refusals = [refusal]
        live.subscribe(STREAM, record, options=Options(on_error=record.errors.append))
        peer = self.peer.connection()
        self.assertIn("Authorization: Basic bmV3\r\n", peer.request)
        self.assertEqual((refused, record.errors), (["Basic b2xk"], []))
        self.peer.refusals = [refusal] * 3
        peer.drop()
        self.peer.connection()
        self.assertEqual(len(refused), 3, "one renewal for each two refusals, with a pause between")
        self.assertEqual([type(error) for error in record.errors], [AuthenticationError])

    def test_stream_gone(self) -> None:
        """A stream that is gone after a reconnect is not subscribed to, but told, once, and looked for again."""
        live, peer, record = self.subscribed()
        live.subscribe(OTHER, Record())
        gone = threading.Event()
        gone.set()
        looks: list[str] = []

        def trouble(request: rest.Request[Any]) -> None:
            if "light" in request.path and gone.is_set():
                looks.append(request.path)
                raise NotFound("The requested stream was not found.", status=403, ref=f"another {len(looks)}")

        self.trouble = trouble
        peer.drop()
        again = self.peer.connection()
        self.assertEqual(again.command(), ("subscribe", str(OTHER), ""))
        self.eventually(lambda: len(looks) > 3)
        self.assertTrue(again.commands.empty())
        self.assertEqual([type(error) for error in record.errors], [StreamGone])
        gone.clear()
        self.assertEqual(again.command(), ("subscribe", str(STREAM), ""))

    def test_rest_away(self) -> None:
        """While REST fails nothing is subscribed to; that is not told to anybody."""
        live, peer, record = self.subscribed()
        away = [ConnectionFailed("away"), TimedOut("slow"), ConnectionFailed("away")]

        def trouble(request: rest.Request[Any]) -> None:
            if away:
                raise away.pop()

        self.trouble = trouble
        peer.drop()
        self.assertEqual(self.peer.connection().command()[1], str(STREAM))
        self.assertEqual((away, record.errors), ([], []))

    def test_ended_meanwhile(self) -> None:
        """What was ended while the connection was lost is not asked for again."""
        live, peer, _ = self.subscribed()
        live.subscribe(OTHER, Record())
        self.peer.refusals = [b"HTTP/1.1 503 Oops\r\n\r\n"] * 3
        peer.drop()
        live.unsubscribe(STREAM)
        again = self.peer.connection()
        self.assertEqual(again.command(), ("subscribe", str(OTHER), ""))
        live.subscribe(STREAM, Record())
        self.assertEqual(again.command(), ("subscribe", str(STREAM), ""))


class LackingTests(PeerCase):
    """A system that lacks something for a while."""

    def test_descriptors(self) -> None:
        """Without descriptors for the thread who waits is told at once; who does not is served when there are some."""
        live, record = self.live(), Record()
        lacking = OSError(errno.EMFILE, "Too many open files")
        with mock.patch.object(loop, "_LACKING", 20 * MS):
            with (
                mock.patch.object(loop.socket, "socketpair", side_effect=lacking) as tried,
                self.assertLogs("connectordb.live.socket.loop", "WARNING"),
            ):
                with self.assertRaisesRegex(ConnectionFailed, "Too many open files"):
                    live.subscribe(STREAM, Record())
                live.subscribe(STREAM, record, wait=False)
                before = tried.call_count
                self.eventually(lambda: tried.call_count > before + 2)
            peer = self.peer.connection()
            self.assertEqual(peer.command()[1], str(STREAM))
            peer.say(str(STREAM), [POINT])
            self.eventually(lambda: record.values == [1])

    def test_threads(self) -> None:
        """Telling of a loss may fail, where there is no thread that would tell it on; the connection is made again."""
        live, peer, record = self.subscribed()
        with (
            mock.patch.object(live._switchboard, "lost", side_effect=RuntimeError("can't start new thread")),
            self.assertLogs("connectordb.live.socket.loop", "ERROR"),
        ):
            peer.drop()
            again = self.peer.connection()
        self.assertTrue(live.is_connected)
        again.drop()
        self.assertEqual(self.peer.connection().command()[1], str(STREAM))


class OwnMistakeTests(PeerCase):
    """Even an error that nobody thought of does not end the thread in silence."""

    def test_in_the_thread(self) -> None:
        """It is logged with its traceback, and the connection is made anew."""
        live, peer, record = self.subscribed()
        with (
            self.assertLogs("connectordb.live.socket.loop", "ERROR") as logged,
            mock.patch.object(live._switchboard, "told", side_effect=RuntimeError("unthought of")),
        ):
            peer.say(str(STREAM), [POINT])
            again = self.peer.connection()
        self.assertIn("Traceback", logged.output[0])
        self.assertEqual(again.command()[1], str(STREAM))
        again.say(str(STREAM), [POINT])
        self.eventually(lambda: record.values == [1, 1], "both were stored")

    def test_in_a_look(self) -> None:
        """It is logged, and tried again."""
        _, peer, _ = self.subscribed()
        mistakes = [RuntimeError("unthought of")]

        def trouble(request: rest.Request[Any]) -> None:
            if mistakes and not request.path.endswith("/data"):  # a look: who follows the stream reads its points
                raise mistakes.pop()

        self.trouble = trouble
        with self.assertLogs("connectordb.live.watching.looking", "ERROR"):
            peer.drop()
            self.assertEqual(self.peer.connection().command()[1], str(STREAM))


class AliveTests(PeerCase):
    """A connection that is alive stays."""

    def test_server_pings(self) -> None:
        """The server's pings are answered with their payload."""
        _, peer, _ = self.subscribed()
        peer.send(frame(PING, b"abc") + frame(PING))
        self.assertEqual([peer.pongs.get(timeout=SOON) for _ in range(2)], [b"abc", b""])

    def test_own_pings(self) -> None:
        """Whoever answers pings may be silent otherwise."""
        _, peer, _ = self.subscribed(replace(FAST, answer=SOON))
        self.assertEqual(peer.pings.get(timeout=SOON), b"1")  # goes with the subscription, and has it answered
        for _ in range(3):
            peer.pings.get(timeout=SOON)
        self.assertEqual(self.peer.accepted, 1)

    def test_unsolicited_pongs(self) -> None:
        """Pongs that nobody asked for mean nothing."""
        live, peer, _ = self.subscribed()
        peer.answers_pings = False
        peer.send(frame(PONG, b"99") + frame(PONG, b"x") + frame(PONG, b"\xb2") + frame(PONG))
        live.subscribe(OTHER, Record(), wait=False)
        self.assertEqual(peer.command()[1], str(OTHER))
        self.assertTrue(live.is_connected)

    def test_a_flood(self) -> None:
        """Messages of many sizes as fast as they come, in order, some in frames."""
        _, peer, record = self.subscribed()
        expected = list(range(2000))
        wire = b""
        for number in expected:
            text = message(str(STREAM), [{"t": number, "d": number}]) + b" " * (number * 7 % 3000)
            half = len(text) // 2
            wire += frame(1, text[:half], final=False) + frame(0, text[half:]) if number % 3 else frame(1, text)
        self.peer.stored[str(STREAM)] = [{"t": number, "d": number} for number in expected]
        peer.send(wire)
        self.eventually(lambda: len(record.values) == 2000)
        self.assertEqual(record.values, expected)

    def test_closed_by_the_last(self) -> None:
        """When nothing is wanted any more the connection goes, and the next subscription makes another."""
        live, peer, _ = self.subscribed(FAST)
        live.unsubscribe(STREAM)
        self.assertEqual(peer.command(), ("unsubscribe", str(STREAM), ""))
        self.assertEqual(peer.closed.get(timeout=SOON), codec.close_payload(1000))
        self.eventually(lambda: not live.is_connected)
        live.subscribe(OTHER, Record())
        self.assertEqual(self.peer.connection().command(), ("subscribe", str(OTHER), ""))
