"""What websocket clients ask for and are told, without sockets, against a real storage."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.protocol.feed import Command, CommandId, Done, Ended, Failed, Gap, Lost, Message, Told, read_told
from connectordb.server.config import Config, Queries
from connectordb.server.rights.accounts import Caller, Key
from connectordb.server.rights.permissions import DEFAULT, Level
from connectordb.server.routing import Route, route
from connectordb.server.service import Service
from connectordb.server.storage.jobs import Job
from connectordb.server.subscribers.feed import Outbox, read_command
from connectordb.server.web.dialogue import Dialogue

from ...support.case import SOON
from ..handlers.case import HandlerCase
from ..storage.trees import device

T = TypeVar("T")

DEFAULT_QUERIES = Queries()

PATHS = ("mara/lamp/s0", "mara/lamp/s1")

#: What one of several clients does, and at which path.
STEPS = st.tuples(
    st.sampled_from(
        ["insert"] * 6 + ["subscribe"] * 2 + ["sip"] * 3 + ["stop", "read", "unsubscribe", "delete", "make"]
    ),
    st.integers(0, 1),
    st.sampled_from((PATHS[0], PATHS[0], PATHS[0], PATHS[1])),
)

#: Batches of what they do at once.
BATCHES = st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=5, max_size=30)


class Client:
    """A client on the other side of a dialogue; it may stop reading."""

    def __init__(self, service: Service, caller: Caller, messages: int = 3, subscriptions: int = 10) -> None:
        self.told: list[Told] = []
        self.dropped = False
        self.reads = True
        self._outbox = Outbox(messages, 10_000)
        self.dialogue = Dialogue(
            service,
            caller,
            self._outbox,
            send=self._send,
            drop=self._drop,
            subscriptions=subscriptions,
            waiting_bytes=10_000,
        )

    def _send(self, frame: bytes) -> bool:
        if self.reads and not self._outbox:
            self._take(frame)
            return True
        return self._outbox.offer(frame)

    def _drop(self) -> None:
        self.dropped = True

    def _take(self, frame: bytes) -> None:
        self.told.append(read_told(frame[frame.index(b"{") :]))

    def read(self) -> None:
        """Read all that waits, and go on reading."""
        self.reads = True
        while frame := self._outbox.take():
            self._take(frame)
        self.dialogue.refill()

    def sip(self) -> None:
        """Read one of those that wait."""
        if frame := self._outbox.take():
            self._take(frame)

    async def ask(self, cmd: Any, path: str = "", id: CommandId | None = None, **more: Any) -> None:
        """Give a command, and wait until it is obeyed."""
        await self.give(cmd, path, id, **more)
        await self.dialogue.finish()

    async def give(self, cmd: Any, path: str = "", id: CommandId | None = None, **more: Any) -> None:
        """Give a command."""
        text = Command(cmd, path, id=id, **more).encode()
        await self.dialogue.obey(read_command(text), len(text))


class DialogueCase(HandlerCase):
    """A service, and commands."""

    def with_service(self, work: Callable[[Service], Coroutine[Any, Any, T]], queries: Queries = DEFAULT_QUERIES) -> T:
        """Run a coroutine function with a service."""

        async def main() -> T:
            made = Service(self.storage, config=Config(queries=queries))
            try:
                return await asyncio.wait_for(work(made), SOON)
            finally:
                made.close()

        return asyncio.run(main())

    async def rest(self, made: Service, verb: str, path: str, body: Any = None, who: str = "mara/user") -> None:
        """Do what a REST request does."""
        asker = self.caller(who).device
        assert asker is not None
        at = route(verb, f"/api/v1/crud/{path}")
        assert isinstance(at, Route)
        await made.answer(at, Key(asker.apikey), made.request(body=json.dumps(body).encode()))


class Commands(DialogueCase):
    """Commands with an id are answered."""

    def test_answers(self) -> None:
        """Each is answered once, with what it came to."""
        stream = str(self.series("mara/lamp/plain").stream_id)

        async def work(made: Service) -> list[Told]:
            client = Client(made, self.caller("mara/lamp"))
            path = "mara/lamp/plain"
            await client.ask("insert", path, 1, d=({"t": 5, "d": 1}, {"t": 6, "d": 2}))
            await client.ask("subscribe", path, "two")
            await client.ask("insert", path, 3, d=({"t": 4, "d": 3},))
            await client.ask("unsubscribe", path, 4)
            await client.ask("insert", path, 5, d=({"t": 9, "d": 4},))
            await client.ask("unsubscribe_all", "", 6)
            return client.told

        path = "mara/lamp/plain"
        self.assertEqual(
            self.with_service(work),
            [
                Done(1, path, 0),
                Done("two", path, 2, stream),
                Message(path, ({"t": 6.00001, "d": 3},), index=2),
                Done(3, path, 2),
                Done(4, path),
                Done(5, path, 3),
                Done(6),
            ],
        )

    def test_refusals(self) -> None:
        """What cannot be done is told with a status and why, and harms nothing else."""
        asked: tuple[tuple[int, str, str, dict[str, Any]], ...] = (
            (403, "subscribe", "mara/lamp/nosuch", {}),
            (403, "subscribe", "mara/lamp", {}),
            (403, "subscribe", "", {}),
            (403, "subscribe", "bob/user/x", {}),
            (403, "subscribe", "mara/lamp/plain", {"transform": "nosuch"}),
            (403, "insert", "mara/lamp/light", {"d": ({"t": 1, "d": "no number"},)}),
            (400, "insert", "mara/lamp/plain", {"d": ({"t": 1, "d": 1},), "key": "two words"}),
        )

        async def work(made: Service) -> list[Told]:
            client = Client(made, self.caller("mara/lamp"))
            for code, cmd, path, more in asked:
                await client.ask(cmd, path, code, **more)
            await client.dialogue.obey(read_command('{"cmd":"what","id":400}'))
            return client.told

        told = self.with_service(work)
        for answer in told:
            assert isinstance(answer, Failed)
            self.assertEqual(answer.code, answer.id)
            self.assertTrue(answer.msg and answer.ref)
        self.assertEqual(len(told), len(asked) + 1)

    def test_many_at_once(self) -> None:
        """Commands that are given without waiting take effect in their order, whatever their answers' order is."""

        async def work(made: Service) -> tuple[list[Told], int]:
            client = Client(made, self.caller("mara/lamp"), messages=1000)
            most = 0
            for number in range(300):
                point = {"t": 1, "d": "x" * (200_000 if number > 290 else 1)}
                await client.give("insert", "mara/lamp/plain", number, d=(point,))
                if number % 100 == 50:
                    await client.give("subscribe", "mara/lamp/plain", f"s{number}")
                    await client.give("unsubscribe", "mara/lamp/plain", f"u{number}")
                most = max(most, len(client.dialogue._under_way))
            await client.dialogue.finish()
            return client.told, most

        told, most = self.with_service(work)
        self.assertTrue(1 < most <= 100, most)
        done = {one.id: one.index for one in told if isinstance(one, Done)}
        self.assertEqual([done[number] for number in range(300)], list(range(300)))
        self.assertEqual([done[f"s{number}"] for number in (50, 150, 250)], [51, 151, 251])
        self.assertEqual(len(done), len(told))

    def test_too_many(self) -> None:
        """Subscriptions are bounded; one that is there already takes no room."""

        async def work(made: Service) -> list[Told]:
            client = Client(made, self.caller("mara/lamp"), subscriptions=2)
            for number, name in enumerate(("plain", "light", "light/downlink", "light")):
                await client.ask("subscribe", f"mara/lamp/{name}", number)
            await client.ask("subscribe", "mara/lamp/light/downlink")
            return client.told

        self.assertEqual([type(answer) for answer in self.with_service(work)], [Done, Done, Failed, Done])

    def test_keys(self) -> None:
        """An insert that is repeated under its key is answered as the first time; also if it comes another way."""
        point = {"t": 5, "d": 1}

        async def work(made: Service) -> list[Told]:
            client = Client(made, self.caller("mara/lamp"))
            for id in (1, 2):
                await client.ask("insert", "mara/lamp/plain", id, d=(point,), key="k")
            await client.ask("insert", "mara/lamp/plain", 3, d=({"t": 6, "d": 1},), key="k")
            await client.ask("insert", "mara/lamp/plain", d=(point,), key="k")
            lamp = self.caller("mara/lamp").device
            assert lamp is not None
            at = route("POST", "/api/v1/crud/mara/lamp/plain/data")
            assert isinstance(at, Route)
            await made.answer(at, Key(lamp.apikey), made.request(body=json.dumps([point]).encode(), key="k"))
            return client.told

        first, second, other = self.with_service(work)
        self.assertEqual((first, second), (Done(1, "mara/lamp/plain", 0), Done(2, "mara/lamp/plain", 0)))
        assert isinstance(other, Failed)
        self.assertEqual(other.code, 403)
        self.assertEqual(self.stored("mara/lamp/plain"), [point])


