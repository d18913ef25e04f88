"""
The transform language: computing with points, which are plain iterables of ``{"t", "d"}``. Pure, and lazy.

`Script` compiles and runs a script; `merge`, `tdataset` and `xdataset` combine several sequences. The server runs them for its
clients, and anybody can run them on points at hand. Asking a server for them is done in ``query``.
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
