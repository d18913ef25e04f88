"""Writing the time zone into a script, so that it means the same where another time zone is local."""

from __future__ import annotations

from dataclasses import replace

from .registry import TRANSFORMS
from .tree import Binary, Call, Constant, Node, Object, Pipe, Prefix, walked

#: The time zone that a call has by default.
_LOCAL = "Local"


def zoned(node: Node, zone: str) -> Node:
    """Return a script in which every call that would use the local time zone names *zone*."""
    made: dict[int, Node] = {}
    for old in walked(node):
        made[id(old)] = _with_zone(_with_parts(old, [made[id(part)] for part in old.parts]), zone)
    return made[id(node)]


def _with_zone(node: Node, zone: str) -> Node:
    if not isinstance(node, Call) or node.name not in TRANSFORMS:
        return node
    arguments = TRANSFORMS[node.name].args
    if not arguments or arguments[0].default != _LOCAL or node.args not in ((), (Constant(_LOCAL),)):
        return node
    return replace(node, args=(Constant(zone),))


def _with_parts(node: Node, parts: list[Node]) -> Node:
    if isinstance(node, Call):
        return replace(node, args=tuple(parts))
    if isinstance(node, Prefix):
        return replace(node, operand=parts[0])
    if isinstance(node, Binary):
        return replace(node, left=parts[0], right=parts[1])
    if isinstance(node, Pipe):
        return replace(node, first=parts[0], then=parts[1])
    if isinstance(node, Object):
        return replace(node, items=tuple((key, part) for (key, _), part in zip(node.items, parts, strict=True)))
    return node
