"""Forgetting old keys."""

from __future__ import annotations

import asyncio
from unittest import mock

from connectordb.server import forgetting
from connectordb.server.forgetting import forget_the_old
from connectordb.server.storage import InsertKey, Remembered, Series, Writer, access

from ..support.case import SOON
from .storage.trees import StorageCase, plant

KEYS = 1200  # more than two slices


class Forgetting(StorageCase):
    """Keys whose time is over are forgotten, and nothing is waited for."""

    def test_until_closed(self) -> None:
        """All that are old enough go, however many slices that takes; it ends with the storage."""

        def remember(writer: Writer) -> None:
            for number in range(KEYS):
                writer.remember_insert(InsertKey(1, Series(1), str(number)), Remembered(b"", False, number))

        self.write(remember)

        async def main() -> None:
            # an age in the future: they are all older
            work = asyncio.ensure_future(forget_the_old(self.storage, age=-10, every=0.005))
            while await asyncio.wrap_future(self.storage.read(lambda reader: reader.count_inserts(1))):
                await asyncio.sleep(0.001)
            await asyncio.to_thread(self.storage.close)
            await work

        asyncio.run(asyncio.wait_for(main(), SOON))

    def test_deleted(self) -> None:
        """What a deleted stream left is removed."""
        series = self.write(plant)
        self.write(lambda writer: writer.insert(series, [{"t": float(i + 1), "d": i} for i in range(3000)], False))
        with mock.patch.object(access, "_AT_ONCE", 0):
            self.write(lambda writer: writer.delete_stream(series.stream_id))
        self.assertEqual(self.read(lambda reader: reader.length(series)), 3000, "by its number it is still there")

        async def main() -> None:
            work = asyncio.ensure_future(forget_the_old(self.storage, age=100, every=0.001))
            while await asyncio.wrap_future(self.storage.read(lambda reader: reader.length(series))):
                await asyncio.sleep(0.001)
            work.cancel()

        with mock.patch.object(forgetting, "_PIECES", 1), mock.patch.object(forgetting, "_PAUSE", 0.001):
            asyncio.run(asyncio.wait_for(main(), SOON))

    def test_not_before(self) -> None:
        """A key within its time stays."""
        self.write(lambda writer: writer.remember_insert(InsertKey(1, Series(1), "k"), Remembered(b"", False, 1)))

        async def main() -> None:
            work = asyncio.ensure_future(forget_the_old(self.storage, age=100, every=0.001))
            await asyncio.sleep(0.05)
            work.cancel()

        asyncio.run(asyncio.wait_for(main(), SOON))
        self.assertEqual(self.read(lambda reader: reader.count_inserts(1)), 1)
