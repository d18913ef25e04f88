"""Appends that are held back are as if they had been written at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import apsw
from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.exceptions import StorageError
from connectordb.server.storage import Gone, Reader, Series, SQLiteStorage, Writer

from ...support.case import SOON
from .trees import StorageCase, plant, stream

#: What a write does: appends, and what comes between, and whether it fails in the end.
steps = st.lists(
    st.sampled_from(["a", "b", "many", "read", "length", "clear", "make", "remove"]), min_size=1, max_size=4
)
writes = st.lists(st.tuples(steps, st.booleans()), min_size=1, max_size=8)


class Failed(Exception):
    """What a write raises in the end."""


def told(reader: Reader, series: Series) -> list[Any]:
    """Return the values in a series, read in one go; its length must be theirs."""
    text, after = reader.text(series, 0, 1 << 30, 1 << 30)
    values = [point["d"] for point in json.loads(b"[%b]" % text)]
    assert after == len(values) == reader.length(series), (after, len(values), reader.length(series))
    assert reader.newest(series) == (values[-1] if values else None)
    assert reader.size(series) >= len(text) - len(values)
    return values


class Groups(StorageCase):
    """Writes that share a transaction."""

    def setUp(self) -> None:
        """Have two streams."""
        super().setUp()
        self.series = {"a": self.write(plant), "b": self.write(lambda writer: plant(writer, "otto"))}
        self.expected: dict[str, list[int]] = {"a": [], "b": []}
        self.count = 0

    def together(self, works: list[Callable[[Writer], Any]]) -> list[BaseException | None]:
        """Have writes share a transaction; return what each came to."""
        reached, release = threading.Event(), threading.Event()

        def hold(writer: Writer) -> None:
            reached.set()
            if not release.wait(SOON):
                raise AssertionError("never let go")

        held = self.storage.write(hold)
        self.wait(reached)
        futures = [self.storage.write(work) for work in works]
        release.set()
        self.assertIsNone(held.exception(SOON))
        return [future.exception(SOON) for future in futures]

    def work(self, steps: list[str], fails: bool, after: dict[str, list[int]]) -> Callable[[Writer], None]:
        """Return a write; *after* is what there is before it, and if it succeeds becomes what there is behind it."""
        before = {name: list(values) for name, values in after.items()}
        numbers = [self.count + n for n in range(1, 1000)]
        self.count += 1000
        if not fails:
            self.expect(steps, numbers, after)

        def run(writer: Writer) -> None:
            now = {name: list(values) for name, values in before.items()}
            fresh = iter(numbers)
            for step in steps:
                self.take(step, writer, fresh)
                self.expect_one(step, iter(numbers), now)
            if "read" in steps:
                for name, series in self.series.items():
                    values = told(writer, series)
                    self.assertEqual(len(values), len(now[name]))
            if fails:
                raise Failed

        return run

    def expect(self, steps: list[str], numbers: list[int], after: dict[str, list[int]]) -> None:
        """Change *after* as the steps change the streams."""
        fresh = iter(numbers)
        for step in steps:
            self.expect_one(step, fresh, after)

    @staticmethod
    def expect_one(step: str, fresh: Any, after: dict[str, list[int]]) -> None:
        """Change *after* as a step changes the streams."""
        if step in after:
            after[step].append(next(fresh))
        elif step == "many":
            after["a"] += [next(fresh) for _ in range(120)]
        elif step == "clear":
            after["b"].clear()

    def take(self, step: str, writer: Writer, fresh: Any) -> None:
        """Do one step."""
        if step in self.series:
            n = next(fresh)
            writer.insert(self.series[step], [{"t": n, "d": n}], False)
        elif step == "many":
            writer.insert(self.series["a"], [{"t": n, "d": n} for n in [next(fresh) for _ in range(120)]], False)
        elif step == "read":
            told(writer, self.series["a"])
        elif step == "length":
            writer.length(self.series["b"])
        elif step == "clear":
            writer.clear(self.series["b"])
        elif step == "make":
            owner = writer.find(("mara", "lamp")).device
            assert owner is not None
            if writer.find(("mara", "lamp", "new")).stream is None:
                writer.create_stream(owner.id, stream("new"))
        elif (found := writer.find(("mara", "lamp", "new")).stream) is not None:
            writer.delete_stream(found.id)

    @settings(max_examples=30)
    @given(st.lists(writes, min_size=1, max_size=3))
    def test_as_if_at_once(self, groups: list[list[tuple[list[str], bool]]]) -> None:
        """Each write finds what those before it did, happens whole or not at all, and is read afterwards."""
        for group in groups:
            works = [self.work(steps, fails, self.expected) for steps, fails in group]
            for (_, fails), error in zip(group, self.together(works), strict=True):
                self.assertIsInstance(error, Failed if fails else type(None))
            for name, series in self.series.items():
                self.assertEqual(self.read(lambda reader, series=series: told(reader, series)), self.expected[name])  # type: ignore[misc]

    def test_one_cannot_be_written(self) -> None:
        """Only who added to a damaged chunk is told of it; what shares the transaction with it is stored."""
        insert = {name: [{"t": 1, "d": 1}] for name in "ab"}
        for name in "ab":
            self.write(lambda writer, name=name: writer.insert(self.series[name], insert[name], False))  # type: ignore[misc]
        # the storage still knows where the chunk ends, and does not look before it writes
        other = apsw.Connection(str(self.path))
        other.execute(
            f"CREATE TRIGGER damage BEFORE UPDATE ON chunks WHEN old.series = {self.series['a'].stream_id * 2}"
            " BEGIN SELECT raise(ABORT, 'damage'); END"
        )
        other.close()
        errors = self.together(
            [lambda writer, name=name: writer.insert(self.series[name], insert[name], False) for name in "abab"]  # type: ignore[misc]
        )
        self.assertEqual([type(error) for error in errors], [StorageError, type(None)] * 2)
        self.assertIn("damage", str(errors[0]))
        self.assertEqual(self.read(lambda reader: told(reader, self.series["a"])), [1])
        self.assertEqual(self.read(lambda reader: told(reader, self.series["b"])), [1, 1, 1])

    def test_behind_one_that_cannot_be_written(self) -> None:
        """Who added behind what could not be written was told of another index, and fails too, whatever else he wrote."""
        for name in "ab":
            self.write(lambda writer, name=name: writer.insert(self.series[name], [{"t": 1, "d": 1}], False))  # type: ignore[misc]
        other = apsw.Connection(str(self.path))
        other.execute(
            "CREATE TRIGGER damage BEFORE UPDATE ON chunks WHEN new.number >= old.number + 3"
            " BEGIN SELECT raise(ABORT, 'damage'); END"
        )
        other.close()

        def appending(*names: str, settle: bool = False) -> Callable[[Writer], int]:
            def work(writer: Writer) -> int:
                for name in names:
                    first = writer.insert(self.series[name], [{"t": 2, "d": 2}], False).first
                if settle:
                    writer.forget_inserts(1e9, 1)
                return first

            return work

        errors = self.together(
            [
                lambda writer: writer.insert(self.series["a"], [{"t": 2, "d": n} for n in range(3)], False),
                appending("a"),
                appending("b", "a"),
                appending("b"),
                appending("b", "a", settle=True),
                appending("a"),
            ]
        )
        self.assertEqual([type(error) for error in errors], [StorageError] * 5 + [type(None)])
        self.assertEqual(self.read(lambda reader: told(reader, self.series["a"])), [1, 2])
        self.assertEqual(self.read(lambda reader: told(reader, self.series["b"])), [1])

    def test_gone(self) -> None:
        """A stream that a write before it removed takes no points."""

        def remove(writer: Writer) -> None:
            writer.find(("mara", "lamp", "light"))
            writer.delete_stream(self.series["a"].stream_id)
            writer.insert(self.series["a"], [{"t": 1, "d": 1}], False)

        insert: Callable[[Writer], Any] = lambda writer: writer.insert(self.series["a"], [{"t": 1, "d": 1}], False)  # noqa: E731
        removed = lambda writer: writer.delete_stream(self.series["a"].stream_id)  # noqa: E731
        self.assertEqual([type(error) for error in self.together([remove, insert])], [Gone, type(None)])
        self.assertEqual(
            [type(error) for error in self.together([insert, removed, insert])], [type(None), type(None), Gone]
        )


class Reopened(StorageCase):
    """What was written is in the file, and nothing else is remembered."""

    def test_reopened(self) -> None:
        """Appends go on where they ended."""
        series = self.write(plant)
        for n in range(3):
            self.write(lambda writer, n=n: writer.insert(series, [{"t": n + 1, "d": n + 1}], False))  # type: ignore[misc]
        self.storage.close()
        again = SQLiteStorage(self.path)
        self.addCleanup(again.close)
        again.write(lambda writer: writer.insert(series, [{"t": 4, "d": 4}], False)).result(SOON)
        self.assertEqual(again.read(lambda reader: told(reader, series)).result(SOON), [1, 2, 3, 4])
