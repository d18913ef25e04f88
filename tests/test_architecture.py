"""The arrows between the rooms, held from the syntax trees; the drawing is in ``docs/topics/design.rst``."""

from __future__ import annotations

import ast
import functools
import graphlib
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).parent.parent
PACKAGE = TOP / "connectordb"

#: Room → the rooms it may import from. A file at the top is a room of its own.
ARROWS: dict[str, set[str]] = {
    "plain_text": set(),
    "exceptions": {"plain_text"},
    "protocol": {"exceptions"},
    "pipescript": {"exceptions"},
    "runtime": {"exceptions"},
    "network": {"exceptions", "runtime"},
    "frames": {"exceptions", "protocol", "runtime"},
    "display": {"plain_text", "protocol"},
    "pictures": {"exceptions", "plain_text", "protocol", "frames"},
    "point_files": {"exceptions", "plain_text", "protocol", "runtime"},
    "datapoints": {"exceptions", "protocol", "pipescript", "frames", "display", "pictures", "point_files"},
    "live": {"exceptions", "protocol", "runtime", "network", "pipescript", "datapoints"},
    "client": {
        *("exceptions", "protocol", "runtime", "network", "live", "datapoints"),
        *("frames", "display", "pictures", "point_files"),
    },
    "query": {
        *("exceptions", "protocol", "runtime", "client", "datapoints"),
        *("pipescript", "frames", "pictures", "point_files"),
    },
    "logger": {"exceptions", "protocol", "runtime", "client"},
    "models": {"exceptions", "protocol", "runtime", "client"},
    "server": {"exceptions", "protocol", "runtime", "pipescript", "frames"},
    "cli": {
        "exceptions",
        "protocol",
        "runtime",
        "models",
        "logger",
        "query",
        "client",
        "datapoints",
        "pipescript",
        "display",
        "pictures",
        "server",
        "",
        "plain_text",
        "point_files",
    },
    "__main__": {"cli"},
    "": {"exceptions", "protocol", "client", "datapoints"},
}

#: The rooms and files of the server, likewise. A room is named with a slash; inside one, files are entered as they like.
SERVER_ARROWS: dict[str, set[str]] = {
    # the foundation: what all others may know
    "config": set(),
    "config_file": {"config"},
    "file_marks": set(),
    "patterns": set(),
    "progress": set(),
    "proxies": set(),
    "places": {"proxies"},
    "refusal": set(),
    "crew": set(),
    "aftermath": set(),
    "patience": {"aftermath"},
    "server_timing": set(),
    "tracebacks": set(),
    "values": {"config", "patterns", "refusal"},
    "storage/": {"config"},
    "rights/": {"config", "crew", "file_marks", "places", "refusal", "values", "storage/"},
    "tree": {"rights/", "storage/"},
    "database": {"config", "tree", "rights/", "storage/"},
    "forgetting": {"storage/"},
    "onlooker": {"database", "storage/"},
    # what a request means, and what becomes of it
    "handlers/": {"config", "patterns", "refusal", "values", "tree", "rights/", "storage/"},
    "routing": {"handlers/", "storage/"},
    "subscribers/": {"refusal", "handlers/", "storage/"},
    "computing": {"config", "crew", "patience", "refusal"},
    "service": {
        *("aftermath", "computing", "config", "crew", "patience", "places", "routing", "server_timing"),
        *("handlers/", "rights/", "storage/", "subscribers/"),
    },
    "operation/": {"config", "routing", "service", "storage/"},
    "web/": {
        *("config", "file_marks", "patience", "places", "proxies", "routing", "server_timing", "service", "tracebacks"),
        *("handlers/", "operation/", "rights/", "subscribers/"),
    },
    # what is done beside it
    "exchange/": {"database", "onlooker", "progress", "refusal", "tree", "values", "rights/", "storage/"},
    "upkeep/": {
        *("config_file", "database", "onlooker", "patterns", "progress", "tree", "exchange/", "rights/", "storage/"),
    },
    "server": {"config", "config_file", "database", "forgetting", "service", "operation/", "rights/", "web/"},
    "": {
        "config",
        "config_file",
        "database",
        "progress",
        "server",
        "exchange/",
        "operation/",
        "rights/",
        "upkeep/",
        "web/",
    },
}

