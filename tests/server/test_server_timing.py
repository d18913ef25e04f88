"""What a request took."""

from __future__ import annotations

from connectordb.server.server_timing import Spent

from ..support.case import Case


class Header(Case):
    """The header's text."""

    def test_parts(self) -> None:
        """Milliseconds of what there was, and points."""
        spent = Spent()
        self.assertRegex(spent.header(), r"\Atotal;dur=[\d.]+\Z")
        spent.queue, spent.login, spent.storage, spent.flush = 0.001, 0.002, 0.003, 0.0045
        self.assertRegex(
            spent.header(12),
            r'\Atotal;dur=[\d.]+, queue;dur=1\.00, login;dur=2\.00, storage;dur=3\.00, flush;dur=4\.50, points;desc="12"\Z',
        )
