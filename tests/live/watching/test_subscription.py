"""One callback's subscription: what it is called with, errors, acknowledgements, overruns, its end."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from unittest import mock

from connectordb.exceptions import ConnectorDBError
from connectordb.live import Options
from connectordb.live.dispatch import Pool
from connectordb.live.following import losses as module
from connectordb.live.following.follower import Follower
from connectordb.live.following.reads import Reads
from connectordb.live.handing.handing import Points, Transformed
from connectordb.live.watching.subscription import Subscription
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from connectordb.protocol.points import Datapoint
from connectordb.runtime.backoff import Backoff
from connectordb.runtime.clock import SYSTEM, Deadline
from tests.support.case import SOON, Case

STREAM = Path.parse("mara/lamp/light")
POINTS = ({"t": 1.0, "d": {"a": 1}}, {"t": 2.0, "d": None, "o": "mara/user"})


class SubscriptionTests(Case):
    """A subscription on a pool of its own."""

    def setUp(self) -> None:
        super().setUp()
        self.pool = Pool("callbacks")
        self.addCleanup(lambda: self.pool.close(Deadline(SOON)))
        self.calls: list[tuple[str, list[Datapoint]]] = []
        self.errors: list[Exception] = []

    def subscription(
        self,
        callback: Any = None,
        path: Path = STREAM,
        on_error: Any = "record",
        most: int = 100,
        handler: Any = None,
        **chosen: Any,
    ) -> Subscription:
        """Return a subscription."""
        lane = self.pool.lane(most)
        options = Options(on_error=self.errors.append if on_error == "record" else on_error, **chosen)
        subscription = Subscription(
            path,
            "",
            callback or self.record,
            options,
            lane=lane,
            handler=handler or (lambda tell: Points(str(path), tell)),
            end=lambda subscription: self.assertTrue(subscription.finish(Deadline(SOON))),
            lost_sight=lambda key: None,
            ask_again=lambda key: None,
            follow=lambda receiver, place: Follower(
                path,
                options,
                by_index=False,
                lane=lane,
                reads=Reads(self.call, path),
                receiver=receiver,
                later=lambda seconds, action: None,
                clock=SYSTEM,
                backoff=Backoff(),
            ),
        )
        return subscription

    def call(self, request: rest.Request[Any]) -> Any:
        """Nobody reads what has no index."""
        self.fail(f"{request.method} {request.path}")

    def deliver(self, subscription: Subscription, points: Sequence[Datapoint] = POINTS) -> None:
        """Tell of points that have no index."""
        subscription.follower.told(None, [dict(point) for point in points], 0)

    def record(self, path: str, points: list[Datapoint]) -> None:
        """Remember a call."""
        self.calls.append((path, points))

    def test_called(self) -> None:
        """The callback gets the path and points of its own; of a plain stream, what it returns is nobody's business."""

        def change(path: str, points: list[Datapoint]) -> bool:
            self.record(path, [dict(point) for point in points])
            points.clear()
            return True

        subscription = self.subscription(change)
        self.deliver(subscription)
        self.deliver(subscription)
        self.eventually(lambda: len(self.calls) == 2)
        self.assertEqual(self.calls, [("mara/lamp/light", list(POINTS))] * 2)
        self.assertEqual(repr(subscription), "<Subscription to 'mara/lamp/light', connecting, 4 points>")

    def test_raising(self) -> None:
        """A raising callback is logged with its traceback and told, and is called again."""

        def fail(path: str, points: list[Datapoint]) -> bool:
            self.record(path, points)
            if len(self.calls) == 1:
                raise ZeroDivisionError("mine")
            return True

        subscription = self.subscription(fail)
        with self.assertLogs("connectordb.live.handing.handing", "ERROR") as logged:
            self.deliver(subscription)
            self.deliver(subscription)
            self.eventually(lambda: len(self.calls) == 2)
        self.assertIn("Traceback", logged.output[0])
        self.assertEqual([str(error) for error in self.errors], ["mine"])

    def test_delivered(self) -> None:
        """Counted is what the callback was called with, whatever became of that, and not what a script was run over."""

        def leave(path: str, points: list[Datapoint]) -> None:
            points.clear()
            raise SystemExit

        subscription = self.subscription(leave)
        with self.assertLogs("connectordb.live.dispatch", "ERROR"):
            self.deliver(subscription)
            self.eventually(lambda: subscription.delivered == 2)

        def with_sender(points: Iterable[Datapoint]) -> Iterator[Datapoint]:
            return (point for point in points if "o" in point)

        subscription = self.subscription(handler=lambda tell: Transformed(STREAM, with_sender, tell))
        self.addCleanup(subscription.close)
        self.deliver(subscription)
        self.eventually(lambda: self.calls)
        self.eventually(lambda: subscription.delivered)
        self.assertEqual((len(self.calls[0][1]), subscription.delivered), (1, 1))

    def test_lost_before_it_is_live(self) -> None:
        """That all is handed on is nothing to be said of a connection that was lost meanwhile."""
        states: list[Any] = []
        subscription = self.subscription(on_state=states.append, on_subscribed=states.append)
        subscription.has_come_to("catching up")
        subscription.disconnected()
        subscription.caught_up(5)
        self.eventually(lambda: states == ["catching up", "connecting"])
        self.assertEqual(subscription.state, "connecting")
        subscription.has_come_to("catching up")
        subscription.caught_up(6)
        self.eventually(lambda: {"catching up", 6, "live"} == set(states[2:]))

    def test_raising_on_error(self) -> None:
        """An on_error that raises is logged, and the subscription goes on."""

        def on_error(error: Exception) -> None:
            raise RuntimeError("in on_error")

        subscription = self.subscription(on_error=on_error)
        with self.assertLogs("connectordb.live.watching.subscription", "ERROR"):
            subscription.tell(ValueError("x"))
            self.deliver(subscription)
            self.eventually(lambda: self.calls)

    def test_overrun(self) -> None:
        """A callback that is too slow loses the oldest, which is counted and told; the newest arrive."""
        begun, go_on = threading.Event(), threading.Event()

        def slow(path: str, points: list[Datapoint]) -> None:
            begun.set()
            self.assertTrue(go_on.wait(SOON))
            self.record(path, points)

        with mock.patch.object(module, "QUEUE_LIMIT", 10):
            subscription = self.subscription(slow, most=10)
            self.deliver(subscription, ({"t": 0.0, "d": "first"},))
            self.wait(begun)
            for number in range(40):
                self.deliver(subscription, ({"t": 1.0, "d": number},))
            go_on.set()
            self.eventually(lambda: len(self.calls) == 11)
        self.assertEqual([points[0]["d"] for _, points in self.calls], ["first", *range(30, 40)])
        self.assertEqual(subscription.missed, 30)
        self.assertIsInstance(self.errors[0], ConnectorDBError)
        self.assertRegex(str(self.errors[0]), "1 points of .* were too many for the callback")
        self.assertEqual(len(self.errors), 4, "the first, and every ten")

    def test_end(self) -> None:
        """After its end nothing is called; a callback may end its own subscription; so does a with block."""
        ended = threading.Event()

        def end(path: str, points: list[Datapoint]) -> None:
            self.record(path, points)
            subscription.close()
            ended.set()

        subscription = self.subscription(end)
        for _ in range(3):
            self.deliver(subscription)
        self.wait(ended)
        with self.subscription() as other:
            pass
        self.deliver(other)
        other.refused(ValueError())
        self.assertEqual((len(self.calls), self.errors), (1, []))
