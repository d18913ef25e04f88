"""Where the server listens: sockets that are bound, addresses as clients want them, and no way in by mistake."""

from __future__ import annotations

import errno
import os
import socket

from ..exceptions import ConfigurationError
from .config import Listen
from .proxies import is_loopback


def refuse_exposure(listen: Listen) -> None:
    """
    Refuse to listen where others could read what is sent, unless that was said.

    Raises:
        ConfigurationError: Other machines reach the address, and there is no TLS.
    """
    if not (listen.tls_cert or listen.unencrypted or is_loopback(listen.host)):
        raise ConfigurationError(
            f"listening at {listen.host or 'all addresses'} without TLS: whoever is on the network could read passwords and "
            "data; give a certificate (--tls-cert, listen.tls_cert), or listen on 127.0.0.1 behind a reverse proxy, or say "
            "that it may be so (--unencrypted, listen.unencrypted = true)"
        )


def bound(host: str, port: int) -> socket.socket:
    """
    Return a listening socket.

    Raises:
        OSError: The port is taken, or the address is none of this machine's; it says which, and what to do.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        unknown = isinstance(error, socket.gaierror)
        # socket adds the address once more, in words of its own
        why = error.strerror if unknown or error.errno is None else os.strerror(error.errno)
        if unknown or error.errno == errno.EADDRNOTAVAIL:
            todo = "give an address of this machine, such as 127.0.0.1"
        else:
            todo = "give another port, or 0 for one that is free"
        raise type(error)(f"listening at {host}:{port}: {why}; {todo}") from error


def url(host: str, listener: socket.socket, scheme: str = "http") -> str:
    """Return where clients on this machine reach a socket that listens at *host*."""
    port = listener.getsockname()[1]
    reachable = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://[{reachable}]:{port}" if ":" in reachable else f"{scheme}://{reachable}:{port}"
