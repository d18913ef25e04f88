"""
Who is told of a fork: SQLite's connections must not be carried across one.

A child has neither the locks nor the threads of its parent, but a copy of SQLite's notes about both, also for connections that
it opens itself. So the open files' connections are closed before a fork, by who waits for their turn, and both sides open
them again when they need them. Programs that are started (`subprocess`) do not come through here.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Protocol

from ...runtime.clock import Deadline

#: Seconds that a fork waits for those who write and read; what is not free then cannot be used in the child.
PATIENCE = 5.0


class Forked(Protocol):
    """Something that has to get ready for a fork."""

    def before_fork(self, deadline: Deadline) -> None:
        """Get ready, until *deadline* at most."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Begin anew: no thread but this one is here."""


class Forks:
    """Those who have to know; it keeps none of them alive."""

    def __init__(self) -> None:
        # guards the three below; held from before a fork until after it
        self._guard = threading.Lock()
        self._watching: weakref.WeakSet[Forked] = weakref.WeakSet()
        self._in_children: list[weakref.WeakMethod[Callable[[], None]]] = []
        self._registered = False
        # written by who forks
        self._held = False
        self._told: list[Forked] = []

    def tell(self, who: Forked) -> None:
        """Tell *who* of every fork from now on."""
        with self._guard:
            self._register()
            self._watching.add(who)

    def call_in_child(self, method: Callable[[], None]) -> None:
        """Call *method*, that of an object, in every child; after those who got ready for the fork."""
        with self._guard:
            self._register()
            self._in_children = [*(known for known in self._in_children if known()), weakref.WeakMethod(method)]

    def _register(self) -> None:
        # not before: in a child those who registered first come first, and a library of ours (filelock) should
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


#: Those of this process.
FORKS = Forks()
