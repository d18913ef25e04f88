"""Who watches what: the subscriptions by stream and transform. There is no lock here: whoever shares this has to lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...protocol.feed import Message, Told, read_signal, read_told
from ...protocol.points import Datapoint
from ..downlinks import Claim
from ..handing import Claims, CommandKey
from .subscriptions import Key

if TYPE_CHECKING:
    from .subscription import Subscription

#: How the path of a downlink ends.
_DOWNLINK = "/downlink"


class Groups:
    """The subscriptions of one client, grouped by their keys. A group is never changed, only replaced by another tuple."""

    def __init__(self) -> None:
        self._groups: dict[Key, tuple[Subscription, ...]] = {}
        self._claims: dict[Key, Claims] = {}

    def of(self, key: Key) -> Sequence[Subscription]:
        """Return the subscriptions with that *key*."""
        return self._groups.get(key, ())

    def all(self) -> list[Subscription]:
        """Return all subscriptions."""
        return [subscription for group in self._groups.values() for subscription in group]

    def public(self, path: str, transform: str) -> list[Subscription]:
        """Return those with that path and transform, wherever the transform runs, that others may replace or end."""
        there, here = self.of((path, transform)), self.of((path, "")) if transform else ()
        return [other for other in (*there, *here) if other.transform == transform and not other.is_private]

    def add(self, subscription: Subscription, replace: bool) -> list[Subscription]:
        """Add a subscription; with *replace*, in place of the others with its key that may be replaced. Return those."""
        key = subscription.key
        public = self.public(key[0], subscription.transform) if replace and not subscription.is_private else []
        replaced = [other for other in public if other.key == key]
        self._groups[key] = (*self._without(key, replaced), subscription)
        return replaced

    def put_back(self, replaced: Sequence[Subscription], instead_of: Subscription) -> bool:
        """Undo an `add` that replaced some; tell whether there was anything to undo."""
        key = instead_of.key
        if not replaced or instead_of not in self.of(key):
            return False
        self._groups[key] = (*replaced, *self._without(key, [instead_of]))
        return True

    def remove(self, ended: Sequence[Subscription]) -> list[Key]:
        """Remove subscriptions; return the keys that nobody wants any more."""
        unwanted = []
        for subscription in ended:
            key = subscription.key
            if subscription in self.of(key):
                self._groups[key] = self._without(key, [subscription])
                if not self._groups[key]:
                    del self._groups[key]
                    self._claims.pop(key, None)
                    unwanted.append(key)
        return unwanted

    def claim(self, key: Key, command: CommandKey) -> Claim:
        """Return the claim that all subscriptions with *key* share to a command of a downlink."""
        return self._claims.setdefault(key, Claims()).of(command, len(self.of(key)))

    def _without(self, key: Key, ended: Sequence[Subscription]) -> tuple[Subscription, ...]:
        return tuple(subscription for subscription in self.of(key) if subscription not in ended)


def hear(text: bytes, is_indexed: bool, group_of: Callable[[Key], Sequence[Subscription]]) -> Told | None:
    """
    Pass on a message about points; return any other message.

    A message of a server that tells no indices is only a signal to subscriptions that can read the points by index; the others are
    handed its points.

    Raises:
        RemoteProtocolError: The message makes no sense.
    """
    found = None if is_indexed else read_signal(text)
    if found is not None:
        blind = _signal(found.number, group_of((found.stream, "")))
        if blind:
            _deliver(Message.decode(text), len(text), blind)
        return None
    told = read_told(text)
    if not isinstance(told, Message):
        return told
    if told.data:  # an insert may be empty
        group = group_of((told.stream, told.transform))
        _deliver(told, len(text), group if is_indexed else _signal(len(told.data), group))
    return None


def _signal(number: int, group: Sequence[Subscription]) -> list[Subscription]:
    """Tell the subscriptions that can read points by index that there are so many; return the others."""
    return [subscription for subscription in group if not subscription.follower.signal(number)]


def _deliver(message: Message, size: int, group: Sequence[Subscription]) -> None:
    points: Sequence[Datapoint] = message.data
    # if commands have an index, each subscription asks for the claim itself
    is_claimed = message.index is None and message.stream.endswith(_DOWNLINK)
    claims = [Claim(len(group)) for _ in points] if is_claimed else []
    for number, subscription in enumerate(group):
        if number:  # a copy: what one callback does to its points must not be seen by the next
            points = [dict(point) for point in message.data]
        subscription.follower.told(message.index, points, size, claims)
