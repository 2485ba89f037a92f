"""What survives a restart: SQLite in one file by default, PostgreSQL by URL."""

from voice_server.storage.database import open_storage
from voice_server.storage.store import Storage

__all__ = ["Storage", "open_storage"]