class Subscriptions(DialogueCase):
    """Subscriptions with an id are told all there is, and their end."""

    def told_after(self, change: Callable[[Service], Coroutine[Any, Any, None]], path: str, who: str) -> list[Told]:
        """Return what a subscriber of a path is told after a change."""

        async def work(made: Service) -> list[Told]:
            client = Client(made, self.caller(who))
            await client.ask("subscribe", path, 1)
            await client.ask("subscribe", "mara/lamp/light", None)
            await change(made)
            deadline = asyncio.get_running_loop().time() + SOON
            while len(client.told) < 2 and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(0.005)
            return client.told[1:]

        return self.with_service(work)

    def test_ends(self) -> None:
        """Whatever ends a subscription is told at once, with the reason."""
        plain, light = "mara/lamp/plain", "mara/lamp/light"

        async def delete_stream(made: Service) -> None:
            await self.rest(made, "DELETE", plain)
            await self.rest(made, "POST", plain, {})
            await self.rest(made, "PUT", f"{plain}/data", [{"d": 1}], who="mara/lamp")

        async def hide(made: Service) -> None:
            await self.rest(made, "PUT", "mara/second", {"role": "none"})

        async def delete_caller(made: Service) -> None:
            await self.rest(made, "DELETE", "mara/remote")

        async def no_downlink(made: Service) -> None:
            await self.rest(made, "PUT", light, {"downlink": False})

        async def delete_owner(made: Service) -> None:
            await self.rest(made, "DELETE", "mara/lamp")

        mara = self.caller("mara/user").user
        assert mara is not None
        self.write(lambda writer: writer.create_device(mara.id, device("second", apikey="second-key", role="writer")))
        for change, path, who, reason in (
            (delete_stream, plain, "mara/lamp", "deleted"),
            (hide, plain, "mara/second", "denied"),
            (delete_caller, plain, "mara/remote", "caller"),
            (no_downlink, f"{light}/downlink", "mara/lamp", "cleared"),
            (delete_owner, plain, "mara/user", "deleted"),
        ):
            with self.subTest(reason):
                self.assertEqual(self.told_after(change, path, who), [Ended(path, reason)])

    def test_other_permissions(self) -> None:
        """Permissions that change while the server runs end what they forbid."""

        async def adopt(made: Service) -> None:
            # every level grants nothing
            await asyncio.to_thread(
                made.adopt, replace(DEFAULT, levels=dict.fromkeys(DEFAULT.levels, Level()), _known={})
            )

        self.assertEqual(self.told_after(adopt, "mara/lamp/plain", "mara/lamp"), [Ended("mara/lamp/plain", "denied")])

    def test_who_does_not_read(self) -> None:
        """Nobody is cut: what is missed is said, once there is room, with what is to be read."""

        async def work(made: Service) -> list[Told]:
            client = Client(made, self.caller("mara/lamp"), messages=2)
            await client.ask("subscribe", "mara/lamp/plain", 1)
            client.reads = False
            for number in range(6):
                await client.ask("insert", "mara/lamp/plain", d=({"t": number + 1, "d": number},))
            self.assertFalse(client.dialogue.has_room)
            client.read()
            self.assertTrue(client.dialogue.has_room)
            await client.ask("insert", "mara/lamp/plain", d=({"t": 10, "d": 6},))
            self.assertFalse(client.dropped)
            return client.told[1:]

        told = self.with_service(work)
        path = "mara/lamp/plain"
        self.assertEqual(
            told,
            [
                Message(path, ({"t": 1, "d": 0},), index=0),
                Message(path, ({"t": 2, "d": 1},), index=1),
                Gap(path, 2, 6),
                Message(path, ({"t": 10, "d": 6},), index=6),
            ],
        )

    def test_ephemeral(self) -> None:
        """What is not stored has no index, and what was missed of it is counted."""

        async def work(made: Service) -> list[Told]:
            await self.rest(made, "PUT", "mara/lamp/plain", {"ephemeral": True})
            client = Client(made, self.caller("mara/lamp"), messages=1)
            await client.ask("subscribe", "mara/lamp/plain", 1)
            await client.ask("insert", "mara/lamp/plain", 2, d=({"t": 1, "d": 0},))
            client.reads = False
            for _ in range(3):
                await client.ask("insert", "mara/lamp/plain", d=({"t": 1, "d": 0}, {"t": 2, "d": 1}))
            client.read()
            return client.told

        path, stream = "mara/lamp/plain", str(self.series("mara/lamp/plain").stream_id)
        self.assertEqual(
            self.with_service(work),
            [
                Done(1, path, 0, stream, True),
                Message(path, ({"t": 1, "d": 0},)),
                Done(2, path),
                Message(path, ({"t": 1, "d": 0}, {"t": 2, "d": 1})),
                Lost(path, 4),
            ],
        )

    def test_gone_meanwhile(self) -> None:
        """A client that is gone when its subscription begins is not kept."""

        async def work(made: Service) -> int:
            client = Client(made, self.caller("mara/lamp"))
            asking = asyncio.ensure_future(client.ask("subscribe", "mara/lamp/plain", 1))
            await asyncio.sleep(0)
            client.dialogue.close()
            await asking
            return len(made.teller.hub)

        self.assertEqual(self.with_service(work), 0)

    def test_seen_before_told(self) -> None:
        """A subscription that begins when others see an insert already, but nobody has been told of it, misses nothing."""
        finish = Job.finish

        def finish_late(job: Job[Any]) -> Any:
            if "writer" in threading.current_thread().name:
                threading.Event().wait(0.01)  # it is committed by now
            return finish(job)

        async def work(made: Service) -> list[Told]:
            client = Client(made, self.caller("mara/lamp"))
            for number in range(3):
                inserting = asyncio.ensure_future(client.ask("insert", "mara/lamp/plain", d=({"t": 1, "d": number},)))
                await asyncio.sleep(0.004)
                await client.ask("subscribe", "mara/lamp/plain", number)
                await inserting
            return client.told

        with mock.patch.object(Job, "finish", finish_late):
            told = self.with_service(work)
        self.assertLessEqual({type(one) for one in told}, {Done, Message})
        self.check("mara/lamp/plain", told)

    @settings(max_examples=30)
    @given(BATCHES)
    def test_every_point_once(self, batches: list[list[tuple[str, int, str]]]) -> None:
        """Whatever several clients do at once, each subscription is told every point from its start, in order, once."""

        async def work(made: Service) -> list[Client]:
            clients = [Client(made, self.caller("mara/lamp"), messages=1) for _ in range(2)]
            number = 0
            for path in PATHS:
                await self.remake(made, path)
                for client in clients:
                    await client.ask("subscribe", path, "first")
            clients[0].reads = False
            for batch in batches:
                works = []
                for step, who, path in batch:
                    number += 1
                    works.append(self.step(made, clients[who], step, path, number))
                await asyncio.gather(*works)
            for client in clients:
                await client.dialogue.finish()
            for client in clients:
                client.read()
                client.read()
                client.dialogue.close()
            return clients

        for client in self.with_service(work):
            self.assertFalse(client.dropped)
            for path in PATHS:
                self.check(path, [told for told in client.told if getattr(told, "stream", "") == path])

    async def remake(self, made: Service, path: str) -> None:
        """Make a stream, in the place of one that is there."""
        self.write(lambda writer: _delete(writer, path))
        await self.rest(made, "POST", path, {})

    async def step(self, made: Service, client: Client, step: str, path: str, number: int) -> None:
        """Do one step."""
        if step == "stop":
            client.reads = False
        elif step == "read":
            client.read()
        elif step == "sip" or not client.dialogue.has_room:
            client.sip()
        elif step == "insert":
            points = ({"t": 1, "d": number}, {"t": 1, "d": -number})
            await client.give("insert", path, number if number % 2 else None, d=points)
        elif step in ("subscribe", "unsubscribe"):
            await client.give(step, path, f"{step} {number}")
        else:
            try:
                await self.rest(made, "DELETE" if step == "delete" else "POST", path, {})
            except Exception as error:  # there is none, or one
                self.assertEqual(type(error).__name__, "Refusal")

    def check(self, path: str, told: list[Told]) -> None:
        """Check what one client was told of one path."""
        at: int | None = None
        series = ""
        for one in told:
            if isinstance(one, Done) and one.series:
                at, series = one.index, one.series
                got: dict[int, Any] = {}
            elif isinstance(one, Done) and str(one.id).startswith("unsubscribe"):
                at = None
            elif isinstance(one, Ended):
                self.assertIsNotNone(at)
                at = None
            elif isinstance(one, Gap):
                self.assertEqual(one.first, at)
                at = one.after
            elif isinstance(one, Message):
                self.assertEqual(one.index, at)
                assert one.index is not None
                got.update(enumerate(one.data, one.index))
                at = one.index + len(one.data)
        found = self.read(lambda reader: reader.find(tuple(path.split("/")))).stream
        if at is not None:
            # it is subscribed still, so it is this stream, and was told to its end
            assert found is not None
            stored = self.stored(path)
            self.assertEqual((str(found.id), len(stored)), (series, at))
            self.assertEqual(got, {index: stored[index] for index in got})


