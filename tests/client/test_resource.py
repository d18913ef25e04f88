"""What users, devices and streams have in common."""

from __future__ import annotations

from connectordb import (
    AuthenticationError,
    ConnectionFailed,
    ConnectorDB,
    LocalProtocolError,
    NotFound,
    PermissionDenied,
    ServerError,
)
from tests.support.case import Case
from tests.support.target import TargetCase, new_name
from tests.support.wire import Peer, Step, Tree, answer, hang_up, refuse

from .test_signatures import PROPERTIES


class Scripted(Case):
    """Before a scripted server."""

    def connect(self, *steps: Step, tree: Tree | None = None) -> ConnectorDB:
        """Return a connection that has asked nothing yet."""
        self.peer = Peer(*steps, otherwise=(tree or Tree()).step)
        self.addCleanup(self.peer.close)
        cdb = ConnectorDB("hidden-key", url=self.peer.url, connect=False)
        self.addCleanup(cdb.close)
        return cdb

    def test_repr(self) -> None:
        """The repr tells path and server, asks nothing, and shows no key."""
        cdb = self.connect()
        lamp = cdb("mara/lamp")
        for thing, shown in (
            (cdb, f"<ConnectorDB at {self.peer.url}>"),
            (cdb("mara"), f"<User 'mara' at {self.peer.url}>"),
            (lamp, f"<Device 'mara/lamp' at {self.peer.url}>"),
            (lamp["light"], f"<Stream 'mara/lamp/light' at {self.peer.url}>"),
            (cdb("mara/lamp/light/downlink"), f"<Stream 'mara/lamp/light/downlink' at {self.peer.url}>"),
            (cdb.db, f"<Database at {self.peer.url}>"),
        ):
            self.assertEqual(repr(thing), shown)
            self.assertNotIn("hidden", repr(vars(thing)) if thing is not cdb else "")
        self.assertEqual(self.peer.requests, [])
        cdb.ping()
        self.assertEqual(cdb.path, "mara/user")
        self.assertEqual(repr(cdb), f"<ConnectorDB 'mara/user' at {self.peer.url}>")

    def test_equality(self) -> None:
        """Objects are equal and hash alike by server and path."""
        cdb = self.connect()
        self.assertEqual(cdb("mara/lamp"), cdb("mara")["lamp"])
        self.assertEqual(hash(cdb("mara/lamp")), hash(cdb("mara/lamp/light").device))
        self.assertNotEqual(cdb("mara/lamp/light"), cdb("mara/lamp/light/downlink"))
        self.assertNotEqual(cdb("mara"), "mara")
        self.assertEqual(cdb, cdb("mara/user"))
        with ConnectorDB("another-key", url=f"{self.peer.url}/api/v1/", connect=False) as other:
            self.assertEqual((cdb("mara/lamp"), hash(cdb("mara"))), (other("mara/lamp"), hash(other("mara"))))
        here = cdb("mara")
        self.assertNotEqual(here, self.connect()("mara"))
        self.assertEqual(len({cdb("mara"), cdb("mara/lamp").user, cdb("mara/lamp/light").user}), 1)

    def test_exists_means_what_it_says(self) -> None:
        """Only the server's own word means that something is not there; everything else is raised."""
        cdb = self.connect()
        for message in (
            "Can't access this resource.",
            "The requested user was not found.",
            "The requested device was not found.",
        ):
            self.peer.steps[:] = [refuse(404, message)]
            self.assertIs(cdb("tom/lamp/light").exists(), False)
        for step, kind in (
            (answer(b"<html><h1>The requested stream was not found.</h1>", 404), AuthenticationError),
            (answer(b"", 404), AuthenticationError),
            (answer({"detail": "Not Found"}, 404), AuthenticationError),
            (refuse(404, "pq: sorry, too many clients already"), AuthenticationError),
            (refuse(401, "The requested device was not found."), AuthenticationError),
            (refuse(403, "The requested device was not found."), NotFound),
            (refuse(503, "ConnectorDB is currently inactive"), ServerError),
            (answer(b"<html>", 200), ServerError),
            (answer(b"", 200), ServerError),
        ):
            self.peer.steps[:] = [step]
            with self.subTest(step), self.assertRaises(kind), cdb.options(retry=1):
                cdb("tom/lamp/light").exists()
        self.peer.steps[:] = [hang_up()]
        with self.assertRaises(ConnectionFailed), cdb.options(retry=1):
            cdb("tom/lamp/light").exists()

    def test_exists_keeps(self) -> None:
        """What was read to see whether it is there need not be read again."""
        cdb = self.connect()
        user = cdb("mara")
        self.assertIs(user.exists(), True)
        self.assertEqual(user.email, "m@x.org")
        self.assertEqual(len(self.peer.requests), 1)

    def test_blanked(self) -> None:
        """What the answer to a change blanks, because it is hidden, is not taken for true."""
        cdb = self.connect(
            answer({"name": "lamp", "nickname": "", "apikey": "", "user_editable": False, "visible": True}),
        )
        lamp = cdb("mara/lamp")
        lamp.visible = True
        self.assertNotIn("apikey", lamp.data)
        self.assertEqual((lamp.nickname, lamp.visible), ("", True))
        self.peer.steps[:] = [
            answer({"name": "lamp", "visible": False}),
            answer(
                {"name": "lamp", "apikey": "", "role": "", "user_editable": False, "visible": False, "enabled": True}
            ),
        ]
        lamp.refresh()
        lamp.visible = False
        self.assertEqual(lamp.data, {"name": "lamp", "visible": False, "enabled": True})

    def test_what_is_not_a_listing(self) -> None:
        """A listing with something odd in it is the server's failure."""
        cdb = self.connect()
        for listing, body in (
            (cdb.users, [{"email": "x"}]),
            (cdb("mara").devices, [{"name": "a/b"}]),
            (cdb("mara").streams, [{"name": "light"}]),
            (cdb("mara/lamp").streams, {"name": "a"}),
        ):
            self.peer.steps[:] = [answer(body)]
            with self.subTest(body), self.assertRaisesRegex(ServerError, "not what a ConnectorDB"):
                listing()

    def test_refused_here(self) -> None:
        """What makes no sense is refused before anything is sent."""
        cdb = self.connect()
        for path, said in (
            ("mara/lamp/light/uplink", "only '/downlink' may follow"),
            ("mara/lamp/light/downlink/x", "5 parts"),
            ("mara/living room", "cannot be the name"),
            ("mara//light", "a name in it is empty"),
            ("", "is no path"),
            (None, "is no path"),
            (5, "is no path"),
            ("x" * 30, "29 characters"),
        ):
            with self.subTest(path), self.assertRaisesRegex(LocalProtocolError, said):
                cdb(path)
        for bad in ("a/b", "living room", "", 5):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "cannot be the name"):
                cdb("mara/lamp")[bad]
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "cannot be the name"):
                cdb("mara")[bad]
        with self.assertRaisesRegex(LocalProtocolError, "has no property 'colour'"):
            cdb("mara/lamp").set({"colour": "red"})
        self.assertEqual(self.peer.requests, [])


