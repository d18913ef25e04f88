"""Bringing out of a damaged database what can be read."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

from connectordb.exceptions import StorageError
from connectordb.server import Salvaged, check, database, salvage
from connectordb.server.exchange import import_database
from connectordb.server.rights import passwords
from connectordb.server.storage import Series, access

from ...support.case import SOON
from ..storage.trees import device, stream, user
from ..test_database import FolderCase

Points = list[dict[str, Any]]


class Salvaging(FolderCase):
    """What can be read comes out as it was, in order; what cannot is told."""

    def setUp(self) -> None:
        super().setUp()
        for name, value in (("_N", 16), ("_P", 1)):
            patch = mock.patch.object(passwords, name, value, create=True)
            patch.start()
            self.addCleanup(patch.stop)
        # flushing all of a machine's disks takes only time, in which nothing is learnt
        patch = mock.patch.object(os, "sync", create=True)
        patch.start()
        self.addCleanup(patch.stop)
        self.file = self.made() / "connectordb.db"
        self.points: dict[str, Points] = {}
        with self.opened() as opened:
            opened.storage.write(self.plant).result(SOON)
        self.sound = self.file.read_bytes()
        self.out = self.path.parent / "out"
        self.told: list[str] = []

    def plant(self, writer: Any) -> None:
        """Make two users with streams that have points, one of them a downlink too."""
        chance = random.Random(1)
        for owner in ("ada", "mara"):
            lamp = writer.create_device(writer.create_user(user(owner)).id, device("lamp", apikey=f"key of {owner}")).id
            for name in ("light", "text"):
                id = writer.create_stream(lamp, stream(name, downlink=name == "text")).id
                for downlink in (False, True) if name == "text" else (False,):
                    points: Points = [
                        {"t": float(i + 1), "d": chance.random() if name == "light" else f"{i} {chance.random()} ü\n"}
                        for i in range(6000 if not downlink else 300)
                    ]
                    writer.insert(Series(id, downlink), points, False)
                    self.points[f"{owner}/lamp/{name}/{'downlink' if downlink else 'data'}.json"] = points

    def damage(self, changes: dict[int, bytes] | None = None, size: int | None = None) -> None:
        """Write other bytes into the file, which is sound but for them."""
        damaged = bytearray(self.sound)
        for at, data in (changes or {}).items():
            damaged[at : at + len(data)] = data
        self.file.write_bytes(damaged[:size])

    def root_of_chunks(self) -> int:
        """Return where in the file the first page of the chunks' table is, which leads to others."""
        with closing(sqlite3.connect(self.file)) as connection:
            ((root,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'chunks'")
        at: int = (root - 1) * 4096
        self.assertEqual(self.sound[at], 5)
        return at

    def salvaged(self) -> tuple[Salvaged, dict[str, Points]]:
        """Salvage; return what came of it, and the points, by their file."""
        self.told = []
        subprocess.run(["rm", "-rf", self.out], check=True, timeout=SOON)
        before = self.file.read_bytes()
        done = salvage(self.path, self.out, lambda finding: self.told.append(str(finding)))
        self.assertEqual(self.file.read_bytes(), before, "nothing is changed")
        self.assertEqual(done.losses, len(self.told))
        found = {
            path.relative_to(self.out).as_posix(): json.loads(path.read_bytes())
            for path in self.out.rglob("*.json")
            if path.name in ("data.json", "downlink.json")
        }
        self.assertEqual(sum(map(len, found.values())), done.points)
        return done, {name: points for name, points in found.items() if points}

    def test_sound(self) -> None:
        """Of a sound database all comes out, and goes into another one."""
        done, found = self.salvaged()
        self.assertEqual((done.users, done.devices, done.streams, done.points), (3, 4, 4, 24_600))
        self.assertEqual(self.told, [])
        self.assertEqual(found, self.points)
        other = self.path.parent / "other"
        database.create(other, test=True)
        import_database(other, self.out, only=("ada", "mara"))
        self.assertEqual(check(other, print).points, 24_600)

    def test_pages(self) -> None:
        """Wherever pages are overwritten, what comes out is what there was, less what is told."""
        everything = {(point["t"], point["d"]) for points in self.points.values() for point in points}
        pages = len(self.sound) // 4096
        kept = []
        for seed in range(6):
            chance = random.Random(seed)
            hit = chance.sample(range(pages), k=chance.choice((1, 2, 5)))
            junk = chance.choice((b"\0" * 4096, b"\xff" * 4096, chance.randbytes(4096), chance.randbytes(50)))
            with self.subTest(seed=seed, hit=hit):
                self.damage({page * 4096 + chance.choice((0, 0, 1000)): junk[: 3000 if page else 90] for page in hit})
                done, found = self.salvaged()
                for name, points in found.items():
                    times = [point["t"] for point in points]
                    self.assertEqual(times, sorted(set(times)), name)
                    self.assertFalse({(point["t"], point["d"]) for point in points} - everything)
                kept.append(done.points)
        self.assertGreater(min(kept), 24_600 // 2, kept)
        self.assertGreater(sorted(kept)[len(kept) // 2], 20_000, kept)

    def test_beginning(self) -> None:
        """Without its first page, which says what there is, everything else is found all the same."""
        for junk in (b"\0" * 4096, b"\xff" * 4096):
            self.damage({0: junk})
            done, found = self.salvaged()
            self.assertEqual(found, self.points)
            self.assertEqual((done.users, done.devices, done.streams), (3, 4, 4))
            self.assertTrue(self.told)

    def test_cut_off(self) -> None:
        """Of half a file, half comes out."""
        self.damage(size=len(self.sound) // 2)
        done, found = self.salvaged()
        self.assertGreater(done.points, 8000)
        for name, points in found.items():
            self.assertEqual(points, self.points[name][: len(points)])
        self.damage(size=0)
        self.assertEqual(self.salvaged()[0].points, 0)

    def test_inside(self) -> None:
        """Of a chunk that is damaged inside, the points before and behind the damage come out."""
        at = self.sound.rindex(b'"d":"5990 ')
        self.damage({at: b"\x00\x01"})
        _, found = self.salvaged()
        (name,) = (name for name, points in found.items() if points != self.points[name])
        missing = [point for point in self.points[name] if point not in found[name]]
        self.assertEqual([point["t"] for point in missing], [5991.0])
        self.assertRegex(self.told[-1], r"text: 1 of the points at indices \d+ to 5999 are lost")

    def test_led_astray(self) -> None:
        """Where a page stands in the place of another one, so that SQLite passes over some in silence, all comes out."""
        first = self.root_of_chunks()
        # it leads to the last of them only
        self.damage({first + 3: b"\0\0"})
        _, found = self.salvaged()
        self.assertEqual(found, self.points)
        self.assertRegex(self.told[0], "chunks: .*looking for them in the pages")

    def test_text(self) -> None:
        """A row in which text is damaged comes out, with something else in its place."""
        self.damage({self.sound.rindex(b"key of mara"): b"\xff"})
        _, found = self.salvaged()
        self.assertEqual(found, self.points)
        self.assertRegex(self.told[0], "devices: cannot be read to the end")
        keys = {json.loads(path.read_text())["apikey"] for path in self.out.rglob("device.json")}
        self.assertIn("\ufffdey of mara", keys)

    def test_end(self) -> None:
        """That the end of a stream is lost is told of that stream."""
        first = self.root_of_chunks()
        last = int.from_bytes(self.sound[first + 8 : first + 12], "big")
        self.damage({(last - 1) * 4096: b"\xff" * 4096})
        _, found = self.salvaged()
        lost = [name for name in self.points if found.get(name) != self.points[name]]
        self.assertTrue(lost)
        for name in lost:
            stream = name.removesuffix("/data.json").removesuffix(".json")
            self.assertTrue([line for line in self.told if line.startswith(f"{stream}: ")], self.told)

    def test_nobodys(self) -> None:
        """What has lost its owner gets one."""
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("DELETE FROM users WHERE name = 'ada'")
            connection.execute("DELETE FROM devices WHERE apikey = 'key of mara'")
            connection.execute("DELETE FROM streams WHERE name = 'text'")
            connection.commit()
        done, found = self.salvaged()
        self.assertEqual(done.points, 24_600)
        self.assertEqual(len(found), 6)
        self.assertIn("lost-user-2/lamp/light/data.json", found)
        self.assertIn("lost-user-0/lost-device-4/light/data.json", found)
        self.assertTrue([name for name in found if name.startswith("lost-user-0/lost-device-0/lost-stream-2/")])
        self.assertEqual(len(self.told), 6, self.told)

    def test_deleted(self) -> None:
        """What was deleted does not come back from a sound file; from a damaged one not under a name that is taken."""

        def change(writer: Any) -> None:
            (owner,) = [row for row in writer.users() if row.name == "mara"]
            for row in [row for _, row in writer.user_streams(owner.id) if row.downlink]:
                writer.update_stream(row.id, {"downlink": False})
                writer.update_stream(row.id, {"downlink": True})
                writer.insert(Series(row.id, downlink=True), [{"t": 1e6, "d": "new"}], False)
            (ada,) = [row for row in writer.users() if row.name == "ada"]
            writer.delete_user(ada.id)
            writer.create_user(user("ada", nickname="the second"))

        with mock.patch.object(access, "_AT_ONCE", 1), self.opened() as opened:
            opened.storage.write(change).result(SOON)
        _, found = self.salvaged()
        self.assertEqual(self.told, [])
        self.assertEqual({name for name in found}, {name for name in self.points if name.startswith("mara")})
        self.assertEqual(found["mara/lamp/text/downlink.json"], [{"t": 1000000, "d": "new"}])
        self.sound = self.file.read_bytes()
        self.damage({0: b"\0" * 4096})
        self.salvaged()
        names = [json.loads(path.read_text())["name"] for path in self.out.rglob("user.json")]
        self.assertEqual(len(names), len(set(names)), names)

    def test_log(self) -> None:
        """What is in the log of a server that was killed comes out too, with and without the first page."""
        with self.opened() as opened:
            opened.storage.write(
                lambda writer: writer.insert(Series(1), [{"t": 1e6 + i, "d": i} for i in range(2000)], False)
            ).result(SOON)
            crashed = self.path.parent / "crashed"
            subprocess.run(["cp", "-r", self.path, crashed], check=True, timeout=SOON)
        self.assertGreater((crashed / "connectordb.db-wal").stat().st_size, 0)
        self.path, self.file = crashed, crashed / "connectordb.db"
        self.assertEqual(self.salvaged()[0].points, 26_600)

    def test_refused(self) -> None:
        """Where there is no file, that is said; what is at OUT is left alone."""
        with self.assertRaisesRegex(StorageError, "No such file"):
            salvage(self.path.parent, self.out, print)
        self.assertFalse(self.out.exists())
        self.out.mkdir()
        (self.out / "thing").write_text("kept")
        with self.assertRaisesRegex(StorageError, "there already"):
            salvage(self.path, self.out, print)
        self.assertEqual([path.name for path in Path(self.out).iterdir()], ["thing"])
