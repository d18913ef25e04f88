"""What a thread has chosen."""

from __future__ import annotations

import threading
import unittest

from connectordb import Retry, Timeout
from connectordb.client.calls.options import Options
from connectordb.runtime.clock import Deadline


class Chosen(unittest.TestCase):
    """For a block, of one thread."""

    def test_block(self) -> None:
        """What is chosen holds in the block, an inner block changes what it names, and then it is as before."""
        options, other = Options(), []
        timeout, retry, deadline = Timeout(connect=1), Retry(5), Deadline(3.0)
        with options.chosen(timeout=timeout, retry=retry):
            with options.chosen(retry=Retry(1), deadline=deadline):
                self.assertEqual((options.timeout, options.retry, options.deadline), (timeout, Retry(1), deadline))
                thread = threading.Thread(
                    target=lambda: other.append((options.timeout, options.retry, options.deadline))
                )
                thread.start()
                thread.join(5)
            self.assertEqual((options.timeout, options.retry, options.deadline), (timeout, retry, None))
            with self.assertRaises(ValueError), options.chosen(deadline=deadline):
                raise ValueError
            self.assertIsNone(options.deadline)
        self.assertEqual((options.timeout, options.retry, options.deadline), (None, None, None))
        self.assertEqual(other, [(None, None, None)])

    def test_again(self) -> None:
        """A block may be entered again, also within itself, and by several threads; or be a decorator."""
        options, timeout = Options(), Timeout(connect=1)
        block, seen = options.chosen(timeout=timeout), list[object]()
        for _ in range(2):
            with block:
                with options.chosen(retry=Retry(1)), block:
                    self.assertEqual((options.timeout, options.retry), (timeout, Retry(1)))
                self.assertEqual((options.timeout, options.retry), (timeout, None))
                thread = threading.Thread(target=block(lambda: seen.append(options.timeout)))
                thread.start()
                thread.join(5)
            self.assertEqual((options.timeout, options.before), (None, ()))
        self.assertEqual(seen, [timeout] * 2)

    def test_whole(self) -> None:
        """What is one call has one end, of which servers are told nothing."""
        options, deadline = Options(), Deadline(3.0)
        with options.as_one_call(deadline):
            self.assertEqual((options.whole, options.deadline), (deadline, None))
        self.assertIsNone(options.whole)

    def test_handed_over(self) -> None:
        """A new thread may go by what another one has chosen, whatever becomes of that."""
        options, seen = Options(), []
        with options.chosen(retry=Retry(5)):
            take_over = options.handed_over()

        def run() -> None:
            take_over()
            seen.append(options.retry)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(5)
        self.assertEqual((seen, options.retry), ([Retry(5)], None))
