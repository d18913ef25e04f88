"""A SOCKS proxy on a real socket, of version 4a and 5, which leads where its table says; by hand."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping

from .case import SOON
from .leading_proxy import LeadingProxy


class SocksProxy(LeadingProxy):
    """
    Listens on a free port of the loopback.

    Args:
        hosts: Name or address → where it really is.
        account: The name and the password that it wants; none, otherwise.
        refusal: What it answers instead of leading anywhere.

    Attributes:
        asked: The hosts that were asked for.
    """

    def __init__(
        self, hosts: Mapping[str, tuple[str, int]], account: tuple[str, str] | None = None, refusal: int = 0
    ) -> None:
        self._hosts = hosts
        self._account = account
        self._refusal = refusal
        super().__init__()

    def _serve(self, held: socket.socket) -> None:
        with held, held.makefile("rb") as heard:
            try:
                there = self._four(held, heard) if heard.read(1) == b"\4" else self._five(held, heard)
                if there is not None:
                    with socket.create_connection(there, SOON) as other:
                        self._lead(held, other)
            except (OSError, struct.error, IndexError, ValueError):
                return  # the client hung up, which it may

    def _four(self, held: socket.socket, heard) -> tuple[str, int] | None:  # type: ignore[no-untyped-def]
        _, port = struct.unpack(">BH", heard.read(3))
        address, _ = heard.read(4), _until_zero(heard)
        host = _until_zero(heard) if address[:3] == b"\0\0\0" else socket.inet_ntoa(address)
        self.asked.append(host)
        held.sendall(b"\0" + (b"\x5b" if self._refusal else b"\x5a") + bytes(6))
        return None if self._refusal else self._hosts.get(host, (host, port))

    def _five(self, held: socket.socket, heard) -> tuple[str, int] | None:  # type: ignore[no-untyped-def]
        ways = heard.read(heard.read(1)[0])
        way = 0 if self._account is None else 2
        held.sendall(bytes([5, way if way in ways else 255]))
        if way:
            heard.read(1)
            given = heard.read(heard.read(1)[0]).decode(), heard.read(heard.read(1)[0]).decode()
            held.sendall(b"\1\0" if given == self._account else b"\1\1")
        _, _, _, kind = heard.read(4)
        if kind == 3:
            host = heard.read(heard.read(1)[0]).decode()
        else:
            host = socket.inet_ntop(
                *((socket.AF_INET, heard.read(4)) if kind == 1 else (socket.AF_INET6, heard.read(16)))
            )
        (port,) = struct.unpack(">H", heard.read(2))
        self.asked.append(host)
        held.sendall(bytes([5, self._refusal, 0, 3, 2]) + b"me" + bytes(2))
        return None if self._refusal else self._hosts.get(host, (host, port))


def _until_zero(heard) -> str:  # type: ignore[no-untyped-def]
    text = b""
    while (byte := heard.read(1)) not in (b"\0", b""):
        text += byte
    return text.decode()
