"""The users of a database whose server is stopped: ``user DIR list|add|password|role|remove``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from ..server import add_user, list_users, remove_user, set_password, set_role
from .database import folder
from .printing import as_json, counted, show, show_columns

_name = click.argument("name", metavar="NAME")
_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it."
)
_force = click.option("--force", is_flag=True, help="Do it even if no administrator is left.")


@click.group(invoke_without_command=True, subcommand_metavar="COMMAND [ARGS]...")
@folder
@click.pass_context
def user(context: click.Context, directory: Path) -> None:
    """
    Manage users, for example if a password is lost.

    DIR is the database's folder. All commands except list need the server to be stopped.
    """
    if context.invoked_subcommand is None:
        context.fail(f"no command behind DIR, which is {str(directory)!r}: list, add, password, role or remove")
    context.obj = directory


@user.command("list")
@as_json
@click.pass_obj
def list_(directory: Path, as_json: bool) -> None:
    """List all users."""
    accounts = list_users(directory)
    if as_json:
        show([asdict(account) for account in accounts])
        return
    rows = [
        (
            account.name,
            account.role,
            account.email,
            "public" if account.public else "private",
            counted(account.devices, "device"),
            "" if account.password else "no password",
        )
        for account in accounts
    ]
    show_columns(rows)


@user.command()
@_name
@click.option("--email", metavar="ADDRESS", required=True, help="The user's email address.")
@click.option(
    "--role", metavar="ROLE", default="user", show_default=True, help="The user's role; 'admin' administers the server."
)
@click.option("--public", is_flag=True, help="Let other users see this user.")
@_password_stdin
@click.pass_obj
def add(directory: Path, name: str, email: str, role: str, public: bool, password_stdin: bool) -> None:
    """Add a user."""
    add_user(directory, name, _read_password(name, password_stdin), email=email, role=role, public=public)
    click.echo(f"Added {name!r}.")


@user.command()
@_name
@click.option("--new-key", is_flag=True, help="Also give the user's device a new API key, which ends all logins.")
@_password_stdin
@click.pass_obj
def password(directory: Path, name: str, new_key: bool, password_stdin: bool) -> None:
    """Give a user a new password."""
    set_password(directory, name, _read_password(name, password_stdin), new_key=new_key)
    click.echo(f"{name!r} has a new password{' and a new API key' * new_key}.")


@user.command()
@_name
@click.argument("role", metavar="ROLE")
@_force
@click.pass_obj
def role(directory: Path, name: str, role: str, force: bool) -> None:
    """Change a user's role, for example to 'user' or 'admin'."""
    set_role(directory, name, role, force=force)
    click.echo(f"{name!r} has the role {role!r}.")


@user.command()
@_name
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@_force
@click.pass_obj
def remove(directory: Path, name: str, yes: bool, force: bool) -> None:
    """Remove a user and everything of theirs, for good."""
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("there is no terminal to ask for confirmation: give --yes")
        click.confirm(f"Remove {name!r} with all devices, streams and points, for good?", abort=True)
    remove_user(directory, name, force=force)
    click.echo(f"Removed {name!r}.")


def _read_password(name: str, from_stdin: bool) -> str:
    """Read a new password: typed twice without echo, or from standard input; never an argument, which others could see."""
    if from_stdin:
        typed = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        typed = str(click.prompt(f"New password of {name}", hide_input=True, confirmation_prompt="Again"))
    else:
        raise click.UsageError("there is no terminal to ask for the password: give --password-stdin")
    if not typed:
        raise click.UsageError("the password is empty")
    return typed
