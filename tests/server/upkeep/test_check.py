"""Looking for damage in a database."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

from connectordb.exceptions import StorageError
from connectordb.runtime.sqlite import connect
from connectordb.server import check
from connectordb.server.storage import Series, access
from connectordb.server.upkeep.check import first_finding

from ..storage.trees import device, stream, user
from ..test_database import FolderCase


class Checking(FolderCase):
    """Everything is gone through; what is wrong is a line each, with its place."""

    def setUp(self) -> None:
        super().setUp()
        self.file = self.made() / "connectordb.db"
        with self.opened() as opened:
            self.series = opened.storage.write(self.plant).result(10)

    def plant(self, writer: Any) -> Series:
        """Make streams with points, one of them with a schema and a downlink."""
        owner = writer.create_user(user("mara"))
        lamp = writer.create_device(owner.id, device("lamp", apikey="key")).id
        light = writer.create_stream(lamp, stream("light", schema='{"type":"number"}', downlink=True)).id
        points = [{"t": float(i + 1), "d": i} for i in range(3000)]
        writer.insert(Series(light), points, False)
        writer.insert(Series(light, downlink=True), points[:10], False)
        return Series(light)

    def findings(self) -> list[str]:
        """Return what is wrong."""
        found: list[str] = []
        checked = check(self.path, lambda finding: found.append(str(finding)))
        self.assertEqual(checked.findings, len(found))
        return found

    def change(self, *statements: str) -> None:
        """Change the file behind everybody's back."""
        with closing(connect(self.file)) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            for statement in statements:
                connection.execute(statement)

    def test_sound(self) -> None:
        """A sound one is said to be; also while a server has it open and writes, and where one was killed."""
        seen: list[str] = []
        checked = check(self.path, print, lambda what, done, all: seen.append(f"{done}/{all}"))
        self.assertEqual((checked.streams, checked.points, checked.findings), (1, 3010, 0))
        self.assertEqual(seen[-1], "1/1")
        with self.opened() as opened:
            opened.storage.write(lambda writer: writer.insert(self.series, [{"t": 1e9, "d": 1}], False)).result(10)
            self.assertEqual(self.findings(), [])
            self.assertEqual(check(self.path, print).points, 3011)
        self.assertEqual(self.findings(), [])

    def test_only_reads(self) -> None:
        """Nothing in the file is changed."""
        before = self.file.read_bytes()
        self.findings()
        self.assertEqual(self.file.read_bytes(), before)

    def test_rows(self) -> None:
        """Rows that do not hold together are told."""
        stream_id = self.series.stream_id
        for break_it, mend_it, words in (
            ("UPDATE streams SET device_id = 99", "UPDATE streams SET device_id = 3", "streams: the row with the id"),
            ("UPDATE devices SET user_id = 99 WHERE id = 3", "UPDATE devices SET user_id = 2 WHERE id = 3", "of users"),
            ("UPDATE sqlite_sequence SET seq = 0", "UPDATE sqlite_sequence SET seq = 99", "ids would be used again"),
            ("UPDATE users SET name = 'a/b' WHERE id = 2", "UPDATE users SET name = 'mara' WHERE id = 2", "'a/b'"),
            (
                "UPDATE devices SET apikey = 'other' WHERE id = 3",
                "UPDATE devices SET apikey = 'key' WHERE id = 3",
                "not found by its API key",
            ),
            (
                'UPDATE streams SET schema = \'{"type":"nothing"}\'',
                "UPDATE streams SET schema = '{}'",
                "mara/lamp/light: its schema cannot be used",
            ),
            ("UPDATE streams SET schema = '{'", "UPDATE streams SET schema = '{}'", "its schema cannot be used"),
            ("UPDATE streams SET schema = x'ff'", "UPDATE streams SET schema = '{}'", "its schema cannot be used"),
            (
                "UPDATE devices SET apikey = x'ff' WHERE id = 3",
                "UPDATE devices SET apikey = 'key' WHERE id = 3",
                "not found by its API key",
            ),
            (
                "UPDATE users SET icon = CAST(x'ff' AS TEXT)",
                "UPDATE users SET icon = ''",
                "rows: cannot be read any further",
            ),
            (
                "UPDATE sqlite_sequence SET seq = 'x' WHERE name = 'users'",
                "UPDATE sqlite_sequence SET seq = 99 WHERE name = 'users'",
                "ids would be used again",
            ),
            (
                f"UPDATE streams SET id = {1 << 60}",
                f"UPDATE streams SET id = {stream_id}",
                f"stream {stream_id}: there are points, but no such stream",
            ),
            (
                f"INSERT INTO chunks SELECT {(1 << 63) - 1}, series, 1, 0, 0, 0, 0, x'00' FROM chunks LIMIT 1",
                f"DELETE FROM chunks WHERE id = {(1 << 63) - 1}",
                f"stream {(1 << 24) - 1} (downlink): there are points, but no such stream",
            ),
            ("UPDATE streams SET downlink = 0", "UPDATE streams SET downlink = 1", "which it does not have"),
            (
                "INSERT INTO insert_key_counts VALUES (3, 2)",
                "DELETE FROM insert_key_counts",
                "insert keys: those of the device with the id 3 are not as many as is noted",
            ),
            (
                f"UPDATE streams SET id = {stream_id + 10}",
                f"UPDATE streams SET id = {stream_id}",
                f"stream {stream_id}: there are points, but no such stream",
            ),
        ):
            with self.subTest(break_it):
                self.change(break_it)
                found = self.findings()
                self.change(mend_it)
                self.assertTrue([line for line in found if words in line], found)
                self.assertEqual(self.findings(), [])

    def test_deleted(self) -> None:
        """What is left of a deleted stream is no fault, that of one which is there would be."""
        number = self.series.stream_id * 2
        self.change(f"INSERT INTO deleted_series VALUES ({number})")
        self.assertIn("noted as those of a deleted one", self.findings()[0])
        self.change("DELETE FROM deleted_series")
        with mock.patch.object(access, "_AT_ONCE", 1), self.opened() as opened:
            opened.storage.write(lambda writer: writer.delete_stream(self.series.stream_id)).result(10)
        checked = check(self.path, print)
        self.assertEqual((checked.streams, checked.points, checked.findings), (0, 0, 0))
        self.change("DELETE FROM deleted_series")
        self.assertIn("there are points, but no such stream", self.findings()[0])

    def test_points(self) -> None:
        """A chunk that is damaged is told with its stream's path and its indices."""
        self.change("UPDATE chunks SET data = x'00' WHERE id = (SELECT max(id) FROM chunks WHERE series % 2 = 0)")
        (found,) = self.findings()
        self.assertRegex(found, r"^mara/lamp/light: the points at indices \d+ to 2999 are damaged")
        self.change("DELETE FROM chunks WHERE id = (SELECT min(id) FROM chunks WHERE series % 2 = 1)")
        self.assertEqual(len(self.findings()), 1, "without its only chunk a downlink is empty, which is no fault")
        finding = first_finding(self.file)
        assert finding is not None
        self.assertEqual(str(finding), found)

    def test_pages(self) -> None:
        """Damaged pages are told, and all that can be looked at still is."""
        with open(self.file, "r+b") as file:
            for page in range(20, self.file.stat().st_size // 4096):
                file.seek(page * 4096 + 8)
                file.write(b"\xee" * 64)
        found = self.findings()
        self.assertTrue([line for line in found if line.startswith("structure: ")])
        self.assertTrue([line for line in found if line.startswith("mara/lamp/light")], found)
        self.assertFalse([line for line in found if "\n" in line])

    def test_no_database(self) -> None:
        """What is no database, or one of a newer version, is an error."""
        with self.assertRaisesRegex(StorageError, "no database folder"):
            check(self.path.parent, print)
        with self.assertRaisesRegex(StorageError, "there is no such file"):
            first_finding(Path(self.path / "absent"))
        self.change("PRAGMA user_version = 99")
        with self.assertRaisesRegex(StorageError, "its layout is 99.*install the version"):
            self.findings()
        self.change("PRAGMA user_version = 0")
        with self.assertRaisesRegex(StorageError, "is it a database of connectordb"):
            self.findings()
        self.file.write_bytes(b"nothing of the kind" * 100)
        with self.assertRaisesRegex(StorageError, "no SQLite file"):
            self.findings()
