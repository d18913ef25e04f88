"""What may be sent again."""

from __future__ import annotations

import unittest

from connectordb import Conflict, InvalidRequest, ServerError, ServerTrouble
from connectordb.client.terms import judging
from connectordb.client.terms.judging import Fate, Kind, Verdict, fate_of, judge, kind_of
from connectordb.exceptions import ResponseError
from connectordb.protocol import rest
from connectordb.protocol.paths import Path

STREAM = Path.parse("mara/lamp/light")


class Table(unittest.TestCase):
    """The table in the module's docstring."""

    def test_drawn_as_it_is(self) -> None:
        """What the module says of itself is what it does."""
        drawn = [line for line in (judging.__doc__ or "").splitlines() if line.startswith(("to ", "anything "))]
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
            for fate in judging.DOUBTFUL:
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
