"""Users."""

from __future__ import annotations

import jsonschema

from connectordb import (
    AuthenticationError,
    Conflict,
    ConnectorDB,
    InvalidRequest,
    LocalProtocolError,
    PermissionDenied,
)
from tests.support.case import Case
from tests.support.target import TargetCase, new_name
from tests.support.wire import Peer, Tree


class InOneCall(Case):
    """What one call sends."""

    def test_tree(self) -> None:
        """A user with devices and streams is one request; so is a device with streams."""
        peer = Peer(otherwise=Tree().step)
        self.addCleanup(peer.close)
        schema = {"type": "number"}
        with ConnectorDB("key", url=peer.url, connect=False) as cdb:
            cdb("tom").create(
                "t@x.org", "pw", devices={"lamp": {"streams": {"light": {"schema": schema}}}}, streams={"a": {}}
            )
            cdb("tom/fan").create(streams={"speed": {"schema": '{"type":"number"}'}})
        (user, device) = peer.requests
        self.assertEqual((user.method, user.path), ("POST", "/api/v1/crud/tom"))
        lamp = user.json["devices"]["lamp"]
        self.assertEqual(lamp["streams"], {"light": {"schema": '{"type":"number"}'}})
        self.assertEqual((user.json["streams"], user.json["role"], user.json["public"]), ({"a": {}}, "user", True))
        self.assertEqual((user.json["email"], user.json["password"]), ("t@x.org", "pw"))
        self.assertEqual((device.method, device.json["streams"]), ("POST", {"speed": {"schema": '{"type":"number"}'}}))


class Users(TargetCase):
    """Creating, listing and changing them."""

    def test_create(self) -> None:
        """A user is as it was asked for, and what is answered is kept."""
        user = self.admin()(new_name())
        self.addCleanup(self._remove, user.name)
        user.create(f"{user.name}@example.org", "secret", nickname="Mara", description="a person", icon="material:face")
        self.assertEqual((user.role, user.public, user.nickname), ("user", True, "Mara"))
        self.assertEqual((user.email, user.icon), (f"{user.name}@example.org", "material:face"))
        user.refresh()
        self.assertEqual((user.nickname, user.description), ("Mara", "a person"))

    def test_roles(self) -> None:
        """Role and visibility are given by position or by name."""
        for number, (arguments, named) in enumerate(((("admin", False), {}), ((), {"role": "admin", "public": False}))):
            user = self.admin()(new_name())
            self.addCleanup(self._remove, user.name)
            user.create(f"{user.name}@example.org", "secret", *arguments, **named)
            with self.subTest(number):
                self.assertEqual((user.role, user.public), ("admin", False))

    def test_tree(self) -> None:
        """Devices and streams are made along, as visible as those made one by one."""
        user = self.user(
            streams={"mood": {"schema": {"type": "integer"}, "nickname": "Mood"}},
            devices={
                "lamp": {"nickname": "Lamp", "streams": {"light": {"schema": '{"type": "boolean"}', "downlink": True}}},
                "hidden": {"visible": False},
            },
        )
        cdb = self.connect(user.name, "secret")
        self.assertEqual((cdb["mood"].schema, cdb["mood"].nickname), ({"type": "integer"}, "Mood"))
        lamp = cdb(f"{user.name}/lamp")
        self.assertEqual((lamp.nickname, lamp.enabled, lamp.visible, lamp.user_editable), ("Lamp", True, True, True))
        self.assertEqual((lamp["light"].schema, lamp["light"].downlink), ({"type": "boolean"}, True))
        self.assertFalse(cdb.user["hidden"].visible)

    def test_refused_before_sending(self) -> None:
        """A bad tree makes nothing."""
        user = self.admin()(new_name())
        with self.assertRaises(jsonschema.SchemaError):
            user.create("a@b.org", "x", devices={"lamp": {"streams": {"light": {"schema": {"type": "nosuch"}}}}})
        for bad in ({"devices": {"a b": {}}}, {"streams": {"a/b": {}}}, {"colour": "red"}, {"devices": {"user": {}}}):
            with self.subTest(bad), self.assertRaises(LocalProtocolError):
                user.create("a@b.org", "x", **bad)
        self.assertFalse(user.exists())

    def test_refused_by_the_server(self) -> None:
        """A name or an address that is taken is a conflict; one that is none is invalid; others may not create."""
        user = self.user()
        with self.assertRaises(Conflict) as caught:
            user.create("other@example.org", "x")
        self.assertTrue(caught.exception.value.startswith("403: "))
        with self.assertRaises(Conflict):
            self.admin()(new_name()).create(str(user.email), "x")
        with self.assertRaises(InvalidRequest):
            self.admin()(new_name()).create("no address", "x")
        with self.assertRaises(PermissionDenied):
            self.person()(new_name()).create("a@b.org", "x")

    def test_password(self) -> None:
        """The new password is the one from now on; connections that are there go on."""
        user = self.user()
        cdb = self.connect(user.name, "secret")
        cdb.user.set_password("other")
        self.assertEqual(cdb.ping(), f"{user.name}/user")
        with self.assertRaises(AuthenticationError):
            self.connect(user.name, "secret")
        self.assertEqual(self.connect(user.name, "other").ping(), cdb.ping())

    def test_properties(self) -> None:
        """Address, role and visibility are read and assigned."""
        user = self.user()
        user.email = f"new-{user.email}"
        user.public = False
        user.role = "admin"
        user.icon = "fa:user"
        user.refresh()
        self.assertEqual((user.email, user.public, user.role), (f"new-{user.name}@example.org", False, "admin"))

    def test_devices(self) -> None:
        """The devices, each with its data, for no further request."""
        user = self.user(devices={"lamp": {"nickname": "Lamp"}})
        devices = {device.name: device for device in user.devices()}
        self.assertEqual(set(devices), {"user", "meta", "lamp"})
        self.assertEqual(devices["lamp"], user["lamp"])
        user._session.close()
        self.assertEqual((devices["lamp"].nickname, devices["lamp"].path), ("Lamp", f"{user.name}/lamp"))

    def test_streams(self) -> None:
        """The streams of all devices; hidden devices only on demand, others filtered."""
        user = self.user(
            streams={"mood": {}},
            devices={"lamp": {"public": True, "streams": {"light": {"downlink": True, "nickname": "L"}}}},
        )
        # the server makes U/meta/log by itself, at a moment of its own
        visible = {stream.path.partition("/")[2]: stream for stream in user.streams()}
        self.assertEqual(set(visible), {"user/mood", "lamp/light"})
        self.assertEqual((visible["lamp/light"].nickname, visible["lamp/light"].device), ("L", user["lamp"]))
        self.assertNotIn("device", visible["lamp/light"].data)
        self.assertEqual([stream.name for stream in user.streams(downlink=True)], ["light"])
        self.assertEqual([stream.name for stream in user.streams(public=True)], ["light"])
        self.connect(user.name, "secret")
        self.assertIn("meta/log", {stream.path.partition("/")[2] for stream in user.streams(visible=False)})

    def test_delete(self) -> None:
        """All that is its goes with it."""
        user = self.user(streams={"mood": {}})
        user.delete()
        self.assertFalse(user.exists())
        self.assertFalse(user["user"]["mood"].exists())
