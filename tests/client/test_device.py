"""Devices."""

from __future__ import annotations

import jsonschema

from connectordb import AuthenticationError, Conflict, ConnectorDB, InvalidRequest, LocalProtocolError, PermissionDenied
from tests.pictures.cases import DrawingCase
from tests.support.case import Case
from tests.support.target import TargetCase, new_name
from tests.support.wire import Peer, Tree, answer

_CELSIUS = {"type": "number", "unit": "°C"}


class Devices(TargetCase):
    """Creating, listing and changing them."""

    def test_create(self) -> None:
        """A device is as it was asked for, with its streams."""
        device = self.person().user[new_name()]
        device.create(
            True,
            nickname="Lamp",
            role="reader",
            apikey=f"chosen-{device.name}",
            streams={"light": {"schema": {"type": "boolean"}}, "heat": {}},
        )
        self.assertEqual((device.public, device.nickname, device.role), (True, "Lamp", "reader"))
        self.assertEqual((device.enabled, device.visible, device.user_editable), (True, True, True))
        self.assertEqual(device.apikey, f"chosen-{device.name}")
        self.assertEqual(self.connect(f"chosen-{device.name}").path, device.path)
        self.assertEqual(
            {stream.name: stream.schema for stream in device.streams()}, {"light": {"type": "boolean"}, "heat": {}}
        )

    def test_private_by_default(self) -> None:
        """By default others do not see it."""
        device = self.person().user[new_name()]
        device.create()
        self.assertIs(device.public, False)
        stranger = self.connect(self.user().name, "secret")
        self.assertFalse(stranger(device.path).exists())
        device.public = True
        self.assertTrue(stranger(device.path).exists())
        seen = stranger(device.path)
        self.assertEqual((seen.apikey, seen.role, seen.user_editable), (None, None, None))

    def test_properties(self) -> None:
        """They are read and assigned."""
        device = self.person().user[new_name()]
        device.create()
        device.enabled = False
        device.visible = False
        device.role = "writer"
        device.icon = "material:lightbulb"
        device.refresh()
        self.assertEqual(
            (device.enabled, device.visible, device.role, device.icon), (False, False, "writer", "material:lightbulb")
        )
        self.admin()(device.path).user_editable = False
        device.refresh()
        self.assertIs(device.user_editable, False)

    def test_refused(self) -> None:
        """A name that is taken, a bad schema, a bad role, and what only others may do."""
        user = self.person().user
        with self.assertRaises(Conflict):
            user["own"].create()
        fresh = user[new_name()]
        with self.assertRaises(jsonschema.SchemaError):
            fresh.create(streams={"light": {"schema": {"type": "nosuch"}}})
        with self.assertRaisesRegex(LocalProtocolError, "has no property 'password'"):
            fresh.create(password="x")
        self.assertFalse(fresh.exists())
        with self.assertRaises(InvalidRequest):
            user["own"].role = "nosuchrole"
        with self.assertRaises(PermissionDenied):
            self.person()(f"test/{new_name()}").create()
        with self.assertRaises(InvalidRequest):
            user["user"].delete()

    def test_reset_apikey(self) -> None:
        """The new key is answered, the old one is of no use any more."""
        device = self.person().user[new_name()]
        device.create()
        old = str(device.apikey)
        before = self.connect(old)
        new = device.reset_apikey()
        self.assertEqual((device.apikey, self.connect(new).path), (new, device.path))
        with self.assertRaisesRegex(AuthenticationError, "is its API key still the newest one"):
            before.ping()
        with self.assertRaises(AuthenticationError):
            self.connect(old)

    def test_streams(self) -> None:
        """The streams, each with its data, for no further request."""
        device = self.person().user[new_name()]
        device.create(streams={"light": {"downlink": True}, "heat": {"datatype": "temperature"}})
        streams = {stream.name: stream for stream in device.streams()}
        device._session.close()
        self.assertEqual((streams["light"].downlink, streams["heat"].datatype), (True, "temperature"))
        self.assertEqual(streams["light"], device["light"])

    def test_user(self) -> None:
        """It knows its user without asking."""
        self.assertEqual(self.person()("a/b").user.path, "a")


class Hidden(Case):
    """Where the server does not show keys."""

    def test_new_key_not_shown(self) -> None:
        """A key that was reset and is not shown is told."""
        peer = Peer(answer({"name": "lamp", "apikey": ""}), answer({"name": "lamp"}), otherwise=Tree().step)
        self.addCleanup(peer.close)
        with ConnectorDB("key", url=peer.url, connect=False) as cdb:
            lamp = cdb("mara/lamp")
            peer.steps.insert(1, answer("mara/user"))
            with self.assertRaisesRegex(PermissionDenied, "does not show"):
                lamp.reset_apikey()


class Pictures(DrawingCase, TargetCase):
    """Several streams in one."""

    def test_plot(self) -> None:
        """Streams as objects, names and paths; all of the device's own where none are said; those of one unit together."""
        device = self.device()
        indoors, outdoors, lamp = (self.stream(schema) for schema in (_CELSIUS, _CELSIUS, {"type": "boolean"}))
        for number, stream in enumerate((indoors, outdoors, lamp)):
            stream.insert_array(
                [{"t": 1.6e9 + n, "d": bool(n % 2) if stream is lamp else n + number} for n in range(9)]
            )
        axes = device.plot([indoors, outdoors.name, f"{lamp.path}/downlink"], i1=-3)
        self.assertEqual([list(line.get_ydata()) for line in axes.get_lines()], [[6.0, 7.0, 8.0], [7.0, 8.0, 9.0]])
        self.assertEqual(axes.get_ylabel(), "°C")
        self.assertEqual(len(axes.figure.axes), 2)
        everything = device.plot()
        self.assertGreaterEqual(len(everything.figure.axes), 2)
        self.assertEqual(everything.figure.get_suptitle(), device.path)
        with self.assertRaisesRegex(LocalProtocolError, "is a device: expected a stream"):
            device.plot([device.path])
        with self.assertRaisesRegex(LocalProtocolError, "leave out ax="):
            device.plot([indoors, lamp], ax=axes)
