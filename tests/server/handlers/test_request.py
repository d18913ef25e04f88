"""Requests and replies."""

from __future__ import annotations

from connectordb.protocol import json_text
from connectordb.server.config import Limits
from connectordb.server.handlers import HashWanted, Refusal, Reply, Request
from connectordb.server.handlers.request import as_json, missing, read_json
from connectordb.server.storage import Found

from ...support.case import Case


class Bodies(Case):
    """What a body says."""

    def test_json(self) -> None:
        """JSON is read; bytes that are no UTF-8 are replaced."""
        self.assertEqual(read_json(b'{"a":1,"a":2}'), {"a": 2})
        self.assertEqual(read_json(b'["a\xff\xfeb"]'), ["a\ufffd\ufffdb"])

    def test_brackets(self) -> None:
        """A body of a great many empty lists or objects would become a hundred times as large, and is not read."""
        limits = Limits(body_brackets=1000)
        for part in (b"{}", b"[]", b"[{}]"):
            within = b"[" + b",".join([part] * 499) + b"]"
            self.assertTrue(Request(0.0, body=within, limits=limits).json())
            with self.subTest(part), self.assertRaises(Refusal) as caught:
                Request(0.0, body=b"[" + b",".join([part] * 1000) + b"]", limits=limits).json()
            self.assertEqual(caught.exception.status, 413)

    def test_halves_of_characters(self) -> None:
        """An escaped half of a character is replaced; whole ones, and what only looks like one, are left alone."""
        for text, wanted in (
            *(
                (r"\ud800", "\ufffd"),
                (r"\uDFFFx", "\ufffdx"),
                (r"\udc00\ud800", "\ufffd\ufffd"),
                (r"\ud83d\ude00\ud83d", "😀\ufffd"),
            ),
            *(
                (r"\ud800\ud83d\ude00\ude00", "\ufffd😀\ufffd"),
                (r"\\ud800\ud800", "\\ud800\ufffd"),
                (r"\\\ud800\n", "\\\ufffd\n"),
            ),
        ):
            with self.subTest(text):
                self.assertEqual(read_json(f'["{text}"]'.encode()), [wanted])
        for body in (b'["\\ud80"]', b'["\\ud800\0\0"]', b'"\\ud800'):
            with self.subTest(body), self.assertRaises(Refusal):
                read_json(body)

    def test_what_is_none(self) -> None:
        """Anything else is refused: nothing, half of it, a byte order mark, NaN, too many levels."""
        for body in (b"", b"{", b"\xef\xbb\xbf[]", b"[NaN]", b"[1e999]", b"[" * 5000, b"\xff"):
            with self.subTest(body[:20]), self.assertRaises(Refusal) as caught:
                read_json(body)
            self.assertEqual(caught.exception.status, 400)


class Requests(Case):
    """Requests."""

    def test_downlink(self) -> None:
        """The flag is on in the spellings that a 0.3 server knows, and off in all others."""
        for text, on in (("1", True), ("t", True), ("True", True), ("tRUE", False), ("yes", False), ("", False)):
            with self.subTest(text):
                self.assertIs(Request(0, query={"downlink": text}).downlink, on)

    def test_hash(self) -> None:
        """A hash is asked for until it is there."""
        request = Request(0)
        with self.assertRaises(HashWanted) as caught:
            request.hashed("secret")
        self.assertEqual(caught.exception.password, "secret")
        self.assertEqual(request.with_hash("x").hashed("secret"), "x")


class Replies(Case):
    """Replies."""

    def test_for_browsers(self) -> None:
        """What HTML means something by is escaped, and reads back the same."""
        value = {"<a>": "&"}
        self.assertNotRegex(as_json(value), b"[<>&]")
        self.assertEqual(json_text.loads(Reply.of(value).body), value)

    def test_missing(self) -> None:
        """The first part that is not there is told."""
        self.assertEqual(missing(Found(), 1), "user")
        self.assertIsNone(missing(Found(), 0))
