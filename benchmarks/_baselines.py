"""
Bare aiohttp servers, each doing one thing that ours does and nothing else: what it costs at least.

    python benchmarks/_baselines.py KIND ARGUMENT…

They have the same codec (orjson), pragmas (WAL, FULL: they open their file by the same function), validation (the same
compiled schema, times that are numbers and in order) and authentication (an API key, looked up by its digest, and a path that
is the device's own) as ours. They have none of its roles, limits, deadlines, error answers, restamping or subscribers, and
keep nothing of what they looked up. The store is one table with a row a point, the shortest that there is to write.
Everything is done on the event loop, but for group commits, which need a thread.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import queue
import threading
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest
from itertools import count, repeat
from operator import le
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from connectordb.protocol.schemas import schema
from connectordb.runtime.sqlite import Connection, connect, transaction

#: The one device there is, its key, its stream, and some more of them.
KEY = "benchmark"
STREAM = "/crud/test/benchmark/s"
STREAMS = [f"/crud/test/benchmark/s{number}" for number in range(16)]

_SCHEMA = '{"type":"number"}'
_OBJECT = {
    "name": "s",
    "nickname": "",
    "description": "",
    "icon": "",
    "schema": _SCHEMA,
    "datatype": "",
    "ephemeral": False,
    "downlink": False,
}
_BODY_LIMIT = 16 * 2**20
_GROUP = 128


class Store:
    """A device, a stream, and its points, a row each."""

    def __init__(self, path: Path) -> None:
        self.connection: Connection = connect(path)
        self.connection.execute(
            "CREATE TABLE devices (id INTEGER PRIMARY KEY, key_digest BLOB UNIQUE, apikey TEXT, user TEXT, name TEXT);"
            "CREATE TABLE streams (id INTEGER PRIMARY KEY, device INTEGER, name TEXT, object TEXT, UNIQUE (device, name));"
            "CREATE TABLE points (stream INTEGER, i INTEGER, t REAL, d TEXT, PRIMARY KEY (stream, i)) WITHOUT ROWID;"
        )
        self.connection.execute("INSERT INTO devices VALUES (1, ?, ?, 'test', 'benchmark')", (_digest(KEY), KEY))
        rows = [(path.rpartition("/")[2], orjson.dumps(_OBJECT).decode()) for path in [STREAM, *STREAMS]]
        self.connection.executemany("INSERT INTO streams (device, name, object) VALUES (1, ?, ?)", rows)

    def stream(self, authorization: str, path: str) -> tuple[int, str]:
        """Return the stream that the path names, with the object it is shown as, to who has the device's key."""
        key = base64.b64decode(authorization.partition(" ")[2]).decode().partition(":")[2]
        device = self.connection.execute(
            "SELECT id, apikey, user, name FROM devices WHERE key_digest = ?", (_digest(key),)
        ).fetchone()
        if device is None or not compare_digest(device[1], key):
            raise web.HTTPUnauthorized
        _, user, name, stream = path.removeprefix("/api/v1/").split("/")[:4]
        found = self.connection.execute(
            "SELECT id, object FROM streams WHERE device = ? AND name = ?", (device[0], stream)
        ).fetchone()
        if found is None or (user, name) != device[2:]:
            raise web.HTTPForbidden
        return int(found[0]), str(found[1])

    def insert(self, stream: int, points: list[dict[str, Any]]) -> None:
        """Append points, in the transaction that the caller has begun."""
        row = self.connection.execute(
            "SELECT i, t FROM points WHERE stream = ? ORDER BY i DESC LIMIT 1", (stream,)
        ).fetchone()
        at, before = row or (-1, 0.0)
        times, values = [point["t"] for point in points], [point["d"] for point in points]
        if not (SCHEMA.allows_kinds(set(map(type, values))) or all(map(SCHEMA.allows, values))):
            raise web.HTTPForbidden
        if not NUMBERS.issuperset(map(type, times)) or times[0] < before or not all(map(le, times, times[1:])):
            raise web.HTTPForbidden
        rows = zip(repeat(stream), count(at + 1), times, map(str, values))
        self.connection.executemany("INSERT INTO points VALUES (?, ?, ?, ?)", rows)


#: What every point is checked by, its value and its time.
SCHEMA = schema(_SCHEMA)
NUMBERS = frozenset((int, float))


