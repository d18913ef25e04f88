"""The tests; ``tests/support`` holds what they share."""

from __future__ import annotations

import os
import signal
import tempfile

from hypothesis import settings

# No deadlines: a shared machine is slow at times, and that is no failure. In CI the same examples every time; elsewhere fewer,
# and others each time.
settings.register_profile("default", deadline=None, print_blob=True, max_examples=50)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# What tests connect to, and as whom, is not for the environment or the profile of whoever runs them to say.
for name in ("URL", "APIKEY", "APIKEY_FILE", "TIMEOUT", "CA", "PROFILE"):
    os.environ.pop(f"CONNECTORDB_{name}", None)
os.environ["CONNECTORDB_PROFILE_FILE"] = os.devnull

# The many processes that tests start would compile the whole package, each anew, where no bytecode may be written beside it.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    _bytecode = tempfile.TemporaryDirectory(prefix="connectordb-bytecode-", ignore_cleanup_errors=True)
    os.environ["PYTHONPYCACHEPREFIX"] = _bytecode.name

# A shell that runs the tests in its background, as scripts do, has Ctrl-C ignored by them and by all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
