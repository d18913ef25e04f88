"""Nodes to programs: what may stand where, what is known beforehand, and the parts put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from math import fmod, inf, isnan, nan
from typing import Any

from ..exceptions import PipeScriptError
from . import transforms as _all  # noqa: F401  makes them known
from .ahead import Point
from .parser import parse
from .program import Program, Start, Step, beside, flow_of
from .registry import REQUIRED, TRANSFORMS, Argument, Context, Takes, Transform
from .tree import Binary, Call, Constant, Node, Object, Pipe, Prefix, walked
from .values import equal, number_or_none, to_number, to_truth

#: What is fed to what is known beforehand.
_DUMMY: Point = {"t": 0.0, "d": 0.0}


def compiled(node: Node, context: Context, text: str = "") -> Program:
    """
    Return a node as a program.

    Raises:
        PipeScriptError: It cannot be one; the message shows which part of *text* is at fault.
    """
    done: dict[int, Program] = {}
    for part in walked(node):
        try:
            done[id(part)] = _COMPILERS[type(part)](part, done, context)
        except PipeScriptError as error:
            if error.position is not None or not text:
                raise
            raise PipeScriptError(error.reason, text, part.span[0]) from error
    return done[id(node)]


@lru_cache(maxsize=32)
def _default(text: str) -> Node:
    return parse(text)


# --- leaves ---


def _constant(node: Constant, done: dict[int, Program], context: Context) -> Program:
    return _always(node.value)


def _always(value: Any) -> Program:
    def start(again: bool) -> Step:
        return lambda point: value

    return Program(flow_of(start, False), start, constant=True, stateless=True)


def known(program: Program) -> Any:
    """Return the value of a program that is constant."""
    return program.values(False)(_DUMMY)


# --- operators ---


def _add(a: Any, b: Any) -> Any:
    x, y = number_or_none(a), number_or_none(b)
    if x is not None and y is not None:
        return x + y
    if isinstance(a, str) and isinstance(b, str):
        return a + b
    raise PipeScriptError("Failed to perform algebraic operation: couldn't convert to float.")


def _arithmetic(compute: Callable[[float, float], float]) -> Callable[[Any, Any], float]:
    def operate(a: Any, b: Any) -> float:
        x, y = number_or_none(a), number_or_none(b)
        if x is None or y is None:
            raise PipeScriptError("Failed to perform algebraic operation: couldn't convert to float.")
        return compute(x, y)

    return operate


def divided(x: float, y: float) -> float:
    """Return a quotient as 64-bit floats have it."""
    if y:
        return x / y
    return nan if x == 0 or isnan(x) or isnan(y) else inf if (x > 0) == (str(y)[0] != "-") else -inf


def remainder(x: float, y: float) -> float:
    """Return what is left of a division, with the sign of the first."""
    try:
        return fmod(x, y)
    except ValueError:
        return nan


def power(x: float, y: float) -> float:
    """Return a power as 64-bit floats have it."""
    try:
        result = x**y
    except ZeroDivisionError:
        return -inf if str(x)[0] == "-" and y % 2 == 1 else inf
    except OverflowError:
        return -inf if x < 0 and y % 2 == 1 else inf
    return nan if isinstance(result, complex) else result


def _ordered(compare: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    def operate(a: Any, b: Any) -> bool:
        x, y = number_or_none(a), number_or_none(b)
        if x is None or y is None:
            raise PipeScriptError("Values given to comparison not numerical!")
        return compare(x, y)

    return operate


def _both(a: Any, b: Any) -> bool:
    x, y = to_truth(a), to_truth(b)
    return x and y


def _either(a: Any, b: Any) -> bool:
    x, y = to_truth(a), to_truth(b)
    return x or y


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "-": _arithmetic(lambda x, y: x - y),
    "*": _arithmetic(lambda x, y: x * y),
    "/": _arithmetic(divided),
    "%": _arithmetic(remainder),
    "^": _arithmetic(power),
    "<": _ordered(lambda x, y: x < y),
    "<=": _ordered(lambda x, y: x <= y),
    ">": _ordered(lambda x, y: x > y),
    ">=": _ordered(lambda x, y: x >= y),
    "==": equal,
    "!=": lambda a, b: not equal(a, b),
    "and": _both,
    "or": _either,
}


def _negated(a: Any) -> Any:
    return not a if isinstance(a, bool) else -to_number(a)


_PREFIXES: dict[str, Callable[[Any], Any]] = {"-": _negated, "not": lambda a: not to_truth(a)}


def _operator(operands: tuple[Program, ...], operate: Callable[..., Any], stateless: bool) -> Program:
    if not all(operand.one_to_one for operand in operands):
        raise PipeScriptError("All transform arguments must be OneToOne")
    constant = all(operand.constant for operand in operands)
    return _valued(
        operands, lambda again: lambda point, *values: operate(*values), constant=constant, stateless=stateless
    )


def _binary(node: Binary, done: dict[int, Program], context: Context) -> Program:
    operands = (done[id(node.left)], done[id(node.right)])
    return _operator(operands, OPERATORS[node.operator], node.operator not in ("and", "or"))


def _prefix(node: Prefix, done: dict[int, Program], context: Context) -> Program:
    return _operator((done[id(node.operand)],), _PREFIXES[node.operator], True)


# --- what is computed at each point from what stands beside it ---


def _valued(
    beside_it: tuple[Program, ...],
    make: Callable[[bool], Callable[..., Any]],
    *,
    whole: bool = False,
    as_points: tuple[bool, ...] = (),
    **declared: Any,
) -> Program:
    """Return a program whose steps are called with a point and the results of other programs at that point."""
    as_points = as_points or (False,) * len(beside_it)
    if all(program.start is not None for program in beside_it):

        def start(again: bool) -> Step:
            core = make(again)
            steps = [
                program.points(again) if point else program.values(again)
                for program, point in zip(beside_it, as_points, strict=True)
            ]
            return _with(core, steps)

        return Program(flow_of(start, whole), start, whole, **declared)

    def flow(points: Iterator[Point], again: bool) -> Iterator[Point]:
        core = make(again)
        for *results, point in beside(points, beside_it, again):
            given = [result if whole_ else result["d"] for result, whole_ in zip(results, as_points, strict=True)]
            result = core(point, *given)
            yield result if whole else {"t": point["t"], "d": result}

    return Program(flow, None, whole, **declared)


def _with(core: Callable[..., Any], steps: list[Step]) -> Step:
    if not steps:
        return core
    if len(steps) == 1:
        (one,) = steps
        return lambda point: core(point, one(point))
    if len(steps) == 2:
        first, second = steps
        return lambda point: core(point, first(point), second(point))
    return lambda point: core(point, *[step(point) for step in steps])


# --- objects, pipes, calls ---


def _object(node: Object, done: dict[int, Program], context: Context) -> Program:
    keys = [key for key, _ in node.items]
    for key in keys:
        if keys.count(key) > 1:
            raise PipeScriptError(f"Key {key} found multiple times in json object")
    values = tuple(done[id(part)] for part in node.parts)
    if not all(value.one_to_one for value in values):
        raise PipeScriptError("All transforms in object must be one-to-one")
    if any(value.peeks or value.start is None for value in values):
        raise PipeScriptError("All transforms in object must not peek")
    constant = all(value.constant for value in values)
    return _valued(values, lambda again: lambda point, *found: dict(zip(keys, found, strict=True)), constant=constant)


def _pipe(node: Pipe, done: dict[int, Program], context: Context) -> Program:
    first, then = done[id(node.first)], done[id(node.then)]
    one_to_one = first.one_to_one and then.one_to_one
    if (then.constant and one_to_one) or (first.constant and then.stateless):
        if not then.constant:
            raise PipeScriptError("GetConstant was called on a non-constant Script")
        return _always(known(then))
    declared: dict[str, Any] = {
        "one_to_one": one_to_one,
        "stateless": first.stateless and then.stateless,
        "peeks": first.peeks or then.peeks,
    }
    if first.start is not None and then.start is not None:
        start = _piped(first, then)
        whole = first.whole or then.whole
        return Program(flow_of(start, whole), start, whole, **declared)
    return Program(lambda points, again: then.flow(first.flow(points, again), again), None, **declared)


def _piped(first: Program, then: Program) -> Start:
    def start(again: bool) -> Step:
        one = first.points(again)
        other = then.points(again) if first.whole else then.start(again) if then.start else None
        assert other is not None
        return lambda point: other(one(point))

    return start


def _call(node: Call, done: dict[int, Program], context: Context) -> Program:
    transform = TRANSFORMS.get(node.name)
    if transform is None:
        raise PipeScriptError(f"Transform {node.name} not found")
    given = tuple(done[id(part)] for part in node.args)
    if len(given) > len(transform.args):
        raise PipeScriptError(
            f"{len(given)} arguments were passed to '{node.name}', which only accepts {len(transform.args)}"
        )
    fixed: list[Any] = []
    beside_it: list[Program] = []
    as_points: list[bool] = []
    for number, arg in enumerate(transform.args):
        program = _argument(transform, arg, number, given, context)
        if arg.takes is Takes.CONSTANT:
            fixed.append(program)
        elif arg.takes is Takes.SCRIPT or transform.flows:
            fixed.append(program)
        else:
            beside_it.append(program)
            as_points.append(arg.takes is Takes.POINT)
    made = transform.compile(context, *fixed)
    declared: dict[str, Any] = {
        "one_to_one": transform.one_to_one,
        "stateless": transform.stateless,
        "peeks": transform.peeks,
    }
    if transform.flows:
        return Program(made, None, **declared)
    return _valued(tuple(beside_it), made, whole=transform.whole, as_points=tuple(as_points), **declared)


#: Transforms whose scripts may look ahead: they run them on sequences of their own.
_MAY_PEEK = ("reduce", "filter", "apply", "top", "bottom")


def _argument(transform: Transform, arg: Argument, number: int, given: tuple[Program, ...], context: Context) -> Any:
    """Return what a transform gets for an argument: a program, or a value that is known beforehand."""
    if number < len(given):
        program = given[number]
    elif arg.default is REQUIRED:
        raise PipeScriptError(
            f"Argument {number + 1} of transform '{transform.name}' is required (got {len(given)} args)."
        )
    elif arg.takes is Takes.CONSTANT:
        return arg.default
    else:
        program = compiled(_default(arg.default), context)
    where = f"Argument {number + 1} of transform '{transform.name}'"
    if not program.one_to_one:
        raise PipeScriptError(f"{where} must be OneToOne")
    if arg.takes is Takes.CONSTANT:
        if not program.constant:
            raise PipeScriptError(f"{where} must be a constant.")
        return known(program)
    if arg.takes is Takes.SCRIPT and transform.name not in _MAY_PEEK and (program.peeks or program.start is None):
        raise PipeScriptError(f"{transform.name} cannot be used with transforms that peek.")
    return program


_COMPILERS: dict[type[Node], Callable[[Any, dict[int, Program], Context], Program]] = {
    Constant: _constant,
    Call: _call,
    Prefix: _prefix,
    Binary: _binary,
    Object: _object,
    Pipe: _pipe,
}
