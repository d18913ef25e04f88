"""
What the client's tests talk to: a server in this process, or with ``CONNECTORDB_TEST_URL`` any that runs.

Of one that runs an administrator ``test`` with the password ``test`` is expected. Every test makes objects with names of
its own, and removes them.
"""

from __future__ import annotations

import os
import threading
import uuid
from typing import Any, ClassVar

from connectordb import ConnectorDB, Stream, User

from .case import Case

#: The administrator.
ADMINISTRATOR, PASSWORD = "test", "test"

_SERVERS = ("connectordb-server", "connectordb-storage", "connectordb-passwords")


class TargetCase(Case):
    """A case with a server, an administrator, and a user of its own with a device ``own``, whose key the tests log in with."""

    url: ClassVar[str]
    admin_key: ClassVar[str]
    user_name: ClassVar[str]
    user_key: ClassVar[str]
    device_key: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        given = os.environ.get("CONNECTORDB_TEST_URL")
        if given:
            cls.url = given
        else:
            from .server import run_server

            server = run_server(user=ADMINISTRATOR, password=PASSWORD)
            cls.url = server.__enter__().url
            cls.addClassCleanup(server.__exit__, None, None, None)
        with ConnectorDB(ADMINISTRATOR, PASSWORD, url=cls.url) as admin:
            cls.admin_key = admin.apikey or ""
            cls.user_name = new_name()
            user = admin(cls.user_name)
            user.create(f"{user.name}@example.org", "secret", devices={"own": {}})
            cls.addClassCleanup(cls._remove, cls.user_name)
            cls.user_key, cls.device_key = user["user"].apikey, user["own"].apikey

    def _check_leaks(self) -> None:
        # the server in this process starts its threads as it needs them, and ends them with the class
        self._threads_before |= {thread for thread in threading.enumerate() if thread.name.startswith(_SERVERS)}
        super()._check_leaks()

    @classmethod
    def _remove(cls, name: str) -> None:
        with ConnectorDB(cls.admin_key, url=cls.url) as admin:
            if admin(name).exists():
                admin(name).delete()

    def connect(self, *credentials: str | None, **options: Any) -> ConnectorDB:
        """Return a connection that ends with the test."""
        cdb = ConnectorDB(*credentials, url=self.url, **options)
        self.addCleanup(cdb.close)
        return cdb

    def admin(self) -> ConnectorDB:
        """Return a connection of the administrator."""
        return self.connect(self.admin_key)

    def person(self) -> ConnectorDB:
        """Return a connection of the test's user."""
        return self.connect(self.user_key)

    def device(self) -> ConnectorDB:
        """Return a connection of that user's device ``own``."""
        return self.connect(self.device_key)

    def stream(self, *arguments: Any, **properties: Any) -> Stream:
        """Return a new stream of the device ``own``, as that device sees it."""
        stream = self.device()[new_name()]
        stream.create(*arguments, **properties)
        return stream

    def user(self, **properties: Any) -> User:
        """Return a new user, as the administrator sees it; it goes with the test."""
        user: User = self.admin()(new_name())
        self.addCleanup(self._remove, user.name)
        user.create(f"{user.name}@example.org", "secret", **properties)
        return user


def new_name() -> str:
    """Return a name that nothing has yet."""
    return f"t{uuid.uuid4().hex[:12]}"
