"""The body of an answer that breaks off, and is gone on with."""

from __future__ import annotations

import gzip
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.client.calls.pieces import Pieces
from connectordb.client.session import Session
from connectordb.client.settings.credentials import Credentials
from connectordb.client.terms import Retry
from connectordb.client.terms.statistics import Stats
from connectordb.exceptions import ClosedError, ConnectionFailed, InvalidRequest
from connectordb.protocol import rest
from tests.support.case import Case
from tests.support.wire import Peer, Step, answer, chunked, refuse

REQUEST = rest.query_points("merge", [])
TEXT = b"[%b]" % b",".join(b'{"t":%d,"d":%d}' % (number, number) for number in range(40))


class PiecesCase(Case):
    """A scripted server, and a session with it whose attempts follow at once upon each other."""

    def setUp(self) -> None:
        super().setUp()
        self.peer = Peer()
        self.addCleanup(self.peer.close)
        self.session = self.login()

    def login(self) -> Session:
        """Return a session."""
        session = Session(self.peer.url, Credentials.of("key", None), retry=Retry(first_backoff=0.0, budget=None))
        self.addCleanup(session.close)
        self.peer.steps[:] = [answer("mara/user")]
        session.login()
        return session

    def pieces(self, *steps: Step) -> tuple[Pieces, Stats]:
        """Return the pieces of an answer for which the server does this, and what they cost."""
        self.peer.steps[:] = steps
        cost = Stats()
        return self.session.pieces(REQUEST, cost), cost


class Going(PiecesCase):
    """On where it was."""

    def test_whole(self) -> None:
        """A body comes as it was sent, with how it is packed, and is asked for when it is wanted."""
        packed = gzip.compress(TEXT)
        for body, named in ((TEXT, {}), (packed, {"Content_Encoding": "gzip"})):
            before = len(self.peer.requests)
            pieces, cost = self.pieces(chunked(body[:50], body[50:], **named))
            self.assertEqual(len(self.peer.requests), before)
            self.assertEqual(b"".join(pieces), body)
            self.assertEqual((pieces.encoding, pieces.address), (named.get("Content_Encoding", ""), self.peer.url))
            self.assertGreaterEqual(cost.bytes_in, len(body))
            self.assertEqual((cost.requests, cost.answers), (1, 1))
        self.assertEqual(self.peer.requests[-1].headers["accept-encoding"], "gzip")

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.integers(1, len(TEXT)), max_size=2), st.integers(1, 60))
    def test_broken_off(self, breaks: list[int], size: int) -> None:
        """Wherever it breaks off, and however it is cut into pieces, all of it comes once."""

        def cut(length: int) -> list[bytes]:
            return [TEXT[at : min(at + size, length)] for at in range(0, length, size)]

        pieces, cost = self.pieces(*[chunked(*cut(length), ended=False) for length in breaks], chunked(*cut(len(TEXT))))
        self.assertEqual(b"".join(pieces), TEXT)
        self.assertEqual(cost.requests, 1 + len(breaks))

    def test_another(self) -> None:
        """Where the server answers something else then, what went wrong is told, and nothing of that is handed on."""
        for other in (TEXT[:20] + b"9" + TEXT[21:], TEXT[:20]):
            pieces, _ = self.pieces(chunked(TEXT[:30], ended=False), chunked(other))
            came = []
            with self.assertRaisesRegex(
                ConnectionFailed,
                "the connection broke: .*; asked again, the server gives another answer now: start again",
            ):
                for piece in pieces:
                    came.append(piece)
            self.assertEqual(b"".join(came), TEXT[:30])

    def test_no_more_attempts(self) -> None:
        """It is asked for as often as a call is sent; a refusal is told as ever."""
        pieces, cost = self.pieces(*[chunked(TEXT[: 10 * n], ended=False) for n in range(1, 5)])
        with self.assertRaisesRegex(
            ConnectionFailed,
            r"the connection broke: Response ended .* \(3 attempts\); a server that has .* ask for less at once",
        ):
            list(pieces)
        self.assertEqual(cost.requests, 3)
        pieces, _ = self.pieces(chunked(TEXT[:10], ended=False), refuse(403, "no script"))
        with self.assertRaisesRegex(InvalidRequest, "no script"):
            list(pieces)


class Letting(PiecesCase):
    """Go before the end."""

    def test_connection(self) -> None:
        """One whose answer was read to its end is used again, any other is closed."""
        for taken, connections in ((2, 1), (1, 2)):
            before = self.peer.connections
            pieces, _ = self.pieces(chunked(TEXT[:9], TEXT[9:]), answer("mara/user"))
            coming = iter(pieces)
            for _ in range(taken):
                next(coming)
            if taken == 2:
                self.assertIsNone(next(coming, None))
            coming.close()
            self.assertEqual(self.session.call(rest.whoami()).rest, "mara/user")
            self.assertEqual(self.peer.connections - before, connections - 1)

    def test_closed(self) -> None:
        """Where the session is closed it ends, and says so."""

        def close(number: int) -> Any:
            if number == 1:
                self.session.close()

        pieces, _ = self.pieces(chunked(TEXT[:9], TEXT[9:], before=close))
        with self.assertRaisesRegex(ClosedError, "was closed"):
            list(pieces)
