"""
The small tables that notebooks and terminals show for points, streams and devices, as HTML or for the library rich.

Nothing here asks a server; callers pass what is to be shown.
"""

from __future__ import annotations

from .html import to_html
from .points import of_points, of_several
from .sheet import Sheet
from .terminal import to_rich

__all__ = ["Sheet", "of_points", "of_several", "to_html", "to_rich"]
