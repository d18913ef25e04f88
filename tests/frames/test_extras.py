"""Libraries that are not there."""

from __future__ import annotations

from unittest import mock

from connectordb.frames.extras import library

from ..support.case import Case


class Extras(Case):
    """What is said."""

    def test_not_installed(self) -> None:
        """The message names what was asked for, the library, and how to have it."""
        with mock.patch.dict("sys.modules", {"pandas": None}):
            with self.assertRaisesRegex(
                ModuleNotFoundError, r"to_df\(\) needs 'pandas': pip install 'ConnectorDB\[frames\]'"
            ) as raised:
                library("pandas", "to_df()")
            self.assertEqual(raised.exception.name, "pandas")

    def test_of_others(self) -> None:
        """Another extra is named where that has the library."""
        with (
            mock.patch.dict("sys.modules", {"matplotlib": None}),
            self.assertRaisesRegex(ModuleNotFoundError, r"pip install 'ConnectorDB\[plot\]'"),
        ):
            library("matplotlib", "plot()")

    def test_installed(self) -> None:
        """What is there is returned; a part of a library as well."""
        self.assertEqual(library("json.decoder", "a test").__name__, "json.decoder")
