"""The Logger's connections: to its server, and to other servers that an earlier batch was sent to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol, TypeVar

from ...client import ConnectorDB
from ...exceptions import CertificateRefused, ClosedError
from ...protocol import rest
from ...protocol.features import Features
from ...runtime.clock import SYSTEM, Clock
from ..clocks import implausible

T = TypeVar("T")


class Connection(ConnectorDB):
    """
    A `ConnectorDB` that logs in when it is first used, and that saves its new key in the Logger's file if it is reset.

    Args:
        apikey: The key, or ``""``.
        url: The server.
        keep: Saves a new key.
    """

    def __init__(self, apikey: str, url: str, keep: Callable[[str], None]) -> None:
        super().__init__(apikey or None, url=url, anonymous=not apikey, connect=False)
        self._save_apikey = keep

    def __reduce__(self) -> tuple[Any, ...]:
        """Be pickled as an ordinary connection: the file stays here."""
        restore, (_, *where), settings = super().__reduce__()
        return restore, (ConnectorDB, *where), settings

    def reset_apikey(self) -> str:
        """Ask the server for a new key, use it from now on, and save it in the file."""
        key = super().reset_apikey()
        self._save_apikey(key)
        return key


class WrongClock(CertificateRefused):
    """A certificate was refused by a machine whose clock cannot be right: it may be valid at the right time."""


class Link:
    """
    A connection as a sync needs it: the server, the key for it, and one way to call.

    Args:
        address: The server's URL.
        apikey: The key.
        connection: The connection.
        time_known: Returns a time that has passed for certain: the latest that a server said at an earlier sync.
        clock: The clocks.
    """

    def __init__(
        self,
        address: str,
        apikey: str,
        connection: ConnectorDB,
        time_known: Callable[[], float] = float,
        clock: Clock = SYSTEM,
    ) -> None:
        self.address = address
        self.apikey = apikey
        self._connection = connection
        self._time_known = time_known
        self._clock = clock

    @property
    def features(self) -> Features:
        """What the server's last answer said it can do beyond 0.3."""
        return self._connection._session.features

    def time(self) -> float | None:
        """Return what the server's clock shows now, reckoned from its last answer; ``None`` if that did not say."""
        return self._connection._session.server_time()

    def call(self, request: rest.Request[T]) -> T:
        """Send a request, an insert once at most, and return what the answer says."""
        try:
            return self._connection._session.once(request)
        except CertificateRefused as error:
            wall = self._clock.wall()
            if not implausible(wall, self._time_known()):
                raise
            shown = datetime.fromtimestamp(0, timezone.utc) + timedelta(seconds=wall)
            raise WrongClock(
                f"this machine's clock says {shown:%Y-%m-%d %H:%M} UTC, which cannot be right, and a certificate is valid for a "
                f"time only: set the clock, or have a time server set it, and the points go ({error})"
            ) from error


class Address(Protocol):
    """Where to connect to, and with which key."""

    @property
    def serverurl(self) -> str:
        """The server."""

    @property
    def apikey(self) -> str:
        """The key for it."""

    def keep_apikey(self, key: str) -> None:
        """Save a new key that the connection already uses."""


class Links:
    """
    The connections of a Logger.

    Args:
        address: Tells the server and the key; asked whenever a connection is made.
        time_known: As `Link`.
        clock: The clocks.
    """

    def __init__(self, address: Address, time_known: Callable[[], float], clock: Clock) -> None:
        self._address = address
        self._time_known, self._clock = time_known, clock
        # guards the two below
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self._closed = False

    @property
    def connection(self) -> ConnectorDB:
        """The connection to the Logger's server; made when first used."""
        with self._lock:
            if self._closed:
                raise ClosedError("the Logger was closed")
            if self._connection is None:
                self._connection = Connection(self._address.apikey, self._address.serverurl, self._address.keep_apikey)
            return self._connection

    def here(self) -> Link:
        """Return the link to the Logger's server."""
        with self._lock:
            return self._link(self._address.serverurl, self._address.apikey, self.connection)

    def _link(self, address: str, apikey: str, connection: ConnectorDB) -> Link:
        return Link(address, apikey, connection, self._time_known, self._clock)

    @contextmanager
    def elsewhere(self) -> Iterator[Callable[[str, str], Link]]:
        """Yield a function that returns a link to another server, or with another key; the block's end closes these."""
        made: list[ConnectorDB] = []

        def link(address: str, apikey: str) -> Link:
            made.append(ConnectorDB(apikey or None, url=address, anonymous=not apikey, connect=False))
            return self._link(address, apikey, made[-1])

        try:
            yield link
        finally:
            for connection in made:
                connection.close()

    def forget(self) -> None:
        """Close the connection: there is another address, or key."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Close the connection for good; may be called twice."""
        with self._lock:
            self._closed = True
        self.forget()


def check_address(url: str) -> None:
    """
    Do nothing if *url* can be the address of a server.

    Raises:
        LocalProtocolError: It cannot.
    """
    ConnectorDB(url=url, anonymous=True, connect=False).close()
