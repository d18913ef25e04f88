"""Why streams cannot be watched now. There is no lock here: whoever shares this has to lock."""

from __future__ import annotations

from ...exceptions import ConnectorDBError
from ..following import is_refusal, words
from .subscriptions import Key


class Troubles:
    """
    The troubles of one client.

    A caller that waits for a subscription is told any trouble. A subscription that already runs is told only refusals, each once.
    """

    def __init__(self) -> None:
        self._troubles: dict[Key, ConnectorDBError] = {}
        self._refusals: dict[Key, ConnectorDBError] = {}

    def of(self, key: Key) -> ConnectorDBError | None:
        """Return why *key* cannot be watched; ``None`` if nothing is known of it."""
        return self._troubles.get(key)

    def add(self, key: Key, error: ConnectorDBError) -> bool:
        """Note why *key* cannot be watched; tell whether that is a refusal which was not told yet."""
        self._troubles[key] = error
        if not is_refusal(error):
            return False
        before, self._refusals[key] = self._refusals.get(key), error
        return before is None or words(before) != words(error)

    def forget(self, key: Key) -> None:
        """Note that *key* can be watched, or that nobody wants to."""
        self._troubles.pop(key, None)
        self._refusals.pop(key, None)
