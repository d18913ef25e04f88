"""Tests of `connectordb.client.live_stream`."""

from __future__ import annotations

import queue
from typing import Any

from connectordb import ConnectorDB
from connectordb.exceptions import LocalProtocolError
from tests.support.case import SOON
from tests.support.target import TargetCase, new_name


class SubscribeTests(TargetCase):
    """What a user passes arrives where it belongs."""

    def test_since(self) -> None:
        """The last ten, then what comes, without a gap; and how many were caught up."""
        cdb: ConnectorDB = self.connect(self.device_key)
        stream = cdb[new_name()]
        stream.create({"type": "number"})
        stream.insert_array([{"t": 1000.0 + number, "d": number} for number in range(50)])
        heard: queue.Queue[Any] = queue.Queue()

        def hear(path: str, points: Any) -> None:
            for number, point in enumerate(points):
                heard.put((points.first_index + number, point["d"]))

        caught: queue.Queue[int] = queue.Queue()
        with stream.subscribe(hear, since=-10, on_subscribed=caught.put) as subscription:
            stream.insert(50)
            got = [heard.get(timeout=SOON) for _ in range(11)]
            self.assertEqual(got, [(number, number) for number in range(40, 51)])
            self.assertGreaterEqual(caught.get(timeout=SOON), 10)
            self.assertTrue(subscription.wait("live", SOON))
            self.assertEqual((subscription.delivered, subscription.last_index, subscription.missed), (11, 50, 0))
        self.assertEqual(subscription.state, "closed")
        with self.assertRaises(LocalProtocolError):
            subscription.wait("awake", 1.0)  # type: ignore[arg-type]
