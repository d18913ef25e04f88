"""
One login: credentials, the one way to call the server, and what has to be ended with it.

`Session.call` is the one place where a failed answer becomes an exception. The live client is made when first asked for.
"""

from __future__ import annotations

import logging
import os
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ..exceptions import (
    AuthenticationError,
    ClosedError,
    ConnectionFailed,
    LocalProtocolError,
    NotFound,
    OutcomeUnknown,
    ServerError,
    TimedOut,
)
from ..protocol import http_dates, rest
from ..protocol.constants import API_ROOT, NOBODY
from ..protocol.features import HEADER, IDEMPOTENCY_KEY, TIMEOUT, Features
from ..protocol.paths import Path
from ..runtime.clock import SYSTEM, Clock, Deadline
from .address import base_url
from .credentials import Credentials
from .http import Transport
from .notes import with_note
from .retry import Verdict, judge
from .timeouts import Timeout
from .trace import Trace

if TYPE_CHECKING:
    import requests

    from ..live import Events, Live

log = logging.getLogger(__name__)

T = TypeVar("T")

#: The caller's path where nobody is logged in.
NOBODYS_PATH = Path((NOBODY,))

#: Between two attempts to log in, with ``wait=``.
_PATIENCE = {"first": 0.5, "longest": 10.0}


