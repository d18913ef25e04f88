"""Metadata properties."""

from __future__ import annotations

from connectordb import ConnectorDB, Device, Stream
from connectordb.client.fields import Field
from tests.support.case import Case
from tests.support.wire import Peer, Tree

from .test_signatures import PROPERTIES


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
        shown = {"name", "path", "data", "metadata", "db", "user", "device"}
        defaults = {"datatype": "", "downlink": False, "ephemeral": False}
        for thing in (self.cdb("mara"), self.cdb("mara/lamp"), self.cdb("mara/lamp/light")):
            for name in PROPERTIES[type(thing)].keys() - shown:
                with self.subTest(thing=thing, name=name):
                    self.assertIs(getattr(thing, name), defaults.get(name) if type(thing) is Stream else None)

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
            (self.cdb("mara"), "name"),
            (self.cdb("mara"), "path"),
            (self.cdb, "path"),
            (self.cdb, "apikey"),
            (device, "name"),
            (device, "path"),
            (device, "apikey"),
            (device, "user"),
            (stream, "name"),
            (stream, "path"),
            (stream, "sschema"),
            (stream, "user"),
            (stream, "device"),
        ):
            before = len(self.peer.requests)
            with self.subTest(name), self.assertRaises(AttributeError):
                setattr(thing, name, "x")
            self.assertEqual(len(self.peer.requests), before)

    def test_of_the_class(self) -> None:
        """Of the class it is the field, with its documentation."""
        self.assertIsInstance(Device.nickname, Field)
        self.assertEqual(Device.nickname.__doc__, "A name for people.")
