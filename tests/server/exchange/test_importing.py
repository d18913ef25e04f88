"""Imports into databases."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.exceptions import DatabaseInUse, LocalProtocolError, StorageError, StorageFull
from connectordb.server import database
from connectordb.server.exchange import Imported, export_database, import_database, importing
from connectordb.server.exchange import points as points_module
from connectordb.server.rights.accounts import Key, LoginRefused, Password, confirm, look_up
from connectordb.server.storage import Series, Writer
from connectordb.server.storage.access import SQLiteWriter

from ...support.case import SOON
from ...support.server import refused_at_once
from .case import ORIGINAL, STREAM, ExchangeCase, edit, tree

_PASSWORDS = {"mara": "sesame-öffne dich", "ben": "b" * 80, "sha": "öffne dich", "test": "test"}


def loaded(content: Any) -> Any:
    """Return what the files of an export say, schemas as objects and numbers as they are stored."""
    if isinstance(content, dict):
        return {key: json.loads(value) if key == "schema" else loaded(value) for key, value in content.items()}
    if isinstance(content, list):
        return [loaded(item) for item in content]
    return float(content) if type(content) is int else content


class OfTheOriginal(ExchangeCase):
    """An export of a real server becomes a database that has all of it."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.top / "db"

    def test_whole(self) -> None:
        """A folder that is not there becomes a database of the export alone; exported, it is the same again."""
        done = import_database(self.path, ORIGINAL)
        self.assertEqual(done, Imported(users=4, devices=10, streams=14, points=636, warnings=[]))
        again = self.top / "again"
        export_database(self.path, again)
        self.assertEqual(loaded(tree(again)), loaded(tree(ORIGINAL)))

    def test_logging_in(self) -> None:
        """Everybody logs in as before, by password and by key, and with nothing else."""
        import_database(self.path, ORIGINAL)
        with database.open(self.path) as opened:
            for name, password in _PASSWORDS.items():
                for login in (Password(name, password), Password(f"{name}@example.org", password)):
                    if name == "test" and "@" in login.name:
                        continue
                    claim = opened.storage.read(lambda reader, login=login: look_up(reader, login)).result(SOON)
                    self.assertEqual(confirm(claim).path, f"{name}/user")
            claim = opened.storage.read(lambda reader: look_up(reader, Key("lamp-key-1"))).result(SOON)
            self.assertEqual(claim.caller.path, "mara/lamp")

    def test_ephemeral(self) -> None:
        """What a stream holds that became ephemeral is kept, which the original loses."""
        import_database(self.path, ORIGINAL)
        self.assertEqual(self.points(self.path, "mara/lamp/was_ephemeral"), [{"t": 1, "d": 1}, {"t": 2, "d": 2}])

    def test_beside_others(self) -> None:
        """Others that are there stay; what is in the way is told, with what can be done."""
        database.create(self.path, user="owner", password="p", email="owner@example.org")
        import_database(self.path, ORIGINAL)
        names = self.read(self.path, lambda reader: [user.name for user in reader.users()])
        self.assertEqual(names, ["owner", "ben", "mara", "sha", "test"])

    def test_some(self) -> None:
        """Only some users can be asked for, who must be there."""
        done = import_database(self.path, ORIGINAL, only=("ben", "sha"))
        self.assertEqual((done.users, done.streams), (2, 3))
        self.assertIn("no administrator", done.warnings[0])
        with self.assertRaises(LocalProtocolError) as caught:
            import_database(self.path, ORIGINAL, only=("bob",))
        self.assertIn("bob: there is no such user", str(caught.exception))

    def test_some_of_a_damaged_one(self) -> None:
        """What is wrong with others does not matter then."""
        export = self.original()
        (export / "mara/lamp/level/data.json").unlink()
        edit(export / "sha/user.json", email="ben@example.org")
        self.assertEqual(import_database(self.path, export, only=("ben",)).users, 1)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=5,
)
POINTS = st.lists(st.tuples(st.floats(0, 1e10), VALUES), max_size=8).map(
    lambda pairs: [{"t": t, "d": d} for t, (_, d) in zip(sorted(t for t, _ in pairs), pairs, strict=True)]
)


