"""The state machine: what the server was told is what the user wants."""

from __future__ import annotations

import unittest

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectordb.live.watching.subscriptions import Key, State, Subscriptions

A: Key = ("u/d/a", "")
B: Key = ("u/d/b", "")
A_LAST: Key = ("u/d/a", "if last")

keys = st.sampled_from([A, B, A_LAST, ("u/d/a/downlink", ""), ("u/d/c", "mean")])


class SubscriptionsMachine(RuleBasedStateMachine):
    """After any order of open, lose, subscribe, unsubscribe: what the server was told = what the user wants."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = Subscriptions()
        self.wanted: set[Key] = set()
        self.is_open = False
        self.now = 0.0
        #: What the server does; what it was told; and on which streams somebody has looked since the connection was lost.
        self.server: set[Key] = set()
        self.told: set[Key] = set()
        self.seen: set[Key] = set()
        self.looking: list[tuple[Key, int]] = []
        self.pings: list[tuple[int, frozenset[Key]]] = []

    @rule(key=keys)
    def subscribe(self, key: Key) -> None:
        self.machine.subscribe(key)
        self.wanted.add(key)

    @rule(key=keys)
    def again(self, key: Key) -> None:
        """The server may have ended it in silence."""
        self.machine.again(key)
        self.server.discard(key)

    @rule(key=keys)
    def unsubscribe(self, key: Key) -> None:
        self.machine.unsubscribe(key)
        self.wanted.discard(key)

    @precondition(lambda self: not self.is_open)
    @rule()
    def open(self) -> None:
        self.machine.opened(False)
        self.is_open = True

    @rule()
    def lose(self) -> None:
        """The connection is lost, or an attempt fails."""
        self.machine.lost()
        self.is_open = False
        self.server.clear()
        self.told.clear()
        self.seen.clear()
        self.pings.clear()

    @rule()
    def look(self) -> None:
        """Somebody begins to look at whatever is due."""
        self.looking += [(key, self.machine.epoch) for key in self.machine.to_look_at(self.now)]

    @precondition(lambda self: self.looking)
    @rule(there=st.booleans(), data=st.data())
    def seen_one(self, there: bool, data: st.DataObject) -> None:
        """A look comes to its end, maybe long after the connection it was for."""
        key, epoch = self.looking.pop(data.draw(st.integers(0, len(self.looking) - 1)))
        if there:
            self.machine.readable(key, epoch)
            if epoch == self.machine.epoch:
                self.seen.add(key)
        else:
            self.machine.not_readable(key, epoch, self.now + 5)

    @rule(most=st.integers(1, 3))
    def send(self, most: int) -> None:
        commands = self.machine.outgoing(most)
        assert len(commands) <= most
        assert self.is_open or not commands
        for command in commands:
            key = (command.arg, command.transform)
            if command.cmd == "subscribe":
                assert key in self.seen, "the server is told only of what somebody has looked at"
                self.server.add(key)
                self.told.add(key)
            else:
                assert command.cmd == "unsubscribe"
                assert key in self.told, "nothing is ended that was not begun"
                self.server.discard(key)
                self.told.remove(key)
        number = self.machine.ping()
        if number is not None:
            assert self.is_open
            self.pings.append((number, frozenset(self.server)))
            assert self.machine.ping() is None, "one ping is enough"

    @precondition(lambda self: self.pings)
    @rule()
    def pong(self) -> None:
        self.machine.pong(self.pings.pop(0)[0])

    @rule()
    def later(self) -> None:
        self.now += 10

    @rule()
    def settle(self) -> None:
        """Let all come to rest, with every stream there: then the two sets are equal, and all is live."""
        if not self.is_open:
            self.open()
        self.now += 10
        self.look()
        for key, epoch in self.looking:
            self.machine.readable(key, epoch)
            if epoch == self.machine.epoch:
                self.seen.add(key)
        self.looking.clear()
        # what was being looked at in vain comes again later
        self.now += 10
        for key in self.machine.to_look_at(self.now):
            self.seen.add(key)
            self.machine.readable(key, self.machine.epoch)
        for _ in range(20):
            self.send(2)
        while self.pings:
            self.pong()
        assert self.server == self.wanted
        assert all(self.machine.state(key) is State.LIVE for key in self.wanted)
        assert self.machine.outgoing(9) == []
        assert self.machine.ping() is None

    @invariant()
    def wants_what_the_user_wants(self) -> None:
        assert self.machine.wanted == self.wanted
        assert bool(self.machine) == bool(self.wanted)

    @invariant()
    def live_means_told(self) -> None:
        """What is called live has been obeyed by the server."""
        for key in self.wanted:
            if self.machine.state(key) is State.LIVE:
                assert key in self.server


SubscriptionsPropertyTests = SubscriptionsMachine.TestCase


class SubscriptionsTests(unittest.TestCase):
    """The state machine by example."""

    def setUp(self) -> None:
        self.machine = Subscriptions()

    def readable(self, *keys: Key) -> None:
        """Want these, and look at them."""
        for key in keys:
            self.machine.subscribe(key)
        for key in self.machine.to_look_at(0):
            self.machine.readable(key, self.machine.epoch)

    def told(self) -> list[tuple[str, str, str]]:
        """Return the commands that go out now."""
        return [(command.cmd, command.arg, command.transform) for command in self.machine.outgoing(99)]

    def test_told_after_a_look(self) -> None:
        """Nothing is sent before the connection is open and somebody has looked; a pong makes it live."""
        self.machine.subscribe(A)
        self.assertEqual(self.told(), [])
        self.assertEqual(self.machine.to_look_at(0), [])
        self.machine.opened(False)
        self.assertEqual(self.told(), [])
        self.assertEqual(self.machine.next_look(), 0)
        self.assertEqual(self.machine.to_look_at(0), [A])
        self.assertEqual(self.machine.to_look_at(0), [])
        self.machine.readable(A, self.machine.epoch)
        self.assertEqual(self.told(), [("subscribe", "u/d/a", "")])
        self.assertIs(self.machine.state(A), State.TOLD)
        ping = self.machine.ping()
        assert ping is not None
        self.assertTrue(self.machine.pong(ping))
        self.assertFalse(self.machine.pong(ping))
        self.assertIs(self.machine.state(A), State.LIVE)

    def test_transforms(self) -> None:
        """A path with several transforms is several subscriptions."""
        self.machine.opened(False)
        self.readable(A, A_LAST)
        self.assertEqual(self.told(), [("subscribe", "u/d/a", ""), ("subscribe", "u/d/a", "if last")])
        self.machine.unsubscribe(A)
        self.assertEqual(self.told(), [("unsubscribe", "u/d/a", "")])

    def test_reconnect(self) -> None:
        """After a loss all is looked at and told again; an old look and an old pong count for nothing."""
        self.machine.opened(False)
        self.readable(A)
        self.told()
        ping = self.machine.ping()
        assert ping is not None
        self.machine.subscribe(B)
        self.assertEqual(self.machine.to_look_at(0), [B])
        old = self.machine.epoch
        self.machine.lost()
        self.machine.opened(False)
        self.assertFalse(self.machine.pong(ping))
        self.machine.readable(B, old)
        self.assertEqual(self.told(), [])
        self.assertEqual(sorted(self.machine.to_look_at(0)), [A, B])

    def test_not_there(self) -> None:
        """A stream that is not there is looked at again later, and told of when it is there."""
        self.machine.opened(False)
        self.machine.subscribe(A)
        self.machine.to_look_at(0)
        self.machine.not_readable(A, self.machine.epoch, again_at=7)
        self.assertEqual((self.machine.to_look_at(6), self.machine.next_look(), self.machine.failures(A)), ([], 7, 1))
        self.assertEqual(self.machine.to_look_at(7), [A])

    def test_told_again(self) -> None:
        """What is wanted once more, be it that it was given up meanwhile, or only again, is looked at, told, and ponged for."""
        self.machine.opened(False)
        self.readable(A)
        self.told()
        ping = self.machine.ping()
        assert ping is not None
        self.machine.pong(ping)
        self.machine.again(A)
        self.assertIs(self.machine.state(A), State.WANTED)
        self.machine.unsubscribe(A)
        self.readable(A)
        self.assertEqual(self.told(), [("subscribe", "u/d/a", "")])
        ping = self.machine.ping()
        assert ping is not None
        self.assertTrue(self.machine.pong(ping))
        self.assertFalse(self.machine.pong(99))
