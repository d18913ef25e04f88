"""The tree of exceptions."""

from __future__ import annotations

import inspect
import pickle
import re
import unittest

import requests

from connectordb import exceptions
from connectordb.exceptions import ConnectorDBError, ResponseError


class Tree(unittest.TestCase):
    """Every exception hangs where the documentation draws it."""

    def test_drawn_as_it_is(self) -> None:
        """The tree in the module's docstring is the tree of the classes."""
        drawn: dict[str, str] = {}
        above: list[str] = []
        for line in (exceptions.__doc__ or "").splitlines():
            found = re.match(r"^    ((?:[│ ]   )*)(?:[├└]── )?([A-Z]\w+)", line)
            if found:
                depth = 0 if found[2] == "ConnectorDBError" else len(found[1]) // 4 + 1
                del above[depth:]
                drawn[found[2]] = above[-1] if above else "Exception"
                above.append(found[2])
        actual = {
            name: kind.__bases__[0].__name__
            for name, kind in vars(exceptions).items()
            if inspect.isclass(kind) and issubclass(kind, ConnectorDBError)
        }
        self.assertEqual(drawn, actual)
        self.assertEqual(sorted(actual), sorted(exceptions.__all__))

    def test_also_caught_as(self) -> None:
        """What programs for 0.3.5, or Python's conventions, catch still catches."""
        for kind, others in (
            (exceptions.ConnectionFailed, (requests.exceptions.ConnectionError, OSError)),
            (exceptions.TimedOut, (requests.exceptions.Timeout, TimeoutError, requests.exceptions.ConnectionError)),
            (exceptions.InvalidRange, (ValueError, AssertionError)),
            (exceptions.LocalProtocolError, (ValueError,)),
            (exceptions.NotFound, (LookupError, exceptions.AuthenticationError)),
            (exceptions.StreamNotAdded, (LookupError,)),
            (exceptions.DownlinkTimeout, (TimeoutError,)),
            (exceptions.PipeScriptError, (ValueError,)),
            (exceptions.ClosedError, (RuntimeError,)),
        ):
            for other in others:
                with self.subTest(kind=kind, other=other):
                    self.assertTrue(issubclass(kind, other))

    def test_pickled(self) -> None:
        """An exception travels between processes with all that it says."""
        for name in exceptions.__all__:
            kind = getattr(exceptions, name)
            made = (
                kind("what", status=403, ref="r", method="GET", path="/x")
                if issubclass(kind, ResponseError)
                else kind("what")
            )
            with self.subTest(name):
                copy = pickle.loads(pickle.dumps(made))
                self.assertEqual((type(copy), str(copy), copy.__dict__), (kind, str(made), made.__dict__))

    def test_what_a_refusal_says(self) -> None:
        """The text names request, status, message and reference; the value is that of 0.3.5."""
        refusal = exceptions.Conflict("taken", status=403, ref="abc", method="POST", path="/crud/mara")
        self.assertEqual(str(refusal), "POST /crud/mara: 403 taken (ref abc)")
        self.assertEqual(refusal.value, "403: taken (abc)")
        self.assertEqual(str(exceptions.ServerError("odd", status=502)), "502 odd")
        self.assertEqual(exceptions.OutcomeUnknown("x", 5).stored, 5)
