"""Commands are handled as promised, whenever their device is killed."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

from connectordb.exceptions import (
    DownlinkError,
    DownlinkRefused,
    InvalidRequest,
    LocalProtocolError,
    StorageDamaged,
    StorageFull,
)
from connectordb.live.downlinks import Claim, Commands, NotYet, Step, steps
from connectordb.live.remembering.place import Place
from connectordb.live.remembering.remember import Remembered
from connectordb.protocol.paths import Path
from tests.support.case import MS, SOON
from tests.support.command_cases import CommandCase


class HandlingTests(CommandCase):
    """Commands, with nothing going wrong."""

    def test_each_once(self) -> None:
        """Each is acted on once, in order, and acknowledged once, with the commanded time."""
        commands = self.commands()
        self.command(1, 2, 2)
        self.drive(commands)
        self.drive(commands)
        self.command(3)
        self.drive(commands)
        self.assertEqual((self.acted, self.stored()), ([1, 2, 2, 3], [1, 2, 2, 3]))
        self.assertEqual([point["t"] for point in self.stream[:]], [point["t"] for point in self.downlink()])
        self.assertEqual(commands.resume(), Place(4, self.downlink()[-1]["t"]))
        self.assertEqual(self.errors, [])

    def test_returned_values(self) -> None:
        """What a callback returns is what is written."""
        given: list[Any] = [True, False, None, {"d": "one"}, [{"d": 1, "t": 5}, {"d": 2}], []]
        self.returns = lambda value: given[value]
        self.command(*range(len(given)))
        self.drive(self.commands())
        self.assertEqual(self.stored(), [0, "one", 1, 2])
        self.assertEqual(self.errors, [])

    def test_raising(self) -> None:
        """A callback that raises, or returns what is no acknowledgement, is told; the next command is handled."""

        def returns(value: Any) -> object:
            if value == 0:
                raise RuntimeError("broken")
            return "yes" if value == 1 else True

        self.returns = returns
        self.command(0, 1, 2)
        with self.assertLogs("connectordb.live.downlinks.commands", "ERROR") as logged:
            self.drive(self.commands())
        self.assertIn("RuntimeError: broken", logged.output[0])
        self.assertEqual(self.stored(), [2])
        self.assertEqual([type(error) for error in self.errors], [RuntimeError, LocalProtocolError])

    def test_another_device(self) -> None:
        """Whoever is not the commanded device may look on, and acknowledges nothing."""
        server = self.line.server()
        server = type(server)(server.call, lambda: Path.parse("mara/user"), server.features)
        self.command(1, 2)
        self.returns = lambda value: value == 1
        self.drive(self.commands(server))
        (error,) = self.errors
        self.assertRegex(str(error), "only '.*' acknowledges")
        self.assertEqual((self.acted, self.stored()), ([1, 2], []))
        with self.assertRaisesRegex(LocalProtocolError, "answers=True"):
            self.commands(server, answers=True).prepare()

    def test_refused_acknowledgement(self) -> None:
        """What the stream's schema does not allow is told, and the next command is handled."""
        self.stream.schema = {"type": "integer"}
        self.returns = lambda value: True if value == 2 else {"d": "a text"}
        self.command(1, 2)
        self.drive(self.commands())
        self.assertEqual(self.stored(), [2])
        self.assertEqual([type(error) for error in self.errors], [InvalidRequest])

    def test_without_index(self) -> None:
        """Points that have no index are acted on, acknowledged, and not remembered."""
        self.file = self.folder() / "lamp.state"
        commands = self.commands()
        for value in (1, 2):
            commands.handle(None, {"t": 5.0, "d": value}, lambda value=value: self.act(value))  # type: ignore[misc]
        self.assertEqual(self.stored(), [1, 2])
        self.assertIsNone(commands.resume())

    def test_another_series(self) -> None:
        """In a stream that was made anew indices begin again."""
        commands = self.commands()
        for series in ("one", "two"):
            for index in (0, 1, 1):
                commands.handle(index, {"t": 5.0, "d": index}, lambda: self.act(0), series=series)
        self.assertEqual(len(self.acted), 4)
        commands.rewind(Place(1, None, "two"))
        commands.handle(1, {"t": 5.0, "d": 1}, lambda: self.act(0), series="two")
        self.assertEqual(len(self.acted), 5)

    def test_several_callbacks(self) -> None:
        """Of several callbacks the first that acknowledges does; of several refusals the last is recorded."""
        one, two = self.commands(answers=True), self.commands(answers=True)
        self.command(*range(4))
        for index, point in enumerate(self.downlink()):
            claim = Claim(2)
            for number, commands in enumerate((one, two)):
                says = bool(index >> number & 1)
                commands.handle(index, point, lambda says=says: says, claim=claim)  # type: ignore[misc]
        self.assertEqual(self.stored(), [1, 2, 3])
        self.assertEqual(
            [(record["command"], record["outcome"]) for record in self.recorded()],
            [(0, "refused"), (1, "done"), (2, "done"), (3, "done")],
        )

    def test_interrupted(self) -> None:
        """Ctrl-C in a callback is as good as a crash: the command is handled as chosen when it comes again."""
        for on_crash, acted in (("again", [1, 1]), ("skip", [1])):
            with self.subTest(on_crash):
                self.acted.clear()
                commands = self.commands(on_crash=on_crash)
                self.returns = _interrupted
                with self.assertRaises(KeyboardInterrupt):
                    commands.handle(0, {"t": 5.0, "d": 1}, lambda: self.act(1))
                self.returns = lambda value: False
                commands.handle(0, {"t": 5.0, "d": 1}, lambda: self.act(1))
                self.assertEqual(self.acted, acted)

    def test_not_yet(self) -> None:
        """Where nobody can wait, what cannot be written is put off, and comes again: acted on and acknowledged once all the same."""
        self.file = self.folder() / "lamp.state"
        commands, put_off = self.commands(answers=True, waits=False), 0
        self.line.troubles = ["away", "failing", "unanswered", "ok", "lost", "away"] * 2
        self.line.reading = ["ok", "away"] * 3
        self.command(1, 2, 3)
        for index, point in enumerate(self.downlink()):
            for _ in range(20):
                try:
                    commands.handle(index, point, lambda point=point: self.act(point["d"]))  # type: ignore[misc]
                    break
                except NotYet as not_yet:
                    self.assertLessEqual(not_yet.seconds, 2 * MS)
                    put_off += 1
        self.assertGreater(put_off, 5)
        self.assertEqual((self.acted, self.stored(), self.errors), ([1, 2, 3], [1, 2, 3], []))
        self.assertEqual([record["outcome"] for record in self.recorded()], ["done"] * 3)

    def test_not_yet_at_the_end(self) -> None:
        """What was put off when it is closed is told as lost; with a file, the next one writes it when it begins."""
        for file, told in ((None, [DownlinkError]), (self.folder() / "lamp.state", [])):
            with self.subTest(file=file):
                self.file, self.line.troubles = file, ["away"] * 2
                commands = self.commands(waits=False)
                self.command(1)
                index = len(self.downlink()) - 1
                for _ in range(2):
                    with self.assertRaises(NotYet):
                        commands.handle(index, self.downlink()[index], lambda: True)
                commands.close()
                commands.close()
                self.assertEqual([type(error) for error in self.errors], told)
                self.errors.clear()
        self.assertEqual(self.stored(), [])
        self.commands(waits=False).complete()
        self.assertEqual(self.stored(), [1])

    def test_close_in_the_callback(self) -> None:
        """A callback that ends its subscription is its last, and is acknowledged; the file is free then."""
        self.file = self.folder() / "lamp.state"
        commands = self.commands()

        def returns(value: Any) -> object:
            commands.close()
            return True

        self.returns = returns
        self.command(1, 2)
        self.drive(commands)
        self.assertEqual((self.acted, self.stored()), ([1], [1]))
        self.assertEqual(self.commands().resume(), Place(1, self.downlink()[0]["t"]))


