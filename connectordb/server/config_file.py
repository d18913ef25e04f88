"""Reading and writing the server's configuration as a TOML file. Settings that the file does not name keep their defaults."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from pathlib import Path
from typing import Any

from ..exceptions import ConfigurationError
from .config import DEFAULT, Config, settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: The file's name in a database folder.
FILE_NAME = "connectordb.toml"


def load(path: str | os.PathLike[str]) -> Config:
    """
    Return what a file configures.

    Raises:
        ConfigurationError: It cannot be read, or a setting in it is unknown or makes no sense.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"reading the configuration {os.fspath(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"reading the configuration {os.fspath(path)!r}: it is no UTF-8 text") from error
    return parse(text, os.fspath(path))


def configured(directory: str | os.PathLike[str]) -> Config:
    """Return what the file in a database folder configures; `DEFAULT` itself if there is none."""
    path = Path(directory) / FILE_NAME
    return load(path) if os.path.lexists(path) else DEFAULT


def parse(text: str, name: str = "configuration") -> Config:
    """Return what the text of a file configures; *name* is what errors call it."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{name}: this is no TOML: {error}") from error
    return Config.of(tables, name)


def render(config: Config) -> str:
    """Return the text of a file with all settings of *config*, each with its meaning and its default."""
    lines: list[str] = []
    section = ""
    for setting in settings(config):
        if setting.section != section:
            section = setting.section
            lines += ["", f"# {type(getattr(config, section)).__doc__}", f"[{section}]"]
        about = f"{setting.rule.meaning} Default: {_toml(setting.default)}"
        lines += ["", *textwrap.wrap(about, 100, initial_indent="# ", subsequent_indent="# ", break_long_words=False)]
        lines.append(f"{setting.name} = {_toml(setting.value)}")
    return "\n".join(lines[1:]) + "\n"


def _toml(value: Any) -> str:
    # texts, integers and booleans are written alike in JSON and TOML
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
