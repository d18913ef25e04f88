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
from connectordb.protocol.refusals import kind_of


class Meaning(unittest.TestCase):
    """Status and message to exception."""

    def test_messages(self) -> None:
        """Words that servers were seen to say."""
        for status, message, kind in (
            (401, "The requested device was not found.", AuthenticationError),
            (403, "The requested stream was not found.", NotFound),
            (404, "Can't access this resource.", NotFound),
            (403, "Can't access this resource.", PermissionDenied),
            (404, "You do not have permissions necessary to list users.", PermissionDenied),
            (403, 'pq: duplicate key value violates unique constraint "users_name_key"', Conflict),
            (403, "UNIQUE constraint failed: Devices.Name", Conflict),
            (403, "pq: value too long for type character varying(30)", InvalidRequest),
            (403, "Exceeded device limit", PermissionDenied),
            (429, "slowly", PermissionDenied),
            (400, "invalid character", InvalidRequest),
        ):
            with self.subTest(message, status=status):
                self.assertIs(kind_of(status, message), kind)

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
                reply = rest.Reply(status, dumps({"code": status, "msg": message, "ref": "r"}))
                for kind in (ServerError, AuthenticationError):
                    with self.assertRaises(kind):
                        rest.whoami().read(reply)

    def test_not_the_protocol(self) -> None:
        """Where a body is none of the protocol's, the status alone decides."""
        for status, kind in ((404, NotFound), (403, InvalidRequest), (409, Conflict), (418, InvalidRequest)):
            with self.assertRaises(kind) as caught:
                rest.whoami().read(rest.Reply(status, b"pq: sorry"))
            self.assertIs(type(caught.exception), kind)
