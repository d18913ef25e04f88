"""From nodes to programs: checks what may be used where, computes constants, and puts the parts together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache, partial
from math import isfinite
from typing import Any

from ..exceptions import PipeScriptError
from . import transforms as _all  # noqa: F401  makes them known
from .ahead import Point
from .arithmetic import write_binary, write_prefix
from .limits import Limits, Run, bounded
from .parser import parse
from .program import At, Flow, Part, Program, beside, inside
from .registry import TRANSFORMS, Argument, Context, Takes, Transform
from .source import Source, Value
from .tree import Binary, Call, Constant, Node, Object, Pipe, Prefix, walked

#: The point on which constant programs are run, to get their value.
_DUMMY: Point = {"t": 0.0, "d": 0.0}

_Done = dict[int, Program]


def compiled(node: Node, context: Context, text: str = "") -> Program:
    """
    Return a node as a program.

    Raises:
        PipeScriptError: It is not valid; the message shows which part of *text* is at fault.
    """
    done: _Done = {}
    for part in walked(node):
        try:
            program = _COMPILERS[type(part)](part, done, context)
            if program.depth > context.limits.nesting:
                raise PipeScriptError(f"nested more than {context.limits.nesting} levels deep")
        except PipeScriptError as error:
            if text:
                error.in_script(text, part.span[0])
            raise
        done[id(part)] = program
    return done[id(node)]


@lru_cache(maxsize=32)
def _default(text: str) -> Node:
    return parse(text)


def _wrong(reason: str, at: Node, hint: str = "") -> PipeScriptError:
    """Return an error about a part of the script."""
    return PipeScriptError(reason, position=at.span[0], hint=hint)


# --- leaves ---


def _constant(node: Constant, done: _Done, context: Context) -> Program:
    return _always(node.value)


def _always(value: Any) -> Program:
    def part(source: Source, stack: list[At]) -> None:
        plain = value is None or isinstance(value, bool) or (type(value) is float and isfinite(value))
        # in brackets, as a minus would also apply to whatever is written after it
        stack.append(stack.pop().saying(Value(f"({value!r})" if plain else source.given(value), type(value))))

    return Program(part, constant=True, stateless=True)


def known(program: Program, limits: Limits) -> Any:
    """Return the value of a constant program."""
    return program.values(Run(limits))(_DUMMY)


# --- operators, and all else that combines the results of several programs at a point ---


def _beside(operands: Sequence[Program], write: Callable[..., At], **declared: Any) -> Program:
    """
    Return a program that combines a point with the results of other programs at that point.

    Args:
        operands: The other programs.
        write: Writes the combination, given the source, the point and the results.
        declared: What is declared of the program.
    """
    parts: list[Program | Part] = []
    apart: list[Program] = []
    for number, operand in enumerate(operands):
        if operand.steps:
            parts += [partial(_again, number), operand]
        else:
            parts.append(partial(_brought, number, len(apart)))
            apart.append(operand)

    def combined(source: Source, stack: list[At]) -> None:
        at, *results = stack[len(stack) - len(operands) - 1 :]
        del stack[len(stack) - len(operands) - 1 :]
        stack.append(write(source, at, *results))

    return Program(
        *parts,
        combined,
        before=(lambda points, run: beside(points, apart, run)) if apart else None,
        rest=len(apart),
        depth=max((operand.depth for operand in operands), default=1) + bool(apart),
        size=sum(operand.size for operand in operands) + 1,
        **declared,
    )


def _again(number: int, source: Source, stack: list[At]) -> None:
    """Put the point itself on the stack once more; *number* results are above it."""
    stack.append(stack[-1 - number])


def _brought(number: int, place: int, source: Source, stack: list[At]) -> None:
    """Put a result on the stack that was handed over together with the point."""
    stack.append(At(source, point=stack[-1 - number].rest[place]))


def _operands(nodes: Sequence[Node], done: _Done, reason: str) -> list[Program]:
    programs = [done[id(node)] for node in nodes]
    for node, program in zip(nodes, programs, strict=True):
        if not program.one_to_one:
            raise _wrong(reason, node)
        _in_step(program, node)
    return programs


def _in_step(program: Program, node: Node) -> None:
    if not program.keeps_step:
        raise _wrong("while does not give one result for each datapoint, so that nothing can be computed with it", node)


def _binary(node: Binary, done: _Done, context: Context) -> Program:
    operands = _operands(node.parts, done, "All transform arguments must be OneToOne")

    def write(source: Source, at: At, left: At, right: At) -> At:
        return at.saying(write_binary(source, node.operator, left.data, right.data, context.limits))

    constant = all(operand.constant for operand in operands)
    return _beside(operands, write, constant=constant, stateless=node.operator not in ("and", "or"))


def _prefix(node: Prefix, done: _Done, context: Context) -> Program:
    operands = _operands(node.parts, done, "All transform arguments must be OneToOne")

    def write(source: Source, at: At, operand: At) -> At:
        return at.saying(write_prefix(source, node.operator, operand.data))

    return _beside(operands, write, constant=operands[0].constant, stateless=True)


# --- objects, pipes, calls ---


def _object(node: Object, done: _Done, context: Context) -> Program:
    keys: set[str] = set()
    for key, part in node.items:
        if key in keys:
            raise _wrong(f"Key {key} found multiple times in json object", part)
        keys.add(key)
    values = _operands(node.parts, done, "All transforms in object must be one-to-one")
    for part, value in zip(node.parts, values, strict=True):
        if value.peeks or not value.steps:
            raise _wrong("All transforms in object must not peek", part)

    def write(source: Source, at: At, *found: At) -> At:
        data = [each.data for each in found]
        pairs = ", ".join(f"{source.given(key)}: {{{number}}}" for number, (key, _) in enumerate(node.items))
        text = f"{{{{{pairs}}}}}"
        if not all(value.kind in (bool, float) for value in data):
            text = f"{source.given(bounded)}({text}, run)"
        return at.saying(source.compute(text, *data))

    return _beside(values, write, constant=all(value.constant for value in values))


def _pipe(node: Pipe, done: _Done, context: Context) -> Program:
    first, then = done[id(node.first)], done[id(node.then)]
    one_to_one = first.one_to_one and then.one_to_one
    if (then.constant and one_to_one) or (first.constant and then.stateless):
        if not then.constant:
            raise _wrong("GetConstant was called on a non-constant Script", node.then)
        return _always(known(then, context.limits))
    declared: dict[str, Any] = {
        "gathers": then.gathers,
        "one_to_one": one_to_one,
        "keeps_step": first.keeps_step and then.keeps_step,
        "stateless": first.stateless and then.stateless,
        "peeks": first.peeks or then.peeks,
        "size": first.size + then.size,
    }
    if then.before is None and not first.gathers:
        depth = max(first.depth, then.depth)
        return Program(first, then, before=first.before, rest=first.rest, depth=depth, **declared)
    return Program(then, before=_one_by_one(first, then), rest=then.rest, depth=first.depth + then.depth, **declared)


def _one_by_one(first: Program, then: Program) -> Flow:
    def flow(points: Iterator[Point], run: Run) -> Iterator[Any]:
        results = first.flow(points, run)
        return results if then.before is None else then.before(results, run)

    return flow


def check_call(node: Call) -> None:
    """
    Check that there is such a transform, and that the number of arguments is right.

    Raises:
        PipeScriptError: There is not, or it is wrong.
    """
    transform = TRANSFORMS.get(node.name)
    if transform is None:
        near = get_close_matches(node.name, TRANSFORMS, n=2)
        raise _wrong(f"Transform {node.name} not found", node, f"did you mean {' or '.join(near)}?" if near else "")
    if len(node.args) > len(transform.args):
        raise _wrong(
            f"{len(node.args)} arguments were passed to '{node.name}', which only accepts {len(transform.args)}",
            node.args[len(transform.args)],
        )
    if len(node.args) < transform.required:
        where = f"Argument {len(node.args) + 1} of transform '{node.name}'"
        raise _wrong(f"{where} is required (got {len(node.args)} args).", node)


def _call(node: Call, done: _Done, context: Context) -> Program:
    check_call(node)
    transform = TRANSFORMS[node.name]
    fixed: list[Any] = []
    operands: list[Program] = []
    whole: list[bool] = []
    inner = [1]
    for number, arg in enumerate(transform.args):
        program = _argument(transform, arg, number, node, done, context)
        if arg.takes in (Takes.VALUE, Takes.POINT) and transform.how != "flow":
            operands.append(program)
            whole.append(arg.takes is Takes.POINT)
        else:
            fixed.append(program)
            if isinstance(program, Program):
                inner.append(program.depth + 1)
    made = _made(transform, node, fixed, context)
    declared: dict[str, Any] = {
        "one_to_one": transform.one_to_one,
        "keeps_step": transform.keeps_step,
        "stateless": transform.stateless,
        "peeks": transform.peeks,
    }
    if transform.how == "flow":
        return Program(before=lambda points, run: made(inside(points, run), run), depth=max(inner) + 1, **declared)
    program = _beside(operands, _writing(transform, made, whole), gathers=transform.gathers, **declared)
    if transform.how == "data" and not operands:
        program.on_data = made
    program.depth = max(program.depth, *inner)
    program.size += sum(each.size for each in fixed if isinstance(each, Program))
    return program


def _made(transform: Transform, node: Call, fixed: list[Any], context: Context) -> Any:
    """Compile a transform. If it complains, the error points at the first argument, as that is most likely at fault."""
    try:
        return transform.compile(context, *fixed)
    except PipeScriptError as error:
        error.in_script("", (node.args or (node,))[0].span[0])
        raise


def _writing(transform: Transform, made: Any, whole: list[bool]) -> Callable[..., At]:
    """Return a function that writes the call of a transform's step."""

    def write(source: Source, at: At, *results: At) -> At:
        values = [each.point if point else each.data for each, point in zip(results, whole, strict=True)]
        if transform.how == "written":
            written: At = made(source, at, *values)
            return written
        given = ", ".join(f"{{{number}}}" for number in range(len(values) + 1))
        own = at.data if transform.how == "data" else at.point
        result = source.compute(f"{source.begun(made)}({given})", own, *values)
        return At(source, point=result) if transform.whole else at.saying(result)

    return write


