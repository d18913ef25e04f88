"""The server as an object: a thread with an event loop in it, a database folder, a socket."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from types import FrameType, TracebackType

from ..exceptions import ClosedError, ConfigurationError, ConnectorDBError
from ..runtime.worker import Worker
from .app import App
from .config import DEFAULT, Config, Listen, configured
from .cookies import load_secret
from .database import Database
from .database import open as open_database
from .forgetting import forget_old_keys
from .proxies import is_loopback
from .service import Service
from .service_manager import notify
from .tls import Certificate
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
        config: All settings; without it, those of the file ``connectordb.toml`` in the folder, and the defaults where there
            is none. What follows overrides it.
        host: The address to listen on.
        port: The port; 0 takes one that is free, which is also what is done where nothing says anything.
        login_delay: Seconds that a refused login waits for its answer.
        timing: How patient websockets are.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        config: Config | None = None,
        host: str | None = None,
        port: int | None = None,
        login_delay: float | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._directory = directory
        self._given = config
        self._host = host
        self._port = port
        self._login_delay = login_delay
        self._timing = timing
        self._certificate: Certificate | None = None
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
            ConfigurationError: A setting makes no sense, or would let others read what is sent.
            OSError: The port is taken, or the address is none of this machine's.
            ClosedError: The server was closed.
        """
        with self._lock:
            if self._closed:
                raise ClosedError("this server was closed; make another one")
            if self._worker is not None:
                return
            config = self._configured()
            listen = config.listen
            tls = self._certificate = Certificate(listen.tls_cert, listen.tls_key) if listen.tls_cert else None
            listener = _listen(listen.host, listen.port)
            try:
                database = open_database(self._directory)
            except BaseException:
                listener.close()
                raise
            ready: Future[None] = Future()
            worker = Worker("server", lambda _: self._serve(config, database, listener, ready), self._crashed)
            worker.start()
            try:
                ready.result(START_TIMEOUT)
                self._url = _url(listen.host, listener, "https" if tls else "http")
                database.announce(self._url)
            except BaseException:
                self._end(worker, database)
                listener.close()
                raise
            self._worker, self._database = worker, database
        log.info("listening at %s, on %s", self._url, database.directory)

    def reload(self) -> None:
        """Load the certificate's files again; new connections use them. Done by itself some seconds after they changed."""
        if self._certificate is not None:
            self._certificate.look(again=True)

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

        SIGHUP does `reload`. A service manager that gave ``NOTIFY_SOCKET`` (systemd) is told when it listens and when it stops.

        Args:
            started: Called with the server's `url` once it listens, and a signal ends it well.

        Raises:
            As `start`; and ConnectorDBError if the server ended by an error of its own.
        """
        asked, again = self._ended, threading.Event()

        def end(number: int, frame: FrameType | None) -> None:
            log.info("ending: signal %s", signal.Signals(number).name)
            asked.set()

        before = {}
        if threading.current_thread() is threading.main_thread():  # nobody else may handle signals
            before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
            if hasattr(signal, "SIGHUP"):  # not on Windows
                before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: again.set())
        try:
            self.start()
            notify("READY=1")
            if started is not None:
                started(self.url)
            while not asked.wait(_TICK):
                if again.is_set():
                    again.clear()
                    self.reload()
            notify("STOPPING=1")
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

    def _configured(self) -> Config:
        """Return the settings that hold, the arguments put over them."""
        config = self._given or configured(self._directory)
        listen = config.listen
        listen = replace(
            listen,
            host=listen.host if self._host is None else self._host,
            port=self._port if self._port is not None else listen.port if config is not DEFAULT else 0,
        )
        delay = config.login.refused_delay if self._login_delay is None else self._login_delay
        _refuse_exposure(listen)
        return replace(config, listen=listen, login=replace(config.login, refused_delay=delay))

    # --- the thread ---

    def _serve(self, config: Config, database: Database, listener: socket.socket, ready: Future[None]) -> None:
        try:
            asyncio.run(self._main(config, database, listener, ready))
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
                return
            raise
        finally:
            listener.close()

    async def _main(self, config: Config, database: Database, listener: socket.socket, ready: Future[None]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        service = Service(database.storage, login_delay=config.login.refused_delay)
        forgetting = asyncio.ensure_future(forget_old_keys(database.storage, config.idempotency.seconds))
        try:
            app = App(
                service,
                self._timing or Timing.of(config.websocket),
                config,
                self._tls(),
                load_secret(database.directory),
            )
            app.start(listener)
            ready.set_result(None)
            await self._stop.wait()
            await app.stop()
        finally:
            forgetting.cancel()
            service.close()

    def _tls(self) -> Callable[[], ssl.SSLContext] | None:
        return self._certificate.context if self._certificate else None

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


def _refuse_exposure(listen: Listen) -> None:
    if not (listen.tls_cert or listen.unencrypted or is_loopback(listen.host)):
        raise ConfigurationError(
            f"listening at {listen.host or 'all addresses'} without TLS: whoever is on the network could read passwords and "
            "data; give a certificate (--tls-cert, listen.tls_cert), or listen on 127.0.0.1 behind a reverse proxy, or say "
            "that it may be so (--unencrypted, listen.unencrypted = true)"
        )


def _url(host: str, listener: socket.socket, scheme: str) -> str:
    port = listener.getsockname()[1]
    reachable = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://[{reachable}]:{port}" if ":" in reachable else f"{scheme}://{reachable}:{port}"
