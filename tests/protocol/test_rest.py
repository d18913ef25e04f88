"""Requests, and what their answers mean."""

from __future__ import annotations

import json
import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import (
    AuthenticationError,
    ResponseError,
    ServerError,
)
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from connectordb.protocol.reply import Reply

STREAM = Path.parse("mara/lamp/light")

#: One request of each kind that there is.
REQUESTS: list[rest.Request[Any]] = [
    rest.whoami(),
    rest.count("users"),
    rest.version(),
    rest.transforms(),
    rest.interpolators(),
    rest.read(STREAM),
    rest.create(STREAM, {}),
    rest.update(STREAM, {}),
    rest.delete(STREAM),
    rest.list_users(),
    rest.list_devices(STREAM.user),
    rest.list_streams(STREAM.device),
    rest.list_user_streams(STREAM.user, public=False, downlink=False, visible=True),
    rest.insert(STREAM, [{"t": 1, "d": 2}]),
    rest.points(STREAM, {"i1": "0"}),
    rest.length(STREAM),
    rest.query("merge", []),
    rest.query_points("dataset", {}),
]


class Building(unittest.TestCase):
    """Each endpoint is asked as the protocol has it."""

    def test_paths(self) -> None:
        """Verb, path and query."""
        for request, expected in (
            (rest.whoami(), ("GET", "/", {"q": "this"})),
            (rest.list_users(), ("GET", "/crud/", {"q": "ls"})),
            (rest.read(STREAM), ("GET", "/crud/mara/lamp/light", {})),
            (rest.delete(STREAM.at_downlink()), ("DELETE", "/crud/mara/lamp/light", {"downlink": "true"})),
            (rest.length(STREAM), ("GET", "/crud/mara/lamp/light/data", {"q": "length"})),
            (
                rest.length(STREAM.at_downlink()),
                ("GET", "/crud/mara/lamp/light/data", {"q": "length", "downlink": "true"}),
            ),
            (
                rest.points(STREAM.at_downlink(), {"i1": "0"}),
                ("GET", "/crud/mara/lamp/light/data", {"i1": "0", "downlink": "true"}),
            ),
            (
                rest.list_user_streams(STREAM.user, public=True, downlink=False, visible=True),
                ("GET", "/crud/mara", {"q": "streams", "public": "true", "downlink": "false", "visible": "true"}),
            ),
        ):
            with self.subTest(expected):
                self.assertEqual((request.method, request.path, dict(request.parameters)), expected)

    def test_inserts(self) -> None:
        """An insert knows how many points it holds; only restamping is a PUT."""
        plain, restamped = (rest.insert(STREAM, [{"t": 1, "d": 2}] * 2, restamp) for restamp in (False, True))
        self.assertEqual((plain.method, plain.inserts, restamped.method), ("POST", 2, "PUT"))
        self.assertEqual(json.loads(plain.body or b""), [{"t": 1, "d": 2}] * 2)


class Reading(unittest.TestCase):
    """A 200 is read as what the endpoint answers, or is an error."""

    def test_values(self) -> None:
        """Each kind of body becomes its value."""
        self.assertEqual(rest.whoami().read(Reply(200, b"mara/user")), Path.parse("mara/user"))
        self.assertEqual(rest.length(STREAM).read(Reply(200, b"7")), 7)
        self.assertIsNone(rest.insert(STREAM, []).read(Reply(200, b"ok")))
        self.assertEqual(rest.read(STREAM).read(Reply(200, b'{"name":"light"}')), {"name": "light"})
        self.assertEqual(
            rest.points(STREAM, {}).read(Reply(200, b'[{"t":1},{"t":2,"d":3}]')),
            [{"t": 1, "d": None}, {"t": 2, "d": 3}],
        )

    def test_versions(self) -> None:
        """A version begins with a number; half a JSON text is none."""
        for version in ("0.3.0", "0.3.0-git.1127", "1.0.0b1", "1"):
            self.assertEqual(rest.version().read(Reply(200, version.encode())), version)
        for other in (b'[{"t":1,"d":', b"ok", b"", b"0.3 0"):
            with self.subTest(other), self.assertRaises(ServerError):
                rest.version().read(Reply(200, other))

    @given(st.sampled_from(REQUESTS), st.binary(max_size=60))
    def test_any_body(self, request: rest.Request[Any], body: bytes) -> None:
        """Whatever the body, the outcome is a value or a ServerError."""
        try:
            request.read(Reply(200, body))
        except ServerError as problem:
            self.assertEqual(problem.path, request.path)

    def test_pages_and_halves(self) -> None:
        """A web page, an empty body and a cut array are failures that say what came."""
        for body, words in (
            (b"<html>Please log in</html>", "web page.*proxy"),
            (b"", "empty"),
            (b'[{"t":1,"d":1},{"t"', "not what a ConnectorDB server says"),
            (b'{"t":1}', "array"),
            (b"[5]", "datapoint"),
        ):
            with self.subTest(body), self.assertRaisesRegex(ServerError, words):
                rest.points(STREAM, {}).read(Reply(200, body))
        with self.assertRaisesRegex(ServerError, "web page"):
            rest.insert(STREAM, []).read(Reply(200, b"<html>ok</html>"))

    def test_listings(self) -> None:
        """What is listed has a name, and a stream of any device the name of that; otherwise it is no answer."""
        listings = (rest.list_users(), rest.list_devices(STREAM.user), rest.list_streams(STREAM.device))
        of_all = rest.list_user_streams(STREAM.user, public=False, downlink=False, visible=True)
        for listing in (*listings, of_all):
            for body in (b'[{"email":"x"}]', b'[{"name":"a/b"}]', b'[{"name":5}]', b"[5]", b'{"name":"a"}'):
                with self.subTest(listing.path, body=body), self.assertRaisesRegex(ServerError, "not what a Connector"):
                    listing.read(Reply(200, body))
        for listing in listings:
            self.assertEqual(listing.read(Reply(200, b'[{"name":"light"}]')), [{"name": "light"}])
        self.assertEqual(of_all.read(Reply(200, b'[{"name":"a","device":"b"}]')), [{"name": "a", "device": "b"}])
        with self.assertRaisesRegex(ServerError, "no name under 'device'"):
            of_all.read(Reply(200, b'[{"name":"light"}]'))

    def test_nulls_of_queries(self) -> None:
        """A null that the wire leaves out of a query's answer is there; a row at time 0 stays without a time."""
        answer = Reply(200, b'[{"t":1},{"d":{"x":5}}]')
        self.assertEqual(rest.query_points("merge", []).read(answer), [{"t": 1, "d": None}, {"d": {"x": 5}}])

    @given(
        st.sampled_from(REQUESTS), st.integers(100, 599).filter(lambda status: status != 200), st.binary(max_size=80)
    )
    def test_any_answer(self, request: rest.Request[Any], status: int, body: bytes) -> None:
        """Whatever the answer, it is one of our exceptions: a 4xx below AuthenticationError, the rest ServerError."""
        with self.assertRaises(ResponseError) as caught:
            request.read(Reply(status, body))
        self.assertIsInstance(caught.exception, AuthenticationError if 400 <= status < 500 else ServerError)
