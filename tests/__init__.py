"""The tests; ``tests/support`` holds what they share."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadlines: a shared machine is slow at times, and that is no failure. In CI the same examples every time.
settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
