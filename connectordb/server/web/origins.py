"""
Which pages of browsers may do what: the rules of cross-origin requests, and when a cookie is believed; pure.

A browser sends a cookie along whoever asked it to, so a cookie alone says who the user is and not that he wanted this. What
says so is the browser: by ``Origin``, or by ``Sec-Fetch-Site`` (``docs/topics/security.rst``, "Cookies").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ...protocol.features import HEADER, IDEMPOTENCY_KEY, TIMEOUT
from ..server_timing import HEADER as SERVER_TIMING

#: Verbs that change nothing.
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
    What a request says about who made a browser send it.

    Attributes:
        verb: The HTTP method.
        own: This server's origin as the client sees it, such as ``http://localhost:3124``; empty if it does not say.
        origin: The header ``Origin``.
        fetch_site: The header ``Sec-Fetch-Site``.
        upgrade: Whether a websocket is to be opened.
    """

    verb: str
    own: str
    origin: str | None = None
    fetch_site: str | None = None
    upgrade: bool = False


class Origins:
    """
    The origins that pages may come from.

    Args:
        allowed: Whose pages may read answers, never with a cookie; ``*`` for any.
        site_url: Where the server is reached, if the configuration says so: its own origin besides what clients say.
    """

    def __init__(self, allowed: Iterable[str] = ("*",), site_url: str = "") -> None:
        self._allowed = frozenset(origin.lower().rstrip("/") for origin in allowed)
        parts = urlsplit(site_url)
        self._site = f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """Return what an answer says to a page of another origin: that it may read it, but as nobody's browser."""
        if origin is None:
            return {}
        if "*" in self._allowed:
            return {"Access-Control-Allow-Origin": "*", **_READABLE}
        # whether the header is there depends on who asks, which caches must know
        if origin.lower() in self._allowed:
            return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", **_READABLE}
        return {"Vary": "Origin"}

    def preflight(self, origin: str | None) -> Mapping[str, str]:
        """Return what a browser wants to know before it sends a page's request."""
        return {**self.headers(origin), **_PREFLIGHT}

    def believes_cookie(self, asker: Asker) -> bool:
        """
        Tell whether a cookie speaks for its user.

        With an ``Origin``, if that is this server. Without, if the browser says that a page of this server asked, or for
        what changes nothing that the user did. Without either header, for what changes nothing and is no websocket: browsers
        send ``Origin`` with all else.
        """
        if asker.origin is not None:
            return self._is_ours(asker)
        if asker.fetch_site == "same-origin":
            return not asker.upgrade
        return asker.fetch_site in (None, "none") and asker.verb in _SAFE and not asker.upgrade

    def may_log_in(self, asker: Asker, by_link: bool) -> bool:
        """
        Tell whether an answer may give the browser a cookie.

        Another page must not be able to log a browser in: what the user then stores would go to whom that page wants. Where
        the credentials are part of the address, as any link can have them, the browser must say who asked.
        """
        if asker.origin is not None:
            return self._is_ours(asker)
        if asker.fetch_site is None:
            return not by_link
        return asker.fetch_site in ("same-origin", "none")

    def _is_ours(self, asker: Asker) -> bool:
        origin = (asker.origin or "").lower()
        return origin != "" and origin in (asker.own, self._site)
