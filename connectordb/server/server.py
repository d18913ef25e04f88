"""The server as an object: a database folder, a socket, and a thread with an event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ..exceptions import ClosedError, ConfigurationError, ConnectorDBError
from ..runtime.worker import Worker
from .config import DEFAULT, Config, Listen
from .config_file import configured
from .database import Database
from .database import open as open_database
from .forgetting import forget_the_old
from .operation.health import Health
from .operation.service_manager import notify
from .rights.permission_watch import PermissionWatch, follow
from .service import Service
from .web.app import App
from .web.cookies import load_secret
from .web.listening import bound, refuse_exposure, url
from .web.tls import Certificate

if TYPE_CHECKING:
    from .web.metrics_port import MetricsPort

log = logging.getLogger(__name__)

#: Seconds that starting and stopping may take.
START_TIMEOUT = 30.0
CLOSE_TIMEOUT = 20.0

#: Seconds after which the wait in `Server.run` is interrupted: on some systems a signal is noticed only then.
_TICK = 1.0


class Server:
    """
    A ConnectorDB server on a database folder, in a thread of its own.

    Use it as ``with Server(directory) as server:``, with `start` and `close`, or with `run` in a program that does nothing
    else. A closed server cannot be started again; make another one.

    Args:
        directory: A folder that `create` made.
        config: All settings. Without it, those of the file ``connectordb.toml`` in the folder; without that, the defaults.
            The arguments below override it.
        host: The address to listen on.
        port: The port; 0 takes a free one. Without this and without any configuration, a free one is taken too.
        login_delay: Seconds that a refused login waits for its answer.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        config: Config | None = None,
        host: str | None = None,
        port: int | None = None,
        login_delay: float | None = None,
    ) -> None:
        self._directory = directory
        self._given = config
        self._host = host
        self._port = port
        self._login_delay = login_delay
        self._certificate: Certificate | None = None
        # guards all that follows; held while the server starts or closes
        self._lock = threading.Lock()
        self._closed = False
        self._database: Database | None = None
        self._worker: Worker | None = None
        self._url = ""
        self._metrics_url: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        #: Set when the server has ended; and the error, if it ended by itself.
        self._ended = threading.Event()
        self._crash: BaseException | None = None

    @property
    def url(self) -> str:
        """The server's URL, for clients."""
        if not self._url:
            raise ClosedError("this server does not listen yet: start() it")
        return self._url

    @property
    def metrics_url(self) -> str | None:
        """The URL of the figures for Prometheus; `None` if they are off."""
        return self._metrics_url

    def start(self) -> None:
        """
        Open the database and listen; when this returns, requests are answered. Does nothing if the server was started already.

        Raises:
            DatabaseInUse: Another server has the folder open.
            StorageError: It is no database folder, or cannot be read and written.
            ConfigurationError: A setting makes no sense, or would let others read what is sent.
            OSError: The port is taken, or the address does not belong to this machine.
            ClosedError: The server was closed.
        """
        with self._lock:
            if self._closed:
                raise ClosedError("this server was closed; make another one")
            if self._worker is not None:
                return
            config = self._configured()
            listen = config.listen
            tls = self._certificate = self._loaded(listen)
            # before the port: if a server of this very folder is running, that is the error to report, not its port
            database = open_database(self._directory, config.storage)
            try:
                sockets = _Sockets.bound(config)
            except BaseException:
                database.close()
                raise
            ready: Future[None] = Future()
            worker = Worker("server", partial(self._serve, config, database, sockets, ready), self._crashed)
            try:
                worker.start()
                ready.result(START_TIMEOUT)
                self._url = url(listen.host, sockets.main, "https" if tls else "http")
                if sockets.metrics is not None:
                    self._metrics_url = url(config.metrics.host, sockets.metrics) + "/metrics"
                database.announce(self._url)
            except BaseException:
                self._end(worker, database)
                sockets.close()
                raise
            self._worker, self._database = worker, database
        log.info("listening at %s, on %s", self._url, database.directory)

    def reload(self) -> None:
        """Load the certificate's files again, for new connections. This also happens by itself a few seconds after they change."""
        if self._certificate is not None:
            self._certificate.look(again=True)

    def close(self) -> None:
        """
        Accept no more requests, finish those under way, and close everything. May be called again.

        Raises:
            ConnectorDBError: The server has not ended in time.
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

    def run(self, started: Callable[[str], object] | None = None, reloaded: Callable[[], object] | None = None) -> None:
        """
        Serve until SIGINT (Ctrl-C), SIGTERM, or `close` in another thread; then everything is closed.

        SIGHUP calls `reload`. A service manager that sets ``NOTIFY_SOCKET`` (systemd) is told when the server listens and when it
        stops.

        Args:
            started: Called with the server's `url` once it listens and signals end it properly.
            reloaded: Called after `reload` when SIGHUP came.

        Raises:
            As `start`; and ConnectorDBError if the server ended by an error of its own.
        """
        asked, again = self._ended, threading.Event()

        def end(number: int, frame: FrameType | None) -> None:
            log.info("ending: signal %s", signal.Signals(number).name)
            asked.set()

        before = {}
        if threading.current_thread() is threading.main_thread():  # Python lets no other thread handle signals
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
                    if reloaded is not None:
                        reloaded()
            notify("STOPPING=1")
        finally:
            # before closing, so that a second Ctrl-C ends the program without waiting for that
            for number, handler in before.items():
                signal.signal(number, handler)
            self.close()
        if self._crash is not None:
            raise ConnectorDBError("the server ended by an error of its own; its log says more") from self._crash

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        """Return the folder and the URL."""
        return f"<Server {os.fspath(self._directory)!r} {self._url or 'not started'}>"

    def _configured(self) -> Config:
        """Return the settings, with those that were given as arguments put over them."""
        config = self._given or configured(self._directory)
        listen = config.listen
        listen = replace(
            listen,
            host=listen.host if self._host is None else self._host,
            port=self._port if self._port is not None else listen.port if config is not DEFAULT else 0,
        )
        delay = config.login.refused_delay if self._login_delay is None else self._login_delay
        refuse_exposure(listen)
        return replace(config, listen=listen, login=replace(config.login, refused_delay=delay))

    # --- the thread ---

    def _serve(
        self,
        config: Config,
        database: Database,
        sockets: _Sockets,
        ready: Future[None],
        stopping: threading.Event,
    ) -> None:
        try:
            asyncio.run(self._main(config, database, sockets, ready, stopping))
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
                return
            raise
        finally:
            sockets.close()

    async def _main(
        self,
        config: Config,
        database: Database,
        sockets: _Sockets,
        ready: Future[None],
        stopping: threading.Event,
    ) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        if stopping.is_set():  # it was set before there was a loop that could be told
            self._stop.set()
        service = Service(database.storage, config=config)
        watch: PermissionWatch | None = None
        forgetting = asyncio.ensure_future(forget_the_old(database.storage, config.idempotency.seconds))
        try:
            watch = follow(config.permissions, database.directory, service.adopt)
            app = App(
                service,
                config,
                self._tls(),
                load_secret(database.directory),
                Health(database.storage, database.directory),
            )
            port = _metrics_port(app, service, database) if sockets.metrics is not None else None
            app.start(sockets.main)
            if port is not None and sockets.metrics is not None:
                port.start(sockets.metrics)
            ready.set_result(None)
            await self._stop.wait()
            await app.stop()
            if port is not None:
                await port.stop()
        finally:
            forgetting.cancel()
            if watch is not None:
                watch.close()
            service.close()

    def _loaded(self, listen: Listen) -> Certificate | None:
        folder = Path(self._directory)
        key = folder / listen.tls_key if listen.tls_key else ""
        return Certificate(folder / listen.tls_cert, key) if listen.tls_cert else None

    def _tls(self) -> Callable[[], ssl.SSLContext] | None:
        return self._certificate.context if self._certificate else None

    def _crashed(self, error: BaseException) -> None:
        self._crash = error
        self._ended.set()

    def _end(self, worker: Worker, database: Database) -> None:
        """End the thread, then the database."""
        try:
            worker.stop()
            if self._loop is not None and self._stop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._stop.set)
            if not worker.join(CLOSE_TIMEOUT):
                raise ConnectorDBError(f"the server at {self._url} has not ended after {CLOSE_TIMEOUT:g} seconds")
        finally:
            database.close()


@dataclass(frozen=True, slots=True)
class _Sockets:
    """What the server listens with."""

    main: socket.socket
    metrics: socket.socket | None

    @classmethod
    def bound(cls, config: Config) -> _Sockets:
        main = bound(config.listen.host, config.listen.port, "--port, or listen.port in the configuration")
        try:
            wanted = config.metrics.port >= 0
            if not wanted:
                return cls(main, None)
            return cls(main, bound(config.metrics.host, config.metrics.port, "metrics.port in the configuration"))
        except BaseException:
            main.close()
            raise

    def close(self) -> None:
        self.main.close()
        if self.metrics is not None:
            self.metrics.close()


def _metrics_port(app: App, service: Service, database: Database) -> MetricsPort:
    try:
        # imported here because most servers need no prometheus-client
        from .operation.metrics import Metrics, Now
        from .web.metrics_port import MetricsPort
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"metrics.port: figures for Prometheus need {error.name!r}: pip install 'ConnectorDB[server]'"
        ) from error

    def now() -> Now:
        connections, refused, websockets = app.now()
        return Now(
            storage=database.storage.state(),
            counts=service.counts,
            connections=connections,
            refused_connections=refused,
            websockets=websockets,
            subscriptions=len(service.teller.hub),
            ready=not app.why_not(),
        )

    metrics = Metrics(now)
    app.observer.count(metrics)
    return MetricsPort(metrics, app.answers, app.limits)
