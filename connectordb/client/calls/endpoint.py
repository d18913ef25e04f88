"""`Endpoint`: one server, with the connections to it and what its answers told about it."""

from __future__ import annotations

from collections.abc import Mapping

from ...protocol import http_dates
from ...protocol.features import HEADER, Features
from ...runtime.clock import Clock
from ..http import Transport


class Endpoint:
    """
    A server, as one session knows it.

    Args:
        url: Its address, without ``/api/v1``.
        transport: Sends requests to it.
        clock: The clocks.

    Attributes:
        features: What it can do beyond ConnectorDB 0.3, by its last answer.
    """

    def __init__(self, url: str, transport: Transport, clock: Clock) -> None:
        self.url = url
        self.transport = transport
        self.features = Features()
        self._clock = clock
        self._announced: str | None = None
        # the ``Date`` of the last answer, and when that came
        self._dated: tuple[str, float] | None = None

    def heard(self, headers: Mapping[str, str], is_failure: bool = False) -> None:
        """Note what an answer tells about the server; a failure without features may come from a proxy, and changes none."""
        if (date := headers.get("Date")) is not None:
            self._dated = (date, self._elapsed())
        announced = headers.get(HEADER)
        if announced != self._announced and not (is_failure and announced is None):
            self._announced, self.features = announced, Features.parse(announced)

    def time(self) -> float | None:
        """
        Return the server's present time, reckoned from its last answer; ``None`` if that had no date.

        It may be wrong by half a second, as answers give whole seconds, and by the time that the answer was on its way.
        """
        if self._dated is None:
            return None
        date, came = self._dated
        said = http_dates.seconds(date)
        return None if said is None else said + 0.5 + self._elapsed() - came

    def _elapsed(self) -> float:
        """Return seconds since some moment; if the system has a clock for that, including those in which the machine slept."""
        return self._clock.monotonic() if self._clock.boot is None else self._clock.boot()
