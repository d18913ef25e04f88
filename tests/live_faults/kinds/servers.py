"""What becomes of a server and its streams: killed, stopped, set back, deleted, made anew, made unreadable."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ClassVar

from ..check import Change
from ..stage import NOBODY, READER
from ..station import Flow, Station
from .kind import Kind

#: Seconds within which a subscriber is told that its stream is gone: here its pings go out every quarter of a second.
_TOLD = 5.0

#: Seconds after which a callback does not wait any more.
_FORGOTTEN = 20.0


class ServerKilled(Kind):
    """The server is killed (-9) at any moment and started again."""

    name = "server-killed"
    needs = frozenset({"kill"})

    def fault(self, station: Station, number: int) -> None:
        station.beside(0.02 * self.chance.random())
        self.stage.target.kill()
        station.beside(self.chance.choice((0.0, 0.05)))
        self.stage.target.back()
        station.beside(0.03)


class ServerStopped(Kind):
    """The server is stopped (SIGSTOP), and goes on later, for shorter or longer than the client waits."""

    name = "server-stopped"
    needs = frozenset({"freeze"})

    def fault(self, station: Station, number: int) -> None:
        station.beside(0.02 * self.chance.random())
        self.stage.target.freeze()
        station.beside(self.chance.choice((0.05, 0.2, 0.7)) * self.chance.random())
        self.stage.target.thaw()
        station.beside(0.02)


class _OfStreams(Kind):
    """The streams themselves change while nobody writes."""

    #: What may be told of it, and whether who watches goes on with later points only.
    reasons: ClassVar[frozenset[str]]
    resumes: ClassVar[bool] = False

    def change(self, station: Station, flows: list[Flow], what: Callable[[], object]) -> None:
        """Have *what* happen to streams; it is noted what they were before, and what they are after."""
        before = {flow.name: station.read(flow, 0) for flow in flows}
        # without what our server announces, one that was made anew and one that was set back look alike
        reasons = self.reasons if station.is_told_indices else self.reasons | {"recreated", "restored"}
        what()
        for flow in flows:
            kept = len(self.stage.stream(flow.path)) if self.resumes else 0
            flow.change = Change(reasons, before[flow.name], kept, self.resumes)


class Restored(_OfStreams):
    """
    The server is restored from a backup: its streams' last points are gone, and other ones come in their places.

    The client is there meanwhile, or comes back when there are more points than before; now and then one of its callbacks takes
    its time, so that points are kept for it that are none any more.
    """

    name = "restored"
    needs = frozenset({"kill", "copy"})
    reasons = frozenset({"restored"})
    resumes = True

    def fault(self, station: Station, number: int) -> None:
        proxy, target = self.stage.proxy, self.stage.target
        flows = [flow for flow in station.flows.values() if not flow.ephemeral]
        station.writers.pause()
        target.keep()
        go = threading.Event()
        busy = self.chance.choice(station.stored())
        if number % 5 == 1:
            busy.before = lambda *_: go.wait(_FORGOTTEN)
        station.writers.go_on()
        station.beside(0.05 * self.chance.random() + 0.02)
        station.writers.pause()
        far, before = number % 2 == 1, proxy.opened
        more = {flow.name: len(self.stage.stream(flow.path)) for flow in flows}
        if far:
            proxy.is_away = True
            proxy.cut_all()
        self.change(station, flows, target.set_back)
        if far:
            for flow in flows:
                missing = more[flow.name] - len(self.stage.stream(flow.path))
                station.writers.write(flow.path, max(1, missing + self.chance.choice((-1, 0, 1, 5))))
        proxy.is_away = False
        station.until(lambda: proxy.opened > before, 10.0, "a connection to the restored server")
        busy.before = None
        go.set()
        station.writers.go_on()
        station.beside(0.05)


class Recreated(_OfStreams):
    """A stream is deleted and made anew at once, while the client is there, or away until there is more in it than before."""

    name = "recreated"
    reasons = frozenset({"deleted", "recreated"})

    def fault(self, station: Station, number: int) -> None:
        proxy = self.stage.proxy
        flow = station.flows[("first", "second")[number % 2]]
        far = number % 4 > 1
        if number % 5 == 0:  # so that points are being fetched
            proxy.is_away = True
            proxy.cut_all()
            station.beside(0.03)
            proxy.is_away = False
            station.beside(0.02 * self.chance.random())
        station.writers.pause()
        length = len(self.stage.stream(flow.path))
        if far:
            proxy.is_away = True
            proxy.cut_all()
        stream = self.stage.stream(flow.path)

        def anew() -> None:
            self.stage.delete(flow.path)
            stream.create({})

        self.change(station, [flow], anew)
        if far:
            station.writers.write(flow.path, max(1, length + self.chance.choice((-5, 0, 1, 5))))
        proxy.is_away = False
        station.writers.go_on()
        station.beside(0.05)


class Deleted(_OfStreams):
    """A stream is deleted while the client is there or away, that is told, and when it is there again all goes on."""

    name = "deleted"
    reasons = frozenset({"deleted", "recreated"})

    def fault(self, station: Station, number: int) -> None:
        proxy = self.stage.proxy
        flow = station.flows[("first", "second")[number % 2]]
        station.writers.pause()
        if number % 4 > 1:
            proxy.tunnel().cut()
        stream = self.stage.stream(flow.path)
        self.change(station, [flow], lambda: self.stage.delete(flow.path))
        watching = [watch for watch in station.watches if watch.flow == flow.name]
        took = station.each(watching, lambda watch: bool(watch.gone), "it is told that its stream is deleted", _TOLD)
        self.longest("told within", took)
        stream.create({})
        station.writers.go_on()
        station.beside(0.02)


class Denied(Kind):
    """The right to read is taken from the client, that is told, and when it is given back all goes on, and nothing is missing."""

    name = "denied"

    def fault(self, station: Station, number: int) -> None:
        for flow in station.flows.values():
            flow.doubtful = ["denied", "deleted"]  # who may not read is told by the original that there is nothing
        self.stage.let_read(NOBODY)
        try:
            if number % 3 == 1:
                self.stage.proxy.tunnel().cut()
            took = station.each(
                station.watches, lambda watch: bool(watch.gone), "it is told that it may not read", _TOLD
            )
            self.longest("told within", took)
            station.beside(0.05 * self.chance.random())
        finally:
            self.stage.let_read(READER)


KINDS = [ServerKilled, ServerStopped, Restored, Recreated, Deleted, Denied]
