"""
One login: who calls, the servers that are called, and what has to be ended with it.

`Session.call` is the one way to the server; how it goes is `connectordb.client.calls`' business. The live client is made when first
asked for.
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

#: Seconds that closing may take.
_CLOSING = 10.0


class Session:
    """
    A caller's way to the servers of one database.

    Args:
        url: The server, or several.
        credentials: Who calls.
        order: Which of several servers is the first to use: the one that was given first, or any.
        timeout: How long a call may take; anything that `Timeout.of` takes.
        retry: How often it is sent; anything that `Retry.of` takes.
        verify: Check the server's certificate; or a file or folder of certificates to trust.
        cert: A client certificate: one file, or certificate and key.
        ssl_context: Instead of these two, all about TLS.
        proxies: As requests has them.
        pool_size: How many connections to a server there may be.
        idle_timeout: Seconds after which a connection that was kept open is not used again.
        clock: The clocks.

    Attributes:
        urls: The addresses of all servers, as they were given.
        origin: The address that stands for the database: the first that was given.
        credentials: Those that go with requests.
        options: What this was made with, but for URL, credentials and clocks.
        live_options: What else the websocket's client is made with.
        pickled_as: Its name among processes, once it was pickled, or came out of a pickle.
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
        # one for all servers: what it holds of certificates is a megabyte, and the time to read it
        trust = Trust(verify, cert, ssl_context)
        self._way: dict[str, Any] = {
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
        # anew in each process that gets this
        urls = random.sample(self.urls, len(self.urls)) if order == "random" else self.urls
        self._endpoints = Endpoints(urls, self._transport_to, clock, self._moved)
        self._login = Login(self, credentials)
        around = Surroundings(
            self._endpoints, Budget(clock), Names(clock), self._login.renew, self._check_open, self.pause, clock
        )
        self._calls = Calls(self._login, around, self._timeout, Retry.of(retry))
        self._begin_in_process()

    def _begin_in_process(self) -> None:
        """Make what belongs to this process alone."""
        self._process = os.getpid()
        self._closed = threading.Event()
        #: Set a little earlier: subscriptions still end in good order, but nobody waits to try something again.
        self._ending = threading.Event()
        self._live: Live | None = None
        self._is_closing = False
        # guards the live client; nothing is called, joined or waited for under it
        self._changing = threading.Lock()
        self._endpoints.begin_in_process()
        self._login.begin_in_process()
        self._calls.begin_in_process(lambda: 0 if self._events is None else self._events.reconnects)

    def _transport_to(self, url: str) -> Transport:
        return Transport(url, timeout=self._timeout, **self._way, clock=self.clock)

    # --- the servers --------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The address of the server that is used at present, without ``/api/v1``."""
        return self._endpoints.here.url

    @property
    def proxy(self) -> str:
        """Which leads there, in words, without its password; empty for the straight way."""
        return str(self._endpoints.here.transport.proxy or "")

    @property
    def features(self) -> Features:
        """What the server's last answer said it can do beyond 0.3."""
        return self._endpoints.here.features

    def server_time(self) -> float | None:
        """Return what the server's clock shows now, by its last answer; ``None`` if that did not say."""
        return self._endpoints.here.time()

    def leave_server(self) -> bool:
        """Use the next of several servers for now; tell whether there is one."""
        self._check_open()
        return self._endpoints.leave()

    def _moved(self) -> None:
        """Have subscriptions go on with the server that is used now."""
        live = self._live
        if live is not None:
            live.move()

    @property
    def statistics(self) -> Statistics:
        """What the calls of this process have cost."""
        return self._calls.statistics

    # --- calling ------------------------------------------------------------------------------------------------------

    def call(self, request: rest.Request[T]) -> T:
        """
        Send *request*, and return what the answer says.

        Raises:
            AuthenticationError: The server refused.
            ServerError: It failed, or it is none.
            ConnectionFailed: There is no connection, or no answer in time (`TimedOut`).
            OutcomeUnknown: Points were sent, and whether they are stored is not known; they are not sent again.
            ClosedError: This was closed.
        """
        return self._ready().call(request)

    def once(self, request: rest.Request[T]) -> T:
        """Do the same for somebody who tries again himself: only a read whose connection broke is sent once more."""
        return self._ready().call(request, once=True)

    def send(self, request: rest.Request[Any]) -> requests.Response:
        """Send *request*, and return the answer itself, which is a 200; otherwise raise as `call`."""
        return self._ready().answer(request)

    def pieces(self, request: rest.Request[Any], cost: Stats) -> Pieces:
        """As `Calls.pieces`."""
        return self._ready().pieces(request, cost)

    def _ready(self) -> Calls:
        """Return what makes calls, once this is logged in."""
        self._check_open()
        self._login.first()
        return self._calls

    def send_as_is(self, request: rest.Request[T], once: bool) -> T:
        """Send *request* without logging in before: `call` for who does so."""
        self._check_open()
        return self._calls.call(request, once)

    def chosen(
        self, *, timeout: Timeout | float | tuple[float, float] | None = None, retry: Retry | int | None = None
    ) -> AbstractContextManager[None]:
        """Have every call of this thread in the block take so long at most, and be sent so often; ``None``: as before."""
        return self._calls.options.chosen(
            timeout=None if timeout is None else Timeout.of(timeout), retry=None if retry is None else Retry.of(retry)
        )

    def within(self, deadline: Deadline) -> AbstractContextManager[None]:
        """Have every call of this thread in the block end at *deadline*, of which the server is told as well."""
        return self._calls.options.chosen(deadline=deadline)

    def as_one_call(self) -> AbstractContextManager[None]:
        """Have all calls of this thread in the block end when a single one would have to."""
        return self._calls.options.as_one_call(self._calls.time())

    def for_a_thread(self, work: Callable[[], T]) -> Callable[[], T]:
        """As `Calls.for_a_thread`."""
        return self._calls.for_a_thread(work)

    def time_for_a_call(self) -> Deadline:
        """Return when a call of this thread that begins now has to have ended."""
        return self._calls.time()

    def pause(self, seconds: float) -> None:
        """
        Wait.

        Raises:
            ClosedError: This was closed meanwhile.
        """
        if self.clock.wait(self._ending, seconds):
            raise self._was_closed()

    def check_insert(self, path: Path) -> None:
        """
        Refuse an insert into *path* that would feed the callback on whose behalf this thread runs.

        Raises:
            LocalProtocolError: It would.
        """
        from ..live import check_insert

        check_insert(path, lambda: self.path)

    def _check_process(self) -> None:
        if self._process != os.getpid():
            # a child: threads that its parent's locks and subscriptions belong to are not here
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
        """The caller: the device that is logged in, or ``nobody``; asks the server when first used."""
        self._check_open()
        return self._login.path

    @property
    def path_if_known(self) -> Path | None:
        """The same without a request."""
        return self._login.path_if_known

    @property
    def credentials(self) -> Credentials:
        """Those that go with requests."""
        return self._login.credentials

    def authorization(self) -> str | None:
        """Return what the ``Authorization`` header says now, or ``None`` for nobody."""
        return self._login.header

    def renew(self, refused: str | None) -> bool:
        """Get another ``Authorization`` header than the one that the server *refused*; tell whether there is one."""
        credentials = self._login.credentials
        return credentials.header != refused or self._login.renew(credentials)

    def login(self, wait: float = 0.0) -> rest.Fields | None:
        """As `Login.login`."""
        self._check_open()
        return self._login.login(wait)

    def of_another(self, apikey: str) -> Session:
        """Return a session of another device, with the same servers and options; whoever asks for it closes it."""
        return Session(self.urls, Credentials(secret=apikey), **self.options, clock=self.clock)

    def use_apikey(self, apikey: str) -> None:
        """Go on with another key of the same device."""
        self._login.use(Credentials(secret=apikey))

    # --- subscriptions, and the end -----------------------------------------------------------------------------------

    @property
    def live(self) -> Live:
        """The subscriptions, made when first asked for."""
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
        """Whether subscriptions were asked for."""
        return self._live is not None

    @property
    def events(self) -> Events:
        """What becomes of the websocket."""
        if self._events is None:
            from ..live import Events

            self._events = Events()
        return self._events

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as what it was made of, with its present credentials."""
        from .pickling import session_of, state_of

        return session_of, state_of(self)

    @property
    def is_closed(self) -> bool:
        """Whether this was closed."""
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
                live.close(deadline.left() or 0.0)  # first: a command that is being acted on is still acknowledged
        finally:
            self._closed.set()
            self._endpoints.stop()
            self._endpoints.join(deadline.left())
