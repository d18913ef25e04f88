"""`Login`: the credentials that are sent with each request, whose they are, and what is done when they are refused."""

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


#: The seconds between two attempts to log in, with ``wait=``.
_PATIENCE = {"first": 0.5, "longest": 10.0}


class Calls(Protocol):
    """The parts of a session that are needed to log in; see `connectordb.client.session.Session` for each."""

    clock: Clock

    @property
    def url(self) -> str:
        """The server's address."""

    def send_as_is(self, request: rest.Request[T], once: bool) -> T:
        """Send a request without logging in first."""

    def time_for_a_call(self) -> Deadline:
        """Return the deadline of a call that begins now."""

    def pause(self, seconds: float) -> None:
        """Sleep; raise if the session is closed meanwhile."""


class Login:
    """
    Who is logged in, and with which credentials.

    A password is used only to learn the API key of the user's device, which then goes with requests. If the key is refused later,
    the password is used once more.

    Args:
        calls: Asks the server.
        credentials: The caller's.
    """

    def __init__(self, calls: Calls, credentials: Credentials) -> None:
        self._calls = calls
        #: What is sent with requests. Always replaced and never changed, so that one can tell by identity whether they are current.
        self.credentials = credentials
        self._renewing: Credentials | None = None
        #: The password, while it may be used to get a new key.
        self._password = credentials if credentials.are_a_password else None
        self._path: Path | None = None
        self.begin_in_process()

    def begin_in_process(self) -> None:
        """Begin with no thread that is logging in: at the start, and in a forked child."""
        # one thread logs in at a time, and the others wait for it
        self._logging_in = threading.RLock()
        if self._renewing is not None and self.credentials.are_a_password:
            # the parent's thread that was renewing the key would not have left the password in place, either
            self.credentials = self._renewing
        #: The value of the ``Authorization`` header now; ``None`` for nobody.
        self.header = self.credentials.header
        #: The refused credentials, while a thread uses the password to get others. Until then other threads wait: with the password
        #: each of their requests would cost the server a slow check.
        self._renewing = None

    @property
    def path(self) -> Path:
        """The path of the device that is logged in, or ``nobody``; asks the server at the first use."""
        if self._path is None:
            with self._alone():
                if self._path is None:
                    self._login()
        assert self._path is not None
        return self._path

    @property
    def path_if_known(self) -> Path | None:
        """The same without asking the server; ``None`` if it is not known yet."""
        return self._path

    def use(self, credentials: Credentials) -> None:
        """Go on with other credentials of the same device. The header is set first: see `Calls._exchange`."""
        self.header, self.credentials = credentials.header, credentials

    def first(self) -> None:
        """Log in before the first request if there is a password, which every request would have checked; or wait for a login."""
        if self._renewing is not None or (self._path is None and self.credentials.are_a_password):
            with self._alone():
                if self._path is None:
                    self._login()

    def login(self, wait: float = 0.0) -> rest.Fields | None:
        """
        Ask the server who this is; if there is a password, go on with the device's API key.

        Args:
            wait: Seconds to keep trying while there is no server.

        Returns:
            The device's metadata, if they were read to get the key.

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
        Try to get other credentials than those that the server *refused*, and return whether there are any.

        Another thread may have got them meanwhile, or may be doing so. Otherwise the password, if there is one, gets a new key.
        """
        if refused.are_a_password or (self._password is None and self.credentials is refused):
            return self.credentials is not refused
        with self._alone():
            password = self._password
            if self.credentials is not refused:
                return True
            if password is None:  # the thread that was waited for found that the password is refused, too
                return False
            log.info("%s refused the key of %s; logging in again", self._calls.url, password.name)
            try:
                self._renewing = refused
                self.use(password)
                self._login()
            except AuthenticationError:
                self._password = None  # it would be refused again, after a check that is slow for the server
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
            # go on with the key, as every check of a password costs the server a slow hash; if it is not shown, keep the password
            with suppress(NotFound):
                device = send(rest.read(path), once)
                if device.get("apikey"):
                    self.use(Credentials(secret=device["apikey"]))
        self._path = path
        return device

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads from logging in during the block; wait for one that does so for as long as a call may take."""
        left = self._calls.time_for_a_call().left()
        lock = self._logging_in
        try:
            if not lock.acquire(timeout=-1 if left is None else min(left, threading.TIMEOUT_MAX)):
                raise TimedOut(
                    f"logging in at {self._calls.url}: another thread has been at it for as long as a call may take"
                )
            yield
        finally:
            with suppress(RuntimeError):  # it was not acquired: the time was up, or Ctrl-C came before
                lock.release()

    def _refused(self, refused: AuthenticationError) -> AuthenticationError:
        """Return the exception for a refused login with a message that says which credentials were refused; the server's does not."""
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
