"""Subscriptions, and acknowledging downlinks."""

import time

from base import path, plain, points, step, tell, until
from data import bulk, light, stream
from people import me, sensor

got = []
acknowledge = {"with": True}


def callback(where, data):
    """Note what came."""
    got.append([where, plain(data)])
    return acknowledge["with"] if where.endswith("/downlink") else None


def after(work, more):
    """Work, then wait for so many messages more; return them."""
    before = len(got)
    work()
    until(lambda: len(got) >= before + more)
    return got[before:]


@step
def subscribe():
    """subscribe"""
    stream.subscribe(callback)
    sensor["one"].subscribe(callback)
    time.sleep(0.4)  # a 0.3 server does not say when a subscription holds
    return [
        after(lambda: stream.insert_array(points((10, 10), (11, 11))), 1),
        after(lambda: sensor["one"].insert("x"), 1),
    ]


@step
def subscribe_downlink():
    """subscribe to a downlink and acknowledge"""
    light.subscribe(callback, downlink=True)
    time.sleep(0.4)
    length = len(light)
    came = after(lambda: me(path("lamp/light")).insert(False), 1)
    return [came, until(lambda: len(light) == length + 1), plain(light[-1:]), light.length(downlink=True)]


@step
def acknowledge_otherwise():
    """acknowledge with other points, and not at all"""
    length = len(light)
    acknowledge["with"] = points((time.time() + 1, True))
    one = after(lambda: me(path("lamp/light")).insert(False), 1)
    done = until(lambda: len(light) == length + 1)
    acknowledge["with"] = False
    two = after(lambda: me(path("lamp/light")).insert(True), 1)
    return [one, done, two, len(light) - length]


@step
def unsubscribe():
    """unsubscribe"""
    sensor["one"].unsubscribe()
    time.sleep(0.4)
    before = len(got)
    sensor["one"].insert("unheard")
    return after(lambda: stream.insert_array(points((12, 12))), 1) == got[before:]


heard = []
again, shade = bulk["again"], bulk["shade"]


@step
def reconnect():
    """be connected again after the server was away, and acknowledge"""
    again.create({})
    shade.create({}, downlink=True)
    again.subscribe(lambda where, data: heard.append(where))
    shade.subscribe(lambda where, data: True, downlink=True)
    time.sleep(0.4)
    subscribed = tell(ask="subscriptions")
    tell(ask="away")
    time.sleep(0.5)
    tell(ask="back")
    # to four streams, on three websockets
    all_again = until(lambda: tell(ask="subscriptions") >= subscribed + 4)
    time.sleep(0.4)
    again.insert(1)
    me(path("bulk/shade")).insert("on")
    return [all_again, until(lambda: heard), until(lambda: len(shade)), heard, plain(shade[:])]
