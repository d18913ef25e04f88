"""What callbacks and the program around them do."""

from __future__ import annotations

import threading
from unittest import mock

from connectordb.live.following import cursor

from ...support.mishaps import ANY, answer_held, silence
from ...support.saboteur import any_request
from ..station import TIMEOUT, Station, Wrong
from ..watch import Raised, Watch
from .kind import Kind

#: Points that are kept for a callback; beyond it they are dropped, and read when it has time.
_KEPT = 20

#: Seconds within which `close` has to return, whatever hangs: those that it waits for an answer, and some.
_CLOSED = sum(TIMEOUT) + 1.0

#: Seconds after which a callback does not wait any more.
_FORGOTTEN = 20.0


class Slow(Kind):
    """
    More comes than is kept for a callback, while that takes its time, or while something is fetched for it; now and then the
    connection is lost as well.
    """

    name = "slow"

    def begin(self, station: Station) -> None:
        station.during(mock.patch.object(cursor, "KEPT_POINTS", _KEPT))

    def fault(self, station: Station, number: int) -> None:
        watch = self.chance.choice(station.stored())
        go = threading.Event()
        if number % 2:
            watch.before = lambda *_: go.wait(_FORGOTTEN)
        else:
            self.stage.proxy.next(answer_held, lambda line: f"{watch.path}/data?" in line)
            self.stage.proxy.tunnel().cut()
        for _ in range(4):
            station.writers.write(watch.path, self.chance.choice((1, _KEPT // 2, 3 * _KEPT)))
            station.beside(0.02 * self.chance.random())
        if number % 6 == 1:
            self.stage.proxy.tunnel().cut()
            station.writers.write(watch.path, 2)
        station.beside(0.03 * self.chance.random())
        watch.before = None
        go.set()
        self.stage.proxy.release()


class Raising(Kind):
    """Callbacks raise, before they look at what they got and after: that is told, each time, and all goes on."""

    name = "raising"
    undisturbed = True

    def fault(self, station: Station, number: int) -> None:
        raised = dict.fromkeys(map(id, station.watches), 0)

        def perhaps(watch: Watch, points: int) -> None:
            if self.chance.random() < 0.5:
                raised[id(watch)] += 1
                raise Raised(f"the {raised[id(watch)]}th time")

        for watch in station.watches:
            watch.errors.clear()
            watch.after = perhaps
        station.beside(0.06)
        station.writers.pause()
        for watch in station.watches:
            watch.after = None
        for watch in station.watches:
            if not watch.wait_until(lambda watch=watch: len(watch.errors) >= raised[id(watch)], 5.0) or any(  # type: ignore[misc]
                not isinstance(error, Raised) for error in watch.errors
            ):
                raise Wrong(f"{watch.name}: it raised {raised[id(watch)]} times, and was told {watch.errors}")


class Again(Kind):
    """A callback ends its subscription and subscribes again from where it is, once or at each call; connections are lost meanwhile."""

    name = "again"

    def fault(self, station: Station, number: int) -> None:
        watch = self.chance.choice(station.stored())
        left = [self.chance.choice((1, 1, 3))]

        def again(of: Watch, points: int) -> None:
            if left[0] > 0:
                left[0] -= 1
                of.close()
                last = of.told[-1].index
                assert last is not None
                of.begin(last + 1, wait=False)

        watch.after = again
        station.beside(0.02)
        if number % 2:
            self.stage.proxy.tunnel().cut()
        station.until(lambda: left[0] <= 0, 5.0, "a callback that subscribes again")
        watch.after = None


class Ended(Kind):
    """A subscription is ended at any moment: from then on nothing comes. It is begun again behind the last point, or elsewhere."""

    name = "ended"

    def fault(self, station: Station, number: int) -> None:
        watch = self.chance.choice(station.stored())
        station.beside(0.02 * self.chance.random())
        if number % 3 == 0:
            self.stage.proxy.tunnel().cut()
        watch.close()
        last, calls = watch.last, watch.calls
        station.beside(0.02)
        if watch.calls != calls:
            raise Wrong(f"{watch.name}: its callback was called after close() had returned")
        if last is not None and last.index is not None:
            watch.begin(last.index + 1, wait=number % 2 == 0 and number % 3 != 0)
        else:
            station.replace(watch)


class Begun(Kind):
    """Subscriptions are begun at any moment, from an index, a time, the last few on, while connections are lost and requests fail."""

    name = "begun"

    def fault(self, station: Station, number: int) -> None:
        for watch in station.watches[4:]:
            watch.close()
        del station.watches[4:]
        if number % 2:
            self.stage.proxy.tunnel().cut()
            self.stage.proxy.next(self.chance.choice(ANY), any_request, skip=self.chance.randrange(3))
        flow = station.flows[self.chance.choice(("first", "second"))]
        station.watch(flow.name, self.chance.choice((0, flow.length // 2, flow.length)), wait=False)
        if flow.length:
            station.watch(flow.name, station.read(flow, self.chance.randrange(flow.length))[0].t, wait=False)
        station.watch(flow.name, 0, wait=False, transform="if true", at="client")
        station.beside(0.03)
        self.stage.calm()
        station.watch(flow.name, -self.chance.choice((1, 10)))


class Closed(Kind):
    """The whole client is closed at any moment, while connections and requests hang or fail: soon it is over, and nothing is left."""

    name = "closed"
    fresh = 1

    def fault(self, station: Station, number: int) -> None:
        proxy = self.stage.proxy
        tunnel = proxy.tunnel()
        station.beside(0.03 * self.chance.random())
        way = number % 6
        if way == 1:
            tunnel.cut()
        elif way == 2:
            tunnel.down.hold(True)
            tunnel.up.hold(True)
        elif way == 3:
            proxy.next(silence, any_request)
            tunnel.cut()
        elif way == 4:
            proxy.next(silence, any_request, skip=1)
            tunnel.cut()
        elif way == 5:
            proxy.is_away = True
            tunnel.cut()
        station.beside(0.02 * self.chance.random())
        took = station.end()
        self.longest("closed within", took)
        if took > _CLOSED:
            raise Wrong(f"close() took {took:.1f} s")


KINDS = [Slow, Raising, Again, Ended, Begun, Closed]
