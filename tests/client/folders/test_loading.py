"""Tests of `connectordb.client.folders.loading`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import given, settings

from connectordb import ConnectionFailed, ConnectorDB, LocalProtocolError, RemoteProtocolError, Stream
from connectordb.client import Loaded, load, save
from connectordb.client.folders import loading
from tests.support.strategies import datapoints
from tests.support.target import TargetCase, new_name

POINTS = [{"t": 1.5 + number, "d": [number, "é\n", None][: number % 4]} for number in range(25)]
ORIGINAL = Path(__file__).parents[2] / "server" / "exchange" / "original"


class LoadingCase(TargetCase):
    """A lamp that was saved; pages of ten points."""

    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch.object(loading, "PAGE", 10)
        patch.start()
        self.addCleanup(patch.stop)

    def saved(self) -> tuple[ConnectorDB, Path]:
        """Return a new device, and where it was saved."""
        device = self.person().user[new_name()]
        device.create(nickname="Lamp", role="reader")
        cdb = self.connect(device.apikey)
        cdb["light"].create(downlink=True, nickname="L", schema={"type": "array"})
        cdb["light"].insert_array(POINTS)
        self.person()(f"{device.path}/light").insert_array([{"t": 5.0, "d": [7]}, {"t": 5.0, "d": [8]}])
        cdb["empty"].create()
        folder = self.folder() / device.name
        save(device, folder)
        return cdb, folder

    def has_all(self, cdb: ConnectorDB, path: str) -> None:
        """Check that everything of the lamp is there."""
        device = self.person()(path)
        self.assertEqual((device.nickname, device.role, device.apikey), ("Lamp", "reader", cdb.apikey))
        stream = device["light"]
        self.assertEqual((stream.nickname, stream.schema, stream.downlink), ("L", {"type": "array"}, True))
        self.assertEqual(stream(), POINTS)
        self.assertEqual([point["d"] for point in stream(downlink=True)], [[7], [8]])
        self.assertEqual((len(device["empty"]), len(device.streams())), (0, 2))


class Whole(LoadingCase):
    """Without a cut."""

    def test_device(self) -> None:
        """A device comes back; what is there already is not made again."""
        cdb, folder = self.saved()
        path, person = cdb.path, self.person()
        self.assertEqual(load(person, folder), Loaded(present=27))
        person(path).delete()
        self.assertEqual(load(person, folder), Loaded(devices=1, streams=2, points=27))
        self.has_all(cdb, path)
        self.assertEqual(load(person, folder), Loaded(present=27))
        # what came since is not in the way
        self.connect(cdb.apikey)["light"].insert([5])
        self.assertEqual(load(person, folder), Loaded(present=27))

    def test_stream(self) -> None:
        """A stream goes below the caller, or another device that the caller has the key of."""
        cdb, folder = self.saved()
        name = new_name()
        fields = json.loads((folder / "light" / "stream.json").read_text())
        (folder / "light" / "stream.json").write_text(json.dumps({**fields, "name": name}))
        person = self.person()
        self.assertEqual(load(person, folder / "light", person(cdb.path)), Loaded(streams=1, points=27))
        self.assertEqual(load(person, folder / "light"), Loaded(streams=1, points=27))
        self.assertEqual((person[name](), person(cdb.path)[name]()), (POINTS, POINTS))
        person[name].delete()

    def test_users(self) -> None:
        """Users come with what is theirs, and with passwords."""
        admin = self.admin()
        user = self.user(devices={"lamp": {"enabled": False, "public": True, "streams": {"light": {}}}}, public=False)
        root = self.folder() / "root"
        key = user["lamp"].apikey
        own_key = user["user"].apikey
        save(user, root)
        self.assertEqual(load(admin, root).users, 0)
        user.delete()
        with self.assertRaisesRegex(LocalProtocolError, "no password for"):
            load(admin, root, passwords={})
        loaded = load(admin, root, passwords={user.name: "word"})
        self.assertEqual((loaded.users, loaded.devices, loaded.notes), (1, 1, []))
        again = self.connect(user.name, "word").user
        self.assertEqual((again["lamp"].apikey, again["user"].apikey), (key, own_key))
        self.assertEqual((again["lamp"].enabled, again["lamp"].public, again.public), (False, True, False))
        user.delete()
        self.assertIn(f"is '{user.name}' now", load(admin, root).notes[0])

    def test_original(self) -> None:
        """What a real 0.3 server exported is loaded, and found to be there."""
        admin = self.admin()
        folder = Path(shutil.copytree(ORIGINAL, self.folder() / "original"))
        shutil.rmtree(folder / "test", ignore_errors=True)  # the administrator here is another one
        for user in ("mara", "ben", "lea"):
            self.addCleanup(self._remove, user)
        loaded = load(admin, folder)
        self.assertEqual(loaded.present, 0)
        self.assertGreater(loaded.points, 600)
        self.assertEqual(len(admin("mara/lamp/large")), 600)
        self.assertEqual(load(admin, folder).present, loaded.points)

    def test_in_the_way(self) -> None:
        """What is another is told before anything is changed, all of it at once."""
        cdb, folder = self.saved()
        person = self.person()
        name = new_name()
        (folder / name).mkdir()
        (folder / name / "stream.json").write_text(json.dumps({"name": name}))
        (folder / name / "data.json").write_text('[{"t":1}]')
        fields = json.loads((folder / "device.json").read_text())
        (folder / "device.json").write_text(json.dumps({**fields, "nickname": "Other"}))
        (folder / "light" / "data.json").write_text('[{"t":1.5},{"t":7}]')
        with self.assertRaisesRegex(
            LocalProtocolError, "nothing was changed: .* another nickname; .*light: its point at index 0 is another one"
        ):
            load(person, folder)
        self.assertFalse(person(cdb.path)[name].exists())
        self.assertEqual(person(cdb.path).nickname, "Lamp")

    def test_keys(self) -> None:
        """A device that is there keeps its key, and is told."""
        cdb, folder = self.saved()
        key = self.person()(cdb.path).reset_apikey()
        self.assertIn("keeps its API key", load(self.person(), folder).notes[0])
        self.assertEqual(self.person()(cdb.path).apikey, key)
        own = self.folder() / "own"
        user = self.user()
        save(user["user"], own)
        key = user["user"].reset_apikey()
        self.assertIn(f"{user.name}/user keeps its API key", load(self.admin(), own, user).notes[0])
        self.assertEqual(self.admin()(f"{user.name}/user").apikey, key)

    def test_mistakes(self) -> None:
        """What is no export, not whole, or does not go there."""
        cdb, folder = self.saved()
        person = self.person()
        for where, below, why in (
            (self.folder(), None, "no whole export"),
            (folder, person, "a device goes below a user"),
            (folder / "light", person.user, "a stream goes below a device"),
        ):
            with self.subTest(why), self.assertRaisesRegex(LocalProtocolError, why):
                load(person, where, below)
        for text in ("{}", "[5]", "[{}", '[{"t":"x"}]'):
            (folder / "light" / "data.json").write_text(text)
            with self.subTest(text), self.assertRaisesRegex(LocalProtocolError, "data.json"):
                load(person, folder)
        (folder / "light" / "downlink.json").unlink()
        with self.assertRaisesRegex(LocalProtocolError, "no downlink.json"):
            load(person, folder)

    def test_out_of_order(self) -> None:
        """Points that an old export has out of order are sorted."""
        folder = self.folder()
        name = new_name()
        (folder / "stream.json").write_text(json.dumps({"name": name}))
        (folder / "data.json").write_text('[{"t":3,"d":"c"},{"t":1,"d":"a"},{"t":3,"d":"d"}]')
        device = self.device()
        self.assertEqual(load(device, folder).points, 3)
        self.assertEqual(device[name]().d(), ["a", "c", "d"])
        self.assertEqual(load(device, folder), Loaded(present=3))


class CutOff(LoadingCase):
    """What is there when it is cut off stays, and is not sent again."""

    def test_goes_on(self) -> None:
        """Before whichever request it is cut off, it goes on, and comes to the same."""
        cdb, folder = self.saved()
        path, person = cdb.path, self.person()
        person(path).delete()
        # each attempt comes one change further than the one before
        changes = 0
        while True:
            left = iter(range(changes))
            changes += 1
            with mock.patch.multiple(
                Stream, **{name: _cut(name, left) for name in ("create", "set", "_insert_points")}
            ):
                try:
                    load(person, folder)
                    break
                except ConnectionFailed:
                    continue
        self.assertGreater(changes, 2)
        self.has_all(cdb, path)

    def test_half_inserted(self) -> None:
        """Points that came through before the cut are compared, and the rest is sent."""
        cdb, folder = self.saved()
        path, person = cdb.path, self.person()
        person(path).delete()
        insert = Stream._insert_points

        def half(stream: Stream, points: Any, restamp: bool, tell: Any) -> None:
            insert(stream, list(points)[:13], restamp, tell)
            raise ConnectionFailed("cut")

        with mock.patch.object(Stream, "_insert_points", half), self.assertRaises(ConnectionFailed):
            load(person, folder)
        self.assertEqual(load(person, folder).present, 13)
        self.has_all(cdb, path)

    def test_read_back(self) -> None:
        """What a server stores otherwise is told."""
        cdb, folder = self.saved()
        path, person = cdb.path, self.person()
        person(path).delete()
        for spoil, why in (
            (lambda points: points[:-1], "only 24 of 25 points are there"),
            (lambda points: [*points[:-1], {**points[-1], "d": None}], "at index 24 is another"),
        ):
            with (
                self.subTest(why),
                mock.patch.object(Stream, "_insert_points", _spoiling(spoil)),
                self.assertRaisesRegex(RemoteProtocolError, why),
            ):
                load(person, folder)
            person(path).delete()


class AnyPoints(LoadingCase):
    """Whatever JSON can hold."""

    def test_round(self) -> None:
        """Points go to a folder and back, and are the same."""
        person = self.device()

        @settings(max_examples=15)
        @given(datapoints())
        def round(points: list[dict[str, Any]]) -> None:
            stream = person[new_name()]
            stream.create()
            stream.insert_array(points)
            held = stream()
            folder = self.folder() / stream.name
            save(stream, folder)
            stream.delete()
            self.assertEqual(load(person, folder).points, len(points))
            self.assertEqual(stream(), held)
            stream.delete()

        round()


def _spoiling(spoil: Callable[[list[Any]], list[Any]]) -> Callable[..., None]:
    """Return an insert of other points than those that it is given."""
    insert = Stream._insert_points
    return lambda stream, points, *options: insert(stream, spoil(list(points)), *options)


def _cut(name: str, left: Any) -> Any:
    """Return a method of streams that the line is cut before, when nothing is left."""
    method = getattr(Stream, name)

    def cut(stream: Stream, *arguments: Any, **options: Any) -> Any:
        if next(left, None) is None:
            raise ConnectionFailed("cut")
        return method(stream, *arguments, **options)

    return cut
