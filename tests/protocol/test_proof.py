"""What the answer to an insert proves."""

from __future__ import annotations

import json
import unittest

from connectordb.exceptions import ConnectionFailed, ConnectorDBError, OutcomeUnknown, TimedOut
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from connectordb.protocol.proof import Answer, judge
from connectordb.protocol.reply import Reply


def said(status: int, message: str | None) -> ConnectorDBError | None:
    """Return what the client makes of an answer; a message of ``None``: a page of somebody else's."""
    request = rest.insert_text(Path.parse("u/d/s"), b"[]", 0)
    told = {"code": status, "msg": message, "ref": "0f8fad5b"}
    body = b"<html>hello</html>" if message is None else json.dumps(told).encode()
    try:
        request.read(Reply(status, body if status != 200 or message is None else message.encode()))
    except ConnectorDBError as error:
        return error
    return None


class JudgeTests(unittest.TestCase):
    """An answer proves what it proves, no more."""

    def test_table(self) -> None:
        """Only 'ok' confirms; only refusals that come before storing refuse."""
        for status, message, answer in (
            (200, "ok", Answer.STORED),
            (200, "", Answer.UNKNOWN),
            (200, None, Answer.UNKNOWN),
            (403, "At least one datapoint did not conform to the stream's schema", Answer.REFUSED),
            (403, "Timestamps are not ordered!", Answer.REFUSED),
            (400, "unexpected end of JSON input", Answer.REFUSED),
            (400, "read tcp 127.0.0.1:3124: i/o timeout", Answer.UNKNOWN),
            (400, None, Answer.UNKNOWN),
            (413, None, Answer.REFUSED),
            (403, "Greater timestamp already exists for the stream. Insert Failed.", Answer.OLDER),
            (403, "The requested stream was not found.", Answer.DENIED),
            (403, "Write access to stream data denied.", Answer.DENIED),
            (403, "Can't access this resource.", Answer.DENIED),
            (403, "Insert Failed: Exceeded stream size limit", Answer.DENIED),
            (401, "The requested device was not found.", Answer.DENIED),
            (401, None, Answer.UNKNOWN),
            (403, "nats: maximum payload exceeded", Answer.UNKNOWN),
            (403, "pq: sorry, too many clients already", Answer.UNKNOWN),
            (403, None, Answer.UNKNOWN),
            (429, None, Answer.UNKNOWN),
            (500, "something", Answer.UNKNOWN),
            (502, None, Answer.UNKNOWN),
            (503, "ConnectorDB is currently inactive", Answer.UNKNOWN),
        ):
            with self.subTest(status=status, message=message):
                self.assertIs(judge(said(status, message)), answer)

    def test_no_answer(self) -> None:
        """No answer proves nothing; no connection proves that nothing was sent."""
        self.assertIs(judge(OutcomeUnknown("broke")), Answer.UNKNOWN)
        for error in (ConnectionFailed("refused"), TimedOut("no connection in time")):
            self.assertIs(judge(error), Answer.UNSENT)
