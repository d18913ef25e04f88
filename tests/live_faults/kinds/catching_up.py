"""What goes wrong while points are fetched that were not told."""

from __future__ import annotations

from ...support.mishaps import answer_cut, answered, lost, silence
from ...support.saboteur import Fault
from ..proxy import is_websocket
from ..station import Station
from .kind import Kind

_FAILS: list[Fault] = [
    lost,
    answered(500, b"<html>Internal Server Error</html>"),
    answered(502, b"<html>Bad Gateway</html>"),
    answered(503, b'{"code":503,"msg":"stopping","ref":"f-1"}', {"Retry-After": "0"}),
    answered(200, b"<html>Welcome to our hotel</html>"),
    answered(200, b""),
    answered(200, b'[{"t":1,"d":1},{"t":'),
    answered(429, b"", {"Retry-After": "0"}),
    answered(401, b'{"code":401,"msg":"Login Failed. Check your username or password","ref":"f-1"}'),
    answered(403, b"<html>Forbidden</html>", {"Content-Type": "text/html"}),
    answered(404, b"<html>Not Found</html>", {"Content-Type": "text/html"}),
    answer_cut(0.0),
    answer_cut(0.5),
    answer_cut(0.9),
    silence,
]

#: What is written while nothing is read: more than the system's buffers take, and then some.
_MANY, _LARGE = 16, 500_000


class RestFails(Kind):
    """The websocket is lost and comes back at once; requests over REST fail, some of them or many, before they do not."""

    name = "rest-fails"

    def fault(self, station: Station, number: int) -> None:
        proxy = self.stage.proxy
        for turn in range(self.chance.choice((1, 2, 6))):
            way = _FAILS[(number + turn) % len(_FAILS)]
            proxy.next(way, lambda line: line.startswith("GET") and not is_websocket(line))
        proxy.tunnel().cut()
        for flow in list(station.flows.values())[:2]:
            station.writers.write(flow.path, self.chance.choice((1, 30)))
        station.beside(0.05)


class Gap(Kind):
    """What is said is not read for so long that the server leaves points out, and says so, or cuts the client off."""

    name = "gap"

    def fault(self, station: Station, number: int) -> None:
        tunnel = self.stage.proxy.tunnel()
        tunnel.down.hold(True)
        flow = station.flows[self.chance.choice(("first", "second"))]
        for _ in range(_MANY):
            station.writers.write(flow.path, 1, length=_LARGE)
        if number % 2:  # nothing follows
            station.writers.pause()
        tunnel.down.hold(False)
        station.beside(0.02)


KINDS = [RestFails, Gap]
