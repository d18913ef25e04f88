"""Tests of `connectordb.live.watching.looking`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from connectordb.exceptions import ConnectionFailed, ConnectorDBError, NotFound
from connectordb.live.following import Seen
from connectordb.live.watching.looking import Looking
from connectordb.live.watching.subscriptions import Key
from connectordb.runtime.clock import Deadline
from tests.support.case import SOON, Case

KEY = ("u/d/a", "")


class LookingTests(Case):
    """What is told of streams that are looked at; this test is the one who asks."""

    def setUp(self) -> None:
        super().setUp()
        self.epoch = 1
        self.told: list[Any] = []
        self.answers: list[Any] = []
        self.looked: list[Key] = []
        self.looking = Looking(self.look, self)
        self.addCleanup(lambda: self.looking.close(Deadline(SOON)))

    def look(self, key: Key) -> Seen:
        """Answer, or raise, what is next."""
        self.looked.append(key)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        found: Seen = answer
        return found

    def wanting(self, key: Key, epoch: int) -> Sequence[str]:
        """Whoever it is, in this epoch."""
        return ["somebody"] if epoch == self.epoch else []

    def was_seen(self, key: Key, epoch: int, seen: Seen, wanting: Sequence[str]) -> None:
        """Note it."""
        self.assertEqual(wanting, ["somebody"])
        self.told.append((key, epoch, seen))

    def could_not_be_seen(self, key: Key, epoch: int, error: ConnectorDBError) -> None:
        """Note it."""
        self.told.append((key, epoch, type(error)))

    def test_told(self) -> None:
        """What is seen, what is refused, and what nobody thought of, which is logged with its traceback."""
        with self.assertLogs("connectordb.live.watching.looking", "ERROR"):
            for answer, told in (
                (Seen(5), Seen(5)),
                (NotFound("no", status=403), NotFound),
                (ZeroDivisionError("unthought of"), ConnectionFailed),
            ):
                self.told = []
                self.answers = [answer]
                self.looking.look(KEY, 1)
                self.eventually(lambda: self.told)
                self.assertEqual(self.told, [(KEY, 1, told)])

    def test_out_of_date(self) -> None:
        """A look that was asked for before the connection was lost is not taken any more: the next one has its own."""
        self.answers = [Seen(1)]
        self.looking.look(("u/d/old", ""), 0)
        self.looking.look(KEY, 1)
        self.eventually(lambda: self.told)
        self.assertEqual(self.looked, [KEY])

    def test_close(self) -> None:
        """Who closes waits no longer than he wants to for an answer that does not come, and says so."""
        begun, go_on = threading.Event(), threading.Event()

        def slow(key: Key) -> Seen:
            begun.set()
            self.assertTrue(go_on.wait(SOON))
            return Seen(1)

        looking = Looking(slow, self)
        looking.look(KEY, 1)
        self.wait(begun)
        with self.assertLogs("connectordb.live.watching.looking", "WARNING"):
            looking.close(Deadline(0.01))
        go_on.set()
        looking.close(Deadline(SOON))
