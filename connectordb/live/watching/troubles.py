"""What keeps streams from being watched, as it was said last: whoever shares it brings the lock."""

from __future__ import annotations

from ...exceptions import ConnectorDBError
from ..following import is_refusal, words
from .subscriptions import Key


class Troubles:
    """The troubles of one client; who waits for a stream is told any, the others a refusal, once."""

    def __init__(self) -> None:
        self._troubles: dict[Key, ConnectorDBError] = {}
        self._refusals: dict[Key, ConnectorDBError] = {}

    def of(self, key: Key) -> ConnectorDBError | None:
        """Return why *key* cannot be watched; ``None`` if nothing is known of it."""
        return self._troubles.get(key)

    def add(self, key: Key, error: ConnectorDBError) -> bool:
        """Note why *key* cannot be watched; tell whether it is a refusal that was not told yet."""
        self._troubles[key] = error
        if not is_refusal(error):
            return False
        before, self._refusals[key] = self._refusals.get(key), error
        return before is None or words(before) != words(error)

    def forget(self, key: Key) -> None:
        """Note that it can, or that nobody wants to."""
        self._troubles.pop(key, None)
        self._refusals.pop(key, None)
