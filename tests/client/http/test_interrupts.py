"""Ctrl-C in a request, at any moment: the next request works, and nothing is lost of the pool."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from connectordb.client.http import Transport, allowance, answers, line, lines, transport, wire
from connectordb.client.terms.trace import Trace
from connectordb.network import dialling, names
from tests.support.case import Case
from tests.support.interrupts import interrupted_at
from tests.support.wire import Peer, answer

#: More lines than any of the files has run in one request.
_ENOUGH = 400


class Interrupts(Case):
    """At each line that is run of each file."""

    def setUp(self) -> None:
        super().setUp()
        self.peer = Peer(otherwise=answer("ok"))
        self.addCleanup(self.peer.close)

    def check(self, module: ModuleType, begin: Callable[[], Transport]) -> None:
        """Interrupt a request at each line, and see that the pool of two is whole after each."""
        assert module.__file__ is not None
        for number in range(_ENOUGH):
            served = begin()
            try:
                reached = interrupted_at(
                    number, module.__file__, lambda served=served: served.send("GET", "/", Trace())
                )
                for _ in range(3):
                    self.assertEqual(served.send("POST", "/", Trace(), body=b"[]").text, "ok")
                kept = served._lines
                alive = [ref for ref in kept._all if ref() is not None]
                self.assertEqual(len(alive), len(kept._idle), f"after line {number} of {module.__name__}")
                self.assertFalse(kept._waiting)
            finally:
                served.close()
            if not reached:
                return
        self.fail(f"{module.__name__} runs more lines than {_ENOUGH}")

    def test_on_a_new_connection(self) -> None:
        """While the connection is made as well."""
        for module in (transport, lines, line, wire, allowance, answers, names, dialling):
            with self.subTest(module.__name__):
                self.check(module, lambda: Transport(self.peer.url, pool_size=2))

    def test_on_a_kept_connection(self) -> None:
        """While it is used again."""

        def used() -> Transport:
            made = Transport(self.peer.url, pool_size=2)
            made.send("GET", "/", Trace())
            return made

        for module in (transport, lines, line, wire):
            with self.subTest(module.__name__):
                self.check(module, used)
