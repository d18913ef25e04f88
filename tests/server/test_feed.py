"""One subscriber without its socket."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import RemoteProtocolError
from connectordb.protocol.feed import Command, Message
from connectordb.protocol.paths import Path
from connectordb.server.feed import Asked, Outbox, encode, read_command
from connectordb.server.handlers import Published

from ..support.case import Case


class Commands(Case):
    """What a client's message asks for."""

    def test_commands(self) -> None:
        """The client's own commands are understood."""
        path = Path.parse("mara/lamp/light/downlink")
        for command, asked in (
            (Command("subscribe", str(path)), Asked("subscribe", path)),
            (Command("unsubscribe", str(path), "sum"), Asked("unsubscribe", path, "sum")),
            (Command("unsubscribe_all"), Asked("unsubscribe_all")),
            (Command("insert", str(path), d=({"t": 1.0, "d": 2},)), Asked("insert", path, "", ({"t": 1.0, "d": 2},))),
        ):
            self.assertEqual(read_command(command.encode()), asked)
            self.assertEqual(read_command(command.encode().decode()), asked)

    def test_keys_do_not_stick(self) -> None:
        """A key that is left out is empty."""
        self.assertEqual(read_command('{"cmd":"insert","arg":"a/b/c"}'), Asked("insert", Path.parse("a/b/c")))

    def test_no_stream(self) -> None:
        """What is no path of a stream is none."""
        for arg in ("", "mara", "mara/lamp", "a/b/c/d", "a/b/c/", "a/b/c/downlink/x"):
            self.assertIsNone(read_command(json.dumps({"cmd": "subscribe", "arg": arg})).path)

    def test_nothing(self) -> None:
        """Unknown commands and empty objects ask for nothing; what follows the first value is ignored."""
        for text in ('{"cmd":"nosuch"}', "{}", "null", '{"cmd":"nosuch"}{bad', ' {"cmd":null} 5'):
            self.assertEqual(read_command(text).cmd, "")
        self.assertEqual(read_command('{"cmd":"unsubscribe_all"}{"cmd":"insert"}').cmd, "unsubscribe_all")

    def test_what_ends_a_connection(self) -> None:
        """What is no command is refused."""
        for text in ("", "{bad", "[]", '"x"', "5", '{"cmd":5}', '{"arg":[]}', '{"d":5}', '{"d":[1]}', '{"d":NaN}{}'):
            with self.subTest(text), self.assertRaises(RemoteProtocolError):
                read_command(text)

    @given(
        st.one_of(st.text(), st.binary(), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
    )
    def test_never_anything_else(self, text: str | bytes) -> None:
        """Whatever comes, it asks for something or is refused."""
        try:
            self.assertIsInstance(read_command(text), Asked)
        except RemoteProtocolError:
            pass


class Outboxes(Case):
    """What waits to be sent."""

    def test_in_order(self) -> None:
        """Messages are taken as they came."""
        outbox = Outbox()
        for text in "abc":
            self.assertTrue(outbox.offer(text))
        self.assertEqual([outbox.take() for _ in range(4)], ["a", "b", "c", None])

    def test_bounds(self) -> None:
        """More messages or bytes than the bound are refused, from then on all; one large message alone is fine."""
        outbox = Outbox(messages=2, size=10)
        self.assertTrue(outbox.offer("x" * 100))
        outbox.take()
        self.assertTrue(outbox.offer("x" * 8))
        self.assertFalse(outbox.offer("xxx"))
        self.assertTrue(outbox.overflowed)
        self.assertFalse(outbox.offer(""))
        few = Outbox(messages=2, size=10)
        self.assertEqual([few.offer("x") for _ in range(3)], [True, True, False])
        self.assertEqual(len(few), 2)

    def test_messages(self) -> None:
        """A message is what the client reads."""
        published = Published("a/b/c", ({"t": 1.5, "d": "é"}, {"t": 2, "o": "x/y"}))
        message = Message.decode(encode(published))
        self.assertEqual(message.stream, "a/b/c")
        self.assertEqual(message.data, ({"t": 1.5, "d": "é"}, {"t": 2, "o": "x/y", "d": None}))
