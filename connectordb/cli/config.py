"""``config``, and the options with which ``run`` and ``start`` override the configuration file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from ..exceptions import ConfigurationError
from ..server import Config, configured, load_config, render_config
from .printing import as_json, show

Command = TypeVar("Command", bound=Callable[..., Any])

_file = click.option(
    "-c",
    "--config",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The configuration file to use instead of connectordb.toml in DIR.",
)

_OPTIONS = (
    _file,
    click.option("--host", metavar="ADDRESS", help="The address to listen on; by default as configured, or 127.0.0.1."),
    click.option(
        "-p",
        "--port",
        metavar="PORT",
        type=click.IntRange(0, 65535),
        help="The port; 0 picks a free one. By default as configured, or 3124.",
    ),
    click.option(
        "--tls-cert", metavar="FILE", type=click.Path(path_type=Path), help="The certificate (PEM), for https."
    ),
    click.option(
        "--tls-key", metavar="FILE", type=click.Path(path_type=Path), help="Its key, if it is in another file."
    ),
    click.option("--unencrypted", is_flag=True, help="Let other machines connect without TLS."),
    click.option("--log-file", metavar="FILE", type=click.Path(path_type=Path), help="Where the log goes."),
)


def settings(command: Command) -> Command:
    """Give a command the options of `chosen`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen(
    directory: Path,
    file: Path | None,
    host: str | None,
    port: int | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    unencrypted: bool,
    log_file: Path | None,
) -> Config:
    """
    Return the configuration of the file, with the options that override it.

    Raises:
        ConfigurationError: The file is not valid.
    """
    if tls_key is not None and tls_cert is None:
        raise click.UsageError("--tls-key goes with --tls-cert")
    config = configured(directory) if file is None else load_config(file)
    listen, log = config.listen, config.log
    if host is not None:
        listen = replace(listen, host=host)
    if port is not None:
        listen = replace(listen, port=port)
    if tls_cert is not None:
        # relative to the current folder, as it was typed here; a path in the file is relative to the database folder
        listen = replace(listen, tls_cert=str(tls_cert.absolute()), tls_key=str(tls_key.absolute()) if tls_key else "")
    if unencrypted:
        listen = replace(listen, unencrypted=True)
    if log_file is not None:
        log = replace(log, file=str(log_file.absolute()))
    return replace(config, listen=listen, log=log)


@click.command()
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@_file
@as_json
def config(directory: Path | None, file: Path | None, as_json: bool) -> None:
    """
    Print every setting of the server for DIR.

    The output is a configuration file, with the meaning and the default of each setting; without DIR it has the defaults.
    """
    if file is not None:
        found = load_config(file)
    elif directory is None:
        found = Config()
    elif directory.is_dir():
        found = configured(directory)
    else:
        raise ConfigurationError(
            f"{str(directory)!r} is not a folder; give a database's folder, or nothing for the defaults"
        )
    if as_json:
        show(asdict(found))
    else:
        click.echo(render_config(found), nl=False)
