"""Atom feeds."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any
from unittest import mock
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.config import Queries
from connectordb.server.handlers import Refusal, atom, data, sources
from connectordb.server.handlers.request import Kind

from .case import NOW, HandlerCase

SITE = "http://localhost:3124"
_ATOM = "{http://www.w3.org/2005/Atom}"


class Feeds(HandlerCase):
    """A stream as a feed."""

    def put(self, points: list[dict[str, Any]], path: str = "mara/lamp/plain", who: str = "mara/lamp") -> None:
        """Insert points."""
        self.ask(data.insert, path, points, who=who)

    def feed(self, path: str = "mara/lamp/plain", **options: Any) -> ElementTree.Element:
        """Return a feed, parsed."""
        reply = self.ask(atom.feed, path, site=SITE, **options)
        self.assertEqual((reply.kind, reply.cacheable), (Kind.XML, True))
        return ElementTree.fromstring(self.whole(reply))

    def entries(self, feed: ElementTree.Element) -> list[dict[str, str]]:
        """Return the text of what entries have."""
        found = []
        for entry in feed.iter(f"{_ATOM}entry"):
            texts = {child.tag.removeprefix(_ATOM): child.text or "" for child in entry}
            texts["author"] = entry.findtext(f"{_ATOM}author/{_ATOM}name") or ""
            found.append(texts)
        return found

    def test_transform(self) -> None:
        """Each entry is about the point at which its result came; a script takes no longer than others may."""
        self.put([{"t": t, "d": t} for t in range(1, 8)])
        found = self.entries(self.feed(query={"transform": "if $ > 5 | $ * 10"}))
        self.assertEqual(
            [(entry["title"], entry["content"]) for entry in found], [("Datapoint 6", "60"), ("Datapoint 7", "70")]
        )
        for query, queries in (("nosuch", Queries()), ("$ + {'a': 1}", Queries()), ("$", Queries(seconds=1e-9))):
            with self.subTest(query), self.assertRaises(Refusal) as caught:
                self.feed(query={"transform": query}, queries=queries)
            self.assertEqual(caught.exception.status, 500)

    def test_head(self) -> None:
        """What it is a feed of, where it is, and of when."""
        feed = self.feed("mara/lamp/plain.atom")
        url = f"{SITE}/api/v1/feed/mara/lamp/plain.atom"
        self.assertEqual(feed.findtext(f"{_ATOM}title"), "mara/lamp/plain")
        self.assertEqual(feed.findtext(f"{_ATOM}id"), url)
        link = feed.find(f"{_ATOM}link")
        assert link is not None
        self.assertEqual((link.get("rel"), link.get("href")), ("self", url))
        self.assertEqual(feed.findtext(f"{_ATOM}author/{_ATOM}name"), "mara")
        updated = datetime.fromisoformat(feed.findtext(f"{_ATOM}updated") or "")
        self.assertEqual(updated, datetime.fromtimestamp(int(NOW), timezone.utc))
        self.assertEqual(self.entries(feed), [])

    def test_entries(self) -> None:
        """A point is an entry, the oldest first; who sent it is its author."""
        self.put([{"t": 1503000000.9, "d": 1}, {"t": 1503000060, "d": {"a": [None, "<b>&"]}}])
        first, second = self.entries(self.feed())
        self.assertEqual((first["title"], first["content"], first["author"]), ("Datapoint 1", "1", "mara/lamp"))
        self.assertEqual(first["id"], f"{SITE}/api/v1/crud/mara/lamp/plain/data?i1=0&i2=1")
        self.assertEqual(datetime.fromisoformat(first["updated"]).timestamp(), 1503000000)
        self.assertEqual(json.loads(second["content"]), {"a": [None, "<b>&"]})
        self.put([{"t": 5, "d": 3}], "mara/lamp/light", "mara/user")
        (downlink,) = self.entries(self.feed("mara/lamp/light", query={"downlink": "true"}))
        self.assertEqual((downlink["content"], downlink["author"]), ("3", "mara/user"))
        self.assertTrue(downlink["id"].endswith("&downlink=true"))

    def test_null(self) -> None:
        """A point without a value is an entry like others, where an original breaks off."""
        self.put([{"t": 1}, {"t": 2, "d": None}])
        self.assertEqual([entry["content"] for entry in self.entries(self.feed())], ["null", "null"])

    def test_newest(self) -> None:
        """The newest 500, whatever their size."""
        self.put([{"t": t, "d": t} for t in range(1, 703)])
        with mock.patch.object(atom, "PAGE", 100), mock.patch.object(sources, "PAGE", 100):
            entries = self.entries(self.feed())
        self.assertEqual([entry["title"] for entry in entries], [f"Datapoint {n}" for n in range(203, 703)])

    def test_times(self) -> None:
        """Times that no calendar has are told as the nearest that it has."""
        self.put([{"t": 1, "d": 1}, {"t": 1e300, "d": 2}])
        years = [datetime.fromisoformat(entry["updated"]).year for entry in self.entries(self.feed())]
        self.assertIn(years, ([1970, 9999], [1969, 9999]))  # the latter west of Greenwich
        self.assertEqual(datetime.fromisoformat(atom._time(-1e300)).year, 1)

    def test_hidden(self) -> None:
        """A stream that is not there looks like one that is hidden."""
        for path, who in (
            ("mara/lamp/nosuch", "mara/user"),
            ("mara/lamp/plain", "bob/user"),
            ("bob/user/x", "mara/user"),
        ):
            self.refuses(403, "Can't access this resource.", atom.feed, path, who=who)
        self.refuses(403, "The requested user was not found.", atom.feed, "nosuch/lamp/plain")

    @given(st.text(max_size=20))
    def test_any_text(self, text: str) -> None:
        """Whatever a value is, the feed is XML and says it, but for what JSON and XML cannot."""
        written = atom._text(text)
        parsed = ElementTree.fromstring(f'<a b="{written}">{written}</a>')
        expected = "".join(
            c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "\ufffd"
            for c in text
        )
        self.assertEqual(parsed.text or "", expected)
