"""
One websocket connection: the aiohttp part of a subscriber (``docs/topics/wire.rst``, "WebSocket").

Three tasks share a connection: one obeys what the client sends, one sends what waits in the outbox, one pings and looks
whether the subscriptions are still allowed. When any of them ends, too much waits in the outbox, or the server stops, all of
it ends; only `run` ends it, as tasks that wait for a client to read must not be waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from aiohttp import WSCloseCode, WSMsgType
from aiohttp.web import BaseRequest, WebSocketResponse

from ..exceptions import ConnectorDBError, RemoteProtocolError
from ..protocol.constants import PING_PERIOD, PONG_WAIT, WEBSOCKET_MESSAGE_LIMIT
from ..protocol.paths import Path
from .accounts import Caller
from .config import WebSocket as WebSocketSettings
from .feed import Asked, Outbox, read_command
from .handlers import Refusal
from .service import Service

log = logging.getLogger(__name__)

#: Bytes of a message beyond which it is not even read to its end. Then the connection is reset, and the client rarely sees the
#: close frame that says why; below this, but beyond the limit of the wire, it does.
_HARD_LIMIT = 4 * WEBSOCKET_MESSAGE_LIMIT


@dataclass(frozen=True, slots=True)
class Timing:
    """
    How patient a connection is, in seconds.

    Attributes:
        ping: Between pings, at which rights are checked again.
        pong: Without a pong until the connection is dropped.
        close: For the client to answer a close frame.
    """

    ping: float = PING_PERIOD
    pong: float = PONG_WAIT
    close: float = 2.0

    @classmethod
    def of(cls, settings: WebSocketSettings) -> Timing:
        """Return what the configuration says."""
        return cls(settings.ping_seconds, settings.pong_seconds, settings.close_seconds)


class Connection:
    """A client that has opened a websocket, as *caller* until it closes."""

    def __init__(self, service: Service, caller: Caller, timing: Timing) -> None:
        self._service = service
        self._caller = caller
        self._timing = timing
        self._outbox = Outbox()
        self._waiting = asyncio.Event()
        self._dropped = asyncio.Event()
        self._leaving = asyncio.Event()
        self._ended = asyncio.Event()
        #: Held while a command is obeyed: what it inserts is to reach those who subscribed, too.
        self._busy = asyncio.Lock()
        self._last_pong = asyncio.get_running_loop().time()
        self._socket = WebSocketResponse(
            timeout=timing.close,
            autoping=False,  # else pongs would not be seen
            autoclose=False,  # else every close would be answered with 1000
            compress=False,
            max_msg_size=_HARD_LIMIT,
        )

    async def run(self, request: BaseRequest, headers: dict[str, str]) -> WebSocketResponse:
        """Open the connection and stay with it until it ends."""
        try:
            return await self._run(request, headers)
        finally:
            self._ended.set()

    async def _run(self, request: BaseRequest, headers: dict[str, str]) -> WebSocketResponse:
        if not self._socket.can_prepare(request).ok:
            raise Refusal(400, "this is no proper websocket handshake")
        self._socket.headers.update(headers)
        await self._socket.prepare(request)
        log.debug("%s opened a websocket", self._caller.path)
        works = (
            *(self._obey_all(), self._send_all(), self._keep_alive()),
            *(self._dropped.wait(), self._leaving.wait()),
        )
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._finish_command()
            self._service.hub.leave(self)
            for task in tasks:
                task.cancel()
            if self._dropped.is_set() and request.transport is not None:
                request.transport.abort()  # what is on its way is never read
            results = await asyncio.gather(*tasks, return_exceptions=True)
            if self._leaving.is_set():
                await self._say_goodbye(WSCloseCode.GOING_AWAY, b"the server is stopping")
            transport = request.transport
            if transport is not None and not transport.is_closing():
                transport.close()
            if transport is not None and transport.get_write_buffer_size():
                transport.abort()  # closing would wait for a client that does not read
        for result in results:
            # a connection that breaks is no error; the rest is
            if isinstance(result, Exception) and not isinstance(result, (ConnectionError, asyncio.TimeoutError)):
                log.error("a websocket of %s ended by an error", self._caller.path, exc_info=result)
        log.debug("the websocket of %s is closed", self._caller.path)
        return self._socket

    async def close(self) -> None:
        """Tell the client that the server goes away, and end the connection; returns when `run` has ended."""
        self._leaving.set()
        await self._ended.wait()

    async def _finish_command(self) -> None:
        """Let the command that is being obeyed come to its end, and no other begin."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._busy.acquire(), self._timing.close)

    async def _say_goodbye(self, code: int, message: bytes) -> None:
        """Send a close frame and wait for the answer, but not for long: a client that does not read takes neither."""
        with contextlib.suppress(ConnectionError, asyncio.TimeoutError):
            await asyncio.wait_for(self._socket.close(code=code, message=message, drain=False), 2 * self._timing.close)

    def offer(self, message: str) -> bool:
        """Have a message sent; if too many wait, the connection is cut."""
        fits = self._outbox.offer(message)
        if not fits and not self._dropped.is_set():
            log.warning("dropping the websocket of %s: it does not read what it subscribed to", self._caller.path)
            self._dropped.set()
        self._waiting.set()
        return fits

    # --- from the client ---

    async def _obey_all(self) -> None:
        while True:
            message = await self._socket.receive()
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                if _is_too_long(message.data):
                    await self._say_goodbye(WSCloseCode.MESSAGE_TOO_BIG, b"the message is too long")
                    return
                try:
                    asked = read_command(message.data)
                except RemoteProtocolError as error:
                    log.debug("closing the websocket of %s: %s", self._caller.path, error)
                    await self._say_goodbye(WSCloseCode.INVALID_TEXT, str(error).encode(errors="replace")[:100])
                    return
                async with self._busy:
                    await self._obey(asked)
            elif message.type is WSMsgType.PING:
                await self._socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                self._last_pong = asyncio.get_running_loop().time()
            elif message.type is WSMsgType.CLOSE:
                await self._socket.close(code=message.data or WSCloseCode.OK)
                return
            else:  # closed, by us or by what was wrong with a frame
                return

    async def _obey(self, asked: Asked) -> None:
        hub = self._service.hub
        if asked.cmd == "unsubscribe_all":
            hub.leave(self)
        elif asked.path is None:
            if asked.cmd:
                log.debug("%s: %s of what is no stream", self._caller.path, asked.cmd)
        elif asked.cmd == "insert":
            await self._insert(asked, asked.path)
        elif asked.transform:
            # What was never subscribed needs no unsubscribing.
            log.debug("%s: %s with a transform, which is not supported yet", self._caller.path, asked.cmd)
        elif asked.cmd == "unsubscribe":
            hub.unsubscribe(self, str(asked.path))
        elif asked.cmd == "subscribe":
            await self._subscribe(asked.path)

    async def _insert(self, asked: Asked, path: Path) -> None:
        # There is no answer on a websocket, so a refusal is only logged.
        try:
            await self._service.insert(self._caller, path, asked.points)
        except Refusal as refusal:
            log.debug("%s: insert into %s: %s", self._caller.path, path, refusal.message)
        except ConnectorDBError as error:
            log.error("%s: insert into %s failed: %s", self._caller.path, path, error)

    async def _subscribe(self, path: Path) -> None:
        if await self._service.readable(self._caller, (path,)):
            self._service.hub.subscribe(self, str(path))
        else:
            log.debug("%s: subscribing to %s is refused", self._caller.path, path)

    # --- to the client ---

    async def _send_all(self) -> None:
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            while (message := self._outbox.take()) is not None:
                await self._socket.send_str(message)

    async def _keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        next_ping = loop.time() + self._timing.ping
        while True:
            silent_until = self._last_pong + self._timing.pong
            await asyncio.sleep(max(0.0, min(next_ping, silent_until) - loop.time()))
            if loop.time() >= self._last_pong + self._timing.pong:
                log.info("dropping the websocket of %s: no pong for %g s", self._caller.path, self._timing.pong)
                await self._say_goodbye(WSCloseCode.GOING_AWAY, b"no pong")
                return
            if loop.time() >= next_ping:
                next_ping += self._timing.ping
                await self._socket.ping()
                await self._check_rights()

    async def _check_rights(self) -> None:
        """End the subscriptions to what the caller may not read any more."""
        wanted = tuple(map(Path.parse, self._service.hub.paths(self)))
        if wanted:
            for path in set(wanted) - set(await self._service.readable(self._caller, wanted)):
                log.debug("%s: the subscription to %s ends, it cannot be read any more", self._caller.path, path)
                self._service.hub.unsubscribe(self, str(path))


def _is_too_long(text: str | bytes) -> bool:
    if len(text) * 4 <= WEBSOCKET_MESSAGE_LIMIT:
        return False  # whatever its characters take
    return len(text.encode() if isinstance(text, str) else text) > WEBSOCKET_MESSAGE_LIMIT
