"""
What one websocket client asks for and is told, without the socket (``docs/topics/wire.rst``, "WebSocket", and
``docs/topics/beyond_0_3.rst``).

There are two kinds of subscriptions. One that was made without an id is as in 0.3: it is told what is inserted; it is refused
and ended in silence; and the connection of a client that does not read is cut. One with an id is answered, told indices, and told
when it ends or has missed something. For its sake no connection is cut, as what was missed can be read over REST.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from ...exceptions import ConnectorDBError
from ...protocol.feed import CommandId, Done, Ended, EndReason, Failed
from ...protocol.paths import Path
from ..handlers import Refusal
from ..handlers.scripts import of_subscription
from ..handlers.subscribing import Start
from ..rights.accounts import Caller
from ..service import Service
from ..subscribers.backlog import Backlog
from ..subscribers.feed import Asked, Outbox
from ..subscribers.following import Following
from ..subscribers.news import News, frame
from ..subscribers.teller import Listener
from ..subscribers.transformed import Transform, Transformed
from ..tracebacks import let_go
from .failures import failure

log = logging.getLogger(__name__)

T = TypeVar("T")

#: The most commands of one client that are carried out at once, and the most bytes of their messages; one alone may have more.
_AT_ONCE = 100
_BYTES_AT_ONCE = 1024 * 1024


class Dialogue(Listener):
    """
    A client's commands and subscriptions. Used on the event loop's thread only.

    Args:
        service: Carries out commands.
        caller: The device that is logged in.
        outbox: Holds frames that cannot be sent at once.
        send: Sends a frame, or puts it into the outbox; returns whether there was room.
        drop: Cuts the connection, as its client does not read.
        subscriptions: How many subscriptions there may be.
        waiting_bytes: Bytes of inserts that may wait for the subscriptions' transforms.
    """

    def __init__(
        self,
        service: Service,
        caller: Caller,
        outbox: Outbox,
        *,
        send: Callable[[bytes], bool],
        drop: Callable[[], None],
        subscriptions: int,
        waiting_bytes: int,
    ) -> None:
        self._service = service
        self._hub = service.teller.hub
        self._caller = caller
        self._outbox = outbox
        self._send = send
        self._drop = drop
        self._most = subscriptions
        #: Subscriptions with an id and without a transform, by path; and those of them that have missed something.
        self._followings: dict[str, Following] = {}
        self._behind: dict[str, Following] = {}
        #: Subscriptions with a transform, by path and transform.
        self._transformed: dict[tuple[str, str], Transformed] = {}
        self._backlog = Backlog(waiting_bytes)
        #: Characters of these transforms, those that are being compiled included.
        self._characters = 0
        #: Held while a transform is computed: one at a time, so that other connections have their turn.
        self._turn = asyncio.Lock()
        #: Answers and notices that found no room. They cannot become many, as no commands are read meanwhile.
        self._unsaid: deque[bytes] = deque()
        #: Commands that are being carried out, and the bytes of their messages.
        self._under_way: set[asyncio.Task[None]] = set()
        self._bytes = 0
        self._closed = False

    @property
    def own_path(self) -> str:
        """The path of the device that is logged in."""
        return self._caller.path

    @property
    def has_room(self) -> bool:
        """Whether another command can be answered."""
        return not self._unsaid and self._outbox.has_room()

    def close(self) -> None:
        """End the dialogue: the connection is gone, or about to go."""
        self._closed = True
        for task in self._under_way:
            task.cancel()
        self.leave()

    def leave(self) -> None:
        """End all subscriptions."""
        self._hub.leave(self)
        self._followings.clear()
        self._behind.clear()
        for path, transform in list(self._transformed):
            self._unsubscribe(path, transform)

    # --- commands ---

    async def obey(self, asked: Asked, size: int = 0) -> None:
        """
        Carry out a command, and answer it if it has an id; *size* is how many bytes its message had.

        Inserts and subscriptions with an id are only begun here: the storage carries them out in the order in which they came,
        many with one flush to disk. Every other command first waits for those before it.
        """
        if asked.id is None or asked.cmd not in ("insert", "subscribe"):
            await self.finish()
            await (self._obey_in_silence(asked) if asked.id is None else self._answer(asked, asked.id))
            return
        while self._under_way and (len(self._under_way) >= _AT_ONCE or self._bytes + size > _BYTES_AT_ONCE):
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.ensure_future(self._answer(asked, asked.id))
        self._under_way.add(task)
        self._bytes += size
        task.add_done_callback(lambda done: self._done(done, size))

    def _done(self, task: asyncio.Task[None], size: int) -> None:
        self._under_way.discard(task)
        self._bytes -= size

    async def finish(self) -> None:
        """Wait until all commands that were begun are answered."""
        if self._under_way:
            await asyncio.wait(set(self._under_way))

    async def _answer(self, asked: Asked, id: CommandId) -> None:
        """Carry out a command and answer it, also if it fails."""
        try:
            await self._obey(asked, id)
        except Exception as error:  # all of them, as nothing above this would see it: this is the top of a task
            told = failure(error, f"{self._caller.path}: {asked.cmd} {asked.path}")
            log.debug("%s: a command is refused: %s (ref %s)", self._caller.path, told.message, told.ref)
            message = told.message.encode(errors="replace").decode()
            self._say(Failed(id, told.status, message, told.ref).encode())

    def _say(self, text: bytes) -> None:
        said = frame(text + b"\n")
        if self._unsaid or not self._send(said):
            self._unsaid.append(said)

    async def _obey(self, asked: Asked, id: CommandId) -> None:
        if asked.fault:
            raise Refusal(400, asked.fault)
        if asked.cmd == "unsubscribe_all":
            self.leave()
            self._say(Done(id).encode())
            return
        if asked.path is None:
            raise Refusal(403, "The given path is invalid.")
        if asked.cmd == "insert":
            landed = await self._service.insert(self._caller, asked.path, asked.points, asked.key)
            self._say(Done(id, landed.path, landed.first).encode())
            return
        if asked.cmd == "unsubscribe":
            self._unsubscribe(str(asked.path), asked.transform)
            self._say(Done(id, str(asked.path)).encode())
            return
        path = str(asked.path)
        with self._room(path, asked.transform):
            compiled = await self._compiled(asked.transform)
            await self._service.follow(self._caller, asked.path, lambda start: self._follow(path, start, id, compiled))

    async def _compiled(self, transform: str) -> Transform | None:
        """Return a transform compiled, if there is one; refuse an invalid one."""
        if not transform:
            return None
        made = await self._service.computing.compute(partial(of_subscription, transform, self._service.queries))
        return Transform(transform, *made)

    async def _compute(self, work: Callable[[], T]) -> T:
        """Run a function that computes what a subscription is told."""
        async with self._turn:
            return await self._service.computing.tell(work)

    def _follow(self, path: str, start: Start, id: CommandId, transform: Transform | None) -> None:
        """Begin a subscription. No insert came in since *start* was found, as writes are carried out one after the other."""
        if self._closed:
            return
        if transform is not None:
            self._transform(path, transform, indexed=True)
        else:
            self._followings[path] = Following(path, start.index)
            self._behind.pop(path, None)
            self._hub.subscribe(self, path)
        self._say(Done(id, path, start.index, str(start.series.stream_id), start.ephemeral).encode())

    def _transform(self, path: str, transform: Transform, *, indexed: bool) -> None:
        self._unsubscribe(path, transform.text)
        made = Transformed(path, transform, self, self._compute, self._backlog, indexed=indexed)
        self._transformed[path, transform.text] = made
        self._characters += len(transform.text)
        self._hub.subscribe(made, path)

    def _check_room(self, path: str, transform: str = "") -> None:
        # subscriptions that are just being made are not counted: a few more do no harm
        there = (path, transform) in self._transformed if transform else self._hub.wants(self, path)
        if not there and self._hub.count(self) + len(self._transformed) >= self._most:
            raise Refusal(403, f"More than {self._most} subscriptions of one connection; open another one.")

    @contextmanager
    def _room(self, path: str, transform: str) -> Iterator[None]:
        """Reserve room for a subscription that begins during the block; refuse it if there are too many, or its transform is too long."""
        self._check_room(path, transform)
        most = self._service.queries.all_script_characters
        if self._characters + len(transform) > most:
            raise Refusal(
                403, f"The transforms of one connection's subscriptions have more than {most} characters together."
            )
        self._characters += len(transform)
        try:
            yield
        finally:
            self._characters -= len(transform)

    async def _obey_in_silence(self, asked: Asked) -> None:
        """Carry out a command without an id as a 0.3 server does: a refusal is only logged."""
        try:
            if asked.cmd == "unsubscribe_all":
                self.leave()
            elif asked.path is None:
                if asked.cmd:
                    log.debug("%s: %s of something that is no stream", self._caller.path, asked.cmd)
            elif asked.cmd == "insert":
                await self._service.insert(self._caller, asked.path, asked.points, asked.key)
            elif asked.cmd == "unsubscribe":
                self._unsubscribe(str(asked.path), asked.transform)
            elif asked.cmd == "subscribe":
                await self._subscribe(asked.path, asked.transform)
        except Refusal as refusal:
            log.debug("%s: %s %s: %s", self._caller.path, asked.cmd, asked.path, refusal.message)
            let_go(refusal)
        except ConnectorDBError as error:
            log.error("%s: %s %s failed: %s", self._caller.path, asked.cmd, asked.path, error)
            let_go(error)

    async def _subscribe(self, path: Path, transform: str) -> None:
        with self._room(str(path), transform):
            compiled = await self._compiled(transform)
            await self._begin(path, compiled)

    async def _begin(self, path: Path, compiled: Transform | None) -> None:
        readable = await self._service.readable(self._caller, (path,))
        if self._closed:
            return
        if not readable:
            log.debug("%s: subscribing to %s is refused", self._caller.path, path)
        elif compiled is not None:
            self._transform(str(path), compiled, indexed=False)
        else:
            self._hub.subscribe(self, str(path))

    def _unsubscribe(self, path: str, transform: str = "") -> None:
        if transform:
            made = self._transformed.pop((path, transform), None)
            if made is not None:
                self._characters -= len(transform)
                self._hub.leave(made)
                made.close()
            return
        self._hub.unsubscribe(self, path)
        self._followings.pop(path, None)
        self._behind.pop(path, None)

    # --- what the client is told ---

    def tell(self, news: News) -> None:
        """Tell the client of an insert."""
        following = self._followings.get(news.path)
        if following is None:
            if not self._send(news.plain):
                self._drop()
        elif not following.follows(news):
            log.error("%s: index %s of %s is out of turn", self._caller.path, news.first, news.path)
            self.end(news.path, "cleared")
        else:
            told = following.told(news, not self._unsaid and self._outbox.fits(news.indexed))
            if told is None:
                self._behind[news.path] = following
            else:
                self._send(told)

    def end(self, path: str, reason: EndReason) -> None:
        """End a subscription with an id, and say so. Subscriptions without one are told nothing."""
        if path in self._followings:
            log.debug("%s: the subscription to %s ends: %s", self._caller.path, path, reason)
            self._unsubscribe(path)
            self._say(Ended(path, reason).encode())

    def say(self, frame: bytes) -> bool:
        """Send a frame of a subscription with a transform; return whether there was room."""
        return not self._unsaid and self._send(frame)

    def drop(self) -> None:
        """Cut the connection: its client does not read."""
        self._drop()

    def end_transformed(self, which: Transformed, reason: EndReason) -> None:
        """End a subscription with a transform, and say so if it was made with an id."""
        if self._transformed.get((which.path, which.transform.text)) is which:
            self._unsubscribe(which.path, which.transform.text)
            if which.indexed:
                self._say(Ended(which.path, reason, which.transform.text).encode())

    def refill(self) -> None:
        """Send what has waited, and what was missed, now that there is room again."""
        while self._unsaid and self._send(self._unsaid[0]):
            self._unsaid.popleft()
        while self._behind and not self._unsaid and self._outbox.has_room():
            _, following = self._behind.popitem()
            for told in following.catch_up():
                self._send(told)
        for made in self._transformed.values():
            made.refill()

    async def look_again(self) -> None:
        """End those subscriptions with an id whose streams may not be read any more."""
        before = dict(self._followings)
        transformed = [made for made in self._transformed.values() if made.indexed]
        paths = {*before, *(made.path for made in transformed)}
        if paths:
            lost = await self._service.lost(self._caller, [Path.parse(path) for path in paths])
            for path, reason in lost.items():
                if self._followings.get(str(path)) is before.get(str(path)):
                    self.end(str(path), reason)
                for made in transformed:
                    if made.path == str(path):
                        self.end_transformed(made, reason)

    async def check_rights(self) -> None:
        """End all subscriptions whose streams may not be read any more; those without an id in silence."""
        await self.look_again()
        silent = {path for path in self._hub.paths(self) if path not in self._followings}
        transformed = [made for made in self._transformed.values() if not made.indexed]
        paths = [Path.parse(path) for path in silent | {made.path for made in transformed}]
        if paths:
            for path in set(paths) - set(await self._service.readable(self._caller, tuple(paths))):
                log.debug("%s: the subscriptions to %s end, it cannot be read any more", self._caller.path, path)
                if str(path) in silent and str(path) not in self._followings:  # meanwhile it may have got an id
                    self._unsubscribe(str(path))
                for made in transformed:
                    if made.path == str(path):
                        self.end_transformed(made, "denied")
