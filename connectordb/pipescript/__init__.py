"""
The transform language's room: what is computed from points, over plain iterables of ``{"t", "d"}``; pure, and lazy.

`Script` compiles and runs a script; interpolators, datasets and merging line up several sequences. The server runs them for its
clients, and everybody can on points that are at hand. What asks a server for them is in ``query``.
"""

from ..exceptions import PipeScriptError
from . import info
from .ahead import Point
from .datasets import Columns, merge, tdataset, xdataset
from .interpolators import INTERPOLATORS, Column, Interpolator, interpolator
from .limits import Limits
from .registry import TRANSFORMS, Argument, Transform
from .script import Script, Session
from .template import ScriptText, pipe

__all__ = [
    "INTERPOLATORS",
    "TRANSFORMS",
    "Argument",
    "Column",
    "Columns",
    "Interpolator",
    "Limits",
    "PipeScriptError",
    "Point",
    "Script",
    "ScriptText",
    "Session",
    "Transform",
    "info",
    "interpolator",
    "merge",
    "pipe",
    "tdataset",
    "xdataset",
]
