"""Inserting and reading points."""

from __future__ import annotations

from unittest import mock

from connectordb.protocol import json_text
from connectordb.server.config import Limits
from connectordb.server.handlers import Published, Refusal, data
from connectordb.server.handlers.data import insert, read
from connectordb.server.handlers.stretches import WentAway
from connectordb.server.storage import Inserted

from .case import NOW, HandlerCase

LIGHT, PLAIN = "mara/lamp/light", "mara/lamp/plain"
OWNER = "mara/lamp"
SCHEMA = "At least one datapoint did not conform to the stream's schema"
ORDER = "Timestamps are not ordered!"
OLDER = "Greater timestamp already exists for the stream. Insert Failed."


class Inserting(HandlerCase):
    """What is stored, where, and what is refused."""

    def test_points(self) -> None:
        """Missing times are now, unknown keys and senders are dropped, keys match in any case."""
        body = [{"t": 5, "d": 1, "o": "x/y", "z": 0}, {"T": 6, "D": 2}, {"t": 0, "d": 3}, {"t": None}]
        reply = self.ask(insert, PLAIN, body, who=OWNER)
        self.assertEqual(reply.body, b"ok")
        stored = [{"t": 5, "d": 1}, {"t": 6, "d": 2}, {"t": NOW, "d": 3}, {"t": NOW}]
        self.assertEqual(self.stored(PLAIN), stored)
        text = json_text.dumps(stored)[1:-1]
        inserted = Inserted(0, [5.0, 6.0, NOW, NOW], text)
        self.assertEqual(reply.published, (Published(PLAIN, tuple(stored), inserted),))

    def test_plain_points(self) -> None:
        """Points that need no change are stored as they came, a zero time among them is now."""
        body = [{"t": 5, "d": 1.5}, {"t": 5.5, "d": "x"}, {"d": True, "t": 6}, {"t": 0.0, "d": 3}]
        self.ask(insert, PLAIN, body, who=OWNER)
        self.assertEqual(self.stored(PLAIN), [*body[:3], {"t": NOW, "d": 3}])

    def test_many_numbers(self) -> None:
        """Many points at once are stored, stamped, published and refused as a few are."""
        for path, body in (
            (PLAIN, [{"t": k, "d": k / 4} for k in range(1, 700)]),
            (PLAIN, [{"t": 700 + k / 4, "d": k} for k in range(700)]),
            (PLAIN, [{"d": k, "t": 1000.0} for k in range(700)]),
            (PLAIN, [{"t": 0, "d": k - 350.5} for k in range(700)]),
            (LIGHT, [{"t": k, "d": 2**60 + k} for k in range(1, 700)]),
        ):
            length = len(self.stored(path))
            with self.subTest(path, first=body[0]):
                reply = self.ask(insert, path, body, who=OWNER)
                meant = [{"t": point["t"] or NOW, "d": float(point["d"])} for point in body]
                self.assertEqual(self.stored(path)[length:], meant)
                (published,) = reply.published
                assert published.stored is not None
                self.assertEqual([{**point, "d": float(point["d"])} for point in published.points], meant)
                self.assertEqual(json_text.loads(b"[%b]" % published.stored.text), meant)
        older, late = [[{"t": 5, "d": k} for k in range(700)], [{"t": 5 - k, "d": 1} for k in range(700)]]
        self.refuses(403, OLDER, insert, PLAIN, older, who=OWNER)
        self.refuses(403, ORDER, insert, PLAIN, late, who=OWNER)
        key = {"key": "once"}
        self.ask(insert, PLAIN, older, who=OWNER, restamp=True, **key)
        length = len(self.stored(PLAIN))
        self.assertEqual(self.ask(insert, PLAIN, older, who=OWNER, restamp=True, **key).published, ())
        self.assertEqual(len(self.stored(PLAIN)), length)

    def test_bodies_that_are_none(self) -> None:
        """What is no array of points is a 400, before anything is looked up."""
        deep: object = 1
        for _ in range(200):
            deep = [deep]
        plain, late = {"t": 1, "d": 1}, {"t": "1", "d": 1}
        for body in (
            {"t": 1},
            [1],
            [[1, 2]],
            [{"t": "1"}],
            [{"t": True}],
            [None],
            "x",
            [{"t": 1, "d": deep}],
            [plain, 1],
            [plain, late],
        ):
            with self.subTest(str(body)[:40]), self.assertRaises(Refusal) as caught:
                self.ask(insert, "no/such/stream", body)
            self.assertEqual(caught.exception.status, 400)

    def test_order_of_checks(self) -> None:
        """Existence, permission, schema, order, age: the first that fails is told."""
        self.ask(insert, LIGHT, [{"t": 100, "d": 1}], who=OWNER)
        bad = [{"t": 2, "d": "x"}, {"t": 1, "d": 1}]
        self.refuses(403, "The requested stream was not found.", insert, "mara/lamp/no", bad)
        self.refuses(403, "Write access to stream data denied.", insert, PLAIN, bad)
        self.refuses(403, SCHEMA, insert, LIGHT, bad, who=OWNER)
        self.refuses(403, ORDER, insert, LIGHT, [{"t": 2, "d": 2}, {"t": 1, "d": 1}], who=OWNER, restamp=True)
        self.refuses(403, OLDER, insert, LIGHT, [{"t": 2, "d": 2}], who=OWNER)
        self.assertEqual(self.stored(LIGHT), [{"t": 100, "d": 1}])

    def test_restamp(self) -> None:
        """With restamping too old points are moved, and published as they were sent."""
        self.ask(insert, LIGHT, [{"t": 100, "d": 1}], who=OWNER)
        reply = self.ask(insert, LIGHT, [{"t": 2, "d": 2}], who=OWNER, restamp=True)
        self.assertEqual(self.stored(LIGHT)[1], {"t": 100.00001, "d": 2})
        self.assertEqual(reply.published[0].points, ({"t": 2, "d": 2},))

    def test_downlinks(self) -> None:
        """What others write into a downlink stream goes to its downlink, with their name on it."""
        for who, options, downlink in (
            *((OWNER, {}, False), ("mara/user", {}, True), ("mara/remote", {}, True), ("root1/user", {}, True)),
            ("mara/user", {"query": {"downlink": "true"}}, True),
        ):
            with self.subTest(who=who):
                reply = self.ask(insert, LIGHT, [{"d": 1}], who=who, **options)
                self.assertEqual(reply.published[0].path, LIGHT + "/downlink" * downlink)
        self.assertEqual([point.get("o") for point in self.stored(LIGHT)], [None])
        senders = ["mara/user", "mara/remote", "root1/user", "mara/user"]
        self.assertEqual([point["o"] for point in self.stored(LIGHT, downlink=True)], senders)
        denied = "Write access to stream downlink denied."
        self.refuses(403, denied, insert, LIGHT, [{"d": 1}], who=OWNER, query={"downlink": "true"})
        self.refuses(403, denied, insert, LIGHT, [{"d": 1}], who="bob/user")
        self.refuses(403, denied, insert, LIGHT, [{"d": 1}], who="")

    def test_ephemeral(self) -> None:
        """An ephemeral stream passes points on, whatever their age, and keeps none."""
        self.write(lambda writer: writer.update_stream(self.series(PLAIN).stream_id, {"ephemeral": True}) and None)
        reply = self.ask(insert, PLAIN, [{"t": -5, "d": 1}], who=OWNER)
        self.assertEqual(reply.published, (Published(PLAIN, ({"t": -5, "d": 1},)),))
        self.assertEqual(self.stored(PLAIN), [])
        self.refuses(403, ORDER, insert, PLAIN, [{"t": 2}, {"t": 1}], who=OWNER)

    def test_nothing(self) -> None:
        """An empty insert is fine, and nobody is told."""
        for body in ([], None):
            self.assertEqual(self.ask(insert, PLAIN, body, who=OWNER).published, ())


