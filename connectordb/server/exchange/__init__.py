"""
Export and import of a whole server, in the folders of a 0.3 server (``docs/topics/wire.rst``, "Export format").

`ExportWriter` makes such a folder of whatever can be read, `export_database` of a database, `import_database` a database of
such a folder.
"""

from .export import Exported, export_database
from .importing import Imported, import_database
from .writer import ExportWriter

__all__ = ["ExportWriter", "Exported", "Imported", "export_database", "import_database"]
