"""
`Calls`: the loop of one call, from a request to an answer with status 200, or to an exception.

This is what every call pays for, so it is kept short; what goes wrong is dealt with in `Attempts`.
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
    Makes the calls of a session.

    Args:
        login: Who calls.
        around: What all calls share.
        timeout: How long a call may take, unless its thread has chosen otherwise.
        retry: How often it is sent, unless its thread has chosen otherwise.

    Attributes:
        options: What each thread has chosen for its calls.
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
        """Begin to count: at the start, and in a forked child. *reconnects* returns how often the websocket was reconnected."""
        self.statistics = Statistics(reconnects)

    def for_a_thread(self, work: Callable[[], T]) -> Callable[[], T]:
        """Return *work* for another thread to do: its calls have the options of this thread, and are measured with its own."""
        choose, measure = self.options.handed_over(), self.statistics.handed_over()

        def done() -> T:
            choose()
            measure()
            return work()

        return done

    def time(self) -> Deadline:
        """Return the deadline of a call that this thread begins now."""
        options = self.options
        whole = options.whole or (options.timeout or self._timeout).deadline(self._around.clock)
        if options.deadline is None:
            return whole
        chosen, usual = options.deadline.left(), whole.left()
        return options.deadline if usual is None or (chosen is not None and chosen < usual) else whole

    def call(self, request: rest.Request[T], once: bool = False) -> T:
        """
        Send a request, and return what it reads from the answer.

        Args:
            request: The request.
            once: The caller has its own retries: see `Attempts`.

        Raises:
            ResponseError: The answer is a refusal, or makes no sense.
            ConnectionFailed: There was no answer.
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
        """Send a request, and return its answer, which has status 200; otherwise raise as `call` does."""
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
        """Return the body of the answer to a reading *request*, which is sent when the body is iterated; its costs go to *cost*."""
        from .attempts import Attempts
        from .pieces import Pieces  # only long answers need it

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
        # unless the user has set a limit, an answer in pieces may take as long as it takes
        coming = options.deadline or Deadline(None, around.clock) if timeout.total is None else deadline
        # a server that knew the time of an answer in pieces would break it off, although the program may only be slow to read it
        tells_time = not in_pieces and (options.deadline is not None or options.timeout is not None)
        name = request.key
        if request.inserts and name is None and retry is not None and retry.max_attempts > 1:
            name = around.names.another(around.endpoints.here.features)
        attempts: Attempts | None = None
        while True:
            endpoint = around.endpoints.here if attempts is None else attempts.endpoint
            # the credentials before the header, which `Login.use` sets in the other order: so those that are noted here may be
            # older than the header, but never newer, and a refused header is never mistaken for that of newer credentials
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
                del response  # the exception refers to this frame, and should not keep the connection alive
            try:
                if attempts is None:
                    from .attempts import Attempts  # imported at the first failure

                    attempts = Attempts(request, retry, name, deadline, around)
                attempts.failed(failure, sent)
                name = attempts.name
            finally:
                del failure  # the exception refers to this frame: without this, they would keep each other alive


def _reply(response: requests.Response, endpoint: Endpoint) -> Reply:
    """Return an answer in the form that the protocol's functions take."""
    return Reply(response.status_code, response.content, response.headers, endpoint.url)


def _note_cost(error: ConnectorDBError, cost: Stats) -> None:
    """Note in an *error* what the call that it ends has cost."""
    error.attempts, error.stats = cost.requests, cost


def _headers(accept: str, name: str | None, deadline: Deadline | None) -> dict[str, str]:
    headers = {"Accept": accept} if accept else {}
    if name is not None:
        headers[IDEMPOTENCY_KEY] = name
    left = None if deadline is None else deadline.left()
    if left is not None:
        headers[TIMEOUT] = f"{max(left, 0.001):.3f}"
    return headers
