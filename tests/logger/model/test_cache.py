"""The file of the model against the real one: whatever is done to both, both hold the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectordb.logger.records import Coming, Note
from connectordb.logger.rows.noting import Begun
from connectordb.logger.rows.store import Store

from .cache import BASE, STREAM, Cache, File

_END = 2**62
_times = st.sampled_from((10.0, 10.0 + 1e-6, 10.0 + 2e-6, 11.0, 20.0, 30.0))


class CacheMachine(RuleBasedStateMachine):
    """Adds, notes, moves, confirms, holds and sets aside, in both."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(prefix="connectordb-test-")
        self.store = Store(Path(self.folder.name) / "a.db", "normal")
        self.store.catalogue.put_stream("s", "{}")
        self.cache = Cache(File())

    def teardown(self) -> None:
        """Close the file."""
        self.store.close()
        self.folder.cleanup()

    @property
    def note(self) -> Note:
        """The note that there is."""
        assert self.cache.file.note is not None
        return self.cache.file.note

    def noted(self) -> bool:
        """Whether there is one."""
        return self.cache.file.note is not None

    def lone(self) -> bool:
        """Whether there is one on a single row."""
        return self.cache.file.note is not None and self.note.first == self.note.last

    @rule(t=_times)
    def add(self, t: float) -> None:
        """A point is inserted."""
        letter = f'"{len(self.cache.file.rows)}"'
        self.store.points.append(STREAM, t, letter, 0)
        self.cache.file = self.cache.file.add(t, letter)

    @precondition(lambda self: not self.noted() and self.cache.file.waiting())
    @rule(number=st.integers(1, 3))
    def begin(self, number: int) -> None:
        """A batch is noted."""
        first = self.cache.held.first_waiting(STREAM)
        assert first == self.store.held.first_waiting(STREAM)
        coming = self.coming(first, number)
        real = self.store.notes.begin(coming)
        assert real is not None
        self.alike(real, self.cache.notes.begin(coming))

    @staticmethod
    def coming(first: int, number: int) -> Coming:
        """Return a batch of so many rows, from one on."""
        return Coming(Note(STREAM, first, _END, "http://x", "key", "u/d/s", 7, 5.0), number, 2**20)

    def alike(self, real: Begun | None, imitated: Begun | None) -> None:
        """Both noted the same rows, or none."""
        if real is None or imitated is None:
            assert real is imitated
            return
        assert real[0] == imitated[0]
        assert replace(real[1], text="") == replace(imitated[1], text="")
        assert json.loads(real[1].text) == json.loads(imitated[1].text)

    @precondition(lambda self: self.noted() and not self.lone())
    @rule()
    def halve(self) -> None:
        """Its first row goes first."""
        for notes in (self.store.notes, self.cache.notes):
            notes.keep_times(self.note.first + 1, self.note.last)
        half = replace(self.note, last=self.note.first, attempts=0)
        self.store.notes.write(half)
        self.cache.notes.write(half)

    @precondition(lambda self: self.lone())
    @rule()
    def move(self) -> None:
        """A lone row moves."""
        note = self.note
        self.store.notes.move(note)
        self.cache.notes.move(note)

    @precondition(lambda self: self.noted())
    @rule(newest=_times)
    def restamp(self, newest: float) -> None:
        """Rows that are too old get other times."""
        note = self.note
        if any(row.t < newest for row in self.cache.points.rows(note.first, note.last, 9, 9)):
            self.store.notes.restamp(note, newest)
            self.cache.notes.restamp(note, newest)

    @precondition(lambda self: self.noted())
    @rule(confirmed=st.booleans(), kept=st.integers(0, 2))
    def resolve(self, confirmed: bool, kept: int) -> None:
        """Rows go, all or the first ones."""
        ids = [row.id for row in self.cache.points.rows(self.note.first, self.note.last, 9, 9)]
        gone = ids[: len(ids) - kept]
        for file in (self.store, self.cache):
            file.notes.resolve(STREAM, gone if confirmed else (), () if confirmed else gone, "a reason", 1.0)

    @precondition(lambda self: self.noted())
    @rule()
    def hold(self) -> None:
        """They are confirmed by a server that may forget them."""
        note = self.note
        self.store.held.hold(note, note.last)
        self.cache.held.hold(note, note.last)

    @precondition(lambda self: self.noted())
    @rule(may_forget=st.booleans(), number=st.integers(1, 3))
    def go_on(self, may_forget: bool, number: int) -> None:
        """They are confirmed, by either kind of server, and the next ones noted, if there are any, in the same transaction."""
        note = self.note
        then = self.coming(note.last + 1, number)
        ids = range(note.first, note.last + 1)
        begun = [
            file.held.hold(note, note.last, 1.0, then) if may_forget else file.notes.resolve(STREAM, ids, then=then)
            for file in (self.store, self.cache)
        ]
        self.alike(*begun)

    @precondition(lambda self: self.cache.file.held)
    @rule()
    def release(self) -> None:
        """It has not."""
        batch = self.cache.held.of(STREAM)[0]
        self.store.held.release(batch)
        self.cache.held.release(batch)

    @precondition(lambda self: self.cache.file.held)
    @rule(number=st.integers(1, 3))
    def lose(self, number: int) -> None:
        """It has, the newest of them."""
        held = [row.id for row in self.cache.file.rows if row.id <= self.cache.file.held_up_to]
        self.store.held.lose(STREAM, held[-number:])
        self.cache.held.lose(STREAM, held[-number:])

    @invariant()
    def the_same(self) -> None:
        """Both hold the same."""
        for what in ("rows", "note", "times", "held", "waiting"):
            assert self.told(self.store, what) == self.told(self.cache, what), what
        file = self.cache.file
        assert tuple(sorted(row.id for row in self.store.aside.points())) == tuple(sorted(row.id for row in file.aside))

    def told(self, file: Store | Cache, what: str) -> object:
        """Return what one says."""
        if what == "rows":
            return file.points.rows(BASE, _END, 2**62, 2**62)
        if what == "note":
            return (file.notes.of(STREAM), set(file.notes.streams()))
        if what == "times":
            return file.notes.sent_times(BASE, _END)
        if what == "held":
            # one process has no need for versions: what it remembers goes with what was lost
            return ([batch._replace(version=0) for batch in file.held.of(STREAM)], file.held.streams())
        return file.held.first_waiting(STREAM)


CacheTests = CacheMachine.TestCase
CacheTests.settings = settings(max_examples=10, stateful_step_count=25)