class ChoiceTests(CommandCase):
    """Which commands are acted on."""

    def test_missed(self) -> None:
        """Of those that came while it was away all, the latest or none are acted on; those after them always."""
        for missed, acted in (("all", [0, 1, 2, 3]), ("latest", [2, 3]), ("none", [3])):
            with self.subTest(missed):
                self.acted.clear()
                self.errors.clear()
                commands = self.commands(missed=missed)
                for index in range(4):
                    commands.handle(
                        index,
                        {"t": 5.0, "d": index},
                        lambda index=index: self.act(index),  # type: ignore[misc]
                        away_until=3 if index < 3 else None,
                    )
                self.assertEqual(self.acted, acted)
                self.assertEqual(self.errors, [])

    def test_expired(self) -> None:
        """One that is too old is not acted on, which is told."""
        self.command("old", age=100)
        self.command("new")
        self.drive(self.commands(expire=50))
        self.assertEqual(self.acted, ["new"])
        (error,) = self.errors
        self.assertIsInstance(error, DownlinkError)
        self.assertRegex(str(error), r"the command 0 of .* was not acted on: it is 100\.. s old, .* than 50 s are not")


class AnswerTests(CommandCase):
    """What became of each command is recorded."""

    def setUp(self) -> None:
        super().setUp()
        self.records = self.device()[f"{self.stream.name}_answers"]

    def test_outcomes(self) -> None:
        """Each command has one record, with its index, and the answer or the reason."""

        def returns(value: Any) -> object:
            if value == "refuses":
                raise DownlinkRefused("too hot")
            if value == "raises":
                raise RuntimeError("secret")
            return {"done": True, "other": [{"d": "instead", "t": 7.0}], "false": False, "no sense": 5}[value]

        self.returns = returns
        self.stream.schema = {"not": {"const": "never"}}
        self.command("done", "other", "refuses", "raises", "false", "no sense")
        commands = self.commands(answers=True)
        commands.prepare()
        with self.assertLogs("connectordb.live.downlinks", "ERROR"):
            self.drive(commands)
        first, second = self.stream[:]
        self.assertEqual(
            self.recorded(),
            [
                {"command": 0, "outcome": "done", "answer": [{"t": first["t"], "d": "done"}]},
                # as it is stored, not as it was returned
                {"command": 1, "outcome": "done", "answer": [{"t": second["t"], "d": "instead"}]},
                {"command": 2, "outcome": "refused", "reason": "too hot"},
                {"command": 3, "outcome": "failed", "reason": "the device's callback raised RuntimeError"},
                {
                    "command": 4,
                    "outcome": "refused",
                    "reason": "the device did not acknowledge: its callback returned False",
                },
                {
                    "command": 5,
                    "outcome": "failed",
                    "reason": "the device's callback returned what is no acknowledgement",
                },
            ],
        )
        self.assertGreater(second["t"], 7.0)

    def test_not_acted_on(self) -> None:
        """What is not acted on, or whose acknowledgement is refused, is recorded, too."""
        self.stream.schema = {"type": "integer"}
        self.command(1, age=100)
        self.command(2, 3)
        self.returns = lambda value: {"d": "a text"} if value == 2 else True
        self.drive(self.commands(answers=True, expire=50))
        skipped, failed, done = self.recorded()
        self.assertEqual([record["outcome"] for record in (skipped, failed, done)], ["skipped", "failed", "done"])
        self.assertRegex(skipped["reason"], "s old")
        self.assertRegex(failed["reason"], "could not be written: .*did not conform")

    def test_removed(self) -> None:
        """A companion that somebody removes is made again, and one that cannot be made at first is made later."""
        commands = self.commands(answers=True)
        self.line.reading = ["away", "away"]
        self.command(1)
        self.drive(commands)
        self.records.delete()
        self.command(2)
        self.drive(commands)
        self.assertEqual([record["command"] for record in self.recorded()], [1])
        self.assertEqual(self.errors, [])

    def test_somebody_elses(self) -> None:
        """A stream of that name which is none of ours is left alone, and told."""
        self.records.create({"type": "number"})
        commands = self.commands(answers=True)
        with self.assertRaisesRegex(LocalProtocolError, "a stream of another kind"):
            commands.prepare()
        self.command(1)
        self.drive(commands)
        self.assertEqual((self.stored(), len(self.records)), ([1], 0))
        self.assertEqual([type(error) for error in self.errors], [LocalProtocolError])


