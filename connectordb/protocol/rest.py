"""
The REST interface: one function per endpoint, which builds the request and knows how to read its answer.

Each returns a `Request`. Send it, hand the `Reply` to `Request.read`, and get the value, or the exception that the answer
stands for (`connectordb.protocol.refusals`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from ..exceptions import ProtocolError
from . import json_text, refusals
from .constants import COLUMNS, COLUMNS_MARK
from .encoded import Encoded
from .paths import Path, is_name
from .points import Datapoint, read_point
from .reply import Reply

T = TypeVar("T")

#: Metadata of a user, device or stream.
Fields = dict[str, Any]


class Request(Generic[T]):
    """
    A request, and how to read its answer. Treat it as immutable.

    Attributes:
        method: The HTTP method.
        path: Below ``/api/v1``, quoted, without the query.
        reader: Makes the value out of the body of a 200.
        parameters: The query.
        body: JSON text, or ``None``.
        inserts: The number of points in the body, if this is an insert: sending it twice may store them twice.
        key: The insert's idempotency key, if it has one, for servers that know these (``docs/topics/beyond_0_3.rst``).
        accept: The ``Accept`` header; empty for any answer.
    """

    __slots__ = ("method", "path", "reader", "parameters", "body", "inserts", "key", "accept")

    def __init__(
        self,
        method: str,
        path: str,
        reader: Callable[[bytes], T],
        parameters: Mapping[str, str] | None = None,
        body: bytes | None = None,
        inserts: int = 0,
        key: str | None = None,
        accept: str = "",
    ) -> None:
        self.method = method
        self.path = path
        self.reader = reader
        self.parameters = parameters or {}
        self.body = body
        self.inserts = inserts
        self.key = key
        self.accept = accept

    @property
    def brings_points(self) -> bool:
        """Whether the answer is a list of datapoints."""
        return self.reader is _points

    @property
    def reads(self) -> bool:
        """Whether it changes nothing, however often it is sent."""
        # queries are sent by POST only because they may be too long for a URL
        return self.method in ("GET", "HEAD", "OPTIONS") or (self.method == "POST" and self.path.startswith("/query/"))

    def read(self, reply: Reply) -> T:
        """
        Return what *reply* says.

        Raises:
            ResponseError: The reply is a refusal, or makes no sense as an answer to this request.
        """
        if reply.status != 200:
            raise refusals.refusal(self.method, self.path, reply)
        try:
            return self.reader(reply.body)
        except (ValueError, ProtocolError) as error:
            raise refusals.no_answer(self.method, self.path, reply, error) from error


def _crud(path: Path | None) -> str:
    return f"/crud/{quote(path.rest)}" if path is not None else "/crud/"


def _downlink(path: Path) -> dict[str, str]:
    """Return the query that tells a stream's downlink from the stream itself."""
    return {"downlink": "true"} if path.downlink else {}


#: Versions look like ``0.3.0``, ``0.3.0b1``, ``0.3.0-git.1234``.
_VERSION = r"\d[\w.+-]*"


# --- reading bodies ---------------------------------------------------------------------------------------------------


def _text(body: bytes) -> str:
    text = body.decode()
    if not text or len(text) > 1000 or "<" in text:
        raise ValueError("expected a line of text")
    return text


def _version(body: bytes) -> str:
    text = _text(body)
    if not re.fullmatch(_VERSION, text):
        raise ValueError("expected a version")
    return text


def _ok(body: bytes) -> None:
    if body.strip() != b"ok":
        raise ValueError("expected 'ok'")


def _path(body: bytes) -> Path:
    return Path.parse(_text(body))


def _integer(body: bytes) -> int:
    return int(_text(body))


def _object(body: bytes) -> dict[str, Any]:
    return _of(dict, json_text.loads(body))


def _objects(body: bytes) -> list[Fields]:
    return [_of(dict, item) for item in _of(list, json_text.loads(body))]


def _listed(body: bytes) -> list[Fields]:
    return [_with_name(fields, "name") for fields in _objects(body)]


def _listed_with_devices(body: bytes) -> list[Fields]:
    return [_with_name(fields, "device") for fields in _listed(body)]


def _with_name(fields: Fields, key: str) -> Fields:
    name = fields.get(key)
    if not isinstance(name, str) or not is_name(name):
        raise ValueError(f"{fields!r:.200} is listed with no name under {key!r}")
    return fields


def _points(body: bytes) -> list[Datapoint]:
    return [read_point(point) for point in _of(list, json_text.loads(body))]


def _array_text(body: bytes) -> bytes:
    if body.startswith(COLUMNS_MARK):
        return body
    text = body.strip()
    if not (text.startswith(b"[") and text.endswith(b"]")):
        raise ValueError("expected a JSON array")
    return text


