"""Tests of `connectordb.live.watching.groups`."""

from __future__ import annotations

from typing import Any, cast

from connectordb.live.watching.groups import Groups
from connectordb.live.watching.subscriptions import Key
from tests.support.case import Case


class Watcher:
    """What a group needs to know of a subscription."""

    def __init__(self, key: Key = ("a/b/c", ""), is_private: bool = False, transform: str = "") -> None:
        self.key = key
        self.transform = transform or key[1]
        self.is_private = is_private


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
