"""What is remembered: files that survive anything, and have one holder."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any
from unittest import mock, skipIf

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.exceptions import ClosedError, LocalProtocolError, RememberInUse, StorageDamaged, StorageError
from connectordb.live.remembering import remember
from connectordb.live.remembering.place import Place
from connectordb.live.remembering.remember import Remembered
from connectordb.protocol.paths import Path
from tests.support.case import SOON, Case

LAMP = Path.parse("mara/room/lamp/downlink")
URL = "http://localhost:3124"

#: Holds the file that is its argument until its input ends.
_HOLDER = """
import sys
from connectordb.live.remembering.remember import Remembered
from connectordb.protocol.paths import Path
held = Remembered(sys.argv[1], Path.parse("mara/room/lamp/downlink"), "http://localhost:3124")
print("held", flush=True)
sys.stdin.read()
"""


class RememberCase(Case):
    """A case with the name of a file."""

    def setUp(self) -> None:
        super().setUp()
        self.file = self.folder() / "lamp.state"

    def opened(self, path: Path = LAMP, url: str = URL) -> Remembered:
        """Open the file; it is closed with the test."""
        made = Remembered(self.file, path, url)
        self.addCleanup(made.close)
        return made

    def saved(self) -> tuple[Place | None, dict[str, Any] | None]:
        """Open the file and close it; return what was in it."""
        made = self.opened()
        made.close()
        return made.place, made.work


class SavingTests(RememberCase):
    """What is saved is there again."""

    def test_new(self) -> None:
        """A new file remembers nothing, belongs to its owner alone, and makes no folder."""
        self.assertEqual(self.saved(), (None, None))
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(f"{self.file}.lock").st_mode), 0o600)
        with self.assertRaisesRegex(StorageError, "nowhere.*no such folder"):
            Remembered(self.file.parent / "nowhere" / "lamp.state", LAMP, URL)
        self.assertFalse((self.file.parent / "nowhere").exists())

    def test_round(self) -> None:
        """The last place and the last work are what the next holder finds, flushed or not."""
        held = self.opened()
        places = [Place(index, index + 0.25, "ab") for index in range(5)]
        for number, place in enumerate(places):
            held.save(place, {"begun": number}, flush=number % 2 == 0)
            self.assertEqual((held.place, held.work), (place, {"begun": number}))
        held.save(Place(5, 5.25, "ab"), flush=False)
        held.close()
        self.assertEqual(self.saved(), (Place(5, 5.25, "ab"), None))

    def test_grows(self) -> None:
        """Work that is larger than a slot makes the file larger, whenever it comes; and smaller ones go on in that."""
        held = self.opened()
        for size in (10, 5_000, 10, 300_000, 10):
            held.save(Place(size), {"points": "x" * size})
            held.save(Place(size + 1), {"points": "y" * size}, flush=False)
            held.close()
            held = self.opened()
            self.assertEqual((held.place, held.work), (Place(size + 1), {"points": "y" * size}))
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        self.assertEqual(sorted(os.listdir(self.file.parent)), ["lamp.state", "lamp.state.lock"])

    def test_closed(self) -> None:
        """After close nothing is saved any more; closing twice is as good as once."""
        held = self.opened()
        held.close()
        held.close()
        with self.assertRaises(ClosedError):
            held.save(Place(1))

    def test_removed(self) -> None:
        """A file that somebody removes meanwhile is missed, rather than written into where nobody finds it."""
        held = self.opened()
        self.file.unlink()
        with self.assertRaisesRegex(StorageError, "removed while it was in use"):
            held.save(Place(1))

    def test_full_disk(self) -> None:
        """What cannot be written is an error, and what was there before stays."""
        held = self.opened()
        held.save(Place(1))
        with mock.patch.object(remember.os, "write", return_value=3), self.assertRaisesRegex(StorageError, "only 3 of"):
            held.save(Place(2))
        with (
            mock.patch.object(remember.durable, "write", side_effect=StorageError("no space")),
            self.assertRaisesRegex(StorageError, "no space"),
        ):
            held.save(Place(2), {"points": "x" * 10_000})
        self.assertEqual(held.place, Place(1))
        held.save(Place(3))
        held.close()
        self.assertEqual(self.saved(), (Place(3), None))


class TornTests(Case):
    """A write that is torn anywhere leaves what was flushed before."""

    @settings(max_examples=150)
    @given(
        st.lists(st.tuples(st.sampled_from([1, 1, 1, 700, 5_000, 20_000]), st.booleans()), min_size=1, max_size=5),
        st.sampled_from([1, 600, 3_000, 9_000]),
        st.data(),
    )
    def test_any_sectors(self, saves: list[tuple[int, bool]], last: int, data: st.DataObject) -> None:
        """Of the last save any sectors may have been written: it counts, or what was flushed, or something later."""
        with tempfile.TemporaryDirectory() as folder:
            file = FilePath(folder) / "lamp.state"
            held = Remembered(file, LAMP, URL)
            flushed = 0
            for number, (size, flush) in enumerate(saves, 1):
                held.save(Place(number), {"points": "x" * size}, flush=flush)
                flushed = number if flush else flushed
            before = file.read_bytes()
            held.save(Place(len(saves) + 1), {"points": "y" * last})
            after = file.read_bytes()
            held.close()
            if len(before) == len(after):  # otherwise it is another file, which takes the name as a whole
                sectors = range(0, len(after), 512)
                new = data.draw(st.lists(st.booleans(), min_size=len(sectors), max_size=len(sectors)))
                file.write_bytes(
                    b"".join(
                        (after if is_new else before)[at : at + 512] for at, is_new in zip(sectors, new, strict=True)
                    )
                )
            with_this = Remembered(file, LAMP, URL)
            with_this.close()
            place = with_this.place.next if with_this.place else 0
            self.assertIn(place, range(flushed, len(saves) + 2))

    def test_any_byte(self) -> None:
        """Cut after any byte of a save, the state is that before or that after."""
        with tempfile.TemporaryDirectory() as folder:
            file = FilePath(folder) / "lamp.state"
            held = Remembered(file, LAMP, URL)
            held.save(Place(1, 1.5))
            before = file.read_bytes()
            held.save(Place(2, 2.5))
            after = file.read_bytes()
            held.close()
            at = next(at for at in range(len(after)) if before[at] != after[at])
            end = max(at for at in range(len(after)) if before[at] != after[at]) + 1
            for cut in range(at, end + 1):
                state = remember._newest(after[:cut] + before[cut:], "x")[2]
                self.assertEqual(state["place"][0], 2 if cut == end else 1)


class OthersTests(RememberCase):
    """Files that are not what they should be are refused, and left as they are."""

    def refused(self, kind: type[Exception], words: str) -> None:
        """Have the file refused, and unchanged."""
        content = self.file.read_bytes()
        with self.assertRaisesRegex(kind, words):
            Remembered(self.file, LAMP, URL)
        self.assertEqual(self.file.read_bytes(), content)

    def test_another_stream(self) -> None:
        """One of another stream or another server is refused, and says whose it is."""
        self.opened(Path.parse("mara/room/lamp")).close()
        self.refused(
            LocalProtocolError, "is about mara/room/lamp at http://localhost:3124, not about mara/room/lamp/down"
        )
        self.file.unlink()
        self.opened(url="http://elsewhere:3124").close()
        self.refused(LocalProtocolError, "at http://elsewhere:3124, not about")

    def test_foreign(self) -> None:
        """Any other file is refused; an empty one, too."""
        for content in (b"", b"a letter to mother", b"\0" * 8192, b"{}" * 5000):
            with self.subTest(content[:10]):
                self.file.write_bytes(content)
                self.refused(StorageError, "is no remember file")

    def test_damaged(self) -> None:
        """One with neither slot whole is damaged, and is never begun anew."""
        held = self.opened()
        held.save(Place(1))
        held.close()
        good = self.file.read_bytes()
        for name, content in (
            ("cut in half", good[:4096]),
            ("cut a little", good[:-1]),
            ("both slots changed", good.replace(b"lamp", b"lump")),
            ("longer", good + b"\0" * 4096),
        ):
            with self.subTest(name):
                self.file.write_bytes(content)
                self.refused(StorageDamaged, "is damaged")

    def test_newer(self) -> None:
        """One of a later version is left to that."""
        self.opened().close()
        self.file.write_bytes(self.file.read_bytes().replace(b"connectordb remember 1", b"connectordb remember 2"))
        self.refused(StorageError, "written by a newer version")

    def test_makes_no_sense(self) -> None:
        """A state without a place in it is damaged."""
        for state in ({}, {"place": [1, 2, 3, 4], "work": None}, {"place": 5, "work": None}):
            text = remember._encode(1, {"stream": str(LAMP), "server": URL, **state})
            self.file.write_bytes(text.ljust(8192, b"\0"))
            self.refused(StorageDamaged, "makes no sense")


class HolderTests(RememberCase):
    """One holder."""

    def test_same_process(self) -> None:
        """A second subscription of the same process is refused, under any name of the file, until the first has ended."""
        held = self.opened()
        link = self.file.parent / "link.state"
        link.symlink_to(self.file)
        for name in (self.file, link, os.path.relpath(self.file)):
            with self.assertRaisesRegex(RememberInUse, f"another subscription of this process .*{os.getpid()}"):
                Remembered(name, LAMP, URL)
        held.save(Place(1))
        held.close()
        self.assertEqual(self.saved()[0], Place(1))

    def test_another_process(self) -> None:
        """Another process is refused at once and told the first's id; a kill of the first frees the file."""
        process = self.start(_HOLDER, str(self.file))
        with self.assertRaisesRegex(RememberInUse, f"in use by process {process.pid}: "):
            Remembered(self.file, LAMP, URL)
        process.kill()
        process.wait()
        self.assertEqual(self.saved(), (None, None))

    @skipIf(sys.platform == "win32", "an open file cannot be removed there")
    def test_removed_lock(self) -> None:
        """Where the lock file is removed, as by what cleans /tmp, there is still one holder, and what it knows is what is there."""
        held = self.opened()
        lock = f"{self.file}.lock"
        os.unlink(lock)
        held.save(Place(1))
        with self.assertRaises(RememberInUse):
            self.opened()
        os.unlink(lock)
        other = self.opened()
        for _ in range(2):
            with self.assertRaisesRegex(RememberInUse, "another subscription of this process"):
                held.save(Place(2))
        other.save(Place(3))
        other.close()
        for _ in range(2):
            with self.assertRaisesRegex(StorageError, "was written by somebody else while its lock file was removed"):
                held.save(Place(2))
        self.assertEqual(self.saved(), (Place(3), None))

    def test_fork(self) -> None:
        """A child made by fork does not hold it, and saves nothing, while the parent goes on."""
        held = self.opened()
        read, write = os.pipe()
        wait, go = os.pipe()  # its own, so that the child does not read what it wrote
        child = os.fork()
        if child == 0:  # pragma: no cover
            code = b"1"
            try:
                held.save(Place(9))
            except ClosedError:
                code = b"0"
            os.write(write, code)
            signal.alarm(max(1, int(2 * SOON)))  # what hangs does not stay
            # lives on after the parent has left the file
            os.read(wait, 1)
            os._exit(0)
        self.addCleanup(os.waitpid, child, 0)
        for end in (read, write, wait, go):
            self.addCleanup(os.close, end)
        self.assertEqual(os.read(read, 1), b"0")
        with self.assertRaises(RememberInUse):
            Remembered(self.file, LAMP, URL)
        held.save(Place(2))
        held.close()
        self.assertEqual(self.saved()[0], Place(2))
        os.write(go, b"x")

    def test_no_lock(self) -> None:
        """Where no lock can be made, that is the error."""
        os.mkdir(f"{self.file}.lock")
        with self.assertRaisesRegex(StorageError, "locking"):
            Remembered(self.file, LAMP, URL)

    def start(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a program that says a line when it is ready."""
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdin is not None and process.stdout is not None
        closing: list[Callable[[], object]] = [process.stdin.close, process.stdout.close]
        for close in closing:
            self.addCleanup(close)
        self.addCleanup(process.wait, SOON)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "held\n")
        return process
