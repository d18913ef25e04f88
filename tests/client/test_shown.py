"""What is shown of streams, devices and users."""

from __future__ import annotations

import socket
import time
from unittest import mock
from xml.etree import ElementTree

from connectordb import ConnectorDB
from connectordb.client import shown as showing
from tests.support.case import MS, SOON
from tests.support.target import TargetCase, new_name


class ShownTests(TargetCase):
    """In a notebook."""

    def test_stream(self) -> None:
        """Its newest points by their indices, and how many there are."""
        cdb = self.connect(self.device_key)
        stream = cdb[new_name()]
        stream.create({"type": "number"})
        stream.insert_array([{"t": 1.6e9 + number, "d": number} for number in range(100)])
        shown = ElementTree.fromstring(stream._repr_html_())
        rows = [[cell.text for cell in row.findall("td")] for row in shown.iter("tr")]
        self.assertEqual((rows[1][0], rows[-1][0], rows[-1][2]), ("60", "99", "99"))
        self.assertIn("100 datapoints · ▁", "".join(shown.itertext()))
        self.assertIn(stream.path, "".join(shown.itertext()))

    def test_device_and_user(self) -> None:
        """What is below them, with what streams hold."""
        device = self.device()
        device["lamp"].create({"type": "boolean"}, downlink=True, nickname="The lamp")
        device["heat"].create({"type": "number", "unit": "°C"})
        device["anything"].create()
        shown = "".join(ElementTree.fromstring(device._repr_html_()).itertext())
        for text in ("lamp", "The lamp", "boolean, downlink", "number, °C", "3 streams"):
            self.assertIn(text, shown)
        self.assertIn(device.name, self.person().user._repr_html_())

    def test_no_server(self) -> None:
        """A server that is silent is waited for shortly, and what is wrong is said instead of raised."""
        with socket.create_server(("127.0.0.1", 0)) as silent, mock.patch.object(showing, "_PATIENCE", 200 * MS):
            cdb = ConnectorDB("key", url=f"http://127.0.0.1:{silent.getsockname()[1]}", connect=False)
            self.addCleanup(cdb.close)
            began = time.monotonic()
            self.assertIn("nothing to show", cdb("a/b/c")._repr_html_())
            self.assertLess(time.monotonic() - began, SOON)
