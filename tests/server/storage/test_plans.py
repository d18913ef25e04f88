"""How SQLite answers what the storage asks: by key or by index, never by going through everything."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

import apsw

from connectordb.server.storage import Reader, Series, SQLiteStorage, Writer

from .trees import StorageCase, device, plant, stream, user

#: What lists or counts everything is asked to do just that.
_LISTS = re.compile(r"FROM users ORDER BY id|count\(\*\) FROM (users|devices|streams)")


class Plans(StorageCase):
    """No question about points takes longer with more points, and none about a row with more rows."""

    def setUp(self) -> None:
        super().setUp()
        self.asked: dict[str, Any] = {}

        def note(cursor: apsw.Cursor, sql: str, values: Any) -> bool:
            self.asked.setdefault(sql, values)
            return True

        def watch(connection: apsw.Connection) -> None:
            connection.exec_trace = note

        apsw.connection_hooks.append(watch)
        self.addCleanup(apsw.connection_hooks.remove, watch)

    def plans(self) -> dict[str, list[str]]:
        """Return how each statement that was asked is answered."""
        found = {}
        with closing(apsw.Connection(str(self.path))) as connection:
            connection.exec_trace = None
            for sql, values in self.asked.items():
                if re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT)", sql):
                    rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)
                    found[sql] = [str(row[3]) for row in rows]
        return found

    def test_everything(self) -> None:
        """Whatever is asked of a storage, nothing is gone through but what is to be listed."""
        with closing(SQLiteStorage(self.path, readers=1)) as storage:
            series: Series = self.got(storage.write(plant))
            points = [{"t": float(i + 1), "d": i} for i in range(3000)]

            def write(writer: Writer) -> None:
                writer.insert(series, points, False)
                writer.insert(series, [{"t": 1.0, "d": 1}], True)
                owner = writer.create_user(user("ada"))
                lamp = writer.create_device(owner.id, device("lamp", apikey="key"))
                light = writer.create_stream(lamp.id, stream("light", downlink=True))
                writer.update_user(owner.id, {"email": "x@y"})
                writer.update_device(lamp.id, {"apikey": "other"})
                writer.update_stream(light.id, {"downlink": False})
                writer.delete_stream(light.id)
                writer.delete_device(lamp.id)
                writer.delete_user(owner.id)

            def read(reader: Reader) -> None:
                reader.find(("mara", "lamp", "light"))
                reader.find_login("MARA@localhost")
                reader.find_key("key")
                reader.users()
                reader.devices(1)
                reader.streams(1)
                reader.user_streams(1)
                reader.counts()
                reader.length(series)
                reader.newest(series)
                reader.index_after(series, 1500.0)
                reader.text(series, 1500, 1600, 1000)

            self.got(storage.write(write))
            self.got(storage.read(read))
        plans = self.plans()
        self.assertGreater(len(plans), 25)
        for sql, plan in plans.items():
            for step in plan:
                if step.startswith("SCAN") and step != "SCAN CONSTANT ROW" and not _LISTS.search(sql):
                    self.fail(f"{step}: {sql}")

    def test_starting(self) -> None:
        """Opening a storage asks for nothing that it holds."""
        with closing(SQLiteStorage(self.path, readers=1)) as storage:
            self.got(storage.read(lambda reader: None))
        for sql in self.asked:
            self.assertNotRegex(sql, r"(?i)FROM (users|devices|streams|chunks)")
