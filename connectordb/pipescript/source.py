"""
Writing straight-line Python for scripts: one line for each operation, so that long chains of operators need no recursion.

Each computed value has a number; after its last use its variable is reused for another value. The text depends only on the shape
of a script. Everything from the script itself (texts, transforms) is passed in by name. So nothing in a script can ever be taken
for Python, and scripts of the same shape are compiled only once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple


class Value(NamedTuple):
    """
    A value in the code that is written.

    Attributes:
        name: Its number; or a Python expression for it.
        kind: Its type, if that is certain; else `None`.
    """

    name: int | str
    kind: type | None = None


class _Line(NamedTuple):
    template: str
    operands: tuple[Value, ...]
    target: int | None
    of_int: str


class Source:
    """The code of a script: lines for each point, lines for the beginning of a run, and the objects that both refer to."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._begin: list[str] = []
        self._given: dict[str, Any] = {}
        self._numbers = 0

    def given(self, thing: Any) -> str:
        """Return a name by which the lines can refer to an object."""
        name = f"c{len(self._given)}"
        self._given[name] = thing
        return name

    def begun(self, make: Callable[..., Any]) -> str:
        """Return a name for what *make* returns when it is called with a run at the beginning of that."""
        name = f"s{len(self._begin)}"
        self._begin.append(f"{name} = {self.given(make)}(run)")
        return name

    def member(self, of: str, name: str) -> str:
        """Return a name for an attribute of an object that is made at the beginning of a run."""
        short = f"s{len(self._begin)}"
        self._begin.append(f"{short} = {of}.{name}")
        return short

    def compute(self, template: str, *operands: Value, kind: type | None = None, of_int: str = "") -> Value:
        """
        Write a line that computes a value.

        Args:
            template: The expression; ``{0}`` in it is the first operand.
            operands: The values that it is computed from.
            kind: The type of the result, if that is certain.
            of_int: A shorter expression for the same, for points whose data came as an `int` and was converted to a float.
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
        Return the function that was written, compiled.

        Args:
            name: Its name in *head*.
            head: The text before the lines. ``{begin}`` in it is replaced by the lines for the beginning of a run, and
                ``{for_int}`` by a copy of the lines for data that came as an `int`, if some lines are shorter for that.
            indent: How far the lines are indented.
            tail: The text after the lines.
            for_int: The text before the lines in that copy.
            known: The objects that *head* and *tail* refer to.
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
    """Return the lines with variables in place of numbers. A variable is reused as soon as its value is no longer needed."""
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


#: The most lines that are written a second time for integers: with more, compiling would take longer than it saves.
_FEW = 20

#: The longest text, in characters, whose compiled code is cached.
_SHORT = 10_000
_code = lru_cache(maxsize=256)(_compiled)
