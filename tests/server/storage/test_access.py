"""Users, devices, streams."""

from __future__ import annotations

from contextlib import closing
from typing import Any
from unittest import mock

from connectordb.runtime.sqlite import connect
from connectordb.server.storage import Gone, Series, Writer, access

from .trees import StorageCase, device, plant, stream, user


class Finding(StorageCase):
    """Users, devices and streams are found by what is known of them."""

    def test_order(self) -> None:
        """Lists come in order of creation, also after changes."""

        def fill(writer: Writer) -> None:
            owner = writer.create_user(user("zoe"))
            writer.create_user(user("abe"))
            devices = [writer.create_device(owner.id, device(name)).id for name in ("z", "a", "m")]
            for name, on in (("q", 1), ("b", 0), ("x", 1)):
                writer.create_stream(devices[on], stream(name))
            writer.update_user(owner.id, {"nickname": "later"})

        self.write(fill)
        self.assertEqual([row.name for row in self.read(lambda reader: reader.users())], ["zoe", "abe"])
        self.assertEqual([row.name for row in self.read(lambda reader: reader.devices(1))], ["z", "a", "m"])
        self.assertEqual([row.name for row in self.read(lambda reader: reader.streams(2))], ["q", "x"])
        found = self.read(lambda reader: reader.user_streams(1))
        self.assertEqual([(one.name, other.name) for one, other in found], [("a", "q"), ("z", "b"), ("a", "x")])

    def test_login(self) -> None:
        """Logging in ignores case, and an exact match comes first."""

        def fill(writer: Writer) -> None:
            for name, email in (("Bob", "first@x"), ("bob", "BOB@x"), ("eve", "bob@x"), ("BOB", "Bob@X")):
                writer.create_user(user(name, email=email))

        self.write(fill)
        for asked, id in (("Bob", 1), ("bob", 2), ("BOB", 4), ("bOB", 1), ("bob@x", 3), ("BOB@x", 2), ("FIRST@X", 1)):
            with self.subTest(asked=asked):
                found = self.read(lambda reader, asked=asked: reader.find_login(asked))
                self.assertEqual(found and found.id, id)
        self.assertIsNone(self.read(lambda reader: reader.find_login("")))

    def test_no_scan(self) -> None:
        """What every request asks for is found by an index, never by going through a table."""
        series = self.write(plant)
        self.write(lambda writer: writer.insert(series, [{"t": t + 1} for t in range(3000)], False))
        bound: dict[str, Any] = {}

        def note(cursor: Any, sql: str, bindings: Any) -> bool:
            bound[sql] = bindings
            return True

        def ask(reader: Any) -> None:
            reader._connection.exec_trace = note
            reader.find(("mara", "lamp", "light"))
            reader.find_login("mara")
            reader.find_key("key")
            reader.devices(1)
            reader.streams(1)
            reader.length(series)
            reader.newest(series)
            reader.index_after(series, 1500.5)
            reader.text(series, 1500, 1600, 1000)
            reader._connection.exec_trace = None
            for sql in bound:
                plan = [row[3] for row in reader._connection.execute(f"EXPLAIN QUERY PLAN {sql}", bound[sql])]
                self.assertFalse([step for step in plan if step.startswith("SCAN")], sql)

        self.read(ask)
        self.assertGreaterEqual(len(bound), 10)

    def test_keys(self) -> None:
        """A key finds its device and that one's user, as long as it is the key; an empty one finds nothing."""
        self.write(plant)
        lamp = self.write(lambda writer: writer.update_device(1, {"apikey": "köy"}))
        found = self.read(lambda reader: reader.find_key("köy"))
        assert found is not None
        self.assertEqual((found[0].name, found[1]), ("mara", lamp))
        self.write(lambda writer: writer.update_device(1, {"apikey": ""}))
        for key in ("köy", "", "\ud800"):
            self.assertIsNone(self.read(lambda reader, key=key: reader.find_key(key)))


