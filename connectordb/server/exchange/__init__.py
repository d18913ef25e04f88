"""
Export and import of a whole server, in the folders of a 0.3 server (``docs/topics/wire.rst``, "Export format").

`export_database` writes such a folder from a database, and `import_database` reads one into a database. `ExportWriter` writes a
folder from anything else.
"""

from .export import Exported, export_database
from .importing import Imported, import_database
from .writer import ExportWriter

__all__ = ["ExportWriter", "Exported", "Imported", "export_database", "import_database"]
