"""What goes into a handler and what comes out, as frozen values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from ...exceptions import ConnectorDBError
from ...protocol import json_text
from ...protocol.constants import COLUMNS
from ...protocol.points import Datapoint
from ..config import Idempotency, Limits, Queries
from ..refusal import Refusal as Refusal  # for all handlers
from ..rights.accounts import ANONYMOUS, Caller
from ..rights.permissions import DEFAULT, Permissions
from ..storage import Found, Inserted, Reader

T = TypeVar("T")


class HashWanted(ConnectorDBError):
    """
    All checks have passed but for a password's hash: do the request again with it in `Request.password_hash`.

    A hash takes long on purpose, and a transaction of the storage must not wait for it.

    Attributes:
        password: What to hash.
    """

    def __init__(self, password: str) -> None:
        super().__init__("the hash of a new password is wanted")
        self.password = password


class Request(NamedTuple):
    """
    What is asked.

    Attributes:
        now: The server's clock, seconds since 1970.
        names: The path below ``crud``: a user, its device, its stream.
        query: The query's parameters, of repeated ones the first.
        q: The first value of the parameter ``q``, which alone counts; empty if there is none.
        body: The body, as it came.
        caller: On whose behalf.
        permissions: The tables that hold.
        restamp: Of an insert: whether times that are too old are moved.
        key: The ``Idempotency-Key`` of an insert, if it has one.
        columns: Whether points may be answered as columns.
        most_keys: How many of them are remembered of one device.
        password_hash: See `HashWanted`.
        limits: What a client may make the server do.
        queries: What may be computed.
        address: Where the client is.
        site: Where the client reaches the server, such as ``http://localhost:3124``.
    """

    now: float
    names: tuple[str, ...] = ()
    query: Mapping[str, str] = MappingProxyType({})
    q: tuple[str, ...] = ()
    body: bytes = b""
    caller: Caller = ANONYMOUS
    permissions: Permissions = DEFAULT
    restamp: bool = False
    key: str | None = None
    columns: bool = False
    most_keys: int = Idempotency().keys_per_device
    password_hash: str | None = None
    limits: Limits = Limits()
    queries: Queries = Queries()
    address: str = ""
    site: str = ""

    @property
    def path(self) -> str:
        """The names as text."""
        return "/".join(self.names)

    @property
    def downlink(self) -> bool:
        """Whether the stream's downlink is meant."""
        # the spellings of true that a 0.3 server understands
        return self.query.get("downlink") in ("1", "t", "T", "true", "True", "TRUE")

    def json(self) -> Any:
        """Return what the body says; refuse one that is no JSON."""
        if has_more_brackets(self.body, self.limits.body_brackets):
            raise Refusal(
                413, f"the body has more than {self.limits.body_brackets} lists and objects; send it in smaller pieces"
            )
        return read_json(self.body)

    def hashed(self, password: str) -> str:
        """Return the hash of *password*, or ask for it."""
        if self.password_hash is None:
            raise HashWanted(password)
        return self.password_hash

    def at(self, names: tuple[str, ...]) -> Request:
        """Return the same request for another path."""
        return self._replace(names=names)

    def with_hash(self, password_hash: str) -> Request:
        """Return the request with the hash it wanted."""
        return self._replace(password_hash=password_hash)


#: A half of a character, escaped, without the other one.
_HIGH, _LOW = (rf"\\u[dD][{digits}][0-9a-fA-F]{{2}}" for digits in ("89abAB", "c-fC-F"))
_HALF = re.compile(rf"{_HIGH}(?!{_LOW})|(?<!{_HIGH}){_LOW}")


def legible(text: str | bytes) -> str:
    """Return JSON text with U+FFFD for what is no UTF-8 and for escaped halves of characters, as a 0.3 server reads it."""
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    if "\0" in text:
        return text  # no JSON has that
    # what follows an escaped backslash is no escape
    return _HALF.sub("\ufffd", text.replace("\\\\", "\0\0")).replace("\0\0", "\\\\")


def has_more_brackets(text: str | bytes, most: int) -> bool:
    """
    Tell whether JSON text may hold more lists and objects than that: empty ones become a hundred times as many bytes as they are.

    Those within its strings are counted, too, as looking where strings end costs as much as reading it.
    """
    if len(text) <= most:
        return False
    found = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    return found > most


def read_json(body: bytes) -> Any:
    """Return what *body* says; see `legible` for what is no text in it."""
    if not body:
        raise Refusal(400, "unexpected end of JSON input")
    try:
        try:
            return json_text.loads(body)
        except ValueError:
            text = legible(body)
            if "\ufffd" not in text:
                raise
            return json_text.loads(text)
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError) and error.pos >= len(error.doc.rstrip()):
            raise Refusal(400, "unexpected end of JSON input") from error
        raise Refusal(400, f"invalid JSON: {error}") from error


