"""
Bytes out and in, over HTTP: the only module of the client that imports requests.

One `requests.Session` a thread, as they promise no thread safety; none of them outlives a ``fork``, `Transport.close` or
its thread. Every request has its timeouts, follows no redirect, and carries the credentials that it was given and no
others: not those of a ``.netrc``, not those of a cookie. What requests raises is translated in `_translated` and nowhere
else.
"""

from __future__ import annotations

import io
import logging
import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.auth import AuthBase

from ..exceptions import CertificateRefused, ConnectionFailed, LocalProtocolError, TimedOut
from ..protocol.constants import API_ROOT, SERVER_IDLE_TIMEOUT
from ..runtime.clock import SYSTEM, Clock, Deadline
from .retry import Fate
from .timeouts import Timeout
from .trace import Trace

log = logging.getLogger(__name__)

#: Seconds after which a connection that was kept open is not used again: the original closes it soon after.
IDLE_LIMIT = SERVER_IDLE_TIMEOUT - 1.0

#: What TLS libraries say where the other side answers in plain HTTP.
_PLAIN_HTTP = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")

#: What is among the causes where a certificate was refused; by name, as ssl is loaded by who needs it.
_NOT_TRUSTED = "SSLCertVerificationError"

_HEADERS = {"Content-Type": "application/json", "User-Agent": "ConnectorDB-Python"}


class Transport:
    """
    Requests to one server.

    Args:
        base_url: The server's address, without ``/api/v1``.
        timeout: How long a request may take that is given nothing else; anything that `Timeout.of` takes.
        verify: Check the server's certificate; or a file or folder of certificates to trust.
        cert: A client certificate: one file, or certificate and key.
        proxies: As requests has them; by default those of the environment.
        clock: Says how long a connection has been idle.

    Raises:
        LocalProtocolError: *timeout* is none.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: Timeout | float | tuple[float, float] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self.base_url = base_url
        self.timeout = Timeout.of(timeout)
        self._verify = verify
        self._cert = cert
        self._proxies = dict(proxies or {})
        self._clock = clock
        self._closed = False
        self._forget_connections()

    def send(
        self,
        method: str,
        path: str,
        trace: Trace,
        *,
        parameters: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        authorization: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: Timeout | None = None,
        deadline: Deadline | None = None,
    ) -> requests.Response:
        """
        Send one request, and return its answer, whatever its status.

        Args:
            method: The verb.
            path: Below ``/api/v1``, quoted.
            trace: Is told what became of it, and what it cost.
            parameters: The query.
            body: JSON text.
            authorization: The header of that name.
            headers: Further ones.
            timeout: How long each phase of it may take; what the transport was made with, if it is not given.
            deadline: When all of it is over; if it is not given, after the ``total`` of *timeout*.

        Raises:
            ConnectionFailed: There is no connection, or it broke.
            TimedOut: No answer came in time.
        """
        url = f"{self.base_url}{API_ROOT}{path}"
        began = self._clock.monotonic()
        timeout = self.timeout if timeout is None else timeout
        left = (timeout.deadline(self._clock) if deadline is None else deadline).left()
        if left == 0.0:
            raise TimedOut(f"{method} {url}: the time was up before it could be sent", trace.phase)
        limits = timeout.connect, timeout.read
        watched = None if body is None else _Body(body)
        connections = self._connections()
        with _translated(f"{method} {url}", trace, watched):
            response = connections.session.request(
                method,
                url,
                params=parameters,
                data=watched,
                headers={**_HEADERS, **headers} if headers else _HEADERS,
                auth=_Authorization(authorization),
                verify=self._verify,
                cert=self._cert,
                proxies=self._proxies,
                allow_redirects=False,
                timeout=limits if left is None else (min(limits[0], left), min(limits[1], left)),
            )
        connections.used = self._clock.monotonic()
        trace.phase, trace.complete, trace.seconds = "read", True, connections.used - began
        trace.bytes_out, trace.bytes_in = len(body or b""), len(response.content)
        if self._closed:  # meanwhile, by another thread
            connections.session.close()
        log.debug("%s %s: %d, %d bytes", method, url, response.status_code, len(response.content))
        return response

    def drop_connections(self) -> None:
        """Close what this thread has kept open."""
        self._connections().session.close()

    def close(self) -> None:
        """Close what every thread has kept open."""
        self._closed = True
        with self._lock:
            threads = list(self._threads)
        for connections in threads:
            connections.session.close()

    def _connections(self) -> _Connections:
        """Return this thread's connections, without those that have been idle for too long."""
        if self._process != os.getpid():
            self._forget_connections()
        mine: _Connections | None = getattr(self._local, "connections", None)
        now = self._clock.monotonic()
        if mine is None:
            mine = self._local.connections = _Connections(now)
            with self._lock:
                self._threads.add(mine)
        elif now - mine.used > IDLE_LIMIT:
            mine.session.close()
        return mine

    def _forget_connections(self) -> None:
        """Begin without any: at the start, and in a child process, whose sockets are its parent's."""
        self._process = os.getpid()
        self._lock = threading.Lock()  # the parent's may have been held when the child was made
        self._local = threading.local()
        # guarded by the lock
        self._threads: weakref.WeakSet[_Connections] = weakref.WeakSet()


