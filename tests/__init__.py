"""The tests; ``tests/support`` holds what they share."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadlines: a shared machine is slow at times, and that is no failure. In CI the same examples every time; elsewhere fewer,
# and others each time.
settings.register_profile("default", deadline=None, print_blob=True, max_examples=50)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
