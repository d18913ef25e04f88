"""``merge``, ``dataset``."""

from __future__ import annotations

import json
import os
from unittest import mock

from connectordb import ConnectorDB
from connectordb.query import Dataset, Merge

from ..frames.cases import needs_frames
from ..support.target import new_name
from ..support.wire import Peer, answer, by_request, chunked
from .test_tree import TreeCase


class QueryCase(TreeCase):
    """Two streams: heat every ten seconds, a lamp every twenty."""

    def setUp(self) -> None:
        super().setUp()
        self.heat, self.lamp = new_name(), new_name()
        with ConnectorDB() as cdb:
            cdb[self.heat].create({"type": "number"})
            cdb[self.heat].insert_array([{"t": 1.6e9 + 10 * number, "d": number} for number in range(20)])
            cdb[self.lamp].create()
            cdb[self.lamp].insert_array([{"t": 1.6e9 + 5 + 20 * number, "d": number % 2 == 1} for number in range(9)])


class Queries(QueryCase):
    """As the library answers them."""

    def test_merge(self) -> None:
        """One series of all, by names and by paths, each with the range and the transform."""
        with ConnectorDB() as cdb:
            query = Merge(cdb)
            for stream in (self.heat, self.lamp):
                query.addStream(stream, t1=1.6e9 + 20, limit=3, transform="if $ > 0")
            expected = query.run()
        typed = ("merge", self.heat, f"mara/user/{self.lamp}", "--t1", str(1.6e9 + 20), "--limit", "3")
        typed += ("--transform", "if $ > 0")
        self.assertEqual(self.json(*typed, "--json"), expected)
        self.assertEqual([json.loads(line) for line in self.ran(*typed).splitlines()], expected)
        self.assertEqual(
            self.ran("merge", self.heat, self.lamp, "--i1", "-1", "--csv"), "t,d\n1600000165,false\n1600000190,19\n"
        )

    def test_dataset(self) -> None:
        """Columns with names and interpolators, by a stream and by steps of time."""
        with ConnectorDB() as cdb:
            query = Dataset(cdb, x=self.heat, limit=4)
            query.addStream(self.lamp, "before", colname="lit")
            query.addStream(self.heat, "sum")
            expected = query.run()
        self.assertEqual(
            self.json(
                "dataset", "--x", self.heat, "--limit", "4", f"lit={self.lamp}:before", f"{self.heat}:sum", "--json"
            ),
            expected,
        )
        by_time = (
            "dataset",
            "--t1",
            "1600000000",
            "--t2",
            "1600000060",
            "--dt",
            "30",
            f"heat={self.heat}:count | if last",
        )
        self.assertEqual(self.ran(*by_time, f"lamp={self.lamp}", "--csv").splitlines()[0], "t,heat,lamp")
        self.assertEqual(
            self.json(*by_time, "--posttransform", "$['heat'] | if last", "--json"),
            [{"t": 1.6e9 + 30, "d": 3}],
        )

    def test_cut_off(self) -> None:
        """An answer that breaks off is an error, whatever was printed of it."""
        broken = chunked(b'[{"t":1,"d":2},{"t":2,', ended=False)
        peer = Peer(otherwise=by_request(lambda asked: answer("mara/user") if "q" in asked.parameters else broken))
        self.addCleanup(peer.close)
        settings = {"CONNECTORDB_URL": peer.url, "CONNECTORDB_APIKEY": "key"}
        for typed in (("merge", "a/b/c"), ("dataset", "--x", "a/b/c", "a/b/d"), ("cat", "a/b/c", "--transform", "$")):
            with self.subTest(typed), mock.patch.dict(os.environ, settings):
                self.assertRegex(
                    self.ran(*typed, status=1),
                    r"the connection broke: Response ended prematurely \(3 attempts\); .* \(after 1 point\)",
                )

    @needs_frames
    def test_parquet(self) -> None:
        """Both become files."""
        import pyarrow.parquet as pq

        file = self.folder() / "rows.parquet"
        self.ran("dataset", "--x", self.heat, f"lit={self.lamp}", "--parquet", str(file))
        self.assertEqual((pq.read_table(file).column_names, pq.read_table(file).num_rows), (["t", "x", "lit"], 20))
        self.ran("merge", self.heat, self.heat, "--parquet", str(file))
        self.assertEqual(pq.read_table(file).num_rows, 40)

    def test_mistakes(self) -> None:
        """What is no query is told."""
        for arguments, status, why in (
            (("merge",), 2, "STREAM"),
            (("merge", "mara/none/none"), 1, "not found"),
            (("merge", self.heat, "--csv", "--json"), 2, "exclude"),
            (("merge", "mara/user"), 2, "is no stream"),
            (("dataset", self.heat), 1, "needs t1, t2 and dt"),
            (("dataset", "--x", self.heat, "a=b=c"), 2, "not a column"),
            (("dataset", "--x", self.heat, self.heat, self.heat), 1, "already"),
            (("dataset", "--x", self.heat, f"{self.lamp}:nothing"), 1, "nothing"),
        ):
            with self.subTest(arguments):
                self.assertIn(why, self.ran(*arguments, status=status))