def _of(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise ValueError(f"expected a JSON {'array' if kind is list else 'object'}")
    return value


# --- the endpoints ----------------------------------------------------------------------------------------------------


def whoami() -> Request[Path]:
    """``GET /?q=this``: the caller's path."""
    return Request("GET", "/", _path, {"q": "this"})


def count(what: Literal["users", "devices", "streams"]) -> Request[int]:
    """``GET /?q=countusers`` and so on: how many of them the whole database has."""
    return Request("GET", "/", _integer, {"q": f"count{what}"})


def version() -> Request[str]:
    """``GET /meta/version``."""
    return Request("GET", "/meta/version", _version)


def transforms() -> Request[dict[str, Any]]:
    """``GET /meta/transforms``: name to description."""
    return Request("GET", "/meta/transforms", _object)


def interpolators() -> Request[dict[str, Any]]:
    """``GET /meta/interpolators``: name to description."""
    return Request("GET", "/meta/interpolators", _object)


def read(path: Path) -> Request[Fields]:
    """``GET crud/<path>``: the metadata of a user, device or stream."""
    return Request("GET", _crud(path), _object)


def create(path: Path, fields: Fields) -> Request[Fields]:
    """``POST crud/<path>``: create a user, device or stream."""
    return Request("POST", _crud(path), _object, body=json_text.dumps(fields))


def update(path: Path, fields: Fields) -> Request[Fields]:
    """``PUT crud/<path>``: change some of its metadata."""
    return Request("PUT", _crud(path), _object, body=json_text.dumps(fields))


def delete(path: Path) -> Request[None]:
    """``DELETE crud/<path>``: remove it and all below it; of a downlink, only its points."""
    return Request("DELETE", _crud(path), _ok, _downlink(path))


def list_users() -> Request[list[Fields]]:
    """``GET crud/?q=ls``."""
    return Request("GET", _crud(None), _listed, {"q": "ls"})


def list_devices(user: Path) -> Request[list[Fields]]:
    """``GET crud/<user>?q=ls``."""
    return Request("GET", _crud(user), _listed, {"q": "ls"})


def list_streams(device: Path) -> Request[list[Fields]]:
    """``GET crud/<device>?q=ls``."""
    return Request("GET", _crud(device), _listed, {"q": "ls"})


def list_user_streams(user: Path, *, public: bool, downlink: bool, visible: bool) -> Request[list[Fields]]:
    """``GET crud/<user>?q=streams``: the streams of all the user's devices, each with the key ``device``."""
    flags = {"public": public, "downlink": downlink, "visible": visible}
    return Request(
        "GET",
        _crud(user),
        _listed_with_devices,
        {"q": "streams", **{name: str(on).lower() for name, on in flags.items()}},
    )


def insert(path: Path, points: Iterable[Datapoint], restamp: bool = False) -> Request[None]:
    """``POST crud/<path>/data``; or ``PUT``, by which the server moves times that are too old to the newest one."""
    if isinstance(points, Encoded):
        return insert_text(path, points.text, len(points), restamp)
    listed = list(points)
    return insert_text(path, json_text.dumps(listed), len(listed), restamp)


def insert_text(path: Path, points: bytes, number: int, restamp: bool = False, key: str | None = None) -> Request[None]:
    """Like `insert`, for *number* points that are JSON text already; under an idempotency *key* it may be repeated."""
    return Request("PUT" if restamp else "POST", f"{_crud(path)}/data", _ok, _downlink(path), points, number, key)


def points(path: Path, parameters: Mapping[str, str]) -> Request[list[Datapoint]]:
    """``GET crud/<path>/data``, with *parameters* made by `ranges.read_parameters`."""
    return Request("GET", f"{_crud(path)}/data", _points, {**parameters, **_downlink(path)})


def as_text(request: Request[list[Datapoint]], *, columns: bool = False) -> Request[bytes]:
    """
    Return a request for points whose answer is not decoded: it is the text of a JSON array.

    Where *columns* are asked for, a server that has them may answer with columns of Arrow instead.
    """
    accept = f"{COLUMNS}, */*;q=0.5" if columns else ""
    return Request(request.method, request.path, _array_text, request.parameters, request.body, accept=accept)


def length(path: Path) -> Request[int]:
    """``GET crud/<path>/data?q=length``: how many points there are."""
    return Request("GET", f"{_crud(path)}/data", _integer, {"q": "length", **_downlink(path)})


def query(kind: str, body: Any) -> Request[Any]:
    """``POST query/<kind>``: ``merge`` or ``dataset``."""
    return Request("POST", f"/query/{quote(kind, safe='')}", json_text.loads, body=json_text.dumps(body))


def query_points(kind: Literal["merge", "dataset"], body: Any) -> Request[list[Datapoint]]:
    """Like `query`, for an answer that is a list of datapoints."""
    return Request("POST", f"/query/{kind}", _points, body=json_text.dumps(body))
