"""
The way of one call: from a request to an answer that is a 200, or to the exception that is told.

What goes wrong is `Attempts`' business; here is what every call pays for, and it is kept short.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ...exceptions import ConnectionFailed, ConnectorDBError, RemoteProtocolError
from ...protocol import refusals, rest
from ...protocol.features import IDEMPOTENCY_KEY, TIMEOUT
from ...protocol.reply import Reply
from ...runtime.clock import Deadline
from ..terms import Retry, Timeout
from ..terms.statistics import Statistics, Stats
from ..terms.trace import Trace
from .endpoint import Endpoint
from .login import Login
from .options import Options
from .surroundings import Failure, Sent, Surroundings

if TYPE_CHECKING:
    import requests

    from .attempts import Attempts
    from .pieces import Pieces

T = TypeVar("T")


class Calls:
    """
    How a session calls.

    Args:
        login: Who calls.
        around: What all calls share.
        timeout: How long a call may take that chooses nothing else.
        retry: How often it is sent, likewise.

    Attributes:
        options: What each thread has chosen.
        statistics: What the calls of this process have cost.
    """

    def __init__(self, login: Login, around: Surroundings, timeout: Timeout, retry: Retry) -> None:
        self._login = login
        self._around = around
        self._timeout = timeout
        self._retry = retry
        self.options = Options()
        self.begin_in_process(lambda: 0)

    def begin_in_process(self, reconnects: Callable[[], int]) -> None:
        """Begin to count: at the start, and in a child process. *reconnects* tells how often the websocket was there again."""
        self.statistics = Statistics(reconnects)

    def for_a_thread(self, work: Callable[[], T]) -> Callable[[], T]:
        """Return *work* as a new thread is to do it for this one: its calls are chosen and measured as those of this one."""
        choose, measure = self.options.handed_over(), self.statistics.handed_over()

        def done() -> T:
            choose()
            measure()
            return work()

        return done

    def time(self) -> Deadline:
        """Return when a call of this thread that begins now has to have ended."""
        options = self.options
        whole = options.whole or (options.timeout or self._timeout).deadline(self._around.clock)
        if options.deadline is None:
            return whole
        chosen, usual = options.deadline.left(), whole.left()
        return options.deadline if usual is None or (chosen is not None and chosen < usual) else whole

    def call(self, request: rest.Request[T], once: bool = False) -> T:
        """
        Send a request, and return what its answer says.

        Args:
            request: The request.
            once: Whoever calls tries again himself: see `Attempts`.

        Raises:
            ResponseError: The answer is a refusal, or none that makes sense.
            ConnectionFailed: There was none.
        """
        cost, failed = Stats(), True
        try:
            response, sent = self._exchange(request, once, cost)
            value = request.read(_reply(response, sent.endpoint))
            cost.points_inserted = request.inserts
            if request.brings_points:
                cost.points_read += len(value)  # type: ignore[arg-type]  # a list of points is what that means
            failed = False
            return value
        except ConnectorDBError as error:
            _note_cost(error, cost)
            raise
        finally:
            self.statistics.add(cost, failed)

    def answer(self, request: rest.Request[Any]) -> requests.Response:
        """Send a request, and return its answer, which is a 200; raise as `call` if it is another."""
        cost, failed = Stats(), True
        try:
            response = self._exchange(request, False, cost)[0]
            cost.points_inserted = request.inserts
            failed = False
            return response
        except ConnectorDBError as error:
            _note_cost(error, cost)
            raise
        finally:
            self.statistics.add(cost, failed)

    def pieces(self, request: rest.Request[Any], cost: Stats) -> Pieces:
        """Return the body of the answer to a *request* that reads, which is sent when that is iterated; *cost* is told what it costs."""
        from .attempts import Attempts
        from .pieces import Pieces  # few answers are that long

        return Pieces(
            lambda: self._exchange(request, False, cost, in_pieces=True),
            lambda: Attempts(request, self.options.retry or self._retry, None, self.time(), self._around),
            cost,
        )

    def _exchange(
        self, request: rest.Request[Any], once: bool, cost: Stats, in_pieces: bool = False
    ) -> tuple[requests.Response, Sent]:
        around, options, login = self._around, self.options, self._login
        timeout = options.timeout or self._timeout
        retry = None if once else options.retry or self._retry
        deadline = self.time()
        # without a word of the user's, what comes piece by piece may take as long as it does
        coming = options.deadline or Deadline(None, around.clock) if timeout.total is None else deadline
        # a server would end then, too, what waits for whoever takes the pieces
        tells_time = not in_pieces and (options.deadline is not None or options.timeout is not None)
        name = request.key
        if request.inserts and name is None and retry is not None and retry.max_attempts > 1:
            name = around.names.another(around.endpoints.here.features)
        attempts: Attempts | None = None
        while True:
            endpoint = around.endpoints.here if attempts is None else attempts.endpoint
            # in this order: see `Login.use`
            sent = Sent(endpoint, endpoint.features, login.credentials, Trace())
            failure: Failure
            try:
                response = endpoint.transport.send(
                    request.method,
                    request.path,
                    sent.trace,
                    parameters=request.parameters,
                    body=request.body,
                    authorization=login.header,
                    headers=_headers(request.accept, name, deadline if tells_time else None)
                    if tells_time or name or request.accept
                    else None,
                    timeout=timeout,
                    deadline=deadline,
                    in_pieces=coming if in_pieces else None,
                )
            except (ConnectionFailed, RemoteProtocolError) as error:
                cost.count(sent.trace)
                failure = error
            else:
                endpoint.heard(response.headers, response.status_code != 200)
                timing = response.headers.get("Server-Timing")
                cost.count(sent.trace, response.status_code, timing)
                if response.status_code == 200:
                    around.budget.earn(self._retry.budget)
                    return response, sent
                failure = refusals.refusal(request.method, request.path, _reply(response, endpoint))
                del response  # whoever keeps the exception keeps this frame, and is not to keep a connection with it
            try:
                if attempts is None:
                    from .attempts import Attempts  # with the first failure

                    attempts = Attempts(request, retry, name, deadline, around)
                attempts.failed(failure, sent)
                name = attempts.name
            finally:
                del failure  # it holds this frame, which is not to hold it


def _reply(response: requests.Response, endpoint: Endpoint) -> Reply:
    """Return an answer as the protocol knows it."""
    return Reply(response.status_code, response.content, response.headers, endpoint.url)


def _note_cost(error: ConnectorDBError, cost: Stats) -> None:
    """Say of an *error* what the call has cost that it ends."""
    error.attempts, error.stats = cost.requests, cost


def _headers(accept: str, name: str | None, deadline: Deadline | None) -> dict[str, str]:
    headers = {"Accept": accept} if accept else {}
    if name is not None:
        headers[IDEMPOTENCY_KEY] = name
    left = None if deadline is None else deadline.left()
    if left is not None:
        headers[TIMEOUT] = f"{max(left, 0.001):.3f}"
    return headers
