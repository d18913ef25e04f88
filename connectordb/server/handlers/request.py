"""What handlers take and return, as frozen values."""

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
    All checks have passed, but the hash of a password is needed: handle the request again with it as `Request.password_hash`.

    A hash takes long on purpose, and a transaction of the storage must not wait for it.

    Attributes:
        password: What to hash.
    """

    def __init__(self, password: str) -> None:
        super().__init__("the hash of a new password is wanted")
        self.password = password


class Request(NamedTuple):
    """
    A request.

    Attributes:
        now: The time by the server's clock, in seconds since 1970.
        names: The names in the path: of a user, its device, its stream.
        query: The query's parameters; of repeated ones the first.
        q: The parameter ``q``: its first value alone; empty if there is none.
        body: The body, as it came.
        caller: Who is calling.
        permissions: Who may do what.
        restamp: For an insert: whether times that are too old are moved.
        key: For an insert: its ``Idempotency-Key``, if it has one.
        columns: Whether points may be answered as columns.
        most_keys: How many idempotency keys are remembered for one device.
        password_hash: See `HashWanted`.
        limits: The settings for what a client may make the server do.
        queries: The settings for what may be computed.
        address: The client's address.
        site: The URL by which the client reaches the server, such as ``http://localhost:3124``.
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
        """The names, as the text of a path."""
        return "/".join(self.names)

    @property
    def downlink(self) -> bool:
        """Whether the stream's downlink is meant."""
        # the spellings of true that a 0.3 server understands
        return self.query.get("downlink") in ("1", "t", "T", "true", "True", "TRUE")

    def json(self) -> Any:
        """Return the body decoded; refuse one that is no JSON."""
        if has_more_brackets(self.body, self.limits.body_brackets):
            raise Refusal(
                413, f"the body has more than {self.limits.body_brackets} lists and objects; send it in smaller pieces"
            )
        return read_json(self.body)

    def hashed(self, password: str) -> str:
        """Return the hash of *password*; raise `HashWanted` if it was not computed yet."""
        if self.password_hash is None:
            raise HashWanted(password)
        return self.password_hash

    def at(self, names: tuple[str, ...]) -> Request:
        """Return the same request for another path."""
        return self._replace(names=names)

    def with_hash(self, password_hash: str) -> Request:
        """Return the request with the hash it wanted."""
        return self._replace(password_hash=password_hash)


#: An escaped half of a surrogate pair, without the other half.
_HIGH, _LOW = (rf"\\u[dD][{digits}][0-9a-fA-F]{{2}}" for digits in ("89abAB", "c-fC-F"))
_HALF = re.compile(rf"{_HIGH}(?!{_LOW})|(?<!{_HIGH}){_LOW}")


def legible(text: str | bytes) -> str:
    """Return JSON text as a 0.3 server reads it: with U+FFFD for bytes that are no UTF-8, and for lone halves of surrogate pairs."""
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    if "\0" in text:
        return text  # this is no JSON anyway
    # hide escaped backslashes, after which nothing is an escape
    return _HALF.sub("\ufffd", text.replace("\\\\", "\0\0")).replace("\0\0", "\\\\")


def has_more_brackets(text: str | bytes, most: int) -> bool:
    """
    Tell whether JSON text may hold more than *most* lists and objects: decoded, an empty one takes a hundred times its bytes.

    Brackets inside strings are counted too, as finding the ends of strings would cost as much as decoding the text.
    """
    if len(text) <= most:
        return False
    found = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    return found > most


def read_json(body: bytes) -> Any:
    """Return a body decoded; `legible` says what becomes of bytes in it that are no text."""
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
    """The content type of an answer."""

    JSON = "application/json; charset=utf-8"
    TEXT = "text/plain; charset=utf-8"
    XML = "application/xml; charset=utf-8"
    HTML = "text/html; charset=utf-8"
    COLUMNS = COLUMNS


class Fetch(Protocol):
    """Runs a piece of work in the storage, and returns its result."""

    def __call__(self, work: Callable[[Reader], T], /) -> T:
        """Return what *work* returned."""


