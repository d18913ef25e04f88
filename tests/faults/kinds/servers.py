"""What becomes of a server: killed, stopped, set back to what it was."""

from __future__ import annotations

import threading
from typing import Any

from ...support.mishaps import afterwards, lost, meanwhile, stored_and
from ...support.saboteur import Exchange
from ..station import Station
from .kind import Kind


class ServerKilled(Kind):
    """
    The server is killed before it has the whole insert, while it stores it, when it has answered, and in the middle of its answer.

    It answers after the commit, so the first byte of an answer says that the points are stored.
    """

    name = "server-killed"
    needs = frozenset({"kill"})

    def fault(self, station: Station, number: int) -> None:
        share = self.share(number, 4)
        way = (self._before, self._within, self._after, self._answering)[number % 4]
        self.some(station)
        self.stage.proxy.next(lambda exchange: way(exchange, share))
        station.sync()

    def _before(self, exchange: Exchange, share: float) -> bool:
        upstream = exchange.send(min(len(exchange.request) - 1, int(share * len(exchange.request))))
        self.stage.target.kill()
        upstream.close()
        return False

    def _within(self, exchange: Exchange, share: float) -> bool:
        upstream = exchange.send(len(exchange.request))
        threading.Event().wait(0.004 * share)
        self.stage.target.kill()
        upstream.close()
        return False

    def _after(self, exchange: Exchange, share: float) -> bool:
        exchange.answer()
        self.stage.target.kill()
        return False

    def _answering(self, exchange: Exchange, share: float) -> bool:
        answer = exchange.answer()
        self.stage.target.kill()
        exchange.reply(answer[: int(share * len(answer))])
        return False


class ServerStopped(Kind):
    """The server is stopped (SIGSTOP) before it gets an insert, with it, or when it has answered, and goes on some time later."""

    name = "server-stopped"
    needs = frozenset({"freeze"})
    timeout = 0.06

    def fault(self, station: Station, number: int) -> None:
        way = number % 3
        freeze = self.stage.target.freeze
        self.some(station)
        self.stage.proxy.next((meanwhile(freeze), self._with_it, afterwards(freeze, lost))[way])
        thaw = threading.Timer(self.chance.random() * 0.25, self.stage.target.thaw)
        thaw.start()
        station.sync()
        thaw.join()

    def _with_it(self, exchange: Exchange) -> bool:
        with exchange.send(len(exchange.request)) as upstream:
            self.stage.target.freeze()
            exchange.hang_up()
            exchange.listen(upstream)
        return False


class StreamAnew(Kind):
    """The stream is deleted and made anew, at rest or while an insert is on its way; now and then another writer is there first."""

    name = "stream-anew"

    def fault(self, station: Station, number: int) -> None:
        flavour = self.chance.choice(list(station.books))
        station.log(self.chance.choice((1, 3)))
        if self.chance.random() < 0.7:
            station.sync()
            station.log(self.chance.choice((1, 2, 5)), [flavour])

        def anew() -> None:
            station.make_anew(flavour)

        way = number % 5
        # what a server confirmed that does not announce to be durable goes again, but not before what is sent just then
        self._between = way in (1, 2, 4) and not self.stage.proxy.announces
        if way == 0:
            anew()
        else:
            event = (meanwhile(anew), afterwards(anew), afterwards(anew, lost), meanwhile(anew, lost))[way - 1]
            name = station.books[flavour].name
            self.stage.proxy.next(event, lambda line: line.startswith("POST") and f"/{name}/data" in line)
        station.sync()

    def allowed(self, point: Any, reason: str) -> bool:
        return self._between and reason.startswith("older than")


class ServerRestored(Kind):
    """The server is set back to a copy of its files from a while ago, at rest or while an insert is on its way."""

    name = "server-restored"
    needs = frozenset({"kill", "copy"})
    fresh = 10

    def begin(self, station: Station) -> None:
        station.log(2)
        station.sync()
        self.stage.target.keep()

    def fault(self, station: Station, number: int) -> None:
        station.log(self.chance.choice((1, 3)))
        if self.chance.random() < 0.5:
            station.sync()
            self.some(station)

        def back() -> None:
            for book in station.books.values():
                station.read(book)
            self.stage.target.set_back()
            for book in station.books.values():
                station.read_anew(book)

        way = number % 4
        self._between = way in (1, 2) and not self.stage.proxy.announces
        if way == 0:
            back()
        else:
            self.stage.proxy.next((meanwhile(back), afterwards(back), stored_and(meanwhile(back, lost)))[way - 1])
        station.sync()

    def allowed(self, point: Any, reason: str) -> bool:
        return self._between and reason.startswith("older than")


class LastSecond(Kind):
    """The server answers, does not announce that this is durable, and loses its last second: all it has stored since a moment ago."""

    name = "last-second"
    needs = frozenset({"kill", "copy"})
    announced = False

    def fault(self, station: Station, number: int) -> None:
        self.some(station)
        station.sync()
        self.stage.target.keep()
        for _ in range(self.chance.choice((1, 1, 2))):
            self.some(station)
            station.sync()
        # between the look at what was confirmed before and the insert that it was to come behind
        self._between = number % 5 == 4
        if self._between:
            self.some(station)
            self.stage.proxy.next(meanwhile(lambda: self._lose(station)))
            station.sync()
        else:
            if self.chance.random() < 0.3:
                self.some(station)
            self._lose(station)
        if self.chance.random() < 0.3:
            station.kill()

    def _lose(self, station: Station) -> None:
        for book in station.books.values():
            station.read(book)
        self.stage.target.set_back()
        for book in station.books.values():
            station.read_anew(book)
            book.gone.clear()  # these have to come again

    def allowed(self, point: Any, reason: str) -> bool:
        return self._between and reason.startswith("older than")


KINDS = [ServerKilled, ServerStopped, StreamAnew, ServerRestored, LastSecond]
