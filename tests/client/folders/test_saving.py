"""Tests of `connectordb.client.folders.saving`."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from filelock import FileLock

from connectordb import ConnectionFailed, ConnectorDB, DatapointArray, Device, StorageError, Stream, User
from connectordb.client import Saved, save
from connectordb.client.folders import saving
from tests.support.target import TargetCase, new_name

POINTS = [{"t": 1.5 + number, "d": [number, "é\n", None][: number % 4]} for number in range(25)]


def contents(folder: Path) -> dict[str, bytes]:
    """Return what the files of a folder hold."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


class SavingCase(TargetCase):
    """A lamp with two streams; pages of ten points."""

    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch.object(saving, "PAGE", 10)
        patch.start()
        self.addCleanup(patch.stop)
        self.target = self.folder() / "saved"
        self.unfinished = self.target.with_name("saved.unfinished")

    def lamp(self) -> ConnectorDB:
        """Return the connection of a new device."""
        device = self.person().user[new_name()]
        device.create(nickname="Lamp")
        cdb = self.connect(device.apikey)
        cdb["light"].create(downlink=True, nickname="L")
        cdb["light"].insert_array(POINTS)
        self.person()(f"{device.path}/light").insert_array([{"t": 5.0, "d": 7}, {"t": 5.0, "d": 8}])
        cdb["empty"].create()
        return cdb

    def exported(self, thing: User | Device | Stream) -> dict[str, bytes]:
        """Return what an export writes."""
        folder = self.folder() / "export"
        thing.export(folder)
        return contents(folder)

    def cut_off(self, thing: User | Device | Stream, after: int) -> None:
        """Save, until the line is cut after so many pages."""
        left, pages = iter(range(after)), Stream.pages

        def cut(stream: Stream, *arguments: Any, **options: Any) -> Iterator[DatapointArray]:
            for page in pages(stream, *arguments, **options):
                if next(left, None) is None:
                    raise ConnectionFailed("cut")
                yield page

        with mock.patch.object(Stream, "pages", cut), self.assertRaisesRegex(ConnectionFailed, "cut"):
            save(thing, self.target)


class Whole(SavingCase):
    """Without a cut."""

    def test_as_exports(self) -> None:
        """What is saved is what an export is, for its owner alone, and counted."""
        cdb = self.lamp()
        told: list[tuple[str, int, int]] = []
        saved = save(cdb, self.target, lambda *words: told.append(words))
        self.assertEqual(saved, Saved(devices=1, streams=2, points=27, kept=0))
        self.assertEqual(contents(self.target), self.exported(cdb))
        self.assertIn((27, 27), [words[1:] for words in told])
        self.assertEqual(os.listdir(self.target.parent), ["saved"])
        if os.name != "nt":
            self.assertEqual(
                {stat.S_IMODE(path.stat().st_mode) for path in self.target.rglob("*") if path.is_dir()}, {0o700}
            )
        self.target = self.folder() / "stream"
        self.assertEqual(save(cdb["light"], self.target), Saved(streams=1, points=27))
        self.assertEqual(contents(self.target), self.exported(cdb["light"]))

    def test_user(self) -> None:
        """Several users lie in one folder."""
        root = self.folder() / "root"
        for user in (self.user(), self.user(streams={"mood": {}})):
            save(user, root)
            self.assertIn(f"{user.name}/user/device.json", contents(root))
            with self.assertRaisesRegex(FileExistsError, "is there already"):
                save(user, root)
        self.assertEqual(json.loads((root / "connectordb.json").read_text())["Version"], 1)
        self.assertEqual(len(os.listdir(root)), 3)

    def test_in_the_way(self) -> None:
        """What is there is left alone, and so is what somebody else is writing."""
        folder = self.folder()
        (folder / "mine").write_text("precious")
        for thing in (self.lamp()["light"], self.person().user):
            with self.assertRaises(FileExistsError):
                save(thing, folder)
        self.assertEqual(os.listdir(folder), ["mine"])
        self.unfinished.mkdir()
        with FileLock(self.unfinished / "unfinished.lock"), self.assertRaisesRegex(FileExistsError, "somebody else"):
            save(self.lamp(), self.target)


class CutOff(SavingCase):
    """What was saved when it was cut off is not asked for again."""

    def test_goes_on(self) -> None:
        """Wherever it was cut off, it goes on, and comes to the same."""
        cdb = self.lamp()
        expected = self.exported(cdb)
        for after in range(3):
            self.cut_off(cdb, after)
            self.assertFalse(self.target.exists())
        saved = save(cdb, self.target)
        self.assertGreaterEqual(saved.kept, 20)
        self.assertEqual(contents(self.target), expected)

    def test_half_a_point(self) -> None:
        """A point that was cut in the middle is written again, wherever that was."""
        stream = self.lamp()["light"]
        expected = self.exported(stream)
        for size in range(0, len(expected["data.json"]), 61):
            with self.subTest(size):
                self.cut_off(stream, 3)
                file = self.unfinished / "data.json"
                part = file.with_name("data.json.unfinished")
                file.rename(part)
                os.truncate(part, size)
                saved = save(stream, self.target)
                self.assertEqual(saved.kept, expected["data.json"][:size].count(b"\n"))
                self.assertEqual(contents(self.target), expected)
                self.target = self.target.with_name(f"saved{size}")
                self.unfinished = self.target.with_name(f"saved{size}.unfinished")

    def test_changed_meanwhile(self) -> None:
        """A stream that grew is read on, one that was made anew is read anew, and what was deleted is not there."""
        cdb = self.lamp()
        cdb["gone"].create()
        cdb["gone"].insert_array(POINTS)
        self.cut_off(cdb, 6)
        cdb["gone"].delete()
        cdb["light"].insert_array([{"t": 100.0, "d": "new"}])
        saved = save(cdb, self.target)
        self.assertGreaterEqual(saved.kept, 25)
        self.assertEqual(contents(self.target), self.exported(cdb))
        self.target = self.folder() / "again"
        self.cut_off(cdb["light"], 2)
        cdb["light"].delete()
        cdb["light"].create()
        cdb["light"].insert_array([{"t": point["t"] + 1, "d": 5} for point in POINTS])
        self.assertEqual(save(cdb["light"], self.target).kept, 0)
        self.assertEqual(contents(self.target), self.exported(cdb["light"]))

    def test_damaged(self) -> None:
        """What reads otherwise than it was written is told, and read anew the next time."""
        stream = self.lamp()["light"]
        self.cut_off(stream, 2)
        part = self.unfinished / "data.json.unfinished"
        part.write_bytes(part.read_bytes().replace(b'"t":3.5', b'"t":9.5'))
        with self.assertRaisesRegex(StorageError, "not in order.*save again"):
            save(stream, self.target)
        self.assertEqual(save(stream, self.target).kept, 0)
        self.assertEqual(contents(self.target), self.exported(stream))
