"""Reading a permission file again whenever it is saved, on a thread of its own. If it is not valid, nothing changes."""

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

#: Seconds between two looks at the file.
PERIOD = 1.0

#: Seconds that the thread may take to end; it may be reading a small file.
_CLOSE_TIMEOUT = 10.0


class PermissionWatch:
    """
    Watches a permission file, until `close`.

    The file is read when this is made, so that a server does not start with an invalid one. Watching begins with `start`, unless
    the file itself forbids it (``"watch": false``), and ends when the file comes to forbid it.

    Args:
        path: The file.
        period: Seconds between two looks at it.

    Attributes:
        permissions: The permissions in the file, as they were when it was last valid.

    Raises:
        ConfigurationError: It cannot be read, or something in it is not valid.
    """

    def __init__(self, path: str | os.PathLike[str], *, period: float = PERIOD) -> None:
        self._path = path
        self._period = period
        # the mark is taken before the file is read, so a change in between is noticed later
        self._seen = mark(path)
        self.permissions = load(path)
        self._apply: Callable[[Permissions], object] = lambda permissions: None
        self._worker = Worker("permissions", self._run)

    def start(self, apply: Callable[[Permissions], object]) -> None:
        """Whenever the permissions in the file change, call *apply* with them, on the thread."""
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
            log.info("applied the permissions in %r", os.fspath(self._path))


def follow(
    section: Section, folder: Path, apply: Callable[[Permissions], object], *, period: float = PERIOD
) -> PermissionWatch | None:
    """
    Apply the permission file that a server's configuration names, now and whenever it is saved; without one, do nothing.

    Args:
        section: The configuration.
        folder: The folder that the file's name is relative to.
        apply: Applies permissions; called at once on this thread, and later on another.
        period: Seconds between two looks at the file.

    Raises:
        ConfigurationError: It cannot be read, or something in it is not valid.
    """
    if not section.file:
        return None
    watch = PermissionWatch(folder / section.file, period=period)
    apply(watch.permissions)
    if section.watch:
        watch.start(apply)
    return watch
