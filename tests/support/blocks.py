"""
Code blocks out of documents, and running them: what a page shows is what a test ran.

In reStructuredText a run of ``>>>`` lines, a ``.. code-block:: python`` and a ``.. drawn::`` are code; so is a fence marked ``python`` in
Markdown. ``sh`` is for command lines, each of which has to succeed; ``console`` for those that stand behind a ``$``, with what they say,
word for word but for numbers and for ``…``, which is anything. Other languages are not run. A block that must not run says so where
readers of the source see it: the option ``:class: not-run``, or a line ``<!-- not run -->`` above the fence. What only a test needs, to
bring about what a page speaks of, is a comment, ``.. invisible-code-block: python``, or ``sh``.
"""

from __future__ import annotations

import doctest
import re
import shlex
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

NOT_RUN = "not-run"
NOT_RUN_COMMENT = "<!-- not run -->"

#: What begins a block of reStructuredText that runs; the build of the pages runs those that are drawn, too.
_CODE = re.compile(r"\.\. (?:(?:(?:code-block|code)::|invisible-code-block:) (python|pycon|sh|console)|drawn::)")
_FENCES = {"python": "python", "pycon": "python", "sh": "sh", "console": "console"}

_NUMBER = re.compile(r"\d[\d,]*")

#: Runs a command line, and returns its status and what it said.
Shell = Callable[[str], "tuple[int, str]"]


@dataclass(frozen=True)
class Block:
    """
    A piece of code in a document.

    Attributes:
        line: Where it begins.
        text: What is in it.
        kind: ``python``; ``session``, with prompts and the output that they promise; ``sh``; ``console``.
        runs: Whether it is to run.
    """

    line: int
    text: str
    kind: str
    runs: bool = True


def blocks(path: Path) -> list[Block]:
    """Return the blocks of the document at *path*, in order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = _markdown(lines) if path.suffix == ".md" else _restructured(lines)
    return [block for block in found if block.text.strip()]


def to_run(path: Path) -> list[Block]:
    """Return what is to run of the document at *path*, in order."""
    return [block for block in blocks(path) if block.runs]


def command_lines(block: Block) -> Iterator[tuple[int, str, str | None]]:
    """Yield the command lines of a block: its line, the command, and what it says, if that is shown."""
    lines = block.text.splitlines()
    number = 0
    while number < len(lines):
        begin, command = number, lines[number].removeprefix("$ ")
        number += 1
        while command.endswith("\\") or not _is_whole(command):
            command = command.removesuffix("\\") + ("" if command.endswith("\\") else "\n") + lines[number]
            number += 1
        said = None
        if block.kind == "console":
            rest = number
            while number < len(lines) and not lines[number].startswith("$ "):
                number += 1
            said = "\n".join(lines[rest:number])
        if shlex.split(command, comments=True):
            yield block.line + begin, command, said


def _is_whole(command: str) -> bool:
    """Return whether every quote of a command line ends in it."""
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return False
    return True


def run(path: Path, replace: dict[str, str], shell: Shell | None = None) -> None:
    """
    Run the blocks of the document at *path* one after the other, in one namespace.

    Args:
        path: The document.
        replace: Text → text, replaced in the code before it runs: the address that a reader's server has, for example.
        shell: What runs command lines; without it they are passed over.

    Raises:
        AssertionError: A block raised, or printed something else than it promises; says which, by its line.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in to_run(path):
        if shell is not None and block.kind in ("sh", "console"):
            _run_commands(block, shell, path.name)
        text = block.text
        for old, new in replace.items():
            text = text.replace(old, new)
        where = f"{path.name}, line {block.line}"
        if block.kind == "session":
            _run_session(text, namespace, where, block.line)
        elif block.kind == "python":
            _run_script(text, namespace, where, block.line)


def _run_commands(block: Block, shell: Shell, name: str) -> None:
    for line, command, shown in command_lines(block):
        where = f"{name}, line {line}: {command}"
        status, said = shell(command)
        if shown is None and status:
            raise AssertionError(f"{where}\nended with the status {status}:\n{said}")
        if shown is not None and not _is_said(shown, said):
            raise AssertionError(f"{where}\nsaid:\n{said}\nand not, as the page has it:\n{shown}")


def _is_said(shown: str, said: str) -> bool:
    """Return whether a command *said* what is *shown*, but for numbers and what ``…`` stands for; spaces may be more or fewer."""
    pattern = re.escape(" ".join(shown.split())).replace("…", ".*")
    return re.fullmatch(_NUMBER.sub("#", pattern), _NUMBER.sub("#", " ".join(said.split()))) is not None


def _run_session(text: str, namespace: dict[str, Any], where: str, line: int) -> None:
    examples = doctest.DocTestParser().get_examples(text, where)
    test = doctest.DocTest(examples, {}, where, where, line - 1, text)
    test.globs = namespace  # the constructor would copy it, and the next block needs what this one defines
    said: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
    if results.failed:
        raise AssertionError(f"{where}: not what the page shows:\n{''.join(said)}")


def _run_script(text: str, namespace: dict[str, Any], where: str, line: int) -> None:
    # blank lines in front make the traceback's line numbers those of the document
    code = compile("\n" * (line - 1) + text, where, "exec")
    try:
        exec(code, namespace)
    except Exception as problem:
        raise AssertionError(f"{where}: the code raised\n{traceback.format_exc()}") from problem


def _markdown(lines: list[str]) -> Iterator[Block]:
    fence: int | None = None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if fence is None:
            fence = number
            continue
        kind = _FENCES.get(lines[fence][3:].strip())
        above = next((text for text in reversed(lines[:fence]) if text.strip()), "")
        if kind is not None:
            yield _block(fence + 2, "\n".join(lines[fence + 1 : number]), kind, above.strip() != NOT_RUN_COMMENT)
        fence = None


def _restructured(lines: list[str]) -> Iterator[Block]:
    number = 0
    while number < len(lines):
        line = lines[number]
        if line.startswith(">>>"):
            end = number
            while end < len(lines) and lines[end].strip():
                end += 1
            yield Block(number + 1, "\n".join(lines[number:end]), "session")
            number = end
        elif found := _CODE.fullmatch(line.rstrip()):
            start = number = number + 1
            while number < len(lines) and (not lines[number].strip() or lines[number].startswith("   ")):
                number += 1
            options = [text.strip() for text in lines[start:number] if re.match(r"   :\w+:", text)]
            body = start + len(options)
            runs = not any(option.startswith(":class:") and NOT_RUN in option.split() for option in options)
            yield _block(body + 1, dedent("\n".join(lines[body:number])), _FENCES[found[1] or "python"], runs)
        else:
            number += 1


def _block(line: int, text: str, kind: str, runs: bool) -> Block:
    return Block(line, text, "session" if kind == "python" and text.lstrip().startswith(">>>") else kind, runs)