def _digest(key: str) -> bytes:
    return sha256(key.encode()).digest()


def _plain(text: str) -> web.Response:
    return web.Response(body=text.encode(), headers={"Content-Type": "text/plain; charset=utf-8"})


# --- the servers ------------------------------------------------------------------------------------------------------


def rows(path: Path) -> web.Application:
    """Insert: a row a point, a transaction a request."""
    store = Store(path)

    async def insert(request: web.Request) -> web.Response:
        points = orjson.loads(await request.read())
        with transaction(store.connection):
            stream, _ = store.stream(request.headers["Authorization"], request.path)
            store.insert(stream, points)
        return _plain("ok")

    return _application(web.post("/api/v1/crud/{user}/{device}/{stream}/data", insert))


def group(path: Path) -> web.Application:
    """Insert: what has come while the disk was flushed shares the next transaction; one wake-up tells all of a group."""
    store = Store(path)
    waiting: queue.SimpleQueue[tuple[asyncio.Future[None], str, str, Any]] = queue.SimpleQueue()

    def write(loop: asyncio.AbstractEventLoop) -> None:
        while True:
            members = [waiting.get()]
            with transaction(store.connection):
                for member in members:
                    _, authorization, stream_path, points = member
                    store.insert(store.stream(authorization, stream_path)[0], points)
                    # grows while it is gone through: what comes meanwhile is taken along
                    if len(members) < _GROUP and not waiting.empty():
                        members.append(waiting.get())
            loop.call_soon_threadsafe(
                lambda done: [future.set_result(None) for future in done], [m[0] for m in members]
            )

    async def insert(request: web.Request) -> web.Response:
        points = orjson.loads(await request.read())
        future = asyncio.get_running_loop().create_future()
        waiting.put((future, request.headers["Authorization"], request.path, points))
        await future
        return _plain("ok")

    async def begin(_: web.Application) -> None:
        threading.Thread(target=write, args=[asyncio.get_running_loop()], daemon=True).start()

    application = _application(web.post("/api/v1/crud/{user}/{device}/{stream}/data", insert))
    application.on_startup.append(begin)
    return application


def file(path: Path) -> web.Application:
    """Read: a file as it is, by the system's own sending of files."""

    async def read(_: web.Request) -> web.FileResponse:
        return web.FileResponse(path, headers={"Content-Type": "application/json; charset=utf-8"})

    return _application(web.get("/api/v1/crud/{user}/{device}/{stream}/data", read))


def small(path: Path) -> web.Application:
    """Get an object: the key and the stream are looked up, nothing else."""
    store = Store(path)

    async def get(request: web.Request) -> web.Response:
        _, text = store.stream(request.headers["Authorization"], request.path)
        return web.Response(body=orjson.dumps(orjson.loads(text)), headers={"Content-Type": "application/json"})

    return _application(web.get("/api/v1/crud/{user}/{device}/{stream}", get))


def fan_out(_: Path) -> web.Application:
    """Tell every websocket of what is posted; nothing is stored, and nobody is asked who they are."""
    listeners: set[web.WebSocketResponse] = set()

    async def listen(request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse(compress=False)
        await websocket.prepare(request)
        listeners.add(websocket)
        async for _ in websocket:
            pass
        listeners.discard(websocket)
        return websocket

    async def insert(request: web.Request) -> web.Response:
        points = orjson.loads(await request.read())
        message = orjson.dumps({"stream": request.path[13:-5], "transform": "", "data": points}).decode() + "\n"
        for websocket in listeners:
            await websocket.send_str(message)
        return _plain("ok")

    return _application(
        web.get("/api/v1/websocket", listen), web.post("/api/v1/crud/{user}/{device}/{stream}/data", insert)
    )


def _application(*routes: web.RouteDef) -> web.Application:
    application = web.Application(client_max_size=_BODY_LIMIT)
    application.add_routes(routes)
    return application


KINDS: dict[str, Callable[[Path], web.Application]] = {
    kind.__name__: kind for kind in (rows, group, file, small, fan_out)
}


async def serve(application: web.Application) -> None:
    """Run until the process is ended."""
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"Listening at http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Run one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("path", type=Path, help="its database, or the file that it sends")
    arguments = parser.parse_args()
    asyncio.run(serve(KINDS[arguments.kind](arguments.path)))


if __name__ == "__main__":
    main()