class KillTests(CommandCase):
    """A device that is killed at any step, and started again with what it remembers."""

    def setUp(self) -> None:
        super().setUp()
        self.records = self.device()[f"{self.stream.name}_answers"]

    def killed_and_started_again(self, kill: Callable[[Commands], None], answers: bool, on_crash: str) -> None:
        """Handle three commands, of which one is killed at; then start again."""
        self.file = self.folder() / "lamp.state"
        options = {"answers": answers, "on_crash": on_crash}
        first = self.commands(**options)  # type: ignore[arg-type]
        self.command(0)
        self.drive(first)
        self.command(1, 2)
        kill(first)
        self.drive(self.commands(**options))  # type: ignore[arg-type]

    def test_at_each_step(self) -> None:
        """What was begun and not noted as done is acted on again, or not, as chosen; each is acknowledged once at the most."""
        for step, on_crash, answers in itertools.product(Step, ("again", "skip"), (False, True)):
            with self.subTest(step=step, on_crash=on_crash, answers=answers):
                if step is Step.RECORDED and not answers:
                    continue
                self.again()
                self.killed_and_started_again(
                    lambda commands, step=step: self.killed(lambda: self.drive(commands), step),  # type: ignore[misc]
                    answers,
                    on_crash,
                )
                interrupted = step in (Step.BEGUN, Step.ACTED)
                skipped = interrupted and on_crash == "skip"
                times = {Step.BEGUN: 0 if skipped else 1, Step.ACTED: 1 if skipped else 2}.get(step, 1)
                self.assertEqual(self.acted, [0, *[1] * times, 2])
                self.assertEqual(self.stored(), [0, 2] if skipped else [0, 1, 2])
                self.assertEqual(len(self.errors), int(skipped))
                if answers:
                    self.assertEqual([record["command"] for record in self.recorded()], [0, 1, 2])
                    self.assertEqual(self.recorded()[1]["outcome"], "skipped" if skipped else "done")

    def test_while_writing(self) -> None:
        """Killed before or after what it writes arrives, it is written once; by name, or where there are no names."""
        for number, trouble, keyed in itertools.product((1, 2), ("killed", "killed after"), (True, False)):
            with self.subTest(number=number, trouble=trouble, keyed=keyed):
                self.again()
                self.line.keyed = keyed

                def kill(commands: Commands, number: int = number, trouble: str = trouble) -> None:
                    self.line.troubles = ["ok"] * (number - 1) + [trouble]
                    self.killed(lambda: self.drive(commands))

                self.killed_and_started_again(kill, True, "skip")
                self.assertEqual((self.acted, self.stored()), ([0, 1, 2], [0, 1, 2]))
                self.assertEqual([record["command"] for record in self.recorded()], [0, 1, 2])
                self.assertEqual(self.errors, [])

    def test_again_and_again(self) -> None:
        """Killed at every step, one after the other, it still is acknowledged once."""
        self.file = self.folder() / "lamp.state"
        self.command(1)
        for step in (*Step, *reversed(Step)):
            commands = self.commands()
            if step in (Step.RECEIVED, Step.BEGUN, Step.ACTED, Step.OWED) and not self.stored():
                self.killed(lambda commands=commands: self.drive(commands), step)  # type: ignore[misc]
            else:
                self.drive(commands)
            commands.close()
        self.assertEqual((self.acted, self.stored()), ([1, 1], [1]))

    def test_without_a_file(self) -> None:
        """Nothing is remembered: it begins where its subscription does."""
        self.command(1)
        self.killed(lambda: self.drive(self.commands()), Step.BEGUN)
        self.assertIsNone(self.commands().resume())

    def test_recreated(self) -> None:
        """A command that was begun, and is another one now, is handled as a new one."""
        self.file = self.folder() / "lamp.state"
        self.command(1)
        self.killed(lambda: self.drive(self.commands(on_crash="skip")), Step.BEGUN)
        commands = self.commands(on_crash="skip")
        with self.assertLogs("connectordb.live.downlinks.ledger", "WARNING"):
            commands.handle(0, {"t": 1.0, "d": "another"}, lambda: self.act("another"))
        self.assertEqual(self.acted, ["another"])

    def test_damaged(self) -> None:
        """A file that says what makes no sense is refused."""
        self.file = self.folder() / "lamp.state"
        for work in ({"begun": [1]}, {"begun": ["a", "b", "c"]}, {"owed": {}}, {"owed": {"command": 1, "record": 5}}):
            held = Remembered(self.file, self.path, self.url)
            held.save(None, work)
            held.close()
            with self.subTest(work=work), self.assertRaises(StorageDamaged):
                try:
                    self.commands()
                finally:
                    assert self._held is not None
                    self._held.close()

    def again(self) -> None:
        """Begin anew, with a new stream."""
        self.acted.clear()
        self.errors.clear()
        self.stream.delete()
        self.stream.create({}, downlink=True)
        if self.records.exists():
            self.records.delete()


