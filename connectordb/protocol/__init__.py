"""
What crosses the wire between a client and a server, as pure functions and values.

Paths, ranges, schemas, requests and replies, websocket messages, JSON text. Nothing here opens a socket or a file,
starts a thread or reads a clock; client and server both build on it, and nothing else is shared between them. What the
wire is, in prose: ``docs/topics/wire.rst``. Enter by file: ``from ..protocol.paths import Path``.
"""
