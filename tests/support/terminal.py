"""A pseudo-terminal: what somebody types there, and what is shown."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from collections.abc import Mapping

from .case import MS, Case
from .command_line import PATIENCE, TOP


def typed(case: Case, command: list[str], *lines: tuple[str, str], env: Mapping[str, str] = {}) -> str:
    """
    Run Python on a terminal, type lines there, and wait after each until a text is shown.

    Args:
        case: The test.
        command: What Python is given.
        lines: What is typed, and what must be shown after it: what TAB adds to it, say.
        env: What else is in the environment.

    Returns:
        All that was shown, without colours and movements.
    """
    import pty  # there is none on Windows

    folder = str(case.folder())
    mine, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *command],
        **dict.fromkeys(("stdin", "stdout", "stderr"), its),
        start_new_session=True,
        env={**os.environ, "TERM": "xterm", "HOME": folder, "IPYTHONDIR": folder, "PYTHONPATH": str(TOP), **env},
    )
    os.close(its)
    told = shown = b""

    def is_shown(text: str) -> bool:
        nonlocal shown
        if select.select([mine], [], [], 10 * MS)[0]:
            came = os.read(mine, 65536)
            if b"\x1b[6n" in came:  # the prompt asks where its cursor is
                os.write(mine, b"\x1b[1;1R")
            shown += re.sub(rb"\x07|\x1b\[[0-9;?]*[a-zA-Z]", b"", came)
        return text in shown.decode(errors="replace")

    try:
        for line, text in lines:
            os.write(mine, line.encode())
            told, shown = told + shown, b""
            try:
                case.eventually(lambda text=text: is_shown(text), text, PATIENCE)
            except AssertionError as error:
                raise AssertionError(f"after {line!r}: {shown!r}") from error
    finally:
        process.kill()
        process.wait()
        os.close(mine)
    return (told + shown).decode(errors="replace")


def answered(case: Case, command: list[str], *answers: tuple[str, str], env: Mapping[str, str]) -> str:
    """
    Run a command on a terminal to its end, which has to be a good one, and answer what it asks.

    Args:
        case: The test.
        command: The program, and what it is given.
        answers: How what is shown ends when it asks, and what is typed then.
        env: The whole environment.

    Returns:
        All that was shown.
    """
    import pty

    mine, its = pty.openpty()
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, start_new_session=True, env=env)
    os.close(its)
    shown, waiting = b"", [*answers]
    try:
        while select.select([mine], [], [], PATIENCE)[0] and (came := os.read(mine, 1 << 16)):
            shown += came
            if waiting and shown.endswith(waiting[0][0].encode()):
                os.write(mine, waiting.pop(0)[1].encode())
    except OSError:  # how Linux says that nobody holds the other end any more
        pass
    finally:
        os.close(mine)  # which ends who still reads
    case.assertEqual((process.wait(PATIENCE), waiting), (0, []), shown)
    return shown.decode()
