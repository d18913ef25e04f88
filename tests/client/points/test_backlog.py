"""What comes while nobody wants it."""

from __future__ import annotations

import os
import sys
import threading
import unittest
import warnings
from collections.abc import Generator
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.client.points import backlog
from connectordb.client.points.backlog import Backlog
from connectordb.client.session import Session
from connectordb.client.settings.credentials import Credentials
from connectordb.exceptions import ConnectionFailed
from tests.support.case import MS, Case
from tests.support.interrupts import interrupted_start
from tests.support.wire import Peer


class Waiting(Case):
    """A session whose threads take what comes."""

    def setUp(self) -> None:
        super().setUp()
        peer = Peer()
        self.addCleanup(peer.close)
        self.session = Session(peer.url, Credentials.of("key", None))
        self.addCleanup(self.session.close)
        self.came: list[bytes] = []
        self.ended = threading.Event()

    def coming(self, pieces: list[bytes], error: BaseException | None = None) -> Generator[bytes, None, None]:
        """Yield pieces, and note what was taken, and that it ended."""
        try:
            for piece in pieces:
                self.came.append(piece)
                yield piece
            if error is not None:
                raise error
        finally:
            self.ended.set()

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.binary(min_size=1, max_size=20)), st.integers(0, 50))
    def test_order(self, pieces: list[bytes], most: int) -> None:
        """Pieces come as they were, whatever fits."""
        self.assertEqual(list(Backlog(self.session, self.coming(pieces), most)), pieces)

    def test_at_once(self) -> None:
        """What comes is taken before anybody wants it, up to the bound and one piece more; and then as room is made."""
        taken = iter(Backlog(self.session, self.coming([b"12345"] * 9), 12))
        self.eventually(lambda: len(self.came) == 3)
        for number in range(1, 4):
            next(taken)
            self.eventually(lambda number=number: len(self.came) == 3 + number)  # type: ignore[misc]
        self.assertEqual(len(list(taken)), 6)

    def test_error(self) -> None:
        """What went wrong is raised in its turn."""
        coming = iter(Backlog(self.session, self.coming([b"1", b"2"], ConnectionFailed("away"))))
        self.assertEqual([next(coming), next(coming)], [b"1", b"2"])
        with self.assertRaisesRegex(ConnectionFailed, "away"):
            next(coming)

    def test_alone(self) -> None:
        """Where no thread can be had, they come when they are wanted."""
        with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")):
            coming = iter(Backlog(self.session, self.coming([b"1", b"2"])))
        self.assertEqual((next(coming), self.came), (b"1", [b"1"]))
        self.assertEqual(list(coming), [b"2"])

    def test_let_go(self) -> None:
        """Who has enough has what is taken end, also while it waits for room."""
        coming = Backlog(self.session, self.coming([b"12345"] * 9), 12)
        next(iter(coming))
        self.eventually(lambda: len(self.came) == 4)
        coming.close()
        self.wait(self.ended)
        self.assertEqual(len(self.came), 4)

    @unittest.skipUnless(hasattr(os, "fork"), "no forks here")
    def test_interrupted(self) -> None:
        """Ctrl-C while the thread begins leaves none that would wait for room for ever."""
        for begins in (False, True):
            with self.subTest(begins=begins), interrupted_start(begins), self.assertRaises(KeyboardInterrupt):
                Backlog(self.session, self.coming([b"12345"] * 9), 12)
            self.eventually(self.ended.is_set if begins else lambda: not self.came)

    def test_forked(self) -> None:
        """A process that was forked off meanwhile has no thread that takes anything, and is told."""
        going_on = threading.Event()

        def coming() -> Generator[bytes, None, None]:
            yield b"1"
            going_on.wait(5)
            yield b"2"

        taken = iter(Backlog(self.session, coming()))
        next(taken)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that there are threads, which is what this is about
            child = os.fork()
        if not child:
            status = 1
            try:
                backlog.AT_A_TIME = 50 * MS
                next(taken)
            except ConnectionFailed as error:
                status = 0 if "forked off" in str(error) else 2
            finally:
                sys.stderr.flush()
                os._exit(status)
        going_on.set()
        self.assertEqual(list(taken), [b"2"])
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
