"""
`Line`: one connection to a server: requests' adapter, used without its `Session`.

For each request, that session looks after cookies, ``.netrc``, redirects and the environment. This takes longer than the rest of a
small request, and none of it is wanted here.
"""

from __future__ import annotations

import functools
import queue
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ...network import Proxy, Trust, proxy_for
from . import answers
from .allowance import Allowance
from .wire import Plain, Secure, Wire


class _Holder:
    """
    Holds the connections of one of urllib3's pools, without locks, as only one thread at a time uses the pool.

    urllib3's own queue has locks; a process that is forked while another thread holds one would wait for it for ever.
    """

    def __init__(self, maxsize: int) -> None:
        self._room = maxsize
        self._held: list[Any] = []

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if len(self._held) >= self._room:
            raise queue.Full
        self._held.append(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        if not self._held:
            raise queue.Empty
        return self._held.pop()

    def qsize(self) -> int:
        return len(self._held)


class _Pool(HTTPConnectionPool):
    QueueCls = _Holder  # type: ignore[assignment]


class _SecurePool(HTTPSConnectionPool):
    QueueCls = _Holder  # type: ignore[assignment]


_POOLS = {"http": _Pool, "https": _SecurePool}


class Line(HTTPAdapter):
    """
    Sends one request after the other.

    Args:
        origin: The server: scheme, host and port.
        trust: The TLS settings.
        proxies: Scheme → proxy, as in requests.

    Attributes:
        used: When it was used last, by the monotonic clock.
        proxy: The proxy that leads to the server, as found when it last connected; ``None`` if there is none.
    """

    def __init__(self, origin: str, trust: Trust, proxies: Mapping[str, str]) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)
        self._origin = origin
        self._trust = trust
        self._proxies = proxies
        self.proxy: Proxy | None = None
        self._pool: HTTPConnectionPool | None = None
        self._wire = Wire()
        self.used = 0.0

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        allowance: Allowance,
        in_pieces: bool = False,
    ) -> requests.Response:
        """Send a request, and return the whole answer; if *in_pieces*, one with status 200 without its body: see `pieces`."""
        wire = self._wire
        wire.begin(allowance)
        if wire.socket is None or self._pool is None:
            self._find_way()  # the proxy may be another one now, as laptops move between networks
        request = requests.PreparedRequest()
        request.method, request.url, request.body = method, url, body
        request.headers = CaseInsensitiveDict(headers)
        try:
            response = self.send(request, stream=True)
            if wire.is_ended:  # http.client does not notice that the head was cut off
                response.close()
                raise answers.Damaged("the answer was cut off within its head")
            if in_pieces and response.status_code == 200:
                return response
            content = answers.content(response.raw)
            self._check_end()
        except BaseException:
            self.close()
            raise
        finally:
            allowance.trace.reused = not wire.is_fresh
        response._content = content
        response._content_consumed = True  # type: ignore[attr-defined]
        return response

    def pieces(self, raw: Any) -> Iterator[bytes]:
        """Yield the body of an answer that was wanted in pieces, whose ``raw`` this is; as it comes, still compressed."""
        is_whole = False
        try:
            for piece in answers.pieces(raw):
                with self._wire.allowance.paused():
                    yield piece
            self._check_end()
            is_whole = True
        finally:
            if not is_whole:
                self.close()

    def _check_end(self) -> None:
        if self._wire.is_spoiled:
            raise answers.Damaged("more came than the answer is said to have")

    def abandon(self) -> None:
        """Close the socket and nothing else, after a fork: everything else may be locked by a thread that only the parent has."""
        self._wire.close()

    def abort(self) -> None:
        """End the request that is under way; may be called by another thread."""
        self._wire.abort()

    def close(self) -> None:
        """Close the connection; another is made when it is needed."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()  # requests would leave that to the garbage collector, and a traceback may keep the pool alive
        super().close()
        self._wire.close()

    # --- what requests' adapter calls ---------------------------------------------------------------------------------

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> HTTPConnectionPool:
        """Return the pool that holds the connection."""
        assert self._pool is not None
        return self._pool

    def cert_verify(self, *arguments: Any, **options: Any) -> None:
        """Do nothing: the pool has a TLS context."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return the target in the request's first line: the path, or the whole URL for a proxy that passes requests on."""
        assert request.url is not None
        if self.passes_on:
            return request.url
        return request.url[len(self._origin) :]

    def proxy_headers(self, proxy: Any) -> dict[str, str]:
        """Return the headers for a proxy: our credentials there, if there are any."""
        authorization = self.proxy.authorization if self.proxy is not None else None
        return {} if authorization is None else {"Proxy-Authorization": authorization}

    def build_response(self, request: requests.PreparedRequest, raw: Any) -> requests.Response:
        """Return the answer as a `requests.Response`, without extracting cookies."""
        response = requests.Response()
        response.status_code = raw.status
        response.headers = CaseInsensitiveDict(raw.headers)
        response.encoding = get_encoding_from_headers(response.headers)
        response.raw = raw
        response.reason = raw.reason
        response.url = request.url or ""
        response.request = request
        return response

    @property
    def passes_on(self) -> bool:
        """Whether there is a proxy that gets each request and passes it on, instead of just connecting us."""
        return self.proxy is not None and self._wire.socks is None and self._origin.startswith("http:")

    def _find_way(self) -> None:
        """Find the proxy that leads to the server, if any; make the pool for it, if that has changed."""
        proxy = proxy_for(self._origin, self._proxies)
        if self._pool is not None and proxy == self.proxy:
            return
        self.proxy = proxy
        parts = urlsplit(self._origin)
        options: dict[str, Any] = {"ssl_context": self._trust.context} if parts.scheme == "https" else {}
        self._wire.socks = proxy if proxy is not None and proxy.scheme.startswith("socks") else None
        if proxy is None or self._wire.socks is not None:
            manager = self.poolmanager
        else:
            secure_proxy = {"proxy_ssl_context": self._trust.context} if proxy.scheme == "https" else {}
            self.proxy_manager.pop(proxy.address, None)  # it may have other credentials for the same proxy
            manager = self.proxy_manager_for(proxy.address, **secure_proxy)
        manager.pool_classes_by_scheme = _POOLS
        pool = manager.connection_from_host(parts.hostname, parts.port, parts.scheme, pool_kwargs=options)
        pool.ConnectionCls = functools.partial(Secure if pool.scheme == "https" else Plain, self._wire)
        self._pool = pool
