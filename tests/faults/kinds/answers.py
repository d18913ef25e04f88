"""Answers that are not the server's, or say something else than what it did."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from ...support.mishaps import answered, stored_and
from ...support.saboteur import any_request
from ..stage import Stage
from ..station import Station
from .kind import Kind

_JSON = {"Content-Type": "application/json"}
_HTML = {"Content-Type": "text/html"}


@dataclass(frozen=True)
class _Said:
    """
    An answer.

    Attributes:
        stored: Whether the server stored the points all the same: no, yes, or either.
        often: How many inserts in a row are answered so.
        everything: Whether any request may be answered so, and not only an insert.
        refuses: Whether it says that the points are to blame; the Logger then sets a lone one aside.
    """

    status: int
    body: str
    stored: tuple[bool, ...] = (False,)
    headers: dict[str, str] = field(default_factory=lambda: _JSON)
    often: int = 1
    everything: bool = False
    refuses: bool = False


def _error(status: int, message: str) -> str:
    return f'{{"code":{status},"msg":"{message}","ref":"f-1"}}'


_EITHER = (False, True)
_SCHEMA = "At least one datapoint did not conform to the stream's schema"
_SAID = [
    _Said(200, "<html>Welcome to our hotel</html>", _EITHER, _HTML, everything=True),
    _Said(200, "", _EITHER, {}, everything=True),
    _Said(204, "", _EITHER, {}),
    _Said(302, "", _EITHER, {"Location": "http://login.example/"}, everything=True),
    _Said(500, "", _EITHER, {}, everything=True),
    _Said(500, _error(500, "something broke"), _EITHER, often=2),
    _Said(500, _error(500, "something broke"), _EITHER, often=4),
    _Said(502, "<html>Bad Gateway</html>", _EITHER, _HTML, everything=True),
    _Said(503, _error(503, "ConnectorDB is currently inactive"), headers={**_JSON, "Retry-After": "3"}, everything=True),
    _Said(504, "<html>Gateway Timeout</html>", (True,), _HTML, often=3),
    _Said(401, _error(401, "Login Failed. Check your username or password"), everything=True),
    _Said(401, "<html>Proxy login</html>", _EITHER, _HTML),
    _Said(403, _error(403, "Write access to stream data denied.")),
    _Said(403, _error(403, "Insert Failed: Exceeded stream size limit")),
    _Said(403, _error(403, "nats: maximum payload exceeded"), (True,)),
    _Said(403, _error(403, "pq: sorry, too many clients already"), _EITHER),
    _Said(403, "<html>Forbidden</html>", _EITHER, _HTML),
    _Said(403, _error(403, _SCHEMA), refuses=True),
    _Said(403, _error(403, _SCHEMA), refuses=True, often=3),
    _Said(404, "<html>Not Found</html>", _EITHER, _HTML),
    _Said(400, _error(400, "read tcp 127.0.0.1:3124: i/o timeout")),
    _Said(400, _error(400, "unexpected end of JSON input"), refuses=True),
    _Said(413, _error(413, "Request Entity Too Large"), refuses=True),
    _Said(413, "<html>Request Entity Too Large</html>", headers=_HTML, refuses=True, often=3),
    _Said(429, "", headers={"Retry-After": "2"}, everything=True),
    _Said(429, "<html>Slow down</html>", headers={**_HTML, "Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, often=3),
]  # fmt: skip


class Answers(Kind):
    """Answers of portals, gateways and failing servers, with the points stored behind them or not."""

    name = "answers"

    def __init__(self, stage: Stage, count: int, chance: random.Random) -> None:
        super().__init__(stage, count, chance)
        self._ways = [(said, stored) for said in _SAID for stored in said.stored]
        self._refused = False

    def fault(self, station: Station, number: int) -> None:
        said, stored = self._ways[number % len(self._ways)]
        self._refused = said.refuses
        answer = answered(said.status, said.body.encode(), said.headers)
        fault = stored_and(answer) if stored else answer
        self.some(station)
        for _ in range(said.often):
            self.stage.proxy.next(fault)
        if said.everything and self.chance.random() < 0.5:
            self.stage.proxy.next(answer, any_request, skip=self.chance.randrange(4))
        station.sync()
        if self.chance.random() < 0.3:
            station.log(1)
            station.sync()

    def allowed(self, point: Any, reason: str) -> bool:
        return self._refused and reason.startswith("refused by the server")


KINDS = [Answers]
