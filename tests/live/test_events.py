"""Tests of `connectordb.live.events`."""

from __future__ import annotations

from connectordb.exceptions import ConnectionFailed
from connectordb.live import Options
from connectordb.live.dispatch import Pool
from connectordb.live.events import ConnectionEvent, Event, Events
from connectordb.runtime.clock import Deadline
from tests.support.case import MS, SOON, Case
from tests.support.live_cases import STREAM, PeerCase, Record


class EventTests(Case):
    """Handlers of one event."""

    def test_handlers(self) -> None:
        """Called in order; one that raises is logged; removed ones are not called."""
        pool = Pool("callbacks")
        self.addCleanup(lambda: pool.close(Deadline(SOON)))
        lane, event, called = pool.lane(), Event("on_connect"), []

        @event
        def first(happened: ConnectionEvent) -> None:
            called.append(("first", happened.attempt))
            raise ZeroDivisionError

        @event
        def second(happened: ConnectionEvent) -> None:
            called.append(("second", happened.attempt))

        with self.assertLogs("connectordb.live.events", "ERROR"):
            event.fire(ConnectionEvent("http://x", 1), lane)
            self.eventually(lambda: called == [("first", 1), ("second", 1)])
        event.remove(first)
        event.remove(first)
        event.fire(ConnectionEvent("http://x", 2), lane)
        self.eventually(lambda: called[2:] == [("second", 2)])


class ConnectionTests(PeerCase):
    """What is told of a real connection."""

    def test_story(self) -> None:
        """There, lost, an attempt that failed, there again, and given up."""
        events, told = Events(), []
        for name in ("on_connect", "on_disconnect", "on_reconnect", "on_error"):
            getattr(events, name)(lambda event, name=name: told.append((name, event.attempt, type(event.reason))))
        live = self.live(events=events)
        live.subscribe(STREAM, Record())
        self.peer.refusals = [b"HTTP/1.1 503 Oops\r\n\r\n"]
        self.peer.connection().drop()
        self.peer.connection()
        self.eventually(lambda: len(told) == 4)
        self.assertEqual(
            [(name, attempt) for name, attempt, _ in told],
            [("on_connect", 1), ("on_disconnect", 0), ("on_error", 1), ("on_reconnect", 2)],
        )
        self.assertTrue(issubclass(told[1][2], ConnectionFailed))
        self.assertEqual(events.reconnects, 1)

    def test_by_hand(self) -> None:
        """Without reconnecting by itself it stays away until somebody says so; what came meanwhile is fetched."""
        record = Record()
        live = self.live(auto_reconnect=False)
        subscription = live.subscribe(STREAM, record, options=Options())
        self.peer.connection().drop()
        self.assertTrue(subscription.wait("connecting", SOON))
        self.peer.stored[str(STREAM)] = [{"t": 5.0, "d": 1}]
        self.assertFalse(subscription.wait("live", 100 * MS))
        self.assertEqual(self.peer.accepted, 1)
        live.hurry()
        self.peer.connection()
        self.eventually(lambda: record.values == [1])
