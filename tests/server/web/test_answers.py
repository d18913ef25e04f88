"""Answers as HTTP."""

from __future__ import annotations

import json

from connectordb.protocol.features import HEADER, Features
from connectordb.server.handlers import Reply
from connectordb.server.web.answers import Answers, head

from ...support.case import Case


class Errors(Case):
    """The body and headers of errors."""

    def setUp(self) -> None:
        super().setUp()
        self.answers = Answers(Features(durable=True))

    def test_error(self) -> None:
        """The body that clients know, for whatever text; headers of all answers and of this one."""
        answer = self.answers.error(405, "half a character: \ud800", "r", about={"Allow": "GET"})
        assert isinstance(answer.body, bytes)
        self.assertEqual(json.loads(answer.body), {"code": 405, "msg": "half a character: ?", "ref": "r"})
        self.assertEqual((answer.status, answer.headers["Allow"], answer.headers[HEADER]), (405, "GET", "durable"))
        self.assertIn("no-store", answer.headers["Cache-Control"])
        self.assertNotIn("Retry-After", answer.headers)
        self.assertEqual(len(json.loads(self.answers.error(404, "x").body or b"")["ref"]), 36)  # type: ignore[arg-type]

    def test_again(self) -> None:
        """Who is told to come again is told when."""
        self.assertIn("Retry-After", self.answers.error(503, "x").headers)

    def test_raw(self) -> None:
        """A whole answer as bytes."""
        start, _, body = self.answers.farewell("full", "r").partition(b"\r\n\r\n")
        lines = start.decode().split("\r\n")
        self.assertEqual(lines[0], "HTTP/1.1 503 Service Unavailable")
        self.assertIn(f"Content-Length: {len(body)}", lines)
        self.assertIn("Connection: close", lines)
        self.assertEqual(json.loads(body), {"code": 503, "msg": "full", "ref": "r"})


class Heads(Case):
    """The headers of a reply."""

    def headers(self, reply: Reply, *, vary: str = "", varies: bool = False, cookie: str = "") -> dict[str, str]:
        """Return them."""
        return head({"Vary": vary} if vary else {}, reply, varies=varies, timing="t", cookie=cookie)

    def test_kinds(self) -> None:
        """What it is, what it took, and whether it may be kept."""
        self.assertEqual(
            self.headers(Reply.of(1)),
            {
                "Content-Type": "application/json; charset=utf-8",
                "Server-Timing": "t",
                "Cache-Control": "no-store, must-revalidate",
            },
        )
        self.assertNotIn("Cache-Control", self.headers(Reply.text("x", cacheable=True)))

    def test_vary(self) -> None:
        """Caches are told of all that it depends on."""
        self.assertEqual(self.headers(Reply(b""), varies=True)["Vary"], "Accept-Encoding")
        self.assertEqual(self.headers(Reply(b""), varies=True, vary="Origin")["Vary"], "Origin, Accept-Encoding")
        self.assertEqual(self.headers(Reply(b""), vary="Origin")["Vary"], "Origin")

    def test_others(self) -> None:
        """How it is compressed, where it leads, and what the browser is to remember."""
        headers = self.headers(Reply(b"", location="/", encoding="gzip"), cookie="c")
        self.assertEqual((headers["Location"], headers["Content-Encoding"], headers["Set-Cookie"]), ("/", "gzip", "c"))