#: Transforms whose scripts may look ahead, as they run them on sequences of their own.
_MAY_PEEK = ("reduce", "filter", "apply", "top", "bottom")

#: What the original server calls these transforms in messages.
_CALLED = {"map": "Map", "imap": "Imap"}


def _argument(transform: Transform, arg: Argument, number: int, node: Call, done: _Done, context: Context) -> Any:
    """Return what a transform gets for an argument: a program, or for a constant its value."""
    where = f"Argument {number + 1} of transform '{transform.name}'"
    if number >= len(node.args):
        return arg.default if arg.takes is Takes.CONSTANT else compiled(_default(arg.default), context)
    given = node.args[number]
    program = done[id(given)]
    if not program.one_to_one:
        raise _wrong(f"{where} must be OneToOne", given)
    if arg.takes is Takes.CONSTANT:
        if not program.constant:
            raise _wrong(f"{where} must be a constant.", given)
        try:
            return known(program, context.limits)
        except PipeScriptError as error:
            error.in_script("", given.span[0])
            raise
    if arg.takes is Takes.SCRIPT and transform.name not in _MAY_PEEK and (program.peeks or not program.steps):
        name = _CALLED.get(transform.name, transform.name)
        raise _wrong(f"{name} cannot be used with transforms that peek.", given)
    if arg.takes is not Takes.SCRIPT:
        _in_step(program, given)
    return program


_COMPILERS: dict[type[Node], Callable[[Any, _Done, Context], Program]] = {
    Constant: _constant,
    Call: _call,
    Prefix: _prefix,
    Binary: _binary,
    Object: _object,
    Pipe: _pipe,
}
