"""Export and import."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import given, settings

from connectordb import ConnectionFailed, ConnectorDB, DatapointArray, LocalProtocolError, NotFound, Stream
from tests.support.strategies import datapoints
from tests.support.target import TargetCase, new_name

POINTS = [{"t": 1.0, "d": 1}, {"t": 2.5, "d": None}, {"t": 3.0, "d": {"a": [None, "ö"]}}]


def modes(folder: Path) -> set[int]:
    """Return the modes of a folder and all folders in it."""
    return {stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*")) if path.is_dir()}


def read(*parts: str | Path) -> Any:
    """Return what a file says."""
    return json.loads(Path(*parts).read_text())


class ExportCase(TargetCase):
    """A user with a lamp."""

    def lamp(self) -> ConnectorDB:
        """Return the connection of a new device with a stream ``light`` that holds points and commands."""
        device = self.person().user[new_name()]
        device.create(nickname="Lamp", role="reader")
        cdb = self.connect(device.apikey)
        cdb["light"].create({"type": ["number", "null", "object"]}, downlink=True, datatype="x", nickname="L")
        cdb["light"].insert_array(POINTS)
        self.person()(f"{device.path}/light").insert_array([{"t": 5.0, "d": 7}])
        cdb["empty"].create()
        return cdb


class Streams(ExportCase):
    """A stream alone."""

    def test_export(self) -> None:
        """Its folder holds metadata, points and commands, as the wire has them."""
        target = self.folder() / "new" / "light"
        self.lamp()["light"].export(target)
        self.assertEqual(sorted(os.listdir(target)), ["data.json", "downlink.json", "stream.json"])
        self.assertEqual(read(target, "data.json"), [POINTS[0], {"t": 2.5}, POINTS[2]])
        self.assertEqual(read(target, "downlink.json"), [{"t": 5, "d": 7, "o": f"{self.user_name}/user"}])
        fields = read(target, "stream.json")
        self.assertEqual((fields["name"], fields["datatype"], fields["downlink"]), ("light", "x", True))
        self.assertEqual(json.loads(fields["schema"]), {"type": ["number", "null", "object"]})
        self.assertEqual(modes(target), {0o700})
        self.assertEqual(DatapointArray().loadExport(target), POINTS)

    def test_no_downlink(self) -> None:
        """Without the flag there is no file of commands; without points there is an empty array."""
        target = self.folder() / "empty"
        self.lamp()["empty"].export(str(target))
        self.assertEqual(sorted(os.listdir(target)), ["data.json", "stream.json"])
        self.assertEqual(read(target, "data.json"), [])

    def test_existing_target(self) -> None:
        """A target that is there is left alone."""
        target = self.folder()
        (target / "mine").write_text("precious")
        for thing in (self.lamp()["light"], self.lamp()):
            with self.assertRaisesRegex(FileExistsError, "is there already"):
                thing.export(target)
        with self.assertRaisesRegex(FileExistsError, "is no export"):
            self.person().user.export(target)
        self.assertEqual(os.listdir(target), ["mine"])

    def test_failed_export(self) -> None:
        """An export that fails leaves nothing."""
        parent = self.folder()
        stream = self.lamp()["light"]
        with (
            mock.patch.object(Stream, "pages", side_effect=ConnectionFailed("away")),
            self.assertRaises(ConnectionFailed),
        ):
            stream.export(parent / "light")
        with self.assertRaises(NotFound):
            self.device()["nosuch"].export(parent / "x")
        self.assertEqual(os.listdir(parent), [])

    def test_import(self) -> None:
        """All of it comes back, whoever of those that may imports it."""
        target = self.folder() / "light"
        self.lamp()["light"].export(target)
        user = self.person()
        for number, importer in enumerate((user, self.admin())):
            device = importer(f"{self.user_name}/{new_name()}")
            device.create()
            device.import_stream(target)
            stream = device["light"]
            with self.subTest(number):
                self.assertEqual(stream[:], POINTS)
                self.assertEqual([(point["t"], point["d"]) for point in stream(downlink=True)], [(5.0, 7)])
                self.assertEqual((stream.nickname, stream.datatype, stream.downlink), ("L", "x", True))
                self.assertEqual(stream.schema, {"type": ["number", "null", "object"]})
                with self.assertRaisesRegex(ValueError, "is there already"):
                    device.import_stream(target)

    def test_import_by_itself(self) -> None:
        """A device imports into itself with its own connection."""
        target = self.folder() / "empty"
        self.lamp()["empty"].export(target)
        (target / "data.json").write_text('[{"t":1,"d":5}]')
        cdb = self.device()
        name = new_name()
        (target / "stream.json").write_text(
            json.dumps({"name": name, "schema": '{"type":"string"}', "ephemeral": True})
        )
        cdb.import_stream(target)
        # kept, although it fits neither the schema nor a stream that stores nothing
        self.assertEqual((cdb[name][:].d(), cdb[name].schema, cdb[name].ephemeral), ([5], {"type": "string"}, True))

    def test_import_sorts(self) -> None:
        """Points that were exported out of order are sorted by time, those of equal times left as they were."""
        target = self.folder()
        (target / "stream.json").write_text(json.dumps({"name": new_name()}))
        points = [{"t": 3, "d": "c"}, {"t": 1, "d": "a"}, {"t": 3, "d": "d"}, {"t": 1, "d": "b"}]
        (target / "data.json").write_text(json.dumps(points))
        cdb = self.device()
        cdb.import_stream(target)
        self.assertEqual(cdb[read(target, "stream.json")["name"]][:].d(), ["a", "b", "c", "d"])

    @settings(max_examples=15, deadline=None)
    @given(datapoints())
    def test_round_trip(self, points: list[dict[str, Any]]) -> None:
        """Whatever a stream holds, its export brings it back."""
        stream = self.stream()
        stream.insert_array(points)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / stream.name
            stream.export(folder)
            held = stream()
            self.assertEqual(DatapointArray().loadExport(folder), held)
            stream.delete()
            self.device().import_stream(folder)
            self.assertEqual(stream(), held)

    def test_no_export(self) -> None:
        """A folder that is no export is told, and nothing is made."""
        cdb, folder, name = self.device(), self.folder(), new_name()
        for files, said in (
            ({}, "stream.json cannot be read"),
            ({"stream.json": "{"}, "stream.json cannot be read"),
            ({"stream.json": "[]"}, "holds no object"),
            ({"stream.json": '{"name": "a b"}'}, "cannot be the name"),
            ({"stream.json": json.dumps({"name": name}), "data.json": "[5]"}, "something else than a datapoint"),
            ({"stream.json": json.dumps({"name": name}), "data.json": "{}"}, "was expected, not"),
        ):
            for file, text in files.items():
                (folder / file).write_text(text)
            with self.subTest(said), self.assertRaisesRegex(ValueError, said):
                cdb.import_stream(folder)
        (folder / "data.json").unlink()
        with self.assertRaisesRegex(ValueError, "no complete export of a stream: it has no data.json"):
            cdb.import_stream(folder)
        self.assertFalse(cdb[name].exists())

    def test_key_not_shown(self) -> None:
        """Only the device itself inserts: where its key is not shown the import says so."""
        target = self.folder() / "light"
        self.lamp()["light"].export(target)
        device = self.person().user[new_name()]
        device.create()
        device._data = {"name": device.name}
        with self.assertRaisesRegex(LocalProtocolError, "only .* itself puts points into its streams"):
            device.import_stream(target)
        self.assertFalse(device["light"].exists())


class Devices(ExportCase):
    """A device with its streams."""

    def test_round(self) -> None:
        """A device that was exported and deleted comes back with key, streams and points."""
        target = self.folder() / "lamp"
        cdb = self.lamp()
        key, path = cdb.apikey, cdb.path
        cdb.export(target)
        self.assertEqual(sorted(os.listdir(target)), ["device.json", "empty", "light"])
        self.assertEqual(read(target, "device.json")["apikey"], key)
        self.assertEqual(modes(target), {0o700})
        user = self.person().user
        with self.assertRaisesRegex(ValueError, "is there already"):
            user.import_device(target)
        self.person()(path).delete()
        user.import_device(target)
        again = self.connect(key)
        self.assertEqual((again.path, again.nickname, again.role), (path, "Lamp", "reader"))
        self.assertEqual(again["light"][:], POINTS)
        self.assertEqual([stream.name for stream in sorted(again.streams(), key=lambda s: s.name)], ["empty", "light"])

    def test_public(self) -> None:
        """A public device of a private user comes back as it was."""
        user = self.user(public=False)
        folder = self.folder()
        (folder / "device.json").write_text(
            json.dumps({"name": "lamp", "public": True, "enabled": False, "apikey": ""})
        )
        user.import_device(folder)
        self.assertEqual((user["lamp"].public, user["lamp"].enabled, bool(user["lamp"].apikey)), (True, False, True))

    def test_own_devices(self) -> None:
        """The device "user" takes over what the export says; "meta" is passed over."""
        user = self.user(streams={"mood": {}})
        cdb = self.connect(user.name, "secret")
        cdb["mood"].insert(5)
        targets = {name: self.folder() / name for name in ("user", "meta")}
        cdb.nickname = "me"
        for name, target in targets.items():
            cdb.user[name].export(target)
        cdb.nickname = "changed"
        with self.assertRaisesRegex(ValueError, "is there already"):
            cdb.user.import_device(targets["user"])
        cdb["mood"].delete()
        cdb.user.import_device(targets["user"])
        cdb.user.import_device(targets["meta"])
        cdb.refresh()
        self.assertEqual((cdb.nickname, cdb["mood"][:].d()), ("me", [5]))

    def test_incomplete(self) -> None:
        """A device one of whose streams is not complete is told before anything is made."""
        target = self.folder() / "lamp"
        cdb = self.lamp()
        cdb.export(target)
        user = self.user()
        (target / "device.json").write_text(json.dumps({"name": "lamp"}))
        for file in ("downlink.json", "data.json"):
            (target / "light" / file).unlink()
            with self.assertRaisesRegex(ValueError, "no complete export of a stream"):
                user.import_device(target)
        self.assertFalse(user["lamp"].exists())


class Users(ExportCase):
    """Users with all that is theirs."""

    def exported(self) -> tuple[Path, list[str]]:
        """Return an export of two users who are gone by now, and their names."""
        root, names = self.folder() / "export", []
        for _ in range(2):
            user = self.user(
                nickname="M",
                public=False,
                streams={"mood": {"schema": {"type": "integer"}}},
                devices={"lamp": {"streams": {"light": {"downlink": True, "schema": {"type": "boolean"}}}}},
            )
            cdb = self.connect(user.name, "secret")
            cdb["mood"].insert_array([{"t": 1, "d": 1}, {"t": 2, "d": 2}])
            cdb(f"{user.name}/lamp/light").insert(True)
            self.connect(cdb.user["lamp"].apikey)["light"].insert(False)
            cdb.user.export(root)
            names.append(user.name)
            with self.assertRaisesRegex(FileExistsError, "is there already"):
                cdb.user.export(root)
        return root, names

    def test_export(self) -> None:
        """Several users go into one folder, which servers read too."""
        root, names = self.exported()
        self.assertEqual(sorted(os.listdir(root)), sorted(["connectordb.json", *names]))
        self.assertEqual(read(root, "connectordb.json"), {"Version": 1, "ConnectorDB": "0.3.0"})
        self.assertEqual(modes(root), {0o700})
        user = read(root, names[0], "user.json")
        self.assertEqual((user["name"], user["nickname"], user["public"]), (names[0], "M", False))
        self.assertTrue((root / names[0] / "meta" / "device.json").is_file())
        self.assertTrue((root / names[0] / "user" / "mood" / "data.json").is_file())
        self.assertEqual(len(read(root, names[0], "lamp", "light", "downlink.json")), 1)
        # each object whole, as REST shows it
        user = self.admin()(names[0])
        for thing, file in (
            (user, (names[0], "user.json")),
            (user["lamp"], (names[0], "lamp", "device.json")),
            (user["lamp"]["light"], (names[0], "lamp", "light", "stream.json")),
        ):
            self.assertEqual(read(root, *file), thing.data)
        light = read(root, names[0], "lamp", "light", "stream.json")
        self.assertEqual((light["schema"], light["downlink"]), ('{"type":"boolean"}', True))

    def test_import(self) -> None:
        """They come back, with their name as password, and a warning that says so."""
        root, names = self.exported()
        admin = self.admin()
        with self.assertRaisesRegex(ValueError, "is there already"):
            admin.import_users(root)
        for name in names:
            admin(name).delete()
        with self.assertWarnsRegex(UserWarning, f"(?s)no passwords.*{names[0]}") as caught:
            admin.import_users(root)
        self.assertEqual(Path(caught.filename), Path(__file__))
        for name in names:
            cdb = self.connect(name, name)
            self.assertEqual((cdb.user.nickname, cdb.user.public), ("M", False))
            self.assertEqual((cdb["mood"][:].d(), cdb["mood"].schema), ([1, 2], {"type": "integer"}))
            light = cdb(f"{name}/lamp/light")
            self.assertEqual((light[:].d(), light(downlink=True).d(), light.downlink), ([False], [True], True))
            self.assertEqual(cdb.apikey, read(root, name, "user", "device.json")["apikey"])

    def test_passwords(self) -> None:
        """Passwords can be given; one that is lacking is told before anything is made."""
        root, names = self.exported()
        admin = self.admin()
        for name in names:
            admin(name).delete()
        with self.assertRaisesRegex(ValueError, f"no password for the user '({'|'.join(names)})'"):
            admin.import_users(root, passwords={})
        self.assertFalse(admin(names[0]).exists())
        admin.import_users(root, passwords={name: f"of-{name}" for name in names})
        self.connect(names[1], f"of-{names[1]}")

    def test_versions(self) -> None:
        """Exports of the old server load; those of a version that is not known do not."""
        root, names = self.exported()
        admin = self.admin()
        for name in names:
            admin(name).delete()
        for version in (3, 0, "1", None, True):
            (root / "connectordb.json").write_text(json.dumps({"Version": version}))
            with self.subTest(version), self.assertRaisesRegex(ValueError, "export of version"):
                admin.import_users(root)
        (root / "connectordb.json").unlink()
        with self.assertRaisesRegex(ValueError, "connectordb.json cannot be read"):
            admin.import_users(root)
        # what the old server writes: version 2, with the hash of the password
        (root / "connectordb.json").write_text(json.dumps({"Version": 2, "ConnectorDB": "0.3.0"}))
        file = root / names[0] / "user.json"
        file.write_text(
            json.dumps({**read(file), "password": "$2a$10$x", "password_salt": "y", "password_scheme": "bcrypt"})
        )
        admin.import_users(root, passwords={name: "secret" for name in names})
        self.assertEqual(self.connect(names[0], "secret")["mood"][:].d(), [1, 2])
        with self.assertRaisesRegex(ValueError, "export of version 2; expected 1"):
            self.person().user.export(root)

    def test_written_by_others(self) -> None:
        """An export as other clients wrote it: all fields of the wire, points out of order, whatever they are told."""
        root, name = self.folder(), new_name()
        key = f"key-of-{name}"
        looks = {"nickname": "", "description": "", "icon": ""}
        flags = {"enabled": True, "visible": True, "user_editable": True, "public": False}
        files = {
            "connectordb.json": {"Version": 1, "ConnectorDB": "0.3.0"},
            f"{name}/user.json": {
                **looks,
                "name": name,
                "email": f"{name}@example.org",
                "role": "user",
                "public": True,
            },
            f"{name}/user/device.json": {**looks, **flags, "name": "user", "role": "user", "apikey": key},
            f"{name}/meta/device.json": {**looks, **flags, "name": "meta", "role": "", "apikey": f"m{key}"},
            f"{name}/lamp/device.json": {**looks, **flags, "name": "lamp", "role": "reader", "apikey": f"l{key}"},
            f"{name}/lamp/light/stream.json": {
                **looks,
                "nickname": "L",
                "name": "light",
                "schema": '{"type":"number"}',
                "datatype": "x",
                "ephemeral": False,
                "downlink": True,
            },
            f"{name}/lamp/light/data.json": [{"t": 3, "d": 30}, {"t": 1.5, "d": "of old"}, {"t": 3, "d": 31}, {"t": 2}],
            f"{name}/lamp/light/downlink.json": [{"t": 9, "d": 2, "o": f"{name}/user"}, {"t": 8, "d": 1, "o": "a/b"}],
        }
        for place, content in files.items():
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_text(json.dumps(content, indent=1))
        self.addCleanup(self._remove, name)
        self.admin().import_users(root, passwords={name: "secret"})
        cdb = self.connect(name, "secret")
        lamp = cdb.user["lamp"]
        light = lamp["light"]
        self.assertEqual((cdb.apikey, lamp.apikey, lamp.role), (key, f"l{key}", "reader"))
        self.assertEqual([(point["t"], point["d"]) for point in light], [(1.5, "of old"), (2, None), (3, 30), (3, 31)])
        self.assertEqual(light(downlink=True).d(), [1, 2])
        self.assertEqual((light.schema, light.datatype, light.nickname), ({"type": "number"}, "x", "L"))
        self.assertEqual(light.downlink, True)

    def test_nobody_in_it(self) -> None:
        """An export without a user, or with one whose address is not known, is told."""
        root = self.folder()
        (root / "connectordb.json").write_text('{"Version": 1}')
        with self.assertRaisesRegex(ValueError, "holds no user"):
            self.admin().import_users(root)
        name = new_name()
        (root / name).mkdir()
        (root / name / "user.json").write_text(json.dumps({"name": name}))
        with self.assertRaisesRegex(ValueError, "does not hold the user's email address"):
            self.admin().import_users(root, passwords={name: "x"})

    def test_large(self) -> None:
        """A stream of many pages is written as it is read."""
        stream = self.stream({"type": "integer"})
        stream.insert_array([{"t": float(i), "d": i} for i in range(1, 121)])
        target = self.folder() / "large"
        with mock.patch("connectordb.client.folders.saving.PAGE", 50):
            stream.export(target)
        self.assertEqual([point["d"] for point in read(target, "data.json")], list(range(1, 121)))
