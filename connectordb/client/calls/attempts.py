"""One call that did not succeed at once: what became of its attempts, whether there is another one, and what is told in the end."""

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

#: What tells of the server, and not of the request: another one is worth trying.
_OF_THE_SERVER = frozenset({Fate.UNSENT, Fate.BROKEN, Fate.SILENT, Fate.BETWEEN, Fate.LATER})

#: The status of a server that has had enough of this caller, but not of others.
_TOO_MANY = 429

_REFUSED = 401


class Attempts:
    """
    Those of one call.

    Args:
        request: What is called.
        retry: How often, and when; ``None`` for who tries again himself: then only a read whose connection broke is sent once more.
        name: The insert's, if it has one.
        deadline: When the call has to have ended.
        around: What all calls share.

    Attributes:
        endpoint: To whom the next attempt goes.
        name: The name with which it goes.
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
        #: Whether a copy of an insert may be stored, or on its way.
        self._is_doubted = False
        self._is_renewed = False
        #: Whether there is no time for another pause.
        self._is_last = False
        #: When the first attempt began.
        self._since = 0.0

    def failed(self, failure: Failure, sent: Sent) -> None:
        """
        Take a *failure* in. Return when the request is to go again; otherwise raise what is to be told.

        Raises:
            OutcomeUnknown: Points may be stored, or not.
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
            told = self._told(failure, fate, kind, why_not, was_doubted and _proves_nothing(failure))
            try:
                raise told
            finally:
                del failure, told  # or the exception would hold this frame, and the frame the exception

    # --- another one? -------------------------------------------------------------------------------------------------

    def _prepare(self, failure: Failure, fate: Fate | None, kind: Kind, sent: Sent) -> str | None:
        """Wait until the next attempt is due, and return ``None``; or return what is to be said of why there is none."""
        if isinstance(failure, ResponseError) and self._is_mended(failure, kind, sent):
            return None
        verdict = judge(kind, fate)
        if verdict not in (Verdict.AGAIN, Verdict.ELSEWHERE) or self._deadline.passed():
            return ""
        # a name is known to the server that it was told, and to no other for certain
        here = sent.endpoint if self._is_doubted else self._around.endpoints.here
        is_another = here not in self._tried and not self._around.endpoints.is_away(here)
        # a certificate that was refused is refused the next time
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
        if fate is Fate.BROKEN and sent.trace.reused:  # the others that were kept are no better
            sent.endpoint.transport.drop_connections()
        self.endpoint = sent.endpoint if self._is_doubted else self._around.endpoints.here
        return None

    def _delay(self, retry: Retry, failure: Failure, fate: Fate | None, sent: Sent, is_another: bool) -> str | None:
        """Wait as *retry* says, and return ``None``; or return what is to be said of why there is no other attempt."""
        if self._number >= retry.max_attempts:
            return ""
        # that a connection was closed which had been kept is nobody's failure
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
        """Return the seconds to wait before the next attempt, *asked* by the server at least; ``None`` if there are not so many."""
        self._pauses += 1
        pause = asked + retry.pause(self._pauses, random.random)
        left = self._deadline.left()
        if left is None or pause < left:
            return pause
        if asked >= left or self._is_last:
            return None
        # once more, while there is time for an answer
        self._is_last = True
        return (asked + left) / 2

    def _is_forgotten(self, features: Features) -> bool:
        """Tell whether a server may have forgotten the insert's name since it was sent first."""
        return features.idempotency is None or self._around.clock.monotonic() - self._since >= features.idempotency

    def _is_mended(self, refused: ResponseError, kind: Kind, sent: Sent) -> bool:
        """Tell whether the request is to go again at once, as what was *refused* about it is another now."""
        if self.name is not None and self._request.key is None and not self._is_doubted and _is_no_room(refused):
            self.name = None
            self._around.names.pause(refused.retry_after)
            return True
        if refused.status == _REFUSED and not self._is_renewed and (refused.ref or kind is Kind.READ):
            self._is_renewed = True
            return self._around.renew(sent.credentials)
        return False

    # --- what is told -------------------------------------------------------------------------------------------------

    def _told(self, failure: Failure, fate: Fate | None, kind: Kind, why_not: str, is_unknown: bool) -> Failure:
        """Return what is told of the call."""
        told, about = failure, ""
        if (
            is_unknown
            or judge(kind, fate) is Verdict.UNKNOWN
            or (kind is Kind.NAMED and fate in (Fate.BROKEN, Fate.SILENT))
        ):
            told = OutcomeUnknown(f"{failure}; whether the points are stored is unknown")
            told.status, told.code, told.ref, told.__cause__ = failure.status, failure.code, failure.ref, failure
        elif kind is Kind.CHANGE and fate in DOUBTFUL:
            about = "; whether it was done is not known: look before it is done again"
        elif isinstance(failure, ResponseError) and failure.status == _REFUSED:
            # a server says that it does not find "the device"; a login has its own words
            about = " (this connection's: is its API key still the newest one of its device?)"
        if self._number > 1:
            where = "" if len(self._tried) == 1 else " at " + " and ".join(endpoint.url for endpoint in self._tried)
            about += f" ({self._number} attempts{where})"
        about += why_not
        if isinstance(told, ResponseError):
            told.about = about  # others go by the server's own words
        elif about:
            notes.add(told, about)
        told.method, told.path = self._request.method, self._request.path
        told.retryable = _is_worth_repeating(told, fate, kind)
        return told


def _fate(failure: Failure, kind: Kind, trace: Trace) -> Fate | None:
    if isinstance(failure, RemoteProtocolError) and kind is Kind.READ:
        return None  # what is too long to be taken is too long the next time
    return fate_of(failure) if isinstance(failure, ResponseError) else trace.fate


def _is_about_caller(failure: Failure) -> bool:
    return isinstance(failure, ResponseError) and failure.status == _TOO_MANY


def _is_no_room(refused: ResponseError) -> bool:
    return refused.status == _TOO_MANY and proof.judge(refused) is proof.Answer.KEYLESS


def _proves_nothing(failure: Failure) -> bool:
    """Tell whether an earlier copy of an insert may be stored, as this says nothing about it."""
    if not isinstance(failure, ResponseError):
        return True
    return not isinstance(failure, AuthenticationError) or failure.status in (_REFUSED, _TOO_MANY)


def _is_worth_repeating(failure: Exception, fate: Fate | None, kind: Kind) -> bool:
    """Tell whether the call may be made again as it is: it did nothing, and it may succeed."""
    if isinstance(failure, (OutcomeUnknown, CertificateRefused)) or fate is None:
        return False
    return fate in (Fate.UNSENT, Fate.LATER) or kind is Kind.READ
