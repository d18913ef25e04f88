"""Tests of `connectordb.live.options`."""

from __future__ import annotations

from datetime import timedelta
from importlib.util import find_spec
from typing import Any

from connectordb import DatapointWarning
from connectordb.exceptions import InvalidRange, LocalProtocolError
from connectordb.live.options import Options
from tests.support.case import Case


class OptionsTests(Case):
    """What makes sense, and what is refused before anything is sent."""

    def test_taken(self) -> None:
        """Indices, times, and what belongs to downlinks on one."""
        for since in (None, 0, -10, 10**9, 1.5, "2026-03-01T12:00", timedelta(hours=1)):
            Options(since=since).check(downlink=False, transform="")
        if find_spec("dateparser"):
            Options(since="2 hours ago").check(downlink=False, transform="")
        Options(missed="latest", expire=5, on_crash="skip", answers=True).check(downlink=True, transform="")
        with self.assertWarnsRegex(DatapointWarning, "since=1767225600000.0, .* may be milliseconds"):
            Options(since=1767225600000.0).check(downlink=False, transform="")
        Options(at="client", since=0).check(downlink=False, transform="$ > 5")

    def test_refused(self) -> None:
        """Each by its name."""
        cases: list[tuple[dict[str, Any], bool, str, str]] = [
            ({"at": "home"}, False, "", "at='home': expected one of 'server', 'client'"),
            ({"overflow": "drop"}, False, "", "overflow='drop'"),
            ({"missed": "some"}, True, "", "missed='some'"),
            ({"on_crash": "x"}, True, "", "on_crash='x'"),
            ({"answers": True}, False, "", "answers= is for downlinks"),
            ({"expire": 5}, False, "", "expire= is for downlinks"),
            ({"since": 0}, False, "$ > 5", "at='client'"),
            ({"remember": "x"}, False, "$ > 5", "leave one of them out"),
            ({"at": "client"}, False, "", "where a transform runs"),
            ({"at": "client"}, True, "$ > 5", "where a transform runs"),
        ]
        for given, downlink, transform, message in cases:
            with self.subTest(given), self.assertRaisesRegex(LocalProtocolError, message):
                Options(**given).check(downlink, transform)
        for since in ("some day", True, float("nan"), object()):
            with self.subTest(since=since), self.assertRaises(InvalidRange):
                Options(since=since).check(downlink=False, transform="")  # type: ignore[arg-type]
