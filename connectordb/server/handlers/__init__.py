"""
What each request means: plain functions from a storage's view and a frozen `Request` to a `Reply`, or a `Refusal`.

Nothing here knows of HTTP libraries, SQL, threads or sockets. Each function runs as one piece of work of the storage, so that
what it checks is what it acts on; it must be quick and keep nothing.
"""

from .request import (
    Fetch,
    HashWanted,
    Kind,
    Landed,
    Pages,
    Published,
    Refusal,
    Removed,
    Reply,
    Request,
    Session,
    at_once,
)

__all__ = [
    "Fetch",
    "HashWanted",
    "Kind",
    "Landed",
    "Pages",
    "Published",
    "Refusal",
    "Removed",
    "Reply",
    "Request",
    "Session",
    "at_once",
]
