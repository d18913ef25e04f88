"""
Bytes out and in: one request to one server, within its time.

Every wait has its end. A request follows no redirect, and carries the credentials that it was given and no others: not those of a
``.netrc``, not those of a cookie. No connection outlives a ``fork`` or `Transport.close`. What goes wrong is told by
`failures.told` and nowhere else.
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

#: The status by which a proxy says that it wants to know who calls. The server has not seen the request.
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
        timeout: How long a request may take that is given nothing else; anything that `Timeout.of` takes.
        trust: How TLS is spoken.
        proxies: As requests has them; what they do not say, the environment does.
        pool_size: How many connections there may be.
        idle_timeout: Seconds after which a connection that was kept open is not used again.
        clock: Says how long things take.

    Raises:
        LocalProtocolError: One of them makes no sense.
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
            method: The verb.
            path: Below ``/api/v1``, quoted.
            trace: Is told what became of it, and what it cost.
            parameters: The query.
            body: JSON text.
            authorization: The header of that name.
            headers: Further ones.
            timeout: How long each phase of it may take; what the transport was made with, if it is not given.
            deadline: When all of it is over; if it is not given, after the ``total`` of *timeout*.
            in_pieces: Given where the body of a 200 may be larger than memory: ``raw`` of the answer is an iterator over it then, packed
                as ``Content-Encoding`` says, which raises the same. What it is not asked for in does not count as
                time. It is when the body has to have come; *deadline* is for its head.

        Raises:
            ConnectionFailed: There is no connection, or it broke.
            TimedOut: No answer came in time.
            RemoteProtocolError: The answer is longer than any can be.
            LocalProtocolError: The request, a proxy or a certificate makes no sense.
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
        """Which leads to the server now; ``None`` for the straight way."""
        return proxy_for(self._origin, self._proxies)

    @property
    def for_websocket(self) -> dict[str, Any]:
        """What a websocket to the same server is made with, so that it goes the same way."""
        return {
            "trust": self._trust,
            "proxies": self._proxies,
            "timeout": (self.timeout.connect, self.timeout.read),
        }

    def drop_connections(self) -> None:
        """Close the connections that are kept open and not in use."""
        self._own_lines().drop()

    def close(self) -> None:
        """Close all connections; requests that other threads wait for end at once, as failed."""
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
            raise failures.told(error, what, allowance, None if line is None else line.proxy) from error
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
            raise failures.told(error, what, allowance, line.proxy) from error
        finally:
            lines.give_back(line, allowance.end(), is_good)

    def _url(self, path: str, parameters: Mapping[str, Any] | None) -> str:
        query = urlencode({name: value for name, value in (parameters or {}).items() if value is not None}, doseq=True)
        return f"{self._root}{path}{'&' if '?' in path else '?'}{query}" if query else f"{self._root}{path}"

    def _own_lines(self) -> Lines:
        """Return the connections of this process: the sockets of one that was forked off are its parent's."""
        if self._process != os.getpid():
            inherited, self._lines = self._lines, self._new_lines()
            self._process = os.getpid()
            inherited.abandon()
        return self._lines

    def _new_lines(self) -> Lines:
        origin, trust, proxies = self._origin, self._trust, self._proxies
        return Lines(self._pool_size, self._idle_timeout, lambda: Line(origin, trust, proxies), self._clock)


def _prepared(url: str) -> str:
    """Return a URL as it is sent: its host as name servers know it."""
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
