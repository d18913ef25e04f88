"""Connecting through a SOCKS proxy, of version 4, 4a or 5 (RFC 1928, RFC 1929), within a time limit."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Callable

from ..runtime.unshown import UnshownBytes
from .proxies import Proxy, ProxyFailed

#: Reply codes of a version 5 proxy → why there is no connection.
_REFUSALS = {
    1: "it failed",
    2: "its rules do not allow it",
    3: "the network cannot be reached",
    4: "the host cannot be reached",
    5: "the connection was refused",
    6: "the connection took too long",
    7: "it does not know this command",
    8: "it does not know this kind of address",
}


def pass_socks(held: socket.socket, proxy: Proxy, host: str, port: int, seconds: Callable[[], float]) -> None:
    """
    Ask a SOCKS proxy to connect to a host.

    Args:
        held: A connection to the proxy.
        proxy: The proxy.
        host: The host: its address, or its name if the proxy is to look it up (``socks5h``, ``socks4a``).
        port: The port there.
        seconds: Returns how long the next step may take; raises `TimeoutError` if there is no time left.

    Raises:
        ProxyFailed: The proxy gave no connection.
        TimeoutError: The proxy did not answer in time.
    """
    talk = _Talk(held, proxy, seconds)
    try:
        (_ask_4 if proxy.scheme.startswith("socks4") else _ask_5)(talk, proxy, host, port)
    except UnicodeError as error:
        raise ProxyFailed(proxy, f"no name that a SOCKS proxy could take: {error}") from error


class _Talk:
    """Sends and receives, each within the time that is left."""

    def __init__(self, held: socket.socket, proxy: Proxy, seconds: Callable[[], float]) -> None:
        self._held = held
        self._proxy = proxy
        self._seconds = seconds

    def say(self, data: bytes) -> None:
        """Send *data*."""
        self._held.settimeout(self._seconds())
        self._held.sendall(data)

    def hear(self, number: int) -> bytes:
        """Receive exactly *number* bytes, and leave what follows them to the server's connection."""
        heard = b""
        while len(heard) < number:
            self._held.settimeout(self._seconds())
            part = self._held.recv(number - len(heard))
            if not part:
                raise ProxyFailed(self._proxy, "it hung up")
            heard += part
        return heard


def _ask_4(talk: _Talk, proxy: Proxy, host: str, port: int) -> None:
    try:
        address, by_name = ipaddress.IPv4Address(host).packed, b""
    except ValueError:
        address, by_name = b"\0\0\0\1", host.encode("idna") + b"\0"
    talk.say(b"\4\1" + struct.pack(">H", port) + address + proxy.name + b"\0" + by_name)
    answer = talk.hear(8)
    if answer[:2] != b"\0\x5a":
        raise ProxyFailed(proxy, f"it refused ({answer[1]})" if answer[0] == 0 else "that is no SOCKS proxy")


def _ask_5(talk: _Talk, proxy: Proxy, host: str, port: int) -> None:
    talk.say(b"\5\2\0\2" if proxy.name else b"\5\1\0")
    version, way = talk.hear(2)
    if version != 5:
        raise ProxyFailed(proxy, "that is no SOCKS proxy")
    if way == 2 and proxy.name:
        if len(proxy.name) > 255 or len(proxy.password) > 255:
            raise ProxyFailed(proxy, "it takes names and passwords of 255 bytes at most")
        talk.say(UnshownBytes(b"\1" + _with_length(proxy.name) + _with_length(proxy.password)))
        if talk.hear(2)[1] != 0:
            raise ProxyFailed(proxy, "it did not accept the name and the password in its address")
    elif way != 0:
        raise ProxyFailed(proxy, "it wants a name and a password: put them into its address")
    talk.say(b"\5\1\0" + _address_5(host) + struct.pack(">H", port))
    _, said, _, kind = talk.hear(4)
    if said != 0:
        raise ProxyFailed(proxy, f"{_REFUSALS.get(said, said)}")
    length = {1: 4, 4: 16}.get(kind)
    talk.hear((talk.hear(1)[0] if length is None else length) + 2)


def _address_5(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return b"\3" + _with_length(host.encode("idna"))
    return (b"\1" if address.version == 4 else b"\4") + address.packed


def _with_length(text: bytes) -> bytes:
    return bytes([len(text)]) + text
