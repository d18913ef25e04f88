"""The Logger."""

import os
import time

from base import FOLDER, SHORT, URL, plain, points, step, tell, until
from data import bulk
from people import sensor

from connectordb.logger import Logger

LOG = os.path.join(FOLDER, "log.db")


def make(logger):
    """Set up a new file."""
    logger.apikey = sensor.apikey
    logger.serverurl = URL
    logger.data = {"who": "old"}
    logger.addStream("logged", {"type": "number"}, nickname="L")
    logger.addStream_force("forced", {"type": "string"})


@step
def logger_new():
    """a new Logger"""
    logger = Logger(LOG, on_create=make)
    result = [
        logger.name,
        len(logger),
        "logged" in logger,
        logger.data,
        logger.syncperiod,
        logger.lastsynctime,
        sensor["logged"].exists(),
    ]
    logger.close()
    return result


@step
def logger_insert():
    """log and sync"""
    logger = Logger(LOG, on_create=make)
    logger.insert("logged", 1)
    logger.insert("logged", 2)
    before = len(logger)
    logger.sync()
    result = [before, len(logger), plain(sensor["logged"][:]), logger.lastsynctime > 0, logger.ping()]
    logger.close()
    return result


@step
def logger_insert_many():
    """log many points at once"""
    logger = Logger(LOG)
    try:
        logger.insert_many({"logged": points((time.time() + 1, 3))})  # in 0.3.5 this always fails
    finally:
        logger.close()


@step
def logger_wrong():
    """log what the schema refuses"""
    logger = Logger(LOG)
    try:
        logger.insert("logged", "text")
    finally:
        logger.close()


@step
def logger_forced_is_not_there():
    """sync a stream that the server does not have"""
    logger = Logger(LOG)
    logger.insert("forced", "a")
    failed = []
    logger.onsyncfail = lambda error: failed.append(type(error).__name__) or False
    logger.sync()
    result = [failed, len(logger)]
    sensor["forced"].create({"type": "string"})
    logger.sync()
    result += [len(logger), plain(sensor["forced"][:])]
    logger.close()
    return result


@step
def logger_away():
    """log while the server is away, and in another life of the program"""
    logger = Logger(LOG)
    tell(ask="away")
    logger.insert("forced", "b")
    failed = []
    logger.onsyncfail = lambda error: failed.append(type(error).__name__) or False
    logger.sync()
    logger.close()
    again = Logger(LOG)
    again.insert("forced", "c")
    before = len(again)
    tell(ask="back")
    again.sync()
    result = [failed, before, len(again), plain(sensor["forced"][:])]
    again.close()
    return result


@step
def logger_older():
    """sync what the server has newer points of"""
    logger = Logger(LOG)
    sensor["forced"].insert_array(points((time.time() + 1, "newer")))
    logger.insert("forced", "too old")
    time.sleep(1.1)
    logger.insert("forced", "d")
    logger.sync()
    result = [len(logger), plain(sensor["forced"][:])]
    logger.close()
    return result


@step
def logger_killed():
    """sync in the background while the server is killed"""
    logger = Logger(LOG)
    failures, synced = [], []
    logger.onsyncfail = lambda error: failures.append(1) or False
    logger.onsync = lambda: synced.append(1)
    logger.syncperiod = 0.3
    logger.start()
    for i in range(3):
        if i == 1:
            tell(ask="away")
        logger.insert("logged", 100 + i)
        if i == 1:
            until(lambda: failures)
            tell(ask="back")
        until(lambda: len(logger) == 0)
    logger.stop()
    result = [len(logger), bool(failures), bool(synced), [p["d"] for p in sensor["logged"][-3:]]]
    logger.close()
    return result


@step
def logger_many():
    """sync more than fits into one request"""

    def in_bulk(logger):
        logger.apikey = bulk.apikey
        logger.serverurl = URL
        logger.addStream("logged", {"type": "number"})

    logger = Logger(os.path.join(FOLDER, "bulk.db"), on_create=in_bulk)
    number = 10 if SHORT else 5100
    for i in range(number):
        logger.insert("logged", i)
    logger.sync()
    result = [len(logger), bulk["logged"][:].d() == list(range(number))]
    logger.cleardata()
    logger.close()
    return result
