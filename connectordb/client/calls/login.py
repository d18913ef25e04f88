"""Who calls: the credentials that go with each request, finding out whose they are, and what is done when they are refused."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol, TypeVar

from ...exceptions import (
    AuthenticationError,
    ConnectionFailed,
    LocalProtocolError,
    NotFound,
    ServerError,
    ServerTrouble,
    TimedOut,
)
from ...protocol import rest
from ...protocol.paths import Path
from ...runtime.clock import Clock, Deadline
from ..settings import Credentials
from ..terms.notes import with_note

log = logging.getLogger(__name__)

T = TypeVar("T")


#: Between two attempts to log in, with ``wait=``.
_PATIENCE = {"first": 0.5, "longest": 10.0}


class Calls(Protocol):
    """What of a session is needed to log in."""

    clock: Clock

    @property
    def url(self) -> str:
        """The server."""

    def send_as_is(self, request: rest.Request[T], once: bool) -> T:
        """Send a request with the credentials that there are; *once*: whoever asks tries again himself."""

    def time_for_a_call(self) -> Deadline:
        """Return when a call that begins now has to have ended."""

    def pause(self, seconds: float) -> None:
        """Wait; raise if the session is closed meanwhile."""


class Login:
    """
    One caller.

    Args:
        calls: How the server is asked.
        credentials: Who says so.
    """

    def __init__(self, calls: Calls, credentials: Credentials) -> None:
        self._calls = calls
        #: Those that go with requests. Replaced as a whole, so that who holds them can tell whether they are still the ones.
        self.credentials = credentials
        self._renewing: Credentials | None = None
        #: With which a new key can be had.
        self._password = credentials if credentials.are_a_password else None
        self._path: Path | None = None
        self.begin_in_process()

    def begin_in_process(self) -> None:
        """Begin without a thread that is logging in: at the start, and in a child process."""
        # one thread logs in at a time, and the others wait for it
        self._logging_in = threading.RLock()
        if self._renewing is not None and self.credentials.are_a_password:
            self.credentials = (
                self._renewing
            )  # as it would be with the thread that was at it: requests carry no password
        #: What the ``Authorization`` header says now, or ``None`` for nobody.
        self.header = self.credentials.header
        #: What was refused, while it does so on that account: others wait, or their requests would have the password checked, each.
        self._renewing = None

    @property
    def path(self) -> Path:
        """The caller: the device that is logged in, or ``nobody``; asks the server when first used."""
        if self._path is None:
            with self._alone():
                if self._path is None:
                    self._login()
        assert self._path is not None
        return self._path

    @property
    def path_if_known(self) -> Path | None:
        """The same without a request."""
        return self._path

    def use(self, credentials: Credentials) -> None:
        """Go on with other ones of the same device."""
        self.header, self.credentials = credentials.header, credentials

    def first(self) -> None:
        """Log in now if every request would otherwise have a password checked; or wait for who does."""
        if self._renewing is not None or (self._path is None and self.credentials.are_a_password):
            with self._alone():
                if self._path is None:
                    self._login()

    def login(self, wait: float = 0.0) -> rest.Fields | None:
        """
        Ask the server who this is, and after a password go on with the device's API key.

        Args:
            wait: Seconds to keep trying while there is no server.

        Returns:
            The device's metadata, if they had to be read.

        Raises:
            AuthenticationError: The credentials were refused.
        """
        if isinstance(wait, bool) or not isinstance(wait, (int, float)) or not wait >= 0:
            raise LocalProtocolError(f"wait={wait!r}: expected seconds, 0 or more")
        deadline = Deadline(wait, self._calls.clock)
        failures = 0
        while True:
            try:
                with self._alone():
                    return self._login(once=wait > 0)
            except (ConnectionFailed, ServerError) as error:
                failures += 1
                left = deadline.left() or 0.0
                if left == 0.0:
                    raise
                pause = min(left, max(_pause(failures), getattr(error, "retry_after", None) or 0.0))
                log.info("%s; trying again in %.1f s", error, pause)
                self._calls.pause(pause)

    def renew(self, refused: Credentials) -> bool:
        """
        Get other credentials than those that the server *refused*; tell whether there are any.

        Another thread may have got them meanwhile, or be about to. A key that came with a password is asked for once more.
        """
        if refused.are_a_password or (self._password is None and self.credentials is refused):
            return self.credentials is not refused
        with self._alone():
            password = self._password
            if self.credentials is not refused:
                return True
            if password is None:  # the one that was waited for has found that it is refused, too
                return False
            log.info("%s refused the key of %s; logging in again", self._calls.url, password.name)
            try:
                self._renewing = refused
                self.use(password)
                self._login()
            except AuthenticationError:
                self._password = None  # each check is slow for the server, and its answer will be the same
                self.use(refused)
                return False
            except BaseException:
                self.use(refused)
                raise
            finally:
                self._renewing = None
        return True

    def _login(self, once: bool = False) -> rest.Fields | None:
        send = self._calls.send_as_is
        with_password = self.credentials.are_a_password
        try:
            path = send(rest.whoami(), once)
        except AuthenticationError as refused:
            if refused.status != 401 or isinstance(refused, ServerTrouble):
                raise
            raise self._refused(refused) from refused
        device: rest.Fields | None = None
        if with_password:
            # every check of a password costs the server a slow hash; where the key is not shown, the password goes on
            with suppress(NotFound):
                device = send(rest.read(path), once)
                if device.get("apikey"):
                    self.use(Credentials(secret=device["apikey"]))
        self._path = path
        return device

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Log in by no other thread; wait for it no longer than a call may take."""
        left = self._calls.time_for_a_call().left()
        lock = self._logging_in
        try:
            if not lock.acquire(timeout=-1 if left is None else min(left, threading.TIMEOUT_MAX)):
                raise TimedOut(
                    f"logging in at {self._calls.url}: another thread has been at it for as long as a call may take"
                )
            yield
        finally:
            with suppress(RuntimeError):  # it is not ours: the time was up, or Ctrl-C came before
                lock.release()

    def _refused(self, refused: AuthenticationError) -> AuthenticationError:
        """Say of a refused login what was refused, which the server's own words leave open."""
        hint = (
            "" if self.credentials.are_a_password else "; is it a key of this server, and the newest one of its device?"
        )
        told = type(refused)(with_note(f"{self._calls.url} did not accept {self.credentials}: {refused.message}", hint))
        message, args = told.message, told.args
        told.__dict__.update(refused.__dict__)
        told.message, told.args, told.about = message, args, ""
        return told


def _pause(failures: int) -> float:
    from ...runtime.backoff import Backoff  # few programs need it

    return Backoff(**_PATIENCE).seconds(failures, random.random)
