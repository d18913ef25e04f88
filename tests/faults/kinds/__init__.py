"""The kinds of faults, by name."""

from __future__ import annotations

from . import answers, company, disks, interrupted, killed, mixed, network, old_file, refused, servers
from .kind import Kind

_FAMILIES = (killed, interrupted, servers, network, answers, refused, disks, company, old_file, mixed)

KINDS: dict[str, type[Kind]] = {kind.name: kind for family in _FAMILIES for kind in family.KINDS}

__all__ = ["KINDS", "Kind"]
