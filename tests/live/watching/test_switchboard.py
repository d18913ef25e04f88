"""Subscribing and closing, with a scripted server: what is waited for, and what is said when that does not come."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any, cast
from unittest import mock

from connectordb.exceptions import (
    ClosedError,
    ConnectionFailed,
    InvalidRequest,
    LocalProtocolError,
    NotFound,
    ServerError,
    TimedOut,
)
from connectordb.live import Live, Options, Timing
from connectordb.live.following.reads import Seen
from connectordb.live.socket import frames as codec
from connectordb.live.watching import switchboard
from connectordb.live.watching.subscriptions import State
from connectordb.live.watching.switchboard import Switchboard
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from connectordb.runtime.backoff import Backoff
from connectordb.runtime.clock import SYSTEM
from tests.support.case import SOON, Case
from tests.support.live_cases import FAST, OTHER, POINT, STREAM, PeerCase, Record


class MeanwhileTests(Case):
    """Who subscribes while the stream is looked at for another."""

    def test_looked_at_before(self) -> None:
        """What was seen is of before he came: it is looked at once more for him."""
        began: list[tuple[str, int]] = []

        class Watcher:
            key, transform, is_private = ("a/b/c", ""), "", False

            def __init__(self, name: str) -> None:
                self.name = name

            def began(self, seen: Seen, unread: bool) -> None:
                began.append((self.name, seen.length))

        first, second = cast(Any, Watcher("first")), cast(Any, Watcher("second"))
        switchboard = Switchboard(lambda key: Seen(0), Timing(), SYSTEM)
        switchboard.add(first, replace=False, start=lambda: None)
        switchboard.opened(None)
        self.assertEqual(switchboard._state.to_look_at(0.0), [first.key])
        wanting = switchboard.wanting(first.key, 0)
        switchboard.add(second, replace=False, start=lambda: None)
        switchboard.was_seen(first.key, 0, Seen(5), wanting)
        self.assertEqual(began, [("first", 5)])
        self.assertEqual(switchboard._state.to_look_at(0.0), [first.key])
        switchboard.was_seen(first.key, 0, Seen(6), switchboard.wanting(first.key, 0))
        self.assertEqual(began[1:], [("first", 6), ("second", 6)])


class PutBackTests(Case):
    """A subscription that was replaced, and is back."""

    def test_disconnected(self) -> None:
        """It is told that nothing is told it any more, as it may have missed that, and its stream is looked at again."""
        away: list[str] = []

        class Watcher:
            key, transform, is_private = ("a/b/c", ""), "", False

            def __init__(self, name: str) -> None:
                self.name = name

            def disconnected(self) -> None:
                away.append(self.name)

        first, second = cast(Any, Watcher("first")), cast(Any, Watcher("second"))
        switchboard = Switchboard(lambda key: Seen(0), Timing(), SYSTEM)
        switchboard.add(first, replace=True, start=lambda: None)
        replaced, _ = switchboard.add(second, replace=True, start=lambda: None)
        switchboard._state._entries[first.key].state = State.LIVE
        switchboard.withdraw(second, replaced)
        self.assertEqual((away, switchboard.public("a/b/c", "")), (["first"], [first]))
        self.assertIs(switchboard._state.state(first.key), State.WANTED)


class SubscribeTests(PeerCase):
    """What `subscribe` waits for, and what it says when that does not come."""

    def test_nothing_there(self) -> None:
        """With the server away it raises, and nothing is left behind."""
        self.peer.close()
        live = self.live()
        with self.assertRaises(ConnectionFailed):
            live.subscribe(STREAM, Record())
        self.assertFalse(live._switchboard.is_wanted())

    def test_no_wait(self) -> None:
        """Without waiting it connects when it can."""
        self.peer.refusals = [b"HTTP/1.1 503 Oops\r\n\r\n"] * 3
        live, record = self.live(), Record()
        live.subscribe(STREAM, record, wait=False)
        peer = self.peer.connection()
        self.assertEqual(peer.command(), ("subscribe", str(STREAM), ""))
        peer.say(str(STREAM), [POINT])
        self.eventually(lambda: record.values == [1])

    def test_refused_by_rest(self) -> None:
        """What REST refuses, or fails at, is raised at once, and the server is not told of it over the websocket."""
        live = self.live()
        for error in (
            NotFound("no", status=403),
            InvalidRequest("Script 'x': no", status=403),
            ConnectionFailed("gone"),
            ServerError("no", status=500),
        ):

            def trouble(request: rest.Request[Any], error: Exception = error) -> None:
                raise error

            self.trouble = trouble
            with self.assertRaises(type(error)):
                live.subscribe(STREAM, Record())
            self.assertFalse(live._switchboard.is_wanted())
        self.trouble = lambda request: None
        live.subscribe(OTHER, Record())
        peer = self.peer.connection()
        self.assertEqual(peer.command()[1], str(OTHER))
        self.assertTrue(peer.commands.empty())

    def test_no_confirmation(self) -> None:
        """A server that takes the command and falls silent: TimedOut within its time, and the callback is forgotten."""
        self.peer.answers_pings = False
        live = self.live(timeout=0.1)
        with self.assertRaisesRegex(TimedOut, "'mara/lamp/light': no word from .* within 0.1 s"):
            live.subscribe(STREAM, Record())
        self.assertFalse(live._switchboard.is_wanted())

    def test_lost_while_waiting(self) -> None:
        """A connection that is lost while somebody waits is an error at once."""
        # with a pause before the next one: once that is there, nobody is told any more why there was no other before
        live, peer, _ = self.subscribed(Timing(backoff=Backoff(SOON, SOON)))
        peer.answers_pings = False
        errors: list[Exception] = []

        def subscribe() -> None:
            try:
                live.subscribe(OTHER, Record())
            except ConnectionFailed as error:
                errors.append(error)

        thread = threading.Thread(target=subscribe)
        thread.start()
        self.assertEqual(peer.command()[1], str(OTHER))
        peer.drop()
        thread.join(SOON)
        self.assertIn("without a word", str(errors[0]))
        self.assertNotIn((str(OTHER), ""), live._switchboard._state.wanted)

    def test_replaced_is_back(self) -> None:
        """If a subscription that replaces another fails, the other stays."""
        live, peer, record = self.subscribed()
        self.peer.answers_pings = False
        peer.drop()
        again = self.peer.connection()
        self.assertEqual(again.command()[1], str(STREAM))
        live._timeout = 0.1
        with self.assertRaises(TimedOut):
            live.subscribe(STREAM, Record())
        again.say(str(STREAM), [POINT])
        self.eventually(lambda: record.values == [1])

    def test_original(self) -> None:
        """An original server gets a moment more where nothing can be fetched, as it obeys before it hears of inserts."""
        self.peer.announces = None
        live = self.live()
        began = time.monotonic()
        live.subscribe(STREAM, Record(), "mean")
        self.assertGreaterEqual(time.monotonic() - began, 0.1)
        with mock.patch.object(switchboard, "_SETTLING", SOON):
            began = time.monotonic()
            live.subscribe(STREAM, Record(), add=True)
            self.assertLess(time.monotonic() - began, SOON / 2)

    def test_connected_once(self) -> None:
        """All go over one connection; another transform is another subscription."""
        live, peer, _ = self.subscribed()
        live.subscribe(STREAM, Record(), add=True)
        live.subscribe(STREAM, Record(), "mean")
        self.assertEqual(peer.command(), ("subscribe", str(STREAM), ""))
        self.assertEqual(peer.command(), ("subscribe", str(STREAM), "mean"))
        self.assertTrue(peer.commands.empty())
        self.assertEqual(self.peer.accepted, 1)

    def test_another_callback(self) -> None:
        """One more callback of the same stream is no news to the others, also where the server is told again."""
        live = self.live()
        caught: list[Any] = []
        live.subscribe(STREAM, Record(), options=Options(on_subscribed=caught.append, on_state=caught.append))
        self.eventually(lambda: len(caught) == 3)
        added = live.subscribe(STREAM, Record(), add=True)
        self.assertTrue(added.wait("live", SOON))
        self.assertEqual(sorted(map(str, caught)), ["0", "catching up", "live"])

    def test_ended_in_silence(self) -> None:
        """An original server may have ended a subscription and not said so: it is told again, now and then."""
        live, peer, record = self.subscribed(replace(FAST, quiet=0.05))
        states: list[str] = []
        live.subscribe(OTHER, Record(), options=Options(on_state=states.append))
        for _ in range(3):  # the first of them is that of just now
            self.assertEqual(peer.command()[:2], ("subscribe", str(OTHER)))
            self.assertEqual(peer.command()[:2], ("subscribe", str(STREAM)))
        self.eventually(lambda: states == ["catching up", "live"])
        peer.say(str(STREAM), [POINT])
        self.eventually(lambda: record.values == [1])
        self.assertEqual((record.errors, self.peer.accepted), ([], 1))

    def test_many(self) -> None:
        """Three hundred at once, and again after a loss."""
        live, peer, _ = self.subscribed()
        paths = [Path.parse(f"mara/lamp/s{number}") for number in range(300)]
        for path in paths:
            live.subscribe(path, Record(), wait=False)
        self.assertEqual({peer.command()[1] for _ in paths}, {str(path) for path in paths})
        peer.drop()
        again = self.peer.connection()
        self.assertEqual(len({again.command() for _ in range(301)}), 301)


class AddressTests(Case):
    """Where to connect."""

    def test_no_address(self) -> None:
        """What is no address is refused at once."""
        with self.assertRaisesRegex(LocalProtocolError, "'localhost:3124' is no address"):
            Live("localhost:3124", authorization=lambda: None, call=mock.Mock(), caller=mock.Mock())


class CloseTests(PeerCase):
    """Everything ends."""

    def test_close(self) -> None:
        """The server hears a goodbye; twice is allowed; afterwards nothing begins."""
        live, peer, _ = self.subscribed()
        live.close()
        live.close()
        self.assertEqual(peer.closed.get(timeout=SOON), codec.close_payload(1000))
        with self.assertRaises(ClosedError):
            live.subscribe(STREAM, Record())

    def test_never_used(self) -> None:
        """Without a subscription there is no thread and no socket."""
        self.live().close()
        self.assertEqual(self.peer.accepted, 0)

    def test_while_connecting(self) -> None:
        """A handshake that nobody answers is broken off, and who waits for it is told."""
        self.peer.stalls = True
        live, errors = self.live(), []

        def subscribe() -> None:
            try:
                live.subscribe(STREAM, Record())
            except ClosedError as error:
                errors.append(error)

        thread = threading.Thread(target=subscribe)
        thread.start()
        self.eventually(lambda: self.peer.accepted)
        live.close(timeout=SOON / 4)
        thread.join(SOON)
        self.assertEqual(len(errors), 1)
        self.assertFalse([thread for thread in threading.enumerate() if thread.name == "connectordb-live"])

    def test_while_pausing(self) -> None:
        """A pause between attempts is cut short."""
        self.peer.close()
        live = self.live(Timing(backoff=Backoff(1000, 1000)))
        live.subscribe(STREAM, Record(), wait=False)
        self.eventually(lambda: live._switchboard._losses)
        live.close(timeout=SOON / 4)
        self.assertFalse([thread for thread in threading.enumerate() if thread.name == "connectordb-live"])
