"""Requests made out of the catalogue by Hypothesis: how they are put together, and what may be expected of the answer."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from enum import Enum

from hypothesis import strategies as st

from . import catalogue as junk

_ROOT = b"/api/v1"
_VERBS = (b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH")


class Framing(Enum):
    """How a body is sent."""

    LENGTH = "with its length"
    CHUNKED = "in chunks"
    TINY = "in chunks of one byte"
    EXPECT = "with Expect: 100-continue"
    NONE = "without a length, so that it is taken for the next request"
    SHORT = "with a length that is too long; then the client hangs up"
    RAW = "as it stands, headers and all"


@dataclass(frozen=True, repr=False)
class Asked:
    """
    One request.

    Attributes:
        verb: The method.
        target: Path and query, as sent.
        headers: Header lines.
        body: What follows; all of the request if the framing is raw.
        framing: How the body is sent.
    """

    verb: bytes = b"GET"
    target: bytes = b"/api/v1/?q=this"
    headers: tuple[bytes, ...] = ()
    body: bytes = b""
    framing: Framing = Framing.LENGTH

    def wire(self) -> bytes:
        """Return what is sent."""
        if self.framing is Framing.RAW:
            return self.body
        lines = [b"%s %s HTTP/1.1" % (self.verb, self.target), b"Host: localhost", *self.headers]
        body = self.body
        if self.framing in (Framing.CHUNKED, Framing.TINY):
            lines.append(b"Transfer-Encoding: chunked")
            size = 1 if self.framing is Framing.TINY else 1 + len(body) // 2
            parts = [body[at : at + size] for at in range(0, len(body), size)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])
        elif self.framing is Framing.SHORT:
            lines.append(b"Content-Length: %d" % (len(body) + 10))
        elif self.framing is not Framing.NONE and (body or self.verb in (b"POST", b"PUT")):
            lines.append(b"Content-Length: %d" % len(body))
            if self.framing is Framing.EXPECT:
                lines.append(b"Expect: 100-continue")
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    @property
    def ends(self) -> bool:
        """Whether nothing can be sent behind it on the same connection."""
        return self.framing in (Framing.NONE, Framing.SHORT, Framing.RAW)

    @property
    def proper(self) -> bool:
        """Whether it is HTTP beyond doubt, so that it must be answered and the connection goes on."""
        if self.ends or not self.target.startswith(b"/") or not self.target.isascii() or set(self.target) & set(b"# "):
            return False
        if self.verb not in _VERBS:
            return False
        strange = (b"Upgrade:", b"Connection:", b"Expect:", b"Content-Encoding:")
        return not any(
            not line.isascii() or line.startswith(strange) or b"\x7f" in line or len(line) > 8000
            for line in self.headers
        )

    def __repr__(self) -> str:
        """Return it as it is written in a test."""
        parts = [f"verb={self.verb!r}", f"target={self.target!r}"]
        parts += [f"headers={self.headers!r}"] if self.headers else []
        parts += [f"body={self.body!r}"] if self.body else []
        parts += [f"framing=Framing.{self.framing.name}"] if self.framing is not Framing.LENGTH else []
        return f"Asked({', '.join(parts)})"


def with_key(key: str) -> bytes:
    """Return the header of a device that logs in."""
    return b"Authorization: Basic " + base64.b64encode(f":{key}".encode())


_HARMLESS = (b"GET", b"HEAD", b"OPTIONS")


def by_everybody(dialogue: Dialogue, cookie: bytes) -> list[Dialogue]:
    """
    Return a dialogue as each actor would hold it, one of them by *cookie*, a header line.

    Whoever may change everything leaves out what must stay.
    """
    spoken = [replace(dialogue, requests=tuple(_with_cookie(made, cookie) for made in dialogue.requests))]
    for key in (*junk.KEYS, ""):
        requests = dialogue.requests
        if key == "key-admin":
            requests = tuple(made for made in requests if made.verb in _HARMLESS or not _touches(made)) or (Asked(),)
        changed = tuple(
            made if made.framing is Framing.RAW else replace(made, headers=_by(made.headers, key)) for made in requests
        )
        spoken.append(replace(dialogue, requests=changed))
    return spoken


def _with_cookie(made: Asked, cookie: bytes) -> Asked:
    if made.framing is Framing.RAW:
        return made
    return replace(made, headers=(cookie, *(line for line in _by(made.headers, "") if not line.startswith(b"Cookie:"))))


def _touches(made: Asked) -> bool:
    return any(b"/" + name in made.target + made.body for name in junk.PROTECTED)


def _by(headers: tuple[bytes, ...], key: str) -> tuple[bytes, ...]:
    others = tuple(line for line in headers if not line.startswith(b"Authorization:"))
    return (with_key(key), *others) if key else others


def _one_in(times: int) -> st.SearchStrategy[bool]:
    return st.sampled_from((False,) * (times - 1) + (True,))


def _is_json(text: bytes) -> bool:
    try:
        return bool(json.dumps(json.loads(text), allow_nan=False).encode())
    except ValueError:
        return False


_value = st.sampled_from(junk.JSON)
_short = tuple(value for value in junk.JSON if len(value) < 100)
_small = st.sampled_from(_short)
#: Of those that are JSON, to everybody.
_tame = st.sampled_from(tuple(value for value in _short if _is_json(value)))


@st.composite
def _points(draw: st.DrawFn) -> bytes:
    """Draw points: times that go up as well as any other, values of all kinds."""
    points = []
    t = draw(st.sampled_from((0, 1, 100, 10**6, 2 * 10**9)))
    value = draw(st.sampled_from((_small, _tame, _tame)))
    for _ in range(draw(st.sampled_from((0, 1, 1, 2, 3, 20)))):
        t += 1
        time = draw(_small) if draw(_one_in(10)) else b"%d" % t
        key = draw(st.sampled_from((b'"t"', b'"t"', b'"t"', b'"T"', b'"o"', b'"x"')))
        points.append(b'{%s:%s,"d":%s}' % (key, time, draw(value)))
    return b"[" + b",".join(points) + b"]"


@st.composite
def _object(draw: st.DrawFn) -> bytes:
    """Draw fields of users, devices and streams, with values of all kinds, and some below them."""
    members = []
    tame = draw(st.booleans())
    for name in draw(st.lists(st.sampled_from(junk.FIELDS[:18] if tame else junk.FIELDS), max_size=5)):
        if name == b"schema":
            value = draw(st.sampled_from(junk.SCHEMAS))
        elif name in (b"devices", b"streams"):
            value = b'{"%s":%s}' % (draw(st.sampled_from((b"s", b"d", b"user", b"", b"a b"))), draw(_small))
        elif name == b"role":
            value = draw(st.sampled_from((b'"user"', b'"none"', b'"reader"', b'"king"', b"5")))
        elif name == b"password":
            value = draw(st.sampled_from((b'"x"', b'""', b"null", b'"\\u0000"', b'"' + b"p" * 5000 + b'"')))
        else:
            value = draw(_tame) if tame else draw(_value)
        members.append(b'"%s":%s' % (name, value))
    if draw(_one_in(3)):
        members.append(b'"email":"%s@example.org","password":"p"' % draw(st.sampled_from((b"a", b"b", b"c"))))
    return b"{" + b",".join(members) + b"}"


@st.composite
def _query(draw: st.DrawFn) -> bytes:
    """Draw the body of a merge or dataset."""
    part = b'{"stream":%s,"%s":%s,"interpolator":%s}' % (
        *(draw(_small), draw(st.sampled_from((b"i1", b"i2", b"t1", b"t2", b"limit", b"transform", b"merge", b"dt")))),
        *(draw(_small), draw(st.sampled_from((b'"closest"', b'"before"', b'"sum"', b'"x"', b"5")))),
    )
    shape = draw(
        st.sampled_from(
            (
                b"[%s]",
                b"[%s,null]",
                b'{"dataset":{"a":%s},"t1":1,"t2":5,"dt":1}',
                b'{"dataset":{"x":%s},"stream":"fa/plain/number"}',
            )
        )
    )
    return shape % part


@st.composite
def _target(draw: st.DrawFn, names: tuple[bytes, ...]) -> bytes:
    """Draw a path and its parameters."""
    name = st.sampled_from(names)
    likely = st.sampled_from(
        (b"fa/plain/number", b"fa/plain/text", b"fa/plain/object", b"fa/plain/down", b"fa/plain/brief", b"fb/user/s")
    )
    kind = draw(
        st.sampled_from(("data", "data", "likely", "crud", "crud", "crud", "users", "query", "feed", "fixed", "root"))
    )
    if kind == "fixed":
        path = draw(st.sampled_from(junk.PATHS))
    elif kind == "root":
        path = _ROOT + b"/"
    elif kind == "users":
        path = _ROOT + b"/crud/"
    elif kind == "query":
        path = _ROOT + draw(st.sampled_from((b"/query/merge", b"/query/dataset")))
    elif kind == "feed":
        path = _ROOT + b"/feed/" + draw(likely) + draw(st.sampled_from((b"", b".atom", b".rss")))
    elif kind == "likely":
        path = _ROOT + b"/crud/" + draw(likely)
    elif kind == "data":
        path = (
            _ROOT
            + b"/crud/"
            + (b"/".join(draw(name) for _ in range(3)) if draw(_one_in(4)) else draw(likely))
            + b"/data"
        )
    else:
        path = _ROOT + b"/crud/" + b"/".join(draw(name) for _ in range(draw(st.sampled_from((1, 2, 3, 3, 4, 6)))))
    if kind == "data" and draw(_one_in(2)):
        return path + b"?" + draw(st.sampled_from(junk.RANGES))
    parameters = draw(
        st.lists(st.tuples(st.sampled_from(junk.PARAMETERS), st.sampled_from(junk.VALUES)), max_size=3)
        if kind in ("data", "users", "root", "feed") or draw(_one_in(4))
        else st.just([])
    )
    return path + b"?" * bool(parameters) + b"&".join(b"%s=%s" % pair for pair in parameters)


def _likely_verb(target: bytes) -> st.SearchStrategy[bytes]:
    """Return verbs that mostly make sense for a target."""
    path = target.partition(b"?")[0]
    if b"/query/" in path or path == b"/join":
        return st.just(b"POST")
    if path.endswith(b"/data"):
        return st.sampled_from((b"GET", b"GET", b"POST", b"PUT"))
    if b"/crud/" in path:
        return st.sampled_from((b"GET", b"GET", b"POST", b"PUT", b"PUT", b"DELETE"))
    return st.sampled_from((b"GET", b"GET", b"HEAD"))


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """Draw a request that something may follow."""
    key = draw(st.sampled_from((*junk.KEYS, "")))
    names = junk.NAMES if key == "key-admin" else junk.NAMES + junk.PROTECTED * 5
    headers = (
        [with_key(key)]
        if key
        else [b"Authorization: " + draw(st.sampled_from(junk.AUTHORIZATIONS))]
        if draw(_one_in(3))
        else []
    )
    if draw(_one_in(4)):
        headers.append(draw(st.sampled_from(junk.HEADERS)))
    target = draw(_target(names))
    verb = draw(st.sampled_from(_VERBS + (b"X",)) if draw(_one_in(6)) else _likely_verb(target))
    if verb == b"DELETE" and not draw(_one_in(4)):
        verb = b"POST"  # else little would be left to ask for
    body = b""
    if verb in (b"POST", b"PUT") or draw(_one_in(20)):
        if draw(_one_in(4)):
            body = draw(st.sampled_from(junk.BODIES))
        elif b"/query/" in target:
            body = draw(_query())
        else:
            body = draw(_points() if target.partition(b"?")[0].endswith(b"/data") else _object())
        if draw(_one_in(12)):
            body = body[: len(body) // 2]
    framing = draw(
        st.sampled_from((Framing.LENGTH,) * 8 + (Framing.CHUNKED, Framing.CHUNKED, Framing.TINY, Framing.EXPECT))
    )
    if framing is Framing.TINY and len(body) > 2000:
        framing = Framing.CHUNKED
    return Asked(verb, target, tuple(headers), body, framing)


@st.composite
def _last(draw: st.DrawFn) -> Asked:
    """Draw a request that ends its connection."""
    kind = draw(st.sampled_from(("head", "chunks", "short", "none", "cut")))
    if kind == "head":
        return Asked(body=draw(st.sampled_from(junk.BROKEN_HEADS)), framing=Framing.RAW)
    if kind == "chunks":
        head = (
            b"POST /api/v1/crud/fa/plain/object/data HTTP/1.1\r\nHost: x\r\n%s\r\nTransfer-Encoding: chunked\r\n\r\n"
            % with_key(junk.KEYS[0])
        )
        return Asked(body=head + draw(st.sampled_from(junk.BROKEN_CHUNKS)), framing=Framing.RAW)
    made = draw(asked())
    if kind == "cut":
        wire = made.wire()
        return Asked(body=wire[: draw(st.integers(1, max(1, len(wire) - 1)))], framing=Framing.RAW)
    return Asked(made.verb, made.target, made.headers, made.body, Framing.SHORT if kind == "short" else Framing.NONE)


_anything = asked()


@dataclass(frozen=True)
class Dialogue:
    """
    What is sent on one connection.

    Attributes:
        requests: One behind the other, without waiting for answers.
        pieces: In how many pieces.
        patient: Whether answers are waited for; else the client hangs up once all is sent.
    """

    requests: tuple[Asked, ...]
    pieces: int = 1
    patient: bool = True


def heavy(number: int) -> Dialogue:
    """Return one of the dialogues that take the server long, with something light behind it."""
    size, kind = 9 * 1024 * 1024, number % 8
    body = (
        lambda: b"[" + b'{"t":5,"d":1},' * (size // 14) + b'{"t":5,"d":1}]',
        lambda: b'[{"t":1,"d":"' + b"x" * size + b'"}]',
        lambda: b"[" * size,
        lambda: b'[{"t":1,"d":{' + b",".join(b'"%d":%d' % (n, n) for n in range(400_000)) + b"}}]",
        lambda: b"[" + b"1e999," * (size // 6) + b"1]",
        lambda: b" " * (size + (3 << 20)),
        lambda: b'[{"t":1,"d":' + b"9" * size + b"}]",
        lambda: b'[{"t":1,"d":"' + b"\\u0000" * (size // 6) + b'"}]',
    )[kind]()
    framing = (Framing.LENGTH, Framing.CHUNKED, Framing.EXPECT)[number % 3]
    target = b"/api/v1/crud/fa/plain/%s/data" % (b"object", b"number", b"text", b"brief")[number // 8 % 4]
    asked = Asked(b"PUT", target, (with_key("key-fa-plain"),), body, framing)
    return Dialogue((asked, Asked(b"GET", target + b"?i1=-3", (with_key("key-fa-plain"),))), pieces=1 + number % 5)


@st.composite
def dialogues(draw: st.DrawFn, longest: int = 30) -> Dialogue:
    """Draw what is sent on a connection: many requests of which each must be answered, or a single one of any kind."""
    if draw(_one_in(4)):
        requests = [draw(st.one_of(_anything, _last()))]
    else:
        number = draw(st.sampled_from((1, longest // 4, longest // 2, longest)))
        # what is no HTTP takes with it what came together with it, so it comes alone
        requests = [made for made in (draw(_anything) for _ in range(number)) if made.proper] or [Asked()]
    return Dialogue(tuple(requests), draw(st.sampled_from((1, 1, 1, 2, 7))), not draw(_one_in(15)))
