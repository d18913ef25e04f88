"""
Who sends a request, and to which address of this server, when there may be reverse proxies in between. Pure.

The headers ``X-Forwarded-For``, ``-Proto`` and ``-Host`` are believed only if the connection comes from a proxy that the
configuration trusts: anybody else can write anything into them, and proxies pass it on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from ..exceptions import ConfigurationError

Address = IPv4Address | IPv6Address

#: A host in a header: a name or an address, perhaps with a port, and nothing that could break out of a URL.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}

#: The length of the prefix of an IPv6 network that a provider gives to one customer: such a customer has countless addresses.
_ONE_SITE = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What is known of a request as its client sent it.

    Attributes:
        address: The client's address: as a trusted proxy says, else where the connection comes from.
        scheme: ``http`` or ``https``.
        host: This server's host as the client addressed it, with the port if it names one; empty if it does not say.
    """

    address: str
    scheme: str
    host: str

    @property
    def origin(self) -> str:
        """This server's own origin, as a browser writes it in ``Origin``; empty if the client names no host."""
        if not self.host:
            return ""
        return f"{self.scheme}://{self.host.lower().removesuffix(_DEFAULT_PORTS[self.scheme])}"


class Proxies:
    """
    The reverse proxies that are trusted.

    Args:
        networks: Their addresses or networks, such as ``10.0.0.0/8`` or ``::1``.

    Raises:
        ConfigurationError: One is neither.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(map(_network, networks))

    def trusts(self, address: str) -> bool:
        """Tell whether this is the address of a trusted proxy."""
        if not self._networks:
            return False
        parsed = _parsed(address)
        return parsed is not None and self._contains(parsed)

    def seen(
        self,
        peer: str,
        *,
        encrypted: bool,
        host: str = "",
        forwarded_for: Sequence[str] = (),
        forwarded_proto: Sequence[str] = (),
        forwarded_host: Sequence[str] = (),
    ) -> Seen:
        """
        Return what is known of a request as its client sent it.

        Args:
            peer: Where the connection comes from.
            encrypted: Whether that connection has TLS.
            host: The ``Host`` header.
            forwarded_for: All ``X-Forwarded-For`` headers, in their order.
            forwarded_proto: All ``X-Forwarded-Proto`` headers.
            forwarded_host: All ``X-Forwarded-Host`` headers.
        """
        address, scheme, host = plain(peer), "https" if encrypted else "http", _checked_host(host)
        if not self.trusts(peer):
            return Seen(address, scheme, host)
        # the last value was written by the nearest proxy; those before it may be from anybody
        said = _last(forwarded_proto).lower()
        return Seen(
            self._client(address, forwarded_for),
            said if said in _DEFAULT_PORTS else scheme,
            _checked_host(_last(forwarded_host)) or host,
        )

    def _client(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """Return the address nearest to us that is no trusted proxy's: whatever comes before it in the headers may be made up."""
        client = peer
        for part in reversed(_split(forwarded_for)):
            parsed = _parsed(_without_port(part))
            if parsed is None:
                break  # such as "unknown": then the proxy that says so is the client
            client = str(parsed)
            if not self._contains(parsed):
                break
        return client

    def _contains(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._networks)


def plain(address: str) -> str:
    """Return an address in its usual form: without a zone, and as IPv4 if it is an IPv4 address mapped into IPv6."""
    parsed = _parsed(address)
    return address if parsed is None else str(parsed)


def site(address: str) -> str:
    """Return what identifies a client that may have several addresses: the address itself; for IPv6 its network."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, _ONE_SITE), strict=False))
    return address if parsed is None else str(parsed)


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine only."""
    parsed = _parsed(host.removeprefix("[").removesuffix("]"))
    return host.lower() == "localhost" if parsed is None else parsed.is_loopback


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"trusted_proxies: {text!r} is no address and no network: {error}; expected something like '127.0.0.1' or '10.0.0.0/8'"
        ) from error


def _parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _without_port(text: str) -> str:
    """Return an address of ``X-Forwarded-For`` without the port that some proxies add."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _split(headers: Sequence[str]) -> list[str]:
    return [part.strip() for header in headers for part in header.split(",")]


def _last(headers: Sequence[str]) -> str:
    parts = _split(headers)
    return parts[-1] if parts else ""


def _checked_host(text: str) -> str:
    return text if _HOST.fullmatch(text) else ""