#: Those of the Logger.
LOGGER_ARROWS: dict[str, set[str]] = {
    "limits": set(),
    "records": set(),
    "times": set(),
    "clocks/": {"times"},
    "file/": set(),
    "care/": {"file/"},
    "rows/": {"limits", "records", "times", "care/", "clocks/", "file/"},
    "sync/": {"records", "clocks/", "file/", "rows/"},
    "receipt": {"rows/"},
    "settings": {"rows/"},
    "accounting": {"file/", "rows/", "sync/"},
    "logger": {
        *("accounting", "limits", "receipt", "records", "settings"),
        *("clocks/", "file/", "rows/", "sync/"),
    },
    "lines": {"logger", "rows/", "sync/"},
    "": {"limits", "lines", "logger", "receipt", "care/", "rows/"},
}

#: Those of subscriptions.
LIVE_ARROWS: dict[str, set[str]] = {
    "closing": set(),
    "dispatch": set(),
    "feedback": set(),
    "events": {"dispatch"},
    "socket/": set(),
    "remembering/": set(),
    "downlinks/": {"remembering/"},
    "options": {"downlinks/"},
    "handing/": {"downlinks/", "remembering/"},
    "following/": {"dispatch", "options", "downlinks/", "handing/", "remembering/"},
    "watching/": {
        *("closing", "dispatch", "events", "feedback", "options"),
        *("downlinks/", "following/", "handing/", "remembering/", "socket/"),
    },
    "watch": {"closing", "dispatch", "options", "following/", "handing/", "watching/"},
    "assembly": {"dispatch", "options", "downlinks/", "following/", "handing/", "remembering/", "watching/"},
    "live": {
        *("assembly", "dispatch", "events", "options", "watch"),
        *("downlinks/", "following/", "socket/", "watching/"),
    },
    "device_streams": {"live", "options", "following/"},
    "many": {"closing", "device_streams", "live", "options", "watching/"},
    "mirrors/": {"closing", "device_streams", "dispatch", "live", "options", "handing/", "watching/"},
    "commanding/": {"feedback", "following/", "live", "options", "handing/", "watching/"},
    "": {
        *("events", "feedback", "live", "many", "options", "watch"),
        *("commanding/", "handing/", "mirrors/", "socket/", "watching/"),
    },
}

#: Those of the client's rooms. What lies beside them is what users hold, and each of these files knows the others.
CLIENT_ARROWS: dict[str, set[str]] = {
    "terms/": set(),
    "settings/": {"terms/"},
    "http/": {"terms/"},
    "calls/": {"settings/", "terms/", "http/"},
    "points/": {"session", "http/", "terms/"},
    "folders/": {"device", "long_stream", "properties", "stream", "user", "whole_server"},
}

#: Rooms that have rooms of their own.
INNER: dict[str, dict[str, set[str]]] = {
    "client": CLIENT_ARROWS,
    "server": SERVER_ARROWS,
    "logger": LOGGER_ARROWS,
    "live": LIVE_ARROWS,
}

#: Those whose rooms are entered by their doors, too.
DOORS = {"live"}

#: These are entered by file; every other room by its door.
OPEN_ROOMS = {"protocol", "runtime", "exceptions", "plain_text", "datapoints", "frames", "", "__main__"}

