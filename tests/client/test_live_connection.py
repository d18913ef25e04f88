"""Tests of `connectordb.client.live_connection`."""

from __future__ import annotations

import queue
from typing import Any

from connectordb.exceptions import LocalProtocolError
from tests.support.case import SOON
from tests.support.target import TargetCase, new_name


class ConnectionTests(TargetCase):
    """What a connection tells of its websocket, and hands on from it."""

    def test_events(self) -> None:
        """The websocket comes with the first subscription, which handlers are told that were not removed again."""
        stream, told = self.stream(), queue.Queue[Any]()
        cdb = self.device()
        self.assertFalse(cdb.is_connected)
        cdb.on_connect(lambda event: told.put(("connect", event.server, event.attempt, event.reason)))
        for other in (cdb.on_disconnect, cdb.on_reconnect, cdb.on_error):
            other(told.put)
        removed = cdb.on_connect(lambda event: told.put("removed"))
        cdb.on_connect.remove(removed)
        with cdb(stream.path).subscribe(lambda path, points: None):
            self.assertEqual(told.get(timeout=SOON), ("connect", cdb.url, 1, None))
            self.assertTrue(cdb.is_connected)
            cdb.reconnect()  # it is connected, so there is nothing to do
            self.assertTrue(told.empty())
        cdb.close()
        self.assertFalse(cdb.is_connected)

    def test_many(self) -> None:
        """One callback for all streams of a device."""
        cdb, heard = self.device(), queue.Queue[Any]()
        streams = [cdb[new_name()] for _ in range(2)]
        for stream in streams:
            stream.create()
        with cdb.subscribe([f"{cdb.path}/*"], lambda path, points: heard.put((path, points.d()))):
            for stream in streams:
                stream.insert(stream.name)
            got = {heard.get(timeout=SOON)[0] for _ in streams}
            self.eventually(lambda: cdb.stats.points_heard == 2)
        self.assertEqual(got, {stream.path for stream in streams})

    def test_pump(self) -> None:
        """Without threads callbacks run where the program says so; with threads there is nothing to run by hand."""
        cdb, stream, heard = self.connect(self.device_key, threads=0), self.stream(), []
        with cdb(stream.path).subscribe(lambda path, points: heard.extend(points.d())):
            stream.insert(5)
            self.eventually(lambda: cdb.pump(0.01) and heard == [5])
        with self.assertRaisesRegex(LocalProtocolError, "threads=0"):
            self.device().pump()
