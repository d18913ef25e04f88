"""What a network does: connections cut at any byte, and what comes late."""

from __future__ import annotations

import threading

from ...support.fault_proxy import is_insert
from ...support.mishaps import (
    ANY,
    answer_cut,
    answer_held,
    request_cut,
    request_held,
    request_overtaken,
    silence,
)
from ...support.saboteur import any_request
from ..station import COUNTED, TIMED, Station
from .kind import Kind


class Cut(Kind):
    """The connection is cut after every n-th byte: of an insert and its answer, and of any other request and its answer."""

    name = "cut"

    def fault(self, station: Station, number: int) -> None:
        share = self.share(number, 4)
        cut = (request_cut, answer_cut)[number % 2](share)
        self.some(station)
        if number % 4 < 2:
            self.stage.proxy.next(cut)
        else:
            self.stage.proxy.next(cut, any_request, skip=self.chance.randrange(5))
        station.sync()


class Late(Kind):
    """
    Answers come after the Logger has given up, requests come late: in the ten seconds in which that is waited for, or later.

    The one window that is left against a server without request ids is left out: a lone point whose first copy comes between
    the reading that settles it and the copy that is sent next.
    """

    name = "late"
    timeout = 0.1

    def fault(self, station: Station, number: int) -> None:
        way = number % 6
        late = (answer_held, silence, request_held, request_held, request_overtaken(False), request_overtaken(True))[
            way
        ]
        alone = way == 3 or (way != 5 and self.chance.random() < 0.5)
        flavours = self.chance.choice(((COUNTED,), (TIMED,)))
        station.log(1 if alone else self.chance.choice((2, 3, 7)), flavours)
        self.stage.proxy.next(late)
        station.sync()


class Background(Kind):
    """A Logger syncs in the background, logs meanwhile, is stopped and started, or killed, and requests fail in all those ways."""

    name = "background"
    timeout = 0.3

    def fault(self, station: Station, number: int) -> None:
        process = station.process()
        process.ask("sync_beside", period=self.chance.choice((0.001, 0.01, 5.0)))
        pause = threading.Event()
        for _ in range(self.chance.randrange(1, 6)):
            if self.chance.random() < 0.7:
                which = any_request if self.chance.random() < 0.3 else is_insert
                self.stage.proxy.next(self.chance.choice(ANY), which)
            self.some(station)
            pause.wait(self.chance.random() * 0.03)
            if self.chance.random() < 0.2:
                process.ask("sync_no_more")
                process.ask("sync_beside", period=0.01)
        if self.chance.random() < 0.3:
            station.kill()


KINDS = [Cut, Late, Background]
