"""Opening a socket to a server: through a proxy, if there is one, and with TLS, if the address says so."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from ..runtime.unshown import UnshownBytes
from .dialling import dial
from .inner_tls import InnerTLS
from .names import look_up
from .proxies import Proxy, ProxyFailed
from .socks import pass_socks
from .trust import Trust

#: The most bytes that a proxy's answer may have.
_HEAD_LIMIT = 64 * 1024

_OPTIONS = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))


def open_way(
    url: str,
    proxy: Proxy | None,
    trust: Trust,
    seconds: Callable[[], float],
    stopped: Callable[[], bool] = lambda: False,
    opened: Callable[[socket.socket], None] = lambda held: None,
) -> socket.socket:
    """
    Return a socket that is connected to a server, with TLS if its address says so.

    Args:
        url: The server: ``http://…`` or ``https://…``.
        proxy: The proxy to go through; ``None`` for a direct connection.
        trust: The certificates for TLS.
        seconds: Returns how long the next step may take; raises `TimeoutError` if there is no time left.
        stopped: Tells whether to give up; asked a few times a second while there is no socket.
        opened: Called with the socket as soon as there is one, and with each that replaces it, so that another thread can end a
            wait on it.

    Raises:
        OSError: The server, or the proxy, cannot be reached, or is not what it should be (`ProxyFailed`, `ssl.SSLError`).
        TimeoutError: It did not answer in time.
        InterruptedError: *stopped* said to give up.
    """
    parts = urlsplit(url)
    is_secure, host = parts.scheme == "https", parts.hostname or ""
    port = parts.port or (443 if is_secure else 80)
    if proxy is None:
        held = _noted(dial(look_up(host, port, seconds(), stopped), seconds(), _OPTIONS, stopped), opened)
    else:
        held = _open_proxy(proxy, host, port, trust, seconds, stopped, opened)
    return _secured(held, host, trust, seconds, opened) if is_secure else held


def dial_proxy(
    proxy: Proxy, host: str, port: int, seconds: Callable[[], float], stopped: Callable[[], bool]
) -> tuple[socket.socket, str]:
    """Return a connection to a proxy, and what to call the host there: by its name, or, if the proxy cannot look it up, its address."""
    try:
        target = host
        if proxy.scheme in ("socks4", "socks5"):
            found = look_up(host, port, seconds(), stopped)
            target = next((one for one in found if one[0] == socket.AF_INET), found[0])[4][0]
        held = dial(look_up(proxy.host, proxy.port, seconds(), stopped), seconds(), _OPTIONS, stopped)
    except (TimeoutError, InterruptedError):
        raise
    except OSError as error:
        raise ProxyFailed(proxy, error.strerror or str(error)) from error
    return held, target


def _open_proxy(
    proxy: Proxy,
    host: str,
    port: int,
    trust: Trust,
    seconds: Callable[[], float],
    stopped: Callable[[], bool],
    opened: Callable[[socket.socket], None],
) -> socket.socket:
    held, target = dial_proxy(proxy, host, port, seconds, stopped)
    try:
        _noted(held, opened)
        if proxy.scheme.startswith("socks"):
            pass_socks(held, proxy, target, port, seconds)
        else:
            if proxy.scheme == "https":
                held = _secured(held, proxy.host, trust, seconds, opened)
            _pass_http(held, proxy, host, port, seconds)
    except BaseException:
        held.close()
        raise
    return held


def _secured(
    held: socket.socket,
    host: str,
    trust: Trust,
    seconds: Callable[[], float],
    opened: Callable[[socket.socket], None],
) -> socket.socket:
    try:
        held.settimeout(seconds())
        if isinstance(held, ssl.SSLSocket):
            inner = InnerTLS(held, trust.context, host)
            inner.do_handshake()
            return inner  # type: ignore[return-value]  # it has what a connection needs of a socket
        wrapped = trust.context.wrap_socket(held, server_hostname=host, do_handshake_on_connect=False)
        held = wrapped
        _noted(held, opened)
        wrapped.do_handshake()
    except BaseException:
        held.close()
        raise
    return held


def _noted(held: socket.socket, opened: Callable[[socket.socket], None]) -> socket.socket:
    """Call *opened* with a socket; if that raises, the socket is no longer wanted, and closed."""
    try:
        opened(held)
    except BaseException:
        held.close()
        raise
    return held


def _pass_http(held: socket.socket, proxy: Proxy, host: str, port: int, seconds: Callable[[], float]) -> None:
    """Ask an HTTP proxy to connect to a host."""
    held.settimeout(seconds())
    held.sendall(_request(proxy, f"[{host}]:{port}" if ":" in host else f"{host.encode('idna').decode()}:{port}"))
    head = b""
    while b"\r\n\r\n" not in head:
        held.settimeout(seconds())
        part = held.recv(4096)
        head += part
        if not part or len(head) > _HEAD_LIMIT:
            raise ProxyFailed(proxy, "it hung up" if not part else "its answer has no end")
    version, _, status = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    if not version.startswith("HTTP/"):
        raise ProxyFailed(proxy, "that is no HTTP proxy")
    if not status.startswith("2"):
        raise ProxyFailed(proxy, f"it refused: {status.strip()}")
    if head.partition(b"\r\n\r\n")[2]:
        raise ProxyFailed(proxy, "it said more than it should")


def _request(proxy: Proxy, there: str) -> bytes:
    lines = [f"CONNECT {there} HTTP/1.1", f"Host: {there}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    return UnshownBytes("\r\n".join([*lines, "", ""]).encode("latin-1"))
