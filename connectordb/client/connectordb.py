"""`ConnectorDB`: logging in, and everything from there."""

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
    A connection to a ConnectorDB server; at the same time, the device that is logged in.

    Many threads may use it, and a process may fork. Close it, or use it in a ``with`` block::

        with ConnectorDB("mara", "secret") as cdb:
            cdb("mara/room/temperature").insert(21.5)

    What it gives out asks the server when something is done with it::

        cdb("mara")                   # a user: .devices(), ["room"]
        cdb("mara/room")              # a device: .streams(), ["temperature"]
        cdb("mara/room/temperature")  # a stream: .insert(21.5), [-10:], .subscribe(callback)
        cdb["temperature"]            # one of the device that is logged in, which this is, too

    Args:
        user_or_apikey: A user's name or email address, or, without a password, a device's API key; ``None`` for nobody.
        user_password: The user's password. It is sent when logging in only: after that the key of the user's device is used. If that
            is refused later, as somebody has reset it, this logs in again.
        url: The server. Without a scheme it is taken for ``https://``. Or several servers of one database: one of them is used as
            long as it answers, then another; and the first again, once it is there. Without *url*, user and key, server and key
            are those of the environment (``CONNECTORDB_URL``, ``CONNECTORDB_APIKEY``), or of the profile that ``connectordb login``
            wrote; with *url* alone, their key is used where it is for this very server.
        order: Which of several servers is the first: that which was ``"given"`` first, or a ``"random"`` one, so that a fleet
            spreads over them.
        timeout: How long a call may take: seconds for all of it, or a `Timeout`, which has seconds for each phase of it as well; or
            a pair of seconds, for a connection to be there and for the server to answer. By default 10 for a connection, 60 of
            silence, and five minutes for a whole call.
        retry: How often a request is sent that may be sent again: a `Retry`, or a number of attempts; 1 for no retries. By default
            3, with pauses that grow.
        verify: Check the server's certificate; or a file or folder of certificates to trust instead.
        cert: A client certificate: one file, or certificate and key.
        ssl_context: Instead of these two, all about TLS, for requests and subscriptions alike.
        proxies: Scheme → proxy (``http://``, ``https://``, ``socks5h://`` and their like); by default those of the environment.
        pool_size: How many connections to a server the threads of a program share.
        idle_timeout: Seconds after which a connection that was kept open is not used again; an original server closes it after five.
        profile: The profile that names server and key, instead of that of ``CONNECTORDB_PROFILE`` or ``"default"``.
        anonymous: Take no key from anywhere.
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
        ConfigurationError: A variable of the environment, or a profile, makes no sense or is not there.
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
        # what decides, and what sends, are loaded with the first connection
        from .session import Session
        from .settings.finding import find

        credentials = Credentials.of(user_or_apikey, user_password)
        chosen = find(url, credentials, profile, anonymous, options, ConnectorDB.__init__.__kwdefaults__ or {})
        for option in live_options:
            chosen.options.pop(option, None)
        # a traceback with its variables would show them; `chosen` hides what is secret
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
        """The address of the server, without ``/api/v1``; of several, that of the one that is used at present."""
        return self._session.url

    @property
    def proxy(self) -> str:
        """
        Which proxy leads to that server, and who says so: ``"the proxy http://proxy:3128 (HTTPS_PROXY of the environment)"``; without its
        password. Empty for the straight way.

        Raises:
            LocalProtocolError: It is no address of a proxy.
        """
        return self._session.proxy

    @property
    def settings(self) -> Settings:
        """What is in force and where it came from, without secrets: ``print(cdb.settings)``, ``cdb.settings["url"].source``."""
        return self._settings

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as its settings, the key (before logging in: the password) among them; the login is asked for anew."""
        return *super().__reduce__(), {"_settings": self._settings}

    def options(
        self,
        *,
        timeout: Timeout | float | tuple[float, float] | None = None,
        retry: Retry | int | None = None,
    ) -> AbstractContextManager[None]:
        """
        Have the calls of a block be made with other options; those of this thread, and of nothing that is in the background::

            with cdb.options(timeout=2, retry=1):
                newest = cdb("mara/room/temperature")[-1]

        What this returns may be kept, and a block made of it as often as one likes.

        Args:
            timeout: How long each call may take, as for `ConnectorDB`; without it, as long as otherwise. The server is told, so that
                ours does not do for nobody what it has not begun by then.
            retry: How often a request is sent, as for `ConnectorDB`; without it, as often as otherwise.

        Raises:
            LocalProtocolError: One of them is none.
        """
        return self._session.chosen(timeout=timeout, retry=retry)

    # --- figures ------------------------------------------------------------------------------------------------------

    @property
    def stats(self) -> Stats:
        """
        What the calls of this connection have cost so far, in this process: requests, retries, bytes, points, times, reconnects.

        It does not change any more; the difference of two is what came between: ``cdb.stats - before``.
        """
        return self._session.statistics.snapshot()

    def measure(self) -> AbstractContextManager[Stats]:
        """
        Measure what the calls of a block cost; those of this thread, and of nothing that is in the background::

            with cdb.measure() as stats:
                points = cdb("mara/room/temperature")[-1000:]
            print(stats.requests, stats.bytes_in, stats.seconds, stats.server.get("total"))
        """
        return self._session.statistics.measure()

    # --- to everything else -------------------------------------------------------------------------------------------

    def __getitem__(self, stream: str) -> Stream:
        """Return a stream of the device that is logged in."""
        path = self._path
        if path == NOBODYS_PATH:
            raise LocalProtocolError(
                f"there is no stream {stream!r} of one's own without logging in; say cdb('user/device/stream')"
            )
        return cast(Stream, self._at(path / stream))

    def ping(self) -> str:
        """
        Ask the server who is calling, and return that path.

        Calls: ``GET ?q=this``.
        """
        return str(self._session.call(rest.whoami()))

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
        from . import database  # as `db`, for what has no method of its own

        return database.request(self._session, method, path, params, data, data is not None)