def at_once(reader: Reader) -> Fetch:
    """Return a `Fetch` for code that is already running in the storage."""
    return lambda work: work(reader)


class Pages(Protocol):
    """
    The rest of an answer that is too long to be made in one go. It remembers how far it has come.

    Attributes:
        computed: Whether it has to be computed, on a thread for that, and not just read, on a thread of the storage.
    """

    computed: bool = False

    def next(self, fetch: Fetch) -> bytes | None:
        """Return the next piece of the body; `None` after the last one."""

    def drop(self) -> None:
        """Note that nobody waits for it any more. May be called on any thread."""
        return


@dataclass(frozen=True, slots=True)
class Published:
    """
    Points that were inserted, for the subscribers to their path.

    Attributes:
        path: The path of the stream, or of its downlink.
        points: The points as they were sent, but with times of 0 replaced.
        stored: The points as they were stored; `None` if they were not, as the stream is ephemeral.
    """

    path: str
    points: Sequence[Datapoint]
    stored: Inserted | None = None


@dataclass(frozen=True, slots=True)
class Landed:
    """
    Where the points of an insert were stored.

    Attributes:
        path: The path of the stream, or of its downlink.
        first: The index of the first point; `None` if none was stored.
    """

    path: str
    first: int | None


@dataclass(frozen=True, slots=True)
class Removed:
    """
    Something that was removed.

    Attributes:
        path: The path of a user, device or stream, which was removed with all below it; or of a downlink.
        reason: Whether it was deleted itself, or only cleared of its points.
    """

    path: str
    reason: Literal["deleted", "cleared"]


@dataclass(frozen=True, slots=True)
class Session:
    """
    What is to become of the browser's session cookie.

    Attributes:
        caller: Whom it logs in as; `None` to log out.
        remember: Whether the login outlasts the browser.
    """

    caller: Caller | None
    remember: bool = True


class Reply(NamedTuple):
    """
    An answer with status 200, or a redirect.

    Attributes:
        body: The body, or its beginning.
        kind: The content type.
        rest: What follows the beginning.
        published: What subscribers are to be told.
        landed: Where the points of an insert were stored.
        removed: What was removed.
        changed: The path below which others may now see more or less than before; ``""`` for none.
        cacheable: Whether caches may keep it.
        session: What is to become of the browser's session cookie; `None`: nothing.
        location: Where to redirect browsers, with status 302.
        points: How many points it has, or were read for it.
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
        """Return a reply with a value as JSON."""
        return cls(as_json(value), published=published)

    @classmethod
    def text(
        cls,
        text: str,
        published: tuple[Published, ...] = (),
        *,
        cacheable: bool = False,
        session: Session | None = None,
    ) -> Reply:
        """Return a reply with a plain text."""
        return cls(text.encode(), Kind.TEXT, published=published, cacheable=cacheable, session=session)


def as_json(value: Any) -> bytes:
    """Return a value as JSON text for an answer."""
    return for_browsers(json_text.dumps(value))


def for_browsers(text: bytes) -> bytes:
    """Return JSON text with all characters escaped that have a meaning in HTML. They occur only inside strings."""
    for character, escape in ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026")):
        if character in text:
            text = text.replace(character, escape)
    return text


NO_ACCESS = "Can't access this resource."


def not_found(kind: str) -> str:
    """Return the message for a user, device or stream that does not exist."""
    return f"The requested {kind} was not found."


def missing(found: Found, depth: int) -> str | None:
    """Return the first kind that is missing on a path of *depth* names; `None` if nothing is."""
    there = (found.user, found.device, found.stream)
    return next(
        (kind for kind, it in zip(("user", "device", "stream")[:depth], there, strict=False) if it is None), None
    )


def find(reader: Reader, names: tuple[str, ...], status: int = 403) -> Found:
    """Return what is at a path; refuse the request if any part of it is missing."""
    found = reader.find(names)
    # the last one exists only if all above it exist
    if (found.user, found.device, found.stream)[len(names) - 1] is None:
        raise Refusal(status, not_found(missing(found, len(names)) or ""))
    return found
