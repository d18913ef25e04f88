"""
Where a request becomes an answer: credentials are checked, the handler runs in the storage, subscribers are told.

All of this happens on the event loop's thread, so it must never wait for the storage or for the hash of a password. Nothing here
knows an HTTP library.
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
    What the server has done so far.

    Attributes:
        inserts: Inserts that were stored, or only told to subscribers.
        points: The points of these inserts.
        refused_logins: Logins that were refused.
    """

    inserts: int = 0
    points: int = 0
    refused_logins: int = 0


class Service:
    """
    What the server does for requests and for websockets.

    Args:
        storage: Where everything is kept.
        permissions: Who may do what.
        clock: Stamps points that come without a time.
        config: All settings.

    Attributes:
        teller: Tells subscribers what happens.
        counts: What was done so far.
        queries: The settings for what may be computed.
        computing: The threads for what takes long to compute.
        large_commands: Held while a large command of a websocket is carried out.
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
        """End the threads; work that still waits for them is dropped."""
        self.teller.close()
        self._hashers.close()
        self.computing.close()

    def adopt(self, permissions: Permissions) -> None:
        """Apply other permissions, from the next request on. May be called from any thread."""
        self.permissions = permissions
        self.teller.look_again_soon()

    def request(self, **fields: Any) -> Request:
        """Return a request made now, under the present settings and permissions."""
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
            route: Where the request leads.
            credentials: Who the caller claims to be.
            request: What is asked.
            patience: How long the answer is wanted; without it, however long it takes.
            spent: Where to note how long each part took.
            pack: Compresses the reply, on the thread that made it.

        Raises:
            Refusal: The request is refused.
            NotWanted: The answer is not wanted any more, and nothing was changed.
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
            # all checks have passed; the handler repeats them when it is called again with the hash
            password = wanted.password
            call.request = call.request.with_hash(
                await self._hashed(lambda: hash_password(password), patience, request.address)
            )
            done = await self._run(call, credentials, patience)
        assert isinstance(done, Reply)  # a claim has been confirmed by now
        if done.rest is not None and done.rest.computed:
            # the first piece is computed now: if that fails, the request can still be refused
            done = done._replace(body=done.body + (await self.page(done.rest, patience) or b""))
        return done

    async def _run(self, call: _Call, credentials: Credentials, patience: Patience) -> Reply | Claim:
        """Have the storage carry out a call; return the claim instead if it takes long to confirm who is calling."""
        given = seconds()
        if call.route.does == "write":
            done = await patience.change(self._write(lambda access: call.run(access, credentials, given)))
            call.spent.flush += seconds() - call.ended
            return done
        if call.route.recalls:
            try:
                return self._storage.recall(lambda access: call.run(access, credentials, given))
            except NotRecent:
                pass  # nobody has asked for it lately
        return await patience.read(self._read(lambda access: call.run(access, credentials, given)))

    async def caller(self, credentials: Credentials, patience: Patience | None = None, address: str = "") -> Caller:
        """
        Return who is calling.

        Raises:
            Refusal: The credentials are wrong.
            NotWanted: The answer is not wanted any more.
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
            Refusal: It cannot be computed, or too much is being computed at once.
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
            pages.drop()  # fetch() would end it too, but it may compute for a minute before it reads again
            raise

    # --- for websockets ---

    async def readable(self, caller: Caller, paths: tuple[Path, ...]) -> tuple[Path, ...]:
        """Return those of *paths* whose points the caller may read at present."""

        def work(reader: Reader) -> tuple[Path, ...]:
            now = as_of_now(reader, caller)
            return tuple(path for path in paths if now and data.is_readable(reader, self._at(path, now)))

        return await self._read(work).waiter

    async def lost(self, caller: Caller, paths: Sequence[Path]) -> dict[Path, EndReason]:
        """Return those of *paths* whose points the caller can no longer read, and why."""

        def work(reader: Reader) -> dict[Path, EndReason]:
            now = as_of_now(reader, caller)
            if now is None:
                return dict.fromkeys(paths, "caller")
            gone = [path for path in paths if not data.is_readable(reader, self._at(path, now))]
            return {path: "denied" if reader.find(path.names).stream else "deleted" for path in gone}

        return await self._read(work).waiter

    async def follow(self, caller: Caller, path: Path, begin: Callable[[Start], None]) -> None:
        """
        Begin a subscription: call *begin* with its start, before any insert is published that comes after that start.

        Raises:
            Refusal: The caller may not read the stream, or it does not exist.
        """

        # done by the writer, although nothing is changed, to get a definite place in the order of all changes
        def work(writer: Writer) -> Start:
            return start(writer, self._at(path, self._present(writer, caller)))

        beginning = self._aftermath.promise(begin)
        self._storage.give_write(work, beginning)
        await beginning.waiter

    async def insert(
        self, caller: Caller, path: Path, points: tuple[dict[str, Any], ...], key: str | None = None
    ) -> Landed:
        """
        Append points, restamping those that are too old; if there is a *key*, only once.

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
        """Return a caller with its present rights; refuse one that was deleted."""
        now = as_of_now(reader, caller)
        if now is None:
            raise Refusal(403, "The device that opened this connection is not there any more.")
        return now

    def _at(self, path: Path, caller: Caller) -> Request:
        query = {"downlink": "true"} if path.downlink else {}
        return self.request(names=path.names, query=query, caller=caller, restamp=True)

    # --- inside ---

    def _read(self, work: Callable[[Reader], T]) -> Promise[T]:
        """Hand the storage something to read."""
        promise: Promise[T] = self._aftermath.promise()
        self._storage.give_read(work, promise)
        return promise

    def _write(self, work: Callable[[Writer], Done]) -> Promise[Done]:
        """Hand the storage a change; once it is done, subscribers are told, even if nobody waits for it any more."""
        promise: Promise[Done] = self._aftermath.promise(self._settle)
        self._storage.give_write(work, promise)
        return promise

    def _settle(self, done: Reply | Claim) -> None:
        if isinstance(done, Reply):
            if done.landed is not None and done.published:  # a repeated insert, known by its key, publishes nothing
                self.counts.inserts += 1
                self.counts.points += sum(len(it.points) for it in done.published if it.path == done.landed.path)
            self.teller.settle(done)

    async def _confirmed(self, claim: Claim, patience: Patience, address: str) -> Caller:
        caller = await self._hashed(lambda: confirm(claim), patience, address)
        if caller.user is not None and claim.password is not None:
            self._renewals.offer(caller.user, claim.password)
        return caller

    async def _hashed(self, work: Callable[[], T], patience: Patience, address: str) -> T:
        """Compute a hash on a thread for that; only so many for one client at once that others can still log in."""
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
        #: When the storage had done everything but flush it to the disk.
        self.ended = 0.0

    def run(self, access: Any, credentials: Credentials, given: float) -> Reply | Claim:
        """
        Find out who calls and run the handler, both in one piece of work for the storage.

        Most callers use an API key, which is checked in no time. A password takes long: its claim is returned to be confirmed.
        """
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
