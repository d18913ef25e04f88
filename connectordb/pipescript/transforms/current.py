"""What a point itself has: its data or a part of that, and its time."""

from __future__ import annotations

from typing import Any

from ...exceptions import PipeScriptError
from ..registry import Argument, At, Context, MakeStep, Source, Takes, WriteStep, transform
from ..values import number_or_none, shown, to_text

_ELEMENT = Argument("The key or the index of the part that is wanted", Takes.CONSTANT, None)


def _data(context: Context, element: Any) -> WriteStep:
    """The data of the datapoint; or a part of it: the value of a key of an object, or the element of a list at an index."""

    def write(source: Source, at: At) -> At:
        if element is None:
            return at
        return at.saying(source.compute(f"{source.given(part)}({{0}}, {source.given(element)})", at.data))

    return write


for _name in ("$", "d"):
    transform(_name, "The data of the datapoint, or a part of it", _ELEMENT, how="written", stateless=True)(_data)


def part(data: Any, element: Any) -> Any:
    """Return the value of a key of an object, or the element of a list, or byte of a text, at an index."""
    if isinstance(data, dict):
        key = to_text(element)
        if key in data:
            return data[key]
    elif isinstance(data, (list, str)):
        items: Any = data if isinstance(data, list) else data.encode("utf-8", "surrogatepass")
        number = number_or_none(element)
        if number is not None and number.is_integer() and -len(items) <= number < len(items):
            return items[int(number)]
    raise PipeScriptError(f"Could not find {shown(element)} in {shown(data)}")


@transform("t", "The time of the datapoint", how="written", stateless=True, oschema='{"type": "number"}')
def time(context: Context) -> WriteStep:
    """The time of the datapoint, in seconds since 1970."""
    return lambda source, at: at.saying(source.compute("float({0})", at.time, kind=float))


@transform(
    "length", "How much is in an object, a list or a text", how="data", stateless=True, oschema='{"type": "integer"}'
)
def length(context: Context) -> MakeStep:
    """The number of keys of an object, elements of a list, or bytes of a text; 0 for anything else."""

    def step(data: Any) -> int:
        if isinstance(data, str):
            return len(data.encode("utf-8", "surrogatepass"))
        return len(data) if isinstance(data, (dict, list)) else 0

    return lambda run: step
