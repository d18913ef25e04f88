"""The registry of transforms: their names, arguments and documentation, and the functions that compile them."""

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
    """The kinds of arguments."""

    VALUE = "a script that is run beside the transform, for its value at each point"
    POINT = "a script that is run beside the transform, for its result at each point"
    CONSTANT = "a value that is known beforehand"
    SCRIPT = "a script that the transform runs as it sees fit"


#: The default of an argument that has none.
REQUIRED: Any = object()


@dataclass(frozen=True, slots=True)
class Argument:
    """
    An argument of a transform.

    Attributes:
        description: What it means.
        takes: Its kind.
        default: The value if it is left out; for a script, the script's text.
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
        limits: What the script may take.
    """

    zone: str = ""
    limits: Limits = Limits()


#: Begins a run of a step. The step is called with a point, and the values of the arguments that are run beside it.
MakeStep = Callable[[Run], Callable[..., Any]]

#: Writes the code of a step, given the point and such values.
WriteStep = Callable[..., At]


#: How a transform runs. ``point``: as a step that is called with each point; ``data``: as one that is called with the data alone;
#: ``written``: as code in the loop (`WriteStep`); ``flow``: as a generator over a sequence (`Flow`).
How = Literal["point", "data", "written", "flow"]


@dataclass(frozen=True, slots=True)
class Transform:
    """
    A transform.

    Attributes:
        name: Its name.
        description: What it does, in a sentence.
        compile: Called with the context, and with the arguments that are constant or run by the transform itself. Returns a
            `MakeStep`, `WriteStep` or `Flow`, depending on `how`.
        args: Its arguments.
        how: How it runs.
        one_to_one, stateless, peeks: What is declared about it, as on the original server.
        keeps_step: Whether it really gives one result for each point.
        gathers: Whether its results come only when all points are through.
        whole: Whether its steps return whole points, not just data.
        ischema, oschema: What it takes and gives, as JSON Schema; empty for anything.
        documentation: Its documentation, in Markdown.
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
        """How many arguments are required."""
        return sum(not arg.optional for arg in self.args)


#: All transforms by name.
TRANSFORMS: dict[str, Transform] = {}


def transform(
    name: str, description: str, *args: Argument, **declared: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that registers a function as a transform. Its docstring is the documentation, unless one is given."""

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
