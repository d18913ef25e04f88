"""The door: who is let in, and what the others are told."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Coroutine
from typing import Any
from unittest import mock

from connectordb.server.proxies import Proxies
from connectordb.server.web import door as module
from connectordb.server.web.door import Bounds, Door, Pass

from ...support.case import SOON, Case


class Guest(asyncio.Protocol):
    """Says hello, and gives back the pass at its end."""

    def __init__(self, ticket: Pass) -> None:
        self._ticket = ticket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(b"hello")

    def connection_lost(self, exc: BaseException | None) -> None:
        self._ticket.give_back()
        self._ticket.give_back()  # once is enough, twice no harm


async def said_to(port: int, host: str = "127.0.0.1") -> bytes:
    """Return what a new connection is told, to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0))
    try:
        return await asyncio.wait_for(reader.read(), SOON)
    finally:
        writer.close()


async def guest(port: int, host: str = "127.0.0.1") -> asyncio.StreamWriter:
    """Return a connection that was let in."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0))
    assert await asyncio.wait_for(reader.readexactly(5), SOON) == b"hello"
    return writer


class DoorTests(Case):
    """Real connections."""

    def run_door(self, use: Any, connections: int = 100, per_address: int = 100, **options: Any) -> None:
        """Have a door, and *use* it with its port."""

        async def main() -> None:
            listener = socket.create_server(("127.0.0.1", 0))
            made = Door(
                Guest,
                lambda why, ref: f"{ref}: {why}".encode(),
                Bounds(connections, per_address, SOON),
                **options,
            )
            made.open(listener)
            try:
                work: Coroutine[Any, Any, None] = use(made, listener.getsockname()[1])
                await asyncio.wait_for(work, SOON)
            finally:
                await made.close()
                await made.close()

        asyncio.run(main())

    def test_full(self) -> None:
        """No more are let in than there is room; who leaves makes room, and the log has the reference once."""

        async def use(door: Door, port: int) -> None:
            inside = [await guest(port) for _ in range(3)]
            with self.assertLogs(module.log, "WARNING") as logged:
                told = [await said_to(port) for _ in range(5)]
            self.assertEqual((len(logged.output), len(set(told)), door.refused), (1, 1, 5))
            ref, _, why = told[0].decode().partition(": ")
            self.assertIn(ref, logged.output[0])
            self.assertEqual(why, "The server has too many connections; try again later.")
            inside.pop().close()
            while door.count > 2:
                await asyncio.sleep(0.001)
            inside.append(await guest(port))
            for writer in inside:
                writer.close()
            while door.count:
                await asyncio.sleep(0.001)
            self.assertFalse(door._inside)

        self.run_door(use, connections=3)

    def test_closed_as_somebody_comes(self) -> None:
        """Who comes in the very instant in which it is closed is sent off by the system, and nothing is left open."""

        async def use(door: Door, port: int) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await reader.readexactly(5)
            with socket.create_connection(("127.0.0.1", port)) as client:  # is found by the loop after what closes
                with self.assertNoLogs("asyncio"):
                    await asyncio.create_task(door.close())
                client.settimeout(SOON)
                with contextlib.suppress(ConnectionError):
                    self.assertEqual(client.recv(1), b"")
            writer.close()

        self.run_door(use)

    def test_one_address(self) -> None:
        """Nobody takes all the room; but for proxies, behind which many are."""

        async def use(door: Door, port: int) -> None:
            inside = [await guest(port) for _ in range(2)]
            self.assertIn(b"from this address", await said_to(port))
            inside += [await guest(port, "127.0.0.2") for _ in range(2)]
            inside += [await guest(port, "127.0.0.3") for _ in range(5)]
            for writer in inside:
                writer.close()

        self.run_door(use, per_address=2, proxies=Proxies(["127.0.0.3"]))

    def test_told_although_it_asked(self) -> None:
        """Who has sent a request already still reads why he is sent away."""

        async def use(door: Door, port: int) -> None:
            door.refuse_all("closing")
            for _ in range(20):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET / HTTP/1.1\r\n" * 100)
                await writer.drain()
                self.assertIn(b"closing", await reader.read())
                writer.close()

        self.run_door(use)

    def test_farewells_are_few(self) -> None:
        """However many are sent away, few of their sockets are kept, and not for long."""

        async def use(door: Door, port: int) -> None:
            for _ in range(20):
                await said_to(port)
            self.assertLessEqual(len(door._leaving), 3)
            while door._leaving:
                await asyncio.sleep(0.001)

        with mock.patch.multiple(module, _FAREWELLS=3, _FAREWELL=0.05):
            self.run_door(use, connections=0)

    def test_a_bug(self) -> None:
        """One connection that cannot be taken does not keep others out."""

        async def use(door: Door, port: int) -> None:
            with mock.patch.object(Door, "_why_not", side_effect=KeyError("bug")), self.assertLogs(module.log, "ERROR"):
                self.assertEqual(await said_to(port), b"")
            (await guest(port)).close()

        self.run_door(use)

    def test_no_files_left(self) -> None:
        """When the system has no more files, it goes on when there are some again."""

        async def use(door: Door, port: int) -> None:
            (await guest(port)).close()

        real, calls = (
            asyncio.SelectorEventLoop.sock_accept,
            iter((OSError(errno.EMFILE, "Too many"), ConnectionAbortedError())),
        )

        async def accept(loop: Any, listener: socket.socket) -> Any:
            for error in calls:
                raise error
            return await real(loop, listener)

        patched = mock.patch.object(asyncio.SelectorEventLoop, "sock_accept", accept)
        with mock.patch.object(module, "_PAUSE", 0.01), patched, self.assertLogs(module.log, "WARNING"):
            self.run_door(use)
