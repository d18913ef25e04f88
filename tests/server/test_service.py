"""Running handlers against a storage, on an event loop."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from unittest import mock

from connectordb import pipescript
from connectordb.pipescript import Script
from connectordb.protocol.paths import Path
from connectordb.server.config import Config, Login, Queries
from connectordb.server.crew import Busy
from connectordb.server.handlers import Refusal, sources
from connectordb.server.handlers.effort import Effort
from connectordb.server.patience import NotWanted, Patience
from connectordb.server.rights.accounts import Caller, Key, Password
from connectordb.server.routing import Route, route
from connectordb.server.service import Service
from connectordb.server.subscribers.news import News

from ..support.case import SOON
from ..support.server import cheap_passwords
from .handlers.case import HandlerCase

T = TypeVar("T")
Work = Callable[[Service], Coroutine[Any, Any, T]]

cheap = cheap_passwords()


class Ear:
    """A listener that remembers."""

    own_path = "mara/lamp"

    def __init__(self) -> None:
        self.heard: list[bytes | tuple[str, str]] = []
        self.looked = 0

    def tell(self, news: News) -> None:
        """Hear of an insert."""
        self.heard.append(news.plain[2:])

    def end(self, path: str, reason: str) -> None:
        """Hear of an end."""
        self.heard.append((path, reason))

    async def look_again(self) -> None:
        """Count."""
        self.looked += 1


class ServiceTests(HandlerCase):
    """Credentials, hashes, subscribers."""

    def with_service(self, work: Work[T], login_delay: float = 0.0, **options: Any) -> T:
        """Run a coroutine function with a service."""

        async def main() -> T:
            login = Login(refused_delay=login_delay, refused_per_address=50, passwords_per_address=4)
            options.setdefault("config", Config(login=login))
            made = Service(self.storage, **options)
            try:
                return await asyncio.wait_for(work(made), SOON)
            finally:
                made.close()

        return asyncio.run(main())

    def at(self, verb: str, path: str) -> Route:
        """Return where a request leads."""
        found = route(verb, f"/api/v1/{path}")
        assert isinstance(found, Route)
        return found

    def test_keys(self) -> None:
        """With a key the work is done as its device."""

        async def work(made: Service) -> bytes:
            return (await made.answer(self.at("GET", ""), Key("lamp-key"), made.request(q=("this",)))).body

        self.assertEqual(self.with_service(work), b"mara/lamp")

    @cheap
    def test_passwords(self) -> None:
        """A new password is hashed off the loop, and then logs in."""
        admin = self.caller("root1/user")
        assert admin.device is not None
        key = Key(admin.device.apikey)

        async def work(made: Service) -> tuple[bytes, str]:
            await made.answer(self.at("PUT", "crud/bob"), key, made.request(body=b'{"password":"new"}'))
            who = await made.answer(self.at("GET", ""), Password("BOB", "new"), made.request(q=("this",)))
            return who.body, (await made.caller(Password("b@x", "new"))).path

        self.assertEqual(self.with_service(work), (b"bob/user", "bob/user"))

    @cheap
    def test_refused_logins(self) -> None:
        """A refused login waits, and holds nobody up meanwhile."""

        async def work(made: Service) -> None:
            async def fail() -> str:
                with self.assertRaises(Refusal) as caught:
                    await made.answer(self.at("GET", ""), Key("nope"), made.request(q=("this",)))
                self.assertEqual(caught.exception.status, 401)
                return caught.exception.message

            begin = time.monotonic()
            messages = await asyncio.gather(*(fail() for _ in range(50)))
            self.assertEqual(set(messages), {"The requested device was not found."})
            self.assertLess(0.1, time.monotonic() - begin)
            self.assertLess(time.monotonic() - begin, 50 * 0.1)

        self.with_service(work, login_delay=0.1)

    def test_too_many(self) -> None:
        """When too many log in by password at once, one is told to come back."""

        async def work(made: Service) -> int:
            with mock.patch.object(made._hashers, "submit", side_effect=Busy("full")):
                with self.assertRaises(Refusal) as caught:
                    await made.caller(Password("mara", "x"))
            return caught.exception.status

        self.assertEqual(self.with_service(work), 503)

    @cheap
    def test_one_client_of_many(self) -> None:
        """Who tries many passwords at once does not keep others from logging in, and who goes away makes room."""
        go = threading.Event()
        self.addCleanup(go.set)
        admin = self.caller("root1/user")
        assert admin.device is not None
        key = Key(admin.device.apikey)

        def slow(password: str, stored: str) -> bool:
            self.wait(go)
            return password == "new"

        async def work(made: Service) -> list[object]:
            await made.answer(self.at("PUT", "crud/bob"), key, made.request(body=b'{"password":"new"}'))

            async def outcome(address: str, password: str = "wrong") -> object:
                try:
                    return (await made.caller(Password("bob", password), address=address)).path
                except Refusal as refusal:
                    return refusal.status

            tries = [asyncio.ensure_future(outcome("1.1.1.1")) for _ in range(6)]
            other = asyncio.ensure_future(outcome("1.1.1.2", "new"))
            answered: set[asyncio.Future[object]] = set()
            while (
                len(answered) < 2
            ):  # no more of them are answered at once, and which of them depends on the storage's threads
                done, waiting = await asyncio.wait(set(tries) - answered, return_when=asyncio.FIRST_COMPLETED)
                answered |= done
            gone = waiting.pop()
            gone.cancel()
            await asyncio.wait([gone])
            another = asyncio.ensure_future(outcome("1.1.1.1", "new"))
            while len(made._logins) < 5:
                await asyncio.sleep(0)
            go.set()
            others = [each for each in tries if each is not gone]
            return [*await asyncio.gather(*others), await other, await another]

        with mock.patch("connectordb.server.rights.accounts.verify_password", slow):
            self.assertCountEqual(self.with_service(work), [401] * 3 + [503] * 2 + ["bob/user"] * 2)

    def test_publishing(self) -> None:
        """Subscribers are told of what was inserted, and of nothing that was refused."""
        light = Path.parse("mara/lamp/light")
        ear = Ear()

        async def work(made: Service) -> None:
            made.teller.hub.subscribe(ear, str(light))
            await made.insert(self.caller("mara/lamp"), light, ({"t": 1, "d": 5},))
            with self.assertRaises(Refusal):
                await made.insert(self.caller("bob/user"), light, ({"t": 1, "d": 5},))
            await made.answer(
                self.at("POST", "crud/mara/lamp/light/data"), Key("lamp-key"), made.request(body=b'[{"t":2,"d":6}]')
            )

        self.with_service(work)
        self.assertEqual(
            ear.heard,
            [
                b'{"stream":"mara/lamp/light","data":[{"t":1,"d":5}]}\n',
                b'{"stream":"mara/lamp/light","data":[{"t":2,"d":6}]}\n',
            ],
        )

    def test_queries(self) -> None:
        """What cannot be computed is refused; what nobody waits for any more ends within a piece of reading."""
        plain = self.series("mara/lamp/plain")
        points = [{"t": float(t), "d": 1} for t in range(1, 5001)]
        self.write(lambda writer: writer.insert(plain, [*points, {"t": 6000.0, "d": "x"}], False))
        at = self.at("POST", "query/dataset")

        def body(t1: float) -> bytes:
            column = {"stream": "mara/lamp/plain", "interpolator": "sum"}
            return json.dumps({"t1": t1, "t2": t1 + 1, "dt": 1, "dataset": {"n": column}}).encode()

        async def work(made: Service) -> None:
            reply = await made.answer(at, Key("lamp-key"), made.request(body=body(5500)))
            self.assertEqual(json.loads(reply.body), [{"t": 5500, "d": {"n": 10}}])
            with self.assertRaisesRegex(Refusal, "Could not convert 'x' to Float"):
                await made.answer(at, Key("lamp-key"), made.request(body=body(7000)))
            patience, real, reads = Patience(), self.storage.read, 0

            def read(work: Any) -> Any:
                nonlocal reads
                reads += 1
                if reads == 2:  # the first found the streams
                    patience.gone = True
                return real(work)

            with (
                mock.patch.object(self.storage, "read", read),
                mock.patch.multiple(sources, _HELD=1000, _LEAST_HELD=1000),
                self.assertRaises(NotWanted),
            ):
                await made.answer(at, Key("lamp-key"), made.request(body=body(7000)), patience=patience)
            self.assertEqual(reads, 2)

        self.with_service(work)

    def test_scripts_are_compiled_where_they_run(self) -> None:
        """On a thread for that: those of the storage have others to serve."""
        names: list[str] = []

        def compiled(*arguments: Any, **options: Any) -> Script:
            names.append(threading.current_thread().name)
            return Script(*arguments, **options)

        column = {"stream": "mara/lamp/plain", "interpolator": "sum | if last", "transform": "$"}
        dataset = {"t1": 0, "t2": 1, "dt": 1, "posttransform": "$", "dataset": {"n": column}}
        merge = [{"stream": "mara/lamp/plain", "transform": "sum"}]

        async def work(made: Service) -> None:
            query = {"i1": "0", "i2": "0", "transform": "sum"}
            for path in ("crud/mara/lamp/plain/data", "feed/mara/lamp/plain"):
                await made.answer(self.at("GET", path), Key("lamp-key"), made.request(query=query))
            for path, body in (("query/merge", merge), ("query/dataset", dataset)):
                request = made.request(body=json.dumps(body).encode())
                await made.answer(self.at("POST", path), Key("lamp-key"), request)

        with mock.patch.object(pipescript, "Script", compiled):
            self.with_service(work)
        self.assertEqual([name[:20] for name in names], ["connectordb-queries-"] * 6)

    def test_nobody_waits(self) -> None:
        """A thread that computes for a client that is gone is free again soon, also in the middle of a piece."""
        plain = self.series("mara/lamp/plain")
        points = [{"t": float(t), "d": [float(t)] * 1000} for t in range(1, 301)]
        self.write(lambda writer: writer.insert(plain, points, False))
        transform = "if " + " and ".join(["$ != $"] * 800)  # some 20 s for these points
        at, threads = self.at("GET", "crud/mara/lamp/plain/data"), Config(queries=Queries(threads=1))

        async def work(made: Service) -> None:
            patience, busy = Patience(), threading.Event()
            request = made.request(query={"i1": "0", "i2": "0", "transform": transform})
            with mock.patch.object(Effort, "made", side_effect=AssertionError("nothing comes of it")):
                with mock.patch.object(Effort, "__call__", side_effect=busy.set):
                    asked = asyncio.ensure_future(made.answer(at, Key("lamp-key"), request, patience=patience))
                    await asyncio.to_thread(busy.wait, SOON)
                patience.leave()
                with self.assertRaises(NotWanted):
                    await asked
                self.assertEqual(await made.computing.compute(lambda: 5), 5)

        self.with_service(work, config=threads)

    def test_rights_of_now(self) -> None:
        """What a caller may read and write is what it may now, not when it came."""
        light, lamp = Path.parse("mara/lamp/light"), self.caller("mara/lamp")

        async def work(made: Service) -> None:
            self.assertEqual(await made.readable(lamp, (light, light.at_downlink())), (light, light.at_downlink()))
            self.assertEqual(await made.readable(self.caller("bob/user"), (light,)), ())
            self.assertEqual(await made.readable(Caller(), (light,)), ())
            self.write(lambda writer: writer.delete_device(lamp.device.id if lamp.device else 0))
            self.assertEqual(await made.readable(lamp, (light,)), ())
            with self.assertRaises(Refusal):
                await made.insert(lamp, light, ())

        self.with_service(work)