class Real(TargetCase):
    """Before a real server."""

    def test_life(self) -> None:
        """A device is not there, is made, changed, read anew and deleted."""
        user = self.person().user
        device = user[new_name()]
        self.assertFalse(device.exists())
        device.create(description="a lamp")
        self.assertTrue(device.exists())
        other = self.person()(device.path)
        other.nickname = "Lamp"
        self.assertEqual((device.nickname, device.description), ("", "a lamp"))
        device.refresh()
        self.assertEqual((device.nickname, device.metadata), ("Lamp", device.data))
        self.assertEqual(device.data["nickname"], "Lamp")
        device.set({"nickname": "a", "description": "b"})
        self.assertEqual((device.nickname, device.description), ("a", "b"))
        device.delete()
        self.assertFalse(device.exists())
        with self.assertRaises(NotFound):
            device.refresh()
        with self.assertRaises(NotFound):
            device.delete()

    def test_every_property(self) -> None:
        """Each property that is assignable is kept by the server, and is what the object says from then on."""
        admin, user = self.admin(), self.user(devices={"lamp": {"streams": {"light": {}}}})
        looks = {"nickname": "N", "description": "D", "icon": "material:face"}
        flags = {"enabled": False, "visible": False, "user_editable": False}
        for path, values in (
            (
                f"{user.name}/lamp/light",
                {**looks, "datatype": "x", "downlink": True, "ephemeral": True, "schema": {"type": "null"}},
            ),
            (f"{user.name}/lamp", {**looks, **flags, "public": True, "role": "writer"}),
            (user.name, {**looks, "email": f"new-{user.name}@example.org", "public": False, "role": "admin"}),
        ):
            thing = admin(path)
            assignable = {name for name, can_be in PROPERTIES[type(thing)].items() if can_be}
            self.assertEqual(set(values), assignable)
            for name, value in values.items():
                with self.subTest(path, name=name):
                    self.assertNotEqual(getattr(thing, name), value)
                    setattr(thing, name, value)
                    self.assertEqual(getattr(thing, name), value)
                    self.assertEqual(getattr(admin(path), name), value)

    def test_answers_are_kept(self) -> None:
        """What a create, a change or a listing answered is kept: properties need no other request."""
        user = self.user(nickname="U", devices={"lamp": {"nickname": "L", "streams": {"light": {"nickname": "S"}}}})
        made_user, made_device, made_stream = (self.admin()(f"{user.name}{rest}") for rest in ("", "/new", "/new/new"))
        self.assertEqual(made_user, user)
        made_device.create(nickname="D")
        made_stream.create({"type": "number"}, datatype="x")
        changed = self.admin()(f"{user.name}/lamp")
        changed.set({"description": "changed"})
        lister = self.admin()
        listed_user = next(one for one in lister.users() if one == user)
        listed_device = next(one for one in listed_user.devices() if one.name == "lamp")
        (listed_stream,) = listed_device.streams()
        (other,) = (one for one in listed_user.streams() if one.name == "light")
        for thing in (user, made_device, made_stream, changed, lister):
            thing._session.close()
        self.assertEqual((user.nickname, user.role, user.email), ("U", "user", f"{user.name}@example.org"))
        self.assertEqual((made_device.nickname, made_device.role, made_device.public), ("D", "none", False))
        self.assertTrue(made_device.apikey)
        self.assertEqual((made_stream.schema, made_stream.datatype), ({"type": "number"}, "x"))
        self.assertEqual((changed.description, changed.nickname), ("changed", "L"))
        self.assertEqual((listed_user.nickname, listed_user.email), (user.nickname, user.email))
        self.assertEqual((listed_device.nickname, listed_stream.nickname, other.nickname), ("L", "S", "S"))
        self.assertEqual((listed_stream.downlink, other.sschema), (False, "{}"))

    def test_names(self) -> None:
        """A path says the names, and the objects above."""
        stream = self.stream()
        self.assertEqual(stream.path, f"{self.user_name}/own/{stream.name}")
        self.assertEqual((stream.device.path, stream.user.path), (f"{self.user_name}/own", self.user_name))
        self.assertEqual((stream.device.name, stream.device.user.name), ("own", self.user_name))

    def test_no_right(self) -> None:
        """A device sees nothing but itself: the rest is as if it were not there, and cannot be changed."""
        device = self.device()
        self.assertFalse(device.user.exists())
        self.assertFalse(device.user["user"].exists())
        self.assertTrue(device.exists())
        with self.assertRaises((PermissionDenied, NotFound)):
            device.user.set({"nickname": "x"})
        with self.assertRaises(PermissionDenied):
            device.role = "user"
