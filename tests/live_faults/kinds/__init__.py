"""The kinds of faults, by name."""

from __future__ import annotations

from . import callbacks, catching_up, commands, mixed, network, servers, wildcards
from .kind import Kind

_FAMILIES = (network, servers, callbacks, catching_up, wildcards, commands, mixed)

KINDS: dict[str, type[Kind]] = {kind.name: kind for family in _FAMILIES for kind in family.KINDS}

__all__ = ["KINDS", "Kind"]
