"""Logging browsers in and out: through the API, and through the pages that a 0.3 server has for it."""

from __future__ import annotations

from ..rights.accounts import ANONYMOUS, LoginRefused
from ..storage import Reader
from .request import Kind, Reply, Request, Session

#: The only web page. A web application for this server has to be served from the same origin.
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>ConnectorDB</title></head>
<body><h1>ConnectorDB</h1>
<p>This is a ConnectorDB server. Its interface is below <code>/api/v1/</code>; it has no web pages.</p>
<p>A web application of the same origin logs a browser in with <code>GET /api/v1/login</code> and the header
<code>Authorization</code>, and out with <code>GET /api/v1/logout</code>.</p>
</body></html>
"""


def login(reader: Reader, request: Request) -> Reply:
    """``GET login``: a session cookie for the caller, who must not be anonymous."""
    if request.caller == ANONYMOUS:
        raise LoginRefused("Login Failed. Check your username or password")
    remember = request.query.get("remember", "true") == "true"
    return Reply.text("ok", session=Session(request.caller, remember))


def logout() -> Reply:
    """``GET logout``: remove the session cookie, whoever asks."""
    return Reply.text("ok", session=Session(None))


def login_page(reader: Reader, request: Request) -> Reply:
    """``GET /login``: as `login`, then redirect to the start page; an anonymous caller gets that page at once."""
    if request.caller == ANONYMOUS:
        return start_page()
    return login(reader, request)._replace(location="/")


def logout_page() -> Reply:
    """``GET /logout``: as `logout`, then redirect to the start page."""
    return logout()._replace(location="/")


def start_page() -> Reply:
    """``GET /``: the start page, which says what this is."""
    return Reply(_PAGE.encode(), Kind.HTML)
