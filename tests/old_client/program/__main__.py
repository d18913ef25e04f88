"""
What a program written for the client 0.3.5 does, step by step; run by the environment that holds that client.

It imports nothing of this project. Each step is announced to the program that started this one, which says when to go on;
what the step returned or raised is told in the same way, as one JSON object a line.
"""

import os
import shutil
import threading

import connectordb

# the order is that of the steps
# isort: off
import people
import data
import logs  # noqa: F401
import live  # noqa: F401
import files  # noqa: F401
# isort: on

from base import FOLDER, U, admin, path, step


@step
def delete_device():
    """delete a device"""
    gone = people.me(path("gone"))
    gone.create()
    gone.delete()
    return gone.exists()


@step
def delete_user():
    """delete a user"""
    gone = admin(U + "x")
    gone.create(U + "x@example.org", "pw")
    gone.delete()
    return gone.exists()


@step
def close():
    """close"""
    for cdb in (data.lamp, people.sensor, people.me, admin):
        cdb.close()
    return [connectordb.__version__, connectordb.DATAPOINT_INSERT_LIMIT, connectordb.CONNECTORDB_URL]


shutil.rmtree(FOLDER)
print("threads at the end:", threading.active_count())
os._exit(0)  # not all of its threads are daemons
