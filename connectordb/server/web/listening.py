"""Listening: making the socket, naming its URL, having room for connections, and never being open to others by mistake."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys

from ...exceptions import ConfigurationError
from ..config import Listen
from ..proxies import is_loopback

if sys.platform == "win32":
    resource = None
else:
    import resource

log = logging.getLogger(__name__)

#: Open files that are not connections: those of the database, the log and the system.
_OTHER_FILES = 64


def refuse_exposure(listen: Listen) -> None:
    """
    Refuse to listen where others could read what is sent, unless the configuration says that this is wanted.

    Raises:
        ConfigurationError: Other machines can reach the address, and there is no TLS; or the address has a port in it.
    """
    if listen.host.count(":") == 1:  # an IPv6 address has more
        raise ConfigurationError(
            f"listening at {listen.host!r}: this is no address; give the port by itself (--port, listen.port)"
        )
    if not (listen.tls_cert or listen.unencrypted or is_loopback(listen.host)):
        raise ConfigurationError(
            f"listening at {listen.host or 'all addresses'} without TLS: whoever is on the network could read passwords and "
            "data; give a certificate (--tls-cert, listen.tls_cert), or listen on 127.0.0.1 behind a reverse proxy, or say "
            "that it may be so (--unencrypted, listen.unencrypted = true)"
        )


def bound(host: str, port: int, setting: str = "port") -> socket.socket:
    """
    Return a listening socket.

    Args:
        host: The address.
        port: The port; 0 takes a free one.
        setting: Where the port is set, for the error.

    Raises:
        OSError: The port is taken, or the address does not belong to this machine. The message says what to do.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        unknown = isinstance(error, socket.gaierror)
        # not the whole text of the error, to which create_server has added the address
        why = error.strerror if unknown or error.errno is None else os.strerror(error.errno)
        if unknown or error.errno == errno.EADDRNOTAVAIL:
            todo = "give an address of this machine, such as 127.0.0.1"
        else:
            todo = f"give another port ({setting}), or 0 for one that is free"
        raise type(error)(f"listening at {host}:{port}: {why}; {todo}") from error


def url(host: str, listener: socket.socket, scheme: str = "http") -> str:
    """Return the URL by which clients on this machine reach a socket that listens at *host*."""
    port = listener.getsockname()[1]
    reachable = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://[{reachable}]:{port}" if ":" in reachable else f"{scheme}://{reachable}:{port}"


def room(wanted: int) -> int:
    """Return how many of the *wanted* connections are possible: each is an open file, and the system limits these."""
    if resource is None:
        return wanted
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft - _OTHER_FILES >= wanted:
        return wanted
    possible = max(1, soft - _OTHER_FILES)
    log.info("the system lets this process open %d files: so at most %d connections, not %d", soft, possible, wanted)
    return possible


def make_room(wanted: int) -> None:
    """Raise the limit of open files so that there can be *wanted* connections, as far as this process may."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (ValueError, OSError) as error:  # macOS allows fewer than it says
        log.info("more than %d open files are not possible: %s", soft, error)
