"""Compressed answers."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.handlers import Fetch, Pages, Reply
from connectordb.server.web.compression import choose, compressed

from ...support.case import Case


def nowhere(work: object) -> object:
    """Fetch nothing: these pages have all they need."""
    raise AssertionError("nothing is to be fetched")


class Parts(Pages):
    """Pages of a list."""

    def __init__(self, parts: list[bytes], computed: bool) -> None:
        self.parts = parts
        self.computed = computed

    def next(self, fetch: Fetch) -> bytes | None:
        """Return the next one."""
        return self.parts.pop(0) if self.parts else None


class Choosing(Case):
    """What clients accept."""

    def test_table(self) -> None:
        """The one that is wanted most, of those that can be made."""
        for accepted, expected in (
            ("", ""),
            ("gzip, deflate", "gzip"),
            ("GZIP", "gzip"),
            ("deflate", "deflate"),
            ("gzip;q=0.5, deflate;q=0.9", "deflate"),
            ("gzip;q=0", ""),
            ("br, zstd", ""),
            ("*", "gzip"),
            ("gzip;q=0, *", "deflate"),
            ("*;q=0", ""),
            ("identity", ""),
            ("gzip;q=x", ""),
            (", ,;", ""),
        ):
            with self.subTest(accepted):
                self.assertEqual(choose(accepted), expected)

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """Anything may be sent."""
        self.assertIn(choose(text), ("", "gzip", "deflate"))


class Compressing(Case):
    """Bodies in pieces."""

    @given(st.binary(), st.none() | st.lists(st.binary(min_size=1), max_size=4), st.sampled_from(("gzip", "deflate")))
    def test_there_and_back(self, body: bytes, parts: list[bytes] | None, encoding: str) -> None:
        """All of it comes out again, each piece as soon as it came, and the end is marked."""
        rest = None if parts is None else Parts(list(parts), True)
        reply = compressed(Reply(body, rest=rest), encoding)
        self.assertEqual(reply.encoding, encoding)
        unpacker = zlib.decompressobj(31 if encoding == "gzip" else 15)
        self.assertEqual(unpacker.decompress(reply.body), body)
        if reply.rest is not None:
            self.assertTrue(reply.rest.computed)
            for part in parts or ():
                self.assertFalse(unpacker.eof)
                self.assertEqual(unpacker.decompress(reply.rest.next(nowhere) or b""), part)
            self.assertEqual(unpacker.decompress(reply.rest.next(nowhere) or b""), b"")
            self.assertIsNone(reply.rest.next(nowhere))
        self.assertTrue(unpacker.eof)
