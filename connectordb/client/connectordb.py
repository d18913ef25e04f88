"""`ConnectorDB`: the connection that programs make, and where everything else starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, cast

from ..exceptions import LocalProtocolError
from ..protocol import rest
from ..protocol.paths import NOBODYS_PATH
from .live_connection import LiveConnection
from .program import Program
from .settings import DEFAULT_URL, Credentials
from .stream import Stream
from .terms import IDLE_TIMEOUT, POOL_SIZE, Retry, Timeout
from .whole_server import WholeServer

if TYPE_CHECKING:
    import ssl

    import requests

    from .session import Order
    from .settings.choosing import Settings
    from .terms.statistics import Stats


class ConnectorDB(LiveConnection, WholeServer, Program):
    """
    A connection to a ConnectorDB server, and at the same time the device that is logged in.

    It may be shared by threads, and the process may fork. Close it, or use it in a ``with`` block::

        with ConnectorDB("mara", "secret") as cdb:
            cdb("mara/room/temperature").insert(21.5)

    Getting an object from it does not contact the server; using the object does::

        cdb("mara")                   # a user: .devices(), ["room"]
        cdb("mara/room")              # a device: .streams(), ["temperature"]
        cdb("mara/room/temperature")  # a stream: .insert(21.5), [-10:], .subscribe(callback)
        cdb["temperature"]            # a stream of the device that is logged in

    Args:
        user_or_apikey: A user's name or email address; or, without a password, a device's API key; ``None`` to log in as nobody.
        user_password: The user's password. It is sent only to log in; after that, the API key of the user's device is used. If
            that key is refused later because somebody has reset it, the connection logs in again.
        url: The server's address; ``https://`` if it has no scheme. Or several servers of one database: one is used for as long as
            it answers, then another, and the first again once it is back. Without *url*, user and key, server and key come from
            the environment (``CONNECTORDB_URL``, ``CONNECTORDB_APIKEY``) or from the profile that ``connectordb login`` wrote;
            with *url* alone, the key from there is used only if it belongs to this very server.
        order: Which of several servers to use first: ``"given"``, the first in the list, or ``"random"``, so that a fleet of
            devices spreads over them.
        timeout: How long a call may take: seconds for the whole call; a `Timeout`, which also limits each of its phases; or a pair
            of seconds, for connecting and for the server's answer. By default 10 seconds to connect, 60 of silence, and five
            minutes for a whole call.
        retry: How often a request that may safely be repeated is sent: a `Retry`, or a number of attempts; 1 for no retries. By
            default 3, with growing pauses.
        verify: Whether to check the server's certificate; or a file or folder of certificates to trust instead.
        cert: A client certificate: one file, or a pair of certificate and key.
        ssl_context: Replaces *verify* and *cert*, for requests and subscriptions alike.
        proxies: Scheme → proxy (``http://``, ``https://``, ``socks5h://`` and so on); by default those of the environment.
        pool_size: How many connections to one server the program's threads share.
        idle_timeout: Seconds after which an unused connection is not used again; an original server closes it after five.
        profile: The profile that names server and key, instead of the one in ``CONNECTORDB_PROFILE``, or ``"default"``.
        anonymous: Do not look for a key anywhere.
        connect: Log in now; otherwise at the first use.
        wait: Seconds to keep trying to log in while there is no server.
        auto_reconnect: Reconnect subscriptions automatically when their connection is lost; otherwise only when `reconnect` is
            called or something else is subscribed to.
        threads: How many callbacks may run at the same time; 0 for a program with its own loop, which calls `pump`.

    Raises:
        AuthenticationError: The server did not accept the credentials.
        ConnectionFailed: The server cannot be reached.
        ServerError: What answered is not a ConnectorDB server.
        LocalProtocolError: The URL or another argument is not valid.
        ConfigurationError: An environment variable or a profile is not valid, or the profile does not exist.
    """

    def __init__(
        self,
        user_or_apikey: str | None = None,
        user_password: str | None = None,
        url: str | Sequence[str] = DEFAULT_URL,
        *,
        order: Order = "given",
        timeout: Timeout | float | tuple[float, float] | None = None,
        retry: Retry | int | None = None,
        verify: bool | str | None = None,
        cert: str | tuple[str, str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxies: Mapping[str, str] | None = None,
        pool_size: int = POOL_SIZE,
        idle_timeout: float = IDLE_TIMEOUT,
        profile: str | None = None,
        anonymous: bool = False,
        connect: bool = True,
        wait: float = 0.0,
        auto_reconnect: bool = True,
        threads: int = 16,
    ) -> None:
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
            raise LocalProtocolError(f"threads={threads!r}: expected a number, or 0 to run callbacks in pump()")
        live_options = {"auto_reconnect": auto_reconnect, "threads": threads}
        options = {
            "order": order,
            "timeout": timeout,
            "retry": retry,
            "verify": verify,
            "cert": cert,
            "ssl_context": ssl_context,
            "proxies": proxies,
            "pool_size": pool_size,
            "idle_timeout": idle_timeout,
            **live_options,
        }
        # imported here to keep `import connectordb` fast
        from .session import Session
        from .settings.finding import find

        credentials = Credentials.of(user_or_apikey, user_password)
        chosen = find(url, credentials, profile, anonymous, options, ConnectorDB.__init__.__kwdefaults__ or {})
        for option in live_options:  # they were passed to `find` only so that `settings` shows them
            chosen.options.pop(option, None)
        # keep secrets out of tracebacks that show local variables; `chosen` hides its own
        del user_or_apikey, user_password, proxies, options
        session = Session(chosen.servers, chosen.credentials, **chosen.options)
        session.live_options = live_options
        self._settings = chosen.settings
        super().__init__(session, None)
        if connect:
            try:
                self._data = session.login(wait)
            except BaseException:
                session.close()
                raise

    @property
    def url(self) -> str:
        """The server's address, without ``/api/v1``; of several servers, that of the one in use."""
        return self._session.url

    @property
    def proxy(self) -> str:
        """
        The proxy that leads to the server, and where it is set: ``"the proxy http://proxy:3128 (HTTPS_PROXY of the environment)"``.
        Its password is left out. Empty without a proxy.

        Raises:
            LocalProtocolError: The configured address is not valid for a proxy.
        """
        return self._session.proxy

    @property
    def settings(self) -> Settings:
        """The settings in force and where each came from, without secrets: ``print(cdb.settings)``, ``cdb.settings["url"].source``."""
        return self._settings

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the settings, including the key (or, before the login, the password); the copy logs in by itself."""
        return *super().__reduce__(), {"_settings": self._settings}

    def options(
        self,
        *,
        timeout: Timeout | float | tuple[float, float] | None = None,
        retry: Retry | int | None = None,
    ) -> AbstractContextManager[None]:
        """
        Use other options for the calls that this thread makes inside a block; background work is not affected::

            with cdb.options(timeout=2, retry=1):
                newest = cdb("mara/room/temperature")[-1]

        The returned object may be kept and entered as often as you like.

        Args:
            timeout: How long each call may take, as for `ConnectorDB`; by default unchanged. The server is told, and the embedded
                one does not begin work that nobody waits for any more.
            retry: How often a request is sent, as for `ConnectorDB`; by default unchanged.

        Raises:
            LocalProtocolError: One of them is not valid.
        """
        return self._session.chosen(timeout=timeout, retry=retry)

    # --- figures ------------------------------------------------------------------------------------------------------

    @property
    def stats(self) -> Stats:
        """
        What this connection's calls have cost so far in this process: requests, retries, bytes, points, times, reconnects.

        It is a snapshot; subtract an earlier one to see what happened in between: ``cdb.stats - before``.
        """
        return self._session.statistics.snapshot()

    def measure(self) -> AbstractContextManager[Stats]:
        """
        Measure what the calls cost that this thread makes inside a block; background work is not counted::

            with cdb.measure() as stats:
                points = cdb("mara/room/temperature")[-1000:]
            print(stats.requests, stats.bytes_in, stats.seconds, stats.server.get("total"))
        """
        return self._session.statistics.measure()

    # --- to everything else -------------------------------------------------------------------------------------------

    def __getitem__(self, stream: str) -> Stream:
        """Return a stream of the device that is logged in, without asking the server."""
        path = self._path
        if path == NOBODYS_PATH:
            raise LocalProtocolError(
                f"there is no stream {stream!r} of one's own without logging in; say cdb('user/device/stream')"
            )
        return cast(Stream, self._at(path / stream))

    def ping(self) -> str:
        """
        Ask the server who is logged in, and return that path.

        Calls: ``GET ?q=this``.
        """
        return str(self._session.call(rest.whoami()))

    def request(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, data: Any = None
    ) -> requests.Response:
        """
        Send a request to any endpoint, and return the answer, which has status 200.

        Args:
            method: The HTTP verb.
            path: The path below ``/api/v1``.
            params: The query parameters.
            data: The value of the JSON body; with ``None`` there is no body.

        Raises:
            ResponseError: The answer has another status.
            ConnectionFailed: There is no answer.
        """
        from . import database

        return database.request(self._session, method, path, params, data)
