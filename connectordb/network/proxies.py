"""Which proxy leads to a server: as requests knows it, from what was passed and from the environment."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from requests.utils import get_environ_proxies, select_proxy

from ..exceptions import LocalProtocolError
from ..runtime.unshown import UnshownText

#: Schemes of proxies → the port where they listen unless it is said. With ``a`` and ``h``, the proxy looks names up.
SCHEMES = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}


class Proxy:
    """
    The way to a server that is not straight.

    Attributes:
        url: Its address, with the name and the password that it wants, if any.
        source: Who says that it is to be used.
    """

    __slots__ = ("source", "url")

    def __init__(self, url: str, source: str) -> None:
        self.url = url
        self.source = source

    def __eq__(self, other: object) -> bool:
        """Tell whether it is the same, by word of the same."""
        return isinstance(other, Proxy) and (self.url, self.source) == (other.url, other.source)

    __hash__ = None  # type: ignore[assignment]  # nobody keeps them by themselves

    @property
    def parts(self) -> SplitResult:
        """The parts of its address."""
        return urlsplit(self.url)

    @property
    def address(self) -> str:
        """Its address without name and password."""
        return f"{self.scheme}://{self.parts.netloc.rpartition('@')[2]}"

    @property
    def scheme(self) -> str:
        """How it is spoken to."""
        return self.url.partition(":")[0]

    @property
    def host(self) -> str:
        """Where it is."""
        return self.parts.hostname or ""

    @property
    def port(self) -> int:
        """Where it listens there."""
        return self.parts.port or SCHEMES[self.scheme]

    @property
    def name(self) -> bytes:
        """As whom to log in there; empty for nobody."""
        return unquote(self.parts.username or "").encode()

    @property
    def password(self) -> bytes:
        """With which password."""
        return unquote(self.parts.password or "").encode()

    @property
    def authorization(self) -> str | None:
        """What an HTTP proxy is told of these two; ``None`` for nobody."""
        if not self.name:
            return None
        return UnshownText("Basic " + base64.b64encode(self.name + b":" + self.password).decode())

    def __str__(self) -> str:
        """Return its address without name and password, and who says that it is to be used."""
        return f"the proxy {self.address} ({self.source})"

    def __repr__(self) -> str:
        """Return the same: a value like this ends up in tracebacks."""
        return f"<{self}>"

    def gave_none(self, why: str) -> str:
        """Say that there is no connection, *why*, and what to do about it if that can be known."""
        hint = "; put a name and a password into its address: http://name:password@host:port" if "407" in why else ""
        return f"{self} gave no connection: {why}{hint}"


class ProxyFailed(OSError):
    """A proxy gave no connection."""

    def __init__(self, proxy: Proxy, why: str) -> None:
        super().__init__(proxy.gave_none(why))


def proxy_for(url: str, given: Mapping[str, str]) -> Proxy | None:
    """
    Return the proxy to *url*, or ``None`` for the straight way.

    Args:
        url: The server.
        given: Scheme → proxy, or ``scheme://host`` → proxy, or ``"all"``; ``"no_proxy"`` holds hosts that have none. What it does
            not say, the environment does: ``http_proxy``, ``https_proxy``, ``all_proxy``, ``no_proxy``.

    Raises:
        LocalProtocolError: It is no address of a proxy.
    """
    proxies = {**get_environ_proxies(url, no_proxy=given.get("no_proxy")), **given}
    if not proxies:
        return None
    which = select_proxy(url, {name: name for name in proxies})
    found = proxies[which] if which is not None else None
    if which is None or not found:
        return None
    proxy = Proxy(found if "://" in found else f"http://{found}", "proxies=" if which in given else _variable(which))
    try:
        known = proxy.scheme in SCHEMES and bool(proxy.host) and proxy.parts.port != 0
    except ValueError:
        known = False
    if not known:
        # not the address itself: it may hold a password
        raise LocalProtocolError(
            f"the proxy for {url} ({proxy.source}) is no address of one: expected something like 'http://host:port', with one "
            f"of the schemes {', '.join(SCHEMES)}"
        )
    return proxy


def _variable(which: str) -> str:
    """Return where the system says so."""
    usual = f"{which}_proxy"
    names = [usual, *(name for name in os.environ if name.lower() == usual)]
    return next((f"{name} of the environment" for name in names if os.environ.get(name)), "this system's settings")
