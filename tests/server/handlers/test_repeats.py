"""Inserts that are sent again."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.server.handlers import Landed, Refusal
from connectordb.server.handlers.crud import delete, update
from connectordb.server.handlers.data import insert

from ..storage.trees import stream
from .case import HandlerCase

PLAIN, LIGHT, OWNER = "mara/lamp/plain", "mara/lamp/light", "mara/lamp"
OTHER = "Other points were inserted with this Idempotency-Key; nothing was stored"


class Repeats(HandlerCase):
    """An insert under a key is made once."""

    made = 0

    def put(self, key: str | None, *points: Any, path: str = PLAIN, who: str = OWNER, **options: Any) -> Any:
        """Insert points under a key; a point that is no object is a time."""
        body = [point if isinstance(point, dict) else {"t": point, "d": point} for point in points]
        return self.ask(insert, path, body, who=who, key=key, **options)

    def times(self, path: str = PLAIN, downlink: bool = False) -> list[float]:
        """Return the times of what is stored."""
        return [point["t"] for point in self.stored(path, downlink)]

    def test_repeated(self) -> None:
        """The same key with the same points answers as the first time, and neither stores nor tells again."""
        for restamp in (False, True):
            first = self.put(f"k{restamp}", 5, 6, restamp=restamp)
            at = len(self.times())
            for again in (restamp, not restamp):
                second = self.put(f"k{restamp}", 5, 6, restamp=again)
                self.assertEqual((second.body, second.kind, second.landed), (first.body, first.kind, first.landed))
                self.assertEqual((second.published, len(self.times())), ((), at))

    def test_spelling(self) -> None:
        """The key stands for the points, not for their text; a time that is left out stays so, whatever the clock says."""
        self.ask(insert, PLAIN, b'[{"t":null,"d":{"a":1}}]', who=OWNER, key="k")
        self.ask(insert, PLAIN, b' [ { "d" : {"a" : 1}, "z": 5 } ] ', who=OWNER, key="k")
        self.assertEqual(len(self.times()), 1)

    def test_other_points(self) -> None:
        """The same key with other points is refused, and stores nothing."""
        self.put("k", 5)
        for points in ((6,), (5, 6), (), ({"t": 5},), ({"t": 5, "d": 5.5},)):
            self.refuses_points("k", *points)
        self.assertEqual(self.times(), [5])

    def refuses_points(self, key: str, *points: Any) -> None:
        """Check that other points are refused under a key."""
        with self.assertRaises(Refusal) as caught:
            self.put(key, *points)
        self.assertEqual((caught.exception.status, caught.exception.message), (403, OTHER))

    def test_scope(self) -> None:
        """A key is one device's for one stream: others do not meet it."""
        self.put("k", 5)
        self.put("k", 7, path=LIGHT)
        self.put("k", 8, path=LIGHT, who="mara/user")
        self.put("k", 9, path=LIGHT, who="mara/user", query={"downlink": "true"})
        self.assertEqual((self.times(), self.times(LIGHT), self.times(LIGHT, True)), ([5], [7], [8, 9]))

    def test_refused(self) -> None:
        """What was refused stored nothing and is not remembered: once it fits, it is made."""
        self.put(None, 50)
        for _ in range(2):
            with self.assertRaises(Refusal):
                self.put("k", 5)
        self.put("k", 60)
        self.assertEqual(self.times(), [50, 60])

    def test_changed_meanwhile(self) -> None:
        """What was made is answered so, whatever has become of the stream's fields: a client is told no untruth."""
        self.put("k", 5, path=LIGHT, who="mara/user")
        for change in ({"downlink": False}, {"schema": '{"type":"string"}'}, {"ephemeral": True}):
            self.ask(update, LIGHT, change, who="mara/user")
            reply = self.put("k", 5, path=LIGHT, who="mara/user")
            self.assertEqual(reply.landed, Landed(f"{LIGHT}/downlink", 0))
        self.assertEqual(self.times(LIGHT), [])

    def test_made_anew(self) -> None:
        """A stream that was deleted and made again holds nothing, so the insert is made again."""
        self.put("k", 5)
        self.ask(delete, PLAIN, who="mara/user")
        lamp = self.caller("mara/lamp").device
        assert lamp is not None
        self.write(lambda writer: writer.create_stream(lamp.id, stream("plain")))
        self.put("k", 5)
        self.assertEqual(self.times(), [5])

    def test_ephemeral_and_empty(self) -> None:
        """What is not stored is remembered as well: it is told once."""
        self.put("none")
        self.refuses_points("none", 5)
        self.ask(update, PLAIN, {"ephemeral": True}, who="mara/user")
        self.assertEqual([len(self.put("k", 5).published) for _ in range(2)], [1, 0])

    def test_bad_keys(self) -> None:
        """What can be no key is refused."""
        for key in ("", "a b", "é", "x" * 256):
            with self.assertRaises(Refusal) as caught:
                self.put(key, 5)
            self.assertEqual(caught.exception.status, 400)
        self.assertEqual(self.times(), [])

    def test_too_many(self) -> None:
        """Beyond the number of keys a new one is refused, for a while; known ones and inserts without go on."""
        for number in range(3):
            self.put(str(number), number + 1, most_keys=3)
        with self.assertRaises(Refusal) as caught:
            self.put("new", 9, most_keys=3)
        self.assertEqual((caught.exception.status, caught.exception.headers), (429, {"Retry-After": "60"}))
        self.put("2", 3, most_keys=3)
        self.put(None, 10, most_keys=3)
        self.put("new", 20, path=LIGHT, who="mara/user", most_keys=3)
        self.assertEqual((self.times(), self.times(LIGHT, True)), ([1, 2, 3, 10], [20]))
        self.write(lambda writer: writer.forget_inserts(-10, 1))
        self.put("new", 11, most_keys=3)
        self.assertEqual(self.times()[-1], 11)

    @settings(max_examples=30)
    @given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.booleans()), max_size=12))
    def test_once(self, sent: list[tuple[str, int, bool]]) -> None:
        """Whatever is sent how often and in which order, a key stands for the points that it first came with."""
        lamp = self.caller(OWNER).device
        assert lamp is not None
        self.made += 1
        path = f"{OWNER}/s{self.made}"
        self.write(lambda writer: writer.create_stream(lamp.id, stream(f"s{self.made}")))
        stands: dict[str, int] = {}
        for key, value, restamp in sent:
            point = {"t": 5, "d": value}
            if stands.setdefault(key, value) == value:
                self.put(key, point, path=path, restamp=restamp)
            else:
                with self.assertRaises(Refusal):
                    self.put(key, point, path=path, restamp=restamp)
        self.assertEqual([point["d"] for point in self.stored(path)], list(stands.values()))
