"""
Points as text in files: lines of JSON, JSON arrays and CSV, read and written as they come.

A cell of CSV says a number, ``true``, ``false``, nothing (a null), a list or an object in JSON, or text. Text that would say something
else, as ``5`` or nothing at all, is written in the quotes of JSON; so every value is the same when it comes back.
"""

from __future__ import annotations

from .reading import points, read_csv
from .writing import csv_lines, line_of, write_csv

__all__ = ["csv_lines", "line_of", "points", "read_csv", "write_csv"]
