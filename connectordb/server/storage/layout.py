"""The tables of a database file, as a series of migrations. A migration that was released is never changed."""

from __future__ import annotations

from ...runtime.layouts import Migration
from ...runtime.sqlite import Connection


def _first(connection: Connection) -> None:
    # AUTOINCREMENT, so that the id of something deleted is never used again
    connection.execute("""
        CREATE TABLE users (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            nickname TEXT NOT NULL,
            email TEXT NOT NULL UNIQUE,
            description TEXT NOT NULL,
            icon TEXT NOT NULL,
            role TEXT NOT NULL,
            public INTEGER NOT NULL,
            password TEXT NOT NULL
        );
        -- logging in ignores case
        CREATE INDEX users_by_name ON users (name COLLATE NOCASE);
        CREATE INDEX users_by_email ON users (email COLLATE NOCASE);

        CREATE TABLE devices (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            name TEXT NOT NULL,
            nickname TEXT NOT NULL,
            description TEXT NOT NULL,
            icon TEXT NOT NULL,
            apikey TEXT NOT NULL,
            enabled INTEGER NOT NULL,
            public INTEGER NOT NULL,
            role TEXT NOT NULL,
            visible INTEGER NOT NULL,
            user_editable INTEGER NOT NULL,
            -- what a key is looked up by, so that the time this takes tells nothing of the key; null where there is none
            key_digest BLOB UNIQUE,
            UNIQUE (user_id, name)
        );

        CREATE TABLE streams (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            device_id INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
            name TEXT NOT NULL,
            nickname TEXT NOT NULL,
            description TEXT NOT NULL,
            icon TEXT NOT NULL,
            schema TEXT NOT NULL,
            datatype TEXT NOT NULL,
            ephemeral INTEGER NOT NULL,
            downlink INTEGER NOT NULL,
            UNIQUE (device_id, name)
        );

        -- id: the series and the index of the first point in one number (points.py), as SQLite keeps large rows well only
        -- under an integer key. data comes last: the columns before it are read without it.
        CREATE TABLE chunks (
            id INTEGER PRIMARY KEY,
            series INTEGER NOT NULL,
            number INTEGER NOT NULL,
            first_time REAL NOT NULL,
            last_time REAL NOT NULL,
            packed INTEGER NOT NULL,
            -- bytes of the series' text in the chunks before this one, so that its size is known from the last one
            before INTEGER NOT NULL,
            data BLOB NOT NULL
        );
        -- an append leaves it alone: it changes only with a new chunk
        CREATE INDEX chunks_by_time ON chunks (series, first_time);
    """)


def _with_insert_keys(connection: Connection) -> None:
    connection.execute("""
        -- What was inserted under which key. In order of time, as `at`, the seconds for which the server ran, never goes back.
        CREATE TABLE insert_keys (
            id INTEGER PRIMARY KEY,
            digest BLOB NOT NULL UNIQUE,
            device_id INTEGER NOT NULL,
            at INTEGER NOT NULL,
            body BLOB NOT NULL,
            downlink INTEGER NOT NULL,
            first INTEGER
        );
        CREATE TABLE insert_key_counts (
            device_id INTEGER PRIMARY KEY,
            number INTEGER NOT NULL
        );
    """)


def _with_deleted_series(connection: Connection) -> None:
    connection.execute("""
        -- Series whose stream was deleted, and of which there are chunks left: too many to be removed at once.
        CREATE TABLE deleted_series (series INTEGER PRIMARY KEY);
    """)


MIGRATIONS: tuple[Migration, ...] = (_first, _with_insert_keys, _with_deleted_series)

#: The number of the layout that these steps lead to.
LAYOUT = len(MIGRATIONS)
