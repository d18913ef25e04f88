"""
`Transport`: sends one request to one server, and receives the answer, within a given time.

Every wait is limited. A request follows no redirect, and carries only the credentials that it was given, none from a ``.netrc`` or a
cookie. No connection outlives a ``fork`` or `Transport.close`. Every error goes through `failures.translated`.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from ...exceptions import ConnectionFailed, LocalProtocolError, TimedOut
from ...network import Proxy, Trust, proxy_for
from ...protocol.constants import API_ROOT
from ...runtime.clock import SYSTEM, Clock, Deadline
from ..terms import IDLE_TIMEOUT, POOL_SIZE, Timeout
from ..terms.trace import Trace
from . import answers, failures
from .allowance import Allowance
from .line import Line
from .lines import Lines

log = logging.getLogger(__name__)

#: The status by which a proxy asks for credentials. The server has not seen the request.
_PROXY_REFUSES = 407

_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": answers.ACCEPTED,
    "Content-Type": "application/json",
    "User-Agent": "ConnectorDB-Python",
}


class Transport:
    """
    Requests to one server, by any number of threads.

    Args:
        base_url: The server's address, without ``/api/v1``.
        timeout: How long a request may take by default; anything that `Timeout.of` accepts.
        trust: The TLS settings.
        proxies: Scheme → proxy, as in requests; for other schemes those of the environment.
        pool_size: How many connections there may be.
        idle_timeout: Seconds after which an unused connection is not used again.
        clock: The clocks.

    Raises:
        LocalProtocolError: One of them is not valid.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: Timeout | float | tuple[float, float] | None = None,
        trust: Trust | None = None,
        proxies: Mapping[str, str] | None = None,
        pool_size: int = POOL_SIZE,
        idle_timeout: float = IDLE_TIMEOUT,
        clock: Clock = SYSTEM,
    ) -> None:
        self.base_url = base_url
        self.timeout = Timeout.of(timeout)
        self._trust = trust or Trust()
        if not isinstance(proxies, Mapping | None):  # not shown: it may hold a password
            raise LocalProtocolError("proxies=: expected schemes and proxies, such as {'https': 'http://proxy:3128'}")
        self._proxies = dict(proxies or {})
        self._root = _prepared(f"{base_url}{API_ROOT}")
        self._origin = "{0.scheme}://{0.netloc}".format(urlsplit(self._root))
        self._pool_size = _checked("pool_size", pool_size, int)
        self._idle_timeout = _checked("idle_timeout", idle_timeout, (int, float))
        self._clock = clock
        self._lines = self._new_lines()
        self._process = os.getpid()

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
        in_pieces: Deadline | None = None,
    ) -> requests.Response:
        """
        Send one request, and return its answer, whatever its status.

        Args:
            method: The HTTP verb.
            path: The path below ``/api/v1``, quoted.
            trace: Gets what became of the request, and what it cost.
            parameters: The query parameters.
            body: The JSON text of the body.
            authorization: The value of the ``Authorization`` header.
            headers: Further headers.
            timeout: How long each phase may take; by default that of the transport.
            deadline: When all of it has to be over; by default after the ``total`` of *timeout*.
            in_pieces: If the body of an answer with status 200 may be larger than memory: the deadline for that body, while
                *deadline* is that of its head. Then ``raw`` of the answer is an iterator over the body, compressed as
                ``Content-Encoding`` says, which raises the same exceptions. Time in which it is not asked for a piece does not
                count.

        Raises:
            ConnectionFailed: There is no connection, or it broke.
            TimedOut: No answer came in time.
            RemoteProtocolError: The answer is larger than this client accepts.
            LocalProtocolError: The request, a proxy or a certificate is not valid.
        """
        timeout = self.timeout if timeout is None else timeout
        deadline = timeout.deadline(self._clock) if deadline is None else deadline
        what = f"{method} {self.base_url}{API_ROOT}{path}"
        if deadline.left() == 0.0:
            raise TimedOut(f"{what}: the time was up before it could be sent", trace.phase)
        sent = dict(_HEADERS)
        if authorization is not None:
            sent["Authorization"] = authorization
        if body is not None:
            sent["Content-Length"] = str(len(body))
        if headers:
            sent.update(headers)
        if in_pieces is not None:
            sent["Accept-Encoding"] = answers.ACCEPTED_IN_PIECES
        allowance = Allowance(timeout, deadline, trace, self._clock)
        response = self._exchange(method, self._url(path, parameters), sent, body, what, allowance, in_pieces)
        response.elapsed = timedelta(seconds=trace.seconds)
        log.debug("%s: %d, %d bytes", what, response.status_code, trace.bytes_in)
        return response

    @property
    def proxy(self) -> Proxy | None:
        """The proxy that leads to the server now; ``None`` if there is none."""
        return proxy_for(self._origin, self._proxies)

    @property
    def for_websocket(self) -> dict[str, Any]:
        """Arguments for a websocket to the same server, so that it uses the same proxy and TLS settings."""
        return {
            "trust": self._trust,
            "proxies": self._proxies,
            "timeout": (self.timeout.connect, self.timeout.read),
        }

    def drop_connections(self) -> None:
        """Close the connections that are open and not in use."""
        self._own_lines().drop()

    def close(self) -> None:
        """Close all connections; requests of other threads fail at once."""
        self._own_lines().close()

    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        what: str,
        allowance: Allowance,
        in_pieces: Deadline | None,
    ) -> requests.Response:
        lines = self._own_lines()
        line, is_good, goes_on = None, False, False
        try:
            line = lines.take(allowance)
            response = line.exchange(method, url, headers, body, allowance, in_pieces is not None)
            is_good = True
            if in_pieces is not None and response.status_code == 200:
                goes_on = True
                allowance.until(in_pieces)
                response.raw = self._pieces(lines, line, response.raw, what, allowance)
            if response.status_code == _PROXY_REFUSES and line.passes_on:
                assert line.proxy is not None
                raise ConnectionFailed(line.proxy.gave_none(f"{response.status_code} {response.reason}"))
            return response
        except Exception as error:
            raise failures.translated(error, what, allowance, None if line is None else line.proxy) from error
        finally:
            now = allowance.end()
            if line is not None and not goes_on:
                lines.give_back(line, now, is_good)

    def _pieces(self, lines: Lines, line: Line, raw: Any, what: str, allowance: Allowance) -> Iterator[bytes]:
        is_good = False
        try:
            yield from line.pieces(raw)
            is_good = True
        except Exception as error:
            raise failures.translated(error, what, allowance, line.proxy) from error
        finally:
            lines.give_back(line, allowance.end(), is_good)

    def _url(self, path: str, parameters: Mapping[str, Any] | None) -> str:
        query = urlencode({name: value for name, value in (parameters or {}).items() if value is not None}, doseq=True)
        return f"{self._root}{path}{'&' if '?' in path else '?'}{query}" if query else f"{self._root}{path}"

    def _own_lines(self) -> Lines:
        """Return the connections of this process; in a forked child, replace those that belong to the parent."""
        if self._process != os.getpid():
            inherited, self._lines = self._lines, self._new_lines()
            self._process = os.getpid()
            inherited.abandon()
        return self._lines

    def _new_lines(self) -> Lines:
        origin, trust, proxies = self._origin, self._trust, self._proxies
        return Lines(self._pool_size, self._idle_timeout, lambda: Line(origin, trust, proxies), self._clock)


def _prepared(url: str) -> str:
    """Return a URL as it is sent, with its host in the form that name servers know."""
    try:
        prepared = requests.Request("GET", url).prepare().url
    except requests.exceptions.RequestException as error:
        raise LocalProtocolError(f"{url}: {error}") from error
    assert prepared is not None
    return prepared


def _checked(name: str, value: Any, kind: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, kind) or not 0 < value < threading.TIMEOUT_MAX:
        raise LocalProtocolError(f"{name}={value!r}: expected a{' whole' if kind is int else ''} number above 0")
    return value
