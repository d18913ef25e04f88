"""What may be sent again, and after how long."""

from __future__ import annotations

import copy
import pickle
import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb import Conflict, InvalidRequest, LocalProtocolError, Retry, ServerError, ServerTrouble
from connectordb.client.terms import retry
from connectordb.client.terms.retry import Fate, Kind, Verdict, fate_of, judge, kind_of
from connectordb.exceptions import ResponseError
from connectordb.protocol import rest
from connectordb.protocol.paths import Path

STREAM = Path.parse("mara/lamp/light")


class Table(unittest.TestCase):
    """The table in the module's docstring."""

    def test_drawn_as_it_is(self) -> None:
        """What the module says of itself is what it does."""
        drawn = [line for line in (retry.__doc__ or "").splitlines() if line.startswith(("to ", "anything "))]
        columns = [Fate.UNSENT, Fate.LATER, Fate.BROKEN, Fate.BETWEEN, Fate.TROUBLE, Fate.SILENT]
        self.assertEqual(len(drawn), len(Kind))
        for line, kind in zip(drawn, Kind, strict=True):
            self.assertTrue(line.startswith(kind.value), line)
            words = line.removeprefix(kind.value).split()
            for word, fate in zip(words, columns, strict=True):
                with self.subTest(kind=kind, fate=fate):
                    self.assertIs(judge(kind, fate), Verdict[word.upper()])
        self.assertEqual({judge(kind, None) for kind in Kind}, {Verdict.TELL})

    def test_nothing_twice(self) -> None:
        """Of what changes something, and is known by no name, nothing is sent again that may have been done."""
        for kind in (Kind.INSERT, Kind.CHANGE):
            for fate in retry.DOUBTFUL:
                self.assertNotIn(judge(kind, fate), (Verdict.AGAIN, Verdict.ELSEWHERE))

    def test_kinds(self) -> None:
        """What a request is: by its verb, its points and its name; a query is a POST that reads."""
        for request, named, kind in (
            (rest.read(STREAM), False, Kind.READ),
            (rest.query("merge", []), False, Kind.READ),
            (rest.insert(STREAM, [{"t": 1, "d": 1}]), False, Kind.INSERT),
            (rest.insert(STREAM, [{"t": 1, "d": 1}], restamp=True), True, Kind.NAMED),
            (rest.create(STREAM, {}), False, Kind.CHANGE),
            (rest.update(STREAM, {}), True, Kind.CHANGE),
            (rest.delete(STREAM), False, Kind.CHANGE),
        ):
            with self.subTest(request.method, path=request.path):
                self.assertIs(kind_of(request, named), kind)

    def test_answers(self) -> None:
        """Which answers are no last word, and who speaks by them: a server of ours gives a reference."""
        refused: list[tuple[ResponseError, Fate | None]] = [
            (ServerError("x", status=429), Fate.LATER),
            (ServerError("shutting down", status=503, ref="r"), Fate.LATER),
            (ServerError("x", status=503), Fate.BETWEEN),
            (ServerError("x", status=502), Fate.BETWEEN),
            (ServerError("x", status=504, ref="r"), Fate.BETWEEN),
            (ServerError("x", status=500, ref="r"), None),
            (ServerError("x", status=200), None),
            (InvalidRequest("x", status=403, ref="r"), None),
            (Conflict("x", status=403, ref="r"), None),
            (ServerTrouble("pq: too many clients", status=403, ref="r"), Fate.TROUBLE),
            (ServerTrouble("msgpack: invalid code", status=403, ref="r"), None),
        ]
        for error, fate in refused:
            with self.subTest(error):
                self.assertIs(fate_of(error), fate)


class Value(unittest.TestCase):
    """How often, and when."""

    def test_of(self) -> None:
        """What a caller may pass."""
        self.assertEqual(Retry.of(None), Retry())
        self.assertEqual(Retry.of(5), Retry(max_attempts=5))
        mine = Retry(max_backoff=1)
        self.assertIs(Retry.of(mine), mine)
        for bad in (True, "3", 1.5, [3]):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "retry=.*expected a Retry"):
                Retry.of(bad)  # type: ignore[arg-type]

    def test_bad(self) -> None:
        """What is no such number is refused."""
        for name, bad in (
            ("max_attempts", 1.5),
            ("max_attempts", True),
            ("max_backoff", -1),
            ("max_backoff", float("inf")),
            ("first_backoff", float("nan")),
            ("first_backoff", None),
            ("budget", "x"),
        ):
            with self.subTest(name, bad=bad), self.assertRaisesRegex(LocalProtocolError, f"Retry.{name}=.*expected"):
                Retry(**{name: bad})  # type: ignore[arg-type]

    def test_value(self) -> None:
        """It is a value: equal, hashed, copied, shown, and not changed."""
        one = Retry(4, 5.0, 0.25, None)
        for other in (Retry(4, 5.0, 0.25, None), pickle.loads(pickle.dumps(one)), copy.deepcopy(one), eval(repr(one))):
            self.assertEqual((other, hash(other)), (one, hash(one)))
        self.assertNotEqual(one, Retry())
        self.assertNotEqual(one, 4)
        with self.assertRaisesRegex(AttributeError, "make another one"):
            one.max_attempts = 5

    @given(st.integers(1, 2000), st.floats(0, 1, exclude_max=True), st.floats(0, 100), st.floats(0, 100))
    def test_pause(self, number: int, draw: float, first: float, most: float) -> None:
        """Full jitter: from nothing to a bound that doubles, and never above the most."""
        pause = Retry(first_backoff=first, max_backoff=most).pause(number, lambda: draw)
        self.assertTrue(0 <= pause <= most)
        self.assertTrue(number > 60 or pause <= first * 2 ** (number - 1))
