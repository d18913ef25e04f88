"""What is read of an export from elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from connectordb.exceptions import LocalProtocolError
from connectordb.server.exchange.folder import OBJECT_LIMIT, Findings, FoundUser, read_folder

from .case import ORIGINAL, ExchangeCase, edit


class Reading(ExchangeCase):
    """A folder is read as far as it can be trusted, and all that is wrong is told."""

    def found(self, path: Path) -> tuple[list[FoundUser], list[str]]:
        """Read a folder."""
        findings = Findings()
        users = read_folder(path, findings)
        return users, findings.told

    def test_original(self) -> None:
        """An export of a real server has nothing wrong with it."""
        users, told = self.found(ORIGINAL)
        self.assertEqual(told, [])
        self.assertEqual([user.name for user in users], ["ben", "mara", "sha", "test"])
        mara = users[1]
        self.assertEqual([device.path for device in mara.devices], ["mara/lamp", "mara/meta", "mara/user"])
        self.assertEqual(mara.fields["nickname"], "Mära Ünï 🌻")
        assert mara.password is not None
        self.assertTrue(mara.password.startswith("bcrypt$"))
        switch = next(stream for stream in mara.devices[0].streams if stream.fields["name"] == "switch")
        self.assertEqual(
            [(downlink, path.name) for downlink, path in switch.series()],
            [(False, "data.json"), (True, "downlink.json")],
        )

    def test_version_1(self) -> None:
        """What a client may not read has a default; there is no password."""
        path = self.top / "out"
        (path / "mara" / "lamp" / "s").mkdir(parents=True)
        for name, content in {
            "connectordb.json": {"Version": 1, "ConnectorDB": "0.3.0"},
            "mara/user.json": {"name": "mara", "email": "m@example.org", "nickname": None},
            "mara/lamp/device.json": {"name": "lamp"},
            "mara/lamp/s/stream.json": {"name": "s"},
            "mara/lamp/s/data.json": [],
        }.items():
            (path / name).write_text(json.dumps(content))
        (path / "mara" / ".DS_Store").mkdir()
        (path / "notes.txt").touch()
        users, told = self.found(path)
        self.assertEqual(told, [])
        self.assertIsNone(users[0].password)
        self.assertEqual(
            (users[0].fields["role"], users[0].fields["public"], users[0].fields["nickname"]), ("user", True, "")
        )
        self.assertTrue(users[0].devices[0].fields["enabled"])
        self.assertEqual(users[0].devices[0].streams[0].fields["schema"], "{}")

    def test_directory_names(self) -> None:
        """The names in the files count."""
        path = self.original()
        (path / "mara").rename(path / "zz someone else")
        users, told = self.found(path)
        self.assertEqual((told, users[-1].name), ([], "mara"))

    def test_wrong(self) -> None:
        """Each of these is told, with where it is."""

        def text(file: str, content: str | bytes) -> Callable[[Path], object]:
            data = content if isinstance(content, bytes) else content.encode()
            return lambda path: (path / file).write_bytes(data)

        def change(file: str, **changes: object) -> Callable[[Path], object]:
            return lambda path: edit(path / file, **changes)

        def link(name: str, to: str) -> Callable[[Path], object]:
            def work(path: Path) -> None:
                shutil.move(path / name, self.top / "elsewhere") if (path / name).exists() else None
                (path / name).symlink_to(to)

            return work

        def pipe(path: Path) -> None:
            (path / "mara/user.json").unlink()
            os.mkfifo(path / "mara/user.json")

        cases: list[tuple[Callable[[Path], object], str]] = [
            (lambda path: (path / "connectordb.json").unlink(), "no connectordb.json"),
            (change("connectordb.json", Version=3), "version 3"),
            (change("connectordb.json", Version=True), "version True"),
            (text("connectordb.json", "[]"), "no JSON object"),
            (lambda path: shutil.rmtree(path), "no such folder"),
            (lambda path: [shutil.rmtree(below) for below in path.iterdir() if below.is_dir()], "no user in it"),
            (lambda path: (path / "mara/user.json").unlink(), "no user.json"),
            (lambda path: (path / "mara/lamp/device.json").unlink(), "no device.json"),
            (lambda path: (path / "mara/lamp/level/stream.json").unlink(), "no stream.json"),
            (lambda path: (path / "mara/lamp/level/data.json").unlink(), "no data.json"),
            (lambda path: (path / "mara/lamp/switch/downlink.json").unlink(), "no downlink.json"),
            (text("mara/user.json", "{"), "mara/user.json: "),
            (text("mara/user.json", b'{"name":"\xff"}'), "mara/user.json: "),
            (text("mara/user.json", " " * OBJECT_LIMIT + "{}"), "bytes"),
            (text("mara/user.json", "[" * 100_000), "mara/user.json: "),
            (change("mara/user.json", name="../../etc"), "'../../etc' is no name"),
            (change("mara/lamp/device.json", name="a/b"), "'a/b' is no name"),
            (change("mara/lamp/level/stream.json", name=""), "'' is no name"),
            (change("mara/lamp/level/stream.json", name=7), "7 is no name"),
            (change("mara/user.json", name="root"), "reserved"),
            (change("mara/user.json", name="ben"), "ben: it is in the export 2 times"),
            (change("mara/user.json", email="ben@example.org"), "the same email address as ben"),
            (change("mara/user.json", email=""), "email address"),
            (change("ben/box/device.json", apikey="lamp-key-1"), "the same API key as ben/box"),
            (change("mara/user.json", public="yes"), "'public' is 'yes'; expected true or false"),
            (change("mara/user.json", email=["m"]), "'email' is ['m']; expected text"),
            (change("mara/lamp/device.json", apikey=5), "'apikey' is 5; expected text"),
            (change("mara/user.json", password_scheme="MD5"), "'MD5'"),
            (change("mara/user.json", password=None), "not all texts"),
            (link("mara", "/etc"), "symbolic link"),
            (link("mara/user.json", "/etc/passwd"), "symbolic link"),
            (link("connectordb.json", "/etc/passwd"), "symbolic link"),
            (pipe, "no plain file"),
        ]
        for number, (spoil, expected) in enumerate(cases):
            with self.subTest(expected=expected, number=number):
                shutil.rmtree(self.top)
                self.top.mkdir()
                path = self.original()
                spoil(path)
                _, told = self.found(path)
                self.assertIn(expected, "\n".join(told))

    def test_refusal(self) -> None:
        """All findings are told at once, but not thousands."""
        findings = Findings()
        findings.refuse("importing")
        for number in range(100):
            findings.add(f"u{number}", "is wrong")
        with self.assertRaises(LocalProtocolError) as caught:
            findings.refuse("importing 'x'")
        text = str(caught.exception)
        self.assertIn("nothing was changed", text)
        self.assertIn("  u0: is wrong\n  u1: is wrong\n", text)
        self.assertIn("80 more", text)
