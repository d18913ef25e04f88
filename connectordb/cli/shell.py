"""``shell``: a Python prompt with a connection to the server."""

from __future__ import annotations

import code
import sys
import traceback
from typing import Any

import click

import connectordb

from .. import query
from ..client import ConnectorDB, completion
from ..protocol.constants import NOBODY
from .connection import connect, profile


@click.command()
@click.option("-c", "program", metavar="CODE", help="Run CODE instead of opening a prompt.")
@profile
def shell(program: str | None, profile: str | None) -> None:
    """
    Open a Python prompt that is connected to the server.

    The prompt is IPython's if that is installed, and completes paths. It has cdb, the connection; device and user, as which you are
    logged in; and the names of connectordb and connectordb.query. If there is a program on standard input, it is run instead.
    """
    with connect(profile) as cdb:
        path = cdb.ping()
        names = _names(cdb, path)
        if program is None and not sys.stdin.isatty():
            program = sys.stdin.read()
        if program is not None:
            _run(program, names)
        else:
            _ask(names, f"You are {path} at {cdb.url}. There are {', '.join(_here(names))}.")


def _names(cdb: ConnectorDB, path: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__", "cdb": cdb}
    for room in (connectordb, query):
        names |= {name: getattr(room, name) for name in room.__all__ if not name.startswith("_")}
    return names if path == NOBODY else {**names, "device": cdb(path), "user": cdb.user}


def _here(names: dict[str, Any]) -> list[str]:
    return [name for name in ("cdb", "device", "user") if name in names]


def _run(program: str, names: dict[str, Any]) -> None:
    try:
        exec(compile(program, "<program>", "exec"), names)
    except BrokenPipeError:  # the reader of its output wants no more
        raise
    except Exception as error:  # shown as Python does, without our own frame
        traceback.print_exception(type(error), error, error.__traceback__ and error.__traceback__.tb_next)
        sys.exit(1)


def _ask(names: dict[str, Any], greeting: str) -> None:
    try:
        from IPython import start_ipython
        from traitlets.config import Config
    except ModuleNotFoundError:
        _plain(names, greeting)
        return
    config = Config()
    config.InteractiveShellApp.extensions = ["connectordb.client.completion"]
    config.TerminalInteractiveShell.banner1 = f"{greeting}\n"
    config.TerminalInteractiveShell.banner2 = ""
    start_ipython(argv=[], user_ns=names, config=config)


def _plain(names: dict[str, Any], greeting: str) -> None:
    """Open a prompt like that of ``python``."""
    try:
        import readline
        import rlcompleter
    except ModuleNotFoundError:  # on Windows
        pass
    else:
        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")
        completion.install(names)
    code.interact(greeting, local=names, exitmsg="")
