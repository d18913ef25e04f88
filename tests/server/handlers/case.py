"""What the tests of handlers share: users and devices in a real storage, and requests on their behalf."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from connectordb.protocol import json_text
from connectordb.server.handlers import HashWanted, Refusal, Reply, Request
from connectordb.server.rights.accounts import ANONYMOUS, Caller
from connectordb.server.storage import Reader, Series, Writer
from connectordb.server.tree import create_user

from ..storage.trees import StorageCase, device, stream

#: When everything in these tests happens.
NOW = 1700000000.5


def grow(writer: Writer) -> None:
    """Make an administrator, ``mara`` with a lamp and its light, and ``bob``, who is private."""
    create_user(writer, {"name": "root1", "email": "r@x", "role": "admin", "public": False}, "hash")
    mara = create_user(writer, {"name": "mara", "email": "m@x", "role": "user", "public": True}, "hash")
    lamp = writer.create_device(mara.id, device("lamp", apikey="lamp-key", role="none"))
    writer.create_device(mara.id, device("remote", apikey="remote-key", role="writer"))
    writer.create_stream(lamp.id, stream("light", schema='{"type":"number"}', downlink=True))
    writer.create_stream(lamp.id, stream("plain"))
    create_user(writer, {"name": "bob", "email": "b@x", "role": "user", "public": False}, "hash")


class HandlerCase(StorageCase):
    """A test case with users, devices and streams."""

    def setUp(self) -> None:
        super().setUp()
        self.write(grow)

    def caller(self, path: str) -> Caller:
        """Return a device as the caller; ``""`` is nobody."""
        if not path:
            return ANONYMOUS
        found = self.read(lambda reader: reader.find(tuple(path.split("/"))))
        return Caller(found.user, found.device)

    def series(self, path: str, downlink: bool = False) -> Series:
        """Return the points at a path."""
        found = self.read(lambda reader: reader.find(tuple(path.split("/")))).stream
        assert found is not None
        return Series(found.id, downlink)

    def ask(self, handler: Callable[[Any, Request], Reply], path: str = "", body: Any = b"", **options: Any) -> Reply:
        """Have a handler answer; *options* are ``who``, ``q``, and fields of a request."""
        request = Request(
            now=NOW,
            names=tuple(path.split("/")) if path else (),
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
            caller=self.caller(options.pop("who", "mara/user")),
            q=(options.pop("q"),) if "q" in options else (),
            **options,
        )
        try:
            return self.write(lambda writer: handler(writer, request))
        except HashWanted as wanted:
            hashed = request.with_hash(f"hash of {wanted.password}")
            return self.write(lambda writer: handler(writer, hashed))

    def value(self, handler: Callable[[Any, Request], Reply], *arguments: Any, **options: Any) -> Any:
        """Return what a handler's answer says."""
        return json_text.loads(self.whole(self.ask(handler, *arguments, **options)))

    def whole(self, reply: Reply) -> bytes:
        """Return the body of an answer with all of its pages."""
        rest = reply.rest
        if rest is None:
            return reply.body
        parts = [reply.body]
        while (part := rest.next(self.read)) is not None:
            parts.append(part)
        return b"".join(parts)

    def refuses(self, status: int, message: str, *arguments: Any, **options: Any) -> None:
        """Check that a handler refuses, at the latest before the first piece of its answer."""
        with self.assertRaises(Refusal) as caught:
            self.whole(self.ask(*arguments, **options))
        self.assertEqual((caught.exception.status, caught.exception.message), (status, message))

    def stored(self, path: str, downlink: bool = False) -> list[dict[str, Any]]:
        """Return all points at a path."""
        series = self.series(path, downlink)

        def work(reader: Reader) -> bytes:
            return reader.text(series, 0, reader.length(series), 10**9)[0]

        points: list[dict[str, Any]] = json_text.loads(b"[" + self.read(work) + b"]")
        return points
