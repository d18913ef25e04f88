"""Datasets: the streams that one is made of, and how many there may be (what comes of them: ``test_query.py``)."""

from __future__ import annotations

import json

from connectordb.server.config import Limits, Queries
from connectordb.server.handlers import Refusal, Request
from connectordb.server.handlers.data import insert
from connectordb.server.handlers.datasets import open_dataset
from connectordb.server.handlers.scripts import Scripts

from .case import NOW, HandlerCase

PLAIN = "mara/lamp/plain"


class Opening(HandlerCase):
    """What a body leads to."""

    def open(self, body: object, most: int = 10) -> int:
        """Open a dataset; return how many streams it is made of, once its first row was computed."""
        request = Request(
            now=NOW,
            body=json.dumps(body).encode(),
            caller=self.caller("mara/user"),
            limits=Limits(dataset_streams=most),
        )
        scripts = Scripts(Queries())
        rows, sources, _ = self.read(lambda reader: open_dataset(reader, request, scripts))
        scripts.compile()
        for source in sources:
            source.attach(self.read, 1000, scripts.effort)
        next(rows)
        return len(sources)

    def test_sources(self) -> None:
        """One for each stream of each column, and those of the reference; nothing is read until a row is asked for."""
        self.ask(insert, PLAIN, [{"t": 1, "d": 1}], who="mara/lamp")
        one = {"stream": PLAIN, "interpolator": "sum"}
        two = {"merge": [{"stream": PLAIN}, {"stream": PLAIN}], "interpolator": "count"}
        self.assertEqual(self.open({"t1": 1, "t2": 3, "dt": 1, "dataset": {"a": one, "b": two}}), 3)
        self.assertEqual(self.open({"stream": PLAIN, "dataset": {"a": one, "b": two}}), 4)
        with self.assertRaisesRegex(Refusal, "No stream"):
            self.open({"stream": PLAIN, "dt": 1, "dataset": {"x": {}}})  # the columns are looked at first
        with self.assertRaisesRegex(Refusal, "'limit' in a query"):
            self.open({"t1": 1, "t2": 3, "dt": 1, "limit": "x", "dataset": {"a": one}})
        with self.assertRaisesRegex(Refusal, "4 streams is too large: at most 3"):
            self.open({"stream": PLAIN, "dataset": {"a": one, "b": two}}, most=3)
