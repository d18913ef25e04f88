"""Who watches what: the subscriptions by stream and transform, and what is handed to them; whoever shares them brings the lock."""

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
    """The subscriptions of one client, those with the same key together."""

    def __init__(self) -> None:
        self._groups: dict[Key, tuple[Subscription, ...]] = {}
        self._claims: dict[Key, Claims] = {}

    def of(self, key: Key) -> Sequence[Subscription]:
        """Return those of *key*."""
        return self._groups.get(key, ())

    def all(self) -> list[Subscription]:
        """Return all of them."""
        return [subscription for group in self._groups.values() for subscription in group]

    def public(self, path: str, transform: str) -> list[Subscription]:
        """Return those of a stream and a transform, wherever that runs, that others may replace, and end."""
        there, here = self.of((path, transform)), self.of((path, "")) if transform else ()
        return [other for other in (*there, *here) if other.transform == transform and not other.is_private]

    def add(self, subscription: Subscription, replace: bool) -> list[Subscription]:
        """Add one, in the place of others with *replace*; return those."""
        key = subscription.key
        public = self.public(key[0], subscription.transform) if replace and not subscription.is_private else []
        replaced = [other for other in public if other.key == key]
        self._groups[key] = (*self._without(key, replaced), subscription)
        return replaced

    def put_back(self, replaced: Sequence[Subscription], instead_of: Subscription) -> bool:
        """Undo `add`; tell whether there was something to be undone."""
        key = instead_of.key
        if not replaced or instead_of not in self.of(key):
            return False
        self._groups[key] = (*replaced, *self._without(key, [instead_of]))
        return True

    def remove(self, ended: Sequence[Subscription]) -> list[Key]:
        """Remove some; return the keys that nobody wants any more."""
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
        """Return the claim to a command of a downlink."""
        return self._claims.setdefault(key, Claims()).of(command, len(self.of(key)))

    def _without(self, key: Key, ended: Sequence[Subscription]) -> tuple[Subscription, ...]:
        return tuple(subscription for subscription in self.of(key) if subscription not in ended)


def hear(text: bytes, is_indexed: bool, group_of: Callable[[Key], Sequence[Subscription]]) -> Told | None:
    """
    Hand on what a message tells of points; return what else the server says, if it does.

    A server that tells no indices only gives a signal by its messages, to who can read the points.

    Raises:
        RemoteProtocolError: It says nothing that is known here.
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
    if told.data:  # an empty insert is nothing to tell
        group = group_of((told.stream, told.transform))
        _deliver(told, len(text), group if is_indexed else _signal(len(told.data), group))
    return None


def _signal(number: int, group: Sequence[Subscription]) -> list[Subscription]:
    """Tell who can read them that so many points are there; return who cannot."""
    return [subscription for subscription in group if not subscription.follower.signal(number)]


def _deliver(message: Message, size: int, group: Sequence[Subscription]) -> None:
    points: Sequence[Datapoint] = message.data
    # of commands that have a place, each callback asks for the claim itself
    is_claimed = message.index is None and message.stream.endswith(_DOWNLINK)
    claims = [Claim(len(group)) for _ in points] if is_claimed else []
    for number, subscription in enumerate(group):
        if number:  # what one callback does to its points is not seen by the next
            points = [dict(point) for point in message.data]
        subscription.follower.told(message.index, points, size, claims)
