"""Forgetting what nobody asks for any more: a little at a time, between what others write."""

from __future__ import annotations

import asyncio
import logging

from ..exceptions import ClosedError, ConnectorDBError
from .storage import Storage

log = logging.getLogger(__name__)

#: Seconds between two looks.
_EVERY = 60.0

#: Keys that are forgotten in one transaction: a few milliseconds.
_SLICE = 500

#: Pieces of some 1000 points that are removed in one transaction, and seconds between two of these: the disk is others' too.
_PIECES = 100
_PAUSE = 0.05


async def forget_the_old(storage: Storage, age: float, every: float = _EVERY) -> None:
    """Forget keys older than *age* seconds, and points of deleted streams, until cancelled or the storage is closed."""
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
            log.warning("what is old could not be forgotten, will try again: %s", error)
