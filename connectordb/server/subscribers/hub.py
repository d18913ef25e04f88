"""
What was inserted, and who wants it; pure.

The hub knows paths and subscribers and nothing else: not who may listen (that is checked before `subscribe`), not how a
message reaches anybody. It belongs to one thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

Subscriber = TypeVar("Subscriber")
Key = TypeVar("Key")
Item = TypeVar("Item")


class Hub(Generic[Subscriber]):
    """Paths, and the subscribers of each."""

    def __init__(self) -> None:
        # in order of subscribing; dicts as ordered sets
        self._by_path: dict[str, dict[Subscriber, None]] = {}
        self._by_subscriber: dict[Subscriber, dict[str, None]] = {}

    def subscribe(self, subscriber: Subscriber, path: str) -> None:
        """From now on *subscriber* wants what is inserted at *path*; twice counts once."""
        self._by_path.setdefault(path, {})[subscriber] = None
        self._by_subscriber.setdefault(subscriber, {})[path] = None

    def unsubscribe(self, subscriber: Subscriber, path: str) -> None:
        """It does not any more; nothing happens if it did not before."""
        self._remove(self._by_path, path, subscriber)
        self._remove(self._by_subscriber, subscriber, path)

    def leave(self, subscriber: Subscriber) -> None:
        """It wants nothing any more."""
        for path in self.paths(subscriber):
            self.unsubscribe(subscriber, path)

    def paths(self, subscriber: Subscriber) -> tuple[str, ...]:
        """Return what a subscriber wants."""
        return tuple(self._by_subscriber.get(subscriber, ()))

    def count(self, subscriber: Subscriber) -> int:
        """Return how many paths a subscriber wants."""
        return len(self._by_subscriber.get(subscriber, ()))

    def wants(self, subscriber: Subscriber, path: str) -> bool:
        """Tell whether a subscriber wants a path."""
        return path in self._by_subscriber.get(subscriber, ())

    def subscribers(self, path: str) -> tuple[Subscriber, ...]:
        """Return who wants what is inserted at *path*."""
        return tuple(self._by_path.get(path, ()))

    def below(self, path: str) -> list[tuple[Subscriber, str]]:
        """Return the subscriptions to a path and to all below it."""
        return [(who, at) for at, all_of in self._by_path.items() if is_below(at, path) for who in all_of]

    def __iter__(self) -> Iterator[Subscriber]:
        """Go through all who want something, as they are now."""
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
    """Tell whether *path* is *other* or below it; all are below ``""``."""
    return not other or path == other or path.startswith(f"{other}/")
