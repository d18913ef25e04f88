"""Where subscriptions begin."""

from __future__ import annotations

from connectordb.server.handlers import Refusal, Request
from connectordb.server.handlers.data import insert
from connectordb.server.handlers.subscribing import Start, start

from .case import NOW, HandlerCase

LIGHT = "mara/lamp/light"


class Starting(HandlerCase):
    """A subscription begins behind what is there, if the caller may read it."""

    def begin(self, path: str, who: str, downlink: bool = False) -> Start:
        """Return where a subscription begins."""
        query = {"downlink": "true"} if downlink else {}
        request = Request(now=NOW, names=tuple(path.split("/")), caller=self.caller(who), query=query)
        return self.read(lambda reader: start(reader, request))

    def test_index(self) -> None:
        """The stream and its downlink each have an index of their own."""
        self.ask(insert, LIGHT, [{"t": 1, "d": 1}, {"t": 2, "d": 2}], who="mara/lamp")
        self.ask(insert, LIGHT, [{"t": 1, "d": 1}], who="mara/user")
        self.assertEqual(self.begin(LIGHT, "mara/user"), Start(self.series(LIGHT), 2, False))
        self.assertEqual(self.begin(LIGHT, "mara/user", True), Start(self.series(LIGHT, True), 1, False))

    def test_ephemeral(self) -> None:
        """That points are not stored is said."""
        series = self.series(LIGHT)
        self.write(lambda writer: writer.update_stream(series.stream_id, {"ephemeral": True}) and None)
        self.assertEqual(self.begin(LIGHT, "mara/user"), Start(series, 0, True))

    def test_refused(self) -> None:
        """What is not there, or not the caller's to read, has no beginning."""
        for path, who in ((f"{LIGHT}er", "mara/user"), ("no/such/thing", "mara/user"), (LIGHT, "")):
            with self.subTest(path=path, who=who), self.assertRaises(Refusal) as caught:
                self.begin(path, who)
            self.assertEqual(caught.exception.status, 403)
