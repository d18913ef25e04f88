"""Websocket commands and messages."""

from __future__ import annotations

import json
import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import RemoteProtocolError
from connectordb.protocol.feed import Command, Message

from ..support.strategies import datapoints, paths, texts


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
