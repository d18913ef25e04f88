"""SQLite, as we want it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import unittest

from connectordb.exceptions import StorageDamaged, StorageError, StorageFull
from connectordb.runtime.sqlite import (
    Connection,
    InUse,
    alone,
    attach,
    can_write,
    connect,
    first,
    first_within,
    is_attached,
    logged_frames,
    take_on,
    transaction,
    translated,
)

from ..support.case import Case


def make_table(connection: Connection) -> None:
    """Make a table."""
    connection.execute("CREATE TABLE things(name TEXT)")


class Looking(Case):
    """A file is looked at without being changed, or had to oneself."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "x.db"
        connection = connect(self.path)
        make_table(connection)
        connection.close()

    def test_only_look(self) -> None:
        """What is only looked at keeps its log, until it is taken on."""
        writer = connect(self.path)
        with transaction(writer):
            writer.execute("INSERT INTO things VALUES ('a')")
        copy = self.folder() / "x.db"
        for end in ("", "-wal"):
            shutil.copyfile(f"{self.path}{end}", f"{copy}{end}")
        writer.close()
        before = copy.read_bytes()
        connection = connect(copy, only_look=True)
        self.assertEqual(connection.execute("SELECT name FROM things").fetchall(), [("a",)])
        self.assertGreater(logged_frames(connection), 0)
        connection.close()
        self.assertEqual((copy.read_bytes(), os.path.exists(f"{copy}-wal")), (before, True))
        connection = connect(copy, only_look=True)
        take_on(connection)
        self.assertEqual(connection.pragma("synchronous"), 2)
        connection.close()
        self.assertFalse(os.path.exists(f"{copy}-wal"))

    def test_attached(self) -> None:
        """Another file's tables are beside one's own."""
        connection = connect(self.folder() / "y.db")
        self.addCleanup(connection.close)
        self.assertFalse(is_attached(connection, "other"))
        attach(connection, self.path, "other")
        self.assertTrue(is_attached(connection, "other"))
        self.assertEqual(connection.execute("SELECT count(*) FROM other.things").fetchall(), [(0,)])

    def test_alone(self) -> None:
        """Who has a file to himself has it as long as nobody else has it open, in this process or another."""
        with alone(self.path, 0.0):
            pass
        connection = connect(self.path)
        connection.execute("SELECT * FROM things").fetchall()
        program = (
            "import sys; from connectordb.runtime.sqlite import alone\nwith alone(sys.argv[1], 0.0): print('alone')"
        )
        for _ in range(2):  # the first attempt takes nothing away from who has it open
            with self.assertRaisesRegex(InUse, "open elsewhere"), alone(self.path, 0.0):
                self.fail("it is open")
            done = subprocess.run(
                [sys.executable, "-c", program, self.path], capture_output=True, text=True, timeout=20
            )
            self.assertIn("InUse", done.stderr)
        connection.close()
        with alone(self.path, 0.0), self.assertRaises(StorageError):
            other = connect(self.path, only_look=True)
            self.addCleanup(other.close)
            other.set_busy_timeout(0)
            with translated(self.path, "reading"):
                other.execute("SELECT * FROM things").fetchall()

    def test_damaged(self) -> None:
        """What SQLite cannot make sense of is called damaged; what may not be written is not."""
        self.assertTrue(can_write(connection := connect(self.path)))
        connection.close()
        data = bytearray(self.path.read_bytes())
        data[44:48] = (77).to_bytes(4, "big")
        self.path.write_bytes(data)
        with self.assertRaises(StorageDamaged):
            connect(self.path)


