"""The kinds of faults, by name."""

from __future__ import annotations

from . import answers, company, disks, killed, network, servers
from .kind import Kind

KINDS: dict[str, type[Kind]] = {
    kind.name: kind for family in (killed, servers, network, answers, disks, company) for kind in family.KINDS
}
