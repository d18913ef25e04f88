"""Which proxy leads to a server: as requests knows it, from what was passed and from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy

from ..exceptions import LocalProtocolError

#: Schemes of proxies → the port where they listen unless it is said. With ``a`` and ``h``, the proxy looks names up.
SCHEMES = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}


class ProxyFailed(OSError):
    """A proxy gave no connection."""


def proxy_for(url: str, given: Mapping[str, str]) -> str | None:
    """
    Return the URL of the proxy to *url*, or ``None`` for the straight way.

    Args:
        url: The server.
        given: Scheme → proxy, or ``scheme://host`` → proxy, or ``"all"``; ``"no_proxy"`` holds hosts that have none. What it does
            not say, the environment does: ``http_proxy``, ``https_proxy``, ``all_proxy``, ``no_proxy``.

    Raises:
        LocalProtocolError: It is no address of a proxy.
    """
    proxies = {**get_environ_proxies(url, no_proxy=given.get("no_proxy")), **given}
    found = select_proxy(url, proxies)
    if not found:
        return None
    proxy = found if "://" in found else f"http://{found}"
    try:
        parts = urlsplit(proxy)
        known = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known:
        # not the address itself: it may hold a password
        raise LocalProtocolError(
            f"the proxy for {url} is no address of one: expected something like 'http://host:port', with one of the schemes "
            + ", ".join(SCHEMES)
        )
    return proxy
