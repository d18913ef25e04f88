"""
Who has subscribed to which path. Pure.

The hub knows only paths and subscribers: not who may subscribe, which is checked before, and not how messages are sent. It is
used by one thread only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

Subscriber = TypeVar("Subscriber")
Key = TypeVar("Key")
Item = TypeVar("Item")


class Hub(Generic[Subscriber]):
    """Paths, and the subscribers to each."""

    def __init__(self) -> None:
        # dicts serve as sets that keep the order of subscribing
        self._by_path: dict[str, dict[Subscriber, None]] = {}
        self._by_subscriber: dict[Subscriber, dict[str, None]] = {}

    def subscribe(self, subscriber: Subscriber, path: str) -> None:
        """Subscribe *subscriber* to *path*. Doing so twice is the same as once."""
        self._by_path.setdefault(path, {})[subscriber] = None
        self._by_subscriber.setdefault(subscriber, {})[path] = None

    def unsubscribe(self, subscriber: Subscriber, path: str) -> None:
        """End a subscription. Nothing happens if there is none."""
        self._remove(self._by_path, path, subscriber)
        self._remove(self._by_subscriber, subscriber, path)

    def leave(self, subscriber: Subscriber) -> None:
        """End all subscriptions of *subscriber*."""
        for path in self.paths(subscriber):
            self.unsubscribe(subscriber, path)

    def paths(self, subscriber: Subscriber) -> tuple[str, ...]:
        """Return the paths that a subscriber has subscribed to."""
        return tuple(self._by_subscriber.get(subscriber, ()))

    def count(self, subscriber: Subscriber) -> int:
        """Return how many paths a subscriber has subscribed to."""
        return len(self._by_subscriber.get(subscriber, ()))

    def wants(self, subscriber: Subscriber, path: str) -> bool:
        """Tell whether a subscriber has subscribed to a path."""
        return path in self._by_subscriber.get(subscriber, ())

    def subscribers(self, path: str) -> tuple[Subscriber, ...]:
        """Return the subscribers to *path*."""
        return tuple(self._by_path.get(path, ()))

    def below(self, path: str) -> list[tuple[Subscriber, str]]:
        """Return the subscriptions to a path and to all below it."""
        return [(who, at) for at, all_of in self._by_path.items() if is_below(at, path) for who in all_of]

    def __iter__(self) -> Iterator[Subscriber]:
        """Iterate over all present subscribers; subscriptions may change meanwhile."""
        return iter(list(self._by_subscriber))

    def __len__(self) -> int:
        """Return the number of subscriptions."""
        return sum(map(len, self._by_path.values()))

    @staticmethod
    def _remove(sets: dict[Key, dict[Item, None]], key: Key, item: Item) -> None:
        held = sets.get(key)
        if held is not None:
            held.pop(item, None)
            if not held:
                del sets[key]


def is_below(path: str, other: str) -> bool:
    """Tell whether *path* is *other* or below it. Every path is below ``""``."""
    return not other or path == other or path.startswith(f"{other}/")
