"""Doing things ahead."""

from __future__ import annotations

import gc
import json
import threading
import weakref
from collections.abc import Iterator
from unittest import mock

from connectordb.client.points.ahead import READ_AHEAD, make_ahead, read_ahead
from connectordb.client.session import Session
from connectordb.client.settings.credentials import Credentials
from connectordb.exceptions import NotFound
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from connectordb.runtime.clock import Deadline
from tests.support.case import Case
from tests.support.wire import Peer, Received, Step, answer, by_request, refuse, silence


def numbered(request: Received) -> Step:
    """Answer with the first index that is asked for; from 90 on there is nothing."""
    first = request.parameters["i1"]
    return (
        refuse(404, "The requested stream was not found.")
        if int(first) >= 90
        else answer([{"t": 1.0, "d": int(first)}])
    )


def page(first: int) -> rest.Request[bytes]:
    """Return the request for a point."""
    return rest.as_text(rest.points(Path.parse("mara/lamp/light"), {"i1": str(first), "i2": str(first + 1)}))


class ReadAhead(Case):
    """Answers, some of them in advance."""

    def setUp(self) -> None:
        """Have a server that answers, and a session with it."""
        super().setUp()
        self.peer = Peer(otherwise=by_request(numbered))
        self.addCleanup(self.peer.close)
        self.session = Session(self.peer.url, Credentials.of("key", None))
        self.addCleanup(self.session.close)

    def asked(self) -> list[int]:
        """Return what was asked for so far."""
        return [int(request.parameters["i1"]) for request in self.peer.requests if "i1" in request.parameters]

    def test_order(self) -> None:
        """Answers come in the order of the requests, each once."""
        for number in (0, 1, 2, 7):
            with self.subTest(number):
                found = [json.loads(text)[0]["d"] for text in read_ahead(self.session, map(page, range(number)))]
                self.assertEqual(found, list(range(number)))

    def test_in_advance(self) -> None:
        """While one is looked at the next ones are asked for, so many and no more; the first is asked for by who wants it."""
        answers = read_ahead(self.session, map(page, range(9)))
        self.assertEqual(self.asked(), [])
        for number in range(1, 4):
            next(answers)
            self.eventually(lambda: not threads())
            self.assertEqual(sorted(self.asked()), list(range(number + READ_AHEAD)))

    def test_large(self) -> None:
        """Behind an answer that takes much memory the next is asked for in its turn."""
        with mock.patch("connectordb.client.points.ahead.LARGE", 3):
            answers = read_ahead(self.session, map(page, range(4)))
            for number in range(1, 5):
                next(answers)
                self.assertEqual((threads(), self.asked()), ([], list(range(number))))
            self.assertEqual(list(answers), [])

    def test_alone(self) -> None:
        """For a single request there is no thread; nor where none can be had."""
        with mock.patch("connectordb.client.points.ahead.threading") as threading_:
            threading_.Thread.return_value.start.side_effect = RuntimeError("can't start new thread")
            self.assertEqual(len(list(read_ahead(self.session, [page(1)]))), 1)
            self.assertEqual(len(list(read_ahead(self.session, map(page, range(3))))), 3)

    def test_failure(self) -> None:
        """What fails is raised in its turn, and holds nothing that holds it."""
        answers = read_ahead(self.session, map(page, (1, 90, 2, 3)))
        next(answers)
        with self.assertRaises(NotFound) as raised:
            next(answers)
        gone = weakref.ref(raised.exception)
        gc.disable()
        self.addCleanup(gc.enable)
        del raised, answers
        self.assertIsNone(gone())

    def test_choices_go_along(self) -> None:
        """What the calling thread has chosen for its calls holds for those that are made ahead."""
        with self.session.within(Deadline(20.0)):
            list(read_ahead(self.session, map(page, range(3))))
        list(read_ahead(self.session, map(page, range(2))))
        said = [
            request.headers.get("connectordb-timeout") for request in self.peer.requests if "i1" in request.parameters
        ]
        self.assertEqual([text is not None for text in said], [True, True, True, False, False])

    def test_let_go(self) -> None:
        """Who lets go does not wait; the thread ends when the session is closed."""
        peer = Peer(answer([]), silence())
        self.addCleanup(peer.close)
        session = Session(peer.url, Credentials.of("key", None))
        self.addCleanup(session.close)
        answers = read_ahead(session, map(page, range(9)))
        next(answers)
        self.eventually(threads)
        answers.close()
        session.close()
        self.eventually(lambda: not threads())


def threads() -> list[str]:
    """Return the threads that read ahead now."""
    return [thread.name for thread in threading.enumerate() if thread.name == "connectordb-ahead"]


class MakeAhead(Case):
    """Things, one of them made in advance."""

    def setUp(self) -> None:
        """Have a session."""
        super().setUp()
        self.session = Session("http://localhost:9", Credentials.of("key", None))
        self.addCleanup(self.session.close)

    def test_order(self) -> None:
        """All come, in their order, whatever there are of them."""
        for number in (0, 1, 2, 9):
            with self.subTest(number):
                self.assertEqual(list(make_ahead(self.session, iter(range(1, number + 1)))), list(range(1, number + 1)))

    def test_failure(self) -> None:
        """What making one raises comes in its turn, and nothing is made after it."""
        made = []

        def items() -> Iterator[int]:
            for number in (1, 2):
                made.append(number)
                yield number
            raise ValueError("no third")

        ahead = make_ahead(self.session, items())
        self.assertEqual([next(ahead), next(ahead)], [1, 2])
        with self.assertRaisesRegex(ValueError, "no third"):
            next(ahead)
        self.assertEqual(made, [1, 2])

    def test_at_the_same_time(self) -> None:
        """The next is made by another thread while one is worked on."""
        meeting = threading.Barrier(2, timeout=10)

        def items() -> Iterator[int]:
            yield 1
            meeting.wait()
            yield 2

        for item in make_ahead(self.session, items()):
            if item == 1:
                meeting.wait()
