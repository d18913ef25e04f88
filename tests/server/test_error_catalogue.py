"""
Every message by which clients tell causes apart (``docs/topics/wire.rst``, "Errors") is produced once, over the wire.

What is not here: texts of the original's database and of its faults, and what transforms say.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import requests

from connectordb.server.config import Config, Permissions

from ..support.case import Case
from ..support.server import run_server
from .rights.test_permission_files import default

API = "api/v1/"
LONG = "x" * 30

#: Who asks: none, a name and a password, or the name of a device in `Catalogue.KEYS`.
Who = str | tuple[str, str]

_NO_ACCESS = "Can't access this resource."
_NO_NAME = "Invalid Username, usernames may not contain / \\ ? or spaces"
_NO_DEVICE_NAME = "The provided name is not valid, it may not contain /, \\, space, ? or be blank"
_RANGE = 'A range needs [both "i1" and "i2" int] or ["t1" and ["t2" decimal and/or "limit" int]]'
_OLDER = "Greater timestamp already exists for the stream. Insert Failed."
_TAKEN_USER = "User with this email or username already exists"
_PRIVATE = "Exceeded maximum number of private devices for user"


def permissions() -> dict[str, Any]:
    """Return a permission file with a limit of each kind, and roles that may little."""
    file = default()
    user = file["user_roles"]["user"]
    file["allowed_email_suffixes"] = ["@x.org", "localhost"]
    file["user_roles"]["tight"] = {**user, "max_devices": 4, "max_private_devices": 3, "max_streams": 1}
    file["user_roles"]["small"] = {**user, "max_device_size": 100, "max_stream_size": 60}
    file["user_roles"]["seen"] = {**user, "user_can_be_private": False}
    file["user_roles"]["clerk"] = {
        **user,
        "private_access_level": "clerk",
        "create_user_defaults": {"role": "user", "public": True},
    }
    file["access_levels"]["clerk"] = {
        "can_create_user": True,
        "read_access": "publicread",
        "write_access": "selfwrite",
    }
    file["max_users"] = 8
    return file


def new_user(name: str, **fields: Any) -> dict[str, Any]:
    """Return the body of a new user."""
    return {"email": f"{name}@x.org", "password": "pw", "public": True, **fields}


class Catalogue(Case):
    """One server with tables of its own, and users of each role."""

    url: ClassVar[str]
    keys: ClassVar[dict[str, str]]
    http: ClassVar[requests.Session]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        path = Path(folder.name) / "permissions.json"
        path.write_text(json.dumps(permissions()))
        server = run_server(config=Config(permissions=Permissions(file=str(path), watch=False)))
        cls.url = server.__enter__().url
        cls.addClassCleanup(server.__exit__, None, None, None)
        cls.http = requests.Session()
        cls.addClassCleanup(cls.http.close)
        cls.keys = {"": ""}
        streams = {"s": {"schema": '{"type":"number"}'}, "inbox": {"downlink": True}}
        for role in ("user", "tight", "small", "seen", "clerk"):
            below = {"lamp": {}} if role == "tight" else {"lamp": {"streams": streams}, "open": {"public": True}}
            cls.ask("POST", f"{API}crud/{role}1", new_user(f"{role}1", role=role, devices=below), ("test", "test"))
            for device in cls.ask("GET", f"{API}crud/{role}1?q=ls", None, ("test", "test")).json():
                cls.keys[f"{role}1/{device['name']}"] = device["apikey"]

    def _check_leaks(self) -> None:
        """Threads and connections are those of the class."""

    @classmethod
    def ask(cls, verb: str, path: str, body: Any, who: Who) -> requests.Response:
        """Send a request."""
        key = cls.keys[who] if isinstance(who, str) else ""
        credentials = who if isinstance(who, tuple) else ("", key) if key else None
        content = body if isinstance(body, bytes) or body is None else json.dumps(body)
        return cls.http.request(verb, f"{cls.url}/{path}", auth=credentials, data=content, timeout=20)

    def tells(self, status: int, message: str, verb: str, path: str, body: Any = None, who: Who = "user1/user") -> None:
        """Check an answer with the error body; a message that ends in ``…`` is only how it begins."""
        with self.subTest(message, asked=f"{verb} {path}"):
            answer = self.ask(verb, path[1:] if path.startswith("/") else f"{API}{path}", body, who)
            self.assertEqual(answer.status_code, status, answer.text)
            error = answer.json()
            self.assertEqual({*error}, {"code", "msg", "ref"})
            self.assertEqual(error["code"], status)
            if message.endswith("…"):
                self.assertTrue(error["msg"].startswith(message[:-1]), error["msg"])
            else:
                self.assertEqual(error["msg"], message)

    def test_credentials(self) -> None:
        """401: what is wrong with credentials."""
        for message, who in (
            ("Login Failed. Check your username or password", ("nosuch", "pw")),
            ("Incorrect Password", ("test", "wrong")),
            ("Must have non-empty api key", ("", "")),
            ("The requested device was not found.", ("", "nosuch-key")),
        ):
            self.tells(401, message, "GET", "?q=this", who=who)

    def test_shape(self) -> None:
        """400: requests that are none."""
        data = "crud/user1/lamp/s/data"
        for message, verb, path, body in (
            ("The given name did not pass sanitation.", "POST", "crud/a%20b", {}),
            ("Unrecognized query command.", "GET", "crud/user1?q=nosuch", None),
            (_RANGE, "GET", data, None),
            (_RANGE, "GET", f"{data}?limit=5", None),
            (_RANGE, "GET", f"{data}?t1=x", None),
            ("Could not parse i1 parameter", "GET", f"{data}?i1=x", None),
            ("Could not parse i2 parameter", "GET", f"{data}?i1=0&i2=x", None),
            ("unexpected end of JSON input", "POST", data, b""),
            ("unexpected end of JSON input", "POST", data, b"["),
            ("invalid JSON: …", "POST", data, b"{bad"),
            ("an array of datapoints was expected", "POST", data, {}),
            ("the device 'd' is null; an object was expected", "POST", "crud/fresh", {"devices": {"d": None}}),
        ):
            self.tells(400, message, verb, path, body)

    def test_not_there(self) -> None:
        """404 where something is read, 403 where it is changed or its points are touched."""
        lamp = "crud/user1/lamp"
        self.tells(404, _NO_ACCESS, "GET", "crud/nosuch")
        self.tells(404, "The requested user was not found.", "GET", "crud/nosuch/d/s")
        self.tells(404, "The requested device was not found.", "GET", "crud/user1/nosuch/s")
        self.tells(404, "The requested stream was not found.", "GET", f"{lamp}/nosuch/data?q=time2index&t=1")
        self.tells(404, "You do not have permissions necessary to list users.", "GET", "crud/?q=ls")
        for kind, path in (("user", "crud/nosuch"), ("device", "crud/user1/nosuch"), ("stream", f"{lamp}/nosuch")):
            for verb in ("PUT", "DELETE"):
                self.tells(403, f"The requested {kind} was not found.", verb, path, {})
        self.tells(403, "The requested stream was not found.", "GET", f"{lamp}/nosuch/data?i1=0")
        self.tells(403, "The requested stream was not found.", "POST", f"{lamp}/nosuch/data", [])

    def test_permission(self) -> None:
        """403: who may not."""
        self.tells(403, _NO_ACCESS, "PUT", "crud/small1", {})
        self.tells(403, _NO_ACCESS, "GET", "crud/small1/lamp/s/data?i1=0")
        self.tells(
            403, "You do not have permissions necessary to create a user.", "POST", "crud/fresh", new_user("fresh")
        )
        self.tells(403, "You do not have permissions necessary to delete this user.", "DELETE", "crud/user1")
        role = "Don't have permission to create user with different role than creator"
        self.tells(403, role, "POST", "crud/fresh", new_user("fresh"), "clerk1/user")
        for what in ("users", "devices", "streams"):
            self.tells(403, f"Don't have permissions necessary to count {what}", "GET", f"?q=count{what}")
        self.tells(403, "This device does not have permissions to write role", "PUT", "crud/user1", {"role": "admin"})
        self.tells(403, "Write access to stream data denied.", "POST", "crud/user1/lamp/s/data", [{"d": 1}])
        inbox = "crud/user1/lamp/inbox/data"
        self.tells(403, "Write access to stream downlink denied.", "POST", f"{inbox}?downlink=true", [], "user1/lamp")
        self.tells(403, "You must be logged in to add users", "POST", "/join", {}, "")

    def test_conflicts(self) -> None:
        """403: what somebody has, or what comes too late."""
        admin = ("test", "test")
        self.tells(403, _TAKEN_USER, "POST", "crud/user1", new_user("fresh"), admin)
        self.tells(403, _TAKEN_USER, "PUT", "crud/user1", {"email": "small1@x.org"})
        self.tells(403, "Device with this name already exists", "POST", "crud/user1/lamp", {})
        key = {"apikey": self.keys["small1/user"]}
        self.tells(403, "Device with this name already exists", "POST", "crud/user1/fresh", key)
        self.tells(403, "Stream with this name already exists", "POST", "crud/user1/lamp/s", {})
        data, lamp = "crud/user1/lamp/s/data", "user1/lamp"
        self.assertEqual(self.ask("POST", API + data, [{"t": 5, "d": 1}], lamp).text, "ok")
        self.tells(403, _OLDER, "POST", data, [{"t": 4, "d": 1}], lamp)
        self.tells(403, "Timestamps are not ordered!", "POST", data, [{"t": 9, "d": 1}, {"t": 8, "d": 1}], lamp)
        schema = "At least one datapoint did not conform to the stream's schema"
        self.tells(403, schema, "POST", data, [{"d": "text"}], lamp)
        self.tells(403, "Invalid index range.", "GET", f"{data}?i1=7&i2=9", None, lamp)
        time = 'time2index requires an argument of "t" which is a decimal timestamp'
        self.tells(403, time, "GET", f"{data}?q=time2index", None, lamp)

    def test_queries(self) -> None:
        """403: queries over several streams."""
        for message, body in (
            ("The given path is invalid.", [{"stream": "user1"}]),
            ("Unrecognized substream type", [{"stream": "user1/lamp/s/bogus", "i1": 0}]),
            ("Merging more than 10 streams is disabled.", [{"stream": "user1/lamp/s", "i1": 0}] * 11),
            (
                "Only one query method (index or time) can be used at a time",
                [{"stream": "user1/lamp/s", "i1": 1, "t1": 1}],
            ),
        ):
            self.tells(403, message, "POST", "query/merge", body)

    def test_values(self) -> None:
        """403: values that will not do."""
        admin = ("test", "test")
        for kind, path in (("user", "crud/user1"), ("device", "crud/user1/lamp"), ("stream", "crud/user1/lamp/s")):
            who = admin
            self.tells(403, "Unrecognized field 'bogus'", "PUT", path, {"bogus": 1}, who)
            self.tells(403, "Value of field 'nickname' must be a string", "PUT", path, {"nickname": 1}, who)
            names = f"ConnectorDB does not support modification of {kind} names"
            self.tells(403, names, "PUT", path, {"name": "other"}, who)
            flag = "downlink" if kind == "stream" else "public"
            self.tells(403, f"Value of field '{flag}' must be a boolean", "PUT", path, {flag: "true"}, who)
        for message, fields in (
            ("Email 'a@b' not allowed", {"email": "a@b"}),
            ("Invalid Email Address", {"email": "nonsense@localhost localhost"}),
            ("The given role 'odd' does not exist", {"role": "odd"}),
            ("Users with role 'seen' can't be private.", {"role": "seen", "public": False}),
            ("Incorrect Password", {"password": ""}),
            ("illegal base64 data at input byte 1", {"icon": "a!b"}),
            ("icon name can't be more than 30 characters.", {"icon": f"fa:{LONG}"}),
            ("value too long: a description …", {"description": "x" * 1001}),
            ("value too long: an icon …", {"icon": "A" * 4100}),
            ('user device is created by default. Set its streams in "streams" property', {"devices": {"user": {}}}),
            ("meta device is created by default", {"devices": {"meta": {}}}),
            ("Could not find device role 'odd'", {"devices": {"d": {"role": "odd"}}}),
            ("The provided schema is not a valid JSONSchema", {"streams": {"s": {"schema": '{"type":"blah"}'}}}),
        ):
            self.tells(403, message, "POST", "crud/fresh", {**new_user("fresh"), **fields}, admin)
        self.tells(403, "Username 'admin' not allowed", "POST", "crud/admin", new_user("fresh"), admin)
        self.tells(403, _NO_NAME, "POST", f"crud/{LONG}", new_user("fresh"), admin)
        self.tells(403, _NO_DEVICE_NAME, "POST", "crud/user1/1", {})
        public = {"public": True}
        self.tells(403, "Can't make private user have public device", "POST", "crud/test/fresh", public, admin)
        self.tells(403, _NO_NAME, "POST", "crud/user1/lamp/1", {})
        self.tells(403, "Incorrect Password", "PUT", "crud/user1", {"password": ""})
        self.tells(403, "Could not find device role 'odd'", "PUT", "crud/user1/lamp", {"role": "odd"})
        self.tells(403, "User can't be private.", "PUT", "crud/seen1", {"public": False}, "seen1/user")
        self.tells(403, "Email 'a@b' not allowed", "PUT", "crud/user1", {"email": "a@b"})
        self.tells(403, "The provided schema is not a valid JSONSchema: …", "PUT", "crud/user1/lamp/s", {"schema": "["})
        for name in ("user", "meta"):
            self.tells(403, f"{name} device cannot be deleted", "DELETE", f"crud/user1/{name}")

    def test_limits(self) -> None:
        """403: what users may have no more of."""
        admin, person = ("test", "test"), "tight1/user"
        self.tells(403, _PRIVATE, "POST", "crud/tight1/fresh", {}, person)
        self.assertEqual(self.ask("POST", f"{API}crud/tight1/open", {"public": True}, person).status_code, 200)
        self.tells(403, _PRIVATE, "PUT", "crud/tight1/open", {"public": False}, person)
        full = "Can't create device: Device number limit exceeded."
        self.tells(403, full, "POST", "crud/tight1/fresh", {"public": True}, person)
        two = {"a": {}, "b": {}}
        tight = new_user("fresh", role="tight")
        self.tells(403, "Exceeded device limit", "POST", "crud/fresh", {**tight, "devices": {**two, "c": {}}}, admin)
        self.tells(403, "Exceeded stream limit for user", "POST", "crud/fresh", {**tight, "streams": two}, admin)
        device = "Exceeded stream limit for device"
        self.tells(403, device, "POST", "crud/fresh", {**tight, "devices": {"d": {"streams": two}}}, admin)
        self.assertEqual(self.ask("POST", f"{API}crud/tight1/lamp/one", {}, person).status_code, 200)
        stream = "Cannot create stream: Exceeded maximum stream number for device."
        self.tells(403, stream, "POST", "crud/tight1/lamp/two", {}, person)
        big = [{"t": 1, "d": 1}, {"t": 2, "d": 2}, {"t": 3, "d": 3}, {"t": 4, "d": 4}, {"t": 5, "d": 5}]
        size = "Insert Failed: Exceeded stream size limit"
        self.tells(403, size, "POST", "crud/small1/lamp/s/data", big, "small1/lamp")
        size = "Insert Failed: Exceeded device size limit"
        self.tells(403, size, "POST", "crud/small1/lamp/s/data", [{"d": 1}] * 9, "small1/lamp")
        # six users are there, eight there may be
        for name in ("one", "two"):
            self.assertEqual(self.ask("POST", f"{API}crud/{name}", new_user(name), admin).status_code, 200)
        self.tells(403, "Maximum user limit was reached", "POST", "crud/three", new_user("three"), admin)
        self.tells(403, "The maximum number of users has been reached.", "POST", "/join", {}, admin)
        for name in ("one", "two"):
            self.assertEqual(self.ask("DELETE", f"{API}crud/{name}", None, admin).status_code, 200)