class _Connections:
    """One thread's connections."""

    def __init__(self, now: float) -> None:
        self.session = _Session()
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.used = now


class _Session(requests.Session):
    """
    Looks at the environment's proxies and certificates when it connects, and not again for each request.

    That look takes as long as all the rest of a small request. All requests go to one server.
    """

    def __init__(self) -> None:
        super().__init__()
        self._settings: dict[str, Any] | None = None

    def merge_environment_settings(self, *arguments: Any, **named: Any) -> dict[str, Any]:  # type: ignore[override]
        """Return what is sent with: what was passed, which is always the same, and what the environment says."""
        if self._settings is None:
            self._settings = dict(super().merge_environment_settings(*arguments, **named))
        return dict(self._settings)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send, and if that fails look anew the next time: the network may be another one, with another proxy."""
        try:
            return super().send(request, **options)
        except BaseException:
            self._settings = None
            raise

    def close(self) -> None:
        """Close what is open."""
        self._settings = None
        super().close()


class _Authorization(AuthBase):
    """The header, or none: while there is any such object, requests looks into no ``.netrc``."""

    def __init__(self, header: str | None) -> None:
        self._header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set it."""
        if self._header is not None:
            request.headers["Authorization"] = self._header
        return request


class _Body(io.BytesIO):
    """A body that knows whether any of it was sent; it is read when the connection stands."""

    begun = False

    def read(self, size: int | None = -1, /) -> bytes:
        """Return all that is left, however little is asked for: it is in memory, and one send is cheaper than many."""
        self.begun = True
        return super().read()


# --- errors -----------------------------------------------------------------------------------------------------------


@contextmanager
def _translated(what: str, trace: Trace, body: _Body | None) -> Iterator[None]:
    """Turn what requests raises into our exceptions, and note what became of the request."""
    kinds = requests.exceptions
    try:
        yield
    except (kinds.InvalidURL, kinds.MissingSchema, kinds.InvalidSchema, kinds.InvalidProxyURL) as error:
        raise LocalProtocolError(f"{what}: {_reason(error)}") from error
    except kinds.ConnectTimeout as error:
        raise TimedOut(
            f"{what}: no connection in time; is the server there, and is a firewall between?", "connect"
        ) from error
    except (kinds.Timeout, kinds.RequestException, OSError) as error:
        silent = isinstance(error, kinds.Timeout) or "timed out" in _reason(error)
        if not _never_connected(error) and (body is None or body.begun):
            trace.fate = Fate.SILENT if silent else Fate.BROKEN
        if silent:
            raise TimedOut(f"{what}: no answer in time; try again, or allow more with timeout=", "read") from error
        kind = CertificateRefused if _is_among_causes(error, _NOT_TRUSTED) else ConnectionFailed
        raise kind(f"{what}: {_explained(error)}") from error


def _never_connected(error: BaseException) -> bool:
    return isinstance(error, requests.exceptions.ProxyError) or _is_among_causes(
        error, "NewConnectionError", "NameResolutionError", _NOT_TRUSTED
    )


def _is_among_causes(error: BaseException, *names: str) -> bool:
    # by name: the classes are urllib3's, which is requests' own business
    return any(type(cause).__name__ in names for cause in _causes(error))


def _explained(error: BaseException) -> str:
    reason = _reason(error)
    if isinstance(error, requests.exceptions.SSLError):
        if any(sign in reason.upper().replace(" ", "_") for sign in _PLAIN_HTTP):
            return f"something speaks plain HTTP there, not HTTPS: if that is the server, say url='http://…' ({reason})"
        if _is_among_causes(error, _NOT_TRUSTED):
            return f"no TLS connection: {reason}; to trust an authority of your own, pass its certificate as verify="
        return f"no TLS connection: {reason}; does the server speak HTTPS? if not, say url='http://…'"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"the proxy gave no connection: {reason}"
    if _never_connected(error):
        return f"no connection: {reason}; is the server running, and is this its address?"
    return f"the connection broke: {reason}"


def _reason(error: BaseException) -> str:
    """
    Return what happened, in a few words: what lies deepest.

    The layers above it write whole URLs and the names of Python objects into their messages.
    """
    *_, deepest = _causes(error)
    if isinstance(deepest, OSError) and deepest.strerror:
        return deepest.strerror
    return str(deepest) or type(deepest).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it came from, to the deepest."""
    seen: set[int] = set()
    here: BaseException | None = error
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        yield here
        inner = [getattr(here, "reason", None), *here.args]
        here = (
            next((cause for cause in inner if isinstance(cause, BaseException)), None)
            or here.__cause__
            or here.__context__
        )
