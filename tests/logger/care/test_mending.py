"""Tests of `connectordb.logger.care.mending`: a damaged file is replaced by one with all that could be read."""

from __future__ import annotations

import logging
import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
import unittest
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

import apsw

from connectordb.exceptions import StorageDamaged, StorageError
from connectordb.logger import Logger
from connectordb.logger.care import mending
from connectordb.logger.care.soundness import Check
from connectordb.logger.file import upgrade
from connectordb.logger.records import Note
from connectordb.logger.rows.store import Store
from connectordb.protocol import json_text, rest
from connectordb.protocol.paths import Path as StreamPath
from tests.damage.harm import HARMS, cut_off, differences, frames, log_harmed, page_harmed
from tests.damage.shapes import PAGE, Shape, contents, made
from tests.support.case import SOON, Case
from tests.support.logger_cases import PassCase, add


class FilesCase(Case):
    """Files of some shape, and harm."""

    def setUp(self) -> None:
        super().setUp()
        logging.disable(logging.WARNING)  # each mending is told
        self.addCleanup(logging.disable, logging.NOTSET)

    def shape(self, name: str, log: bool = False) -> Shape:
        """Return a file of that shape."""
        return made(name, self.folder(), log)

    def kept(self, path: Path) -> list[str]:
        """Return the names of what was kept of damaged files."""
        return sorted(name for name in os.listdir(path.parent) if ".damaged-" in name)


