"""The real server, in this process, on a free port and a database of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from connectordb.server import Server, create, database
from connectordb.server.rights import passwords
from connectordb.server.web import connections

from .case import Case


def cheap_passwords() -> mock._patch[Any]:
    """Return the patch with which passwords are hashed as always, but with the lowest cost: it only takes time."""
    return mock.patch.multiple(passwords, _N=16, _P=1)


def refused_at_once() -> mock._patch[Any]:
    """Return the patch with which nobody waits for a database that another server has, as here none lets go of it soon."""
    return mock.patch.object(database, "_LOCK_PATIENCE", 0.01)


class DatabaseCase(Case):
    """
    A case with a path, `directory`, at which there is nothing yet: for databases that it makes.

    Passwords are hashed as always but with the lowest cost, and nobody waits for a database that another keeps.
    """

    def setUp(self) -> None:
        super().setUp()
        self.directory = self.folder() / "db"
        for patch in cheap_passwords(), refused_at_once():
            patch.start()
            self.addCleanup(patch.stop)


@contextmanager
def run_server(user: str = "test", password: str = "test", **options: Any) -> Iterator[Server]:
    """
    Have a server with a fresh database, whose administrator is *user*; *options* are those of `Server`.

    Passwords are hashed as always but with the lowest cost, a refused login is answered at once unless *options* say
    otherwise, and clients that hold up a server's end are waited for a shorter while: all that only takes time, in which tests
    learn nothing.
    """
    folder = Path(tempfile.mkdtemp(prefix="connectordb-test-"))
    try:
        with cheap_passwords(), mock.patch.object(connections, "_STALLED", 0.3):
            create(folder / "database", user=user, password=password)
            with Server(folder / "database", **{"port": 0, "login_delay": 0.0, **options}) as server:
                yield server
    finally:
        shutil.rmtree(folder)
