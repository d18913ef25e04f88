"""Atom feeds of streams (https://www.rfc-editor.org/rfc/rfc4287): the newest points, for feed readers."""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone
from urllib.parse import quote
from xml.sax.saxutils import escape

from ...exceptions import PipeScriptError
from ...protocol.constants import API_ROOT
from ...protocol.points import Datapoint
from ..storage import Reader
from .data import readable
from .effort import TooMuch
from .request import NO_ACCESS, Fetch, Kind, Pages, Refusal, Reply, Request, at_once, for_browsers, missing
from .scripts import Scripts
from .sources import Source, taken, text_of
from .stretches import PAGE

#: The most points in a feed.
_NEWEST = 500

_SUFFIX = ".atom"

#: What XML 1.0 cannot carry, not even as a reference.
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_END = b"</feed>\n"


def feed(reader: Reader, request: Request) -> Reply:
    """``GET feed/<path>`` or ``feed/<path>.atom``: a stream's newest points, oldest first."""
    user, device, stream = request.names
    names = (user, device, stream.removesuffix(_SUFFIX))
    # as when the stream itself is read, one that does not exist looks the same as one that is hidden
    if missing(reader.find(names), 3) == "stream":
        raise Refusal(403, NO_ACCESS)
    series = readable(reader, request.at(names))
    scripts = Scripts(request.queries, 500)
    transform = scripts.add(request.query.get("transform", ""))
    length = reader.length(series)
    source = Source(series, max(0, length - _NEWEST), length, transform)
    pages = _Entries(source, scripts, names, f"{request.site}{API_ROOT}", request.downlink)
    pages.computed = transform is not None
    begin = pages.head(request.now)
    if pages.computed:
        return Reply(begin, Kind.XML, rest=pages, cacheable=True, points=source.length)
    begin += pages.next(at_once(reader)) or b""
    return Reply(begin, Kind.XML, rest=pages if pages.more else None, cacheable=True, points=source.length)


class _Entries(Pages):
    """The entries of a feed, page by page, as 500 points can be large."""

    def __init__(self, source: Source, scripts: Scripts, names: tuple[str, ...], root: str, downlink: bool) -> None:
        self._source = source
        self._points = iter(source)
        self._scripts = scripts
        self._effort = scripts.effort
        self._names = names
        self._root = root
        self._path = "/".join(map(quote, names))
        self._downlink = "&downlink=true" if downlink else ""
        self.more = True

    def head(self, now: float) -> bytes:
        """Return what comes before the entries."""
        url = _text(f"{self._root}/feed/{self._path}{_SUFFIX}{self._downlink.replace('&', '?')}")
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
            f"<title>{_text('/'.join(self._names))}</title><id>{url}</id>"
            f'<link rel="self" href="{url}"/><updated>{_time(now)}</updated>'
            f"<author><name>{_text(self._names[0])}</name></author>\n"
        ).encode()

    def next(self, fetch: Fetch) -> bytes | None:
        """Return the next entries."""
        if not self.more:
            return None
        self._source.attach(fetch, PAGE, self._effort)
        try:
            with self._effort.spent():
                self._scripts.compile()
                entries, ended = taken(self._points, self._entry, self._effort, _NEWEST + 1)
        except PipeScriptError as error:
            raise Refusal(500, error.reason) from error
        except TooMuch as error:
            raise Refusal(500, str(error)) from error
        self.more = not ended
        return b"".join(entries) + (_END if ended else b"")

    def drop(self) -> None:
        """Stop what is being computed."""
        self._effort.stop()

    def _entry(self, point: Datapoint) -> bytes:
        index = self._source.index
        url = _text(f"{self._root}/crud/{self._path}/data?i1={index}&i2={index + 1}{self._downlink}")
        author = point.get("o") or "/".join(self._names[:2])
        # "<" and "&" in the value are escaped as JSON does it, so nothing in it has a meaning in XML
        value = for_browsers(_value(point)).decode()
        return (
            f'<entry><title>Datapoint {index + 1}</title><id>{url}</id><link href="{url}"/>'
            f"<updated>{_time(point['t'])}</updated><author><name>{_text(author)}</name></author>"
            f"<content>{_text(value)}</content></entry>\n"
        ).encode()


def _value(point: Datapoint) -> bytes:
    """Return a point's value as JSON."""
    # without a time, the text of a point has nothing but its value
    return text_of({"t": 0.0, "d": point.get("d")})[len(b'{"d":') : -1] or b"null"


def _text(text: str) -> str:
    """Return a text escaped for XML, between tags or in quotes."""
    return escape(_UNSPEAKABLE.sub("\ufffd", text), {'"': "&quot;", "\r": "&#13;"})


def _time(t: float) -> str:
    """Return a time in the form of Atom, in the server's time zone; one beyond the calendar becomes its first or last second."""
    try:
        return datetime.fromtimestamp(math.floor(t), timezone.utc).astimezone().isoformat()
    except (OverflowError, ValueError, OSError):
        return "0001-01-01T00:00:00+00:00" if t < 0 else "9999-12-31T23:59:59+00:00"
