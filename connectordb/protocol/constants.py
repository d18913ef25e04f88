"""The numbers and names that the 0.3 protocol fixes. Where each comes from: ``docs/topics/wire.rst``."""

from __future__ import annotations

#: Where a server listens unless its configuration says otherwise.
CONNECTORDB_URL = "http://localhost:3124"

#: The whole REST interface lies below this path.
API_ROOT = "/api/v1"

#: What ``GET /meta/version`` answers; old clients compare it, so it stays.
SERVER_VERSION = "0.3.0"

#: The most points that clients put into one insert: few enough for the original server's limits on requests and messages.
DATAPOINT_INSERT_LIMIT = 5000

#: Bytes after which the original server cuts off a request body.
REQUEST_BYTES_LIMIT = 10 * 1024 * 1024

#: The most bytes that clients put into one insert. It is well below the limit above because the original server stores points
#: that take more than 10 MiB in its own encoding, and then answers that the insert failed.
INSERT_BYTES_LIMIT = 1024 * 1024

#: Bytes of a websocket message to the server, beyond which the server closes the connection (1009).
WEBSOCKET_MESSAGE_LIMIT = 1024 * 1024

#: Seconds between the server's pings, and how long it waits for a pong before it drops the connection.
PING_PERIOD = 54.0
PONG_WAIT = 60.0

#: Seconds after which the original server closes an idle kept-alive connection; a request must also arrive within this time.
SERVER_IDLE_TIMEOUT = 5.0

#: What restamping adds to the newest stored time if that is a whole number.
RESTAMP_STEP = 0.00001

#: The most characters of a name, a description, an icon, and a named icon (``material:``, ``fa:``).
NAME_LIMIT = 29
DESCRIPTION_LIMIT = 1000
ICON_LIMIT = 4096
NAMED_ICON_LIMIT = 30

#: The most streams in one merge.
MERGE_LIMIT = 10

#: User names that nobody may take. Compared exactly, so ``Admin`` is free.
RESERVED_USER_NAMES = frozenset(
    "support www api app favicon.ico robots.txt sitemap.xml join login user admin nobody root".split()
)

#: The name of an anonymous caller.
NOBODY = "nobody"

#: The fourth part of a path that names a stream's downlink.
DOWNLINK = "downlink"

#: Points as columns of Arrow: their media type in ``Accept`` and ``Content-Type``; the bytes that they begin with, which no text in
#: UTF-8 does; and the most points that one answer holds as columns.
COLUMNS = "application/vnd.apache.arrow.stream"
COLUMNS_MARK = b"\xff\xff\xff\xff"
COLUMNS_LIMIT = 65_536
