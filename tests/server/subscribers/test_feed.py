"""One subscriber without its socket."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import RemoteProtocolError
from connectordb.protocol.feed import ID_LIMIT, Command
from connectordb.protocol.paths import Path
from connectordb.server.subscribers.feed import Asked, Outbox, read_command

from ...support.case import Case


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

    def test_halves_of_characters(self) -> None:
        """They are replaced, as in a body."""
        points = read_command(r'{"cmd":"insert","arg":"a/b/c","d":[{"t":1,"d":"\ud800"}]} x').points
        self.assertEqual(points, ({"t": 1, "d": "\ufffd"},))

    def test_what_ends_a_connection(self) -> None:
        """What is no command is refused."""
        for text in ("", "{bad", "[]", '"x"', "5", '{"cmd":5}', '{"arg":[]}', '{"d":5}', '{"d":[1]}', '{"d":NaN}{}'):
            with self.subTest(text), self.assertRaises(RemoteProtocolError):
                read_command(text)

    def test_ids(self) -> None:
        """A command with an id is answered whatever else is wrong with it; what can be no id ends a connection."""
        path = Path.parse("a/b/c")
        for id in ("x", "", 5, -1.5, 2**63, "x" * ID_LIMIT):
            self.assertEqual(
                read_command(Command("subscribe", "a/b/c", id=id).encode()), Asked("subscribe", path, id=id)
            )
            for wrong in ({"cmd": "nosuch"}, {"cmd": 5}, {"arg": []}, {"d": 5}, {"d": [{"t": "x"}]}, {"key": 5}, {}):
                asked = read_command(json.dumps({"id": id, **wrong}))
                self.assertEqual((asked.cmd, asked.id, bool(asked.fault)), ("", id, True))
        for id in ([], {}, True, "x" * (ID_LIMIT + 1)):
            with self.subTest(id), self.assertRaises(RemoteProtocolError):
                read_command(json.dumps({"cmd": "subscribe", "arg": "a/b/c", "id": id}))
        keyed = read_command(Command("insert", "a/b/c", d=({"t": 1, "d": 2},), key="k").encode())
        self.assertEqual((keyed.key, keyed.id), ("k", None))

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
        outbox = Outbox(messages=3, size=100)
        for frame in (b"a", b"b", b"c"):
            self.assertTrue(outbox.has_room() and outbox.offer(frame))
        self.assertFalse(outbox.has_room())
        self.assertEqual([outbox.take() for _ in range(4)], [b"a", b"b", b"c", None])

    def test_bounds(self) -> None:
        """More messages or bytes than the bound are refused until some are taken; one large message alone is fine."""
        outbox = Outbox(messages=2, size=10)
        self.assertTrue(outbox.offer(b"x" * 100))
        self.assertFalse(outbox.has_room() or outbox.offer(b""))
        outbox.take()
        self.assertTrue(outbox.offer(b"x" * 8))
        self.assertTrue(outbox.has_room())
        self.assertFalse(outbox.offer(b"xxx"))
        self.assertTrue(outbox.offer(b"xx"))
        self.assertFalse(outbox.has_room())
        few = Outbox(messages=2, size=10)
        self.assertEqual([few.offer(b"x") for _ in range(3)], [True, True, False])
        self.assertEqual(len(few), 2)
