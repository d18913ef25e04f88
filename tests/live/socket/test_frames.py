"""Websocket frames: however the bytes are cut, the same messages; and nothing that a server may not send."""

from __future__ import annotations

import os
import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import RemoteProtocolError
from connectordb.live.socket import frames
from tests.support import ws_peer

LIMIT = 1_000_000


@st.composite
def traffic(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, bytes]]]:
    """Return what a server sends, and the events that it should make."""
    wire, events = b"", []
    for _ in range(draw(st.integers(0, 5))):
        payload = draw(st.binary(max_size=200)) * draw(st.sampled_from([1, 1, 400]))
        parts = draw(st.integers(1, 4))
        cuts = sorted(draw(st.integers(0, len(payload))) for _ in range(parts - 1))
        pieces = [payload[start:end] for start, end in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        for number, piece in enumerate(pieces):
            wire += ws_peer.frame(1 if number == 0 else 0, piece, final=number == parts - 1)
            if number < parts - 1 and draw(st.booleans()):  # a ping may come between the frames of a message
                ping = draw(st.binary(max_size=125))
                wire += ws_peer.frame(ws_peer.PING, ping)
                events.append((frames.PING, ping))
        events.append((frames.TEXT, payload))
    return wire, events


class ReaderTests(unittest.TestCase):
    """Bytes to events."""

    @given(traffic(), st.lists(st.integers(1, 50), min_size=1))
    def test_any_cut(self, sent: tuple[bytes, list[tuple[int, bytes]]], sizes: list[int]) -> None:
        """Fragmented messages are put together, control frames between them come at once, in any cut of the bytes."""
        wire, expected = sent
        reader = frames.Reader(LIMIT)
        events, at, turn = [], 0, 0
        while at < len(wire):
            size = sizes[turn % len(sizes)] * (1 if len(wire) < 2000 else 997)
            events += reader.feed(wire[at : at + size])
            at, turn = at + size, turn + 1
        self.assertEqual([(event.opcode, event.payload) for event in events], expected)

    @given(st.binary(max_size=300))
    def test_garbage(self, data: bytes) -> None:
        """Any bytes make events or our error, nothing else."""
        try:
            frames.Reader(LIMIT).feed(data)
        except RemoteProtocolError:
            pass

    def test_refused(self) -> None:
        """What a server may not send."""
        for what, wire in {
            "masked": b"\x81\x81abcd.",
            "extension": ws_peer.frame(1, b"x", first_byte=0xC1),
            "long ping": ws_peer.frame(ws_peer.PING, b"x" * 126),
            "ping in pieces": ws_peer.frame(ws_peer.PING, b"x", final=False),
            "unknown kind": ws_peer.frame(3, b"x"),
            "continuation of nothing": ws_peer.frame(0, b"x"),
            "text inside of a text": ws_peer.frame(1, b"x", final=False) + ws_peer.frame(1, b"x"),
        }.items():
            with self.subTest(what), self.assertRaises(RemoteProtocolError):
                frames.Reader(LIMIT).feed(wire)

    def test_too_large(self) -> None:
        """A size beyond the limit is refused before its bytes come, in one frame or in many."""
        with self.assertRaises(frames.MessageTooLarge):
            frames.Reader(100).feed(b"\x81\x7f" + (2**62).to_bytes(8, "big"))
        for size in (101, 126, 70_000):
            with self.assertRaises(frames.MessageTooLarge):
                frames.Reader(100).feed(ws_peer.frame(1, b"x" * size))
        reader = frames.Reader(100)
        reader.feed(ws_peer.frame(1, b"x" * 60, final=False))
        with self.assertRaises(frames.MessageTooLarge):
            reader.feed(ws_peer.frame(0, b"x" * 41))

    def test_room_that_is_used_again(self) -> None:
        """What was read into is written over by the next bytes; events and what is left of a frame are copies."""
        room, reader = bytearray(64), frames.Reader(LIMIT)
        wire = ws_peer.frame(1, b"one") + ws_peer.frame(1, b"two") + ws_peer.frame(1, b"three")
        events = []
        for at in range(0, len(wire), 7):
            piece = wire[at : at + 7]
            room[: len(piece)] = piece
            events += reader.feed(memoryview(room)[: len(piece)])
        self.assertEqual([event.payload for event in events], [b"one", b"two", b"three"])

    def test_close_reason(self) -> None:
        """A Close frame may have a code and a text, or nothing."""
        self.assertEqual(frames.close_reason(b""), "no reason given")
        self.assertEqual(frames.close_reason(frames.close_payload(1009)), "code 1009")
        self.assertEqual(frames.close_reason(b"\x03\xeabad mask"), "code 1002 bad mask")

    def test_leaving(self) -> None:
        """One of the codes says that the server stops."""
        self.assertTrue(frames.says_it_leaves(frames.close_payload(1001) + b"the server is stopping"))
        for payload in (b"", b"\x03", frames.close_payload(1000)):
            self.assertFalse(frames.says_it_leaves(payload))


class EncodeTests(unittest.TestCase):
    """Events to bytes."""

    @given(st.binary(max_size=300), st.sampled_from([1, 1, 1, 300]))
    def test_masked(self, payload: bytes, times: int) -> None:
        """Unmasking gives the payload back, for every form of the length."""
        payload *= times
        mask = os.urandom(4)
        wire = frames.encode(frames.TEXT, payload, mask)
        self.assertEqual(wire[0], 0x81)
        self.assertTrue(wire[1] & 0x80)
        head = {126: 4, 127: 10}.get(wire[1] & 0x7F, 2)
        self.assertEqual(wire[head : head + 4], mask)
        self.assertEqual(bytes(byte ^ mask[at % 4] for at, byte in enumerate(wire[head + 4 :])), payload)
