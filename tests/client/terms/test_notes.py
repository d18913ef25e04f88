"""Saying more in an exception."""

from __future__ import annotations

import pickle
import unittest

from connectordb.client.terms import notes
from connectordb.exceptions import Conflict, ConnectionFailed, LocalProtocolError, OutcomeUnknown


class Notes(unittest.TestCase):
    """What is added is seen wherever the exception is."""

    def test_added(self) -> None:
        """It is in the text, in the message, in the value of 0.3.5 and in a pickled copy."""
        for error in (Conflict("too old", status=403), ConnectionFailed("broke"), LocalProtocolError("bad")):
            notes.add(error, " (why)")
            for copy in (error, pickle.loads(pickle.dumps(error))):
                self.assertTrue(str(copy).endswith(" (why)"), str(copy))
        refused = Conflict("too old", status=403, ref="r")
        notes.add(refused, " (why)")
        self.assertEqual((refused.message, refused.value), ("too old (why)", "403: too old (why) (r)"))

    def test_full_stop(self) -> None:
        """A note that goes on with the sentence takes away the full stop that ended it."""
        for note, whole in (("; go on", "denied; go on"), (" (why)", "denied. (why)")):
            for error in (Conflict("denied.", status=403), ConnectionFailed("denied.")):
                notes.add(error, note)
                self.assertIn(whole, str(error))
                self.assertNotIn(".;", getattr(error, "value", ""))

    def test_cut(self) -> None:
        """A long text loses its middle."""
        self.assertEqual(notes.cut("short"), "short")
        self.assertEqual(notes.cut("a" * 1000 + " is no number", 26), "a" * 13 + " … " + " is no number")

    def test_stored(self) -> None:
        """How much was stored is said in words and as a number."""
        error = OutcomeUnknown("broke")
        notes.add_stored(error, 5000)
        self.assertEqual(
            (str(error), error.stored), ("broke; before that, 5000 datapoints of this call were stored", 5000)
        )
        other = LocalProtocolError("bad")
        notes.add_stored(other, 0)
        self.assertEqual(str(other), "bad; before that, nothing of this call was stored")
