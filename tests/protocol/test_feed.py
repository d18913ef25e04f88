"""Websocket commands and messages."""

from __future__ import annotations

import json
import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import RemoteProtocolError
from connectordb.protocol.feed import (
    END_REASONS,
    Command,
    Done,
    Ended,
    Failed,
    Gap,
    Lost,
    Message,
    Told,
    read_signal,
    read_told,
)

from ..support.strategies import datapoints, paths, texts

IDS = st.text(max_size=20) | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
INDICES = st.integers(0, 2**40)
TOLD: st.SearchStrategy[Told] = st.one_of(
    st.builds(Message, st.just("a/b/c"), st.just(({"t": 1.0, "d": None},)), st.just(""), st.none() | INDICES),
    st.builds(Done, IDS, st.just("a/b/c"), st.none() | INDICES, st.just("17"), st.booleans()),
    st.builds(Done, IDS, st.sampled_from(["", "a/b/c"]), st.none() | INDICES),
    st.builds(Failed, IDS, st.integers(400, 599), texts, texts),
    st.builds(Gap, texts, INDICES, INDICES),
    st.builds(Lost, texts, INDICES),
    st.builds(Ended, texts, st.sampled_from(END_REASONS)),
)


class Commands(unittest.TestCase):
    """What a client says."""

    def test_all_keys(self) -> None:
        """Every command has all four keys: the original remembers those that are left out."""
        for command in (
            Command("subscribe", "a/b/c"),
            Command("unsubscribe_all"),
            Command("insert", "a/b/c", d=({"t": 1, "d": 2},)),
        ):
            with self.subTest(command):
                self.assertEqual(json.loads(command.encode()).keys(), {"cmd", "arg", "transform", "d"})

    def test_beyond(self) -> None:
        """An id and a key are there only if they are given."""
        content = json.loads(Command("insert", "a/b/c", id=0, key="k").encode())
        self.assertEqual((content["id"], content["key"]), (0, "k"))


class Messages(unittest.TestCase):
    """What a server says."""

    @given(paths(3), datapoints(), texts)
    def test_reads_back(self, path: object, points: list[dict[str, object]], transform: str) -> None:
        """What is written is what is read."""
        message = Message(str(path), tuple(points), transform)
        self.assertEqual(Message.decode(message.encode()), message)

    def test_what_is_left_out(self) -> None:
        """A point without a value is a null; an empty insert has no points."""
        self.assertEqual(Message.decode('{"stream":"a/b/c","data":[{"t":1}]}').data, ({"t": 1, "d": None},))
        self.assertEqual(Message.decode('{"stream":"a/b/c","data":null}\n').data, ())

    @given(
        st.one_of(
            st.text(max_size=40),
            st.sampled_from(
                [
                    '{"stream":5,"data":[]}',
                    '{"stream":"a"}',
                    "[]",
                    '{"stream":"a","data":[1]}',
                    '{"stream":"a","data":[],"transform":1}',
                ]
            ),
        )
    )
    def test_anything_else(self, text: str) -> None:
        """What is no message raises one of our errors and nothing else."""
        self.assertRaises(RemoteProtocolError, Message.decode, text)

    @given(
        st.just("mara/lamp/light") | paths(3).map(str),
        datapoints(),
        st.sampled_from(["", "if last"]),
        st.none() | st.just(5),
        st.sampled_from([b"", b"\n"]),
    )
    def test_signal(
        self, path: str, points: list[dict[str, object]], transform: str, index: int | None, end: bytes
    ) -> None:
        """What is seen of a message without reading it is so; where it cannot be seen, nothing is said."""
        message = Message(path, tuple(points), transform, index)
        seen = read_signal(message.encode() + end)
        self.assertIn(seen, (None, (path, len(points))))
        if transform or index is not None or not points:
            self.assertIsNone(seen)

    def test_signals(self) -> None:
        """Points as most are need not be read; half a message is none, and braces within points are not mistaken for points."""
        text = b'{"stream":"mara/lamp/light","data":[{"t":1.5,"d":[1,"a"]},{"t":2,"d":true,"o":"mara/user"}]}'
        self.assertEqual(read_signal(text), ("mara/lamp/light", 2))
        self.assertEqual(read_signal(text + b"\n"), ("mara/lamp/light", 2))
        for other in (
            text[:-1],
            text[: len(text) // 2] + bytes(len(text) // 2),
            text.replace(b"true", b'{"t":1}'),
            text.replace(b"true", b'[{"t":1},{"t":1}]'),
            text.replace(b"true", b'"{"'),
            text.replace(b'"stream":"mara/lamp/light"', b'"stream":5'),
        ):
            self.assertIsNone(read_signal(other), other)


class Beyond(unittest.TestCase):
    """What a server says to whom gave ids."""

    @given(TOLD)
    def test_reads_back(self, told: Told) -> None:
        """What is written is what is read."""
        self.assertEqual(read_told(told.encode()), told)

    def test_as_documented(self) -> None:
        """The texts are those that clients can rely on."""
        for told, text in (
            (
                Done(7, "a/b/c", 120, "17"),
                '{"id":7,"ok":{"stream":"a/b/c","index":120,"series":"17","ephemeral":false}}',
            ),
            (Done("x"), '{"id":"x","ok":{}}'),
            (Failed(1, 403, "no", "r"), '{"id":1,"error":{"code":403,"msg":"no","ref":"r"}}'),
            (Message("a/b/c", ({"t": 1, "d": 2},), index=5), '{"stream":"a/b/c","index":5,"data":[{"t":1,"d":2}]}'),
            (Gap("a/b/c", 5, 9), '{"stream":"a/b/c","gap":[5,9]}'),
            (Lost("a/b/c", 3), '{"stream":"a/b/c","lost":3}'),
            (Ended("a/b/c", "denied"), '{"stream":"a/b/c","ended":"denied"}'),
        ):
            self.assertEqual(told.encode().decode(), text)

    @given(
        st.one_of(
            st.text(max_size=40),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                lambda inner: st.dictionaries(
                    st.sampled_from(["id", "ok", "error", "stream", "gap", "lost", "ended", "index", "code"]), inner
                ),
            ).map(json.dumps),
        )
    )
    def test_anything_else(self, text: str) -> None:
        """What says nothing raises one of our errors and nothing else."""
        try:
            read_told(text)
        except RemoteProtocolError:
            pass
