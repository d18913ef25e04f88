"""Downlinks against a real server: commands, their acknowledgement, and callbacks that would feed themselves."""

from __future__ import annotations

import threading
import time
from typing import Any

from connectordb.exceptions import DownlinkError, InvalidRequest
from connectordb.live import Options
from connectordb.protocol import rest
from tests.support.case import SOON
from tests.support.live_cases import LiveCase, Record


class DownlinkTests(LiveCase):
    """Commands and their acknowledgement."""

    def obey(self, returns: Any, **options: Any) -> Record:
        """Subscribe the lamp to its downlink with a callback that returns *returns*."""
        record = Record(returns)
        self.live.subscribe(self.light.at_downlink(), record, options=Options(on_error=record.errors.append), **options)
        return record

    def acknowledged(self, *values: Any) -> None:
        """Expect these values in the stream."""
        self.eventually(lambda: self.lamp.read(self.light) == list(values), f"{values} in the stream")

    def test_true(self) -> None:
        """True writes the commanded points to the stream; both sides see it, and the sender is told."""
        seen = Record()
        self.open(self.user).subscribe(self.light, seen)
        record = self.obey(True)
        self.user.insert(self.light, True)
        self.eventually(lambda: seen.values == [True])
        ((path, (point,)),) = record.calls
        self.assertEqual((path, point["d"], point["o"]), (f"{self.light}/downlink", True, str(self.user.path)))
        self.acknowledged(True)
        (stored,) = self.lamp.call(rest.points(self.light, {"i1": "0", "i2": "0"}))
        self.assertEqual(stored["t"], point["t"])
        self.assertNotIn("o", stored)

    def test_other_values(self) -> None:
        """A list of points, one point, nothing."""
        record = self.obey({"d": "dimmed"})
        self.user.insert(self.light, 1)
        self.acknowledged("dimmed")
        record.returns = [{"d": 1}, {"d": 2}]
        self.user.insert(self.light, 2)
        self.acknowledged("dimmed", 1, 2)
        for nothing in (None, False, []):
            record.returns = nothing
            self.user.insert(self.light, 3)
        record.returns = [{"d": "end"}]
        self.eventually(lambda: len(record.calls) == 5)
        self.user.insert(self.light, 4)
        self.eventually(lambda: len(record.calls) == 6)
        self.eventually(lambda: self.lamp.read(self.light)[-1] == "end")
        self.assertEqual(record.errors, [])

    def test_nonsense(self) -> None:
        """Anything else is told, and writes nothing."""
        record = self.obey("yes")
        self.user.insert(self.light, 1)
        self.eventually(lambda: record.errors)
        self.assertIn("returned 'yes'", str(record.errors[0]))
        record.returns = True
        self.user.insert(self.light, 2)
        self.acknowledged(2)

    def test_something_newer(self) -> None:
        """An acknowledgement gets a time that the stream takes, also where restamping would damage its value."""
        future = time.time() + 1000
        self.lamp.call(rest.insert(self.light, [{"t": future, "d": 0}]))
        self.obey(True)
        self.user.insert(self.light, 1)
        self.acknowledged(0, 1)
        self.user.insert(self.light, {"a": None, "b": [None, 1]})
        self.acknowledged(0, 1, {"a": None, "b": [None, 1]})

    def test_refused(self) -> None:
        """An acknowledgement that the schema refuses is told."""
        self.lamp.call(rest.update(self.light, {"schema": '{"type":"boolean"}'}))
        record = self.obey({"d": 5})
        self.user.insert(self.light, True)
        self.eventually(lambda: record.errors)
        self.assertIsInstance(record.errors[0], InvalidRequest)

    def test_another_device(self) -> None:
        """Only the stream's own device acknowledges; elsewhere a returned value is an error, and no new command."""
        record = Record(True)
        self.open(self.user).subscribe(self.light.at_downlink(), record, options=Options(on_error=record.errors.append))
        self.user.insert(self.light, 1)
        self.eventually(lambda: record.errors)
        self.assertIn(f"only '{self.lamp.path}' acknowledges", str(record.errors[0]))
        self.assertEqual((self.user.read(self.light.at_downlink()), self.lamp.read(self.light)), ([1], []))
        for nothing in (None, False):
            record.returns = nothing
            self.user.insert(self.light, 2)
        self.eventually(lambda: len(record.calls) == 3)
        self.live.close()
        self.assertEqual(len(record.errors), 1)

    def test_first_wins(self) -> None:
        """Of several callbacks the first that acknowledges does; one that returns nothing is none."""
        silent = self.obey(None)
        first = self.obey({"d": "one"}, add=True)
        second = self.obey({"d": "two"}, add=True)
        for number in range(10):
            self.user.insert(self.light, number)
        self.eventually(lambda: len(silent.calls) == len(first.calls) == len(second.calls) == 10)
        self.eventually(lambda: len(self.lamp.read(self.light)) == 10)
        self.live.close()
        self.assertEqual(len(self.lamp.read(self.light)), 10)
        self.assertEqual(first.errors + second.errors + silent.errors, [])

    def test_transform(self) -> None:
        """The stream and its downlink are two: what is commanded does not show in the one, nor the answer in the other."""
        commands, stream = self.obey(True), Record()
        self.live.subscribe(self.light, stream)
        self.user.insert(self.light, 1)
        self.eventually(lambda: stream.values == [1])
        self.lamp.insert(self.light, 2)
        self.eventually(lambda: stream.values == [1, 2])
        self.assertEqual(commands.values, [1])

    def test_exit(self) -> None:
        """sys.exit() in a callback is as good as a kill, in a program that goes on, too: *on_crash* decides what becomes of it."""
        for on_crash, acted, told in (("again", [1, 1, 2], []), ("skip", [1, 2], [DownlinkError])):
            record = Record()

            def exit_once(path: str, points: list[Any], record: Record = record) -> bool:
                record(path, points)
                if len(record.calls) == 1:
                    raise SystemExit
                return True

            options = Options(on_crash=on_crash, on_error=record.errors.append)  # type: ignore[arg-type]
            with self.subTest(on_crash), self.assertLogs("connectordb.live", "WARNING") as logs:
                with self.live.subscribe(self.light.at_downlink(), exit_once, options=options) as subscription:
                    for number in (1, 2):
                        self.user.insert(self.light, number)
                    self.eventually(lambda record=record: record.values[-1:] == [2])  # type: ignore[misc]
                    self.assertTrue(subscription.wait("live", SOON))
                self.assertEqual(record.values, acted)
                self.assertEqual([type(error) for error in record.errors], told)
                self.assertIn("was ended by a callback", logs.output[0])
        self.acknowledged(1, 2, 2)

    def test_close_acknowledges(self) -> None:
        """close() lets a command that is being acted on be acknowledged."""
        begun, go_on = threading.Event(), threading.Event()

        def act(path: str, points: list[Any]) -> bool:
            begun.set()
            return go_on.wait(SOON)

        self.live.subscribe(self.light.at_downlink(), act)
        self.user.insert(self.light, 1)
        self.wait(begun)
        closing = threading.Thread(target=self.live.close)
        closing.start()
        go_on.set()
        closing.join(SOON)
        self.assertEqual(self.lamp.read(self.light), [1])


