"""
Getting ready for a fork: SQLite's connections must not be carried across one.

A forked child has neither the locks nor the threads of its parent, but a copy of what SQLite has noted about both, and SQLite relies on
that even for connections that the child opens itself. So before a fork, all files wait for their turn and close their connections;
both sides open them again when they need them. Starting another program (`subprocess`) does not concern this.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Protocol

from ...runtime.clock import Deadline

#: Seconds that a fork waits for threads that write or read; a file that is not free by then cannot be used in the child.
PATIENCE = 5.0


class Forked(Protocol):
    """Something that has to get ready for a fork."""

    def before_fork(self, deadline: Deadline) -> None:
        """Get ready before *deadline*, if possible."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Begin anew: this thread is the only one here."""


class Forks:
    """The objects that have to know of forks; none of them is kept alive by this."""

    def __init__(self) -> None:
        # guards the three below; held from before a fork until after it
        self._guard = threading.Lock()
        self._watching: weakref.WeakSet[Forked] = weakref.WeakSet()
        self._in_children: list[weakref.WeakMethod[Callable[[], None]]] = []
        self._registered = False
        # only used by the thread that forks
        self._held = False
        self._told: list[Forked] = []

    def tell(self, who: Forked) -> None:
        """Tell *who* of every fork from now on."""
        with self._guard:
            self._register()
            self._watching.add(who)

    def call_in_child(self, method: Callable[[], None]) -> None:
        """Call *method*, a bound method, in every child, after the objects that got ready for the fork were called."""
        with self._guard:
            self._register()
            self._in_children = [*(known for known in self._in_children if known()), weakref.WeakMethod(method)]

    def _register(self) -> None:
        # not earlier: in a child, functions run in the order of their registration, and filelock's have to run before ours
        if not self._registered and hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before, after_in_parent=self._after_in_parent, after_in_child=self._after_in_child
            )
        self._registered = True

    def _before(self) -> None:
        deadline = Deadline(PATIENCE)
        self._held = self._guard.acquire(timeout=deadline.left() or 0.0)
        self._told = list(self._watching)
        for who in self._told:
            who.before_fork(deadline)

    def _after_in_parent(self) -> None:
        told, self._told = self._told, []
        for who in told:
            who.after_fork_in_parent()
        if self._held:
            self._guard.release()

    def _after_in_child(self) -> None:
        self._guard = threading.Lock()
        told, self._told = self._told, []
        for who in told:
            who.after_fork_in_child()
        for known in self._in_children:
            method = known()
            if method is not None:
                method()


#: The forks of this process.
FORKS = Forks()
