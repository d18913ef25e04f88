"""Where it all happens: a server, a proxy before it, a device whose streams are watched, and one that watches."""

from __future__ import annotations

import itertools
import uuid

from connectordb import ConnectorDB, NotFound, Stream
from connectordb.protocol.features import HEADER

from ..support.fault_servers import Target
from .proxy import LiveProxy

#: What the watching device may be: one that reads its user's other devices, and one that does not.
READER, NOBODY = "reader", "none"


class Stage:
    """
    See the module.

    Args:
        target: The server.

    Attributes:
        apikey: Of the device that owns the streams.
        watcher_key: Of the device that watches.
        commander_key: Of the user, who commands the device.
        owner: The former's connection, past the proxy.
        indices: Whether the server can say where points stand.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._numbers = itertools.count(1)
        self._admin = target.login()
        user = self._admin(f"w{uuid.uuid4().hex[:10]}")
        user.create(f"{user.name}@example.org", "secret", devices={"own": {}, "watcher": {}})
        self.device = f"{user.name}/own"
        self._watcher = self._admin(f"{user.name}/watcher")
        self._watcher.role = READER
        self.apikey = str(self._admin(self.device).apikey)
        self.watcher_key = str(self._watcher.apikey)
        self.commander_key = str(self._admin(f"{user.name}/user").apikey)
        self.owner = ConnectorDB(self.apikey, url=target.url)
        self.proxy = LiveProxy(target.url)
        announced = self.owner.request("GET", "meta/version").headers.get(HEADER, "")
        self.indices = "ws-index" in announced

    def next_number(self) -> int:
        """Return a number that nothing has had."""
        return next(self._numbers)

    def stream(self, path: str) -> Stream:
        """Return a stream, past the proxy."""
        found: Stream = self.owner(path)
        return found

    def delete(self, path: str) -> None:
        """Delete a stream, past the proxy: twice, where an original server takes it for one that was there before it."""
        stream = self.stream(path)
        try:
            stream.delete()
        except NotFound:
            if self.indices:
                raise
            stream.delete()

    def let_read(self, role: str) -> None:
        """Have the watching device be a reader, or nobody."""
        self._watcher.role = role

    def recover(self) -> None:
        """Have a server again that answers."""
        self.target.thaw()
        self.target.back()

    def calm(self) -> None:
        """Let nothing go wrong any more."""
        self.recover()
        self.proxy.calm()
        self.proxy.release()

    def close(self) -> None:
        """End it all, except for the server."""
        self.owner.close()
        self._admin.close()
        self.proxy.close()
