"""
One websocket connection: what it has to do with aiohttp (``docs/topics/wire.rst``, "WebSocket").

Three tasks share a connection: one carries out the client's commands, one sends what waits in the outbox, one pings and checks
whether the subscriptions are still allowed. The connection ends when any of them ends, when too much waits in the outbox, or when
the server stops. Only `run` ends it: a task may be waiting for a client that does not read, and must not be waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from aiohttp import WSCloseCode, WSMsgType
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web import BaseRequest, WebSocketResponse

from ...exceptions import RemoteProtocolError
from ..config import WebSocket as Settings
from ..handlers import Refusal
from ..handlers.request import has_more_brackets
from ..rights.accounts import Caller
from ..service import Service
from ..subscribers.feed import Outbox, read_command
from .dialogue import Dialogue

log = logging.getLogger(__name__)

#: A message that is too long is read up to so many times the limit, so that the client gets the close frame that says why. Beyond
#: that the connection is reset, and the client rarely sees the close frame.
_HARD_LIMIT = 4

#: Characters beyond which a command is large.
_LARGE = 16 * 1024

#: Bytes in the transport beyond which frames wait in the outbox instead.
_IN_TRANSPORT = 64 * 1024


class Websocket:
    """A client's websocket. The client is *caller* until it closes, whatever becomes of its API key."""

    def __init__(self, service: Service, caller: Caller, settings: Settings) -> None:
        self._caller = caller
        self._settings = settings
        self._outbox = Outbox(settings.waiting_messages, settings.waiting_bytes)
        self._dialogue = Dialogue(
            service,
            caller,
            self._outbox,
            send=self._send,
            drop=self._drop,
            subscriptions=settings.subscriptions,
            waiting_bytes=settings.waiting_bytes,
        )
        #: Where frames are written; `None` before the handshake and after a close frame.
        self._transport: asyncio.WriteTransport | None = None
        #: Set when something waits to be sent; and when there is room for answers.
        self._waiting = asyncio.Event()
        self._room = asyncio.Event()
        self._dropped = asyncio.Event()
        self._leaving = asyncio.Event()
        self._ended = asyncio.Event()
        #: Held while a command is carried out, so that the end of the connection waits for it.
        self._busy = asyncio.Lock()
        #: Held while a large command is carried out; shared by all connections of the server.
        self._large = service.large_commands
        self._last_pong = asyncio.get_running_loop().time()
        self._socket = WebSocketResponse(
            timeout=settings.close_seconds,
            autoping=False,  # else aiohttp would keep pongs to itself
            autoclose=False,  # else aiohttp would answer every close frame with 1000
            compress=False,
            max_msg_size=_HARD_LIMIT * settings.message_bytes,
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
        self._transport = request.transport
        log.debug("%s opened a websocket", self._caller.path)
        works = (
            *(self._obey_all(), self._send_all(request.writer), self._keep_alive()),
            *(self._dropped.wait(), self._leaving.wait()),
        )
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._finish_commands()
            self._dialogue.close()
            for task in tasks:
                task.cancel()
            if self._dropped.is_set() and request.transport is not None:
                request.transport.abort()  # not closed, as what is still to be sent would never be read
            results = await asyncio.gather(*tasks, return_exceptions=True)
            if self._leaving.is_set():
                await self._say_goodbye(WSCloseCode.GOING_AWAY, b"the server is stopping")
            transport = request.transport
            if transport is not None and not transport.is_closing():
                transport.close()
            if transport is not None and transport.get_write_buffer_size():
                transport.abort()  # closing would wait for a client that does not read
        for result in results:
            # that a connection breaks is no error of ours; all else is
            if isinstance(result, Exception) and not isinstance(result, (ConnectionError, asyncio.TimeoutError)):
                log.error("a websocket of %s ended by an error", self._caller.path, exc_info=result)
        log.debug("the websocket of %s is closed", self._caller.path)
        return self._socket

    async def close(self) -> None:
        """Tell the client that the server is stopping, and end the connection. Returns when `run` has ended."""
        self._leaving.set()
        await self._ended.wait()

    async def _finish_commands(self) -> None:
        """Let the commands that are being carried out finish, and no other begin."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._finish(), self._settings.close_seconds)

    async def _finish(self) -> None:
        await self._busy.acquire()
        await self._dialogue.finish()

    async def _say_goodbye(self, code: int, message: bytes) -> None:
        """Send a close frame and wait for the answer, but not for long: from a client that does not read none will come."""
        self._transport = None
        with contextlib.suppress(ConnectionError, asyncio.TimeoutError):
            await asyncio.wait_for(
                self._socket.close(code=code, message=message, drain=False), 2 * self._settings.close_seconds
            )

    # --- to the client ---

    def _send(self, frame: bytes) -> bool:
        """Send a frame, or let it wait behind others; return whether there was room for it."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return True  # the connection is ending: nothing needs to be sent
        # written past aiohttp: its own frames, pongs and close frames, are each written whole too, so none are mixed up
        if not self._outbox and transport.get_write_buffer_size() < _IN_TRANSPORT:
            transport.write(frame)
            return True
        self._waiting.set()
        return self._outbox.offer(frame)

    def _drop(self) -> None:
        """Cut the connection."""
        if not self._dropped.is_set():
            log.warning("dropping the websocket of %s: it does not read what it subscribed to", self._caller.path)
            self._dropped.set()

    async def _send_all(self, writer: AbstractStreamWriter) -> None:
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            while True:
                await writer.drain()
                frame = self._outbox.take()
                if frame is None:
                    break
                if self._transport is not None and not self._transport.is_closing():
                    self._transport.write(frame)
            self._dialogue.refill()
            if self._dialogue.has_room:
                self._room.set()

    # --- from the client ---

    async def _obey_all(self) -> None:
        while True:
            message = await self._socket.receive()
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                if _is_too_long(message.data, self._settings):
                    await self._say_goodbye(WSCloseCode.MESSAGE_TOO_BIG, b"the message is too long")
                    return
                await self._wait_for_room()
                try:
                    await self._obey(message.data)
                except RemoteProtocolError as error:
                    log.debug("closing the websocket of %s: %s", self._caller.path, error)
                    await self._say_goodbye(WSCloseCode.INVALID_TEXT, str(error).encode(errors="replace")[:100])
                    return
            elif message.type is WSMsgType.PING:
                await self._socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                self._last_pong = asyncio.get_running_loop().time()
            elif message.type is WSMsgType.CLOSE:
                self._transport = None
                await self._socket.close(code=_answer_to(message.data))
                return
            else:  # closed, by us or by what was wrong with a frame
                return

    async def _obey(self, text: str | bytes) -> None:
        if len(text) <= _LARGE:
            await self._obey_now(text)
            return
        # a decoded command takes many times as much memory as its text, so large ones are decoded few at a time
        async with self._large:
            await self._obey_now(text)
            await self._dialogue.finish()

    async def _obey_now(self, text: str | bytes) -> None:
        asked = read_command(text)
        async with self._busy:
            await self._dialogue.obey(asked, len(text))

    async def _wait_for_room(self) -> None:
        """Wait until another command can be answered: a client that does not read answers is not listened to."""
        while not self._dialogue.has_room:
            self._room.clear()
            self._waiting.set()
            await self._room.wait()

    async def _keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        next_ping = loop.time() + self._settings.ping_seconds
        while True:
            silent_until = self._last_pong + self._settings.pong_seconds
            await asyncio.sleep(max(0.0, min(next_ping, silent_until) - loop.time()))
            if loop.time() >= self._last_pong + self._settings.pong_seconds:
                log.info(
                    "dropping the websocket of %s: no pong for %g s", self._caller.path, self._settings.pong_seconds
                )
                await self._say_goodbye(WSCloseCode.GOING_AWAY, b"no pong")
                return
            if loop.time() >= next_ping:
                next_ping += self._settings.ping_seconds
                await self._socket.ping()
                await self._dialogue.check_rights()


def _answer_to(code: int) -> int:
    """Return the code that answers a close frame: the same, unless no frame may carry that (RFC 6455, 7.4)."""
    if not code:
        return WSCloseCode.OK  # the frame had no code
    return code if code < 5000 and code != WSCloseCode.ABNORMAL_CLOSURE else WSCloseCode.PROTOCOL_ERROR


def _is_too_long(text: str | bytes, settings: Settings) -> bool:
    if has_more_brackets(text, settings.message_brackets):
        return True
    if len(text) * 4 <= settings.message_bytes:
        return False  # a character takes at most four bytes
    return len(text.encode() if isinstance(text, str) else text) > settings.message_bytes
