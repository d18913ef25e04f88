"""
The file of profiles: named servers and keys, which ``connectordb login`` writes and `ConnectorDB` reads.

It is an INI file that people may edit::

    [default]
    url = https://data.example.org
    apikey = …
    ca = /etc/ssl/our-ca.pem

It contains keys. So it is created for its owner alone, and a file that others may read is refused.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError, LocalProtocolError
from .choosing import Setting, Source, addresses, seconds
from .environment import PROFILE, PROFILE_FILE, existing

if TYPE_CHECKING:
    from configparser import RawConfigParser

log = logging.getLogger(__name__)

#: The profile that is used if none is named.
DEFAULT_PROFILE = "default"

_NAME = re.compile(r"[\w@][\w.@-]*")
_SECTION = re.compile(r"\[([^]]+)\]")


def _order(text: str) -> str:
    if text not in ("given", "random"):
        raise ValueError(f"{text!r} is no order; expected 'given' or 'random'")
    return text


#: What a profile may set besides server and key → the argument of `ConnectorDB`, and the function that reads it.
_OPTIONS: dict[str, tuple[str, Callable[[str], object]]] = {
    "timeout": ("timeout", seconds),
    "order": ("order", _order),
    "ca": ("verify", existing),
    "cert": ("cert", existing),
    "proxy": ("proxies", lambda text: {"http": text, "https": text}),
}
_KNOWN = ("url", "apikey", *_OPTIONS, "cert_key")


def selected(name: str | None, variables: Mapping[str, str]) -> Source | None:
    """
    Return the profile called *name*; without a name, the one that the environment's *variables* name, or else the default one.

    Raises:
        ConfigurationError: There is no profile of the name, it is not valid, or others may read the file.
    """
    asked = f"{PROFILE}={variables[PROFILE]!r}" if name is None and variables.get(PROFILE) else f"the profile {name!r}"
    name = check_name(name) if name is not None else variables.get(PROFILE) or None
    profiles = Profiles(variables=variables)
    if variables.get(PROFILE_FILE) and profiles.file is not None and not profiles.file.exists():
        raise ConfigurationError(
            f"{PROFILE_FILE}={str(profiles.file)!r}: there is no such file; 'connectordb login' makes it"
        )
    try:
        found = profiles.read(name if name is not None else DEFAULT_PROFILE)
    except PermissionError as error:
        if name is not None:
            raise ConfigurationError(f"{asked}: {str(profiles.file)!r} cannot be read: {error.strerror}") from error
        # for instance a service with another user's home: that user's profiles are not for it
        log.info("no profile was looked for, as %s cannot be read: %s", profiles.file, error.strerror)
        return None
    if found is None and name is not None:
        there = ", ".join(profiles.names()) or "none"
        where = f"{str(profiles.file)!r}, where there are: {there}" if profiles.file else "a file, as there is none"
        raise ConfigurationError(f"{asked} is not in {where}; 'connectordb login --profile {name}' makes it")
    return found


def check_name(name: str) -> str:
    """
    Return *name* if it is a valid name of a profile.

    Raises:
        LocalProtocolError: It is not.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise LocalProtocolError(f"{name!r} is no name of a profile: letters, digits, '.', '-', '_' and '@' make one")
    return name


