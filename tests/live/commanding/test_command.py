"""Commands and their answers, with a real server and a device's program beside it."""

from __future__ import annotations

import importlib
import itertools
import signal
import threading
import time
from collections.abc import Callable
from typing import Any
from unittest import skipUnless

from connectordb import ConnectorDB, Stream
from connectordb.exceptions import (
    ClosedError,
    ConnectionFailed,
    DownlinkRefused,
    DownlinkTimeout,
    InvalidRequest,
    LocalProtocolError,
    NotFound,
    PermissionDenied,
)
from connectordb.protocol import answers
from connectordb.protocol.paths import Path
from tests.live_faults.proxy import LiveProxy
from tests.support.case import MS, SOON
from tests.support.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.support.interrupts import interrupted_at
from tests.support.live_cases import FAST
from tests.support.target import TargetCase, new_name

# by name: the package's door has a function that is called as the module is
command, hearing, listening = (
    importlib.import_module(f"connectordb.live.commanding.{name}") for name in ("command", "hearing", "listening")
)


class CommandCase(TargetCase):
    """A lamp with a downlink, and a user who commands it."""

    def setUp(self) -> None:
        super().setUp()
        self.lamp = self.stream(downlink=True)
        self.commander = self.person()
        self.at: Stream = self.commander(self.lamp.path)

    def obey(self, act: Callable[[str, Any], Any] = lambda path, points: True) -> None:
        """Run the lamp's program."""
        self.lamp.subscribe(act, downlink=True)

    def numbers(self, threads: int) -> list[float]:
        """Return the numbers that are in the answers and refusals of equal commands, three from each of some threads, sorted."""
        got: list[float] = []

        def command() -> None:
            for _ in range(3):
                try:
                    got.append(self.at.command("on", timeout=SOON)["t"] - 1000.0)
                except DownlinkRefused as refused:
                    got.append(float(refused.reason.removeprefix("no ")))

        commanding = [threading.Thread(target=command) for _ in range(threads)]
        for thread in commanding:
            thread.start()
        for thread in commanding:
            thread.join(SOON)
        return sorted(got)

    def through(self, *script: Fault, announces: bool = True) -> tuple[Stream, FaultProxy]:
        """Return the stream as seen by a user whose REST requests go through a proxy, and that."""
        running = fault_proxy(self.url)
        proxy = running.__enter__()
        self.addCleanup(running.__exit__, None, None, None)
        proxy.announces = announces
        cdb = ConnectorDB(self.user_key, url=proxy.url)
        self.addCleanup(cdb.close)
        cdb._session._live = self.commander._session.live  # the proxy does not know websockets
        self.addCleanup(setattr, cdb._session, "_live", None)
        proxy.script(*script)
        return cdb(self.lamp.path), proxy


