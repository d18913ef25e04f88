"""
Which web pages may do what: the rules of cross-origin requests, and when a cookie is believed. Pure.

A browser sends a cookie along whichever page makes a request, so a cookie says who the user is, but not that the user wanted
this. Which page made the request is said by the browser in ``Origin`` or ``Sec-Fetch-Site`` (``docs/topics/security.rst``,
"Cookies").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ...protocol.features import HEADER, IDEMPOTENCY_KEY, TIMEOUT
from ..server_timing import HEADER as SERVER_TIMING

#: Methods that change nothing.
_SAFE = ("GET", "HEAD")

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": f"Content-Type, Authorization, {IDEMPOTENCY_KEY}, {TIMEOUT}",
    "Access-Control-Max-Age": "600",
}
_READABLE = {"Access-Control-Expose-Headers": f"{HEADER}, {SERVER_TIMING}"}


@dataclass(frozen=True, slots=True)
class Asker:
    """
    What a request says about the page that made a browser send it.

    Attributes:
        verb: The HTTP method.
        own: This server's origin as the client sees it, such as ``http://localhost:3124``; empty if it does not say.
        origin: The header ``Origin``.
        fetch_site: The header ``Sec-Fetch-Site``.
        upgrade: Whether the request opens a websocket.
    """

    verb: str
    own: str
    origin: str | None = None
    fetch_site: str | None = None
    upgrade: bool = False


class Origins:
    """
    The origins whose pages may use this server.

    Args:
        allowed: Origins whose pages may read answers, but never with a cookie; ``*`` for any.
        site_url: The URL by which clients reach the server, if the configuration has it: its own origin, besides what clients say.
    """

    def __init__(self, allowed: Iterable[str] = ("*",), site_url: str = "") -> None:
        self._allowed = frozenset(origin.lower().rstrip("/") for origin in allowed)
        parts = urlsplit(site_url)
        self._site = f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """Return the headers that let a page of another origin read an answer, without any cookie, if it may."""
        if origin is None:
            return {}
        if "*" in self._allowed:
            return {"Access-Control-Allow-Origin": "*", **_READABLE}
        # caches must know that whether the header is there depends on the origin
        if origin.lower() in self._allowed:
            return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", **_READABLE}
        return {"Vary": "Origin"}

    def preflight(self, origin: str | None) -> Mapping[str, str]:
        """Return the headers that answer a browser's question whether a page may send a request."""
        return {**self.headers(origin), **_PREFLIGHT}

    def believes_cookie(self, asker: Asker) -> bool:
        """
        Tell whether a cookie counts as its user's login.

        With ``Origin``, it does if that is this server. Without it, ``Sec-Fetch-Site`` has to say that a page of this server made
        the request, or for a request that changes nothing, that the user did. With neither header, it counts for requests that
        change nothing and open no websocket: with all others, browsers send ``Origin``.
        """
        if asker.origin is not None:
            return self._is_ours(asker)
        if asker.fetch_site == "same-origin":
            return not asker.upgrade
        return asker.fetch_site in (None, "none") and asker.verb in _SAFE and not asker.upgrade

    def may_log_in(self, asker: Asker, by_link: bool) -> bool:
        """
        Tell whether an answer may give the browser a cookie.

        No other page must be able to log a browser in: what the user then stores would go to an account that the page has chosen.
        If the credentials are in the URL, which any link can contain, the browser must say where the request comes from.
        """
        if asker.origin is not None:
            return self._is_ours(asker)
        if asker.fetch_site is None:
            return not by_link
        return asker.fetch_site in ("same-origin", "none")

    def _is_ours(self, asker: Asker) -> bool:
        origin = (asker.origin or "").lower()
        return origin != "" and origin in (asker.own, self._site)
