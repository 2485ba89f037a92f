"""What a database that is away, or wrong, may raise: SQLAlchemy's errors, and the drivers' own."""

from __future__ import annotations

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

FAULTS: tuple[type[Exception], ...] = (
    SQLAlchemyError,
    OSError,
    TimeoutError,
    # While it connects asyncpg's errors come as they are (wrong password, still starting).
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)
