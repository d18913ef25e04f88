"""The raw connection."""

from __future__ import annotations

import requests

from connectordb import AuthenticationError, InvalidRequest, LocalProtocolError, NotFound, OutcomeUnknown, ServerError
from connectordb.client import Database
from connectordb.client.session import Session
from connectordb.client.settings.credentials import Credentials
from tests.support.case import Case
from tests.support.target import TargetCase, new_name
from tests.support.wire import Peer, Step, answer, hang_up


class Raw(TargetCase):
    """Requests by verb and path."""

    def test_every_object_has_it(self) -> None:
        """It is the same of every object."""
        cdb = self.person()
        for thing in (cdb, cdb("a"), cdb("a/b"), cdb("a/b/c")):
            self.assertEqual(thing.db.baseurl, cdb.url)

    def test_verbs(self) -> None:
        """Reading, creating, changing, inserting and deleting, answered by responses of requests."""
        db, path = self.device().db, f"{self.user_name}/own/{new_name()}"
        made = db.create(path, {"schema": '{"type":"number"}'})
        self.assertIsInstance(made, requests.Response)
        self.assertEqual(made.json()["schema"], '{"type":"number"}')
        self.assertEqual(db.create(f"{path}/data", [{"t": 1, "d": 5}, {"t": 2, "d": 6}]).text, "ok")
        self.assertEqual(db.update(f"{path}/data", [{"t": 1.5, "d": 7}]).text, "ok")
        self.assertEqual(db.read(f"{path}/data", {"q": "length"}).text, "3")
        self.assertEqual(db.read(f"{path}/data", {"i1": 0, "i2": 1}).json(), [{"t": 1, "d": 5}])
        self.assertEqual(db.update(path, {"nickname": "N"}).json()["nickname"], "N")
        self.assertEqual(db.get(f"crud/{path}").json()["nickname"], "N")
        self.assertEqual(db.get("", {"q": "this"}).text, f"{self.user_name}/own")
        self.assertEqual(db.get("meta/version").text[:3], "0.3")
        self.assertEqual(db.query("merge", [{"stream": path, "i1": 1}])[0], {"t": 2, "d": 6})
        self.assertEqual(db.delete(path).text, "ok")
        with self.assertRaises(NotFound):
            db.read(path)

    def test_without_data(self) -> None:
        """Creating and changing without data is creating and changing nothing."""
        db, path = self.device().db, f"{self.user_name}/own/{new_name()}"
        self.assertEqual(db.create(path).json()["name"], path.rpartition("/")[2])
        self.assertEqual(db.update(path).json()["nickname"], "")

    def test_errors(self) -> None:
        """Failed answers are the same exceptions as everywhere."""
        db = self.device().db
        with self.assertRaises(InvalidRequest) as caught:
            db.read(f"{self.user_name}/own", {"q": "nonsense"})
        self.assertEqual((caught.exception.status, caught.exception.method), (400, "GET"))
        with self.assertRaises(AuthenticationError):
            db.query("merge", [{"stream": "no/such/stream"}])
        for bad in (b"x", {1, 2}, float("nan")):
            with self.subTest(bad), self.assertRaises(LocalProtocolError):
                db.update(f"{self.user_name}/own", {"nickname": bad})
            with self.subTest(bad), self.assertRaises(LocalProtocolError):
                db.query("merge", bad)


class Scripted(Case):
    """Before a scripted server."""

    def database(self, *steps: Step) -> Database:
        """Return a raw connection to a peer with these steps."""
        self.peer = Peer(*steps)
        self.addCleanup(self.peer.close)
        session = Session(self.peer.url, Credentials())
        self.addCleanup(session.close)
        return Database(session)

    def test_paths(self) -> None:
        """What cannot stand in a URL is quoted; what is quoted stays so."""
        db = self.database(*[answer("ok")] * 4)
        for path, wanted in (
            ("mara/living room", "/api/v1/crud/mara/living%20room"),
            ("mara/a%20b", "/api/v1/crud/mara/a%20b"),
            ("/mara", "/api/v1/crud/mara"),
            ("märä", "/api/v1/crud/m%C3%A4r%C3%A4"),
        ):
            db.read(path)
            self.assertEqual(self.peer.requests[-1].target, wanted)

    def test_parameters(self) -> None:
        """Parameters are text, truth in the server's spelling, and what is None is left out."""
        db = self.database(answer("ok"))
        db.read("a/b/c/data", {"downlink": True, "i1": 5, "t1": None})
        self.assertEqual(self.peer.requests[0].parameters, {"downlink": "true", "i1": "5"})

    def test_unknown_outcome(self) -> None:
        """An insert by hand is not sent twice either."""
        db = self.database(hang_up(), hang_up())
        with self.assertRaises(OutcomeUnknown):
            db.update("a/b/c/data", [{"t": 1, "d": 1}])
        self.assertEqual(len(self.peer.requests), 1)

    def test_useless_answer(self) -> None:
        """A query that is answered by no JSON failed."""
        with self.assertRaises(ServerError):
            self.database(answer(b"")).query("merge", [])
