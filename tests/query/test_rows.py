"""Queries that run here and on a server: the same rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from connectordb import ConnectorDB, Stream
from connectordb.exceptions import ConnectorDBError, InvalidRange, ServerError
from connectordb.query import Dataset, Merge

from ..support.target import TargetCase

NAMES = ("before", "after", "closest", "count", "sum", "mean")
SCRIPTS = ("sum | if last", "if $ > 3", "count()", "$ + 1", "max", "first")
TRANSFORMS = (
    "if $ > 3",
    "$ * 2 + 1",
    "sum",
    "count",
    "mean",
    "next",
    "if last",
    "map(t % 3, sum)",
    "dt",
    "changed | if $",
)
POSTTRANSFORMS = ("$", "if $('a') > 3", "$('a')", "set('n', count)", "count", "if last")

#: What is answered where a server's own fault ends the request.
CRASHED = "a crash"


class Same(TargetCase):
    """Random data and random queries; what a server refuses is refused here."""

    #: How many points each stream has; the first is beyond one of the original's pieces.
    SIZES = (270, 40, 9, 1, 0)
    ROUNDS = 60

    def setUp(self) -> None:
        super().setUp()
        self.random = random.Random(4)
        self.cdb: ConnectorDB = self.device()
        self.streams = [self.filled(size) for size in self.SIZES]
        self.points = {stream.path: stream[:] for stream in self.streams}

    def filled(self, size: int) -> Stream:
        """Return a stream of random numbers, some at one time."""
        stream = self.stream()
        times = sorted(
            self.random.choice((self.random.randrange(1, 60), self.random.uniform(1, 60))) for _ in range(size)
        )
        stream.insert_array(
            [
                {"t": t, "d": self.random.choice((self.random.randrange(-3, 9), self.random.random(), True))}
                for t in times
            ]
        )
        return stream

    def test_merges(self) -> None:
        """Merges of streams with ranges and transforms."""
        for number in range(self.ROUNDS):
            parts = [
                (self.any_stream(), self.any_range(), self.any_of(TRANSFORMS))
                for _ in range(self.random.randrange(1, 5))
            ]

            def made(of: Callable[[Stream], Any], parts: Any = parts) -> Merge:
                merge = Merge(self.cdb)
                for stream, range_, transform in parts:
                    merge.addStream(of(stream), transform=transform, **range_)
                return merge

            self.compare(number, made)

    def test_by_points(self) -> None:
        """Datasets with a row for each point, or each of a merge."""
        for number in range(self.ROUNDS):
            x, given, base = self.any_stream(), self.any_range(), {"posttransform": self.any_of(POSTTRANSFORMS)}
            merged = [(self.any_stream(), self.any_range()) for _ in range(2)] if self.random.random() < 0.2 else None
            columns = self.any_columns()

            def made(
                of: Callable[[Stream], Any],
                x: Any = x,
                given: Any = given,
                base: Any = base,
                merged: Any = merged,
                columns: Any = columns,
            ) -> Dataset:
                if merged:
                    merge = Merge(self.cdb)
                    for stream, range_ in merged:
                        merge.addStream(of(stream), **range_)
                    dataset = Dataset(self.cdb, x=merge, **base)
                else:
                    dataset = Dataset(self.cdb, x=of(x), **given, **base)
                return self.with_columns(dataset, of, columns)

            self.compare(number, made)

    def test_by_time(self) -> None:
        """Datasets with a row for each step."""
        for number in range(self.ROUNDS):
            t1 = self.random.choice((0, self.random.randrange(70), self.random.uniform(0, 60)))
            times = {"t1": t1, "t2": t1 + self.random.uniform(5, 40), "dt": self.random.choice((0.1, 1, 2.5, 5))}
            post, columns = self.any_of(POSTTRANSFORMS), self.any_columns()

            def made(
                of: Callable[[Stream], Any], times: Any = times, post: Any = post, columns: Any = columns
            ) -> Dataset:
                dataset = Dataset(self.cdb, posttransform=post, **times)
                return self.with_columns(dataset, of, columns)

            self.compare(number, made)

    # --- what is asked ------------------------------------------------------------------------------------------------

    def any_stream(self) -> Stream:
        """Return one of the streams."""
        return self.random.choice(self.streams)

    def any_of(self, scripts: tuple[str, ...]) -> str | None:
        """Return a script, or none."""
        return self.random.choice(scripts) if self.random.random() < 0.4 else None

    def any_range(self) -> dict[str, Any]:
        """Return a range that all streams allow, or none."""
        a, b = sorted((self.random.randrange(1, 60), self.random.randrange(1, 60)))
        return self.random.choice(
            (
                {},
                {},
                {"t1": a},
                {"t2": b},
                {"t1": a, "t2": b},
                {"t1": a, "limit": 5},
                {"limit": 3},
                {"i1": -20},
                {"i2": 4},
                {"i1": -20, "i2": 0},
            )
        )

    def any_columns(self) -> list[dict[str, Any]]:
        """Return what columns are made of; a merge of two streams now and then."""
        interpolators = NAMES + SCRIPTS
        return [
            {
                "streams": [self.any_stream() for _ in range(self.random.choice((1, 1, 1, 2)))],
                "interpolator": self.random.choice(interpolators),
                "range": self.any_range(),
                "transform": self.any_of(TRANSFORMS),
                "allownil": self.random.random() < 0.5,
            }
            for _ in range(self.random.randrange(1, 4))
        ]

    def with_columns(self, dataset: Dataset, of: Callable[[Stream], Any], columns: list[dict[str, Any]]) -> Dataset:
        """Return a dataset with columns."""
        for name, column in zip("abc", columns, strict=False):
            how = {"colname": name, "interpolator": column["interpolator"], "allownil": column["allownil"]}
            range_ = {**column["range"], "transform": column["transform"]}
            if len(column["streams"]) == 1:
                dataset.addStream(of(column["streams"][0]), **how, **range_)
            else:
                merge = Merge(self.cdb)
                for stream in column["streams"]:
                    merge.addStream(of(stream), **range_)
                dataset.addStream(merge, **how)
        return dataset

    # --- what is answered ---------------------------------------------------------------------------------------------

    def compare(self, number: int, made: Callable[[Callable[[Stream], Any]], Merge | Dataset]) -> None:
        """Compare a query that a server runs, one with all points at hand, and one with some."""
        there = made(lambda stream: stream)
        here = made(lambda stream: self.points[stream.path])
        mixed = made(lambda stream: self.points[stream.path] if stream is self.streams[0] else stream)
        wanted = outcome(there)
        if wanted == CRASHED:
            return
        for query in (here, mixed):
            with self.subTest(number=number, query=there.query):
                self.assertEqual(outcome(query), wanted)


def outcome(query: Merge | Dataset) -> Any:
    """Return what a query answers, as points with a time; or that it fails."""
    try:
        return [{"t": point.get("t", 0), "d": point["d"]} for point in query.run()]
    except InvalidRange:
        raise
    except ServerError as error:
        # an original crashes where a column's range with an end has no point, though its stream has some
        return CRASHED if "the answer was empty" in error.message else "an error"
    except ConnectorDBError:
        return "an error"
