"""One server: the way to it, and what its answers said about it."""

from __future__ import annotations

from collections.abc import Mapping

from ...protocol import http_dates
from ...protocol.features import HEADER, Features
from ...runtime.clock import Clock
from ..http import Transport


class Endpoint:
    """
    A server, as the calls of one session know it.

    Args:
        url: Its address, without ``/api/v1``.
        transport: The way to it.
        clock: The clocks.

    Attributes:
        features: What its last answer said it can do beyond 0.3.
    """

    def __init__(self, url: str, transport: Transport, clock: Clock) -> None:
        self.url = url
        self.transport = transport
        self.features = Features()
        self._clock = clock
        self._announced: str | None = None
        # what the last answer said of the time, and when it came
        self._dated: tuple[str, float] | None = None

    def heard(self, headers: Mapping[str, str], is_failure: bool = False) -> None:
        """Take note of what an answer says about the server; a failure may be somebody's between, who knows nothing of it."""
        if (date := headers.get("Date")) is not None:
            self._dated = (date, self._elapsed())
        announced = headers.get(HEADER)
        if announced != self._announced and not (is_failure and announced is None):
            self._announced, self.features = announced, Features.parse(announced)

    def time(self) -> float | None:
        """
        Return what its clock shows now, by its last answer; ``None`` if that did not say.

        To half a second, as whole ones are said, and what the answer travelled.
        """
        if self._dated is None:
            return None
        date, came = self._dated
        said = http_dates.seconds(date)
        return None if said is None else said + 0.5 + self._elapsed() - came

    def _elapsed(self) -> float:
        """Return seconds since some moment; those in which the machine slept included, where a clock counts them."""
        return self._clock.monotonic() if self._clock.boot is None else self._clock.boot()
