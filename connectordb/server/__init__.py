"""
The embedded server: all that a ConnectorDB 0.3 server does, in a thread of your program or as a program of its own.

It needs the extra ``server``: ``pip install 'ConnectorDB[server]'``. This package has the database, the permissions, and the HTTP
and websocket interface. It has nothing of the client, which it meets only on the wire.
"""

try:
    import aiohttp  # noqa: F401
except ImportError as error:
    raise ImportError(
        "the embedded server needs aiohttp, which is not installed: pip install 'ConnectorDB[server]'"
    ) from error

from .config import Config
from .config_file import configured
from .config_file import load as load_config
from .config_file import render as render_config
from .database import Created, Running, create, running
from .exchange import Exported, Imported, export_database, import_database
from .operation.logs import Logs
from .progress import Progress
from .rights.permission_files import load as load_permissions
from .rights.permission_template import render as default_permissions
from .server import Server
from .upkeep.backup import backup, restore
from .upkeep.check import Checked, Finding, Tell, check
from .upkeep.salvage import Salvaged, salvage
from .upkeep.users import Account, add_user, list_users, remove_user, set_password, set_role
from .web.listening import make_room

__all__ = [
    "Account",
    "Checked",
    "Config",
    "Created",
    "Exported",
    "Finding",
    "Imported",
    "Logs",
    "Progress",
    "Running",
    "Salvaged",
    "Server",
    "Tell",
    "add_user",
    "backup",
    "check",
    "configured",
    "create",
    "default_permissions",
    "export_database",
    "import_database",
    "list_users",
    "load_config",
    "load_permissions",
    "make_room",
    "remove_user",
    "render_config",
    "restore",
    "running",
    "salvage",
    "set_password",
    "set_role",
]
