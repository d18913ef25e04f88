"""
Straight-line Python, written for scripts: an operation a line, however long a chain of them is, so that nothing recurses.

What is computed is a value by number; where its last use is, its variable is free for another. The text depends on a script's
shape alone: all that comes out of the script itself (texts, transforms) is handed over by name, so that nothing a script says is
ever taken for Python, and scripts of the same shape are compiled once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple


class Value(NamedTuple):
    """
    Something that is computed.

    Attributes:
        name: Its number, or Python for it.
        kind: What it is for certain; `None` where that is not known.
    """

    name: int | str
    kind: type | None = None


class _Line(NamedTuple):
    template: str
    operands: tuple[Value, ...]
    target: int | None
    of_int: str


class Source:
    """Lines that are done for each point, what is done once before them, and what both refer to."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._begin: list[str] = []
        self._given: dict[str, Any] = {}
        self._numbers = 0

    def given(self, thing: Any) -> str:
        """Return a name for something that the lines use."""
        name = f"c{len(self._given)}"
        self._given[name] = thing
        return name

    def begun(self, make: Callable[..., Any]) -> str:
        """Return a name for what *make* returns when a run begins."""
        name = f"s{len(self._begin)}"
        self._begin.append(f"{name} = {self.given(make)}(run)")
        return name

    def member(self, of: str, name: str) -> str:
        """Return a name for a member of something that is made when a run begins."""
        short = f"s{len(self._begin)}"
        self._begin.append(f"{short} = {of}.{name}")
        return short

    def compute(self, template: str, *operands: Value, kind: type | None = None, of_int: str = "") -> Value:
        """
        Write a line that computes a value.

        Args:
            template: The line; ``{0}`` in it is the first operand.
            operands: What it is computed from.
            kind: What it is for certain.
            of_int: The line that does the same where the data that came in was an `int`, and is a float by now.
        """
        number = self._numbers
        self._numbers += 1
        self._lines.append(_Line(template, operands, number, of_int))
        return Value(number, kind)

    def do(self, template: str, *operands: Value) -> None:
        """Write a line that computes nothing."""
        self._lines.append(_Line(template, operands, None, ""))

    def function(self, name: str, head: str, indent: int, tail: str = "", for_int: str = "", **known: Any) -> Any:
        """
        Return a function of what was written.

        Args:
            name: What it is called in *head*.
            head: What stands before the lines; a line ``{begin}`` is where a run begins, and ``{for_int}`` where the lines stand
                once more for data that came in as an `int`, if some of them are shorter then.
            indent: How far in the lines stand.
            tail: What stands behind them.
            for_int: What stands before the lines there.
            known: What the head and the tail refer to.
        """
        head = head.replace("{begin}", "\n    ".join(self._begin) or "pass")
        if for_int:
            head = head.replace("{for_int}\n", self._written_for_int(for_int, indent + 4))
        text = [head, *(" " * indent + line for line in _assigned(self._lines))]
        names = {**known, **self._given}
        whole = "\n".join([*text, tail])
        exec(_code(whole) if len(whole) <= _SHORT else _compiled(whole), names)
        return names[name]

    def _written_for_int(self, head: str, indent: int) -> str:
        if len(self._lines) > _FEW or not any(line.of_int for line in self._lines):
            return ""
        lines = _assigned([line._replace(template=line.of_int or line.template) for line in self._lines])
        return "".join([f"{head}\n", *(f"{' ' * indent}{line}\n" for line in [*lines, "continue"])])


def _assigned(lines: list[_Line]) -> list[str]:
    """Return lines with variables in place of numbers, a variable used again as soon as its value is not."""
    last: dict[int, int] = {}
    for at, line in enumerate(lines):
        for number in (operand.name for operand in line.operands):
            if isinstance(number, int):
                last[number] = at
    variables: dict[int, str] = {}
    free: list[str] = []
    made = 0
    written: list[str] = []
    for at, line in enumerate(lines):
        text = line.template.format(*(variables[o.name] if isinstance(o.name, int) else o.name for o in line.operands))
        for number in {operand.name for operand in line.operands if isinstance(operand.name, int)}:
            if last[number] == at:
                free.append(variables[number])
        if line.target is not None:
            if free:
                variable = free.pop()
            else:
                variable, made = f"v{made}", made + 1
            variables[line.target] = variable
            text = f"{variable} = {text}"
            if line.target not in last:
                free.append(variable)
        written.append(text)
    return written


def _compiled(text: str) -> CodeType:
    return compile(text, "<script>", "exec")


#: As many lines at most are written twice: more would take longer to compile than that saves.
_FEW = 20

#: What is compiled once is kept up to this length.
_SHORT = 10_000
_code = lru_cache(maxsize=256)(_compiled)
