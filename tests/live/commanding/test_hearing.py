"""What is taken for an answer."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.live.commanding.hearing import RECORD_AFTER, Answered, Hearing, Refused
from connectordb.protocol.answers import DONE, REFUSED, Answer
from tests.support.case import Case


def point(value: Any, t: float = 5.0) -> dict[str, Any]:
    """Return a point of that value."""
    return {"t": t, "d": value}


def done(command: int, *answer: Any) -> dict[str, Any]:
    """Return the record of a command that was done."""
    return point(Answer(command, "", DONE, tuple(map(point, answer))).value())


def refused(command: int, reason: str) -> dict[str, Any]:
    """Return the record of a command that was refused."""
    return point(Answer(command, "", REFUSED, (), reason).value())


class PlainTests(Case):
    """A device that records nothing."""

    def test_first_equal(self) -> None:
        """The first point with the commanded value is the answer; True is another value than 1."""
        hearing = Hearing(True, False)
        hearing.told([point(1), point("on")], 0.0)
        self.assertEqual((hearing.verdict(0.0), hearing.due()), (None, None))
        hearing.told([point(False), point(True, 7.0), point(True, 8.0)], 0.0)
        hearing.told([point(True, 9.0)], 1.0)
        self.assertEqual(hearing.verdict(1.0), Answered(point(True, 7.0)))


class RecordedTests(Case):
    """A device that records."""

    def test_own(self) -> None:
        """The record of this very command counts, whatever else is recorded or to be seen; also if it came before its index."""
        hearing = Hearing("on", True)
        hearing.told([point("on")], 0.0)
        hearing.recorded([done(6, "on"), done(7, "off", "on, dimmed"), refused(8, "no")])
        self.assertEqual((hearing.verdict(99.0), hearing.due()), (None, None))
        hearing.index = 7
        self.assertEqual(hearing.verdict(0.0), Answered(point("on, dimmed")))

    def test_refused(self) -> None:
        """A refusal has its reason; an outcome that is not known here is one, too."""
        hearing = Hearing("on", True)
        hearing.recorded(
            [point({"command": 1, "outcome": "asleep"}), refused(2, "too hot"), done(2, "on"), point("no record")]
        )
        hearing.index = 1
        self.assertEqual(hearing.verdict(0.0), Refused("the device recorded 'asleep', and no reason"))
        hearing.index = 2
        self.assertEqual(hearing.verdict(0.0), Refused("too hot"))

    def test_no_longer(self) -> None:
        """Where a device records no more, the value counts once a record had the time to come."""
        hearing = Hearing("on", True)
        hearing.index = 3
        hearing.told([point("on", 6.0)], 10.0)
        self.assertEqual((hearing.verdict(10.0), hearing.due()), (None, 10.0 + RECORD_AFTER))
        self.assertEqual(hearing.verdict(10.0 + RECORD_AFTER), Answered(point("on", 6.0)))

    @given(st.permutations(range(8)), st.sets(st.integers(0, 7)), st.data())
    def test_many(self, order: list[int], refusals: set[int], data: Any) -> None:
        """Of many equal commands each gets its own answer, in whatever order they are handled."""
        commands = [Hearing("on", True) for _ in order]
        for number in order:
            for hearing in commands:
                hearing.told([point("on", float(number))] if number not in refusals else [], 0.0)
                hearing.recorded([refused(number, str(number)) if number in refusals else done(number, f"on {number}")])
        for number in data.draw(st.permutations(range(8))):
            commands[number].index = number
            expected = Refused(str(number)) if number in refusals else Answered(point(f"on {number}"))
            self.assertEqual(commands[number].verdict(0.0), expected)
