"""The folder of an export."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from unittest import mock

from filelock import FileLock

from connectordb.exceptions import StorageError, StorageFull
from connectordb.server.exchange import ExportWriter
from connectordb.server.exchange.writer import UNFINISHED
from connectordb.server.storage import Device, Stream, User

from ...support.case import Case
from .case import DEVICE, STREAM, tree

MARA = User(1, "mara", "Mära", "mara@example.org", "", "", "user", True, "SHA512$c2FsdA==$abc")
LAMP = Device(**{"id": 1, "user_id": 1, "name": "lamp", **DEVICE, "apikey": "key"})
SWITCH = Stream(**{"id": 1, "device_id": 1, "name": "switch", **STREAM, "downlink": True})
LEVEL = Stream(**{"id": 2, "device_id": 1, "name": "level", **STREAM})

_WRITING = """
import sys, os
sys.path.insert(0, sys.argv[2])
from connectordb.server.exchange import ExportWriter
from tests.server.exchange.test_writer import MARA
writer = ExportWriter(sys.argv[1])
writer.user(MARA)
print("begun", flush=True)
sys.stdin.read()
"""


class Writing(Case):
    """What comes one by one becomes a folder that a 0.3 server reads."""

    def setUp(self) -> None:
        super().setUp()
        self.out = self.folder() / "below" / "out"

    def test_tree(self) -> None:
        """Each object is in its place, with its points."""
        with ExportWriter(self.out) as writer:
            writer.user(MARA)
            writer.device(LAMP)
            writer.stream(SWITCH)
            writer.points([b'{"t":1,"d":1}', b"", b'{"t":2},{"t":3}'], downlink=True)
            writer.points([])
            writer.stream(LEVEL)
            writer.device(Device(**{**_row(LAMP), "name": "empty"}))
            writer.user(User(**{**_row(MARA), "name": "ben"}))
        found = tree(self.out)
        self.assertEqual(found.pop("connectordb.json"), {"Version": 2, "ConnectorDB": "0.3.0"})
        self.assertEqual(
            found.pop("mara/user.json"),
            {
                "name": "mara",
                "nickname": "Mära",
                "email": "mara@example.org",
                "description": "",
                "icon": "",
                "role": "user",
                "public": True,
                "password": "abc",
                "password_salt": "salt",
                "password_scheme": "SHA512",
            },
        )
        self.assertEqual(found.pop("mara/lamp/device.json"), {"name": "lamp", **DEVICE, "apikey": "key"})
        self.assertEqual(found.pop("mara/lamp/switch/stream.json"), {"name": "switch", **STREAM, "downlink": True})
        self.assertEqual(found.pop("mara/lamp/switch/data.json"), [])
        self.assertEqual(found.pop("mara/lamp/switch/downlink.json"), [{"t": 1, "d": 1}, {"t": 2}, {"t": 3}])
        self.assertEqual(found.pop("mara/lamp/level/data.json"), [])
        self.assertEqual(
            sorted(found), ["ben/user.json", "mara/empty/device.json", "mara/lamp/level/stream.json"], "and no others"
        )
        self.assertFalse((self.out / UNFINISHED).exists())

    def test_private(self) -> None:
        """All of it is for its owner only, from the beginning."""
        with ExportWriter(self.out) as writer:
            writer.user(MARA)
            writer.device(LAMP)
            writer.stream(SWITCH)
        self.assertEqual({stat.S_IMODE(path.stat().st_mode) for path in self.out.rglob("*.json")}, {0o600})
        folders = [self.out, *(path for path in self.out.rglob("*") if path.is_dir())]
        self.assertEqual({stat.S_IMODE(path.stat().st_mode) for path in folders}, {0o700})

    def test_dropped(self) -> None:
        """What went away is taken back, and its siblings are not."""
        with ExportWriter(self.out) as writer:
            writer.user(MARA)
            writer.device(LAMP)
            writer.stream(SWITCH)
            writer.drop()
            writer.stream(LEVEL)
            writer.points([b'{"t":1}'])
        self.assertEqual([path.name for path in (self.out / "mara" / "lamp").iterdir() if path.is_dir()], ["level"])

    def test_another_case(self) -> None:
        """Where a file system takes two names for one, the second has another folder; the name is in the file."""
        with ExportWriter(self.out) as writer:
            writer.user(MARA)
            (self.out / "mara" / "lamp").mkdir()
            writer.device(LAMP)
        self.assertEqual(json.loads((self.out / "mara" / "lamp~2" / "device.json").read_text())["name"], "lamp")

    def test_misuse(self) -> None:
        """Points belong to a stream, once; a device to a user."""
        with self.assertRaises(ValueError), ExportWriter(self.out) as writer:
            writer.device(LAMP)
        self.assertFalse(self.out.exists())
        with ExportWriter(self.out) as writer:
            writer.user(MARA)
            writer.device(LAMP)
            writer.stream(LEVEL)
            with self.assertRaises(ValueError):
                writer.points([], downlink=True)
            writer.points([])
            with self.assertRaises(ValueError):
                writer.points([])

    def test_failed(self) -> None:
        """After an error there is nothing, and an error of the disk says so."""
        for error, kind in ((OSError(28, "No space left on device"), StorageFull), (OSError(5, "I/O"), StorageError)):
            with self.subTest(error=error):
                with self.assertRaises(kind) as caught, ExportWriter(self.out) as writer:
                    writer.user(MARA)
                    with mock.patch("os.open", side_effect=error):
                        writer.device(LAMP)
                self.assertIn("device.json", str(caught.exception))
                self.assertFalse(self.out.exists())

    def test_taken(self) -> None:
        """What is there is left alone: an export that is complete, a folder of somebody else's, a file."""
        with ExportWriter(self.out) as writer:
            writer.user(MARA)
        foreign, file = self.out.parent / "foreign", self.out.parent / "file"
        foreign.mkdir()
        file.touch()
        for path in (self.out, foreign, file):
            with self.subTest(path=path), self.assertRaises(StorageError) as caught:
                ExportWriter(path)
            self.assertIn("is there already", str(caught.exception))
        self.assertTrue((self.out / "mara" / "user.json").exists())

    def test_completed_meanwhile(self) -> None:
        """An export that another writer completes in the moment in which this one begins stays."""
        self.out.mkdir(parents=True)
        (self.out / UNFINISHED).touch()

        def acquire(*_: object, **__: object) -> None:
            (self.out / "mara").mkdir()
            (self.out / "connectordb.json").write_text("{}")
            (self.out / UNFINISHED).unlink()

        with mock.patch.object(FileLock, "acquire", acquire), self.assertRaisesRegex(StorageError, "there already"):
            ExportWriter(self.out)
        self.assertEqual(sorted(path.name for path in self.out.iterdir()), ["connectordb.json", "mara"])

    def test_killed(self) -> None:
        """What a writer that was killed has left is no export, and the next one begins anew; while it runs it is left alone."""
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITING, str(self.out), str(Path(__file__).parents[3])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout is not None
            self.assertEqual(process.stdout.readline(), "begun\n")
            with self.assertRaises(StorageError) as caught:
                ExportWriter(self.out)
            self.assertIn("at this moment", str(caught.exception))
            process.kill()
        self.assertTrue((self.out / "mara" / "user.json").exists())
        self.assertFalse((self.out / "connectordb.json").exists())
        outside = self.out.parent / "outside"
        outside.mkdir()
        os.symlink(outside, self.out / "link")
        with ExportWriter(self.out) as writer:
            writer.user(User(**{**_row(MARA), "name": "ben"}))
        self.assertEqual(sorted(path.name for path in self.out.iterdir()), ["ben", "connectordb.json"])
        self.assertTrue(outside.exists(), "a link was followed")


def _row(row: User | Device) -> dict[str, object]:
    return {name: getattr(row, name) for name in type(row).__dataclass_fields__}
