"""The syntax tree of a script, as frozen nodes. ``str(node)`` is the canonical text, which parses to an equal node."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from math import isinf

from .lexer import quoted

#: How tightly binary operators bind (``docs/topics/pipescript.rst``, "Operators"). All are left-associative.
BINDING = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), 4),
    **dict.fromkeys("+-", 5),
    **dict.fromkeys("*/", 6),
    **dict.fromkeys("%^", 7),
}
#: How tightly the two prefix operators bind.
PREFIX = {"not": 3, "-": 8}

#: Tighter than all operators: for what needs no brackets anywhere.
ATOM = 10

#: A text that ends in a name, after which a space and a minus would mean something else.
_ENDS_IN_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*$")


@dataclass(frozen=True, slots=True)
class Node:
    """
    A part of a script.

    Attributes:
        span: Where it begins and ends in the script. Does not count when nodes are compared.
    """

    span: tuple[int, int] = field(default=(0, 0), compare=False, repr=False, kw_only=True)

    @property
    def parts(self) -> tuple[Node, ...]:
        """The nodes that it is made of."""
        return ()

    def __str__(self) -> str:
        texts: dict[int, str] = {}
        for node in walked(self):
            texts[id(node)] = node._written([_bracketed(part, texts[id(part)], at) for part, at in node._placed()])
        return texts[id(self)]

    @property
    def binding(self) -> int:
        """How tightly it binds, compared with operators beside it."""
        return ATOM

    def _placed(self) -> Iterator[tuple[Node, int]]:
        """Yield the parts, and how tightly each has to bind to need no brackets."""
        for part in self.parts:
            yield part, 1

    def _written(self, parts: list[str]) -> str:
        raise NotImplementedError


def walked(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, each after its parts. Without recursion, as chains of operators may be long."""
    waiting: list[tuple[Node, bool]] = [(node, False)]
    while waiting:
        current, done = waiting.pop()
        if done or not current.parts:
            yield current
        else:
            waiting.append((current, True))
            waiting += [(part, False) for part in reversed(current.parts)]


def _bracketed(node: Node, text: str, at: int) -> str:
    return text if node.binding >= at else f"({text})"


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """
    A literal.

    Attributes:
        value: Its value.
    """

    value: float | str | bool

    def _written(self, parts: list[str]) -> str:
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, str):
            return quoted(self.value)
        if isinf(self.value):
            return f"1{'0' * 309}"  # a literal may have that many digits
        return f"{Decimal(repr(self.value)):f}".removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Call(Node):
    """
    A transform with its arguments.

    Attributes:
        name: The transform's name.
        args: Its arguments.
    """

    name: str
    args: tuple[Node, ...] = ()

    @property
    def parts(self) -> tuple[Node, ...]:
        """The arguments."""
        return self.args

    def _written(self, parts: list[str]) -> str:
        return f"{self.name}({', '.join(parts)})" if parts else self.name


@dataclass(frozen=True, slots=True)
class Prefix(Node):
    """
    ``not`` or a minus before an operand.

    Attributes:
        operator: Which of the two.
        operand: The operand.
    """

    operator: str
    operand: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        """The operand."""
        return (self.operand,)

    @property
    def binding(self) -> int:
        """How tightly it binds, compared with operators beside it."""
        return PREFIX[self.operator]

    def _placed(self) -> Iterator[tuple[Node, int]]:
        yield self.operand, self.binding

    def _written(self, parts: list[str]) -> str:
        return f"not {parts[0]}" if self.operator == "not" else f"-{parts[0]}"


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """
    An operator between two operands.

    Attributes:
        operator: The operator.
        left: The left operand.
        right: The right operand.
    """

    operator: str
    left: Node
    right: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        """The two operands."""
        return (self.left, self.right)

    @property
    def binding(self) -> int:
        """How tightly it binds, compared with operators beside it."""
        return BINDING[self.operator]

    def _placed(self) -> Iterator[tuple[Node, int]]:
        yield self.left, self.binding
        yield self.right, self.binding + 1

    def _written(self, parts: list[str]) -> str:
        left, right = parts
        if self.operator == "-" and _ENDS_IN_NAME.search(left):
            return f"{left}-{right}"
        return f"{left} {self.operator} {right}"


@dataclass(frozen=True, slots=True)
class Object(Node):
    """
    An object whose values are scripts.

    Attributes:
        items: Its keys, each with its script.
    """

    items: tuple[tuple[str, Node], ...]

    @property
    def parts(self) -> tuple[Node, ...]:
        """The scripts."""
        return tuple(part for _, part in self.items)

    def _written(self, parts: list[str]) -> str:
        pairs = (f"{quoted(key)}: {part}" for (key, _), part in zip(self.items, parts, strict=True))
        return f"{{{', '.join(pairs)}}}"


@dataclass(frozen=True, slots=True)
class Pipe(Node):
    """
    One script after another.

    Attributes:
        first: The script whose results are the points for the other.
        then: The other script.
    """

    first: Node
    then: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        """The two scripts."""
        return (self.first, self.then)

    @property
    def binding(self) -> int:
        """How tightly it binds, compared with operators beside it."""
        return 0

    def _placed(self) -> Iterator[tuple[Node, int]]:
        yield self.first, 0
        yield self.then, 1

    def _written(self, parts: list[str]) -> str:
        return f"{parts[0]} | {parts[1]}"