class SelfFeedingTests(LiveCase):
    """A device at its own downlink."""

    def test_ended(self) -> None:
        """Inserting from the callback into the downlink that it watches is an error, told, at the first turn."""
        own = self.user.path / "own"
        self.user.call(rest.create(own, {"schema": "{}", "downlink": True}))
        record = Record()

        def feed(path: str, points: list[Any]) -> None:
            record(path, points)
            self.user.insert(own.at_downlink(), points[-1]["d"] + 1)

        with self.assertLogs("connectordb.live", "ERROR"):
            self.open(self.user).subscribe(own.at_downlink(), feed, options=Options(on_error=record.errors.append))
            self.user.insert(own.at_downlink(), 1)
            self.eventually(lambda: len(record.errors) == 1)
            # a command from outside by the same device is none of that
            self.user.insert(own.at_downlink(), 10)
            self.eventually(lambda: len(record.errors) == 2)
        self.assertEqual(record.values, [1, 10])
        self.assertIn("for ever", str(record.errors[0]))
        self.assertEqual(self.user.read(own.at_downlink()), [1, 10])

    def test_redirected(self) -> None:
        """The same for another device, whose insert into the stream would land in the downlink."""
        record = Record()

        def feed(path: str, points: list[Any]) -> None:
            record(path, points)
            self.user.insert(self.light, 2)

        with self.assertLogs("connectordb.live", "ERROR"):
            self.open(self.user).subscribe(
                self.light.at_downlink(), feed, options=Options(on_error=record.errors.append)
            )
            self.user.insert(self.light, 1)
            self.eventually(lambda: record.errors)
        self.assertEqual(self.user.read(self.light.at_downlink()), [1])

    def test_by_hand(self) -> None:
        """The stream's own device may acknowledge by inserting into the stream, from the callback."""
        record = Record()

        def act(path: str, points: list[Any]) -> None:
            record(path, points)
            self.lamp.insert(self.light, points[-1]["d"])

        self.live.subscribe(self.light.at_downlink(), act, options=Options(on_error=record.errors.append))
        self.user.insert(self.light, 1)
        self.eventually(lambda: self.lamp.read(self.light) == [1])
        self.assertEqual((record.values, record.errors), ([1], []))
