"""A subscription to all streams of a device, those included that appear later; each stream has a record of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from connectordb import ConnectorDB
from connectordb.live import ManySubscriptions

from .watch import Watch


class Share(Watch):
    """What one stream contributes: a record like any other; who watches the stream is seen when it is."""

    def __init__(self, wide: Wide, flow: str, path: str) -> None:
        self._wide = wide
        super().__init__(wide.client, flow, path, 0)
        self.name = f"{flow} among all"

    def begin(self, since: Any, wait: bool = True) -> None:
        """Nothing is begun: that is the others' doing."""

    def is_there(self) -> bool:
        """Tell whether the stream is watched."""
        found = self._wide.many.streams.get(self.path)
        if found is not None:
            self.subscription = found
        return found is not None

    def take(self, path: str, batch: Any) -> None:
        """Take points."""
        self._took(path, batch)

    def fail(self, error: Exception) -> None:
        """Take note that something was told of one of the streams."""
        self._failed(error)


class Wide:
    """
    See the module.

    Args:
        client: Whose it is.
        device: Its streams are watched.
        streams: Those that there are, by the harness's names.

    Attributes:
        many: What ends it.
        shares: The records, by path.
    """

    def __init__(self, client: ConnectorDB, device: str, streams: Iterable[tuple[str, str]]) -> None:
        self.client = client
        self._lock = threading.Lock()
        # guarded by it
        self._strange: list[str] = []
        self.shares: dict[str, Share] = {}
        for flow, path in streams:
            self.expect(flow, path)
        self.many: ManySubscriptions = client.subscribe([f"{device}/*"], self._took, on_error=self._failed)

    def expect(self, flow: str, path: str) -> Share:
        """Have a record for a stream, before there is one."""
        share = self.shares[path] = Share(self, flow, path)
        return share

    def strange(self) -> list[str]:
        """Return the paths that nobody expected, and forget them."""
        with self._lock:
            strange, self._strange = self._strange, []
        return strange

    def _took(self, path: str, batch: Any) -> None:
        share = self.shares.get(path)
        if share is not None:
            share.take(path, batch)
            return
        with self._lock:
            self._strange.append(path)

    def _failed(self, error: Exception) -> None:
        for share in list(self.shares.values()):
            share.fail(error)