class ClosingTests(CommandCase):
    """Closing while the server is away."""

    def test_remembered(self) -> None:
        """What cannot be written before the end is written at the next start; nothing is acted on in between."""
        self.file = self.folder() / "lamp.state"
        commands = self.commands()
        self.command(1, 2)
        self.closed_while_away(commands)
        self.assertEqual((self.acted, self.stored(), self.errors), ([1], [], []))
        self.drive(self.commands())
        self.assertEqual((self.acted, self.stored()), ([1, 2], [1, 2]))

    def test_forgotten(self) -> None:
        """Without a file it is told that an acknowledgement was lost."""
        self.command(1)
        self.closed_while_away(self.commands())
        (error,) = self.errors
        self.assertRegex(str(error), "the command 0 of .* stays without an answer: .*there is no server")

    def test_waits_for_the_server(self) -> None:
        """A server that is away for a while delays an acknowledgement, and loses none."""
        commands = self.commands()
        self.line.troubles = ["away"] * 5 + ["failing"] * 3 + ["unanswered"]
        self.command(1, 2)
        self.drive(commands)
        self.assertEqual((self.acted, self.stored(), self.errors), ([1, 2], [1, 2], []))

    def closed_while_away(self, commands: Commands) -> None:
        """Have *commands* closed while they try to acknowledge."""
        self.line.troubles = ["away"] * 100_000
        tried = threading.Event()
        steps.watcher = lambda step, index: tried.set() if step is Step.OWED else None
        thread = threading.Thread(target=lambda: self.drive(commands), daemon=True)
        thread.start()
        self.wait(tried)
        tried.wait(5 * MS)
        commands.close()
        thread.join(SOON)
        self.assertFalse(thread.is_alive())
        self.line.troubles.clear()


