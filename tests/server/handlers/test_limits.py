"""What users may have no more of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import replace
from typing import Any

from connectordb.server.handlers import Refusal, Reply, Request
from connectordb.server.handlers.create import create
from connectordb.server.handlers.crud import delete, update
from connectordb.server.handlers.data import insert
from connectordb.server.rights.permissions import DEFAULT, Limits, Permissions
from connectordb.server.storage import Reader, Writer

from ...support.case import SOON
from .case import NOW, HandlerCase

ADMIN = "root1/user"
PRIVATE = "Exceeded maximum number of private devices for user"


def limited(most_users: int = 0, **limits: int) -> Permissions:
    """Return the default permissions with limits for the role ``user``."""
    role = replace(DEFAULT.user_roles["user"], limits=Limits(**limits))
    return replace(DEFAULT, user_roles={**DEFAULT.user_roles, "user": role}, most_users=most_users)


def tree(**below: Any) -> dict[str, Any]:
    """Return a new user with a tree."""
    return {"email": "new@x", "password": "pw", **below}


class Objects(HandlerCase):
    """Numbers of users, devices and streams; mara has four devices: user, meta, lamp, remote."""

    def test_users(self) -> None:
        """There are no more users than there may be, whoever makes them."""
        self.refuses(403, "Maximum user limit was reached", create, "a", tree(), who=ADMIN, permissions=limited(3))
        self.ask(create, "a", tree(), who=ADMIN, permissions=limited(4))

    def test_devices(self) -> None:
        """The limit is that of the role of the devices' user; the devices that every user has count."""
        full = "Can't create device: Device number limit exceeded."
        for who in ("mara/user", ADMIN):
            self.refuses(403, full, create, "mara/more", {}, who=who, permissions=limited(devices=4))
        self.refuses(403, full, create, "mara/lamp", {}, permissions=limited(devices=4))
        self.ask(create, "mara/more", {}, permissions=limited(devices=5))
        self.ask(create, "root1/more", {}, who=ADMIN, permissions=limited(devices=1))
        two = tree(devices={"a": {}, "b": {}})
        self.refuses(403, "Exceeded device limit", create, "ada", two, who=ADMIN, permissions=limited(devices=3))
        self.ask(create, "ada", two, who=ADMIN, permissions=limited(devices=4))
        self.ask(create, "eve", {**tree(), "email": "e@x"}, who=ADMIN, permissions=limited(devices=1))

    def test_private_devices(self) -> None:
        """Devices that are not public have a limit of their own, made or turned so."""
        tables = limited(private_devices=4)
        self.refuses(403, PRIVATE, create, "mara/more", {}, permissions=tables)
        self.ask(create, "mara/open", {"public": True}, permissions=tables)
        self.refuses(403, PRIVATE, update, "mara/open", {"public": False}, permissions=tables)
        self.ask(update, "mara/lamp", {"public": False, "nickname": "L"}, permissions=tables)
        self.ask(update, "mara/lamp", {"public": True}, permissions=tables)
        self.ask(update, "mara/open", {"public": False}, permissions=tables)
        body = tree(public=True, devices={"a": {}, "b": {"public": True}})
        self.refuses(403, PRIVATE, create, "ada", body, who=ADMIN, permissions=limited(private_devices=2))
        self.ask(create, "ada", body, who=ADMIN, permissions=limited(private_devices=3))

    def test_streams(self) -> None:
        """The limit is that of one device; the lamp has two."""
        full = "Cannot create stream: Exceeded maximum stream number for device."
        self.refuses(403, full, create, "mara/lamp/more", {}, permissions=limited(streams=2))
        self.ask(create, "mara/lamp/more", {}, permissions=limited(streams=3))
        self.ask(create, "mara/remote/more", {}, permissions=limited(streams=1))
        two = {"a": {}, "b": {}}
        one = limited(streams=1)
        device = "Exceeded stream limit for device"
        self.refuses(
            403, "Exceeded stream limit for user", create, "ada", tree(streams=two), who=ADMIN, permissions=one
        )
        body = tree(devices={"d": {"streams": two}})
        self.refuses(403, device, create, "ada", body, who=ADMIN, permissions=one)
        self.refuses(403, device, create, "mara/d", {"streams": two}, permissions=one)

    def test_all_at_once(self) -> None:
        """However many ask together, the limit holds."""
        tables = limited(devices=10)
        who = self.caller("mara/user")

        def work(number: int) -> Callable[[Writer], Reply]:
            request = Request(NOW, ("mara", f"d{number}"), body=b"{}", caller=who, permissions=tables)
            return lambda writer: create(writer, request)

        futures = [self.storage.write(work(number)) for number in range(40)]
        wait(futures, SOON)
        results = Counter(type(future.exception()) for future in futures)
        self.assertEqual(results, {type(None): 6, Refusal: 34})


