"""What refusals mean."""

from __future__ import annotations

import unittest

from connectordb.exceptions import (
    AuthenticationError,
    Conflict,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ServerError,
    ServerTrouble,
)
from connectordb.protocol import rest
from connectordb.protocol.json_text import dumps
from connectordb.protocol.paths import Path
from connectordb.protocol.refusals import kind_of
from connectordb.protocol.reply import Reply


def error(status: int, msg: str) -> Reply:
    """Return the protocol's error answer."""
    return Reply(status, dumps({"code": status, "msg": msg, "ref": "a-ref"}))


class Meaning(unittest.TestCase):
    """Status and message to exception."""

    def test_troubles(self) -> None:
        """Trouble of the server's own, whatever the status: caught as a failure of the server, and as any 4xx."""
        for status, message in (
            (401, "pq: sorry, too many clients already"),
            (404, "pq: permission denied for table users"),
            (403, "database is locked"),
            (403, "redis: nil"),
            (403, "msgpack: invalid code 1 decoding bytes length"),
            (400, "read tcp 127.0.0.1:3124->127.0.0.1:4: i/o timeout"),
        ):
            with self.subTest(message):
                self.assertIs(kind_of(status, message), ServerTrouble)
                reply = error(status, message)
                for kind in (ServerError, AuthenticationError):
                    with self.assertRaises(kind):
                        rest.whoami().read(reply)

    def test_not_the_protocol(self) -> None:
        """Where a body is none of the protocol's, the status alone decides."""
        for status, kind in ((404, NotFound), (403, InvalidRequest), (409, Conflict), (418, InvalidRequest)):
            with self.assertRaises(kind) as caught:
                rest.whoami().read(Reply(status, b"pq: sorry"))
            self.assertIs(type(caught.exception), kind)


class Refusing(unittest.TestCase):
    """Every failed answer becomes an exception that says what it means."""

    def test_messages(self) -> None:
        """What the server says decides which exception it is."""
        for status, msg, kind in (
            (401, "Incorrect Password", AuthenticationError),
            (401, "The requested device was not found.", AuthenticationError),
            (400, "Unrecognized query command.", InvalidRequest),
            (404, "Can't access this resource.", NotFound),
            (404, "The requested user was not found.", NotFound),
            (404, "You do not have permissions necessary to list users.", PermissionDenied),
            (403, "The requested stream was not found.", NotFound),
            (403, "Can't access this resource.", PermissionDenied),
            (403, "Write access to stream data denied.", PermissionDenied),
            (403, "This device does not have permissions to write role", PermissionDenied),
            (403, "Device with this name already exists", Conflict),
            (403, "UNIQUE constraint failed: users.name", Conflict),
            (403, "Greater timestamp already exists for the stream. Insert Failed.", Conflict),
            (403, "Timestamps are not ordered!", InvalidRequest),
            (403, "Insert Failed: Exceeded stream size limit", PermissionDenied),
            (403, "Maximum user limit was reached", PermissionDenied),
            (403, "Script 'x': syntax error", InvalidRequest),
            (413, "Too large", InvalidRequest),
            (500, "json: unsupported value: NaN", ServerError),
            (503, "ConnectorDB is currently inactive", ServerError),
            (403, 'pq: duplicate key value violates unique constraint "users_name_key"', Conflict),
            (403, "UNIQUE constraint failed: Devices.Name", Conflict),
            (403, "pq: value too long for type character varying(30)", InvalidRequest),
            (403, "Exceeded device limit", PermissionDenied),
            (429, "slowly", PermissionDenied),
            (400, "invalid character", InvalidRequest),
        ):
            with self.subTest(msg):
                with self.assertRaises(kind) as caught:
                    rest.read(Path.parse("mara/lamp/light")).read(error(status, msg))
                self.assertIs(type(caught.exception), kind)
                self.assertEqual((caught.exception.status, caught.exception.ref), (status, "a-ref"))
                self.assertEqual(caught.exception.value, f"{status}: {msg} (a-ref)")

    def test_a_redirect(self) -> None:
        """A redirect says where to."""
        reply = Reply(301, b"", {"Location": "https://example.org/api/v1/"})
        with self.assertRaisesRegex(ServerError, "redirected to https://example.org"):
            rest.whoami().read(reply)

    def test_a_proxy(self) -> None:
        """A proxy's page of any status is told as one."""
        with self.assertRaisesRegex(ServerError, "502 answered with a web page"):
            rest.whoami().read(Reply(502, b"<html><body>Bad Gateway</body></html>"))
        with self.assertRaisesRegex(NotFound, "web page"):
            rest.read(Path.parse("mara/lamp/light")).read(Reply(404, b"<!doctype html><p>nothing here"))
