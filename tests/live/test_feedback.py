"""Feeding oneself: which inserts a callback may not make."""

from __future__ import annotations

import threading
import unittest

from connectordb.exceptions import LocalProtocolError
from connectordb.live.feedback import OnBehalfOf, check_insert
from connectordb.protocol.paths import Path

STREAM = Path.parse("mara/lamp/light")
DOWNLINK = STREAM.at_downlink()
OWNER, OTHER = Path.parse("mara/lamp"), Path.parse("mara/user")


class FeedbackTests(unittest.TestCase):
    """Inserts from inside and outside of callbacks."""

    def test_its_own_downlink(self) -> None:
        """Into the very downlink that it watches, whoever it is."""
        for caller in (OWNER, OTHER):
            with self.subTest(caller), OnBehalfOf(DOWNLINK), self.assertRaisesRegex(LocalProtocolError, "for ever"):
                check_insert(DOWNLINK, lambda caller=caller: caller)  # type: ignore[misc]

    def test_redirected(self) -> None:
        """Into the stream it goes as the stream's own device; another's insert would land in the downlink."""
        with OnBehalfOf(DOWNLINK):
            check_insert(STREAM, lambda: OWNER)
            with self.assertRaisesRegex(LocalProtocolError, "as 'mara/user'"):
                check_insert(STREAM, lambda: OTHER)

    def test_allowed(self) -> None:
        """From outside, into something else, from another thread, and from a plain stream's callback."""
        check_insert(DOWNLINK, lambda: OWNER)
        with OnBehalfOf(DOWNLINK):
            check_insert(Path.parse("mara/lamp/other/downlink"), lambda: OWNER)
            with OnBehalfOf(STREAM):
                check_insert(DOWNLINK, lambda: OWNER)
                check_insert(STREAM, lambda: OWNER)
            problems: list[Exception] = []

            def insert() -> None:
                try:
                    check_insert(DOWNLINK, lambda: OWNER)
                except LocalProtocolError as error:
                    problems.append(error)

            thread = threading.Thread(target=insert)
            thread.start()
            thread.join()
            self.assertEqual(problems, [])
        check_insert(DOWNLINK, lambda: OWNER)
