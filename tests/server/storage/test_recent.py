"""What was looked up is kept, and forgotten in time."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.storage import Found, NotRecent, Reader, Taken, Writer
from connectordb.server.storage.recent import MOST_TEXT, Recent

from ...support.case import SOON
from .trees import StorageCase, device, stream, user

PATHS = (("mara",), ("mara", "lamp"), ("mara", "lamp", "light"), ("otto",), ("otto", "lamp"), ("no",), ("mara", "new"))
KEYS = ("lamp-key", "other-key")


class Failed(Exception):
    """What a write raises in the end."""


def seen(reader: Reader) -> list[Any]:
    """Return all that can be looked up."""
    return [*(reader.find(path) for path in PATHS), *(reader.find_key(key) for key in KEYS)]


def change(writer: Writer, what: str) -> None:
    """Change something that `seen` sees, if it is there."""
    found = writer.find(("mara", "lamp", "light"))
    if what == "user" and found.user:
        writer.update_user(found.user.id, {"nickname": f"{found.user.nickname}x"})
    elif what == "rename" and found.user:
        new = writer.find(("mara", "new")).device
        if found.device and not new:
            writer.update_device(found.device.id, {"name": "new"})
        elif new and not found.device:
            writer.update_device(new.id, {"name": "lamp"})
    elif what == "key" and found.device:
        other = found.device.apikey == "lamp-key"
        writer.update_device(found.device.id, {"apikey": "other-key" if other else "lamp-key"})
    elif what == "stream" and found.stream:
        writer.delete_stream(found.stream.id)
    elif what == "stream" and found.device:
        writer.create_stream(found.device.id, stream("light"))
    elif what == "otto":
        otto = writer.find(("otto",)).user
        if otto:
            writer.delete_user(otto.id)
        else:
            writer.create_device(writer.create_user(user("otto")).id, device("lamp"))


class Coherence(StorageCase):
    """What is kept never differs from what the file says."""

    def setUp(self) -> None:
        """Have a tree."""
        super().setUp()
        self.write(self.grow)

    @staticmethod
    def grow(writer: Writer) -> None:
        """Make what `change` changes."""
        mara = writer.create_user(user("mara"))
        lamp = writer.create_device(mara.id, device("lamp", apikey="lamp-key"))
        writer.create_stream(lamp.id, stream("light"))

    @given(st.lists(st.tuples(st.sampled_from(["user", "rename", "key", "stream", "otto"]), st.booleans()), max_size=6))
    def test_changes(self, changes: list[tuple[str, bool]]) -> None:
        """After every write, failed or not, and within it, all is as a storage that keeps nothing has it."""
        for what, fails in changes:

            def work(writer: Writer, what: str = what, fails: bool = fails) -> None:
                seen(writer)
                change(writer, what)
                self.assertEqual(seen(writer), seen(type(writer)(writer._connection)))  # type: ignore[attr-defined,call-arg]
                if fails:
                    raise Failed

            failure = self.storage.write(work).exception(SOON)
            self.assertIsInstance(failure, Failed if fails else type(None))
            self.assertEqual(*self.read(self.both))
            self.assertEqual(*self.read(self.both))

    @staticmethod
    def both(reader: Reader) -> tuple[list[Any], list[Any]]:
        """Return what a reader sees, and what one sees that keeps nothing."""
        return seen(reader), seen(type(reader)(reader._connection))  # type: ignore[attr-defined,call-arg]

    def test_recall(self) -> None:
        """What was looked up is there without a thread, until something changes; the rest is not."""
        path = ("mara", "lamp", "light")
        with self.assertRaises(NotRecent):
            self.storage.recall(lambda reader: reader.find(path))
        there = self.read(lambda reader: reader.find(path))
        self.assertEqual(self.storage.recall(lambda reader: reader.find(path)), there)
        self.assertIsNone(self.read(lambda reader: reader.find_key("guess")))
        for asked, arguments in (("counts", ()), ("users", ()), ("find_key", ("guess",)), ("find", (("no",),))):
            with self.subTest(asked=asked), self.assertRaises(NotRecent):
                self.storage.recall(lambda reader: getattr(reader, asked)(*arguments))  # noqa: B023
        self.write(lambda writer: change(writer, "otto"))
        with self.assertRaises(NotRecent):
            self.storage.recall(lambda reader: reader.find(path))

    def test_a_failed_write(self) -> None:
        """A refused change leaves nothing behind that others see."""

        def work(writer: Writer) -> None:
            writer.create_user(user("otto"))
            writer.find(("otto",))
            writer.create_user(user("otto"))

        self.assertIsInstance(self.storage.write(work).exception(SOON), Taken)
        self.assertEqual(self.read(lambda reader: reader.find(("otto",))), Found())


class Keeping(StorageCase):
    """How much is kept, and from when."""

    def test_bounds(self) -> None:
        """The oldest makes room; long texts, and what is older than the last change, are not kept."""
        recent, found = Recent(2), self.found()
        for name in "abc":
            recent.keep(recent.era, (name,), found)
        self.assertEqual([recent.find((name,)) for name in "abc"], [None, found, found])
        era = recent.era
        recent.forget()
        recent.keep(era, ("a",), found)
        recent.keep(recent.era, ("b",), self.found(icon="x" * (MOST_TEXT + 1)))
        self.assertEqual([recent.find((name,)) for name in "abc"], [None, None, None])

    def found(self, **changes: Any) -> Found:
        """Return a user as it is looked up."""
        name = f"u{len(changes)}"
        return Found(self.write(lambda writer: writer.create_user(user(name, **changes))))
