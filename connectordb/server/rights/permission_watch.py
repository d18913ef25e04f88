"""A permission file that is read again when it is saved, on a thread of its own; what is wrong then leaves all as it was."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from ...exceptions import ConfigurationError
from ...runtime.worker import Worker
from ..config import Permissions as Section
from ..file_marks import mark
from .permission_files import load
from .permissions import Permissions

log = logging.getLogger(__name__)

#: Seconds between looks at the file.
PERIOD = 1.0

#: Seconds for the thread to end: it reads one small file at most.
_CLOSE_TIMEOUT = 10.0


class PermissionWatch:
    """
    Watches a permission file, until `close`.

    Made with the file read once, so that a server does not start with a bad one. Watching begins with `start`, unless the file
    itself says no (``"watch": false``), and ends when it comes to say so.

    Args:
        path: The file.
        period: Seconds between looks at it.

    Attributes:
        permissions: What the file says, or said when there was last nothing wrong with it.

    Raises:
        ConfigurationError: It cannot be read, or something in it makes no sense.
    """

    def __init__(self, path: str | os.PathLike[str], *, period: float = PERIOD) -> None:
        self._path = path
        self._period = period
        # the mark is older than what is read: a file that changes meanwhile is read once more
        self._seen = mark(path)
        self.permissions = load(path)
        self._apply: Callable[[Permissions], object] = lambda permissions: None
        self._worker = Worker("permissions", self._run)

    def start(self, apply: Callable[[Permissions], object]) -> None:
        """Call *apply*, on the thread, with what the file says whenever that changes."""
        self._apply = apply
        if self.permissions.watch:
            self._worker.start()

    def close(self) -> None:
        """End the thread; may be called again."""
        self._worker.stop()
        self._worker.join(_CLOSE_TIMEOUT)

    def _run(self, stopping: threading.Event) -> None:
        while self.permissions.watch and not stopping.wait(self._period):
            self._look()

    def _look(self) -> None:
        now = mark(self._path)
        if now == self._seen:
            return
        self._seen = now
        try:
            permissions = load(self._path)
        except ConfigurationError as error:
            log.error("%s; the permissions stay as they were", error)
            return
        if permissions != self.permissions:
            self.permissions = permissions
            self._apply(permissions)
            log.info("took on the permissions in %r", os.fspath(self._path))


def follow(
    section: Section, folder: Path, apply: Callable[[Permissions], object], *, period: float = PERIOD
) -> PermissionWatch | None:
    """
    Apply the permission file that a server's configuration names, now and whenever it is saved; without one, do nothing.

    Args:
        section: The configuration.
        folder: What the file's name is relative to.
        apply: Takes on permissions; called from another thread later.
        period: Seconds between looks at the file.

    Raises:
        ConfigurationError: It cannot be read, or something in it makes no sense.
    """
    if not section.file:
        return None
    watch = PermissionWatch(folder / section.file, period=period)
    apply(watch.permissions)
    if section.watch:
        watch.start(apply)
    return watch
