"""Requests about the caller, about the server, and about how much is in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ...protocol.constants import SERVER_VERSION
from ..rights.permissions import Counted
from ..storage import Reader
from .request import Refusal, Reply, Request, as_json

_COUNTS: Mapping[str, Counted] = {"countusers": "users", "countdevices": "devices", "countstreams": "streams"}


def root(reader: Reader, request: Request) -> Reply:
    """``GET /?q=this``: the caller's path; with ``countusers``, ``countdevices`` or ``countstreams`` how many of these there are."""
    if "this" in request.q:
        return Reply.text(request.caller.path, cacheable=True)
    for query, what in _COUNTS.items():
        if query in request.q:
            if not request.permissions.may_count(request.caller, what):
                raise Refusal(403, f"Don't have permissions necessary to count {what}")
            return Reply.text(str(reader.counts()[what]))
    raise Refusal(400, "Unrecognized query command.")


def version() -> Reply:
    """``GET /meta/version``: the version, which old clients compare."""
    return Reply.text(SERVER_VERSION, cacheable=True)


def transforms() -> Reply:
    """``GET /meta/transforms``: the transforms that this server has, by name."""
    return Reply(_transforms())


@lru_cache(maxsize=1)
def _transforms() -> bytes:
    from ...pipescript import info  # imported here, so that the language is loaded only if it is asked for

    return as_json(info.transforms())


def interpolators() -> Reply:
    """``GET /meta/interpolators``: the interpolators that this server has, by name."""
    from ...pipescript import info

    return Reply.of(info.interpolators())
