"""
`Endpoints`: the servers of one database, which of them is in use, and the way back to the first.

The order of preference is that of the addresses. While another server than the first is in use, the thread ``connectordb-servers``
asks now and then whether a preferred one is back.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence

from ...exceptions import AuthenticationError, ConnectorDBError, ServerTrouble
from ...protocol import rest
from ...protocol.reply import Reply
from ...runtime.clock import Clock
from ..http import Transport
from ..terms import Timeout
from ..terms.trace import Trace
from .endpoint import Endpoint
from .servers import Servers

log = logging.getLogger(__name__)

#: How long that thread waits for an answer.
_PATIENCE = Timeout(connect=5.0, read=5.0, write=5.0, total=10.0)


class Endpoints:
    """
    The servers, and which one is in use.

    Args:
        urls: Their addresses, in order of preference.
        transport: Makes the transport to an address.
        clock: The clocks.
        moved: Called when another server than before is in use, by the thread that found out.

    Attributes:
        here: The server in use.
    """

    def __init__(
        self, urls: Sequence[str], transport: Callable[[str], Transport], clock: Clock, moved: Callable[[], None]
    ) -> None:
        self._all = [Endpoint(url, transport(url), clock) for url in urls]
        self._clock = clock
        self._moved = moved
        self.begin_in_process()

    def begin_in_process(self) -> None:
        """Begin with the first server and without a thread: at the start, and in a forked child."""
        from ...runtime.worker import Worker  # imported here to keep `import connectordb` fast

        # guards everything below; nothing slow is done while it is held
        self._lock = threading.Lock()
        self._servers = Servers(len(self._all))
        self._stopped = False
        self._asking = Worker("servers", self._ask)
        self.here = self._all[0]

    def is_away(self, endpoint: Endpoint) -> bool:
        """Tell whether it has failed, and is not to be used for a while."""
        if len(self._all) == 1:
            return False
        with self._lock:
            return self._servers.is_away(self._all.index(endpoint), self._clock.monotonic())

    def failed(self, endpoint: Endpoint) -> None:
        """Note that a server has failed, and use another one if there is one."""
        if len(self._all) > 1:
            self._change(lambda servers, now: servers.failed(self._all.index(endpoint), now))

    def url_failed(self, url: str) -> bool:
        """Do the same for the server at *url*; return whether there is another one to use at once."""
        self.failed(next(endpoint for endpoint in self._all if endpoint.url == url))
        return self.here.url != url and not self.is_away(self.here)

    def leave(self) -> bool:
        """Use the next server for now; return whether there is one."""
        return len(self._all) > 1 and self._change(lambda servers, now: servers.leave(now))

    def drop_connections(self) -> None:
        """Close all connections that are open and not in use."""
        for endpoint in self._all:
            endpoint.transport.drop_connections()

    def stop(self) -> None:
        """Close all connections, and tell the thread to end."""
        with self._lock:
            self._stopped = True
        self._asking.stop()
        for endpoint in self._all:
            endpoint.transport.close()

    def join(self, timeout: float | None) -> None:
        """Wait for the thread's end."""
        self._asking.join(timeout)

    def _change(self, change: Callable[[Servers, float], bool]) -> bool:
        """
        Apply *change* to the state of the servers, and use the server that is the present one then.

        Returns:
            What *change* returns: whether another server is in use that is worth going to; if so, *moved* was called.
        """
        with self._lock:
            before = self.here
            is_better = change(self._servers, self._clock.monotonic())
            self.here = self._all[self._servers.present]
            if self._servers.present > 0 and not self._stopped:
                self._asking.start()
        if self.here is not before:
            log.warning("going on with the server %s instead of %s", self.here.url, before.url)
            if is_better:
                self._moved()
        return is_better

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _ask(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            with self._lock:
                which, pause = self._servers.worth_asking(self._clock.monotonic())
                if which is None and pause == float("inf"):
                    stopping.set()  # under the lock, so that `_change` either finds this thread at work or starts another
                    return
            if which is None:
                # at random, so that a fleet does not come back to a server all at once
                self._clock.wait(stopping, pause * (1.0 + random.random() / 4))
            elif self._answers(self._all[which]) and not stopping.is_set():
                self._change(lambda servers, now, which=which: servers.answered(which, now))  # type: ignore[misc]
            else:
                self.failed(self._all[which])

    def _answers(self, endpoint: Endpoint) -> bool:
        request = rest.whoami()
        try:
            response = endpoint.transport.send(
                request.method,
                request.path,
                Trace(),
                parameters=request.parameters,
                timeout=_PATIENCE,
                deadline=_PATIENCE.deadline(self._clock),
            )
            request.read(Reply(response.status_code, response.content, response.headers))
        except ServerTrouble:
            return False
        except AuthenticationError as refused:
            return refused.status != 429  # a server that refuses a request without credentials is there
        except ConnectorDBError as error:
            log.debug("the server %s is not there yet: %s", endpoint.url, error)
            return False
        return True
