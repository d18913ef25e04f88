"""Removing what is no longer needed: a little at a time, between other writes."""

from __future__ import annotations

import asyncio
import logging

from ..exceptions import ClosedError, ConnectorDBError
from .storage import Storage

log = logging.getLogger(__name__)

#: Seconds between two looks.
_EVERY = 60.0

#: Keys that are forgotten in one transaction, which takes a few milliseconds.
_SLICE = 500

#: Pieces of some 1000 points that are removed in one transaction, and the seconds between two such transactions, in which others
#: can use the disk.
_PIECES = 100
_PAUSE = 0.05


async def forget_the_old(storage: Storage, age: float, every: float = _EVERY) -> None:
    """
    Forget idempotency keys older than *age* seconds, and remove what is left of deleted streams.

    Goes on, every *every* seconds, until it is cancelled or the storage is closed.
    """
    while True:
        await asyncio.sleep(every)
        try:
            while await asyncio.wrap_future(storage.write(lambda writer: writer.forget_inserts(age, _SLICE))) == _SLICE:
                pass
            while await asyncio.wrap_future(storage.write(lambda writer: writer.sweep(_PIECES))):
                await asyncio.sleep(_PAUSE)
        except ClosedError:
            return
        except ConnectorDBError as error:
            log.warning("old keys and deleted points could not be removed, will try again: %s", error)
