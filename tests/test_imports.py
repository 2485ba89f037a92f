"""Dependencies point one way (DESIGN §2), and the sans-I/O cores stay free of the world."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "voice_server"

# What each package may import, itself aside. audio ← speech ← conversation ← (realtime, telephony,
# live) ← web ← app; shop ← dialogue ← conversation's shell.
ALLOWED: dict[str, set[str]] = {
    "audio": set(),
    "speech": {"audio"},
    "shop": set(),
    "storage": set(),
    "trust": set(),
    "desk": {"shop"},
    "dialogue": {"shop", "speech", "trust"},
    "conversation": {"audio", "speech", "dialogue"},
    "realtime": {"audio", "speech", "dialogue", "conversation"},
    "telephony": {"audio", "speech", "dialogue", "conversation"},
    "live": {"audio", "speech", "dialogue", "conversation", "shop"},
    "weights": set(),
    "web": {
        "audio", "speech", "shop", "dialogue", "conversation", "realtime", "telephony", "live",
        "desk", "insight", "content", "trust", "storage",
    },
}  # fmt: skip

# Importable by all: they know nothing of the server's parts.
BASE = {"assets", "bodies", "config", "ids", "records", "call_records", "weights", "__init__"}

WORLD = {"asyncio", "time", "random", "socket", "threading", "aiohttp", "websockets"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Absolute names of everything a file imports for running (not only for type checking)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parts_imported(path: Path) -> set[str]:
    """Our own parts (packages or modules right below voice_server) that a file imports."""
    return {
        name.split(".")[1]
        for name in imports(path)
        if name.startswith("voice_server.") and (PACKAGE / name.split(".")[1]).exists()
    } | {
        name.split(".")[1]
        for name in imports(path)
        if name.startswith("voice_server.") and (PACKAGE / f"{name.split('.')[1]}.py").exists()
    }


def cores() -> list[Path]:
    lines = (ROOT / "scripts/cores.txt").read_text(encoding="utf-8").splitlines()
    named = [PACKAGE / line for line in lines if line and not line.startswith("#")]
    bridges = PACKAGE.glob("telephony/*bridge*.py")
    return [path for path in (*named, PACKAGE / "live/show.py", *bridges) if path.exists()]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_dependencies_point_one_way(path: Path) -> None:
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if part == "commands" or (part not in BASE and path.parent == PACKAGE):
        return  # composition (app, cli and their helpers): it may import everything
    allowed = ALLOWED.get(part, set()) | BASE | {part}
    assert parts_imported(path) - allowed == set()


@pytest.mark.parametrize("path", cores(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_cores_do_no_io(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)}
    assert roots & WORLD == set()


def test_there_are_cores() -> None:
    assert PACKAGE / "conversation/turn.py" in cores()


def test_relative_and_type_checking_imports_are_understood(tmp_path: Path) -> None:
    file = tmp_path / "m.py"
    file.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import asyncio\n"
        "from voice_server import config\n"
    )
    assert set(imports(file)) == {
        "typing",
        "typing.TYPE_CHECKING",
        "voice_server",
        "voice_server.config",
    }
    assert parts_imported(file) == {"config"}
