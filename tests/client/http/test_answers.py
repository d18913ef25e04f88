"""The body of an answer, as it was sent or not at all."""

from __future__ import annotations

import gzip
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.client.http import Transport, answers
from connectordb.client.terms.judging import Fate
from connectordb.client.terms.trace import Trace
from connectordb.exceptions import ConnectionFailed, RemoteProtocolError
from tests.support.case import Case
from tests.support.wire import Peer, Step, answer, flood, raw

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def deflated(data: bytes, bits: int) -> bytes:
    """Return deflated data, with or without zlib's head."""
    packer = zlib.compressobj(wbits=bits)
    return packer.compress(data) + packer.flush()


class Bodies(Case):
    """Read over the wire."""

    def setUp(self) -> None:
        super().setUp()
        self.peer = Peer()
        self.addCleanup(self.peer.close)
        self.transport = Transport(self.peer.url)
        self.addCleanup(self.transport.close)

    def content(self, step: Step) -> bytes:
        """Return what an answer says."""
        self.peer.steps[:] = [step]
        return self.transport.send("GET", "/", Trace()).content

    def fails(self, step: Step, why: str) -> None:
        """See that an answer is refused, and its connection not used again."""
        self.peer.steps[:] = [step]
        before, trace = self.peer.connections, Trace()
        with self.assertRaisesRegex((ConnectionFailed, RemoteProtocolError), f"GET http.*: .*{why}"):
            self.transport.send("GET", "/", trace)
        self.assertIs(trace.fate, Fate.BROKEN)
        self.content(answer("ok"))
        self.assertGreater(self.peer.connections, before)

    def test_whole(self) -> None:
        """With a length, in chunks, until the end, or none."""
        for step, body in (
            (answer("12345"), b"12345"),
            (answer(""), b""),
            (raw(CHUNKED + b"3\r\n123\r\n2;x=y\r\n45\r\n0\r\nX: y\r\n\r\n"), b"12345"),
            (raw(HEAD + b"\r\n12345", then_close=True), b"12345"),
            (raw(b"HTTP/1.1 204 No Content\r\n\r\n"), b""),
            (raw(b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 5\r\n\r\n12345"), b"12345"),
        ):
            with self.subTest(body=body):
                self.assertEqual(self.content(step), body)

    def test_packed(self) -> None:
        """Packed with what was asked for, however a server takes "deflate"; twice, too."""
        body = b'[{"t":1,"d":2}]' * 100
        for packed, name in (
            (gzip.compress(body), "gzip"),
            (gzip.compress(body), "X-GZip"),
            (deflated(body, 15), "deflate"),
            (deflated(body, -15), "deflate"),
            (body, "identity"),
            (gzip.compress(deflated(body, 15)), "deflate, gzip"),
        ):
            with self.subTest(name):
                self.assertEqual(self.content(answer(packed, Content_Encoding=name)), body)
        self.assertEqual(self.peer.requests[0].headers["accept-encoding"], "gzip, deflate")
        packed = gzip.compress(body)
        step = raw(
            HEAD
            + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
            % (len(packed), packed)
        )
        self.assertEqual(self.content(step), body)

    def test_not_asked_for(self) -> None:
        """What is packed otherwise is left as it is."""
        self.assertEqual(self.content(answer(b"\x00\x01", Content_Encoding="br")), b"\x00\x01")

    def test_cut_or_damaged(self) -> None:
        """What was packed has to come to its end, and to be what it was."""
        packed = gzip.compress(b"w1u27/user")
        for cut in range(1, len(packed)):
            with self.assertRaises(answers.Damaged):
                answers._unpacked(packed[:cut], "gzip", 1000)
        self.fails(answer(packed[:-3], Content_Encoding="gzip"), "was cut on its way")
        harmed = packed[:-6] + b"\x00" + packed[-5:]
        self.fails(answer(harmed, Content_Encoding="gzip"), "cannot be unpacked")
        self.fails(answer(b"no gzip", Content_Encoding="deflate"), "cannot be unpacked")

    def test_wrong_length(self) -> None:
        """Less than was promised, and more: neither is an answer, and nothing is taken for the next one."""
        self.fails(raw(HEAD + b"Content-Length: 10\r\n\r\n123", then_close=True), "the connection broke")
        for cut in (HEAD, HEAD + b"Content-Le", HEAD + b"X: y\r\n"):
            self.fails(raw(cut, then_close=True), "the connection broke: the answer was cut off within its head")
        self.fails(raw(HEAD + b"Content-Length: 3\r\n\r\n12345"), "more came than the answer is said to have")
        smuggled = HEAD + b"Content-Length: 4\r\n\r\nevil"
        self.fails(raw(HEAD + b"Content-Length: 2\r\n\r\nok" + smuggled), "more came")
        self.fails(raw(CHUNKED + b"3\r\n123\r\n0\r\n\r\n45"), "more came")
        self.fails(raw(CHUNKED + b"3\r\n123\r\nzz\r\n"), "the connection broke")
        self.fails(raw(CHUNKED + b"3\r\n123\r\n", then_close=True), "the connection broke")

    def test_without_end(self) -> None:
        """No more is taken than one can hold, whether it is announced, just comes, or is packed."""
        limit, chunk = 1_000_000, b"10000\r\n" + bytes(0x10000) + b"\r\n"
        self.addCleanup(setattr, answers.content, "__defaults__", answers.content.__defaults__)
        answers.content.__defaults__ = (limit,)
        self.fails(flood(chunk, CHUNKED), "has no end: more than 1,000,000 bytes are not taken")
        self.fails(flood(bytes(0x10000), HEAD + b"\r\n"), "has no end")
        self.fails(raw(HEAD + b"Content-Length: 1000001\r\n\r\n"), "has 1,000,001 bytes, and more than 1,000,000")
        bomb = gzip.compress(bytes(limit + 1))
        self.fails(answer(bomb, Content_Encoding="gzip"), "unpacks to more than 1,000,000 bytes")
        self.assertEqual(len(self.content(answer(gzip.compress(bytes(limit)), Content_Encoding="gzip"))), limit)


class Unpacking(Case):
    """For any data."""

    @settings(max_examples=50)
    @given(data=st.binary(max_size=2000), packs=st.booleans(), size=st.integers(1, 99), lost=st.integers(0, 9))
    def test_in_pieces(self, data: bytes, packs: bool, size: int, lost: int) -> None:
        """Wherever it is cut into pieces, all of it comes out; and if something is missing that is told."""
        sent = deflated(data, 31) if packs else data
        cut = sent[: len(sent) - lost] if packs else sent
        pieces = [cut[at : at + size] for at in range(0, len(cut), size)]
        coming = answers.unpacked(pieces, lambda: "gzip" if packs else "")
        if packs and lost:
            with self.assertRaisesRegex(answers.Damaged, "packed with gzip, and was cut on its way"):
                list(coming)
        else:
            self.assertEqual(b"".join(coming), data)

    def test_bomb_in_pieces(self) -> None:
        """What unpacks to very much comes out in parts, however small it is."""
        parts = list(map(len, answers.unpacked([deflated(bytes(10_000_000), 31)], lambda: "gzip")))
        self.assertEqual((sum(parts), max(parts) <= 300_000), (10_000_000, True))

    @settings(max_examples=50)
    @given(data=st.binary(max_size=2000), bits=st.sampled_from([15, -15, 31]))
    def test_there_and_back(self, data: bytes, bits: int) -> None:
        """What was packed is what comes out."""
        name = "gzip" if bits == 31 else "deflate"
        self.assertEqual(answers._unpacked(deflated(data, bits), name, 2000), data)
