"""
Code blocks out of documents, and running them: what a page shows is what a test ran.

In reStructuredText a run of ``>>>`` lines, a ``.. code-block:: python`` and a ``.. drawn::`` are code; so is a fence marked ``python`` in
Markdown. Other languages (``sh``, ``text``, none) are not. A block that must not run says so where readers of the source see
it: the option ``:class: not-run``, or a line ``<!-- not run -->`` above the fence. Code that only a test needs, to bring about what a
page speaks of, is a comment, ``.. invisible-code-block: python``.
"""

from __future__ import annotations

import doctest
import re
import traceback
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

NOT_RUN = "not-run"
NOT_RUN_COMMENT = "<!-- not run -->"

#: What begins a block of reStructuredText that runs; the build of the pages runs those that are drawn, too.
_CODE = re.compile(r"\.\. (((code-block|code)::|invisible-code-block:) (python|pycon)|drawn::)")


@dataclass(frozen=True)
class Block:
    """A piece of code in a document; a session is one with ``>>>`` prompts and the output that they promise."""

    line: int
    text: str
    session: bool


def blocks(path: Path) -> list[Block]:
    """Return what is to run of the document at *path*, in order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = _markdown(lines) if path.suffix == ".md" else _restructured(lines)
    return [Block(line, text, text.lstrip().startswith(">>>")) for line, text in found if text.strip()]


def run(path: Path, replace: dict[str, str]) -> None:
    """
    Run the blocks of the document at *path* one after the other, in one namespace.

    Args:
        path: The document.
        replace: Text → text, replaced in the code before it runs: the address that a reader's server has, for example.

    Raises:
        AssertionError: A block raised, or printed something else than it promises; says which, by its line.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(path):
        text = block.text
        for old, new in replace.items():
            text = text.replace(old, new)
        where = f"{path.name}, line {block.line}"
        if block.session:
            _run_session(text, namespace, where, block.line)
        else:
            _run_script(text, namespace, where, block.line)


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


def _markdown(lines: list[str]) -> list[tuple[int, str]]:
    found = []
    fence: int | None = None
    wanted = False
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if fence is None:
            fence = number
            above = next((text for text in reversed(lines[:number]) if text.strip()), "")
            wanted = line[3:].strip() in ("python", "pycon") and above.strip() != NOT_RUN_COMMENT
        else:
            if wanted:
                found.append((fence + 2, "\n".join(lines[fence + 1 : number])))
            fence = None
    return found


def _restructured(lines: list[str]) -> list[tuple[int, str]]:
    found = []
    number = 0
    while number < len(lines):
        line = lines[number]
        if line.startswith(">>>"):
            end = number
            while end < len(lines) and lines[end].strip():
                end += 1
            found.append((number + 1, "\n".join(lines[number:end])))
            number = end
        elif re.fullmatch(_CODE, line.rstrip()):
            start = number = number + 1
            while number < len(lines) and (not lines[number].strip() or lines[number].startswith("   ")):
                number += 1
            options = [text.strip() for text in lines[start:number] if re.match(r"   :\w+:", text)]
            body = start + len(options)
            if not any(option.startswith(":class:") and NOT_RUN in option.split() for option in options):
                found.append((body + 1, dedent("\n".join(lines[body:number]))))
        else:
            number += 1
    return found
