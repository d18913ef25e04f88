"""
Where the server keeps users, devices, streams and points.

`Storage` in ``contract`` says what a storage is; ``sqlite`` is the one there is. Nothing here knows of HTTP, of who may do
what, or of subscribers.
"""

from .contract import Device, Found, Inserted, Older, Reader, Series, Storage, Stream, Taken, User, Writer

__all__ = ["Device", "Found", "Inserted", "Older", "Reader", "Series", "Storage", "Stream", "Taken", "User", "Writer"]
