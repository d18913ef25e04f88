"""``connectordb pipescript``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

from click.testing import CliRunner, Result

from connectordb.cli.commands import commands

from ..support.case import Case
from ..support.command_line import PATIENCE, command, environment

#: Tells a process about itself, on Linux.
STATUS = Path("/proc/self/status")

FOUR = "".join(f'{{"t":{t},"d":{t * 10}}}\n' for t in range(1, 5))


def run(*arguments: object, stdin: str = FOUR) -> Result:
    """Run the command in this process; one test below shows that it runs in one of its own."""
    return CliRunner().invoke(commands, ["pipescript", *map(str, arguments)], input=stdin)


class Running(Case):
    """A script over points."""

    def test_forms(self) -> None:
        """JSON lines, an array and CSV give the same; printed are lines, or CSV."""
        array, table = json.dumps([json.loads(line) for line in FOUR.splitlines()]), "1,10\n2,20\n3,30\n4,40\n"
        for stdin in (FOUR, array, table):
            with self.subTest(stdin):
                self.assertEqual(run("if $ > 20 | sum", stdin=stdin).stdout, '{"t":3,"d":30}\n{"t":4,"d":70}\n')
                self.assertEqual(run("--csv", "if $ > 20 | sum", stdin=stdin).stdout, "t,d\n3,30\n4,70\n")
        self.assertEqual(run("sum", stdin="").stdout, "")

    def test_files(self) -> None:
        """Files are read one after the other, as one series."""
        folder = self.folder()
        one, two = folder / "one.csv", folder / "two.json"
        one.write_text("t,d\n1,1\n2,2\n")
        two.write_text('[{"t":3,"d":3}]')
        self.assertEqual(run("sum | if last", one, two).stdout, '{"t":3,"d":6}\n')
        self.assertEqual(run("sum", folder / "absent").exit_code, 2)

    def test_zone(self) -> None:
        """The time zone is an option."""
        self.assertEqual(run("dayhour", "--tz", "Asia/Tokyo", stdin='{"t":1}').stdout, '{"t":1,"d":9}\n')
        self.assertEqual(run("dayhour", "--tz", "Asia/Nowhere").exit_code, 2)

    def test_failures(self) -> None:
        """What came before is printed; the rest is one message on standard error, with a status."""
        done = run("$ + 1", stdin='{"t":1,"d":1}\n{"t":2,"d":"x"}\n')
        self.assertEqual((done.exit_code, done.stdout), (1, '{"t":1,"d":2}\n'))
        self.assertTrue(done.stderr.startswith("Error: "))
        for script, stdin, status, said in (
            ("if $ >> 5", FOUR, 2, "    if $ >> 5\n          ^\n"),
            ("iff", FOUR, 2, "iff"),
            ("$", '{"t":1}\n{', 1, "standard input: line 2: no JSON"),
            ("$", "5", 1, "is neither a point"),
            ("$ / 0", FOUR, 1, "inf"),
        ):
            with self.subTest(script):
                done = run(script, stdin=stdin)
                self.assertEqual(done.exit_code, status)
                self.assertIn(said, done.stderr)
                self.assertNotIn("Traceback", done.stderr)

    def test_usage(self) -> None:
        """Without a script, or with a script and a question."""
        self.assertIn("a script is missing", run().stderr)
        for arguments in ((), ("--list", "$"), ("--list", "--explain", "map")):
            with self.subTest(arguments):
                self.assertEqual(run(*arguments).exit_code, 2)

    def test_help(self) -> None:
        """The language is told."""
        self.assertIn("  closest", run("--list").stdout)
        self.assertIn("count, an interpolator", run("--explain", "count").stdout)
        self.assertEqual(run("--explain", "nothing").exit_code, 1)


class Processes(Case):
    """In a process of its own, as users run it."""

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the command with pipes; it ends with the test."""
        process = subprocess.Popen(
            command("pipescript", *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for pipe in (process.stdin, process.stdout, process.stderr):
            assert pipe is not None
            self.addCleanup(pipe.close)
        return process

    def test_as_they_come(self) -> None:
        """A result is there as soon as its point is."""
        process = self.start("sum")
        assert process.stdin is not None and process.stdout is not None
        for t, total in ((1, 5), (2, 10), (3, 15)):
            process.stdin.write(b'{"t":%d,"d":5}\n' % t)
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b'{"t":%d,"d":%d}\n' % (t, total))
        process.stdin.close()
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_broken_pipe(self) -> None:
        """Who has enough of it ends it, and that is no error."""
        folder = self.folder()
        many = folder / "many.csv"
        many.write_text("".join(f"{t},{t}\n" for t in range(1, 50_000)))
        process = self.start("$", str(many))
        assert process.stdout is not None and process.stderr is not None
        self.assertEqual(process.stdout.readline(), b'{"t":1,"d":1}\n')
        process.stdout.close()
        self.assertEqual((process.wait(PATIENCE), process.stderr.read()), (0, b""))

    @unittest.skipUnless(STATUS.exists(), "the system does not tell how much memory a process had")
    def test_memory(self) -> None:
        """It holds no more of a long input than of a short one."""
        program = (
            "import sys\n"
            "from connectordb.cli import main\n"
            "sys.argv = ['connectordb', 'pipescript', 'sum | if last']\n"
            f"try:\n    main()\nfinally:\n    print(open({str(STATUS)!r}).read(), file=sys.stderr)\n"
        )
        used = []
        for number in (1000, 100_000):
            text = b"".join(b'{"t":%d,"d":1,"o":"%s"}\n' % (t, b"x" * 200) for t in range(number))
            done = subprocess.run(
                [sys.executable, "-c", program], input=text, capture_output=True, env=environment(), timeout=PATIENCE
            )
            self.assertEqual(done.stdout, b'{"t":%d,"d":%d}\n' % (number - 1, number))
            peak = re.search(rb"VmHWM:\s+([0-9]+) kB", done.stderr)
            assert peak is not None
            used.append(int(peak[1]))
        # 22 MB went through the second
        self.assertLess(used[1] - used[0], 5_000)