class Opening(Case):
    """A file is opened for durable use, or an error says why it cannot be."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "x.db"

    def open(self) -> Connection:
        """Open the file; it is closed with the test."""
        connection = connect(self.path)
        self.addCleanup(connection.close)
        return connection

    def test_pragmas(self) -> None:
        """What was asked for is what SQLite does: it does not complain when it refuses."""
        connection = self.open()
        self.assertEqual(connection.pragma("journal_mode"), "wal")
        self.assertEqual(connection.pragma("synchronous"), 2)
        self.assertEqual(connection.pragma("foreign_keys"), 1)

    @unittest.skipIf(sys.platform == "win32", "no such permissions there")
    def test_private(self) -> None:
        """A new file, and what SQLite puts beside it, is readable by its owner only."""
        with transaction(connection := self.open()):
            make_table(connection)
        for name in os.listdir(self.path.parent):
            with self.subTest(name):
                self.assertEqual(stat.S_IMODE((self.path.parent / name).stat().st_mode), 0o600)

    def test_what_cannot_be_opened(self) -> None:
        """Each case says which file, what is wrong and what to do."""
        folder = self.folder()
        text = folder / "text"
        text.write_text("this is no database, however long one looks at it" * 50)
        for path, words in (
            (folder, "is a directory; give the path of a file"),
            (text, "no SQLite file"),
            (folder / "absent" / "x.db", "give a path where a file can be made"),
        ):
            with self.subTest(path.name), self.assertRaisesRegex(StorageError, words) as caught:
                connect(path)
            self.assertIn(str(path), str(caught.exception))

    def test_damaged(self) -> None:
        """A file that is damaged inside is told as such."""
        with sqlite3.connect(self.path) as plain:
            plain.execute("CREATE TABLE t(x)")
            plain.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 100)
        plain.close()
        content = bytearray(self.path.read_bytes())
        content[4096 : 4096 * 3] = os.urandom(8192)
        self.path.write_bytes(content)
        connection = self.open()
        with self.assertRaisesRegex(StorageError, "damaged"), translated(self.path, "reading"):
            connection.execute("SELECT sum(length(x)) FROM t").fetchall()

    def test_full(self) -> None:
        """A full disk is an error of its own, and what was there before is still there."""
        connection = self.open()
        with transaction(connection):
            make_table(connection)
            connection.execute("INSERT INTO things VALUES ('first')")
        connection.pragma("max_page_count", connection.pragma("page_count") + 1)
        with (
            self.assertRaisesRegex(StorageFull, "free some space"),
            translated(self.path, "writing"),
            transaction(connection),
        ):
            for _ in range(100):
                connection.execute("INSERT INTO things VALUES (?)", ("x" * 1000,))
        self.assertFalse(connection.in_transaction)
        self.assertEqual(connection.execute("SELECT name FROM things").fetchall(), [("first",)])


class Transactions(Case):
    """All or nothing."""

    def setUp(self) -> None:
        super().setUp()
        self.connection = connect(self.folder() / "x.db")
        self.addCleanup(self.connection.close)
        make_table(self.connection)

    def test_first(self) -> None:
        """The first row comes, or none; no statement stays open, however many rows there are."""
        self.assertIsNone(first(self.connection, "SELECT 1 WHERE false"))
        query = "SELECT name, ? FROM sqlite_schema UNION ALL SELECT name, ? FROM sqlite_schema"
        self.assertEqual((first(self.connection, query, (5, 6)) or ())[1:], (5,))
        self.assertEqual(self.connection.txn_state(), 0)

    def names(self) -> list[str]:
        """Return what is in the table."""
        return [str(row[0]) for row in self.connection.execute("SELECT name FROM things")]

    def test_first_within(self) -> None:
        """A text that would be longer is not made; others are as long as ever afterwards."""
        query = "SELECT group_concat(?1 || ?1, ?1)"
        half = "x" * 50_000
        for size, is_there in ((101_000, True), (99_999, False), (2**62, True)):
            self.assertEqual(first_within(self.connection, size, query, (half,)) is not None, is_there)
        self.assertEqual(first(self.connection, query, (half,)), (half * 2,))
        # so little is not refused that the file's own layout could not be read
        self.assertEqual(first_within(self.connection, 1, "SELECT name FROM things", ()), None)
        self.assertEqual(first_within(self.connection, 1, "SELECT 'abc'", ()), ("abc",))

    def test_commit(self) -> None:
        """A block that ends is committed."""
        with transaction(self.connection):
            self.connection.execute("INSERT INTO things VALUES ('a')")
        self.assertEqual((self.names(), self.connection.in_transaction), (["a"], False))

    def test_rollback(self) -> None:
        """A block that raises, even by Ctrl-C, leaves nothing."""
        for kind in (ValueError, KeyboardInterrupt):
            with self.subTest(kind), self.assertRaises(kind), transaction(self.connection):
                self.connection.execute("INSERT INTO things VALUES ('a')")
                raise kind
        self.assertEqual((self.names(), self.connection.in_transaction), ([], False))
