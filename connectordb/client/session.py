"""
A session: one login to the servers of a database, shared by all objects that come from one `ConnectorDB`.

Every request goes through `Session.call`; what happens to it there (retries, several servers) is in `connectordb.client.calls`.
The live client, which has the websocket, is created when it is first needed.
"""

from __future__ import annotations

import logging
import os
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..exceptions import ClosedError, LocalProtocolError
from ..network import Trust
from ..protocol import rest
from ..protocol.features import Features
from ..protocol.paths import Path
from ..runtime.clock import SYSTEM, Clock, Deadline
from .calls import Budget, Calls, Endpoints, Login, Names, Surroundings
from .http import Transport
from .settings import Credentials, base_urls
from .terms import IDLE_TIMEOUT, POOL_SIZE, Retry, Timeout
from .terms.statistics import Statistics, Stats

if TYPE_CHECKING:
    import ssl

    import requests

    from ..live import Events, Live
    from .calls import Pieces

log = logging.getLogger(__name__)

T = TypeVar("T")

#: In which order several servers are tried.
Order = Literal["given", "random"]

#: Seconds that closing may take by default.
_CLOSING = 10.0


class Session:
    """
    One caller's access to the servers of one database.

    Args:
        url: The server's address, or several addresses.
        credentials: Who calls.
        order: Which of several servers to use first: the first one in the list, or a random one.
        timeout: How long a call may take; anything that `Timeout.of` accepts.
        retry: How often a request is sent; anything that `Retry.of` accepts.
        verify: Whether to check the server's certificate; or a file or folder of certificates to trust.
        cert: A client certificate: one file, or a pair of certificate and key.
        ssl_context: Replaces *verify* and *cert*.
        proxies: Scheme → proxy, as in requests.
        pool_size: How many connections to one server there may be.
        idle_timeout: Seconds after which an unused connection is not used again.
        clock: The clocks; tests replace them.

    Attributes:
        urls: The addresses of all servers, in the order in which they were given.
        origin: The address that identifies the database: the first of *urls*.
        credentials: What is sent with each request now.
        options: The arguments that this was made with, without URL, credentials and clock.
        live_options: Further arguments for the live client.
        pickled_as: What identifies this session in other processes, once it was pickled or unpickled; otherwise empty.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        credentials: Credentials,
        *,
        order: Order = "given",
        timeout: Timeout | float | tuple[float, float] | None = None,
        retry: Retry | int | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxies: Mapping[str, str] | None = None,
        pool_size: int = POOL_SIZE,
        idle_timeout: float = IDLE_TIMEOUT,
        clock: Clock = SYSTEM,
    ) -> None:
        self.urls = base_urls(url)
        self.origin = self.urls[0]
        self.clock = clock
        self.options: dict[str, Any] = {
            "order": order,
            "timeout": timeout,
            "retry": retry,
            "verify": verify,
            "cert": cert,
            "ssl_context": ssl_context,
            "proxies": proxies,
            "pool_size": pool_size,
            "idle_timeout": idle_timeout,
        }
        # shared by all servers: loading the certificates takes time and a megabyte
        trust = Trust(verify, cert, ssl_context)
        self._transport_options: dict[str, Any] = {
            "trust": trust,
            "proxies": proxies,
            "pool_size": pool_size,
            "idle_timeout": idle_timeout,
        }
        self._timeout = Timeout.of(timeout)
        self.live_options: dict[str, Any] = {}
        self.pickled_as = ""
        self._events: Events | None = None
        if order not in ("given", "random"):
            raise LocalProtocolError(f"order={order!r}: expected 'given' or 'random'")
        # shuffled here and not in `urls`: each process that unpickles this session gets an order of its own
        urls = random.sample(self.urls, len(self.urls)) if order == "random" else self.urls
        self._endpoints = Endpoints(urls, self._transport_to, clock, self._moved)
        self._login = Login(self, credentials)
        around = Surroundings(
            self._endpoints, Budget(clock), Names(clock), self._login.renew, self._check_open, self.pause, clock
        )
        self._calls = Calls(self._login, around, self._timeout, Retry.of(retry))
        self._begin_in_process()

    def _begin_in_process(self) -> None:
        """Create what belongs to one process: called at the start, and again in a child after a fork."""
        self._process = os.getpid()
        # `close` sets these one after the other: the first keeps new subscriptions out, the second ends every pause between
        # attempts, the third, once subscriptions have sent their last acknowledgements, refuses calls
        self._is_closing = False
        self._ending = threading.Event()
        self._closed = threading.Event()
        self._live: Live | None = None
        # guards `_live` and `_is_closing`; nothing slow is done while it is held
        self._changing = threading.Lock()
        self._endpoints.begin_in_process()
        self._login.begin_in_process()
        self._calls.begin_in_process(lambda: 0 if self._events is None else self._events.reconnects)

    def _transport_to(self, url: str) -> Transport:
        return Transport(url, timeout=self._timeout, **self._transport_options, clock=self.clock)

    # --- the servers --------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The address of the server in use, without ``/api/v1``."""
        return self._endpoints.here.url

    @property
    def proxy(self) -> str:
        """A description of the proxy that leads there, without its password; empty without a proxy."""
        return str(self._endpoints.here.transport.proxy or "")

    @property
    def features(self) -> Features:
        """What the server can do beyond ConnectorDB 0.3, by its last answer."""
        return self._endpoints.here.features

    def server_time(self) -> float | None:
        """Return the server's present time, reckoned from its last answer; ``None`` if that had no date."""
        return self._endpoints.here.time()

    def leave_server(self) -> bool:
        """Switch to the next of several servers for now, and return whether there is one."""
        self._check_open()
        return self._endpoints.leave()

    def _moved(self) -> None:
        """Move subscriptions to the server that is in use now."""
        live = self._live
        if live is not None:
            live.move()

    @property
    def statistics(self) -> Statistics:
        """The counters of what calls have cost in this process."""
        return self._calls.statistics

    # --- calling ------------------------------------------------------------------------------------------------------

    def call(self, request: rest.Request[T]) -> T:
        """
        Send *request*, and return what it reads from the answer.

        Raises:
            ResponseError: The server refused the request or failed; see its subclasses.
            ConnectionFailed: There is no connection, or no answer in time (`TimedOut`).
            OutcomeUnknown: Points were sent, and whether they are stored is not known; they are not sent again.
            ClosedError: The session was closed.
        """
        return self._ready().call(request)

    def once(self, request: rest.Request[T]) -> T:
        """As `call`, for callers that have their own retries: only a read whose connection broke is sent a second time."""
        return self._ready().call(request, once=True)

    def send(self, request: rest.Request[Any]) -> requests.Response:
        """Send *request*, and return the answer itself, which has status 200; otherwise raise as `call` does."""
        return self._ready().answer(request)

    def pieces(self, request: rest.Request[Any], cost: Stats) -> Pieces:
        """As `Calls.pieces`."""
        return self._ready().pieces(request, cost)

    def _ready(self) -> Calls:
        """Log in if that has not been done, and return what makes the calls."""
        self._check_open()
        self._login.first()
        return self._calls

    def send_as_is(self, request: rest.Request[T], once: bool) -> T:
        """As `call` or `once`, but without logging in first; for the login itself."""
        self._check_open()
        return self._calls.call(request, once)

    def chosen(
        self, *, timeout: Timeout | float | tuple[float, float] | None = None, retry: Retry | int | None = None
    ) -> AbstractContextManager[None]:
        """Limit the time and the attempts of the calls that this thread makes in the block; ``None`` leaves them as they are."""
        return self._calls.options.chosen(
            timeout=None if timeout is None else Timeout.of(timeout), retry=None if retry is None else Retry.of(retry)
        )

    def within(self, deadline: Deadline) -> AbstractContextManager[None]:
        """End the calls that this thread makes in the block at *deadline*; the server is told of it, too."""
        return self._calls.options.chosen(deadline=deadline)

    def as_one_call(self) -> AbstractContextManager[None]:
        """Give all calls that this thread makes in the block together the time of a single one."""
        return self._calls.options.as_one_call(self._calls.time())

    def for_a_thread(self, work: Callable[[], T]) -> Callable[[], T]:
        """As `Calls.for_a_thread`."""
        return self._calls.for_a_thread(work)

    def time_for_a_call(self) -> Deadline:
        """Return the deadline of a call that this thread begins now."""
        return self._calls.time()

    def pause(self, seconds: float) -> None:
        """
        Sleep, unless the session is closed.

        Raises:
            ClosedError: The session was closed meanwhile.
        """
        if self.clock.wait(self._ending, seconds):
            raise self._was_closed()

    def check_insert(self, path: Path) -> None:
        """
        Refuse an insert that a subscription's callback makes into the stream that it watches: it would call itself for ever.

        Raises:
            LocalProtocolError: This thread runs a callback, and *path* is what that watches.
        """
        from ..live import check_insert

        check_insert(path, lambda: self.path)

    def _check_process(self) -> None:
        if self._process != os.getpid():
            # this is a forked child: the parent's threads are not here, and its locks may have been held
            closed = self._closed.is_set()
            self._begin_in_process()
            if closed:
                self._ending.set()
                self._closed.set()

    def _check_open(self) -> None:
        self._check_process()
        if self._closed.is_set():
            raise self._was_closed()

    def _was_closed(self) -> ClosedError:
        return ClosedError(f"the connection to {self.origin} was closed; make a new ConnectorDB")

    # --- who calls ----------------------------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The path of the device that is logged in, or ``nobody``; asks the server at the first use."""
        self._check_open()
        return self._login.path

    @property
    def path_if_known(self) -> Path | None:
        """The same without asking the server; ``None`` if it is not known yet."""
        return self._login.path_if_known

    @property
    def credentials(self) -> Credentials:
        """What is sent with each request now."""
        return self._login.credentials

    def authorization(self) -> str | None:
        """Return the present value of the ``Authorization`` header; ``None`` for nobody."""
        return self._login.header

    def renew(self, refused: str | None) -> bool:
        """Try to get another ``Authorization`` header than the one that the server *refused*; return whether there is one."""
        credentials = self._login.credentials
        return credentials.header != refused or self._login.renew(credentials)

    def login(self, wait: float = 0.0) -> rest.Fields | None:
        """As `Login.login`."""
        self._check_open()
        return self._login.login(wait)

    def of_another(self, apikey: str) -> Session:
        """Return a new session as another device, with the same servers and options; the caller has to close it."""
        return Session(self.urls, Credentials(secret=apikey), **self.options, clock=self.clock)

    def use_apikey(self, apikey: str) -> None:
        """Go on with another key of the same device."""
        self._login.use(Credentials(secret=apikey))

    # --- subscriptions, and the end -----------------------------------------------------------------------------------

    @property
    def live(self) -> Live:
        """The live client, created at the first use."""
        self._check_open()
        from ..live import Live

        with self._changing:
            if self._live is None:
                self._check_open()
                if self._is_closing:
                    raise self._was_closed()
                self._live = Live(
                    self.origin,
                    authorization=self.authorization,
                    renew=self.renew,
                    call=self.once,
                    caller=lambda: self.path,
                    features=lambda: self.features,
                    server_time=self.server_time,
                    present=lambda: self.url,
                    unusable=self._endpoints.url_failed,
                    events=self.events,
                    heard=self.statistics.heard,
                    **self.live_options,
                    **self._endpoints.here.transport.for_websocket,
                )
            return self._live

    @property
    def has_live(self) -> bool:
        """Whether the live client was created."""
        return self._live is not None

    @property
    def events(self) -> Events:
        """The events of the websocket: connected, lost, reconnected, failed."""
        if self._events is None:
            from ..live import Events

            self._events = Events()
        return self._events

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what the session was made of, with its present credentials."""
        from .pickling import session_of, state_of

        return session_of, state_of(self)

    @property
    def is_closed(self) -> bool:
        """Whether the session was closed."""
        return self._closed.is_set()

    def close(self, timeout: float = _CLOSING) -> None:
        """End every subscription, thread and socket within *timeout* seconds; calling it twice does nothing."""
        self._check_process()
        deadline = Deadline(timeout, self.clock)
        with self._changing:
            if self._is_closing:
                return
            live, self._is_closing = self._live, True
        self._ending.set()
        try:
            if live is not None:
                live.close(
                    deadline.left() or 0.0
                )  # first, as a command that is being handled still sends its acknowledgement
        finally:
            self._closed.set()
            self._endpoints.stop()
            self._endpoints.join(deadline.left())
