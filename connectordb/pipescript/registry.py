"""What transforms there are: name, arguments, documentation, and the function that makes each run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from inspect import getdoc
from typing import Any, Literal

from .limits import Limits, Run
from .program import At, Flow, Program
from .source import Source, Value


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
        limits: What it may take.
    """

    zone: str = ""
    limits: Limits = Limits()


#: Begins a run of a step: what it returns is called with a point and the values of the arguments that are run beside it.
MakeStep = Callable[[Run], Callable[..., Any]]

#: Writes a step, given the point and such values.
WriteStep = Callable[..., At]


#: A step that is called with each point, one that is called with its data alone, Python that is written (`WriteStep`), or a
#: sequence made of a sequence (`Flow`).
How = Literal["point", "data", "written", "flow"]


@dataclass(frozen=True, slots=True)
class Transform:
    """
    A transform.

    Attributes:
        name: What it is called.
        description: What it does, in a sentence.
        compile: Called with the context and the arguments that are known or run by the transform itself; returns what begins
            a step, or what `how` says.
        args: Its arguments.
        how: How it runs.
        one_to_one, stateless, peeks: What is declared of it.
        keeps_step: Whether it gives one result for each point, whatever is declared.
        gathers: Whether its results come when all points are through.
        whole: Whether its steps return whole points.
        ischema, oschema: What it takes and gives, as JSON Schema; empty where that is anything.
        documentation: All about it, in Markdown.
    """

    name: str
    description: str
    compile: Callable[..., Any]
    args: tuple[Argument, ...] = ()
    how: How = "point"
    one_to_one: bool = True
    stateless: bool = False
    peeks: bool = False
    keeps_step: bool = True
    gathers: bool = False
    whole: bool = False
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
    """Make a function known as a transform; its docstring is the documentation, where none is given."""

    def known(function: Callable[..., Any]) -> Callable[..., Any]:
        documentation = declared.pop("documentation", getdoc(function)) or f"{description}."
        TRANSFORMS[name] = Transform(name, description, function, args, documentation=documentation, **declared)
        return function

    return known


__all__ = [
    "REQUIRED",
    "TRANSFORMS",
    "Argument",
    "At",
    "Context",
    "Flow",
    "How",
    "MakeStep",
    "Program",
    "Run",
    "Source",
    "Takes",
    "Transform",
    "Value",
    "WriteStep",
    "transform",
]
