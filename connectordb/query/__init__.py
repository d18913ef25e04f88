"""
Queries over several streams: `Merge` puts them into one series, `Dataset` lines them up row by row.

Both build a query, check what the server would refuse, and send it in one request. Nothing here knows sockets or HTTP.
"""

from .dataset import Dataset
from .merge import Merge

__all__ = ["Dataset", "Merge"]
