"""What transforms there are: name, arguments, documentation, and the function that makes each run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .ahead import Point
from .program import Program, Step

#: Text and lists that transforms hold, and how far they look ahead.
SPLIT_MAX, STRING_MAX, PEEK_MAX = 50_000, 1_000_000, 100


class Takes(Enum):
    """What an argument is."""

    VALUE = "a script that is run beside the transform, for its value at each point"
    POINT = "a script that is run beside the transform, for its result at each point"
    CONSTANT = "a value that is known beforehand"
    SCRIPT = "a script that the transform runs as it sees fit"


#: Stands for a default that there is none of.
REQUIRED: Any = object()


@dataclass(frozen=True, slots=True)
class Argument:
    """
    An argument of a transform.

    Attributes:
        description: What it means.
        takes: What it is.
        default: Its value where it is left out: for a script, the script's text.
    """

    description: str
    takes: Takes = Takes.VALUE
    default: Any = REQUIRED

    @property
    def optional(self) -> bool:
        """Whether it may be left out."""
        return self.default is not REQUIRED


@dataclass(frozen=True, slots=True)
class Context:
    """
    What a script is compiled for.

    Attributes:
        zone: The name of the time zone that "Local" means; empty for this machine's.
        split_max: Keys of a map, and values that `new` remembers.
        string_max: Bytes of a text that is put together.
        peek_max: Points that `next` looks ahead.
    """

    zone: str = ""
    split_max: int = SPLIT_MAX
    string_max: int = STRING_MAX
    peek_max: int = PEEK_MAX


#: Makes a step of a run: called with a point and the values of the arguments that are run beside it.
MakeStep = Callable[[bool], Callable[..., Any]]

#: Makes a run of points: also called with the programs of such arguments.
MakeFlow = Callable[[Iterator[Point], bool], Iterator[Point]]


@dataclass(frozen=True, slots=True)
class Transform:
    """
    A transform.

    Attributes:
        name: What it is called.
        description: What it does, in a sentence.
        compile: Called with the context and the arguments; returns what makes a step, or with `flows` what makes a run.
        args: Its arguments.
        one_to_one, stateless, peeks: What is declared of it.
        whole: Whether its steps return whole points.
        flows: Whether it makes runs rather than steps.
        ischema, oschema: What it takes and gives, as JSON Schema; empty where that is anything.
        documentation: All about it, in Markdown.
    """

    name: str
    description: str
    compile: Callable[..., Any]
    args: tuple[Argument, ...] = ()
    one_to_one: bool = True
    stateless: bool = False
    peeks: bool = False
    whole: bool = False
    flows: bool = False
    ischema: str = ""
    oschema: str = ""
    documentation: str = ""

    @property
    def required(self) -> int:
        """How many arguments it needs."""
        return sum(not arg.optional for arg in self.args)


#: By name.
TRANSFORMS: dict[str, Transform] = {}


def transform(
    name: str, description: str, *args: Argument, **declared: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function known as a transform; its docstring is the documentation."""

    def known(function: Callable[..., Any]) -> Callable[..., Any]:
        TRANSFORMS[name] = Transform(
            name, description, function, args, documentation=function.__doc__ or "", **declared
        )
        return function

    return known


__all__ = [
    "PEEK_MAX",
    "REQUIRED",
    "SPLIT_MAX",
    "STRING_MAX",
    "TRANSFORMS",
    "Argument",
    "Context",
    "MakeFlow",
    "MakeStep",
    "Program",
    "Step",
    "Takes",
    "Transform",
    "transform",
]