def _delete(writer: Any, path: str) -> None:
    found = writer.find(tuple(path.split("/"))).stream
    if found is not None:
        writer.delete_stream(found.id)


class Transforms(DialogueCase):
    """Subscriptions with a transform are others than those without, and than those with another one."""

    def test_side_by_side(self) -> None:
        """Each is told its own, and unsubscribed by itself."""

        async def work(made: Service) -> list[Told]:
            client = Client(made, self.caller("mara/lamp"), messages=50)
            light = "mara/lamp/light"
            await client.ask("subscribe", light)
            await client.ask("subscribe", light, transform="$ * 2")
            await client.ask("subscribe", light, 1, transform="if $ > 5")
            await client.ask("subscribe", light, 2, transform="nosuch")
            await self.insert_and_wait(client, light, 3)
            await self.insert_and_wait(client, light, 7)
            await client.ask("unsubscribe", light, transform="$ * 2")
            await client.ask("unsubscribe", light, 3, transform="if $ > 5")
            await self.insert_and_wait(client, light, 9)
            client.dialogue.close()
            return client.told

        told = self.with_service(work)
        failed = next(each for each in told if isinstance(each, Failed))
        self.assertEqual((failed.id, failed.code), (2, 403))
        self.assertIn("Transform nosuch not found", failed.msg)
        heard = [(each.transform, each.data[0]["d"], each.index) for each in told if isinstance(each, Message)]
        self.assertEqual(
            sorted(heard),
            [("", 3, None), ("", 7, None), ("", 9, None), ("$ * 2", 6, None), ("$ * 2", 14, None), ("if $ > 5", 7, 1)],
        )

    async def insert_and_wait(self, client: Client, path: str, value: float | str) -> None:
        """Insert, and wait until all subscriptions have computed what they are told."""
        await client.ask("insert", path, 9, d=({"t": 0, "d": value},))
        while any(made._task is not None for made in client.dialogue._transformed.values()):
            await asyncio.sleep(0)

    def test_ends(self) -> None:
        """A stream that is deleted ends them, which is told where there is an id; a limit counts them all."""

        async def work(made: Service) -> list[Told]:
            client = Client(made, self.caller("mara/user"), messages=50, subscriptions=2)
            await client.ask("subscribe", "mara/lamp/plain", 1, transform="sum")
            await client.ask("subscribe", "mara/lamp/plain", transform="mean")
            await client.ask("subscribe", "mara/lamp/light", 2)
            await self.rest(made, "DELETE", "mara/lamp/plain")
            await asyncio.sleep(0)
            self.assertEqual(client.dialogue._transformed, {})
            await client.ask("subscribe", "mara/lamp/light", 3)
            return client.told

        told = self.with_service(work)
        self.assertEqual([type(each) for each in told], [Done, Failed, Ended, Done])
        self.assertEqual(told[2], Ended("mara/lamp/plain", "deleted", "sum"))

    def test_too_much(self) -> None:
        """A transform that makes too much of an insert ends its subscription, which is told where there is an id."""
        large = "{'a': $, 'b': $, 'c': $, 'd': $, 'e': $, 'f': $, 'g': $, 'h': $}"

        async def work(made: Service) -> list[Told]:
            client = Client(made, self.caller("mara/lamp"), messages=50)
            plain = "mara/lamp/plain"
            await client.ask("subscribe", plain, 1, transform=large)
            await client.ask("subscribe", plain, transform=large.replace("a", "x"))
            await client.ask("subscribe", plain, 2, transform="length")
            for size in (5, 2000, 5):
                await self.insert_and_wait(client, plain, "x" * size)
            self.assertEqual([transform for _, transform in client.dialogue._transformed], ["length"])
            self.assertEqual(client.dialogue._characters, len("length"))
            return client.told

        told = self.with_service(work, Queries(subscription_bytes=10_000))
        self.assertEqual(
            [each for each in told if isinstance(each, Ended)], [Ended("mara/lamp/plain", "exceeded", large)]
        )
        heard = [(each.transform, each.index) for each in told if isinstance(each, Message)]
        self.assertEqual(heard.count((large, 0)), 1)
        self.assertEqual([index for transform, index in heard if transform == "length"], [0, 1, 2])

    def test_scripts_together(self) -> None:
        """Are of a bounded length, those that are being compiled among them; what ends makes room."""

        async def work(made: Service) -> list[Told]:
            client = Client(made, self.caller("mara/lamp"), messages=50)
            plain = "mara/lamp/plain"
            for id in range(4):
                await client.give("subscribe", plain, id, transform=f"$ + {id}{'0' * 30}")
            await client.dialogue.finish()
            self.assertEqual(len(client.dialogue._transformed), 2)
            for path, transform in list(client.dialogue._transformed):
                await client.ask("unsubscribe", path, transform=transform)
            await client.ask("subscribe", plain, 5, transform="nosuch")
            self.assertEqual(client.dialogue._characters, 0)
            await client.ask("subscribe", plain, 6, transform=f"$ + {'0' * 90}")
            client.dialogue.close()
            return client.told

        told = self.with_service(work, Queries(all_script_characters=100))
        self.assertEqual(sum(isinstance(each, Done) for each in told), 3)
        refused = [each.msg for each in told if isinstance(each, Failed)]
        self.assertEqual(sum("more than 100 characters together" in each for each in refused), 2)

    def test_many(self) -> None:
        """More subscriptions than may wait for a thread are told of an insert all the same."""

        async def work(made: Service) -> list[Told]:
            client = Client(made, self.caller("mara/lamp"), messages=50, subscriptions=20)
            for number in range(20):
                await client.ask("subscribe", "mara/lamp/plain", number, transform=f"$ + {number}")
            await self.insert_and_wait(client, "mara/lamp/plain", 1)
            client.dialogue.close()
            return client.told

        told = self.with_service(work, Queries(waiting=1, threads=1))
        self.assertEqual([each.data[0]["d"] for each in told if isinstance(each, Message)], list(range(1, 21)))
