"""
Points in text files: lines of JSON, JSON arrays and CSV, read and written as they come.

A cell of CSV contains a number, ``true``, ``false``, nothing (a null), a list or an object as JSON, or text. Text that would be read as
something else, such as ``5`` or an empty text, is written in JSON's quotes; so every value is read back as it was.
"""

from __future__ import annotations

from .reading import points, read_csv
from .writing import csv_lines, line_of, write_csv

__all__ = ["csv_lines", "line_of", "points", "read_csv", "write_csv"]