class DamageTests(FilesCase):
    """Whatever page is harmed, all rows of the others are there, and the numbers add up. (All pages: tests.damage.)"""

    def test_pages(self) -> None:
        """A page is zeroed, or holds anything; the file is cut off."""
        chance = random.Random(1)
        shape = self.shape("usual")
        waiting = random.Random(2).sample(sorted(shape.waiting), 2)
        for page in (1, 2, 3, 4, 5, *sorted(shape.aside)[:1], *waiting, shape.pages):
            for harm in ("zeroed", "its head flipped"):
                with self.subTest(page=page, harm=harm):
                    harmed = page_harmed(shape, self.folder(), harm, page, chance)
                    self.assertEqual(list(differences(shape, harmed)), [])
        for size in (0, 50, 700, PAGE, 10 * PAGE, 20 * PAGE + 99):
            with self.subTest(size=size):
                self.assertEqual(list(differences(shape, cut_off(shape, self.folder(), size))), [])

    def test_log(self) -> None:
        """A frame in the middle of the log is harmed: SQLite alone would drop all that was committed after it."""
        chance = random.Random(1)
        shape = self.shape("one by one", log=True)
        logged = frames(shape)
        for frame in (logged[3], logged[len(logged) // 2], logged[-3], None):
            with self.subTest(frame=frame):
                harmed = log_harmed(shape, self.folder(), "zeroed", frame, chance)
                self.assertEqual(list(differences(shape, harmed)), [])
                waiting = contents(harmed.path)[0]
                # the last page is in later frames as well
                self.assertGreaterEqual({row[1] for row in waiting}, {1000.0 + n for n in range(100, 149)})
                self.assertTrue(self.kept(harmed.path))

    def test_torn_log(self) -> None:
        """A log whose end was torn off, anywhere, gives all that was committed before, and is no damage."""
        shape = self.shape("one by one", log=True)
        size = Path(f"{shape.path}-wal").stat().st_size
        found = []
        for cut in sorted(random.Random(3).sample(range(40_000, size), 8)):
            path = shape.copy_to(self.folder())
            with open(f"{path}-wal", "r+b") as file:
                file.truncate(cut)
            Store(path).close()
            self.assertEqual(self.kept(path), [])
            waiting = contents(path)[0]
            self.assertEqual([row[1] for row in waiting], [1000.0 + n for n in range(len(waiting))])
            found.append(len(waiting))
        self.assertEqual(found, sorted(found))
        self.assertGreater(found[-1], 100)

    def test_log_without_file(self) -> None:
        """Of a file that is empty the log is taken, which SQLite would delete."""
        shape = self.shape("one by one", log=True)
        path = shape.copy_to(self.folder())
        path.write_bytes(b"")
        Store(path).close()
        self.assertEqual(len(contents(path)[0]), 150)

    def test_log_of_a_new_file(self) -> None:
        """A file of which not even the layout is whole, on a disk that lies about what it flushed, is made anew."""
        shape = self.shape("one by one", log=True)
        path = shape.copy_to(self.folder())
        _, third, *more = frames(shape)[1:]
        second = [frame for frame in more if frame.ends][1]
        with open(f"{path}-wal", "r+b") as file:
            file.truncate(second.content + PAGE)
            # of no transaction it can be known that it is whole; what the disk took last says that there were two
            for frame in (third, *more[1 : more.index(second)]):
                if not frame.ends:
                    file.seek(frame.at)
                    file.write(bytes(24 + PAGE))
        Store(path).close()
        self.assertEqual(contents(path)[0], [])
        self.assertTrue(self.kept(path))

    def test_sound_files(self) -> None:
        """Files that are as they should be are opened as they are, with and without a log."""
        for name in ("small", "usual", "large values"):
            for log in (False, True):
                path = self.shape(name, log).copy_to(self.folder())
                before = path.stat().st_ino
                with mock.patch.object(mending, "_mend", side_effect=AssertionError("mended")):
                    Store(path).close()
                self.assertEqual(path.stat().st_ino, before)

    def test_old_layout(self) -> None:
        """Of a damaged file of 0.3.5 what can be read is taken over, as that of a sound one is."""
        path = self.folder() / "old.db"
        connection = sqlite3.connect(path)
        connection.executescript(
            "CREATE TABLE cache (stream TEXT, timestamp REAL, jsondata TEXT);"
            "CREATE TABLE streams (stream TEXT, jsonschema TEXT);"
            "CREATE TABLE metadata (apikey TEXT, serverurl TEXT, lastsynctime REAL, syncperiod REAL, userdatajson TEXT);"
        )
        rows = [("s", 1000.0 + n, str(n)) for n in range(3000)]
        connection.executemany("INSERT INTO cache VALUES (?, ?, ?)", rows)
        connection.execute("""INSERT INTO streams VALUES ('s', '{"type": "number"}')""")
        connection.execute("INSERT INTO metadata VALUES ('key', 'http://example.com', 0, 600, '{}')")
        connection.commit()
        connection.close()
        sound = path.read_bytes()
        for page in range(1, len(sound) // PAGE + 1):
            with self.subTest(page=page):
                harmed = self.folder() / "old.db"
                harmed.write_bytes(sound[: (page - 1) * PAGE] + b"\0" * PAGE + sound[page * PAGE :])
                store = Store(harmed)
                self.assertGreater(store.points.waiting(), 2700)
                self.assertIn("s", [stream.name for stream in store.catalogue.streams()])
                self.assertEqual(store.notes.streams(), [1])
                store.close()


class BadSector(apsw.VFS):
    """A disk that cannot read one page of a database that was there before; what is read past SQLite is not disturbed."""

    def __init__(self, page: int) -> None:
        self.at = (page - 1) * PAGE
        self.base = apsw.vfs_names()[0]
        super().__init__("bad sector", self.base, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        """Open a file."""
        return _BadFile(self, name, flags)


class _BadFile(apsw.VFSFile):
    def __init__(self, disk: BadSector, name: Any, flags: list[int]) -> None:
        self._disk = disk
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._is_bad = bool(flags[0] & apsw.SQLITE_OPEN_MAIN_DB) and not path.endswith(".mended")
        super().__init__(disk.base, name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:
        """Read, but for one page."""
        if self._is_bad and offset <= self._disk.at < offset + amount:
            raise apsw.exception_for(apsw.SQLITE_IOERR_READ)
        return super().xRead(amount, offset)


class BadSectorTests(FilesCase):
    """What the disk cannot read counts as damaged."""

    def test_mended(self) -> None:
        """The file is replaced by one on sound sectors; where reading works at last, nothing is lost."""
        shape = self.shape("usual")
        path = shape.copy_to(self.folder())
        disk = BadSector(sorted(shape.waiting)[7])
        try:
            with self.assertRaisesRegex(StorageDamaged, "is damaged"):
                upgrade.open_file(path, Check(path))
            mending._mend(path, "")
        finally:
            disk.unregister()
        self.assertEqual(contents(path)[0], contents(shape.path)[0])
        self.assertEqual(len(self.kept(path)), 1)


class KeepingTests(FilesCase):
    """What there was is kept, and nothing else is touched."""

    def damaged(self) -> Path:
        """Return a file that is."""
        shape = self.shape("usual")
        return page_harmed(shape, self.folder(), "zeroed", sorted(shape.waiting)[3], random.Random(1)).path

    def test_kept(self) -> None:
        """The old file is there, as it was, readable by its owner only, with a name that says when; it is told."""
        path = self.damaged()
        os.chmod(path, 0o644)
        before = path.read_bytes()
        logging.disable(logging.NOTSET)
        with self.assertLogs("connectordb.logger.care.mending", "WARNING") as logs:
            Store(path).close()
        (name,) = self.kept(path)
        self.assertRegex(name, r"^cache\.db\.damaged-\d{8}-\d{6}$")
        kept = path.with_name(name)
        self.assertEqual(kept.read_bytes()[100:], before[100:])
        if sys.platform != "win32":
            self.assertEqual([stat.S_IMODE(file.stat().st_mode) for file in (path, kept)], [0o600, 0o600])
        self.assertRegex(logs.output[0], rf"the file is damaged.*points wait.*are lost.*kept as {name}")

    def test_status(self) -> None:
        """The file itself remembers, and its Logger says it."""
        path = self.damaged()
        with Logger(path) as log:
            status = log.status()
        assert status.mended is not None
        self.assertEqual((status.mended.kept, status.mended.lost), (self.kept(path)[0], status.lost))
        self.assertTrue(status.mended.in_doubt)
        self.assertGreater(status.lost, 0)
        self.assertRegex(str(status), rf"damaged, and mended .* kept as {status.mended.kept}\n")
        self.assertEqual(
            status.accepted, status.confirmed + status.waiting + status.aside + status.dropped + status.lost
        )

    def test_plan_is_damaged(self) -> None:
        """If what a killed process wrote down cannot be read, it is told what to do."""
        path = self.damaged()
        path.with_name("cache.db.mending").write_bytes(b"\0" * 100)
        with self.assertRaisesRegex(StorageDamaged, r"'cache\.db\.mending', which .* is damaged itself"):
            Store(path)

    def test_more_tables(self) -> None:
        """A table that somebody else added is no damage."""
        path = self.shape("small").copy_to(self.folder())
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE mine (id INTEGER)")
        Store(path).close()
        self.assertEqual(self.kept(path), [])

    def test_twice(self) -> None:
        """A second damage in the same second gets a name of its own."""
        path = self.damaged()
        with mock.patch("time.strftime", return_value="20261121-174102"):
            Store(path).close()
            data = path.read_bytes()
            path.write_bytes(data[: 3 * PAGE])
            Store(path).close()
        self.assertEqual(self.kept(path), ["cache.db.damaged-20261121-174102", "cache.db.damaged-20261121-174102-2"])

    def test_not_ours(self) -> None:
        """What is no Logger's is refused, and stays, and nothing is put beside it."""
        folder = self.folder()
        path = folder / "x.db"
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, at REAL)")
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?)", [(n, f"name {n}", n / 3) for n in range(2000)])
        connection.commit()
        connection.close()
        sound = path.read_bytes()
        for content in (sound, b"\0" * 200 + sound[200:], sound[:20_000], b"my diary", os.urandom(20_000)):
            path.write_bytes(content)
            with self.assertRaises(StorageError):
                Store(path)
            self.assertEqual((os.listdir(folder), path.read_bytes()), (["x.db"], content))

    def test_newer(self) -> None:
        """A file of a newer program is refused, damaged or not."""
        path = self.damaged()
        data = path.read_bytes()
        path.write_bytes(data[:60] + (7).to_bytes(4, "big") + data[64:])
        with self.assertRaisesRegex(StorageError, "newer version"):
            Store(path)
        self.assertEqual(self.kept(path), [])

    def test_zeros(self) -> None:
        """A file of nothing but zeros, as a power cut may leave it, begins anew."""
        path = self.folder() / "cache.db"
        path.write_bytes(b"\0" * 20_000)
        Store(path).close()
        self.assertEqual(len(self.kept(path)), 1)


class WhileRunningTests(FilesCase):
    """Damage is found where a page is used."""

    def test_found_later(self) -> None:
        """Using it is a clear error; when the file is opened next, all of it is gone through and mended."""
        shape = self.shape("usual")
        page = sorted(shape.waiting)[10]
        path = page_harmed(shape, self.folder(), "zeroed", page, random.Random(1)).path
        with mock.patch("connectordb.logger.care.soundness._SMALL", 0):
            store = Store(path)  # too large to be gone through
            store.points.append(1, 1e9, "1", 0)
            with self.assertRaisesRegex(StorageDamaged, r"reading '.*cache\.db': the file is damaged"):
                store.points.rows(0, 2**62, 10**6, 10**9)
            store.close()
            self.assertEqual(self.kept(path), [])
            Store(path).close()
        self.assertEqual(len(contents(path)[0]), 4999 - len(shape.waiting[page]))
        self.assertEqual(len(self.kept(path)), 1)
        self.assertFalse(path.with_name("cache.db.suspect").exists())

    def test_false_alarm(self) -> None:
        """If nothing is wrong after all, it is opened as it is."""
        path = self.shape("small").copy_to(self.folder())
        mending.suspect(path)
        Store(path).close()
        self.assertEqual(os.listdir(path.parent), ["cache.db"])

    def test_open_elsewhere(self) -> None:
        """While another has it open it is not replaced beneath that."""
        shape = self.shape("usual")
        path = shape.copy_to(self.folder())
        store = Store(path)
        store.points.append(2, 1e9, "1", 0)
        with open(path, "r+b") as file:
            file.seek((sorted(shape.waiting)[3] - 1) * PAGE)
            file.write(b"\0" * PAGE)
        mending.suspect(path)
        with mock.patch.object(mending, "_A_MOMENT", 0.01), self.assertRaisesRegex(StorageDamaged, "others have it"):
            Store(path)
        store.points.append(2, 2e9, "2", 0)
        store.close()
        store = Store(path)
        self.addCleanup(store.close)
        self.assertEqual(len(self.kept(path)), 1)
        self.assertEqual([row.d for row in store.points.rows((2 << 40) + 3001, 2**62, 9, 999)], ["1", "2"])

    def test_at_once(self) -> None:
        """Of several processes that open a damaged file at once one mends it, and all go on."""
        shape = self.shape("usual")
        page = sorted(shape.waiting)[5]
        path = page_harmed(shape, self.folder(), "zeroed", page, random.Random(1)).path
        program = (
            "import sys; from connectordb.logger.rows.store import Store; "
            "store = Store(sys.argv[1]); store.points.append(2, 1e9, '1', 0); store.close()"
        )
        processes = [subprocess.Popen([sys.executable, "-W", "ignore", "-c", program, str(path)]) for _ in range(3)]
        self.assertEqual([process.wait(3 * SOON) for process in processes], [0, 0, 0])
        self.assertEqual(len(self.kept(path)), 1)
        self.assertEqual(len(contents(path)[0]), 5001 - len(shape.waiting[page]))


#: Opens the file of each argument in a process of its own, which is killed before the first, second … thing that it does to files.
_KILLED = """
import logging, os, sys
logging.disable(logging.CRITICAL)
from connectordb.logger.care import mending

def counted(work):
    def run(*args, **options):
        global left
        left -= 1
        if left == 0:
            os._exit(9)
        return work(*args, **options)
    return run

for name in ("replace", "link", "chmod", "fsync", "unlink"):
    setattr(os, name, counted(getattr(os, name)))
mending.salvage = counted(mending.salvage)
for number, path in enumerate(sys.argv[1:], 1):
    left = number
    if (child := os.fork()) == 0:
        mending.open_file(path).close()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@unittest.skipUnless(hasattr(os, "fork"), "no fork there")
class KilledTests(FilesCase):
    """A process that is killed while it mends loses nothing: the next one goes on."""

    def test_each_step(self) -> None:
        """It ends before each thing that it does to a file."""
        shape = self.shape("one by one", log=True)
        frame = frames(shape)[10]
        paths = [log_harmed(shape, self.folder(), "zeroed", frame, random.Random(1)).path for _ in range(25)]
        done = subprocess.run(
            [sys.executable, "-c", _KILLED, *map(str, paths)], capture_output=True, text=True, timeout=3 * SOON
        )
        statuses = [int(line) for line in done.stdout.split()]
        self.assertEqual(sorted(statuses, reverse=True), statuses, done.stderr)
        self.assertEqual((len(statuses), statuses[-1]), (25, 0), done.stderr)
        self.assertGreater(statuses.count(9), 10)
        for step, (path, status) in enumerate(zip(paths, statuses, strict=True), 1):
            with self.subTest(step=step, status=status):
                Store(path).close()
                waiting = contents(path)[0]
                self.assertGreaterEqual({row[1] for row in waiting}, {1000.0 + n for n in range(50, 149)})
                left = [name for name in os.listdir(path.parent) if name.endswith((".mending", ".mended", "-journal"))]
                self.assertEqual(left, [])
                self.assertGreaterEqual(len([name for name in self.kept(path) if name[-4:] not in ("-wal", "-shm")]), 1)


class OnceTests(PassCase):
    """Mending does not have anything sent twice, or left out."""

    def setUp(self) -> None:
        super().setUp()
        logging.disable(logging.WARNING)
        self.addCleanup(logging.disable, logging.NOTSET)

    def zero(self, *tables: str) -> None:
        """Close the file, make every page of some tables zeros, and open it."""
        self.store.close()
        with closing(apsw.Connection(str(self.path))) as connection:
            query = "SELECT name, pageno FROM dbstat"
            pages = [page for name, page in connection.execute(query) if name in tables]
        with open(self.path, "r+b") as file:
            for page in pages:
                file.seek((page - 1) * PAGE)
                file.write(b"\0" * PAGE)
        self.store = Store(self.path)

    def sent_unnoticed(self, count: int) -> None:
        """Have the server store the first of what waits, of which the file has a note, and nothing more."""
        rows = self.waiting()[:count]
        note = Note(self.id, rows[0].id, rows[-1].id, self.server.address, self.key, f"{self.room}/s", 0, None)
        self.store.notes.write(note)
        points = [{"t": row.t, "d": json_text.loads(row.d)} for row in rows]
        self.server.call(rest.insert(StreamPath.parse(f"{self.room}/s"), points))

    def test_tables(self) -> None:
        """Whatever table is gone, what was sent is found on the server, and only the rest is sent."""
        for table in ("note", "stream", "setting", "sqlite_autoindex_stream_1", "era", "fate"):
            with self.subTest(table):
                self.store.close()
                self.path = self.folder() / "a.db"
                self.store = Store(self.path)
                self.server_stream.delete()
                self.new_stream()
                self.id = add(self.store, "s")
                self.log(*map(str, range(10)))
                self.sent_unnoticed(6)
                self.zero(table)
                self.log("10")
                self.run_passes()
                self.assertEqual(self.stored(), list(range(11)))
                self.assertEqual(self.store.aside.points(), [])
                self.assert_adds_up()

    def test_pages(self) -> None:
        """Whatever page is harmed, what is left arrives once; of 160 rows that were sent the file knows of 120."""
        self.store.close()
        base = self.folder() / "base.db"
        values = [{"n": n, "x": "y" * 200} for n in range(300)]
        with closing(Store(base)) as store:
            self.id = add(store, "s")
            first = (self.id << 40) + 1
            store.points.append_many(
                {self.id: [(1000.0 + n, json_text.dumps(value).decode()) for n, value in enumerate(values)]}, 1.0
            )
            store.notes.resolve(self.id, list(range(first, first + 120)))
            server, path = self.server.address, f"{self.room}/s"
            store.notes.write(Note(self.id, first + 120, first + 159, server, self.key, path, 120, 1119.0))
        with closing(apsw.Connection(str(base))) as connection:
            query = "SELECT pageno, ncell FROM dbstat WHERE name = 'point' AND pagetype = 'leaf' ORDER BY path"
            leaves = connection.execute(query).fetchall()
        data, chance = base.read_bytes(), random.Random(5)
        for page in (1, 3, 5, leaves[1][0], leaves[-1][0]):
            for harm in ("zeroed", "16 bytes flipped"):
                with self.subTest(page=page, harm=harm):
                    self.path = self.folder() / "a.db"
                    at = (page - 1) * PAGE
                    self.path.write_bytes(data[:at] + HARMS[harm](data[at : at + PAGE], chance) + data[at + PAGE :])
                    self.server_stream.delete()
                    self.new_stream()
                    sent = [{"t": 1000.0 + n, "d": value} for n, value in enumerate(values[:160])]
                    self.server.call(rest.insert(StreamPath.parse(path), sent))
                    self.store = Store(self.path)
                    self.run_passes()
                    found = [point["n"] for point in self.stored() if isinstance(point, dict) and "n" in point]
                    self.assertEqual(sorted(set(found)), found)
                    harmed = dict(leaves).get(page, 0)
                    self.assertGreaterEqual(len(self.stored()) + len(self.store.aside.points()), 300 - harmed)
                    self.assert_adds_up()
                    self.store.close()

    def test_names_are_gone(self) -> None:
        """A stream whose name is lost everywhere but in a note has it from there."""
        self.log("1", "2")
        self.sent_unnoticed(2)
        self.zero("stream", "sqlite_autoindex_stream_1")
        self.assertEqual([stream.name for stream in self.store.catalogue.streams()], ["s"])
        self.run_passes()
        self.assertEqual(self.stored(), [1, 2])

    def test_numbers_are_not_used_again(self) -> None:
        """Rows that come after the mending have numbers that none had before."""
        self.log(*map(str, range(1000)))
        last = self.waiting()[-1].id
        self.store.close()
        data = self.path.read_bytes()
        self.path.write_bytes(data[: len(data) - 2 * PAGE])
        self.store = Store(self.path)
        self.log("5")
        self.assertGreater(self.waiting()[-1].id, last)
        self.assert_adds_up()


class LoggerTests(FilesCase):
    """A Logger opens a damaged file as if nothing were."""

    def test_open(self) -> None:
        """Its streams are there; what lost its settings is made again by on_create."""
        shape = self.shape("usual")
        folder = self.folder()
        path = page_harmed(shape, folder, "zeroed", 2, random.Random(1)).path
        called = threading.Event()
        with Logger(path, on_create=lambda logger: called.set()) as log:
            self.assertEqual(sorted(log.streams), ["door", "temperature"])
            log.insert("door", {"n": 1, "x": ""})
        self.assertTrue(called.is_set())
