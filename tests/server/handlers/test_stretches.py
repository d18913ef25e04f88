"""Reading piece by piece."""

from __future__ import annotations

from connectordb.protocol import json_text
from connectordb.server.handlers.data import insert
from connectordb.server.handlers.stretches import Stretch, WentAway

from .case import HandlerCase

PLAIN = "mara/lamp/plain"


class Stretches(HandlerCase):
    """All points are taken, once and in order, or it is told that they are not there any more."""

    def setUp(self) -> None:
        super().setUp()
        self.points = [{"t": t, "d": t} for t in range(1, 2001)]
        self.ask(insert, PLAIN, self.points, who="mara/lamp")

    def test_pieces(self) -> None:
        """Together the pieces are what was asked for."""
        stretch = Stretch(self.series(PLAIN), 10, 1990)
        taken = []
        while stretch.more:
            self.assertEqual(stretch.at, 10 + len(taken))
            taken += json_text.loads(b"[%b]" % stretch.take(self.read, 100))
        self.assertEqual(taken, self.points[10:1990])

    def test_nothing(self) -> None:
        """Where there is nothing to be taken, nothing is."""
        stretch = Stretch(self.series(PLAIN), 5, 5)
        self.assertEqual((stretch.more, stretch.take(self.read, 100)), (False, b""))

    def test_gone(self) -> None:
        """What was deleted does not look like the end."""
        stretch = Stretch(self.series(PLAIN), 0, 2000)
        stretch.take(self.read, 100)
        self.write(lambda writer: writer.delete_stream(self.series(PLAIN).stream_id))
        with self.assertRaises(WentAway):
            while stretch.more:
                stretch.take(self.read, 100)
