"""Metadata properties."""

from __future__ import annotations

from connectordb import ConnectorDB, Device, Stream
from connectordb.client.fields import Field
from tests.support.case import Case
from tests.support.wire import Peer, Tree


class Fields(Case):
    """Read from what the server last said, written by a request."""

    def setUp(self) -> None:
        super().setUp()
        self.tree = Tree()
        self.peer = Peer(otherwise=self.tree.step)
        self.addCleanup(self.peer.close)
        self.cdb = ConnectorDB("key", url=self.peer.url)
        self.addCleanup(self.cdb.close)

    def test_read_once(self) -> None:
        """Reading several properties costs one request."""
        self.tree.objects["mara/lamp"] = {"name": "lamp", "nickname": "Lamp", "visible": True}
        device: Device = self.cdb("mara/lamp")
        before = len(self.peer.requests)
        self.assertEqual((device.nickname, device.visible, device.name), ("Lamp", True, "lamp"))
        self.assertEqual(len(self.peer.requests), before + 1)

    def test_not_shown(self) -> None:
        """What the server does not show reads as nothing."""
        self.tree.objects |= {
            "mara": {"name": "mara"},
            "mara/lamp": {"name": "lamp"},
            "mara/lamp/light": {"name": "light"},
        }
        user, device, stream = self.cdb("mara"), self.cdb("mara/lamp"), self.cdb("mara/lamp/light")
        self.assertEqual((user.email, user.role, user.public, user.nickname), (None,) * 4)
        self.assertEqual((device.apikey, device.role, device.user_editable), (None,) * 3)
        self.assertEqual((stream.datatype, stream.downlink, stream.ephemeral), ("", False, False))
        self.assertEqual((stream.schema, stream.sschema), (None, None))

    def test_assign(self) -> None:
        """Assigning sends the property, and keeps what was answered."""
        self.tree.objects["mara/lamp/light"] = {"name": "light", "downlink": False}
        stream: Stream = self.cdb("mara/lamp/light")
        stream.downlink = True
        self.assertEqual((self.peer.requests[-1].method, self.peer.requests[-1].json), ("PUT", {"downlink": True}))
        before = len(self.peer.requests)
        self.assertTrue(stream.downlink)
        self.assertEqual(len(self.peer.requests), before)

    def test_fixed(self) -> None:
        """What nobody changes cannot be assigned."""
        device, stream = self.cdb("mara/lamp"), self.cdb("mara/lamp/light")
        for thing, name in (
            (device, "name"),
            (device, "path"),
            (device, "apikey"),
            (device, "user"),
            (stream, "sschema"),
            (stream, "user"),
            (stream, "device"),
        ):
            with self.subTest(name), self.assertRaises(AttributeError):
                setattr(thing, name, "x")

    def test_of_the_class(self) -> None:
        """Of the class it is the field, with its documentation."""
        self.assertIsInstance(Device.nickname, Field)
        self.assertEqual(Device.nickname.__doc__, "A name for people.")
