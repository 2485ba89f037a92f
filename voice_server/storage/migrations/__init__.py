"""The database's history, step by step, applied at start (Alembic)."""
