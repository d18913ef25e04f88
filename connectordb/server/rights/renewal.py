"""Replacing password hashes that were imported, or made with less work, by new ones after a login, without delaying it."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future

from ...exceptions import ClosedError
from ..crew import Busy, Crew
from ..storage import Storage, User, Writer
from .passwords import hash_password, is_to_be_renewed

log = logging.getLogger(__name__)


class Renewals:
    """
    The replacements under way, at most one for each user. If one fails, that is logged, and the next login tries again.

    Args:
        storage: Where the users are.
        hashers: The threads that compute hashes.
    """

    def __init__(self, storage: Storage, hashers: Crew) -> None:
        self._storage = storage
        self._hashers = hashers
        # guards the ids of the users whose hash is being replaced
        self._lock = threading.Lock()
        self._under_way: set[int] = set()

    def offer(self, user: User, password: str) -> None:
        """Have a user's hash replaced if it is outdated; *password* is the right one. Returns at once."""
        if not is_to_be_renewed(password, user.password):
            return
        with self._lock:
            if user.id in self._under_way:
                return
            self._under_way.add(user.id)
        try:
            self._hashers.submit(lambda: hash_password(password)).add_done_callback(
                lambda future: self._hashed(user, future)
            )
        except (Busy, ClosedError) as error:
            self._end(user, error)

    def _hashed(self, user: User, future: Future[str]) -> None:
        """Store the new hash; runs on the thread that computed it."""
        try:
            new = future.result()
            self._storage.write(lambda writer: _replace(writer, user, new)).add_done_callback(
                lambda stored: self._end(user, None if stored.cancelled() else stored.exception())
            )
        # BaseException, because a future that is cancelled when the server ends raises one
        except BaseException as error:
            self._end(user, error)

    def _end(self, user: User, error: BaseException | None) -> None:
        with self._lock:
            self._under_way.discard(user.id)
        if error is not None:
            log.info("the password hash of %s was not replaced; the next login tries again: %r", user.name, error)


def _replace(writer: Writer, user: User, new: str) -> None:
    now = writer.find((user.name,)).user
    # not if the password was changed meanwhile, or the user deleted and created again
    if now is not None and (now.id, now.password) == (user.id, user.password):
        writer.update_user(user.id, {"password": new})
        log.info("the password hash of %s was replaced by one by scrypt", user.name)
