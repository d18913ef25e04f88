"""Which handler a verb and a path lead to, as a table; pure."""

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

#: These end in a slash; nothing else does.
_FOLDERS = (API_ROOT, f"{API_ROOT}/crud")

_VERBS = ("GET", "POST", "PUT", "DELETE")

#: What stands for names in the kind of an address.
_NAMES = ("USER", "DEVICE", "STREAM")


@dataclass(frozen=True, slots=True)
class Route:
    """
    Where a request leads.

    Attributes:
        does: Whether it reads, writes, needs no credentials and no storage, or opens a websocket.
        handler: What does it.
        names: The names in the path.
        restamp: Of an insert: whether it restamps.
        recalls: Of reading: whether what was looked up a while ago is often enough for it.
        tells_site: Whether the answer says where the server is reached.
    """

    does: Literal["read", "write", "tell", "listen"]
    handler: Callable[..., Reply]
    names: tuple[str, ...] = ()
    restamp: bool = False
    recalls: bool = False
    tells_site: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """The path is spelt differently."""

    location: str


def _reading(handler: Callable[[Reader, Request], Reply]) -> Route:
    return Route("read", handler)


def _writing(handler: Callable[[Writer, Request], Reply]) -> Route:
    return Route("write", handler)


def _listening(*_: Any) -> Reply:
    raise Refusal(426, "this is a websocket: ask for an upgrade", {"Upgrade": "websocket"})


#: Paths below the root, and per verb where they lead.
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
#: Paths beside it.
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
        query_text: The query as it came, for a redirection.

    Raises:
        Refusal: Nowhere (404), or not with this verb (405).
    """
    goal = _short_route(verb, raw_path) if len(raw_path) <= _SHORT else _route(verb, raw_path)
    return Redirect(f"{goal.location}?{query_text}") if query_text and isinstance(goal, Redirect) else goal


def _route(verb: str, raw_path: str) -> Route | Redirect:
    # an escaped slash separates like a plain one
    path = unquote(raw_path, errors="replace")
    proper = _proper(path)
    if proper != path:
        return Redirect(_quoted(proper))
    routes, names = _routes(path)
    found = routes.get("GET" if verb == "HEAD" else verb)
    if found is None:
        allowed = _allowed(routes)
        raise Refusal(405, f"{verb} is not possible here, only {allowed}", {"Allow": allowed})
    return Route(found.does, found.handler, names, found.restamp, found.recalls, found.tells_site)


#: The same few paths are asked for again and again; long ones are not kept, as anybody can make them up.
_SHORT = 200
_short_route = lru_cache(maxsize=2048)(_route)


def allowed(raw_path: str) -> str:
    """Return the verbs that are possible at a path, for the header ``Allow``; all that there are, if it leads nowhere."""
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


#: Whatever the verb, as long as it asks for the list.
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
    """Return the kind of address that a path is, as ``crud/USER``: few enough to count by, whatever clients ask for."""
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
    """Return the spelling of a path without dots, doubled slashes and slashes at the end, but where one belongs."""
    proper = posixpath.normpath(path) if path.startswith("/") else path
    if proper.startswith("//"):
        proper = proper[1:]
    return f"{proper}/" if proper in _FOLDERS else proper


def _quoted(path: str) -> str:
    return quote(path)
