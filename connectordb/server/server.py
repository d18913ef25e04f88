"""The server as an object: a thread with an event loop in it, a database folder, a socket."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import FrameType, TracebackType

from ..exceptions import ClosedError, ConnectorDBError
from ..runtime.worker import Worker
from .app import App
from .database import Database
from .database import open as open_database
from .service import LOGIN_DELAY, Service
from .websocket import Timing

log = logging.getLogger(__name__)

#: Seconds that starting and stopping may take.
START_TIMEOUT = 30.0
CLOSE_TIMEOUT = 20.0

#: Seconds after which the thread that waits in `Server.run` looks up; on some systems a signal is seen only then.
_TICK = 1.0


class Server:
    """
    A ConnectorDB server on a database folder, in a thread of its own.

    Used as ``with Server(directory) as server:``, or with `start` and `close`, or with `run` for a program that does nothing
    else. Once closed it is not started again; make another one.

    Args:
        directory: A folder that `create` made.
        host: The address to listen on. Anything but a loopback address lets others in, and what they send is not encrypted.
        port: The port; 0 takes one that is free.
        login_delay: Seconds that a refused login waits for its answer.
        timing: How patient websockets are.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        login_delay: float = LOGIN_DELAY,
        timing: Timing | None = None,
    ) -> None:
        self._directory = directory
        self._host = host
        self._port = port
        self._login_delay = login_delay
        self._timing = timing or Timing()
        # guards what follows; held while the server starts or closes
        self._lock = threading.Lock()
        self._closed = False
        self._database: Database | None = None
        self._worker: Worker | None = None
        self._url = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        #: Set when the server has ended, and why, if it was not told to.
        self._ended = threading.Event()
        self._crash: BaseException | None = None

    @property
    def url(self) -> str:
        """Where it listens, as clients want it."""
        if not self._url:
            raise ClosedError("this server does not listen yet: start() it")
        return self._url

    def start(self) -> None:
        """
        Open the database and listen; when this returns, requests are answered. Does nothing if it has been started already.

        Raises:
            DatabaseInUse: Another server has the folder open.
            StorageError: It is no database folder, or cannot be read and written.
            OSError: The port is taken, or the address is none of this machine's.
            ClosedError: The server was closed.
        """
        with self._lock:
            if self._closed:
                raise ClosedError("this server was closed; make another one")
            if self._worker is not None:
                return
            listener = _listen(self._host, self._port)
            try:
                database = open_database(self._directory)
            except BaseException:
                listener.close()
                raise
            ready: Future[None] = Future()
            worker = Worker("server", lambda _: self._serve(database, listener, ready), self._crashed)
            worker.start()
            try:
                ready.result(START_TIMEOUT)
                self._url = _url(self._host, listener)
                database.announce(self._url)
            except BaseException:
                self._end(worker, database)
                listener.close()
                raise
            self._worker, self._database = worker, database
        log.info("listening at %s, on %s", self._url, database.directory)

    def close(self) -> None:
        """
        Take no more requests, finish those under way, and close everything; may be called again.

        Raises:
            ConnectorDBError: It has not ended in time.
        """
        with self._lock:
            self._closed = True
            worker, self._worker = self._worker, None
            database, self._database = self._database, None
            try:
                if worker is not None and database is not None:
                    self._end(worker, database)
                    log.info("stopped listening at %s", self._url)
            finally:
                self._ended.set()

    def run(self, started: Callable[[str], object] | None = None) -> None:
        """
        Serve until SIGINT (Ctrl-C), SIGTERM, or `close` in another thread; then everything is closed.

        Args:
            started: Called with the server's `url` once it listens, and a signal ends it well.

        Raises:
            As `start`; and ConnectorDBError if the server ended by an error of its own.
        """
        asked = self._ended

        def end(number: int, frame: FrameType | None) -> None:
            log.info("ending: signal %s", signal.Signals(number).name)
            asked.set()

        before = {}
        if threading.current_thread() is threading.main_thread():  # nobody else may handle signals
            before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self.start()
            if started is not None:
                started(self.url)
            while not asked.wait(_TICK):
                pass
        finally:
            # before closing: a second Ctrl-C does not wait
            for number, handler in before.items():
                signal.signal(number, handler)
            self.close()
        if self._crash is not None:
            raise ConnectorDBError("the server ended by an error of its own; its log says more") from self._crash

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        """Return the folder, and where it listens."""
        return f"<Server {os.fspath(self._directory)!r} {self._url or 'not started'}>"

    # --- the thread ---

    def _serve(self, database: Database, listener: socket.socket, ready: Future[None]) -> None:
        try:
            asyncio.run(self._main(database, listener, ready))
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
                return
            raise
        finally:
            listener.close()

    async def _main(self, database: Database, listener: socket.socket, ready: Future[None]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        service = Service(database.storage, login_delay=self._login_delay)
        try:
            app = App(service, self._timing)
            await app.start(listener)
            ready.set_result(None)
            await self._stop.wait()
            await app.stop()
        finally:
            service.close()

    def _crashed(self, error: BaseException) -> None:
        self._crash = error
        self._ended.set()

    def _end(self, worker: Worker, database: Database) -> None:
        """End the thread, then the database."""
        try:
            if self._loop is not None and self._stop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._stop.set)
            if not worker.join(CLOSE_TIMEOUT):
                raise ConnectorDBError(f"the server at {self._url} has not ended after {CLOSE_TIMEOUT:g} seconds")
        finally:
            database.close()


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound; what goes wrong says where."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        unknown = isinstance(error, socket.gaierror)
        # socket adds the address once more, in words of its own
        why = error.strerror if unknown or error.errno is None else os.strerror(error.errno)
        if unknown or error.errno == errno.EADDRNOTAVAIL:
            todo = "give an address of this machine, such as 127.0.0.1"
        else:
            todo = "give another port, or 0 for one that is free"
        raise type(error)(f"listening at {host}:{port}: {why}; {todo}") from error


def _url(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    reachable = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
