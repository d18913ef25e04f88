"""
What notebooks and terminals show of points, streams and devices: small tables of text, as HTML or for rich.

Nothing here asks a server: what is shown was read by who has it shown.
"""

from __future__ import annotations

from .html import to_html
from .points import of_points, of_several
from .sheet import Sheet
from .terminal import to_rich

__all__ = ["Sheet", "of_points", "of_several", "to_html", "to_rich"]
