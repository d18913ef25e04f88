"""
Who sends a request, as far as the request says: its address, its credentials, and whether a browser's cookie is believed.

Whether the credentials are right is found out by ``accounts.py``.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

from ..handlers import Refusal, Session
from ..proxies import Proxies, Seen, is_loopback
from ..rights.accounts import Cookie, Credentials, read_credentials
from .cookies import Cookies
from .origins import Asker, Origins

if TYPE_CHECKING:
    from aiohttp.web import BaseRequest

log = logging.getLogger(__name__)

#: Remembers for some addresses whether they are on this machine.
_is_near = lru_cache(256)(is_loopback)


class Askers:
    """
    Finds out who sends requests.

    Args:
        proxies: The proxies that are trusted.
        origins: Which web pages may do what.
        cookies: Makes and reads session cookies.
        site_url: The URL by which clients reach the server, if the configuration has it.
    """

    def __init__(self, proxies: Proxies, origins: Origins, cookies: Cookies, site_url: str = "") -> None:
        self._proxies = proxies
        self._origins = origins
        self._cookies = cookies
        self._site_url = site_url.rstrip("/")

    def seen(self, request: BaseRequest) -> Seen:
        """Return what is known of a request as its client sent it."""
        headers = request.headers
        return self._proxies.seen(
            request.remote or "",
            encrypted=request.secure,
            host=headers.get("Host", ""),
            forwarded_for=headers.getall("X-Forwarded-For", ()),
            forwarded_proto=headers.getall("X-Forwarded-Proto", ()),
            forwarded_host=headers.getall("X-Forwarded-Host", ()),
        )

    def address(self, request: BaseRequest) -> str:
        """Return the client's address."""
        peer = request.remote or ""
        return self.seen(request).address if self._proxies.trusts(peer) else peer

    def is_near(self, request: BaseRequest) -> bool:
        """Tell whether the client is on this machine."""
        return _is_near(self.address(request))

    def site(self, request: BaseRequest) -> str:
        """Return the URL by which the client reaches this server."""
        return self._site_url or self.seen(request).origin or "http://localhost"

    def credentials(self, request: BaseRequest, apikey: str | None) -> Credentials:
        """Return the credentials of a request. A cookie comes last, and counts only if the browser's user meant the request."""
        given = read_credentials(request.headers.get("Authorization"), apikey)
        cookie = request.headers.get("Cookie") if given is None else None
        if cookie is None:
            return given
        found: Cookie | None = self._cookies.read(cookie)
        if found is None or self._origins.believes_cookie(_asker(request, self.seen(request))):
            return found
        log.debug("%s: the cookie is not believed, as a page of another origin may have asked", asked_for(request))
        return None

    def session(self, request: BaseRequest, session: Session, *, changed: bool) -> str:
        """
        Return the text of ``Set-Cookie`` that logs a browser in or out; empty if it may not be logged in.

        Args:
            request: The request.
            session: What is to become of the browser's session.
            changed: Whether the request has already changed something, so that it can no longer be refused.

        Raises:
            Refusal: The browser may not be logged in, and nothing else was asked for.
        """
        seen = self.seen(request)
        encrypted = seen.scheme == "https"
        if session.caller is None:
            return self._cookies.take(encrypted)
        by_link = "Authorization" not in request.headers and "apikey" in request.rel_url.query
        if self._origins.may_log_in(_asker(request, seen), by_link):
            return self._cookies.give(session.caller, session.remember, encrypted)
        if changed:
            return ""
        raise Refusal(
            403,
            "A page of another origin cannot log a browser in; use the header Authorization, from a page of this one",
        )


def asked_for(request: BaseRequest) -> str:
    """Return what the log calls a request: the path still quoted, so that it is one line, and no query, as it may hold a key."""
    return f"{request.method} {request.raw_path.partition('?')[0]}"


def _asker(request: BaseRequest, seen: Seen) -> Asker:
    headers = request.headers
    return Asker(
        request.method,
        seen.origin,
        headers.get("Origin"),
        headers.get("Sec-Fetch-Site"),
        upgrade="Upgrade" in headers,
    )