class PlainTests(CommandCase):
    """A device that records nothing."""

    def test_answered(self) -> None:
        """The answer is the point that the device wrote, as it is stored; one command after the other."""
        self.obey()
        for number in range(5):
            answer = self.at.command({"dimmed": number}, timeout=SOON)
            self.assertEqual(answer, self.lamp[number])
            self.assertEqual(answer["d"], {"dimmed": number})
        self.assertEqual((len(self.lamp), self.lamp.length(downlink=True)), (5, 5))

    def test_old_points(self) -> None:
        """Points of before are no answer, nor are others that come."""
        self.lamp.insert_array([{"t": 1.0, "d": "on"}, {"t": 2.0, "d": "on"}])

        def act(path: str, points: Any) -> Any:
            self.lamp.insert("warming up")
            return {"d": points[0]["d"]}

        self.obey(act)
        self.assertEqual(self.at.command("on", timeout=SOON), self.lamp[3])

    def test_no_answer(self) -> None:
        """Without an answer in time it is told that the command was written, and where."""
        began = time.monotonic()
        with self.assertRaisesRegex(
            DownlinkTimeout, r"no answer within 1 s; the command was written \(index 0 "
        ) as caught:
            self.at.command("on", timeout=1)
        self.assertEqual((caught.exception.written, caught.exception.index), (True, 0))
        self.assertLess(time.monotonic() - began, SOON / 2)
        self.assertIsInstance(caught.exception, TimeoutError)

    def test_equal_at_once(self) -> None:
        """Of equal commands at once each gets an answer, though it may be that to another one."""
        self.obey()
        got: list[Any] = []
        threads = [
            threading.Thread(target=lambda: got.append(self.at.command("on", timeout=SOON)["d"])) for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SOON)
        self.assertEqual(got, ["on"] * 5)
        self.eventually(lambda: len(self.lamp) == 5)

    def test_ephemeral(self) -> None:
        """Where nothing is stored the answer is heard all the same."""
        self.lamp.ephemeral = True
        self.obey()
        self.assertEqual(self.at.command("on", timeout=SOON)["d"], "on")
        self.lamp.unsubscribe(downlink=True)
        with self.assertRaises(DownlinkTimeout) as caught:
            self.at.command("on", timeout=1)
        self.assertEqual((caught.exception.written, caught.exception.index), (True, None))

    def test_leaves_nothing(self) -> None:
        """Afterwards nobody listens any more, whatever came of it."""
        self.obey()
        self.at.command("on", timeout=SOON)
        self.lamp.unsubscribe(downlink=True)
        with self.assertRaises(DownlinkTimeout):
            self.at.command("on", timeout=0.2)
        self.assertFalse(self.commander._session.live._switchboard.is_wanted())

    @skipUnless(hasattr(signal, "setitimer"), "needs a timer that interrupts")
    def test_interrupted(self) -> None:
        """Ctrl-C ends the waiting at once, and leaves nothing behind."""
        before = signal.signal(signal.SIGALRM, lambda number, frame: signal.default_int_handler(signal.SIGINT, frame))
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        began = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 150 * MS)
        with self.assertRaises(KeyboardInterrupt):
            self.at.command("on", timeout=SOON)
        self.assertLess(time.monotonic() - began, SOON / 4)
        self.assertFalse(self.commander._session.live._switchboard.is_wanted())

    def test_closed_meanwhile(self) -> None:
        """Who closes the connection ends the waiting, and says so."""
        cdb, raised = self.person(), list[Exception]()

        def command() -> None:
            try:
                cdb(self.lamp.path).command("on", timeout=SOON)
            except ClosedError as error:
                raised.append(error)

        thread = threading.Thread(target=command)
        thread.start()
        self.eventually(lambda: self.lamp.length(downlink=True) == 1)
        cdb.close()
        thread.join(SOON / 2)
        self.assertEqual(len(raised), 1)


class BusyTests(CommandCase):
    """Who commands where no thread is free that would run callbacks."""

    def test_in_callbacks(self) -> None:
        """Callbacks may command, also if they have all the threads that there are."""
        self.obey()
        for threads in (1, 3):
            hub, together = self.connect(self.user_key, threads=threads), threading.Barrier(threads, timeout=SOON)
            answers: list[Any] = []

            def command(
                path: str, points: Any, hub: Any = hub, together: Any = together, answers: Any = answers
            ) -> None:
                together.wait()
                answers.append(hub(self.lamp.path).command("on", timeout=SOON)["d"])

            buttons = [self.stream() for _ in range(threads)]
            for button in buttons:
                hub(button.path).subscribe(command)
            for button in buttons:
                button.insert("pressed")
            self.eventually(lambda answers=answers, all_of_them=["on"] * threads: answers == all_of_them)  # type: ignore[misc]

    def test_without_threads(self) -> None:
        """A program that runs its callbacks in pump() is answered without that."""
        self.obey()
        loop = self.connect(self.user_key, threads=0)
        self.assertEqual(loop(self.lamp.path).command("on", timeout=SOON)["d"], "on")


class InterruptedTests(CommandCase):
    """Ctrl-C anywhere."""

    def test_everywhere(self) -> None:
        """Wherever it strikes, it ends the command, and nobody listens any more."""
        self.obey()
        self.at.command("on", timeout=SOON)
        for module in (command, listening):
            for line in range(0, 1000, 2):
                reached = interrupted_at(line, module.__file__, lambda: self.at.command("on", timeout=SOON))
                self.eventually(lambda: not self.commander._session.live._switchboard.is_wanted(), f"line {line}")
                if not reached:
                    break
            self.assertGreater(line, 20)


