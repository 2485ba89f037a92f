from __future__ import annotations

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.weights.host import Host
from voice_server.weights import WeightStore


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    runner = await host.start()
    yield host
    await runner.cleanup()


class Said:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.total = 0
        self.done: list[int] = []
        self.lines: list[str] = []
        self.ended = False

    def begin(self, total: int) -> None:
        self.total = total

    def update(self, done: int) -> None:
        self.done.append(done)

    def say(self, text: str) -> None:
        self.lines.append(text)

    def end(self) -> None:
        self.ended = True


@pytest.fixture
def said() -> Said:
    return Said()


@dataclass
class Shelf:
    """Descriptions and a weights folder, in a temporary place."""

    manifests: Path
    root: Path
    wheels: Path
    contents: dict[str, bytes] = field(default_factory=dict)

    def describe(
        self, name: str, files: dict[str, bytes], mirrors: str, group: str = "speech"
    ) -> None:
        """Write ``name.toml`` with the files' true sizes and checksums."""
        lines = "\n".join(
            f'"{path}" = {{ size = {len(content)}, sha256 = "{sha(content)}" }}'
            for path, content in files.items()
        )
        (self.manifests / f"{name}.toml").write_text(
            f'name = "{name}"\ntitle = "{name}"\ngroup = "{group}"\n'
            f"default = {str(group == 'speech').lower()}\n"
            f'licence = "MIT"\nsource = "here"\nlanguages = ["*"]\n[files]\n{lines}\n{mirrors}\n'
        )

    def store(self) -> WeightStore:
        return WeightStore(self.root, self.manifests)

    def read(self, place: str) -> bytes:
        return (self.root / place).read_bytes()

    def put(self, place: str, content: bytes) -> Path:
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def wheel(self, name: str, members: dict[str, bytes], version: str = "1.0") -> Path:
        """Build a real wheel; its __init__ would betray any attempt to run it."""
        stem = name.replace("-", "_")
        path = self.wheels / f"{stem}-{version}-py3-none-any.whl"
        info = f"{stem}-{version}.dist-info"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(f"{stem}/__init__.py", "raise SystemExit('weights were run')\n")
            for member, content in members.items():
                file.writestr(member, content)
            file.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            )
            file.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            file.writestr(f"{info}/RECORD", "")
        return path


async def until(happened: Callable[[], bool], deadline_s: float = 20.0) -> None:
    """Wait for something outside our control."""
    async with asyncio.timeout(deadline_s):
        while not happened():  # noqa: ASYNC110 - nothing here could set an event
            await asyncio.sleep(0.01)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """An empty shelf; pip sees only the wheels the test builds, and no index."""
    shelf = Shelf(tmp_path / "manifests", tmp_path / "weights", tmp_path / "wheels")
    shelf.manifests.mkdir()
    shelf.wheels.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf.wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return shelf
