"""``completion``, and what TAB may mean."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path
from unittest import mock

from click.shell_completion import BashComplete

from connectordb.cli.commands import commands
from connectordb.client import completion

from ..support.case import MS, Case
from ..support.command_line import PATIENCE, TOP, environment, here
from ..support.wire import Peer, silence
from .test_tree import TreeCase


def completed(*words: str) -> list[str]:
    """Return what the last of *words* may become."""
    *before, begun = words
    return [item.value for item in BashComplete(commands, {}, "connectordb", "").get_completions(before, begun)]


class Words(TreeCase):
    """What is told to a shell."""

    def test_words(self) -> None:
        """Commands, options, paths, and names of one's own streams but where only others go."""
        self.ran("new", "mara/user/mood")
        self.addCleanup(self.ran, "rm", "-y", "mara/user/mood")
        for words, expected in (
            (("do",), ["doctor"]),
            (("ls", "--js"), ["--json"]),
            (("ls", "mara/ro"), ["mara/room", "mara/room/"]),
            (("cat", "mo"), ["mood"]),
            (("info", "mo"), ["mood"]),
            (("new", "mo"), []),
            (("rm", "mar"), ["mara/", "mara/meta", "mara/meta/", "mara/room", "mara/room/", "mara/user", "mara/user/"]),
            (("dataset", "--x", "mara/user/m"), ["mara/user/mood"]),
            (("dataset", "m=mara/user/m"), ["m=mara/user/mood"]),
            (("completion", "z"), ["zsh"]),
        ):
            with self.subTest(words):
                self.assertEqual(completed(*words), expected)
        self.assertEqual(completed("ls", "--profile", "none", "m"), [])

    def test_silent_server(self) -> None:
        """A server that says nothing holds TAB up for a moment."""
        peer = Peer(otherwise=silence())
        self.addCleanup(peer.close)
        self.set(CONNECTORDB_URL=peer.url, CONNECTORDB_APIKEY="x")
        began = time.monotonic()
        with mock.patch.object(completion, "PATIENCE", 200 * MS):
            self.assertEqual(completed("info", "m"), [])
        self.assertLess(time.monotonic() - began, 5)


class Scripts(Case):
    """What shells load."""

    def test_scripts(self) -> None:
        """There is one for each shell, and it asks this program."""
        for shell in ("bash", "zsh", "fish"):
            with self.subTest(shell):
                self.assertIn(f"_CONNECTORDB_COMPLETE={shell}_complete", here("completion", shell).stdout)
        self.assertEqual(here("completion", "tcsh").returncode, 2)

    @unittest.skipUnless(shutil.which("bash") and os.name == "posix", "needs bash")
    def test_bash(self) -> None:
        """In a real bash the words arrive."""
        program = self.folder() / "connectordb"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m connectordb "$@"\n')
        program.chmod(0o700)
        script = (
            'eval "$(connectordb completion bash)"; COMP_WORDS=(connectordb do); COMP_CWORD=1; COMPREPLY=(); '
            '_connectordb_completion connectordb; printf "%s " "${COMPREPLY[@]}"'
        )
        path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "--norc", "-c", script],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd=Path(TOP),
            env=environment(PATH=path),
        )
        self.assertEqual((done.stdout, done.stderr), ("doctor ", ""))