class RecordingTests(CommandCase):
    """A device that records its answers; by hand, as the format says."""

    def setUp(self) -> None:
        super().setUp()
        self.records = self.lamp.device[answers.companion(Path.parse(self.lamp.path)).name]

    def record(self) -> None:
        """Begin to record."""
        self.records.create(answers.SCHEMA, datatype=answers.DATATYPE)

    def obey_and_record(self, outcome: Callable[[int, Any], answers.Answer]) -> None:
        """Run the lamp's program, one thread for all: *outcome* says what becomes of a command."""
        self.record()
        seen = iter(range(1_000_000))
        busy = threading.Lock()

        def act(path: str, points: Any) -> None:
            with busy:
                for point in points:
                    answer = outcome(next(seen), point["d"])
                    if answer.is_done:
                        self.lamp.insert_array(answer.answer)
                    self.records.insert(answer.value())

        self.obey(act)

    def test_each_its_own(self) -> None:
        """Of many equal commands at once each gets its own answer, and a refusal its reason."""

        def outcome(index: int, value: Any) -> answers.Answer:
            if index % 3 == 2:
                return answers.Answer(index, "", answers.REFUSED, reason=f"no {index}")
            return answers.Answer(index, answer=({"t": 1000.0 + index, "d": value},))

        self.obey_and_record(outcome)
        self.assertEqual(self.numbers(8), [float(index) for index in range(24)])
        self.assertEqual(len(self.lamp), 16)

    def test_refused(self) -> None:
        """A refusal says who refused, and why."""
        self.obey_and_record(
            lambda index, value: answers.Answer(index, "", answers.REFUSED, reason="the fuse is blown")
        )
        with self.assertRaisesRegex(DownlinkRefused, f"{self.lamp.device.path}.*the fuse is blown") as caught:
            self.at.command("on", timeout=SOON)
        self.assertEqual(caught.exception.reason, "the fuse is blown")

    def test_no_longer(self) -> None:
        """A device that does not record any more is answered by what it does."""
        self.record()
        self.obey()
        before, hearing.RECORD_AFTER = hearing.RECORD_AFTER, 0.05
        self.addCleanup(setattr, hearing, "RECORD_AFTER", before)
        self.assertEqual(self.at.command("on", timeout=SOON)["d"], "on")

    def test_somebody_elses(self) -> None:
        """A stream of that name that is something else is none of our business."""
        self.records.create()
        self.obey()
        self.assertEqual(self.at.command("on", timeout=SOON)["d"], "on")


class DaemonTests(CommandCase):
    """A device's program that was made with ``answers=True``."""

    def test_each_its_own(self) -> None:
        """Of many equal commands at once each gets its own answer, or its own refusal, whatever the order."""
        turn = itertools.count()

        def act(path: str, points: Any) -> Any:
            number = next(turn)
            if number % 3 == 2:
                raise DownlinkRefused(f"no {number}")
            return {"t": 1000.0 + number, "d": points[0]["d"]}

        self.lamp.subscribe(act, downlink=True, answers=True)
        self.assertEqual(self.numbers(6), [float(number) for number in range(18)])

    def test_refusals(self) -> None:
        """Every way not to acknowledge is a refusal with a reason."""

        def act(path: str, points: Any) -> Any:
            if points[0]["d"] == "raise":
                raise ValueError("a secret of the program")
            return points[0]["d"]

        self.lamp.subscribe(act, downlink=True, answers=True, on_error=lambda error: None)
        for value, reason in ((False, "returned False"), (None, "returned None"), ("raise", "raised ValueError")):
            with self.subTest(value), self.assertRaisesRegex(DownlinkRefused, reason) as caught:
                self.at.command(value, timeout=SOON)
            self.assertNotIn("secret", str(caught.exception))
        self.assertEqual(self.at.command(True, timeout=SOON)["d"], True)

    def test_before_it_runs(self) -> None:
        """A command that was written before the program ran is answered when it does."""
        got: list[Any] = []
        self.lamp.subscribe(lambda path, points: True, downlink=True, answers=True).close()
        thread = threading.Thread(target=lambda: got.append(self.at.command("on", timeout=SOON)["d"]))
        thread.start()
        self.eventually(lambda: self.lamp.length(downlink=True) == 1)
        self.lamp.subscribe(lambda path, points: True, downlink=True, answers=True, since=0)
        thread.join(SOON)
        self.assertEqual(got, ["on"])