#: Foreign library → the only places that may import it.
FOREIGN = {
    "apsw": {"runtime/checkpoints.py", "runtime/sqlite.py"},
    "requests": {"client/http/", "network/proxies.py", "exceptions.py"},
    "urllib3": {"client/http/"},
    "certifi": {"network/trust.py"},
    "websocket": {"live/socket/connection.py"},
    "aiohttp": {"server/web/", "server/__init__.py"},  # the door: to name the extra if it is missing
    "prometheus_client": {"server/operation/metrics.py"},
    "click": {"cli/"},
    "IPython": {"cli/shell.py"},
    "traitlets": {"cli/shell.py"},
    "rich": {"cli/", "display/terminal.py"},
    "psutil": {"cli/"},
    "plotext": {"cli/"},
    "orjson": {"protocol/json_text.py"},
    "dateparser": {"protocol/time_words.py"},
    "msgspec": {"protocol/number_points.py", "protocol/number_columns.py"},
    "numpy": {"frames/"},
    "pandas": {"frames/"},
    "pyarrow": {"frames/"},
    "matplotlib": {"pictures/"},
    "dateutil": {"pictures/"},
    "jsonschema": {"protocol/schemas.py", "protocol/validators.py"},
    "fastjsonschema": {"protocol/schemas.py"},
    "re2": {"server/", "pipescript/transforms/texts.py"},
    "tomli": {"server/config_file.py"},
    "filelock": {
        "logger/",
        "server/",
        "live/remembering/remember.py",
        "client/settings/profiles.py",
        "client/folders/saving.py",
    },
    "platformdirs": {"client/settings/profiles.py"},
    "bcrypt": {"server/rights/passwords.py"},
}

#: Decide, and touch nothing.
PURE = (
    "protocol/",
    "pipescript/",
    "logger/times.py",
    "logger/sync/plan.py",
    "logger/clocks/judgement.py",
    "logger/clocks/arrangement.py",
    "client/terms/judging.py",
    "client/terms/retry.py",
    "client/calls/servers.py",
    "client/settings/choosing.py",
    "client/terms/trace.py",
    "live/watching/subscriptions.py",
    "live/following/course.py",
    "live/following/cursor.py",
    "live/following/pages.py",
    "live/watching/timers.py",
    "live/mirrors/kept.py",
    "server/subscribers/hub.py",
    "server/rights/permissions.py",
    "server/proxies.py",
    "server/places.py",
)
NOT_PURE = {"requests", "websocket", "apsw", "aiohttp", "socket", "threading", "time", "asyncio", "subprocess"}