class Points(HandlerCase):
    """Bytes of points."""

    def insert(self, value: Any, tables: Permissions, path: str = "mara/lamp/plain", **options: Any) -> None:
        """Insert a point."""
        self.ask(insert, path, [{"d": value}], who="mara/lamp", permissions=tables, restamp=True, **options)

    def size(self, path: str, downlink: bool = False) -> int:
        """Return the size of a series."""
        series = self.series(path, downlink)
        return self.read(lambda reader: reader.size(series))

    def test_stream(self) -> None:
        """A stream takes what fits, to the last byte; its downlink is counted by itself."""
        self.insert("x" * 50, DEFAULT)
        size = self.size("mara/lamp/plain")
        full = (403, "Insert Failed: Exceeded stream size limit")
        body = [{"t": NOW + 1, "d": "x" * 50}]
        tables = limited(stream_bytes=2 * size)
        self.refuses(*full, insert, "mara/lamp/plain", body, who="mara/lamp", permissions=tables)
        self.assertEqual((self.size("mara/lamp/plain"), len(self.stored("mara/lamp/plain"))), (size, 1))
        self.insert("x" * 50, limited(stream_bytes=2 * size + 1))  # a comma stands between
        self.ask(insert, "mara/lamp/light", [{"d": 1}], who="mara/user", permissions=limited(stream_bytes=60))
        self.insert(1, limited(stream_bytes=40), "mara/lamp/light")

    def test_device(self) -> None:
        """All series of a device count together, and what is deleted no more."""
        for path in ("mara/lamp/plain", "mara/lamp/light"):
            self.insert(1, DEFAULT, path)
        total = self.size("mara/lamp/plain") + self.size("mara/lamp/light")
        tables = limited(device_bytes=total + 10)
        full = (403, "Insert Failed: Exceeded device size limit")
        self.refuses(*full, insert, "mara/lamp/light", [{"t": NOW + 1, "d": 1}], who="mara/lamp", permissions=tables)
        self.ask(delete, "mara/lamp/plain")
        self.insert(2, tables, "mara/lamp/light")
        series = self.series("mara/lamp/light")
        lamp = self.caller("mara/lamp").device
        assert lamp is not None

        def sizes(reader: Reader) -> tuple[int, int]:
            return reader.device_size(lamp.id), reader.size(series)

        self.assertEqual(*self.read(sizes))

    def test_ephemeral(self) -> None:
        """What is not kept is not counted."""
        self.ask(update, "mara/lamp/plain", {"ephemeral": True})
        self.insert("x" * 500, limited(stream_bytes=10, device_bytes=10))

    def test_log(self) -> None:
        """A change is not refused because the log is full; it is not noted any more."""
        tables = limited(stream_bytes=300)
        for number in range(8):
            self.ask(update, "mara", {"nickname": str(number)}, permissions=tables)
        noted = len(self.stored("mara/meta/log"))
        self.assertTrue(2 <= noted < 8, noted)
        self.assertLessEqual(self.size("mara/meta/log"), 300)
