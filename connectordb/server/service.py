"""
Handlers, run: credentials checked, work handed to the storage, subscribers told.

All of it happens on the event loop's thread, which neither the storage nor a password's hash may hold up. No HTTP library is
known here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..protocol.feed import EndReason
from ..protocol.paths import Path
from ..runtime.clock import SYSTEM, Clock
from .aftermath import Aftermath, Promise
from .computing import Computing
from .config import DEFAULT as CONFIG
from .config import Config
from .crew import Busy, Crew
from .handlers import HashWanted, Landed, Pages, Refusal, Reply, Request, at_once, data
from .handlers.subscribing import Start, start
from .patience import NotWanted, Patience
from .places import Places, TooMany
from .rights.accounts import ANONYMOUS, Caller, Claim, Credentials, Known, LoginRefused, as_of_now, confirm, look_up
from .rights.passwords import hash_password
from .rights.penalties import Penalties
from .rights.permissions import DEFAULT, Permissions
from .rights.renewal import Renewals
from .routing import Route
from .server_timing import Spent, seconds
from .storage import NotRecent, Reader, Storage, Writer
from .subscribers.teller import Teller

log = logging.getLogger(__name__)

T = TypeVar("T")
Done = TypeVar("Done", Reply, Claim, Reply | Claim)


@dataclass(slots=True)
class Counts:
    """
    What was done so far.

    Attributes:
        inserts: Inserts that were stored, or told to subscribers.
        points: Points of them.
        refused_logins: Logins that were refused.
    """

    inserts: int = 0
    points: int = 0
    refused_logins: int = 0


class Service:
    """
    What the server does, whoever asks.

    Args:
        storage: Where everything is kept.
        permissions: Who may do what.
        clock: Stamps points that come without a time.
        config: All settings.

    Attributes:
        teller: Tells subscribers of what happens.
        counts: What was done so far.
        queries: What may be computed.
        computing: Where what takes long is computed.
        large_commands: Held while a large command of a websocket is obeyed.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        permissions: Permissions = DEFAULT,
        clock: Clock = SYSTEM,
        config: Config = CONFIG,
    ) -> None:
        self._storage = storage
        self.permissions = permissions
        self._clock = clock
        self._limits = config.limits
        self.queries = config.queries
        self._most_keys = config.idempotency.keys_per_device
        self._penalties = Penalties(config.login)
        self.counts = Counts()
        self.teller = Teller()
        self.large_commands = asyncio.Semaphore(config.websocket.large_commands)
        self._aftermath = Aftermath()
        self._logins = Places(config.login.passwords_per_address)
        self._hashers = Crew("passwords", config.login.password_threads, config.login.passwords_waiting)
        self._renewals = Renewals(storage, self._hashers)
        self.computing = Computing(config.queries)

    def close(self) -> None:
        """End the threads; what waits for them is not done any more."""
        self.teller.close()
        self._hashers.close()
        self.computing.close()

    def adopt(self, permissions: Permissions) -> None:
        """Hold callers to these permissions, from their next request on; may be called from any thread."""
        self.permissions = permissions
        self.teller.look_again_soon()

    def request(self, **fields: Any) -> Request:
        """Return a request of now."""
        return Request(
            now=self._clock.wall(),
            permissions=self.permissions,
            limits=self._limits,
            queries=self.queries,
            most_keys=self._most_keys,
            **fields,
        )

    async def answer(
        self,
        route: Route,
        credentials: Credentials,
        request: Request,
        *,
        patience: Patience | None = None,
        spent: Spent | None = None,
        pack: Callable[[Reply], Reply] | None = None,
    ) -> Reply:
        """
        Return the answer to a request.

        Args:
            route: Where it leads.
            credentials: Who says that he is asking.
            request: What is asked.
            patience: How long it is wanted; without it, whatever it takes.
            spent: Where what it took is noted.
            pack: Compresses what was read, on the thread that read it.

        Raises:
            Refusal: It is refused.
            NotWanted: It is not wanted any more, and nothing was changed.
        """
        if route.does == "tell":
            return route.handler()
        if (request.names, request.restamp) != (route.names, route.restamp):
            request = request._replace(names=route.names, restamp=route.restamp)
        call = _Call(route, request, pack, spent or Spent())
        patience = patience or Patience()
        try:
            done = await self._run(call, credentials, patience)
            if isinstance(done, Claim):
                begin = seconds()
                credentials = Known(await self._confirmed(done, patience, request.address))
                call.spent.login += seconds() - begin
                done = await self._run(call, credentials, patience)
        except LoginRefused as refused:
            raise await self._refused(refused, request.address) from refused
        except HashWanted as wanted:
            # all checks have passed; the handler makes them again when it gets the hash
            password = wanted.password
            call.request = call.request.with_hash(
                await self._hashed(lambda: hash_password(password), patience, request.address)
            )
            done = await self._run(call, credentials, patience)
        assert isinstance(done, Reply)  # a claim has been confirmed by now
        if done.rest is not None and done.rest.computed:
            # what cannot be computed is refused while it still can be
            done = done._replace(body=done.body + (await self.page(done.rest, patience) or b""))
        return done

    async def _run(self, call: _Call, credentials: Credentials, patience: Patience) -> Reply | Claim:
        """Have the storage do a call; return who claims to be calling if that takes long to confirm."""
        given = seconds()
        if call.route.does == "write":
            done = await patience.change(self._write(lambda access: call.run(access, credentials, given)))
            call.spent.flush += seconds() - call.ended
            return done
        if call.route.recalls:
            try:
                return self._storage.recall(lambda access: call.run(access, credentials, given))
            except NotRecent:
                pass  # the first time somebody asks for it
        return await patience.read(self._read(lambda access: call.run(access, credentials, given)))

    async def caller(self, credentials: Credentials, patience: Patience | None = None, address: str = "") -> Caller:
        """
        Return who is calling.

        Raises:
            Refusal: The credentials are wrong.
            NotWanted: Nobody wants to know any more.
        """
        if credentials is None:
            return ANONYMOUS
        patience = patience or Patience()
        try:
            try:
                claim = self._storage.recall(lambda reader: look_up(reader, credentials))
            except NotRecent:
                claim = await patience.read(self._read(lambda reader: look_up(reader, credentials)))
            return await self._confirmed(claim, patience, address) if claim.is_slow else claim.caller
        except LoginRefused as refused:
            raise await self._refused(refused, address) from refused

    async def page(self, pages: Pages, patience: Patience | None = None) -> bytes | None:
        """
        Return the next piece of a long answer.

        Raises:
            Refusal: It cannot be computed, or too much is being computed.
            NotWanted: Nobody waits for it any more.
        """
        patience = patience or Patience()
        if not pages.computed:
            return await patience.read(self._read(lambda reader: pages.next(at_once(reader))))

        def fetch(work: Callable[[Reader], T], /) -> T:
            if patience.gone or patience.passed:
                raise NotWanted("nobody waits for this answer any more")
            return self._storage.read(work).result()

        try:
            return await self.computing.compute(lambda: pages.next(fetch), patience)
        except (NotWanted, asyncio.CancelledError):
            pages.drop()  # it may be computed for a minute without reading anything
            raise

    # --- for websockets ---

    async def readable(self, caller: Caller, paths: tuple[Path, ...]) -> tuple[Path, ...]:
        """Return those of *paths* whose points the caller may read as things are now."""

        def work(reader: Reader) -> tuple[Path, ...]:
            now = as_of_now(reader, caller)
            return tuple(path for path in paths if now and data.is_readable(reader, self._at(path, now)))

        return await self._read(work).waiter

    async def lost(self, caller: Caller, paths: Sequence[Path]) -> dict[Path, EndReason]:
        """Return those of *paths* whose points the caller cannot read any more as things are now, and why."""

        def work(reader: Reader) -> dict[Path, EndReason]:
            now = as_of_now(reader, caller)
            if now is None:
                return dict.fromkeys(paths, "caller")
            gone = [path for path in paths if not data.is_readable(reader, self._at(path, now))]
            return {path: "denied" if reader.find(path.names).stream else "deleted" for path in gone}

        return await self._read(work).waiter

    async def follow(self, caller: Caller, path: Path, begin: Callable[[Start], None]) -> None:
        """
        Have a subscription begin: every insert that is published after *begin* was called comes after its start.

        Raises:
            Refusal: The caller may not read it, or there is nothing.
        """

        # by the writer, which changes nothing: what it finds has its place in the order of what others change
        def work(writer: Writer) -> Start:
            return start(writer, self._at(path, self._present(writer, caller)))

        beginning = self._aftermath.promise(begin)
        self._storage.give_write(work, beginning)
        await beginning.waiter

    async def insert(
        self, caller: Caller, path: Path, points: tuple[dict[str, Any], ...], key: str | None = None
    ) -> Landed:
        """
        Append points, restamped where they are too old; under a *key*, once.

        Raises:
            Refusal: They are refused.
        """

        def work(writer: Writer) -> Reply:
            request = self._at(path, self._present(writer, caller))._replace(key=key)
            return data.insert_points(writer, request, list(points))

        landed = (await self._write(work).waiter).landed
        assert landed is not None
        await asyncio.sleep(0)  # on a websocket, messages about an insert come before its answer
        return landed

    @staticmethod
    def _present(reader: Reader, caller: Caller) -> Caller:
        """Return a caller with its rights of now; refuse one that is gone."""
        now = as_of_now(reader, caller)
        if now is None:
            raise Refusal(403, "The device that opened this connection is not there any more.")
        return now

    def _at(self, path: Path, caller: Caller) -> Request:
        query = {"downlink": "true"} if path.downlink else {}
        return self.request(names=path.names, query=query, caller=caller, restamp=True)

    # --- inside ---

    def _read(self, work: Callable[[Reader], T]) -> Promise[T]:
        """Have the storage look for something."""
        promise: Promise[T] = self._aftermath.promise()
        self._storage.give_read(work, promise)
        return promise

    def _write(self, work: Callable[[Writer], Done]) -> Promise[Done]:
        """Have the storage change something; when it is done, subscribers are told whoever waits for it."""
        promise: Promise[Done] = self._aftermath.promise(self._settle)
        self._storage.give_write(work, promise)
        return promise

    def _settle(self, done: Reply | Claim) -> None:
        if isinstance(done, Reply):
            if done.landed is not None and done.published:  # not again what is known by its key
                self.counts.inserts += 1
                self.counts.points += sum(len(it.points) for it in done.published if it.path == done.landed.path)
            self.teller.settle(done)

    async def _confirmed(self, claim: Claim, patience: Patience, address: str) -> Caller:
        caller = await self._hashed(lambda: confirm(claim), patience, address)
        if caller.user is not None and claim.password is not None:
            self._renewals.offer(caller.user, claim.password)
        return caller

    async def _hashed(self, work: Callable[[], T], patience: Patience, address: str) -> T:
        """Do what computes a hash, on a thread of its own; not so many of one client that nobody else gets to log in."""
        try:
            with self._logins.one(address):
                return await patience.read(self._hashers.submit(work))
        except (Busy, TooMany) as busy:
            raise Refusal(
                503, "Too many are logging in by password at once; try again later, or use an API key."
            ) from busy

    async def _refused(self, refused: LoginRefused, address: str) -> Refusal:
        self.counts.refused_logins += 1
        try:
            await self._penalties.serve(address)
        except TooMany:
            return Refusal(503, "Too many logins are being refused at once; try again later.")
        return Refusal(401, str(refused))


class _Call:
    """A request on its way through the storage."""

    __slots__ = ("_pack", "ended", "request", "route", "spent")

    def __init__(self, route: Route, request: Request, pack: Callable[[Reply], Reply] | None, spent: Spent) -> None:
        self.route = route
        self.request = request
        self.spent = spent
        self._pack = pack
        #: When the storage was done with it, but for the disk.
        self.ended = 0.0

    def run(self, access: Any, credentials: Credentials, given: float) -> Reply | Claim:
        """Do it, in one piece with finding out who calls: most come with a key, which takes no time to check."""
        begin = seconds()
        claim = look_up(access, credentials)
        looked = seconds()
        self.spent.queue += begin - given
        self.spent.login += looked - begin
        try:
            if claim.is_slow:
                return claim
            reply = self.route.handler(access, self.request._replace(caller=claim.caller))
            return reply if self._pack is None else self._pack(reply)
        finally:
            self.ended = seconds()
            self.spent.storage += self.ended - looked