@functools.cache
def files() -> list[tuple[str, ast.Module]]:
    """Return each file of the package, by its path below it, and its syntax tree."""
    return [
        (path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"), path.as_posix()))
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


def room_of(name: str) -> str:
    """Return the room of a file or module path below the package."""
    first = name.split("/")[0].removesuffix(".py")
    return "" if first == "__init__" else first


def inner_room(name: str) -> str:
    """Return the room within a room of a file or module path: with a slash, or its name if it lies at the top."""
    outer, first = name.split("/")[0], name.split("/")[1].removesuffix(".py")
    return "" if first == "__init__" else f"{first}/" if (PACKAGE / outer / first).is_dir() else first


def checked_only(tree: ast.Module) -> set[ast.AST]:
    """Return the nodes below ``if TYPE_CHECKING:``."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }


@functools.cache
def imports(name: str, tree: ast.Module) -> list[tuple[int, str, bool]]:
    """Return the lines, the absolute modules, and whether they are imported only for type checkers."""
    return list(_imports(name, tree))


def _imports(name: str, tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    typing = checked_only(tree)
    package = ["connectordb", *name.split("/")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, node in typing
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            if node.level and not node.module:
                for alias in node.names:  # from .. import x: x may be a module
                    yield node.lineno, f"{module}.{alias.name}", node in typing
            else:
                yield node.lineno, module, node in typing


class Arrows(unittest.TestCase):
    """Who imports whom."""

    def test_rooms(self) -> None:
        """A room imports only from rooms below it, and enters by the door."""
        for name, tree in files():
            room = room_of(name)
            self.assertIn(room, ARROWS, f"{name} is in a room that is not drawn")
            for line, module, typing in imports(name, tree):
                if not module.startswith("connectordb"):
                    continue
                parts = module.split(".")[1:]
                target = (
                    room_of(parts[0])
                    if parts
                    and (PACKAGE / parts[0]).with_suffix(".py").exists()
                    or parts
                    and (PACKAGE / parts[0]).is_dir()
                    else ""
                )
                with self.subTest(f"{name}:{line} imports {module}"):
                    if target == room:
                        continue
                    self.assertIn(target, ARROWS[room] | ({"client", "live"} & ARROWS[room] if typing else set()))
                    if target not in OPEN_ROOMS:
                        self.assertEqual(len(parts), 1, f"enter {target!r} by its door")

    def test_inner_rooms(self) -> None:
        """So it is between the rooms of the server and of the Logger; and no arrow leads back, by any way."""
        for outer, arrows in INNER.items():
            for name, tree in files():
                if not name.startswith(f"{outer}/"):
                    continue
                room = inner_room(name)
                if outer == "client" and not room.endswith("/"):
                    continue
                self.assertIn(room, arrows, f"{name} is in a room that is not drawn")
                for line, module, _ in imports(name, tree):
                    if module.startswith(f"connectordb.{outer}."):
                        target = inner_room(module.removeprefix("connectordb.").replace(".", "/"))
                        with self.subTest(f"{name}:{line} imports {module}"):
                            self.assertIn(target, arrows[room] | {room})
                            if outer in DOORS and target.endswith("/") and target != room:
                                self.assertEqual(module.count("."), 2, f"enter {target!r} by its door")
            drawn = tuple(graphlib.TopologicalSorter(arrows).static_order())  # raises if there is a circle
            self.assertEqual({name for name in drawn if outer != "client" or name.endswith("/")}, set(arrows))

    def test_foreign(self) -> None:
        """A foreign library is imported in one place."""
        for name, tree in files():
            for line, module, typing in imports(name, tree):
                allowed = FOREIGN.get(module.split(".")[0])
                if allowed is not None and not typing:
                    with self.subTest(f"{name}:{line} imports {module}"):
                        self.assertTrue(any(name.startswith(place) for place in allowed), f"only {sorted(allowed)} may")

    def test_pure(self) -> None:
        """What decides opens no socket or file, starts no thread and reads no clock."""
        for name, tree in files():
            if name.startswith(PURE):
                for line, module, _ in imports(name, tree):
                    with self.subTest(f"{name}:{line} imports {module}"):
                        self.assertNotIn(module.split(".")[0], NOT_PURE)

    def test_import_is_light(self) -> None:
        """``import connectordb`` loads no database, websocket, server or numeric library, and nothing that sends."""
        heavy = "apsw websocket aiohttp jsonschema fastjsonschema numpy pandas click rich asyncio filelock platformdirs configparser".split()
        heavy += ["connectordb.client.session", "connectordb.network", "connectordb.server"]
        # whoever measures what is covered may have loaded some before
        program = f"import sys; before = {{*sys.modules}}; import connectordb; print([name for name in {heavy!r} if name in {{*sys.modules}} - before])"
        done = subprocess.run([sys.executable, "-c", program], cwd=TOP, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.stdout.strip(), done.stderr), ("[]", ""))


class Sizes(unittest.TestCase):
    """A file holds one idea."""

    def test_files(self) -> None:
        """No file of the package is longer than 400 lines."""
        for path in PACKAGE.rglob("*.py"):
            with self.subTest(path.relative_to(TOP).as_posix()):
                self.assertLessEqual(len(path.read_text(encoding="utf-8").splitlines()), 400)

    def test_one_test_file_per_module(self) -> None:
        """Each module has a test file of its own."""
        for path in sorted(PACKAGE.rglob("*.py")):
            where = path.relative_to(PACKAGE)
            if path.name.startswith("__"):
                continue
            with self.subTest(where.as_posix()):
                self.assertTrue((TOP / "tests" / where.parent / f"test_{where.name}").exists())