class Profiles:
    """
    The profiles in a file.

    Args:
        file: The file, which need not exist; by default the one that `PROFILE_FILE` names, or else one in the user's configuration.
        variables: The environment.

    Attributes:
        file: The file; ``None`` if there is no place for one, or `PROFILE_FILE` is the null device. Then there are no profiles.
    """

    def __init__(self, file: str | os.PathLike[str] | None = None, variables: Mapping[str, str] = os.environ) -> None:
        named = os.fspath(file) if file is not None else variables.get(PROFILE_FILE, "")
        self.file = None if named == os.devnull else Path(named).expanduser() if named else _usual_place()

    def names(self) -> list[str]:
        """Return the names of all profiles, in the order of the file."""
        parsed = self._parsed()
        return [] if parsed is None else parsed.sections()

    def said(self, name: str) -> dict[str, str]:
        """
        Return the texts of a profile as they are in the file; an empty dict if there is no profile of this name.

        Raises:
            As `read`.
        """
        parsed = self._parsed()
        return dict(parsed.items(name)) if parsed is not None and parsed.has_section(name) else {}

    def read(self, name: str) -> Source | None:
        """
        Return a profile; ``None`` if there is none of this name.

        Raises:
            ConfigurationError: The profile or the file is not valid, or others may read the file.
            PermissionError: This process may not read the file.
        """
        parsed = self._parsed()
        if parsed is None or not parsed.has_section(name):
            return None
        said = dict(parsed.items(name))
        where = f"profile {name!r} in {self.file}"
        if unknown := [option for option in said if option not in _KNOWN]:
            raise ConfigurationError(f"{where}: {unknown[0]!r} is no setting; there are {', '.join(_KNOWN)}")
        if not said.get("url"):
            raise ConfigurationError(f"{where}: it names no server: there is no 'url'")
        if "cert_key" in said and "cert" not in said:
            raise ConfigurationError(f"{where}: 'cert_key' goes with 'cert'")
        try:
            servers = addresses(said["url"])
            options = {
                argument: Setting(reader(said[option]), where)
                for option, (argument, reader) in _OPTIONS.items()
                if option in said
            }
            if "cert_key" in said:
                options["cert"] = Setting((options["cert"].value, existing(said["cert_key"])), where)
        except ValueError as error:  # a LocalProtocolError is one
            raise ConfigurationError(f"{where}: {error}") from error
        return Source(servers, said.get("apikey", ""), where, where, options)

    def check(self, name: str) -> None:
        """
        Check whether `save` would accept the name, and has a place for the file.

        Raises:
            LocalProtocolError: *name* is not valid.
            ConfigurationError: There is no place for a file.
        """
        check_name(name)
        if self.file is None:
            raise ConfigurationError(f"there is no place for a file of profiles: set {PROFILE_FILE}, or HOME")

    def save(self, name: str, values: Mapping[str, str]) -> None:
        """
        Write a profile, replacing one of the same name; everything else in the file stays as it is.

        Raises:
            LocalProtocolError: *name* is not valid, or a value is empty or has more than one line.
            ConfigurationError: There is no place for a file; or the existing file is not valid, or others may read it.
            StorageError: It could not be written; then nothing has changed.
        """
        self.check(name)
        for option, value in values.items():
            if len(value.splitlines()) != 1:
                raise LocalProtocolError(f"the profile {name!r}: {option} is empty, or has more than one line")
        lines = [f"[{name}]\n", *(f"{option} = {value}\n" for option, value in values.items())]
        self._rewrite(lambda sections: _replaced(sections, name, lines))

    def remove(self, name: str) -> bool:
        """
        Remove a profile from the file; return whether there was one.

        Raises:
            As `save`.
        """
        if name not in self.names():
            return False
        self._rewrite(lambda sections: _replaced(sections, name, []))
        return True

    # --- the file -----------------------------------------------------------------------------------------------------

    def _parsed(self) -> RawConfigParser | None:
        text = self._text()
        if text is None:
            return None
        import configparser  # few programs have a profile

        # the parser's messages quote lines, which may contain keys; so errors give only the numbers of lines
        parser = configparser.RawConfigParser(
            default_section="", delimiters=("=",), comment_prefixes=("#", ";"), empty_lines_in_values=False
        )
        try:
            parser.read_string(text)
            return parser
        except configparser.MissingSectionHeaderError as error:
            line, what = error.lineno, "no [profile] before it"
        except configparser.ParsingError as error:
            line = error.errors[0][0] if error.errors else getattr(error, "lineno", 0)
            what = "neither 'name = value' nor a [profile]"
        except (configparser.DuplicateSectionError, configparser.DuplicateOptionError) as error:
            line, what = error.lineno or 0, "said twice"
        raise ConfigurationError(f"{str(self.file)!r}, line {line}: {what}")

    def _text(self) -> str | None:
        if self.file is None:
            return None
        try:
            descriptor = os.open(self.file, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            return None
        with open(descriptor, encoding="utf-8-sig") as file:
            self._check_private(os.fstat(descriptor))
            try:
                return file.read()
            except UnicodeDecodeError:
                raise ConfigurationError(f"{str(self.file)!r} is no text in UTF-8") from None

    def _check_private(self, found: os.stat_result) -> None:
        if os.name == "nt":
            return  # there, other users have no access to a user's folder
        if found.st_uid not in (os.getuid(), 0):
            raise ConfigurationError(f"{str(self.file)!r} holds keys, and is another user's: it is not read")
        if others := stat.S_IMODE(found.st_mode) & 0o077:
            may = "changed" if others & 0o022 else "read"
            raise ConfigurationError(
                f"{str(self.file)!r} holds keys, and can be {may} by others; say: chmod 600 {str(self.file)!r}, "
                "and consider new keys if somebody else may have read it"
            )

    def _rewrite(self, change: Callable[[list[tuple[str, list[str]]]], list[str]]) -> None:
        assert self.file is not None
        from filelock import FileLock

        from ...runtime import durable

        # write to what a symbolic link points to, so that it remains a link
        target = Path(os.path.realpath(self.file))
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # two processes may log in at the same time
            with FileLock(target.with_name(f".{target.name}.lock"), timeout=10, mode=0o600):
                self._parsed()  # raises if the file is not valid, as that may be someone's work
                durable.write(target, "".join(change(_sections(self._text() or ""))).encode())
        except PermissionError as error:
            raise ConfigurationError(f"{str(self.file)!r} cannot be written: {error.strerror}") from error


def _usual_place() -> Path | None:
    from platformdirs import user_config_dir  # few programs need it

    folder = Path(user_config_dir("connectordb", appauthor=False))
    # without a home the path would be relative, and depend on where the program was started
    return folder / "profiles.ini" if folder.is_absolute() else None


def _sections(text: str) -> list[tuple[str, list[str]]]:
    """Return the name and the lines of each section; the lines before the first section have the name ``""``."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines(keepends=True):
        line = line if line.endswith("\n") else f"{line}\n"
        if header := _SECTION.match(line):
            found.append((header[1], []))
        found[-1][1].append(line)
    return found


def _replaced(sections: list[tuple[str, list[str]]], name: str, lines: list[str]) -> list[str]:
    """Return all lines, with *lines* in place of those of the section *name*, or at the end if there is no such section."""
    kept: list[str] = []
    for section, old in sections:
        if section == name:
            # keep the blank lines and comments at its end: they belong to the next section
            tail = len(old)
            while tail > 1 and (not old[tail - 1].strip() or old[tail - 1].lstrip()[0] in "#;"):
                tail -= 1
            kept += [*lines, *old[tail:]]
            lines = []
        else:
            kept += old
    return kept + (["\n"] if kept and lines and kept[-1].strip() else []) + lines
