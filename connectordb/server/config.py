"""
The server's configuration: every setting with its default, its bounds and its meaning.

A section is a dataclass, and a setting is a field of it. The file (``config_file.py``), ``connectordb config`` and the documentation
are all made from these.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from math import inf
from typing import Any, NamedTuple

from ..exceptions import ConfigurationError
from ..protocol.constants import (
    MERGE_LIMIT,
    PING_PERIOD,
    PONG_WAIT,
    REQUEST_BYTES_LIMIT,
    WEBSOCKET_MESSAGE_LIMIT,
)

KIB, MIB = 1024, 1024 * 1024


class Rule(NamedTuple):
    """
    What a setting may be, and what it means.

    Attributes:
        meaning: What it means, with its unit.
        least: The smallest number that is allowed.
        choices: The texts that are allowed; any text if there are none.
    """

    meaning: str
    least: float = 0
    choices: tuple[str, ...] = ()


def _setting(default: Any, meaning: str, *, least: float = 0, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"rule": Rule(meaning, least, choices)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where the server listens, and how it is reached."""

    host: str = _setting("127.0.0.1", "The address to listen on.")
    port: int = _setting(3124, "The port; 0 takes one that is free.")
    unencrypted: bool = _setting(
        False,
        "Listen without TLS even on an address that other machines can reach: anybody in between can read everything.",
    )
    tls_cert: str = _setting(
        "", "The file with the certificate and its chain (PEM), relative to the database folder. Empty: no TLS."
    )
    tls_key: str = _setting(
        "", "The file with the certificate's key (PEM), relative to the same folder. Empty: the key is in tls_cert."
    )
    site_url: str = _setting(
        "",
        "The URL by which clients reach the server, for links in feeds and as its own origin. Empty: as each client says.",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (), "Networks of reverse proxies whose X-Forwarded-For, -Proto and -Host are believed, such as 10.0.0.0/8."
    )
    allowed_origins: tuple[str, ...] = _setting(
        ("*",), "The origins whose web pages may read answers, without cookies: https://…, or * for any."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Passwords and cookies."""

    refused_delay: float = _setting(0.3, "Seconds that a refused login waits for its answer.")
    refused_waiting: int = _setting(1000, "Refused logins that wait at once; beyond it 503.", least=1)
    refused_per_address: int = _setting(20, "Refused logins of one address that wait at once; beyond it 503.", least=1)
    password_threads: int = _setting(2, "Passwords that are checked at once; each takes 16 MiB and a core.", least=1)
    passwords_waiting: int = _setting(100, "Passwords that wait to be checked; beyond it 503.", least=1)
    passwords_per_address: int = _setting(
        25, "Passwords of one address that are being checked or wait for that; beyond it 503.", least=1
    )
    cookie_days: float = _setting(120.0, "Days that a remembered login lasts.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a client may make the server do."""

    body_bytes: int = _setting(REQUEST_BYTES_LIMIT, "Bytes of a request's body; beyond it 413.", least=KIB)
    anonymous_bytes: int = _setting(
        MIB, "Bytes of a request's body from a client that is not logged in; beyond it 413.", least=KIB
    )
    unknown_bytes: int = _setting(
        64 * KIB, "Bytes of the longest body that is received before the sender's login is checked."
    )
    bodies_bytes: int = _setting(
        128 * MIB,
        "Bytes of all bodies that are being received, an eighth of it for clients not logged in; beyond it 503.",
        least=MIB,
    )
    body_brackets: int = _setting(
        500_000, "Lists and objects in a request's body, counted by opening brackets; beyond it 413.", least=1000
    )
    tree_objects: int = _setting(1000, "Devices and streams that one request may create; beyond it 403.", least=1)
    line_bytes: int = _setting(64 * KIB, "Bytes of the request line, and of one header.", least=KIB)
    headers_bytes: int = _setting(128 * KIB, "Bytes of the request line and all headers; beyond it 431.", least=4 * KIB)
    header_seconds: float = _setting(15.0, "Seconds that a request's headers may take to arrive.", least=0.1)
    body_seconds: float = _setting(60.0, "Seconds that a request's body may take to arrive.", least=0.1)
    idle_seconds: float = _setting(75.0, "Seconds that an idle connection is kept open.", least=0.1)
    answer_seconds: float = _setting(
        30.0, "Seconds that a client may take to read each quarter of a MiB of an answer, or its end.", least=0.1
    )
    pipelined_requests: int = _setting(
        100, "Requests on one connection that wait for earlier ones; beyond it the connection is cut.", least=1
    )
    connections: int = _setting(2000, "Connections that are open at once; beyond it 503.", least=1)
    connections_per_address: int = _setting(
        200,
        "Connections from one address, or requests at once if it is behind a trusted proxy; beyond it 503.",
        least=1,
    )
    schema_bytes: int = _setting(64 * KIB, "Bytes of a stream's schema.", least=2)
    check_seconds: float = _setting(5.0, "Seconds that checking the values of one insert may take.", least=0.1)
    text_characters: int = _setting(1000, "Characters of a nickname, email address, data type or API key.", least=100)
    merged_streams: int = _setting(MERGE_LIMIT, "Streams in a merge.", least=1)
    dataset_streams: int = _setting(100, "Streams in a dataset: its reference and all its columns.", least=1)
    shutdown_seconds: float = _setting(5.0, "Seconds that requests under way are given when the server stops.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocket:
    """Websockets."""

    ping_seconds: float = _setting(
        PING_PERIOD, "Seconds between pings; with each, permissions are checked again.", least=0.05
    )
    pong_seconds: float = _setting(PONG_WAIT, "Seconds without a pong after which a connection is dropped.", least=0.05)
    close_seconds: float = _setting(2.0, "Seconds that a client has to answer a close frame.")
    message_bytes: int = _setting(
        WEBSOCKET_MESSAGE_LIMIT, "Bytes of a message to the server; beyond it close code 1009.", least=KIB
    )
    message_brackets: int = _setting(
        100_000, "Lists and objects in a message, counted by opening brackets; beyond it close code 1009.", least=1000
    )
    large_commands: int = _setting(
        4, "Commands of more than 16 KiB that are carried out at once, on all connections; others wait.", least=1
    )
    subscriptions: int = _setting(10_000, "Subscriptions of one connection.", least=1)
    waiting_messages: int = _setting(1000, "Messages that wait for a client that does not read.", least=1)
    waiting_bytes: int = _setting(
        16 * MIB,
        "Bytes of messages that wait for a client that does not read, and of inserts that wait for its transforms.",
        least=KIB,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The database file."""

    readers: int = _setting(2, "Threads that read.", least=1)
    group_inserts: int = _setting(128, "The most writes that share one flush to disk.", least=1)
    group_seconds: float = _setting(0.02, "Seconds during which writes may join a flush.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """Transforms, merges and datasets."""

    threads: int = _setting(2, "Pieces of answers that are computed at once.", least=1)
    waiting: int = _setting(100, "Pieces of answers that wait to be computed; beyond it 503.", least=1)
    seconds: float = _setting(60.0, "Seconds that computing one answer may take.", least=0.01)
    answer_bytes: int = _setting(1024 * MIB, "Bytes that are computed for one answer.", least=KIB)
    subscription_seconds: float = _setting(
        10.0,
        "Seconds that a subscription's transform may take for one insert; beyond it the subscription ends.",
        least=0.01,
    )
    subscription_bytes: int = _setting(
        16 * MIB, "Bytes that such a transform may make of one insert; beyond it the subscription ends.", least=KIB
    )
    script_characters: int = _setting(10_000, "Characters of a transform.", least=100)
    all_script_characters: int = _setting(
        50_000, "Characters of all transforms in one query, and in all subscriptions of one connection.", least=100
    )
    split_max: int = _setting(50_000, "Keys of a map, and values that the transform new remembers.", least=1)
    string_max: int = _setting(1_000_000, "Bytes of a text that a transform puts together.", least=1)
    peek_max: int = _setting(100, "Points that the transform next looks ahead.", least=1)
    value_bytes: int = _setting(
        10_000_000, "Bytes, approximately, of a value that a transform puts together.", least=KIB
    )
    held_bytes: int = _setting(
        50_000_000,
        "Bytes, approximately, that all transforms of a query may hold; and the same for the points of its streams.",
        least=KIB,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """Inserts with an Idempotency-Key."""

    seconds: int = _setting(
        604800, "Seconds that a key is remembered; only the time that the server runs counts.", least=1
    )
    keys_per_device: int = _setting(
        1_000_000,
        "Keys that are remembered for one device, about 100 bytes each; beyond it inserts with a new key are refused.",
        least=1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """Compressed answers, for clients that ask for them."""

    least_bytes: int = _setting(16 * KIB, "Bytes of the smallest answer that is compressed; 0: none is.")
    loopback: bool = _setting(False, "Compress answers to clients on this machine too.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The server's log."""

    level: str = _setting("info", "The least level that is logged.", choices=("debug", "info", "warning", "error"))
    format: str = _setting("lines", "Lines for people, or one JSON object a line.", choices=("lines", "json"))
    file: str = _setting("", "The file, relative to the database folder. Empty: standard error (for a journal).")
    rotate_bytes: int = _setting(10 * MIB, "Bytes after which the file is rotated; 0: never.")
    keep: int = _setting(5, "Rotated files that are kept.", least=1)
    requests: bool = _setting(False, "Log each request.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Figures for Prometheus, on a port of their own; they need no login."""

    port: int = _setting(-1, "The port; -1: none, 0: one that is free.", least=-1)
    host: str = _setting("127.0.0.1", "The address to listen on.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """Who may do what."""

    file: str = _setting("", "The permissions file, relative to the database folder. Empty: those of a 0.3 server.")
    watch: bool = _setting(True, "Load the file again when it changes while the server runs.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings, by section."""

    listen: Listen = field(default_factory=Listen)
    login: Login = field(default_factory=Login)
    limits: Limits = field(default_factory=Limits)
    websocket: WebSocket = field(default_factory=WebSocket)
    storage: Storage = field(default_factory=Storage)
    queries: Queries = field(default_factory=Queries)
    idempotency: Idempotency = field(default_factory=Idempotency)
    compression: Compression = field(default_factory=Compression)
    log: Log = field(default_factory=Log)
    metrics: Metrics = field(default_factory=Metrics)
    permissions: Permissions = field(default_factory=Permissions)

    @classmethod
    def of(cls, sections: Mapping[str, Mapping[str, Any]], name: str = "configuration") -> Config:
        """
        Return a configuration in which some settings are not the defaults.

        Args:
            sections: Settings by section, as in the file: ``{"listen": {"port": 0}}``.
            name: What errors call it.

        Raises:
            ConfigurationError: A setting is unknown or makes no sense.
        """
        known = {section.name: section for section in fields(cls)}
        _check_names(name, "section", sections, known)
        return cls(**{key: _section(name, known[key], table) for key, table in sections.items()})


DEFAULT = Config()


class Setting(NamedTuple):
    """A setting and its value in one configuration."""

    section: str
    name: str
    value: Any
    default: Any
    rule: Rule


def settings(config: Config) -> Iterator[Setting]:
    """Yield every setting of a configuration, in the order of the file."""
    for section in fields(config):
        values = getattr(config, section.name)
        for entry in fields(values):
            yield Setting(section.name, entry.name, getattr(values, entry.name), entry.default, entry.metadata["rule"])


def _section(name: str, section: Field[Any], table: Any) -> Any:
    if not isinstance(table, dict):
        raise ConfigurationError(f"{name}: {section.name!r} is a section: write [{section.name}]")
    assert section.default_factory is not MISSING
    kind: Any = section.default_factory
    known = {entry.name: entry for entry in fields(kind)}
    _check_names(name, f"setting in [{section.name}]", table, known)
    return kind(**{key: _value(f"{name}: {section.name}.{key}", known[key], value) for key, value in table.items()})


def _check_names(name: str, what: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise ConfigurationError(f"{name}: no {what} is called {key!r}; {hint}")


def _value(where: str, entry: Field[Any], value: Any) -> Any:
    """Return a setting's value as it is kept. It has to be of the same type as the default."""
    rule: Rule = entry.metadata["rule"]
    kind: Any = type(entry.default)
    if kind is tuple:
        if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise ConfigurationError(f"{where} is {value!r}; expected a list of texts")
        return tuple(value)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        expected = {bool: "true or false", int: "an integer", float: "a number", str: "a text"}[kind]
        raise ConfigurationError(f"{where} is {value!r}; expected {expected}")
    if kind in (int, float) and not rule.least <= value < inf:
        raise ConfigurationError(f"{where} is {value!r}; it must be at least {rule.least:g}")
    if rule.choices and value not in rule.choices:
        raise ConfigurationError(f"{where} is {value!r}; expected one of {', '.join(rule.choices)}")
    return value
