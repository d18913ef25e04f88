"""`Attempts`: what happens to a call after a failure: whether and where it is sent again, and which exception ends it."""

from __future__ import annotations

import logging
import random
from typing import Any

from ...exceptions import (
    AuthenticationError,
    CertificateRefused,
    ClosedError,
    OutcomeUnknown,
    RemoteProtocolError,
    ResponseError,
)
from ...protocol import proof, rest
from ...protocol.features import Features
from ...runtime.clock import Deadline
from ..terms import Retry, notes
from ..terms.judging import DOUBTFUL, Fate, Kind, Verdict, fate_of, judge, kind_of
from ..terms.trace import Trace
from .endpoint import Endpoint
from .surroundings import Failure, Sent, Surroundings

log = logging.getLogger(__name__)

#: Failures that are the server's and not the request's, so that another server is worth trying.
_OF_THE_SERVER = frozenset({Fate.UNSENT, Fate.BROKEN, Fate.SILENT, Fate.BETWEEN, Fate.LATER})

#: The status by which a server limits this one caller.
_TOO_MANY = 429

_REFUSED = 401


class Attempts:
    """
    The attempts of one call; created at its first failure.

    Args:
        request: What is sent.
        retry: How often, and when; ``None`` for callers with their own retries: then only a read whose connection broke is sent a
            second time.
        name: The idempotency key of the insert, if it has one.
        deadline: When the call has to be over.
        around: What all calls share.

    Attributes:
        endpoint: The server of the next attempt.
        name: The idempotency key of the next attempt.
    """

    def __init__(
        self,
        request: rest.Request[Any],
        retry: Retry | None,
        name: str | None,
        deadline: Deadline,
        around: Surroundings,
    ) -> None:
        self.endpoint = around.endpoints.here
        self.name = name
        self._request = request
        self._retry = retry
        self._deadline = deadline
        self._around = around
        self._number = 0
        self._pauses = 0
        self._tried: list[Endpoint] = []
        #: Whether an earlier copy of the insert may be stored, or may still be on its way.
        self._is_doubted = False
        #: Whether the credentials were renewed in this call, which is done once.
        self._is_renewed = False
        #: Whether the last pause has used up half of the time that was left, so that there is none after it.
        self._is_last = False
        #: When the first attempt began.
        self._since = 0.0

    def failed(self, failure: Failure, sent: Sent) -> None:
        """
        Deal with a *failure*: return when it is time to send the request again, or raise the exception that ends the call.

        Raises:
            OutcomeUnknown: Points may have been stored or not.
            ClosedError: The session was closed meanwhile.
            ConnectorDBError: The failure.
        """
        self._number += 1
        if self._number == 1:
            self._since = self._around.clock.monotonic() - sent.trace.seconds
        endpoint = sent.endpoint
        if endpoint not in self._tried:
            self._tried.append(endpoint)
        kind = kind_of(self._request, self.name is not None and sent.features.idempotency is not None)
        fate = _fate(failure, kind, sent.trace)
        was_doubted = self._is_doubted
        self._is_doubted = was_doubted or (fate in DOUBTFUL and kind in (Kind.INSERT, Kind.NAMED))
        if fate in _OF_THE_SERVER and not (sent.trace.reused and fate is Fate.BROKEN) and not _is_about_caller(failure):
            self._around.endpoints.failed(endpoint)
        try:
            self._around.check_open()
            why_not = self._prepare(failure, fate, kind, sent)
        except ClosedError as closed:
            if not self._is_doubted:
                raise closed from failure
            why_not = ""
        if why_not is not None:
            final = self._final_error(failure, fate, kind, why_not, was_doubted and _proves_nothing(failure))
            try:
                raise final
            finally:
                del failure, final  # the exception refers to this frame: without this, they would keep each other alive

    # --- another attempt? ---------------------------------------------------------------------------------------------

    def _prepare(self, failure: Failure, fate: Fate | None, kind: Kind, sent: Sent) -> str | None:
        """Wait until the next attempt is due and return ``None``; or return a text (maybe empty) on why there is no other attempt."""
        if isinstance(failure, ResponseError) and self._is_corrected(failure, kind, sent):
            return None
        verdict = judge(kind, fate)
        if verdict not in (Verdict.AGAIN, Verdict.ELSEWHERE) or self._deadline.passed():
            return ""
        # only the server that got the idempotency key is certain to know it, so a doubted insert goes nowhere else
        here = sent.endpoint if self._is_doubted else self._around.endpoints.here
        is_another = here not in self._tried and not self._around.endpoints.is_away(here)
        # the same server's certificate would be refused again
        if not is_another and (verdict is Verdict.ELSEWHERE or isinstance(failure, CertificateRefused)):
            return ""
        if not (is_another and fate is Fate.UNSENT):
            if self._retry is None:
                if not (kind is Kind.READ and fate is Fate.BROKEN and self._number == 1):
                    return ""
            elif (why_not := self._delay(self._retry, failure, fate, sent, is_another)) is not None:
                return why_not
        if self._is_doubted and self._is_forgotten(sent.endpoint.features):
            return ""
        log.debug("%s; trying again", failure)
        if fate is Fate.BROKEN and sent.trace.reused:  # the server has probably closed the other kept connections, too
            sent.endpoint.transport.drop_connections()
        self.endpoint = sent.endpoint if self._is_doubted else self._around.endpoints.here
        return None

    def _delay(self, retry: Retry, failure: Failure, fate: Fate | None, sent: Sent, is_another: bool) -> str | None:
        """Wait as *retry* says and return ``None``; or return a text (maybe empty) on why there is no other attempt."""
        if self._number >= retry.max_attempts:
            return ""
        # a server may close an idle connection at any time, so this costs neither a pause nor the budget
        if fate is Fate.BROKEN and sent.trace.reused and self._number == 1:
            return None
        if not self._around.budget.spend(retry.budget):
            return "; it is not sent again, as too many of the latest requests had to be"
        if is_another:
            return None
        asked: float = getattr(failure, "retry_after", None) or 0.0
        pause = self._next_pause(asked, retry)
        if pause is None:
            return "; there is no time to wait for as long as the server asks for" if asked else ""
        log.info("%s; trying again in %.1f s", failure, pause)
        self._around.pause(pause)
        return None

    def _next_pause(self, asked: float, retry: Retry) -> float | None:
        """
        Return the seconds to wait before the next attempt, at least as many as the server *asked* for; ``None`` if there is no time.

        A pause that would take all the time that is left is shortened once, to half of it, so that there is a last attempt.
        """
        self._pauses += 1
        pause = asked + retry.pause(self._pauses, random.random)
        left = self._deadline.left()
        if left is None or pause < left:
            return pause
        if asked >= left or self._is_last:
            return None
        self._is_last = True
        return (asked + left) / 2

    def _is_forgotten(self, features: Features) -> bool:
        """Tell whether the server may have forgotten the idempotency key since it was first sent."""
        return features.idempotency is None or self._around.clock.monotonic() - self._since >= features.idempotency

    def _is_corrected(self, refused: ResponseError, kind: Kind, sent: Sent) -> bool:
        """
        Tell whether the request should be sent again at once, because what the server *refused* about it was changed.

        That may be the idempotency key, if the server has no room for more, or the credentials.
        """
        if self.name is not None and self._request.key is None and not self._is_doubted and _is_no_room(refused):
            self.name = None
            self._around.names.pause(refused.retry_after)
            return True
        if refused.status == _REFUSED and not self._is_renewed and (refused.ref or kind is Kind.READ):
            self._is_renewed = True
            return self._around.renew(sent.credentials)
        return False

    # --- the exception that ends the call -----------------------------------------------------------------------------

    def _final_error(self, failure: Failure, fate: Fate | None, kind: Kind, why_not: str, is_unknown: bool) -> Failure:
        """Return the exception that ends the call: *failure*, or `OutcomeUnknown`, with all that the caller should know."""
        final, about = failure, ""
        if (
            is_unknown
            or judge(kind, fate) is Verdict.UNKNOWN
            or (kind is Kind.NAMED and fate in (Fate.BROKEN, Fate.SILENT))
        ):
            final = OutcomeUnknown(f"{failure}; whether the points are stored is unknown")
            final.status, final.code, final.ref, final.__cause__ = failure.status, failure.code, failure.ref, failure
        elif kind is Kind.CHANGE and fate in DOUBTFUL:
            about = "; whether it was done is not known: look before it is done again"
        elif isinstance(failure, ResponseError) and failure.status == _REFUSED:
            # the server only says that it does not find "the device"; a refused login is explained in `Login`
            about = " (this connection's: is its API key still the newest one of its device?)"
        if self._number > 1:
            where = "" if len(self._tried) == 1 else " at " + " and ".join(endpoint.url for endpoint in self._tried)
            about += f" ({self._number} attempts{where})"
        about += why_not
        if isinstance(final, ResponseError):
            final.about = about  # apart from the message, by which code recognizes what the server said
        elif about:
            notes.add(final, about)
        final.method, final.path = self._request.method, self._request.path
        final.retryable = _is_worth_repeating(final, fate, kind)
        return final


def _fate(failure: Failure, kind: Kind, trace: Trace) -> Fate | None:
    if isinstance(failure, RemoteProtocolError) and kind is Kind.READ:
        return None  # an answer that is too long will be too long the next time
    return fate_of(failure) if isinstance(failure, ResponseError) else trace.fate


def _is_about_caller(failure: Failure) -> bool:
    return isinstance(failure, ResponseError) and failure.status == _TOO_MANY


def _is_no_room(refused: ResponseError) -> bool:
    return refused.status == _TOO_MANY and proof.judge(refused) is proof.Answer.KEYLESS


def _proves_nothing(failure: Failure) -> bool:
    """Tell whether this failure leaves open if an earlier copy of the insert was stored."""
    if not isinstance(failure, ResponseError):
        return True
    return not isinstance(failure, AuthenticationError) or failure.status in (_REFUSED, _TOO_MANY)


def _is_worth_repeating(failure: Exception, fate: Fate | None, kind: Kind) -> bool:
    """Tell whether it makes sense to repeat the call as it is: it did nothing, and may succeed the next time."""
    if isinstance(failure, (OutcomeUnknown, CertificateRefused)) or fate is None:
        return False
    return fate in (Fate.UNSENT, Fate.LATER) or kind is Kind.READ