class Kind(Enum):
    """What kind of text an answer is."""

    JSON = "application/json; charset=utf-8"
    TEXT = "text/plain; charset=utf-8"
    XML = "application/xml; charset=utf-8"
    HTML = "text/html; charset=utf-8"
    COLUMNS = COLUMNS


class Fetch(Protocol):
    """Does a piece of work in the storage, and returns what came of it."""

    def __call__(self, work: Callable[[Reader], T], /) -> T:
        """Return what *work* returned."""


def at_once(reader: Reader) -> Fetch:
    """Return how to fetch where the storage is at hand."""
    return lambda work: work(reader)


class Pages(Protocol):
    """
    An answer that is too long to be made in one go; it remembers how far it came.

    Attributes:
        computed: Whether it takes more than reading, and is made on a thread for that rather than on one of the storage's.
    """

    computed: bool = False

    def next(self, fetch: Fetch) -> bytes | None:
        """Return the next piece of the body; `None` behind the last one."""

    def drop(self) -> None:
        """Take note, on any thread, that nobody waits for it any more."""
        return


@dataclass(frozen=True, slots=True)
class Published:
    """
    Points that were inserted, for those who subscribed to their path.

    Attributes:
        path: Of the stream, or of its downlink.
        points: As they were sent, zero times filled in.
        stored: What became of them; `None` if they were not stored, as the stream is ephemeral.
    """

    path: str
    points: Sequence[Datapoint]
    stored: Inserted | None = None


@dataclass(frozen=True, slots=True)
class Landed:
    """
    Where the points of an insert are.

    Attributes:
        path: Of the stream, or of its downlink.
        first: The index of the first of them; `None` if none was stored.
    """

    path: str
    first: int | None


@dataclass(frozen=True, slots=True)
class Removed:
    """
    What is not there any more.

    Attributes:
        path: Of a user, device or stream, with all below it, or of a downlink.
        reason: Whether it was deleted, or only its points.
    """

    path: str
    reason: Literal["deleted", "cleared"]


@dataclass(frozen=True, slots=True)
class Session:
    """
    What becomes of the browser's session cookie.

    Attributes:
        caller: Who it logs in; `None` logs out.
        remember: Whether that outlasts the browser.
    """

    caller: Caller | None
    remember: bool = True


class Reply(NamedTuple):
    """
    An answer with status 200, or a redirection.

    Attributes:
        body: The body, or its beginning.
        kind: What it is.
        rest: What follows the beginning.
        published: What subscribers are to be told.
        landed: Where the points of an insert are.
        removed: What is not there any more.
        changed: The path below which others may see more or less than before; ``""`` for none.
        cacheable: Whether the header that forbids keeping it is left out.
        session: What becomes of the browser's session cookie; `None`: nothing.
        location: Where browsers go next, with status 302.
        points: How many points are in it, or were looked at for it.
        encoding: How the body and the rest are compressed.
    """

    body: bytes
    kind: Kind = Kind.JSON
    rest: Pages | None = None
    published: tuple[Published, ...] = ()
    landed: Landed | None = None
    removed: tuple[Removed, ...] = ()
    changed: str = ""
    cacheable: bool = False
    session: Session | None = None
    location: str = ""
    points: int | None = None
    encoding: str = ""

    @classmethod
    def of(cls, value: Any, published: tuple[Published, ...] = ()) -> Reply:
        """Return a value as JSON."""
        return cls(as_json(value), published=published)

    @classmethod
    def text(
        cls,
        text: str,
        published: tuple[Published, ...] = (),
        *,
        cacheable: bool = False,
        session: Session | None = None,
        points: int | None = None,
    ) -> Reply:
        """Return a bare text."""
        return cls(text.encode(), Kind.TEXT, published=published, cacheable=cacheable, session=session, points=points)


def as_json(value: Any) -> bytes:
    """Return a value as JSON text for an answer."""
    return for_browsers(json_text.dumps(value))


def for_browsers(text: bytes) -> bytes:
    """Return JSON text without the characters that HTML means something by; they occur only in its strings."""
    for character, escape in ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026")):
        if character in text:
            text = text.replace(character, escape)
    return text


NO_ACCESS = "Can't access this resource."


def not_found(kind: str) -> str:
    """Return what is said of a user, device or stream that is not there."""
    return f"The requested {kind} was not found."


def missing(found: Found, depth: int) -> str | None:
    """Return the first kind that is not there on a path of *depth* names."""
    there = (found.user, found.device, found.stream)
    return next(
        (kind for kind, it in zip(("user", "device", "stream")[:depth], there, strict=False) if it is None), None
    )


def find(reader: Reader, names: tuple[str, ...], status: int = 403) -> Found:
    """Return what lies at a path; refuse it if a part is not there."""
    found = reader.find(names)
    # what lies deepest is only there if all above it is
    if (found.user, found.device, found.stream)[len(names) - 1] is None:
        raise Refusal(status, not_found(missing(found, len(names)) or ""))
    return found