class Reading(HandlerCase):
    """Points, lengths, indices."""

    def setUp(self) -> None:
        super().setUp()
        self.points = [{"t": t, "d": f"<{t}>"} for t in range(10, 110, 10)]
        self.ask(insert, PLAIN, self.points, who=OWNER)

    def test_ranges(self) -> None:
        """Points are read by index or by time; an index makes times be ignored."""
        for query, wanted in (
            *(({"i1": "0"}, self.points), ({"i1": "-1"}, self.points[-1:]), ({"i2": "2", "t1": "50"}, self.points[:2])),
            *(({"t1": "30", "t2": "60"}, self.points[3:6]), ({"t1": "0", "limit": "3"}, self.points[:3])),
            *(({"t1": "60", "t2": "30"}, []), ({"t1": "100"}, []), ({"t1": "-1", "t2": "-1"}, self.points)),
        ):
            with self.subTest(query):
                self.assertEqual(self.value(read, PLAIN, query=query), wanted)
        self.refuses(403, "Invalid index range.", read, PLAIN, query={"i1": "11"})

    def test_pages(self) -> None:
        """A long answer comes in pieces that make one array."""
        more = [{"t": t, "d": "&"} for t in range(200, 3000)]
        self.ask(insert, PLAIN, more, who=OWNER)
        with mock.patch.object(data, "PAGE", 30):
            reply = self.ask(read, PLAIN, query={"i1": "1"})
            self.assertIsNotNone(reply.rest)
            self.assertNotRegex(self.whole(reply), b"[<&]")
            self.assertEqual(self.value(read, PLAIN, query={"i1": "1"}), [*self.points[1:], *more])

    def test_deleted_while_read(self) -> None:
        """If the stream goes away in the middle, the end is not mistaken for the end."""
        self.ask(insert, PLAIN, [{"t": t} for t in range(200, 3000)], who=OWNER)
        with mock.patch.object(data, "PAGE", 30):
            reply = self.ask(read, PLAIN, query={"i1": "0"})
        series = self.series(PLAIN)
        self.write(lambda writer: writer.delete_stream(series.stream_id))
        assert reply.rest is not None
        with self.assertRaises(WentAway):
            reply.rest.next(self.read)

    def test_deep_nonsense(self) -> None:
        """A body that is nested nearly as deep as the JSON decoder goes is refused, not failed over."""
        for depth in (90, 990, 1010, 1023):
            nested = b"[" * depth + b"]" * depth
            for body in (nested, b'[{"t":%b}]' % nested):
                with self.subTest(depth), self.assertRaises(Refusal) as caught:
                    self.ask(insert, PLAIN, body, who=OWNER)
                self.assertEqual(caught.exception.status, 400)

    def test_schemas_that_take_long(self) -> None:
        """Checking the values of one insert ends in time; a schema that cannot be used is told."""
        id = self.series(PLAIN).stream_id
        for schema, seconds, told in (
            ('{"type":"object"}', 0.0, "more than 0 s"),
            ('{"type":1}', 5.0, "cannot be used"),
        ):
            self.write(lambda writer, schema=schema: writer.update_stream(id, {"schema": schema}))  # type: ignore[misc]
            limits = Limits(check_seconds=seconds)
            with self.assertRaisesRegex(Refusal, told) as caught:
                self.ask(insert, PLAIN, [{"t": 200, "d": {}}], who=OWNER, limits=limits)
            self.assertEqual(caught.exception.status, 403)

    def test_questions(self) -> None:
        """The length, and the index after a time, which is 0 where there is none."""
        self.assertEqual(self.ask(read, PLAIN, q="length").body, b"10")
        for t, wanted in (("9.9", b"0"), ("10", b"1"), ("99", b"9"), ("100", b"0")):
            self.assertEqual(self.ask(read, PLAIN, q="time2index", query={"t": t}).body, wanted)
        self.refuses(404, "Can't access this resource.", read, PLAIN, q="time2index", query={"t": "5"}, who="")
        message = 'time2index requires an argument of "t" which is a decimal timestamp'
        self.refuses(403, message, read, PLAIN, q="time2index")

    def test_refused(self) -> None:
        """Who may not read is told; so is what is no transform."""
        self.refuses(403, "Can't access this resource.", read, PLAIN, query={"i1": "0"}, who="bob/user")
        self.refuses(403, "The requested device was not found.", read, "mara/no/s", q="length")
        message = "Script 'nosuch': Transform nosuch not found"
        self.refuses(403, message, read, PLAIN, query={"i1": "0", "transform": "nosuch"})
