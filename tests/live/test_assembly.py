"""Tests of `connectordb.live.assembly`: what a subscription is made of."""

from __future__ import annotations

from typing import Any, cast

from connectordb.exceptions import InvalidRequest, LocalProtocolError, NotFound, PipeScriptError, RememberInUse
from connectordb.live import Options, Timing
from connectordb.live.assembly import Assembly
from connectordb.live.dispatch import Pool
from connectordb.live.downlinks import Server
from connectordb.live.following import Seen
from connectordb.live.watching import Subscription, Switchboard
from connectordb.runtime.backoff import Backoff
from connectordb.runtime.clock import SYSTEM, Deadline
from tests.support.case import SOON
from tests.support.live_cases import LiveCase, Record


class AssemblyTests(LiveCase):
    """Subscriptions that are made, and not begun."""

    def setUp(self) -> None:
        super().setUp()
        server = Server(self.lamp.call, lambda: self.lamp.path)
        self.assembly = Assembly(self.url, server, Backoff(), lambda subscription: None)
        self.switchboard = Switchboard(self.assembly.look, Timing(), SYSTEM)
        self.pool = Pool("callbacks")
        self.addCleanup(lambda: self.pool.close(Deadline(SOON)))

    def make(self, transform: str = "", downlink: bool = False, **options: Any) -> Subscription:
        """Return one that ends with the test."""
        path = self.light.at_downlink() if downlink else self.light
        made = self.assembly.subscription(
            path, transform, cast(Any, Record()), Options(**options), self.pool.lane(), self.switchboard
        )
        self.addCleanup(lambda: made.finish(Deadline(SOON)))
        return made

    def test_look(self) -> None:
        """A stream that is there; one that is not; a transform that the server does not take."""
        self.lamp.insert(self.heat, 1, 2)
        self.assertEqual(self.assembly.look((str(self.heat), "")), Seen(2))
        self.assertEqual(self.assembly.look((str(self.heat), "if $ > 1")), Seen(0))
        with self.assertRaises(InvalidRequest):
            self.assembly.look((str(self.heat), "if $ >"))
        with self.assertRaises(NotFound):
            self.assembly.look((f"{self.lamp.path}/nosuch", ""))

    def test_made(self) -> None:
        """By what the server knows each, and whether its points have places."""
        for made, key, by_index in (
            (self.make(), (str(self.light), ""), True),
            (self.make("sum", at="client"), (str(self.light), ""), True),
            (self.make("sum"), (str(self.light), "sum"), False),
            (self.make(downlink=True), (f"{self.light}/downlink", ""), True),
        ):
            with self.subTest(made=made):
                self.assertEqual((made.key, made.follower.goes_by_index, made.state), (key, by_index, "connecting"))

    def test_leaves_no_file_held(self) -> None:
        """A file is one subscription's; and nobody's, where the subscription cannot be made."""
        file = self.folder() / "place"
        with self.assertRaises(LocalProtocolError):
            self.make(downlink=True, remember=file, on_crash="never")
        with self.assertRaises(PipeScriptError):
            self.make("if $ >", at="client", remember=f"{file}2")
        self.make(downlink=True, remember=file)
        with self.assertRaises(RememberInUse):
            self.make(downlink=True, remember=file)
