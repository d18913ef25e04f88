"""
What crosses the wire between a client and a server, as pure functions and values.

Paths, ranges, schemas, requests and replies, websocket messages, JSON text. Nothing here opens a socket or a file,
starts a thread or reads a clock. Client and server both build on this package and share nothing else. The wire itself is
described in ``docs/topics/wire.rst``. Import from the files: ``from ..protocol.paths import Path``.
"""
