"""The configuration's file: what is printed loads back."""

from __future__ import annotations

import dataclasses
import tempfile
import unittest
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import ConfigurationError
from connectordb.server.config import Config, Limits, Listen, Log, settings
from connectordb.server.config_file import load, parse, render


def values(default: Any, least: float, choices: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Return what a setting may be."""
    texts = st.text(st.characters(exclude_categories=["Cs"]))
    if choices:
        return st.sampled_from(choices)
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, int):
        return st.integers(int(least), 2**62)
    if isinstance(default, float):
        return st.floats(least, 1e300)
    return st.lists(texts).map(tuple) if isinstance(default, tuple) else texts


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Draw a configuration in which some settings are not their defaults."""
    changed: dict[str, dict[str, Any]] = {}
    for setting in draw(st.lists(st.sampled_from(list(settings(Config()))), max_size=6)):
        drawn = draw(values(setting.default, setting.rule.least, setting.rule.choices))
        changed.setdefault(setting.section, {})[setting.name] = drawn
    return Config(**{name: type(getattr(Config(), name))(**table) for name, table in changed.items()})


class Files(unittest.TestCase):
    """What is written in a file is what holds."""

    def test_an_empty_file_changes_nothing(self) -> None:
        """Every setting has a default."""
        self.assertEqual(parse(""), Config())

    def test_what_is_named_changes_and_the_rest_stays(self) -> None:
        """An integer will do where a number is expected."""
        config = parse('[limits]\nbody_seconds = 5\n[listen]\ntrusted_proxies = ["10.0.0.0/8"]\n')
        self.assertEqual(config.limits, dataclasses.replace(Limits(), body_seconds=5.0))
        self.assertEqual(config.listen, dataclasses.replace(Listen(), trusted_proxies=("10.0.0.0/8",)))
        self.assertEqual(config.log, Log())

    @given(configs())
    def test_what_is_printed_loads_back(self, config: Config) -> None:
        """Whatever the values."""
        self.assertEqual(parse(render(config)), config)

    def test_what_is_printed_tells_every_setting_its_meaning_and_default(self) -> None:
        """So that the print is the documentation."""
        text = " ".join(render(Config(log=Log(level="error"))).replace("\n# ", " ").split())
        for setting in settings(Config()):
            self.assertIn(" ".join(setting.rule.meaning.split()), text)
        self.assertIn('The least level that is logged. Default: "info" level = "error"', text)

    def test_a_file_is_read(self) -> None:
        """And what is wrong with it names it."""
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "connectordb.toml"
            with self.assertRaisesRegex(ConfigurationError, "connectordb.toml.*No such file"):
                load(path)
            path.write_bytes(b"\xff")
            with self.assertRaisesRegex(ConfigurationError, "no UTF-8"):
                load(path)
            path.write_text("[listen]\nport = 1\n")
            self.assertEqual(load(path).listen.port, 1)