class StorageTests(CommandCase):
    """A file that cannot be written."""

    def test_not_acted_on(self) -> None:
        """What cannot be noted is not acted on, and told."""
        self.file = self.folder() / "lamp.state"
        commands = self.commands()
        self.file.unlink()
        self.command(1)
        self.drive(commands)
        self.assertEqual((self.acted, self.stored()), ([], []))
        self.assertRegex(str(self.errors), "removed while it was in use")

    def test_not_acknowledged_twice(self) -> None:
        """What was written and cannot be noted so is told, and not written again."""
        self.file = self.folder() / "lamp.state"
        for keyed in (True, False):
            self.line.keyed = keyed
            commands = self.commands()
            self.command(1)
            with mock.patch.object(self._held, "save", FailsOnce(self._held)):
                self.drive(commands)
                self.command(2)
                self.drive(commands)
            commands.close()
            self.assertRegex(str(self.errors.pop()), "no space")
        self.assertEqual(self.stored(), [1, 2, 1, 2])
        self.assertEqual(self.acted, [1, 2, 1, 2])


def _interrupted(value: Any) -> object:
    raise KeyboardInterrupt


class FailsOnce:
    """Saves as a file does, but for the first time that it need not be flushed."""

    def __init__(self, held: Remembered | None) -> None:
        assert held is not None
        self._save = held.save
        self._failed = False

    def __call__(self, *arguments: Any, flush: bool = True) -> None:
        if not (flush or self._failed):
            self._failed = True
            raise StorageFull("no space")
        self._save(*arguments, flush=flush)
