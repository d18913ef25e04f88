"""The numbers and names that the 0.3 protocol fixes, each with what fixes it (``docs/topics/wire.rst``)."""

from __future__ import annotations

#: Where a server listens unless its configuration says otherwise.
CONNECTORDB_URL = "http://localhost:3124"

#: Everything of the REST interface lies below this path.
API_ROOT = "/api/v1"

#: What ``GET /meta/version`` answers; old clients compare it, so it stays.
SERVER_VERSION = "0.3.0"

#: Points that clients put into one insert: small enough for the original's request and message limits.
DATAPOINT_INSERT_LIMIT = 5000

#: Bytes of a request body beyond which the original cuts it off.
REQUEST_BYTES_LIMIT = 10 * 1024 * 1024

#: Bytes that clients put into one insert, well below the limit above: the original stores what is larger than 10 MiB in
#: its own encoding, and then answers that it failed.
INSERT_BYTES_LIMIT = 1024 * 1024

#: Bytes of one websocket message to the server, beyond which it closes the connection (1009).
WEBSOCKET_MESSAGE_LIMIT = 1024 * 1024

#: Seconds between the server's pings, and without a pong until it drops the connection.
PING_PERIOD = 54.0
PONG_WAIT = 60.0

#: Seconds after which the original closes an idle kept-alive connection, and which it gives a request to arrive.
SERVER_IDLE_TIMEOUT = 5.0

#: Added to an integral newest time when points are restamped.
RESTAMP_STEP = 0.00001

#: Characters of a name; of a description; of an icon, and of a named one (``material:``, ``fa:``).
NAME_LIMIT = 29
DESCRIPTION_LIMIT = 1000
ICON_LIMIT = 4096
NAMED_ICON_LIMIT = 30

#: Streams in one merge.
MERGE_LIMIT = 10

#: User names that nobody may take, compared exactly.
RESERVED_USER_NAMES = frozenset(
    "support www api app favicon.ico robots.txt sitemap.xml join login user admin nobody root".split()
)

#: What an anonymous caller is called.
NOBODY = "nobody"

#: The fourth part of a path that names a stream's downlink.
DOWNLINK = "downlink"

#: How columns of points are called in ``Accept`` and ``Content-Type``, what they begin with, as no text does, and of how many points
#: at most there are some in one answer.
COLUMNS = "application/vnd.apache.arrow.stream"
COLUMNS_MARK = b"\xff\xff\xff\xff"
COLUMNS_LIMIT = 65_536
