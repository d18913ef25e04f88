"""The user's choices."""

from __future__ import annotations

import itertools
import unittest
from typing import Any

from connectordb.exceptions import LocalProtocolError
from connectordb.live.downlinks.policy import DEFAULT, Policy, now


class PolicyTests(unittest.TestCase):
    """Which commands are acted on."""

    def test_default(self) -> None:
        """Without a choice every command is acted on, however old, missed or interrupted."""
        for age, away, interrupted in itertools.product((-5, 0, 1e9), (None, 5, 6, 100), (False, True)):
            self.assertIsNone(DEFAULT.skip(5, age, away, interrupted))

    def test_interrupted(self) -> None:
        """An interrupted command is acted on again or not; what was missed has no part in that, but its age has."""
        skip = Policy("skip").skip(5, 0, None, True)
        assert skip is not None
        self.assertRegex(skip.why, "may be done or not")
        self.assertTrue(skip.told)
        self.assertIsNone(Policy("skip").skip(5, 0, None, False))
        self.assertIsNone(Policy("again", missed="none").skip(5, 0, 100, True))
        self.assertIsNotNone(Policy("again", expire=1).skip(5, 2, None, True))

    def test_missed(self) -> None:
        """The latest of those missed is the one before the end; what was told live was not missed."""
        self.assertEqual([Policy(missed="latest").skip(index, 0, 3, False) is None for index in range(4)], [0, 0, 1, 1])
        self.assertEqual([Policy(missed="none").skip(index, 0, 3, False) is None for index in range(3)], [0, 0, 0])
        self.assertIsNone(Policy(missed="none").skip(7, 0, None, False))
        self.assertIsNone(Policy(missed="none").skip(None, 0, 9, False))

    def test_refused(self) -> None:
        """What is no choice is an error that says what is."""
        choices: list[dict[str, Any]] = [
            {"on_crash": "never"},
            {"missed": None},
            *({"expire": expire} for expire in (0, -1, True, "1", float("nan"))),
        ]
        for choice in choices:
            with self.subTest(choice), self.assertRaisesRegex(LocalProtocolError, "expected"):
                Policy(**choice)

    def test_clock(self) -> None:
        """This machine's clock counts, unless it is wrong."""
        self.assertEqual(now(100.4, None), 100.4)
        self.assertEqual(now(100.4, 101.5), 100.4)
        self.assertEqual(now(100.4, 5000.0), 5000.0)
