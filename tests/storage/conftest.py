"""Both databases for real: SQLite in a file, PostgreSQL in a private cluster."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from voice_server.storage import Storage, open_storage


def _program(name: str) -> str | None:
    """Debian keeps the server's programs out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(found[0]) if found else shutil.which(name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as Debian's user for it."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("there is no user postgres, and PostgreSQL does not run as root")
    return ["runuser", "-u", "postgres", "--"]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A PostgreSQL server of our own."""

    port: int
    folder: Path
    control: tuple[str, ...]

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres:secret@127.0.0.1:{self.port}/{database}"

    async def new_database(self) -> str:
        name = f"t{uuid.uuid4().hex}"
        connection = await asyncpg.connect(self.url())
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        return self.url(name)

    def stop(self) -> None:
        command = [*self.control, "-m", "immediate", "-w", "stop"]
        subprocess.run(command, check=True, cwd="/", capture_output=True)

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        log = str(self.folder / "log")
        command = [*self.control, "-o", options, "-l", log, "-w", "start"]
        subprocess.run(command, check=True, cwd="/", capture_output=True)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    runner = _as_postgres()
    # Not pytest's own folder: the user postgres may not enter that one.
    folder = Path(tempfile.mkdtemp(prefix="voice-pg-"))
    if runner:
        shutil.chown(folder, "postgres")
    secret = folder / "secret"
    secret.write_text("secret\n")
    if runner:
        shutil.chown(secret, "postgres")
    data = folder / "data"
    try:
        subprocess.run(
            [*runner, initdb, "-D", str(data), "-U", "postgres", "-A", "scram-sha-256",
             "--pwfile", str(secret), "-E", "UTF8", "--no-sync", "--locale=C"],
            check=True, cwd="/", capture_output=True,
        )  # fmt: skip
        server = Cluster(_free_port(), folder, (*runner, pg_ctl, "-D", str(data)))
        server.start()
        try:
            yield server
        finally:
            server.stop()
    except subprocess.CalledProcessError as error:
        pytest.fail(f"PostgreSQL does not start: {error.stderr.decode(errors='replace')[-500:]}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'voice.db'}"
    server: Cluster = request.getfixturevalue("cluster")
    return await server.new_database()


@pytest.fixture
async def storage(url: str, tmp_path: Path) -> AsyncIterator[Storage]:
    """An open storage whose writer runs."""
    store = await open_storage(url, tmp_path)
    writing = asyncio.ensure_future(store.run())
    yield store
    writing.cancel()
    await asyncio.wait([writing])
    await store.close()
