"""
Datapoints as NumPy arrays, pandas frames and Arrow tables, and back.

Only this room imports these libraries, when a function that needs one is called; they come with the extra ``frames``. Nothing here asks
a server; callers pass points, or the text of points.
"""

from __future__ import annotations

from .columns import Columns, Piece, pieces_of, read_pieces
from .data_frame import from_df, side_by_side, to_df
from .structured import to_numpy
from .table import from_arrow, read_parquet, to_arrow, write_parquet

__all__ = [
    "Columns",
    "Piece",
    "from_arrow",
    "from_df",
    "pieces_of",
    "read_parquet",
    "read_pieces",
    "side_by_side",
    "to_arrow",
    "to_df",
    "to_numpy",
    "write_parquet",
]
