"""Export and import."""

import json
import os
import shutil

from base import FOLDER, URL, U, admin, path, plain, step
from data import stream
from people import device, me

from connectordb import ConnectorDB, DatapointArray


def exported(folder):
    """Return what an export holds, file by file."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(where, name)) as file:
                content = json.load(file)
            if isinstance(content, list):
                content = [len(content), plain(content[:3])]
            found[os.path.relpath(os.path.join(where, name), folder)] = content
    return found


@step
def export_all():
    """export a user, a device, a stream"""
    admin(U).export(os.path.join(FOLDER, "user"))
    shutil.rmtree(os.path.join(FOLDER, "user", U, "bulk"))
    device.export(os.path.join(FOLDER, "device"))
    stream.export(os.path.join(FOLDER, "stream"))
    return [exported(os.path.join(FOLDER, kind)) for kind in ("user", "device", "stream")]


@step
def load_export():
    """load an export of a stream"""
    return DatapointArray().loadExport(os.path.join(FOLDER, "stream")) == stream[:]


@step
def export_over():
    """export to what is there"""
    stream.export(os.path.join(FOLDER, "stream"))


@step
def import_stream():
    """import a stream"""
    other = me(path("second"))
    other.create()
    as_other = ConnectorDB(other.apikey, url=URL)
    as_other.import_stream(os.path.join(FOLDER, "stream"))
    return [as_other["n"].data, as_other["n"][:] == stream[:]]


@step
def import_device():
    """import a device"""
    # keys are unique: the copy gets one of its own
    copy = os.path.join(FOLDER, "device")
    with open(os.path.join(copy, "device.json")) as file:
        about = json.load(file)
    about.update(name="third", apikey="")
    with open(os.path.join(copy, "device.json"), "w") as file:
        json.dump(about, file)
    me.user.import_device(copy)
    third = me(path("third"))
    return [
        {k: v for k, v in third.data.items() if k != "apikey"},
        sorted(s.name for s in third.streams()),
        third["n"][:] == stream[:],
    ]


@step
def import_users():
    """import a user"""
    other = U + "i"
    copy = os.path.join(FOLDER, "users")
    admin(U).export(copy)
    shutil.rmtree(os.path.join(copy, U, "bulk"))
    shutil.move(os.path.join(copy, U), os.path.join(copy, other))
    for where, _, names in os.walk(copy):
        for name in names:
            if name in ("user.json", "device.json"):
                with open(os.path.join(where, name)) as file:
                    about = json.load(file)
                about.update(
                    {"name": other, "email": other + "@example.org"}
                    if name == "user.json"
                    else {"apikey": other + os.path.basename(where)}
                )
                with open(os.path.join(where, name), "w") as file:
                    json.dump(about, file)
    admin.import_users(copy)
    them = ConnectorDB(other, other, url=URL)
    read = them(other + "/sensor/n")
    return [
        them.path,
        sorted(d.name for d in them.user.devices()),
        read[:] == stream[:],
        them(other + "/lamp/light").length(downlink=True),
    ]
