"""The workspace's SQLite file: connections, transactions, and the tables' forward-only migrations."""

from app.store.database import Database
from app.store.migrations import current_version, migrate, newest_version

__all__ = ["Database", "current_version", "migrate", "newest_version"]