class Deleting(StorageCase):
    """What is deleted goes with all that is below, and its id is never used again."""

    def fill(self, writer: Writer) -> dict[str, Series]:
        """Make two users with points everywhere."""
        found = {}
        for name in ("mara", "ben"):
            series = plant(writer, name)
            for one in (series, Series(series.stream_id, downlink=True)):
                writer.insert(one, [{"t": index + 1, "d": index} for index in range(2300)], False)
            found[name] = series
        return found

    def chunks(self) -> set[int]:
        """Return the series that have chunks."""
        return {
            row[0]
            for row in self.read(lambda reader: reader._connection.execute("SELECT series FROM chunks").fetchall())  # type: ignore[attr-defined]
        }

    def test_levels(self) -> None:
        """A user takes devices, streams and points along, a device and a stream theirs."""
        for kind in ("user", "device", "stream"):
            with self.subTest(kind=kind):
                series = self.write(self.fill)
                found = self.read(lambda reader: reader.find(("mara", "lamp", "light")))
                row = getattr(found, kind)
                self.write(lambda writer, kind=kind, id=row.id: getattr(writer, f"delete_{kind}")(id))
                self.assertEqual(self.chunks(), {series["ben"].stream_id * 2, series["ben"].stream_id * 2 + 1})
                left = self.read(lambda reader: reader.find(("mara", "lamp", "light")))
                self.assertEqual(
                    [left.user, left.device, left.stream].count(None), {"user": 3, "device": 2, "stream": 1}[kind]
                )
                self.assertEqual(self.read(lambda reader, one=series["mara"]: reader.length(one)), 0)
                self.write(lambda writer: [writer.delete_user(row.id) for row in writer.users()])
                self.assertEqual(self.chunks(), set())

    def test_ids(self) -> None:
        """A new stream never has the id, and so the points, of one that was deleted."""
        before = self.write(plant)
        self.write(lambda writer: writer.delete_stream(before.stream_id))
        after = self.write(lambda writer: writer.create_stream(1, stream("light")))
        self.assertGreater(after.id, before.stream_id)
        self.write(lambda writer: writer.delete_user(1))
        self.assertGreater(self.write(lambda writer: writer.create_user(user("mara"))).id, 1)

    def test_many_points(self) -> None:
        """Of a lot of points some are removed at once and the rest little by little; nobody finds any of them meanwhile."""
        names = ("otto", "zoe")
        points = [{"t": float(i + 1), "d": i} for i in range(5000)]
        all_series = [self.write(lambda writer, name=name: plant(writer, name)) for name in names]  # type: ignore[misc]
        for series in all_series:
            self.write(lambda writer, series=series: writer.insert(series, points, False))  # type: ignore[misc]
        kept = self.stored()
        removed = []
        with mock.patch.object(access, "_AT_ONCE", 3):
            for name in names:
                self.write(lambda writer, name=name: writer.delete_user(writer.find((name,)).user.id))  # type: ignore[misc, union-attr]
                removed.append(self.stored())
        self.assertEqual(removed, [kept - 3, kept - 6])
        again = self.write(lambda writer: plant(writer, "otto"))
        self.write(lambda writer: writer.insert(again, points[:7], False))
        self.storage.close()
        self.storage = self.opened()
        before = self.stored()
        while self.write(lambda writer: writer.sweep(4)):
            self.assertGreaterEqual(self.stored(), before - 4)
            before = self.stored()
        self.assertEqual((self.stored(), self.read(lambda reader: reader.length(again))), (1, 7))
        self.assertFalse(self.write(lambda writer: writer.sweep(4)))

    def stored(self) -> int:
        """Return how many chunks are stored."""
        with closing(connect(self.path)) as connection:
            ((number,),) = connection.execute("SELECT count(*) FROM chunks")
        return int(number)

    def test_gone(self) -> None:
        """What is not there cannot be changed or given anything; deleting it does nothing."""
        for work in (
            lambda writer: writer.update_user(9, {"nickname": "x"}),
            lambda writer: writer.update_device(9, {}),
            lambda writer: writer.update_stream(9, {}),
            lambda writer: writer.create_device(9, device("d")),
            lambda writer: writer.create_stream(9, stream("s")),
            lambda writer: writer.insert(Series(9), [{"t": 1}], True),
        ):
            with self.assertRaises(Gone):
                self.write(work)
        self.write(lambda writer: (writer.delete_user(9), writer.delete_device(9), writer.delete_stream(9)))

    def test_downlink_off(self) -> None:
        """Turning ``downlink`` off removes the downlink's points, and nothing else does."""
        series = self.write(plant)
        downlink = Series(series.stream_id, downlink=True)

        def insert(writer: Writer) -> None:
            for one in (series, downlink):
                writer.insert(one, [{"t": 1}], True)

        def lengths() -> list[int]:
            return self.read(lambda reader: [reader.length(series), reader.length(downlink)])

        self.write(insert)
        for flag, expected in ((False, [1, 1]), (True, [1, 1]), (True, [1, 1]), (False, [1, 0])):
            self.write(lambda writer, flag=flag: writer.update_stream(series.stream_id, {"downlink": flag}))
            self.assertEqual(lengths(), expected)
