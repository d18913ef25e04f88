"""Tests of `connectordb.client.folders.export_folder`."""

from __future__ import annotations

import json

from connectordb import LocalProtocolError
from connectordb.client.folders.export_folder import check_device, check_stream, check_version, folders, known, named
from tests.support.case import Case


class Folders(Case):
    """What a folder holds, and what is missing."""

    def test_whole(self) -> None:
        """A device with a stream is found, with what a server knows of it."""
        device = self.folder() / "lamp"
        (device / "light").mkdir(parents=True)
        (device / "notes").mkdir()
        (device / "device.json").write_text('{"name": "lamp", "role": "reader", "made": "in May"}')
        (device / "light" / "stream.json").write_text('{"name": "light", "downlink": true}')
        (device / "light" / "data.json").write_text("[]")
        self.assertEqual(folders(device, "stream"), [device / "light"])
        self.assertEqual(known("device", named(device, "device")), {"role": "reader"})
        with self.assertRaisesRegex(LocalProtocolError, "it has no downlink.json"):
            check_device(device)
        (device / "light" / "downlink.json").write_text("[]")
        self.assertEqual((check_device(device)["name"], check_stream(device / "light")["name"]), ("lamp", "light"))

    def test_version(self) -> None:
        """Other versions, and what is no export at all, are told."""
        folder = self.folder()
        for text, why in (("", "cannot be read"), ("[]", "no object"), ("{}", "None"), ('{"Version": true}', "True")):
            (folder / "connectordb.json").write_text(text)
            with self.subTest(text), self.assertRaisesRegex(LocalProtocolError, why):
                check_version(folder, (1, 2))
        (folder / "connectordb.json").write_text(json.dumps({"Version": 2}))
        check_version(folder, (1, 2))
        with self.assertRaisesRegex(LocalProtocolError, "version 2; expected 1"):
            check_version(folder, (1,))
