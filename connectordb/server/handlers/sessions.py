"""Logging browsers in and out, below the API and as the pages that a 0.3 server has for it."""

from __future__ import annotations

from ..rights.accounts import ANONYMOUS, LoginRefused
from ..storage import Reader
from .request import Kind, Reply, Request, Session

#: What the two pages are: whoever has a web application for this server serves it below the same origin.
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>ConnectorDB</title></head>
<body><h1>ConnectorDB</h1>
<p>This is a ConnectorDB server. Its interface is below <code>/api/v1/</code>; it has no web pages.</p>
<p>A web application of the same origin logs a browser in with <code>GET /api/v1/login</code> and the header
<code>Authorization</code>, and out with <code>GET /api/v1/logout</code>.</p>
</body></html>
"""


def login(reader: Reader, request: Request) -> Reply:
    """``GET login``: a session cookie for who asks, who must be somebody."""
    if request.caller == ANONYMOUS:
        raise LoginRefused("Login Failed. Check your username or password")
    remember = request.query.get("remember", "true") == "true"
    return Reply.text("ok", session=Session(request.caller, remember))


def logout() -> Reply:
    """``GET logout``: no session cookie any more, whoever asks."""
    return Reply.text("ok", session=Session(None))


def login_page(reader: Reader, request: Request) -> Reply:
    """``GET /login``: as `login` and on to the first page; a page that says so for who is nobody."""
    if request.caller == ANONYMOUS:
        return start_page()
    return login(reader, request)._replace(location="/")


def logout_page() -> Reply:
    """``GET /logout``: as `logout`, and on to the first page."""
    return logout()._replace(location="/")


def start_page() -> Reply:
    """``GET /``: where browsers are sent; says what this is."""
    return Reply(_PAGE.encode(), Kind.HTML)
