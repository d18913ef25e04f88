"""Forgetting the keys of inserts whose time is over: a few at a time, between what others write."""

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


async def forget_old_keys(storage: Storage, age: float, every: float = _EVERY) -> None:
    """Forget keys older than *age* seconds, until cancelled or the storage is closed."""
    while True:
        await asyncio.sleep(every)
        try:
            while await asyncio.wrap_future(storage.write(lambda writer: writer.forget_inserts(age, _SLICE))) == _SLICE:
                pass
        except ClosedError:
            return
        except ConnectorDBError as error:
            log.warning("old keys of inserts could not be forgotten, will try again: %s", error)
