"""
What each request means: plain functions that take a view of the storage and a frozen `Request`, and return a `Reply` or raise a
`Refusal`.

Nothing here knows about HTTP libraries, SQL, threads or sockets. Each function runs as one piece of work in the storage, so
nothing can change between what it checks and what it does. It must be quick, and keep nothing that it was given.
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
