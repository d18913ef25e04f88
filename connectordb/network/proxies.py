"""Which proxy to use for a server: by the rules of requests, from what was passed and from the environment."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from requests.utils import get_environ_proxies, select_proxy

from ..exceptions import LocalProtocolError
from ..runtime.unshown import UnshownText

#: Schemes of proxies → their default ports. With ``socks4a`` and ``socks5h``, the proxy looks names up.
SCHEMES = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}


class Proxy:
    """
    A proxy through which a server is reached.

    Attributes:
        url: Its address, with the name and the password that it needs, if any.
        source: Where it was configured, in words: an argument, an environment variable, the system's settings.
    """

    __slots__ = ("source", "url")

    def __init__(self, url: str, source: str) -> None:
        self.url = url
        self.source = source

    def __eq__(self, other: object) -> bool:
        """Tell whether both the address and the source are the same."""
        return isinstance(other, Proxy) and (self.url, self.source) == (other.url, other.source)

    __hash__ = None  # type: ignore[assignment]  # not needed

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
        """The scheme of its address: one of `SCHEMES`."""
        return self.url.partition(":")[0]

    @property
    def host(self) -> str:
        """The host it runs on."""
        return self.parts.hostname or ""

    @property
    def port(self) -> int:
        """The port it listens at."""
        return self.parts.port or SCHEMES[self.scheme]

    @property
    def name(self) -> bytes:
        """The name to log in with; empty if no login is needed."""
        return unquote(self.parts.username or "").encode()

    @property
    def password(self) -> bytes:
        """The password to log in with."""
        return unquote(self.parts.password or "").encode()

    @property
    def authorization(self) -> str | None:
        """The ``Proxy-Authorization`` header for an HTTP proxy; ``None`` if no login is needed."""
        if not self.name:
            return None
        return UnshownText("Basic " + base64.b64encode(self.name + b":" + self.password).decode())

    def __str__(self) -> str:
        """Say its address, without name and password, and where it was configured."""
        return f"the proxy {self.address} ({self.source})"

    def __repr__(self) -> str:
        """Say the same, without name and password: values like this end up in tracebacks."""
        return f"<{self}>"

    def gave_none(self, why: str) -> str:
        """Say that it gave no connection, *why*, and what to do about that, if it can be known."""
        hint = "; put a name and a password into its address: http://name:password@host:port" if "407" in why else ""
        return f"{self} gave no connection: {why}{hint}"


class ProxyFailed(OSError):
    """A proxy gave no connection."""

    def __init__(self, proxy: Proxy, why: str) -> None:
        super().__init__(proxy.gave_none(why))


def proxy_for(url: str, given: Mapping[str, str]) -> Proxy | None:
    """
    Return the proxy for *url*, or ``None`` for a direct connection.

    Args:
        url: The server.
        given: Scheme, ``scheme://host`` or ``"all"`` → proxy; ``"no_proxy"`` → hosts without one. What this does not say is taken
            from the environment: ``http_proxy``, ``https_proxy``, ``all_proxy``, ``no_proxy``.

    Raises:
        LocalProtocolError: What was configured is not the address of a proxy.
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
    """Return, in words, where a proxy that was not passed was configured."""
    usual = f"{which}_proxy"
    names = [usual, *(name for name in os.environ if name.lower() == usual)]
    return next((f"{name} of the environment" for name in names if os.environ.get(name)), "this system's settings")