class RoundTrip(ExchangeCase):
    """What is exported, imported and exported again is the same, to the last byte."""

    @settings(max_examples=10)
    @given(TEXTS, st.lists(st.tuples(POINTS, POINTS, st.booleans(), st.booleans(), TEXTS), max_size=3))
    def test_any(self, email: str, streams: list[tuple[Any, Any, bool, bool, str]]) -> None:
        """Whatever the texts, values, times and flags are."""
        with TemporaryDirectory(dir=self.top) as folder:
            top = Path(folder)
            database.create(top / "a", user="mara", password="secret")

            def fill(writer: Writer) -> None:
                found = writer.find(("mara", "user"))
                assert found.user is not None and found.device is not None
                writer.update_user(found.user.id, {"email": f"{email}@example.org", "nickname": email})
                for number, (points, commands, ephemeral, downlink, text) in enumerate(streams):
                    fields = {**STREAM, "ephemeral": ephemeral, "downlink": downlink, "description": text}
                    stream = writer.create_stream(found.device.id, {"name": f"s{number}", **fields})
                    for series, values in ((False, points), (downlink, commands if downlink else [])):
                        if values:
                            writer.insert(Series(stream.id, series), [dict(point) for point in values], False)

            self.write(top / "a", fill)
            export_database(top / "a", top / "first")
            done = import_database(top / "b", top / "first")
            self.assertEqual(done.warnings, [])
            export_database(top / "b", top / "second")
            self.assertEqual(files(top / "second"), files(top / "first"))


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Refused(ExchangeCase):
    """What cannot go in is told before anything is written."""

    def refused(self, path: Path, export: Path, *expected: str, **options: Any) -> None:
        """Try an import; what is there stays as it is."""
        before = path.exists() and self.everything(path)
        with self.assertRaises(LocalProtocolError) as caught:
            import_database(path, export, **options)
        for part in expected:
            self.assertIn(part, str(caught.exception))
        self.assertEqual(path.exists() and self.everything(path), before)

    def everything(self, path: Path) -> dict[str, Any]:
        """Return all that a database holds."""
        out = self.top / "everything"
        export_database(path, out)
        found = tree(out)
        shutil.rmtree(out)
        return found

    def test_damaged(self) -> None:
        """An export with something wrong in it makes no database, and all of it is told."""
        export = self.original()
        edit(export / "mara/user.json", name="../x")
        (export / "ben/box/n/data.json").unlink()
        self.refused(self.top / "db", export, "'../x' is no name", "no data.json", "nothing was changed")

    def test_points(self) -> None:
        """Points are looked at before, too."""
        export = self.original()
        (export / "ben/box/n/data.json").write_text('[{"t":1},{"t":"now"}]')
        (export / "mara/lamp/large/data.json").write_text('[{"t":1},{"t":')
        self.refused(self.top / "db", export, "ben/box/n/data.json: point 1: its time", "large/data.json: point 1: ")

    def test_in_the_way(self) -> None:
        """Users that differ, addresses and keys that others have are conflicts, all told at once."""
        path = self.top / "db"
        database.create(path, user="test", password="other", email="mara@example.org")

        def take_key(writer: Writer) -> None:
            device = writer.find(("test", "user")).device
            assert device is not None
            writer.update_device(device.id, {"apikey": "lamp-key-1"})

        self.write(path, take_key)
        self.refused(
            path,
            ORIGINAL,
            "test: it is there already, with another email, password",
            "mara: the user 'test' has its email address already",
            "mara/lamp: test/user has its API key already",
            "test/user: it is there already, with another apikey",
            "connectordb user DIR remove",
        )

    def test_other_points(self) -> None:
        """A stream that has other points than the export is a conflict; one that has more is not."""
        path = self.top / "db"
        import_database(path, ORIGINAL)
        export = self.original()
        (export / "mara/lamp/level/data.json").write_text('[{"t":10,"d":0.5},{"t":10,"d":7},{"t":99}]')
        edit(export / "mara/lamp/device.json", nickname="another")
        self.refused(
            path, export, "mara/lamp/level: from index 1 on", "mara/lamp: it is there already, with another nickname"
        )

    def test_running(self) -> None:
        """No server may run on it."""
        path = self.database()
        with refused_at_once(), database.open(path), self.assertRaises(DatabaseInUse):
            import_database(path, ORIGINAL)

    def test_no_database(self) -> None:
        """A folder that is something else is left alone."""
        (self.top / "db").mkdir()
        with self.assertRaises(StorageError):
            import_database(self.top / "db", ORIGINAL)
        self.assertEqual(list((self.top / "db").iterdir()), [])


