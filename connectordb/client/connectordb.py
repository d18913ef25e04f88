"""`ConnectorDB`: logging in, and everything from there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ..exceptions import LocalProtocolError
from ..protocol import rest
from ..protocol.constants import CONNECTORDB_URL
from ..protocol.paths import Path
from . import database
from .credentials import Credentials
from .device import Device
from .resource import by_name
from .session import NOBODYS_PATH, Session
from .stream import Stream
from .timeouts import Timeout
from .user import User

if TYPE_CHECKING:
    from types import TracebackType

    import requests
    from typing_extensions import Self

    from ..live import Callback, Event, ManySubscriptions, OnError, Overflow
    from ..protocol.times import Time


class ConnectorDB(Device):
    """
    A connection to a ConnectorDB server; at the same time, the device that is logged in.

    Many threads may use it, and a process may fork. Close it, or use it in a ``with`` block::

        with ConnectorDB("mara", "secret") as cdb:
            cdb("mara/room/temperature").insert(21.5)

    Args:
        user_or_apikey: A user's name or email address, or, without a password, a device's API key; ``None`` for nobody.
        user_password: The user's password. It is sent when logging in only: after that the key of the user's device is used.
        url: The server. Without a scheme it is taken for ``https://``.
        timeout: How long a call may take: seconds for all of it, or a `Timeout`, which has seconds for each phase of it as well; or
            a pair of seconds, for a connection to be there and for the server to answer. By default 10 for a connection, 60 of
            silence, and five minutes for a whole call.
        verify: Check the server's certificate; or a file or folder of certificates to trust instead.
        cert: A client certificate: one file, or certificate and key.
        proxies: Scheme → proxy; by default those of the environment.
        connect: Log in now; otherwise at the first use.
        wait: Seconds to keep trying to log in while there is no server.
        auto_reconnect: Connect subscriptions again by itself when their connection was lost; otherwise when `reconnect` is
            called, or something else is subscribed to.
        threads: How many callbacks may run at the same time; 0 for a program with a loop of its own, which calls `pump`.

    Raises:
        AuthenticationError: The server did not accept the credentials.
        ConnectionFailed: There is no server.
        ServerError: What answered is none.
        LocalProtocolError: The URL or another argument is none.
    """

    def __init__(
        self,
        user_or_apikey: str | None = None,
        user_password: str | None = None,
        url: str = CONNECTORDB_URL,
        *,
        timeout: Timeout | float | tuple[float, float] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        connect: bool = True,
        wait: float = 0.0,
        auto_reconnect: bool = True,
        threads: int = 16,
    ) -> None:
        credentials = Credentials.of(user_or_apikey, user_password)
        session = Session(url, credentials, timeout=timeout, verify=verify, cert=cert, proxies=proxies)
        session.live_options = {"auto_reconnect": auto_reconnect, "threads": threads}
        super().__init__(session, None)
        if connect:
            try:
                self._data = session.login(wait)
            except BaseException:
                session.close()
                raise

    @property
    def url(self) -> str:
        """The server's address, without ``/api/v1``."""
        return self._session.url

    # --- subscriptions ------------------------------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """Whether the websocket is open that subscriptions go by; there is one as long as anything is subscribed to."""
        return self._session.has_live and self._session.live.is_connected

    @property
    def on_connect(self) -> Event:
        """Handlers called once the websocket is there: ``@cdb.on_connect``; each gets a `connectordb.live.ConnectionEvent`."""
        return self._session.events.on_connect

    @property
    def on_disconnect(self) -> Event:
        """Handlers called when it was lost, or closed as nobody needed it any more."""
        return self._session.events.on_disconnect

    @property
    def on_reconnect(self) -> Event:
        """Handlers called when it is there again."""
        return self._session.events.on_reconnect

    @property
    def on_error(self) -> Event:
        """Handlers called when an attempt to connect it failed."""
        return self._session.events.on_error

    def reconnect(self) -> None:
        """Connect at once where the websocket was lost, instead of after the pause that grows with failures."""
        self._session.live.hurry()

    def subscribe(
        self,
        paths: Sequence[str],
        callback: Callback,
        *,
        since: Time | None = None,
        overflow: Overflow = "catch_up",
        wait: bool = True,
        on_error: OnError | None = None,
    ) -> ManySubscriptions:
        """
        Have one callback called with what is inserted into many streams.

        Args:
            paths: Streams, downlinks, and ``"user/device/*"``: all streams of a device. Those that appear later are watched from
                their first point on, within half a minute, or at once where ``user/meta/log`` may be read.
            callback: Called as ``callback(path, points)``, as for `Stream.subscribe`; the points of each stream in order, and
                those of several streams at the same time.
            since: As for `Stream.subscribe`, for those that are there now.
            overflow: As for `Stream.subscribe`.
            wait: As for `Stream.subscribe`.
            on_error: As for `Stream.subscribe`.

        Raises:
            NotFound, PermissionDenied: Something is not there, or not for this caller.
            ConnectionFailed: The server is away.
            LocalProtocolError: A path is none.
        """
        from ..live import Options, subscribe_to_many

        session, options = self._session, Options(since=since, overflow=overflow, on_error=on_error)
        return subscribe_to_many(session.live, session.call, paths, callback, options, wait)

    def pump(self, timeout: float = 0.0) -> int:
        """
        Run callbacks that wait, on this thread; return how many. For a connection that was made with ``threads=0``.

        Args:
            timeout: Seconds to wait for the first, and after which no other is begun.
        """
        return self._session.live.pump(timeout)

    # --- to everything else -------------------------------------------------------------------------------------------

    # what it returns depends on the text, which no type can say
    def __call__(self, path: str) -> Any:
        """
        Return a user, a device or a stream by its path, without asking the server.

        Args:
            path: ``"user"``, ``"user/device"``, ``"user/device/stream"``, or that and ``"/downlink"``.

        Raises:
            LocalProtocolError: It is no path.
        """
        return self._at(Path.parse(path))

    def __getitem__(self, stream: str) -> Stream:
        """Return a stream of the device that is logged in."""
        path = self._path
        if path == NOBODYS_PATH:
            raise LocalProtocolError(
                f"there is no stream {stream!r} of one's own without logging in; say cdb('user/device/stream')"
            )
        return cast(Stream, self._at(path / stream))

    def users(self) -> list[User]:
        """
        Return the users that the caller may see, with their metadata.

        Calls: ``GET crud/?q=ls``.
        """
        listed = self._session.call(rest.list_users())
        return [cast(User, self._at(path, data)) for path, data in by_name(Path(()), listed)]

    # --- the server ---------------------------------------------------------------------------------------------------

    def ping(self) -> str:
        """
        Ask the server who is calling, and return that path.

        Calls: ``GET ?q=this``.
        """
        return str(self._session.call(rest.whoami()))

    def count_users(self) -> int:
        """Return how many users the whole database has; for administrators."""
        return self._session.call(rest.count("users"))

    def count_devices(self) -> int:
        """Return how many devices the whole database has; for administrators."""
        return self._session.call(rest.count("devices"))

    def count_streams(self) -> int:
        """Return how many streams the whole database has; for administrators."""
        return self._session.call(rest.count("streams"))

    def info(self) -> dict[str, Any]:
        """
        Return what the server is: its ``version``, and the ``transforms`` and ``interpolators`` that it runs.

        The last two are dicts by name, with at least ``name``, ``description`` and ``documentation`` in each; a transform
        has its ``args`` too.

        Calls: ``GET meta/version``, ``meta/transforms``, ``meta/interpolators``.
        """
        call = self._session.call
        return {
            "version": call(rest.version()),
            "transforms": call(rest.transforms()),
            "interpolators": call(rest.interpolators()),
        }

    def request(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, data: Any = None
    ) -> requests.Response:
        """
        Send a request to any endpoint, and return its answer, which is a 200.

        Args:
            method: The verb.
            path: Below ``/api/v1``.
            params: The query.
            data: What the body says, as JSON; without it there is none.

        Raises:
            ResponseError: Any other answer.
            ConnectionFailed: No answer.
        """
        return database.request(self._session, method, path, params, data, data is not None)

    def import_users(self, directory: str | os.PathLike[str], *, passwords: Mapping[str, str] | None = None) -> None:
        """
        Make users, with all that is theirs, from what `User.export` wrote.

        Args:
            directory: The folder that holds a folder for each of them.
            passwords: User name → password; an export holds none. Without it, a user's password is its name.

        Raises:
            ValueError: One of the users is there already, the folder is no export, or its version is another one.
        """
        from . import exports  # rarely used, and not free to load

        exports.import_users(self, directory, passwords)

    # --- the end ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End every subscription, thread and socket; calling it twice does nothing."""
        self._session.close()

    def __enter__(self) -> Self:
        """Return the connection."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()
