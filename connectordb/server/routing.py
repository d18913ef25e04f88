"""Which handler answers which method and path, as a table. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import quote, unquote

from ..protocol.constants import API_ROOT
from .handlers import Refusal, Reply, Request, atom, create, crud, data, join, meta, query, sessions
from .storage import Reader, Writer

#: The only paths that end in a slash.
_FOLDERS = (API_ROOT, f"{API_ROOT}/crud")

_VERBS = ("GET", "POST", "PUT", "DELETE")

#: What `kind_of` writes in place of names.
_NAMES = ("USER", "DEVICE", "STREAM")


@dataclass(frozen=True, slots=True)
class Route:
    """
    Where a request leads.

    Attributes:
        does: ``read`` or ``write``: it needs the storage; ``tell``: neither storage nor credentials; ``listen``: it opens a websocket.
        handler: Answers the request.
        names: The names in the path.
        restamp: For an insert: whether it restamps.
        recalls: For a read: whether it can often be answered from what was looked up before.
        tells_site: Whether the answer contains the server's own URL.
    """

    does: Literal["read", "write", "tell", "listen"]
    handler: Callable[..., Reply]
    names: tuple[str, ...] = ()
    restamp: bool = False
    recalls: bool = False
    tells_site: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """The path has to be spelt like this instead."""

    location: str


def _reading(handler: Callable[[Reader, Request], Reply]) -> Route:
    return Route("read", handler)


def _writing(handler: Callable[[Writer, Request], Reply]) -> Route:
    return Route("write", handler)


def _listening(*_: Any) -> Reply:
    raise Refusal(426, "this is a websocket: ask for an upgrade", {"Upgrade": "websocket"})


#: Paths below the root of the REST interface: for each, where each method leads.
_FIXED: Mapping[str, Mapping[str, Route]] = {
    "": {"GET": _reading(meta.root)},
    "login": {"GET": _reading(sessions.login)},
    "logout": {"GET": Route("tell", sessions.logout)},
    "meta/version": {"GET": Route("tell", meta.version)},
    "meta/transforms": {"GET": Route("tell", meta.transforms)},
    "meta/interpolators": {"GET": Route("tell", meta.interpolators)},
    "query/merge": {"POST": _reading(query.merge)},
    "query/dataset": {"POST": _reading(query.dataset)},
    "websocket": {"GET": Route("listen", _listening)},
}
#: Paths outside of it.
_BESIDE: Mapping[str, Mapping[str, Route]] = {
    "/": {"GET": Route("tell", sessions.start_page)},
    "/login": {"GET": _reading(sessions.login_page)},
    "/logout": {"GET": Route("tell", sessions.logout_page)},
    "/join": {"POST": _writing(join.join)},
}
_OBJECT: Mapping[str, Route] = {
    "GET": Route("read", crud.read, recalls=True),
    "POST": _writing(create.create),
    "PUT": _writing(crud.update),
    "DELETE": _writing(crud.delete),
}
_DATA: Mapping[str, Route] = {
    "GET": _reading(data.read),
    "POST": _writing(data.insert),
    "PUT": Route("write", data.insert, restamp=True),
}
_FEED: Mapping[str, Route] = {"GET": Route("read", atom.feed, tells_site=True)}


def route(verb: str, raw_path: str, query_text: str = "") -> Route | Redirect:
    """
    Return where a request leads.

    Args:
        verb: The HTTP method.
        raw_path: The path as it came, still quoted.
        query_text: The query as it came, for a redirect.

    Raises:
        Refusal: There is nothing at this path (404), or not for this method (405).
    """
    goal = _short_route(verb, raw_path) if len(raw_path) <= _SHORT else _route(verb, raw_path)
    return Redirect(f"{goal.location}?{query_text}") if query_text and isinstance(goal, Redirect) else goal


def _route(verb: str, raw_path: str) -> Route | Redirect:
    # an escaped slash separates names just as a plain one
    path = unquote(raw_path, errors="replace")
    proper = _proper(path)
    if proper != path:
        return Redirect(quote(proper))
    routes, names = _routes(path)
    found = routes.get("GET" if verb == "HEAD" else verb)
    if found is None:
        allowed = _allowed(routes)
        raise Refusal(405, f"{verb} is not possible here, only {allowed}", {"Allow": allowed})
    return Route(found.does, found.handler, names, found.restamp, found.recalls, found.tells_site)


#: The routes of short paths are cached, as the same few are requested again and again. Long ones could be made up to fill memory.
_SHORT = 200
_short_route = lru_cache(maxsize=2048)(_route)


def allowed(raw_path: str) -> str:
    """Return the methods that a path allows, for the header ``Allow``; all methods if there is nothing at this path."""
    try:
        routes, _ = _routes(_proper(unquote(raw_path, errors="replace")))
    except Refusal:
        return _allowed(dict.fromkeys(_VERBS))
    return _allowed(routes)


def _allowed(routes: Iterable[str]) -> str:
    verbs = [verb for verb in _VERBS if verb in routes]
    return ", ".join([*verbs, *(["HEAD"] if "GET" in verbs else []), "OPTIONS"])


def _users(reader: Reader, request: Request) -> Reply:
    if "ls" not in request.q:
        raise Refusal(400, "Unrecognized query command.")
    return crud.list_users(reader, request)


#: Every method is answered by the list, if the query asks for that.
_USERS: Mapping[str, Route] = dict.fromkeys(_VERBS, _reading(_users))


def _routes(path: str) -> tuple[Mapping[str, Route], tuple[str, ...]]:
    if path in _BESIDE:
        return _BESIDE[path], ()
    if not path.startswith(f"{API_ROOT}/"):
        raise Refusal(404, "This path is not recognized")
    below = path[len(API_ROOT) + 1 :]
    if below in _FIXED:
        return _FIXED[below], ()
    if below == "crud/":
        return _USERS, ()
    first, *names = below.split("/")
    if first == "feed" and len(names) == 3:
        return _FEED, tuple(names)
    if first == "crud":
        if 1 <= len(names) <= 3:
            return _OBJECT, tuple(names)
        if len(names) == 4 and names[3] == "data":
            return _DATA, tuple(names[:3])
    raise Refusal(404, "This path is not recognized")


def kind_of(path: str) -> str:
    """Return the kind of a path, such as ``crud/USER``. There are few kinds, whatever clients ask for, so they can be counted."""
    if not path.startswith(f"{API_ROOT}/"):
        return "other"
    try:
        routes, names = _routes(path)
    except Refusal:
        return "other"
    below = path[len(API_ROOT) + 1 :]
    if not names:
        return below or "root"
    kind, *_ = below.split("/")
    return "/".join([kind, *_NAMES[: len(names)], *(["data"] if routes is _DATA else [])])


def _proper(path: str) -> str:
    """Return a path without dots, doubled slashes and slashes at the end, except where one belongs."""
    proper = posixpath.normpath(path) if path.startswith("/") else path
    if proper.startswith("//"):
        proper = proper[1:]
    return f"{proper}/" if proper in _FOLDERS else proper