class Again(ExchangeCase):
    """An import that was stopped goes on; one that is complete changes nothing."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.top / "db"

    def test_complete(self) -> None:
        """The second time nothing is made, also where streams have grown since and hashes are as they were."""
        import_database(self.path, ORIGINAL)

        def grow(writer: Writer) -> None:
            stream = writer.find(("ben", "box", "n")).stream
            assert stream is not None
            writer.insert(Series(stream.id), [{"t": 5}], False)

        self.write(self.path, grow)
        done = import_database(self.path, ORIGINAL)
        self.assertEqual(done, Imported(present=636))

    def test_deleted_since(self) -> None:
        """What is not there any more is made again."""
        import_database(self.path, ORIGINAL)

        def delete(writer: Writer) -> None:
            found = writer.find(("mara", "lamp", "level"))
            assert found.stream is not None
            writer.delete_stream(found.stream.id)

        self.write(self.path, delete)
        done = import_database(self.path, ORIGINAL)
        self.assertEqual((done.users, done.devices, done.streams, done.points), (0, 0, 1, 4))

    def test_killed(self) -> None:
        """Killed at any write, it goes on where it was: each point once, in order."""
        source = self.database("source")
        points = [{"t": 1 + index, "d": index} for index in range(2500)]
        for name in ("a", "b"):
            self.stream(source, name, points)
        export = self.top / "export"
        export_database(source, export)
        program = (
            "import os, signal, sys; sys.path.insert(0, sys.argv[4])\n"
            "from connectordb.server import import_database\n"
            "from connectordb.server.exchange import importing, points\n"
            "points.BATCH_POINTS = 100\n"
            "insert, left = importing._insert, [int(sys.argv[3])]\n"
            "def killing(*args, **kwargs):\n"
            "    left[0] -= 1\n"
            "    if left[0] < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
            "    return insert(*args, **kwargs)\n"
            "importing._insert = killing\n"
            "import_database(sys.argv[1], sys.argv[2])\n"
        )
        for number in (7, 30):
            arguments: list[Any] = [sys.executable, "-c", program, self.path, export, number, Path(__file__).parents[3]]
            done = subprocess.run([str(each) for each in arguments], timeout=60, check=False)
            self.assertEqual(done.returncode, -9)
        last = import_database(self.path, export)
        self.assertGreater(last.present, 2500)
        self.assertEqual(last.present + last.points, 5000)
        self.assertEqual(self.points(self.path, "test/user/a"), points)
        self.assertEqual(self.points(self.path, "test/user/b"), points)

    def test_failed(self) -> None:
        """An error in the middle leaves what can be gone on from."""
        real = importing._insert
        calls = iter(range(100))

        def failing(writer: Writer, **rest: Any) -> int:
            if next(calls) == 3:
                raise StorageError("the disk broke")
            return real(writer, **rest)

        with mock.patch.object(importing, "_insert", failing), self.assertRaises(StorageError):
            import_database(self.path, ORIGINAL)
        done = import_database(self.path, ORIGINAL)
        self.assertEqual(done.present + done.points, 636)

    def test_failed_once(self) -> None:
        """What was handed in behind points that could not be stored is not stored either: it would have their indices."""
        source, export = self.database("source"), self.top / "export"
        points = [{"t": 1 + index, "d": index} for index in range(450)]
        self.stream(source, "a", points)
        export_database(source, export)
        real = SQLiteWriter.insert
        calls = iter(range(100))

        def full(writer: SQLiteWriter, *args: Any, **rest: Any) -> Any:
            if next(calls) == 3:
                raise StorageFull("the disk is full, for so many points at least")
            return real(writer, *args, **rest)

        patches = mock.patch.object(points_module, "BATCH_POINTS", 100), mock.patch.object(SQLiteWriter, "insert", full)
        with patches[0], patches[1], self.assertRaises(StorageFull):
            import_database(self.path, export)
        done = import_database(self.path, export)
        self.assertEqual((done.present, done.points), (300, 150))
        self.assertEqual(self.points(self.path, "test/user/a"), points)


class Faults(ExchangeCase):
    """What other exports have, and other servers make of it."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.top / "db"

    def test_out_of_order(self) -> None:
        """Points of an old export that are out of order are sorted, and that is told; also when it is run again."""
        export = self.original()
        (export / "ben/box/n/data.json").write_text('[{"t":3},{"t":1,"d":1},{"t":3,"d":2},{"t":1,"d":0}]')
        done = import_database(self.path, export)
        self.assertEqual(len(done.warnings), 1)
        self.assertIn("ben/box/n", done.warnings[0])
        expected = [{"t": 1, "d": 1}, {"t": 1, "d": 0}, {"t": 3}, {"t": 3, "d": 2}]
        self.assertEqual(self.points(self.path, "ben/box/n"), expected)
        self.assertEqual(import_database(self.path, export).points, 0)

    def test_private_user(self) -> None:
        """A public device of a user who became private comes in, which the original refuses."""
        export = self.original()
        edit(export / "ben/box/device.json", public=True)
        self.assertEqual(import_database(self.path, export).users, 4)

    def test_schema(self) -> None:
        """A stream whose schema cannot be used here keeps its points, and that is told."""
        export = self.original()
        edit(export / "mara/lamp/level/stream.json", schema='{"type": "nonsense"}')
        done = import_database(self.path, export)
        self.assertIn("mara/lamp/level: its schema cannot be used here", done.warnings[0])
        self.assertEqual(len(self.points(self.path, "mara/lamp/level")), 4)
        self.assertEqual(import_database(self.path, export).streams, 0)

    def test_useless_hash(self) -> None:
        """A hash that no password fits is told."""
        export = self.original()
        edit(export / "ben/user.json", password="$2a$31$" + "a" * 53)
        self.assertIn("ben: no password fits", import_database(self.path, export).warnings[0])

    def test_version_1(self) -> None:
        """Of an export by a client the password is the name, or none; keys that it does not tell are made."""
        export = self.original()
        edit(export / "connectordb.json", Version=1)
        for name in _PASSWORDS:
            edit(export / name / "user.json", password=None, password_salt=None, password_scheme=None)
        edit(export / "ben/box/device.json", apikey="")
        for locked in (False, True):
            with self.subTest(locked=locked):
                path = self.top / f"db-{locked}"
                done = import_database(path, export, locked=locked)
                self.assertEqual(len(done.warnings), 4)
                self.assertIn("ben: ", done.warnings[0])
                with database.open(path) as opened:
                    login = Password("ben", "ben")
                    claim = opened.storage.read(lambda reader, login=login: look_up(reader, login)).result(SOON)
                    if locked:
                        self.assertRaises(LoginRefused, confirm, claim)
                    else:
                        self.assertEqual(confirm(claim).path, "ben/user")
                    box = opened.storage.read(lambda reader: reader.find(("ben", "box"))).result(SOON).device
                self.assertGreater(len(box.apikey), 30)
                self.assertEqual(import_database(path, export, locked=locked).users, 0)

    def test_changed_meanwhile(self) -> None:
        """An export that is changed while it is imported is told as one; mended, it goes on."""
        export = self.original()
        path = export / "mara" / "lamp" / "large" / "data.json"
        good = path.read_text()
        for bad in ('[{"t":5},{"t":1}]', '[{"t":5},', "[7]"):
            with self.subTest(bad=bad):

                def progress(what: str, done: int, all: int, bad: str = bad) -> None:
                    if what == "ben":
                        path.write_text(bad)

                with self.assertRaises(LocalProtocolError) as caught:
                    import_database(self.path, export, progress=progress)
                self.assertIn("was changed while it was imported", str(caught.exception))
                path.write_text(good)
        self.assertEqual(import_database(self.path, export).users, 2, "those behind")
        self.assertEqual(len(self.points(self.path, "mara/lamp/large")), 600)

    def test_progress(self) -> None:
        """Progress goes to all that there is, once for looking and once for importing."""
        told: list[tuple[str, int, int]] = []
        import_database(self.path, ORIGINAL, progress=lambda *args: told.append(args))
        everything = sum(
            path.stat().st_size for name in ("data.json", "downlink.json") for path in ORIGINAL.rglob(name)
        )
        self.assertEqual([done for what, done, _ in told if what == "checking"][-1], everything)
        self.assertEqual(told[-1][1:], (everything, everything))