class Session:
    """
    A caller's way to one server.

    Args:
        url: The server.
        credentials: Who calls.
        timeout: How long a call may take; anything that `Timeout.of` takes.
        verify: Check the server's certificate; or a file or folder of certificates to trust.
        cert: A client certificate: one file, or certificate and key.
        proxies: As requests has them.
        clock: The clocks.

    Attributes:
        url: The server's address, without ``/api/v1``.
        features: What the server's last answer said it can do beyond 0.3.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        timeout: Timeout | float | tuple[float, float] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self.url = base_url(url)
        self.clock = clock
        self.features = Features()
        self._announced: str | None = None
        # what the last answer said of the time, and when it came
        self._dated: tuple[str, float] | None = None
        self._credentials = credentials
        self._options: dict[str, Any] = {"timeout": timeout, "verify": verify, "cert": cert, "proxies": proxies}
        self._transport = Transport(self.url, **self._options, clock=clock)
        self._path: Path | None = None
        #: What else the websocket's client is made with.
        self.live_options: dict[str, Any] = {}
        self._events: Events | None = None
        self._begin_in_process()

    def _begin_in_process(self) -> None:
        """Make what belongs to this process alone."""
        self._process = os.getpid()
        self._closed = threading.Event()
        self._live: Live | None = None
        self._is_closing = False
        #: Each thread's deadline.
        self._limits = threading.local()
        # one thread logs in at a time, and the others wait for it
        self._logging_in = threading.RLock()
        # guards credentials and the live client; nothing is called, joined or waited for under it
        self._changing = threading.Lock()

    # --- calling ------------------------------------------------------------------------------------------------------

    def call(self, request: rest.Request[T]) -> T:
        """
        Send *request*, and return what the answer says.

        Raises:
            AuthenticationError: The server refused.
            ServerError: It failed, or it is none.
            ConnectionFailed: There is no connection, or no answer in time (`TimedOut`).
            OutcomeUnknown: Points were sent and no answer came; they were not sent again.
            ClosedError: This was closed.
        """
        self._login_if_slow()
        return self._call(request)

    @contextmanager
    def within(self, deadline: Deadline) -> Iterator[None]:
        """Have every call of this thread in the block end at *deadline*, of which the server is told as well."""
        before: Deadline | None = getattr(self._limits, "deadline", None)
        self._limits.deadline = deadline
        try:
            yield
        finally:
            self._limits.deadline = before

    def _time_for(self, request: rest.Request[Any]) -> float | None:
        """Return the seconds that there are for *request* on this thread; ``None`` if there are as many as usual."""
        deadline: Deadline | None = getattr(self._limits, "deadline", None)
        left = None if deadline is None else deadline.left()
        if left == 0.0:
            raise TimedOut(f"{request.method} {request.path}: the time was up before it could be sent")
        return left

    def send(self, request: rest.Request[Any]) -> requests.Response:
        """Send *request*, and return the answer itself if it is none of the failures of `call`."""
        self._login_if_slow()
        response = self._exchange(request)
        if response.status_code != 200:
            request.read(_reply(response))
        return response

    def check_insert(self, path: Path) -> None:
        """
        Refuse an insert into *path* that would feed the callback on whose behalf this thread runs.

        Raises:
            LocalProtocolError: It would.
        """
        from ..live import check_insert

        check_insert(path, lambda: self.path)

    def _call(self, request: rest.Request[T]) -> T:
        return request.read(_reply(self._exchange(request)))

    def _exchange(self, request: rest.Request[Any]) -> requests.Response:
        attempt = 1
        while True:
            self._check_open()
            within = self._time_for(request)
            trace = Trace()
            try:
                response = self._transport.send(
                    request.method,
                    request.path,
                    trace,
                    parameters=request.parameters,
                    body=request.body,
                    authorization=self.authorization(),
                    headers=_headers(request.key, within),
                    deadline=getattr(self._limits, "deadline", None),
                )
            except ConnectionFailed as error:
                verdict = judge(request.method, request.inserts, trace.fate, attempt)
                if verdict is Verdict.UNKNOWN:
                    raise OutcomeUnknown(f"{error}; whether the points are stored is unknown") from error
                self._check_open()
                if verdict is Verdict.TELL:
                    raise
                log.debug("%s; trying once more", error)
                self._transport.drop_connections()
                attempt += 1
            else:
                if (date := response.headers.get("Date")) is not None:
                    self._dated = (date, self._elapsed())
                announced = response.headers.get(HEADER)
                if announced != self._announced:
                    self._announced, self.features = announced, Features.parse(announced)
                return response

    def server_time(self) -> float | None:
        """
        Return what the server's clock shows now, by its last answer; ``None`` if it did not say.

        To half a second, as whole ones are said, and what the answer travelled.
        """
        if self._dated is None:
            return None
        date, came = self._dated
        said = http_dates.seconds(date)
        return None if said is None else said + 0.5 + self._elapsed() - came

    def _elapsed(self) -> float:
        """Return seconds since some moment; those in which the machine slept included, where a clock counts them."""
        return self.clock.monotonic() if self.clock.boot is None else self.clock.boot()

    def _check_process(self) -> None:
        if self._process != os.getpid():
            # a child: threads that its parent's locks and subscriptions belong to are not here
            closed = self._closed.is_set()
            self._begin_in_process()
            if closed:
                self._closed.set()

    def _check_open(self, is_closing: bool = False) -> None:
        self._check_process()
        if is_closing or self._closed.is_set():
            raise ClosedError(f"the connection to {self.url} was closed; make a new ConnectorDB")

    # --- who calls ----------------------------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The caller: the device that is logged in, or ``nobody``; asks the server when first used."""
        self._check_open()
        if self._path is None:
            with self._logging_in:
                if self._path is None:
                    self._login()
        assert self._path is not None
        return self._path

    @property
    def path_if_known(self) -> Path | None:
        """The same without a request."""
        return self._path

    def authorization(self) -> str | None:
        """Return what the ``Authorization`` header says now, or ``None`` for nobody."""
        return self._credentials.header

    def of_another(self, apikey: str) -> Session:
        """Return a session of another device, with the same server and options; whoever asks for it closes it."""
        return Session(self.url, Credentials(secret=apikey), **self._options, clock=self.clock)

    def use_apikey(self, apikey: str) -> None:
        """Go on with another key of the same device."""
        with self._changing:
            self._credentials = Credentials(secret=apikey)

    def login(self, wait: float = 0.0) -> rest.Fields | None:
        """
        Ask the server who this is, and after a password go on with the device's API key.

        Args:
            wait: Seconds to keep trying while there is no server.

        Returns:
            The device's metadata, if they had to be read.

        Raises:
            AuthenticationError: The credentials were refused.
        """
        if isinstance(wait, bool) or not isinstance(wait, (int, float)) or not wait >= 0:
            raise LocalProtocolError(f"wait={wait!r}: expected seconds, 0 or more")
        deadline = Deadline(wait, self.clock)
        failures = 0
        while True:
            try:
                with self._logging_in:
                    return self._login()
            except (ConnectionFailed, ServerError) as error:
                failures += 1
                pause = _pause(failures)
                left = deadline.left() or 0.0
                if left == 0.0:
                    raise
                log.info("%s; trying again in %.1f s", error, min(pause, left))
                self.clock.wait(self._closed, min(pause, left))

    def _login(self) -> rest.Fields | None:
        with_password = self._credentials.are_a_password
        try:
            path = self._call(rest.whoami())
        except AuthenticationError as refused:
            if refused.status != 401:
                raise
            raise self._refused(refused) from refused
        device: rest.Fields | None = None
        if with_password:
            # every check of a password costs the server a slow hash; where the key is not shown, the password goes on
            with suppress(NotFound):
                device = self._call(rest.read(path))
                if device.get("apikey"):
                    self.use_apikey(device["apikey"])
        self._path = path
        return device

    def _login_if_slow(self) -> None:
        self._check_open()
        if self._path is None and self._credentials.are_a_password:
            with self._logging_in:
                if self._path is None:
                    self._login()

    def _refused(self, refused: AuthenticationError) -> AuthenticationError:
        """Say of a refused login what was refused, which the server's own words leave open."""
        key = not self._credentials.are_a_password
        hint = "; is it a key of this server, and the newest one of its device?" if key else ""
        return type(refused)(
            with_note(f"{self.url} did not accept {self._credentials}: {refused.message}", hint),
            status=refused.status,
            code=refused.code,
            ref=refused.ref,
            method=refused.method,
            path=refused.path,
        )

    # --- subscriptions, and the end -----------------------------------------------------------------------------------

    @property
    def live(self) -> Live:
        """The subscriptions, made when first asked for."""
        self._check_open()
        from ..live import Live

        with self._changing:
            if self._live is None:
                self._check_open(self._is_closing)
                self._live = Live(
                    self.url,
                    authorization=self.authorization,
                    call=self.call,
                    caller=lambda: self.path,
                    features=lambda: self.features,
                    server_time=self.server_time,
                    events=self.events,
                    **self.live_options,
                    **self._transport.for_websocket,
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

    def close(self) -> None:
        """End every subscription, thread and socket; calling it twice does nothing."""
        self._check_process()
        with self._changing:
            if self._is_closing:
                return
            live, self._is_closing = self._live, True
        try:
            if live is not None:
                live.close()  # first: a command that is being acted on is still acknowledged
        finally:
            self._closed.set()
            self._transport.close()


def _headers(key: str | None, within: float | None) -> dict[str, str] | None:
    headers = {IDEMPOTENCY_KEY: key} if key else {}
    if within is not None:
        headers[TIMEOUT] = f"{max(within, 0.001):.3f}"
    return headers or None


def _pause(failures: int) -> float:
    from ..runtime.backoff import Backoff  # few programs need it

    return Backoff(**_PATIENCE).seconds(failures, random.random)


def _reply(response: requests.Response) -> rest.Reply:
    return rest.Reply(response.status_code, response.content, response.headers, response.url.partition(API_ROOT)[0])
