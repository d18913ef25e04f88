"""Values that do not change."""

from __future__ import annotations

import pickle

from connectordb.client.terms.frozen import Frozen
from connectordb.client.terms.retry import Retry
from connectordb.client.terms.timeouts import Timeout

from ...support.case import Case


class FrozenTests(Case):
    """What they have in common."""

    def test_equal(self) -> None:
        """Those of one class with the same parts are equal, and hashed alike; those of two classes never are."""
        for one, same, other in (
            (Timeout(connect=1), Timeout(connect=1), Timeout(connect=2)),
            (Retry(5), Retry(5), Retry(6)),
        ):
            self.assertEqual((one, hash(one)), (same, hash(same)))
            self.assertNotEqual(one, other)
            self.assertNotEqual(one, one._values())
        self.assertNotEqual(Timeout(), Retry())

    def test_unchanged(self) -> None:
        """They refuse to be changed, and say what to do instead."""
        for value in (Timeout(), Retry()):
            with self.assertRaisesRegex(
                AttributeError, f"a {type(value).__name__} does not change; make another one to say x=1"
            ):
                value.x = 1  # type: ignore[union-attr]
            self.assertIsInstance(value, Frozen)

    def test_travels(self) -> None:
        """A copy that another process gets is equal."""
        for value in (Timeout(read=3, total=9), Retry(1, 2.0, 3.0, None)):
            self.assertEqual(pickle.loads(pickle.dumps(value)), value)
