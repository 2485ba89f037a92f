"""Opening the database: its URL, its pragmas, its migrations."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from voice_server.records import StorageError
from voice_server.storage.faults import FAULTS
from voice_server.storage.store import Storage, StorageOptions
from voice_server.storage.transactions import BUSY_MS

logger = logging.getLogger(__name__)

OPEN_S = 30.0
"""A database that is not open after so long stops the start: migrations take a second, a
PostgreSQL that is just starting some ten."""

MIGRATION_LOCK = 0x564F4943
"""PostgreSQL advisory lock: gateways that start together migrate one after the other, as they
do with SQLite by its own lock."""

_WAL = "journal_mode=WAL"  # readers do not wait for the writer
WAL_TRIES, WAL_PAUSE_S = 50, 0.1
"""Somebody else who opens the file for the first time is done within the second."""

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}


def database_url(setting: str, data: Path) -> URL:
    """Return the URL to open: the setting, or ``voice-server.db`` in the data folder.

    Raises:
        StorageError: the setting is no URL, or of a database that is not supported.
    """
    if not setting:
        return URL.create("sqlite+aiosqlite", database=str(data / "voice-server.db"))
    try:
        url = make_url(setting)
    except ArgumentError:
        raise StorageError(
            "the database setting is no URL: write postgresql://user:password@host/name, "
            "or leave it empty for SQLite in the data folder"
        ) from None
    driver = _DRIVERS.get(url.drivername.split("+")[0])
    if driver is None:
        raise StorageError(f"there is no support for {url.drivername}: use PostgreSQL or SQLite")
    return url.set(drivername=driver)


async def open_storage(setting: str, data: Path, options: StorageOptions | None = None) -> Storage:
    """Open the database, bring its tables up to date, and return the stores.

    Raises:
        StorageError: in words for an operator, when that fails or takes more than ``OPEN_S``.
    """
    url = database_url(setting, data)
    lite = url.drivername.startswith("sqlite")
    engine = create_async_engine(url, pool_pre_ping=not lite, hide_parameters=True)
    if lite:
        sa.event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    where = url.render_as_string(hide_password=True)
    try:
        async with asyncio.timeout(OPEN_S):
            if lite and url.database and url.database != ":memory:":
                folder = Path(url.database).parent
                await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
            was, now = await _migrate(engine)
    except FAULTS + (CommandError, ValueError) as error:  # noqa: RUF005 - mypy reads no star here
        await engine.dispose()
        raise StorageError(f"cannot use the database {where}: {_reason(error)}") from error
    step = "up to date" if was == now else f"migrated from {was or 'nothing'} to {now}"
    logger.info("database %s: %s", where, step)
    return Storage(engine, options or StorageOptions())


async def _migrate(engine: AsyncEngine) -> tuple[str, str]:
    """Apply what is missing; return the revisions before and after."""
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        else:
            # Python begins no transaction for DDL: a migration is done whole or not at all.
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        return await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> tuple[str, str]:
    config = Config()
    config.set_main_option("script_location", "voice_server.storage:migrations")
    config.attributes["connection"] = connection
    newest = ScriptDirectory.from_config(config).get_current_head() or ""
    was = MigrationContext.configure(connection).get_current_revision() or ""
    if was != newest:
        command.upgrade(config, "head")
    return was, newest


def _prepare_sqlite(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_MS}",  # another process writes; after that the batch is tried again
        _WAL,
        "synchronous=NORMAL",  # safe with WAL; a power cut may cost the last batch
        "secure_delete=ON",  # what is erased leaves no bytes behind
    ):
        _set(cursor, pragma)
    cursor.close()


def _set(cursor: Any, pragma: str) -> None:
    """Set a pragma; to change the journal SQLite waits for nobody, so we do."""
    for left in range(WAL_TRIES, 0, -1):
        try:
            cursor.execute(f"PRAGMA {pragma}")
            return
        except sqlite3.OperationalError:
            if pragma != _WAL or left == 1:
                raise
            await_only(asyncio.sleep(WAL_PAUSE_S))


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"it did not answer within {OPEN_S:g} s"
    if isinstance(error, CommandError):
        return f"{error}. Was it written by a newer version of this program?"
    return str(getattr(error, "orig", None) or error)
