"""The Logger's connections: to its server, and to where an earlier batch was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..client import ConnectorDB
from ..protocol import rest

T = TypeVar("T")


class Connection(ConnectorDB):
    """
    A `ConnectorDB` that logs in when it is first used, and whose new key, once it is reset, goes on in the Logger's file.

    Args:
        apikey: The key, or nothing.
        url: The server.
        keep: Saves another key.
    """

    def __init__(self, apikey: str, url: str, keep: Callable[[str], None]) -> None:
        super().__init__(apikey or None, url=url, connect=False)
        self._save_apikey = keep

    def reset_apikey(self) -> str:
        """Have the server make a new key, go on with it, and save it in the file."""
        key = super().reset_apikey()
        self._save_apikey(key)
        return key


class Link:
    """A connection as a sync needs it: the server, the key for it, and one way to call."""

    def __init__(self, address: str, apikey: str, connection: ConnectorDB) -> None:
        self.address = address
        self.apikey = apikey
        self._connection = connection

    def call(self, request: rest.Request[T]) -> T:
        """Send a request, an insert once at most, and return what the answer says."""
        return self._connection._session.call(request)


def check_address(url: str) -> None:
    """
    Accept *url* if it may be that of a server.

    Raises:
        LocalProtocolError: It may not.
    """
    ConnectorDB(url=url, connect=False).close()
