"""
Handlers, run: credentials checked, work handed to the storage, subscribers told.

All of it happens on the event loop's thread, which neither the storage nor a password's hash may hold up. No HTTP library is
known here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

from ..protocol.paths import Path
from ..runtime.clock import SYSTEM, Clock
from .accounts import ANONYMOUS, Caller, Claim, Credentials, LoginRefused, as_of_now, confirm, look_up
from .crew import Busy, Crew
from .feed import Outgoing, encode
from .handlers import HashWanted, Pages, Refusal, Reply, Request, data
from .hub import Hub
from .passwords import hash_password
from .permissions import DEFAULT, Permissions
from .routing import Route
from .storage import Reader, Storage

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds that a refused login waits for its answer (``docs/topics/wire.rst``, "Refused credentials").
LOGIN_DELAY = 0.3


class Service:
    """
    What the server does, whoever asks.

    Args:
        storage: Where everything is kept.
        permissions: Who may do what.
        clock: Stamps points that come without a time.
        login_delay: Seconds that a refused login waits for its answer.

    Attributes:
        hub: Who wants to be told of what.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        permissions: Permissions = DEFAULT,
        clock: Clock = SYSTEM,
        login_delay: float = LOGIN_DELAY,
    ) -> None:
        self._storage = storage
        self._permissions = permissions
        self._clock = clock
        self._login_delay = login_delay
        self.hub: Hub[Outgoing] = Hub()
        self._hashers = Crew("passwords", 2, 100)

    def close(self) -> None:
        """End the threads; what waits for them is not done any more."""
        self._hashers.close()

    def request(self, **fields: Any) -> Request:
        """Return a request of now."""
        return Request(now=self._clock.wall(), permissions=self._permissions, **fields)

    async def answer(self, route: Route, credentials: Credentials, request: Request) -> Reply:
        """
        Return the answer to a request.

        Raises:
            Refusal: It is refused.
        """
        if route.does == "tell":
            return route.handler()
        request = replace(request, names=route.names, restamp=route.restamp)
        run: Callable[[Callable[[Any], Reply | Claim]], Future[Reply | Claim]] = (
            self._storage.write if route.does == "write" else self._storage.read
        )

        def with_credentials(access: Any) -> Reply | Claim:
            # one piece of work for all of it: most requests come with a key, which takes no time to check
            claim = look_up(access, credentials)
            if claim.is_slow:
                return claim
            return route.handler(access, replace(request, caller=claim.caller))

        try:
            done = await asyncio.wrap_future(run(with_credentials))
            if isinstance(done, Claim):
                request = replace(request, caller=await self._confirmed(done))
                done = await asyncio.wrap_future(run(lambda access: route.handler(access, request)))
        except LoginRefused as refused:
            raise await self._refused(refused) from refused
        except HashWanted as wanted:
            # all checks have passed; the handler makes them again when it gets the hash
            password = wanted.password
            hashed = request.with_hash(await self._hashed(lambda: hash_password(password)))
            if hashed.caller == ANONYMOUS:
                hashed = replace(hashed, caller=await self.caller(credentials))
            done = await asyncio.wrap_future(run(lambda access: route.handler(access, hashed)))
        assert isinstance(done, Reply)  # a claim has been confirmed by now
        self._publish(done)
        return done

    async def caller(self, credentials: Credentials) -> Caller:
        """
        Return who is calling.

        Raises:
            Refusal: The credentials are wrong.
        """
        try:
            claim = await asyncio.wrap_future(self._storage.read(lambda reader: look_up(reader, credentials)))
            return await self._confirmed(claim) if claim.is_slow else claim.caller
        except LoginRefused as refused:
            raise await self._refused(refused) from refused

    async def page(self, pages: Pages) -> bytes | None:
        """Return the next piece of a long answer."""
        return await asyncio.wrap_future(self._storage.read(pages.next))

    # --- for websockets ---

    async def readable(self, caller: Caller, paths: tuple[Path, ...]) -> tuple[Path, ...]:
        """Return those of *paths* whose points the caller may read as things are now."""

        def work(reader: Reader) -> tuple[Path, ...]:
            now = as_of_now(reader, caller)
            return tuple(path for path in paths if now and data.is_readable(reader, self._at(path, now)))

        return await asyncio.wrap_future(self._storage.read(work))

    async def insert(self, caller: Caller, path: Path, points: tuple[dict[str, Any], ...]) -> None:
        """
        Append points, restamped where they are too old.

        Raises:
            Refusal: They are refused.
        """

        def work(writer: Any) -> Reply:
            now = as_of_now(writer, caller)
            if now is None:
                raise Refusal(403, "The device that opened this connection is not there any more.")
            return data.insert_points(writer, self._at(path, now), list(points))

        self._publish(await asyncio.wrap_future(self._storage.write(work)))

    def _at(self, path: Path, caller: Caller) -> Request:
        query = {"downlink": "true"} if path.downlink else {}
        return self.request(names=path.names, query=query, caller=caller, restamp=True)

    # --- inside ---

    def _publish(self, reply: Reply) -> None:
        # Before the answer is sent, and without waiting for anything since the storage was done: so messages of one path
        # come in the order of the inserts.
        for published in reply.published:
            subscribers = self.hub.subscribers(published.path)
            if subscribers:
                message = encode(published)
                for subscriber in subscribers:
                    subscriber.offer(message)

    async def _confirmed(self, claim: Claim) -> Caller:
        return await self._hashed(lambda: confirm(claim))

    async def _hashed(self, work: Callable[[], T]) -> T:
        """Do what computes a hash, on a thread of its own."""
        try:
            return await asyncio.wrap_future(self._hashers.submit(work))
        except Busy as busy:
            raise Refusal(
                503, "Too many are logging in by password at once; try again later, or use an API key."
            ) from busy

    async def _refused(self, refused: LoginRefused) -> Refusal:
        await asyncio.sleep(self._login_delay)
        return Refusal(401, str(refused))
