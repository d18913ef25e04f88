"""All streams of a device are watched as one, while some appear and others go."""

from __future__ import annotations

from unittest import mock

from connectordb.live import device_streams

from ..station import Flow, Station, Wrong
from ..wide import Wide
from .kind import Kind

#: Seconds between looks at which streams there are, where nothing tells of them; users have 30.
_PERIOD = 0.3

#: Streams besides the usual ones, at the most.
_MOST = 3

#: Seconds within which a stream that is deleted is not counted any more.
_TOLD = 5.0


class Wildcard(Kind):
    """
    ``user/device/*`` is watched: streams appear, are written to at once or later, and are deleted, while connections are lost and
    requests fail. Of those that appear, nothing from the first point on is missing.
    """

    name = "wildcard"

    def begin(self, station: Station) -> None:
        station.during(mock.patch.object(device_streams, "PERIOD", _PERIOD))
        station.writers.pause()
        flows = station.flows.values()
        self._wide = Wide(station.client, self.stage.device, [(flow.name, flow.path) for flow in flows])
        for flow in flows:
            share = self._wide.shares[flow.path]
            if flow.ephemeral:  # what came before is none of its business
                share.short = station.writers.confirmed[flow.path]
            else:
                length = len(self.stage.stream(flow.path))
                share.first = (length, length)
            station.watches.append(share)
        station.writers.go_on()

    def fault(self, station: Station, number: int) -> None:
        appeared = [flow for flow in station.flows.values() if flow.name.startswith("new")]
        if len(appeared) == _MOST or (appeared and self.chance.random() < 0.3):
            self._vanish(station, self.chance.choice(appeared), number)
        else:
            self._appear(station, number)
        station.beside(0.03 * self.chance.random())

    def _appear(self, station: Station, number: int) -> None:
        proxy = self.stage.proxy
        name = f"new{number}"
        flow = Flow(name, f"{self.stage.device}/{name}x{self.stage.next_number()}")
        share = self._wide.expect(name, flow.path)
        share.first = (0, 0)
        if number % 4 == 1:
            proxy.tunnel().cut()
        elif number % 4 == 2:
            proxy.is_away = True
            proxy.cut_all()
        self.stage.stream(flow.path).create({})
        station.writers.add(flow.path)
        if self.chance.random() < 0.7:
            station.writers.write(flow.path, self.chance.choice((1, 30)))
        if number % 4 == 3:
            station.beside(0.02 * self.chance.random())
            proxy.tunnel().cut()
        station.beside(0.03)
        proxy.is_away = False
        station.flows[name] = flow
        station.watches.append(share)

    def _vanish(self, station: Station, flow: Flow, number: int) -> None:
        """Delete a stream of which all has come so far."""
        share = self._wide.shares[flow.path]
        station.writers.pause()
        station.writers.leave(flow.path)
        if number % 3 == 1:
            self.stage.proxy.tunnel().cut()
        self.stage.delete(flow.path)
        took = station.until(lambda: not share.is_there(), _TOLD, f"the word that {flow.path} is deleted")
        self.longest("not counted any more within", took)
        del station.flows[flow.name]
        station.watches.remove(share)
        station.writers.go_on()

    def check(self, station: Station) -> None:
        if strange := self._wide.strange():
            raise Wrong(f"points of streams that nobody watches: {strange}")


KINDS = [Wildcard]