class RefusedTests(CommandCase):
    """What is no command."""

    def test_own(self) -> None:
        """A device does not command itself."""
        with self.assertRaisesRegex(LocalProtocolError, "a device acknowledges itself"):
            self.lamp.command("on")

    def test_own_callback(self) -> None:
        """A callback of a downlink that commands that very downlink would be called by what it does."""
        raised: list[Exception] = []

        def act(path: str, points: Any) -> None:
            try:
                self.at.command("on")
            except LocalProtocolError as error:
                raised.append(error)

        self.commander(f"{self.lamp.path}/downlink").subscribe(act)
        self.at.insert("off")
        self.eventually(lambda: raised)
        self.assertIn("it would be called again", str(raised[0]))

    def test_nonsense(self) -> None:
        """A timeout or a value that is none; a stream that takes no commands, is not there, or refuses the value."""
        for timeout in (0, -1, True, float("inf"), "5"):
            with self.subTest(timeout), self.assertRaisesRegex(LocalProtocolError, "timeout="):
                self.at.command("on", timeout=timeout)  # type: ignore[arg-type]
        with self.assertRaises(LocalProtocolError):
            self.at.command(float("nan"))
        with self.assertRaisesRegex(
            LocalProtocolError, "the command has the integer 9007199254740993, which a server keeps as"
        ):
            self.at.command({"id": 2**53 + 1})
        with self.assertRaisesRegex(LocalProtocolError, "is no downlink"):
            self.commander(self.stream().path).command("on")
        with self.assertRaises((NotFound, PermissionDenied)):
            self.commander(f"{self.user_name}/own/{new_name()}").command("on")
        self.lamp.schema = {"type": "number"}
        with self.assertRaises(InvalidRequest):
            self.at.command("on")
        self.assertEqual(self.lamp.length(downlink=True), 0)

    def test_by_the_downlink(self) -> None:
        """The downlink's own path will do."""
        self.obey()
        self.assertEqual(self.commander(f"{self.lamp.path}/downlink").command("on", timeout=SOON)["d"], "on")


class FaultTests(CommandCase):
    """Answers of the server that do not come."""

    def test_lost(self) -> None:
        """The command is written once, and answered, whatever becomes of the server's answer; or it is said that nobody knows."""
        self.obey()
        self.commander.ping()
        knows_keys = self.commander._session.features.idempotency is not None
        for announces in {True, False} if knows_keys else {False}:
            for fault in (Fault.LOST, Fault.NO_ANSWER, Fault.HALF_ANSWER, Fault.ERROR, Fault.HTML, Fault.EMPTY):
                with self.subTest(fault=fault, announces=announces):
                    at, proxy = self.through(fault, announces=announces)
                    before = self.lamp.length(downlink=True)
                    value = [fault.name, announces]
                    if not announces and fault in (Fault.LOST, Fault.HTML):
                        with self.assertRaises(DownlinkTimeout) as caught:
                            at.command(value, timeout=1)
                        self.assertEqual((caught.exception.written, caught.exception.index), (None, None))
                        self.assertIn("is not known", str(caught.exception))
                        self.assertEqual(self.lamp.length(downlink=True), before)
                    else:
                        self.assertEqual(at.command(value, timeout=SOON)["d"], value)
                        self.assertEqual(self.lamp.length(downlink=True), before + 1)

    def test_cut(self) -> None:
        """While the commander's websocket is cut again and again, every command gets its own answer all the same."""
        for announces in (True, False):
            with self.subTest(announces=announces):
                lamp = self.stream(downlink=True)
                turn = itertools.count()
                lamp.subscribe(
                    lambda path, points, turn=turn: {"t": 1000.0 + next(turn), "d": "on"}, downlink=True, answers=True
                )
                proxy = LiveProxy(self.url)
                self.addCleanup(proxy.close)
                proxy.announces = announces
                cdb = ConnectorDB(self.user_key, url=proxy.url)
                self.addCleanup(cdb.close)
                cdb._session.live_options["timing"] = FAST
                at, got, over = cdb(lamp.path), list[float](), threading.Event()

                def command(at: Stream = at, got: list[float] = got) -> None:
                    for _ in range(4):
                        got.append(at.command("on", timeout=SOON)["t"] - 1000.0)

                def cut(proxy: LiveProxy = proxy, over: threading.Event = over) -> None:
                    while not over.wait(15 * MS):
                        proxy.cut_all()

                threads = [threading.Thread(target=command) for _ in range(4)]
                cutting = threading.Thread(target=cut)
                for thread in [*threads, cutting]:
                    thread.start()
                for thread in threads:
                    thread.join(3 * SOON)
                over.set()
                cutting.join(SOON)
                self.assertEqual(sorted(got), [float(number) for number in range(16)])
                cdb.close()

    def test_away(self) -> None:
        """A server that is not there is told at once."""
        self.without_pauses()
        at, proxy = self.through()
        proxy.close()
        with self.assertRaises(ConnectionFailed):
            at.command("on", timeout=SOON)

    def test_silent(self) -> None:
        """A server that does not answer takes no longer than was allowed; before the command was sent, it was not written."""
        at, proxy = self.through()
        hold = threading.Event()
        self.addCleanup(hold.set)
        proxy.on_request = lambda line: hold.wait(SOON) and None
        began = time.monotonic()
        with self.assertRaisesRegex(DownlinkTimeout, "the command was not written") as caught:
            at.command("on", timeout=0.3)
        self.assertLess(time.monotonic() - began, SOON / 2)
        self.assertEqual((caught.exception.written, caught.exception.index), (False, None))
