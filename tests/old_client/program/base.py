"""What all steps use: telling what came of a step, the server, the administrator."""

import json
import os
import sys
import tempfile
import time

# Standard output is for what is told; whatever else prints goes to standard error.
_TOLD = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

from connectordb import ConnectorDB  # noqa: E402

#: Where the server listens, the name of the user that this run makes, and whether what takes long is done with less.
URL, U = sys.argv[1:3]
SHORT = "short" in sys.argv[3:]

FOLDER = tempfile.mkdtemp(prefix="old-client-")
SOON = 20.0


def tell(**message):
    """Tell the program that started this one something; return its answer."""
    _TOLD.write(json.dumps(message) + "\n")
    _TOLD.flush()
    return json.loads(sys.stdin.readline())


def step(work):
    """Do a step and tell what came of it."""
    tell(step=work.__doc__)
    try:
        result = work()
    except Exception as error:
        kind = type(error)
        print(f"{work.__doc__}: {kind.__name__}: {error}", file=sys.stderr)
        text = str(getattr(error, "value", error))
        # those of others, such as the system's, differ in their words
        tell(raised=[kind.__name__, text if kind.__module__.startswith("connectordb") else ""])
    else:
        tell(result=result)
    return work


def until(condition):
    """Wait for something; tell whether it came."""
    deadline = time.monotonic() + SOON
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(condition())


def plain(points):
    """Return points without the times that are the clock's."""
    return [{key: value for key, value in point.items() if key != "t" or value < 1e9} for point in points]


def points(*rows):
    """Return points out of pairs."""
    return [{"t": t, "d": d} for t, d in rows]


def path(below):
    """Return a path below the user that this run makes."""
    return U + "/" + below


admin = ConnectorDB("test", "test", url=URL)
