"""Those who listen: subscribers that come and go, one that stays, and some that subscribe and do not read."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time

import websocket

from .calling import PATIENCE, Caller, Crew, Failed
from .writers import Streams

try:
    from orjson import loads
except ImportError:
    from json import loads


class Listener:
    """A websocket, and for each stream that it subscribed to the value that must come next."""

    def __init__(self, url: str, authorization: str) -> None:
        self.socket = websocket.create_connection(
            url.replace("http", "ws", 1) + "/api/v1/websocket", PATIENCE, header=[f"Authorization: {authorization}"]
        )
        self._next: dict[str, int | None] = {}
        self.messages = 0

    def subscribe(self, path: str, first: int | None = None) -> None:
        """Want what is inserted from now on; *first* is the value that must come first, if that is known."""
        self._next.setdefault(path, first)
        self._send("subscribe", path)

    def wait(self) -> None:
        """Wait until the server has obeyed all commands so far; nothing may come meanwhile."""
        self.socket.ping()
        while (opcode := self.socket.recv_data_frame(control_frame=True)[0]) != websocket.ABNF.OPCODE_PONG:
            if opcode != websocket.ABNF.OPCODE_PING:
                raise Failed(f"waiting for a pong, the opcode {opcode} came")

    def unsubscribe(self, path: str) -> None:
        """Want no more; what is under way may still come."""
        self._send("unsubscribe", path)

    def read(self, seconds: float) -> None:
        """Read for a while; raise `Failed` if a point is missing, comes twice, or in another order."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                message = self.socket.recv()
            except websocket.WebSocketTimeoutException:
                return
            if not message:
                raise Failed("the server closed a websocket that reads")
            self._take(loads(message))

    def position(self, path: str) -> int | None:
        """Return the value that comes next; `None` if nothing has come."""
        return self._next[path]

    def close(self) -> None:
        """Say goodbye."""
        self.socket.close(timeout=5)

    def _take(self, message: dict[str, object]) -> None:
        path, points = message["stream"], message["data"]
        assert isinstance(path, str) and isinstance(points, list)
        values = [point["d"] for point in points]
        first = self._next[path] if self._next[path] is not None else values[0]
        if values != list(range(first, first + len(values))):
            raise Failed(
                f"{path}: {first} was to come next, {len(values)} values from {values[0]} to {values[-1]} came"
            )
        self._next[path] = first + len(values)
        self.messages += 1

    def _send(self, command: str, path: str) -> None:
        self.socket.send(json.dumps({"cmd": command, "arg": path, "transform": "", "d": []}))


def come_and_go(url: str, authorization: str, streams: Streams, crew: Crew, dice: random.Random) -> None:
    """Listen to some streams for a while, leave one of them, and go: with a goodbye or without."""
    listener = Listener(url, authorization)
    mine = dice.sample(streams.paths, dice.choice((1, 3, 10, 30)))
    for path in mine:
        listener.subscribe(path)
    listener.read(dice.uniform(0.2, 4))
    listener.unsubscribe(mine[0])
    listener.read(dice.uniform(0.2, 4))
    crew.count("messages", listener.messages)
    if dice.random() < 0.5:
        listener.close()
    else:
        listener.socket.shutdown()


def stay(url: str, authorization: str, streams: Streams, crew: Crew, ready: threading.Event) -> None:
    """Listen to everything from the first point to the last; *ready* is set when that may come."""
    listener = Listener(url, authorization)
    for path in streams.paths:
        listener.subscribe(path, 0)
    listener.wait()
    ready.set()
    while not crew.ending.is_set():
        listener.read(1)
    # what was acknowledged has been sent, and only has to arrive
    deadline = time.monotonic() + PATIENCE
    while any(listener.position(path) != number for path, number in streams.acknowledged.items()):
        if time.monotonic() > deadline:
            raise Failed("a subscriber that stayed has not got all points")
        listener.read(0.2)
    crew.count("streams heard from the first point to the last", len(streams.paths))
    crew.count("messages", listener.messages)
    listener.close()


def do_not_read(url: str, authorization: str, streams: Streams, crew: Crew) -> None:
    """Subscribe to everything and read nothing, until the server has had enough."""
    connection = websocket.create_connection(
        url.replace("http", "ws", 1) + "/api/v1/websocket",
        PATIENCE,
        header=[f"Authorization: {authorization}"],
        sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),),
    )
    for path in streams.paths:
        connection.send(json.dumps({"cmd": "subscribe", "arg": path, "transform": "", "d": []}))
    crew.ending.wait(20)
    # hanging up with unread data resets the connection
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown()


def read_slowly(url: str, key: str, streams: Streams, crew: Crew, dice: random.Random) -> None:
    """Ask for all of a stream, read a little, and hang up in the middle."""
    caller = Caller(url, "", key)
    with socket.create_connection(caller.address, PATIENCE) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = f"GET /api/v1/crud/{dice.choice(streams.paths)}/data?i1=0 HTTP/1.1\r\nHost: x\r\nAuthorization: {caller.authorization}\r\n\r\n"
        connection.sendall(request.encode())
        connection.settimeout(1)
        try:
            for _ in range(10):
                connection.recv(4096)
                crew.ending.wait(0.2)
        except TimeoutError:
            pass  # the stream was short
    caller.close()
