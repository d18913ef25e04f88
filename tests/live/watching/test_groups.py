"""Tests of `connectordb.live.watching.groups`."""

from __future__ import annotations

from typing import Any, cast

from connectordb.exceptions import RemoteProtocolError
from connectordb.live.watching.groups import Groups, hear
from connectordb.live.watching.subscriptions import Key
from connectordb.protocol.feed import Gap, Message
from tests.support.case import Case


class Watcher:
    """What a group needs to know of a subscription; what its follower is told is kept."""

    def __init__(
        self, key: Key = ("a/b/c", ""), is_private: bool = False, transform: str = "", reads: bool = True
    ) -> None:
        self.key = key
        self.transform = transform or key[1]
        self.is_private = is_private
        self.reads = reads
        self.follower = self
        self.heard: list[Any] = []

    def signal(self, number: int) -> bool:
        """Take a signal."""
        self.heard += [number] if self.reads else []
        return self.reads

    def told(self, index: int | None, points: Any, size: int, claims: Any) -> None:
        """Take points."""
        self.heard.append((index, list(points), len(claims)))


def watcher(**given: Any) -> Any:
    """Return one."""
    return cast(Any, Watcher(**given))


class GroupsTests(Case):
    """Who replaces whom, and what is left."""

    def test_replaced(self) -> None:
        """A second takes the place of the first, unless it is added; private ones neither replace nor are replaced."""
        groups = Groups()
        first, second, third, private = watcher(), watcher(), watcher(), watcher(is_private=True)
        self.assertEqual(groups.add(first, True), [])
        self.assertEqual(groups.add(private, True), [])
        self.assertEqual(groups.add(second, True), [first])
        self.assertEqual(groups.add(third, False), [])
        self.assertEqual(list(groups.of(first.key)), [private, second, third])
        self.assertEqual(groups.public("a/b/c", ""), [second, third])
        self.assertEqual(groups.all(), [private, second, third])

    def test_transforms_here(self) -> None:
        """One whose transform runs here is told as one without, and neither replaces nor is replaced by it."""
        groups, plain, here = Groups(), watcher(), watcher(transform="mean")
        there = watcher(key=("a/b/c", "mean"))
        for each in (plain, here, there):
            self.assertEqual(groups.add(each, True), [])
        self.assertEqual(groups.public("a/b/c", "mean"), [there, here])
        self.assertEqual(groups.public("a/b/c", ""), [plain])
        self.assertEqual(groups.add(watcher(transform="mean"), True), [here])

    def test_put_back(self) -> None:
        """What was replaced is back, if what replaced it is still there."""
        groups, first, second = Groups(), watcher(), watcher()
        groups.add(first, True)
        self.assertTrue(groups.put_back(groups.add(second, True), second))
        self.assertEqual(groups.all(), [first])
        self.assertFalse(groups.put_back([first], second))
        self.assertFalse(groups.put_back([], first))

    def test_removed(self) -> None:
        """The last of a key takes it along, and the claims to its commands."""
        groups, first, second, other = Groups(), watcher(), watcher(), watcher(key=("a/b/d", ""))
        for each in (first, second, other):
            groups.add(each, False)
        claim = groups.claim(first.key, (5, 1.0))
        self.assertIs(groups.claim(first.key, (5, 1.0)), claim)
        self.assertEqual(groups.remove([first]), [])
        self.assertEqual(groups.remove([second, other, first]), [first.key, other.key])
        self.assertIsNot(groups.claim(first.key, (5, 1.0)), claim)
        self.assertEqual(groups.all(), [])


class HearTests(Case):
    """Who is told what."""

    def heard(self, message: Message, is_indexed: bool, *watchers: Any) -> list[Any]:
        """Return what watchers of the message's stream are told."""
        key = (message.stream, message.transform)
        self.assertIsNone(hear(message.encode(), is_indexed, lambda asked: watchers if asked == key else ()))
        return [each.heard for each in watchers]

    def test_signals(self) -> None:
        """Where no indices are told, who can read has a signal, and who cannot has the points; whatever the points look like."""
        for value in (1, {"t": 2}):
            message = Message("a/b/c", ({"t": 1, "d": value}, {"t": 2, "d": value}))
            heard = self.heard(message, False, watcher(), watcher(reads=False), watcher(reads=False))
            self.assertEqual(heard, [[2], [(None, list(message.data), 0)], [(None, list(message.data), 0)]])
            self.assertEqual(self.heard(message, False, watcher()), [[2]])

    def test_indices(self) -> None:
        """Where they are, everybody has the points, each of his own."""
        first, second = watcher(), watcher()
        self.heard(Message("a/b/c", ({"t": 1, "d": 2},), index=5), True, first, second)
        self.assertEqual(first.heard, [(5, [{"t": 1, "d": 2}], 0)])
        self.assertEqual(second.heard, first.heard)
        self.assertIsNot(second.heard[0][1][0], first.heard[0][1][0])

    def test_claims(self) -> None:
        """Only commands without a place come with claims, as only commands are acknowledged."""
        message = Message("a/b/c/downlink", ({"t": 1, "d": 2},))
        self.assertEqual(self.heard(message, True, watcher(key=("a/b/c/downlink", "")))[0][0][2], 1)

    def test_else(self) -> None:
        """What is about no points is the caller's business; an empty insert is nobody's; nonsense is refused."""
        self.assertEqual(hear(Gap("a/b/c", 1, 2).encode(), True, lambda key: ()), Gap("a/b/c", 1, 2))
        self.assertEqual(self.heard(Message("a/b/c", ()), True, watcher()), [[]])
        for text in (b"[]", b'{"stream":"a/b/c","data":[{"t":1,"d":'):
            self.assertRaises(RemoteProtocolError, hear, text, False, lambda key: ())
