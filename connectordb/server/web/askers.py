"""
Who sends a request, as far as the request says it: the address, the credentials, and what of a browser is believed.

Whether the credentials are right is ``accounts.py``.
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

#: Remembers for some clients at a time whether they are on this machine.
_is_near = lru_cache(256)(is_loopback)


class Askers:
    """
    Reads who sends requests.

    Args:
        proxies: Whose word about clients is taken.
        origins: Which pages may do what.
        cookies: Makes and reads session cookies.
        site_url: Where the server is reached, if the configuration says so.
    """

    def __init__(self, proxies: Proxies, origins: Origins, cookies: Cookies, site_url: str = "") -> None:
        self._proxies = proxies
        self._origins = origins
        self._cookies = cookies
        self._site_url = site_url.rstrip("/")

    def seen(self, request: BaseRequest) -> Seen:
        """Return a request as its client made it."""
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
        """Return where the client reaches this server."""
        return self._site_url or self.seen(request).origin or "http://localhost"

    def credentials(self, request: BaseRequest, apikey: str | None) -> Credentials:
        """Return who says that he is asking: what is in a cookie comes last, and only if the browser's user wants it."""
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
        Return the cookie that logs a browser in or out; empty if there may be none.

        Args:
            request: The request.
            session: What is to become of the browser's session.
            changed: Whether the request has changed something, which stands.

        Raises:
            Refusal: There may be none, and it was all that was asked for.
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
    """Return a request for the log: still quoted, so that it is one line, and without the query, which may hold a key."""
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
