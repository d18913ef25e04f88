"""
What ``docs/topics/wire.rst`` says that the old client sends, rule by rule, held against what it sent.

The recorded transcript holds the bytes of every step; these rules say which of them servers must be prepared for, and hold for
everything that was sent, whatever the step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

from .recorder import Sent
from .transcript import authorization

Rule = Callable[[list[Sent]], Iterator[str]]

#: Points in one insert at most.
_AT_ONCE = 5000

_COMMANDS = {
    "subscribe": ["cmd", "arg", "transform"],
    "unsubscribe": ["cmd", "arg", "transform"],
    "insert": ["cmd", "arg", "d"],
}

#: Sets of parameters that reads come with, in the order in which they are sent.
_READS = (
    [("q",), ("q", "downlink")],
    [
        ("i1",),
        ("i2",),
        ("i1", "i2"),
        ("t1",),
        ("t2",),
        ("t1", "t2"),
        ("t1", "limit"),
        ("t2", "limit"),
        ("t1", "t2", "limit"),
    ],
)


def broken(sent: list[Sent]) -> list[str]:
    """Return every breach of a rule, in words."""
    return [f"{rule.__doc__} But: {breach}" for rule in _RULES for breach in rule(sent)]


def _requests(sent: list[Sent]) -> Iterator[tuple[Sent, str, str, dict[str, str]]]:
    for message in sent:
        if not message.line.isupper():
            verb, _, target = message.line.partition(" ")
            url = urlsplit(target)
            yield message, verb, url.path.removeprefix("/api/v1"), dict(parse_qsl(url.query, keep_blank_values=True))


def _messages(sent: list[Sent]) -> Iterator[Sent]:
    return (message for message in sent if message.line in ("TEXT", "BINARY"))


def _json(sent: list[Sent]) -> Iterator[str]:
    """``Content-Type: application/json`` is on everything, also on GET."""
    for message, _, path, _ in _requests(sent):
        if path != "/websocket" and message.headers.get("content-type") != "application/json":
            yield message.line


def _password_once(sent: list[Sent]) -> Iterator[str]:
    """A password is sent with ``GET crud/NAME/user`` alone; from then on it is the API key, with an empty name."""
    for message, verb, path, _ in _requests(sent):
        name, _, password = authorization(message).partition(":")
        if name and (verb, path) != ("GET", f"/crud/{name}/user"):
            yield f"{message.line} with the password of {name}"
        if not name and not password and path != "/" and not path.startswith("/meta/"):
            yield f"{message.line} without a key"


def _one_point(sent: list[Sent]) -> Iterator[str]:
    """An insert is POST or PUT of an array of at most 5000 points with ``t`` and ``d``; all but the array go without parameters."""
    for message, verb, path, parameters in _requests(sent):
        if path.endswith("/data") and verb != "GET":
            points = json.loads(message.body)
            if verb not in ("POST", "PUT") or len(points) > _AT_ONCE or not all({"t", "d"} <= set(p) for p in points):
                yield f"{message.line}: {len(points)} points"
            if parameters.keys() - {"downlink"}:
                yield message.line


def _reading(sent: list[Sent]) -> Iterator[str]:
    """A read names ``i1``, ``i2``, ``t1``, ``t2``, ``limit`` as far as they are given, ``i1=0&i2=0`` if none is; a length says ``downlink=False``."""
    for message, verb, path, parameters in _requests(sent):
        if path.endswith("/data") and verb == "GET":
            names = tuple(name for name in parameters if name not in ("transform", "downlink"))
            if names != ("q",) and names not in _READS[1]:
                yield message.line
            if names == ("q",) and list(parameters) != ["q", "downlink"]:
                yield message.line
            if parameters.get("downlink", "True") not in ("True", "False"):
                yield message.line


def _streams_of_user(sent: list[Sent]) -> Iterator[str]:
    """Streams of a user are asked for with ``q=streams&public=…&downlink=…&visible=…``, in lower case."""
    for message, _, _, parameters in _requests(sent):
        if parameters.get("q") == "streams":
            if list(parameters) != ["q", "public", "downlink", "visible"]:
                yield message.line
            if not {parameters[name] for name in list(parameters)[1:]} <= {"true", "false"}:
                yield message.line


def _root(sent: list[Sent]) -> Iterator[str]:
    """Queries of the root go to ``/api/v1/?q=…``, with the slash."""
    for message, _, path, parameters in _requests(sent):
        if path in ("", "/") and (path != "/" or list(parameters) != ["q"]):
            yield message.line


def _opening(sent: list[Sent]) -> Iterator[str]:
    """A websocket is opened with the ``Authorization`` header and ``Upgrade: websocket``."""
    for message, verb, path, _ in _requests(sent):
        if path == "/websocket":
            headers = message.headers
            if verb != "GET" or headers.get("upgrade") != "websocket" or not authorization(message).startswith(":"):
                yield message.head.decode("latin-1")


def _commands(sent: list[Sent]) -> Iterator[str]:
    """A command is a text of exactly ``cmd``, ``arg``, ``transform``, or of ``cmd``, ``arg``, ``d``."""
    for message in _messages(sent):
        command = json.loads(message.body)
        if message.line != "TEXT" or list(command) != _COMMANDS.get(command["cmd"]):
            yield message.body.decode()


def _acknowledging(sent: list[Sent]) -> Iterator[str]:
    """What a callback acknowledges is inserted into the path without ``/downlink``."""
    for message in _messages(sent):
        command = json.loads(message.body)
        if command["cmd"] == "insert" and command["arg"].count("/") != 2:
            yield message.body.decode()


_RULES: tuple[Rule, ...] = (
    *(_json, _password_once, _one_point, _reading, _streams_of_user, _root),
    *(_opening, _commands, _acknowledging),
)
