"""Databases and exports for the tests of both."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from connectordb.server import database
from connectordb.server.storage import Reader, Series, Writer

from ...support.case import SOON, Case
from ...support.server import cheap_passwords

#: What a real 0.3 server exported; see the README beside it.
ORIGINAL = Path(__file__).parent / "original"

STREAM = {
    "nickname": "",
    "description": "",
    "icon": "",
    "schema": "{}",
    "datatype": "",
    "ephemeral": False,
    "downlink": False,
}
DEVICE = {
    "nickname": "",
    "description": "",
    "icon": "",
    "apikey": "",
    "enabled": True,
    "public": False,
    "role": "",
    "visible": True,
    "user_editable": True,
}


class ExchangeCase(Case):
    """A test case with a folder of its own, and databases in it."""

    def setUp(self) -> None:
        super().setUp()
        self.top = self.folder()
        patch = cheap_passwords()
        patch.start()
        self.addCleanup(patch.stop)

    def database(self, name: str = "db") -> Path:
        """Return a database with the administrator ``test``."""
        path = self.top / name
        database.create(path, test=True)
        return path

    def write(self, path: Path, work: Callable[[Writer], Any]) -> Any:
        """Change a database."""
        with database.open(path) as opened:
            return opened.storage.write(work).result(SOON)

    def read(self, path: Path, work: Callable[[Reader], Any]) -> Any:
        """Look at a database."""
        with database.open(path) as opened:
            return opened.storage.read(work).result(SOON)

    def stream(self, path: Path, name: str, points: Sequence[Mapping[str, Any]] = (), **fields: Any) -> int:
        """Make a stream of ``test/user`` with these points; return its id."""

        def work(writer: Writer) -> int:
            device = writer.find(("test", "user")).device
            assert device is not None
            stream = writer.create_stream(device.id, {"name": name, **STREAM, **fields})
            if points:
                writer.insert(Series(stream.id), [dict(point) for point in points], False)
            return stream.id

        made: int = self.write(path, work)
        return made

    def points(self, path: Path, stream: str, downlink: bool = False) -> list[dict[str, Any]]:
        """Return the points of a stream."""

        def work(reader: Reader) -> list[dict[str, Any]]:
            found = reader.find(tuple(stream.split("/"))).stream
            assert found is not None, stream
            series = Series(found.id, downlink)
            text, _ = reader.text(series, 0, reader.length(series), 1 << 30)
            points: list[dict[str, Any]] = json.loads(b"[%b]" % text)
            return points

        found: list[dict[str, Any]] = self.read(path, work)
        return found

    def original(self) -> Path:
        """Return a copy of the original's export, to be changed."""
        return Path(shutil.copytree(ORIGINAL, self.top / "original"))


def tree(folder: Path) -> dict[str, Any]:
    """Return what the files of an export say, by their paths below it."""
    return {
        path.relative_to(folder).as_posix(): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.json"))
    }


def edit(path: Path, /, **changes: Any) -> None:
    """Change what the file of an object says; `None` removes a key."""
    content = json.loads(path.read_text(encoding="utf-8"))
    content.update(changes)
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}), encoding="utf-8")
