"""Prompt versions: checked, compared, given to a share of the sessions, and taken back."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.dialogue.prompts import (
    PromptError,
    PromptRegistry,
    PromptVersion,
    Rollout,
    default_version,
)
from voice_server.dialogue.prompts.version import read_version

GOOD = """
id = "warm-1"
author = "Ann"
date = 2026-12-01
parent = "shop-2"
note = "Warmer."
system = '''
You are the AI of {shop}{about}. Use what is between <facts> and </facts>, never <customer>.
Be warm.'''
choose = '''
{functions}
Choose one or "none".'''
"""


def write(folder: Path, name: str, text: str) -> None:
    """Write a file that is surely seen as changed, however coarse the clock of the disk is."""
    path = folder / name
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 10**9, before + 10**9))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "warm-1.toml", GOOD)
    return tmp_path


def test_the_bundled_version_is_the_default() -> None:
    registry = PromptRegistry()
    assert registry.assign("anybody") is registry.get("shop-2")
    assert registry.get("shop-2") == default_version()
    assert registry.get("shop-2").parent == "shop-1"
    assert default_version().author


def test_a_version_tells_how_it_differs(folder: Path) -> None:
    registry = PromptRegistry(folder)
    assert [version.id for version in registry.versions] == ["shop-1", "shop-2", "warm-1"]
    difference = registry.difference("shop-1", "warm-1")
    assert difference.startswith("--- shop-1 (Voice Server, 2026-11-22)\n+++ warm-1 (Ann, 2026")
    assert "+Be warm." in difference
    assert registry.difference("warm-1", "warm-1") == ""
    with pytest.raises(PromptError, match="there are shop-1, shop-2, warm-1"):
        registry.difference("shop-1", "shop-9")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('id = "warm-1"', "id = 2", "write id as text"),
        ('id = "warm-1"', 'id = "Warm 1"', "small letters"),
        ('author = "Ann"', 'author = " "', "sign it"),
        ("date = 2026-12-01", 'date = "soon"', "date = 2026-11-22"),
        ('note = "Warmer."', 'nott = "Warmer."', "write note as text"),
        ('note = "Warmer."', 'note = ""\ncolour = "red"', "colour is unknown"),
        ("{shop}", "the shop", "{about} and {shop}, and no other"),
        ("{shop}", "{shop}{price}", "no other field"),
        ("{shop}", "{shop}{", "write {{ and }} for braces"),
        ("</facts>", "here", "must speak of </facts>"),
        ("<customer>", "him", "must speak of <customer>"),
        ("the AI of", "Anna of", "must speak of AI"),
        ("Be warm.", "Be warm. " * 200, "characters, of 1400"),
        ('"none"', "nothing", 'offer "none"'),
        ("{functions}", "functions", "use {functions}"),
        ("id =", "id", "toml: "),
    ],
)
def test_a_version_that_lacks_something_is_refused(old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(PromptError, match=words):
        read_version(GOOD.replace(old, new), "mine.toml")


def test_two_versions_of_one_name_are_refused(folder: Path) -> None:
    write(folder, "again.toml", GOOD)
    with pytest.raises(PromptError, match="another version warm-1"):
        PromptRegistry(folder)
    write(folder, "again.toml", GOOD.replace("warm-1", "shop-1"))
    with pytest.raises(PromptError, match="comes with the program"):
        PromptRegistry(folder)


# ------------------------------------------------------------ who hears what


def test_a_share_of_the_sessions_hears_the_canary_and_keeps_it() -> None:
    sessions = [f"sess_{n}" for n in range(4000)]
    on = {share: {s for s in sessions if Rollout("a", "b", share).version_for(s) == "b"}
          for share in (0.0, 0.1, 0.5, 1.0)}  # fmt: skip
    assert len(on[0.0]) == 0
    assert 320 < len(on[0.1]) < 480
    assert 1850 < len(on[0.5]) < 2150
    assert len(on[1.0]) == 4000
    assert on[0.1] < on[0.5], "a larger share keeps those who were there"
    other = {s for s in sessions if Rollout("a", "c", 0.1).version_for(s) == "c"}
    assert other != on[0.1], "not always the same guinea pigs"


@given(st.text(max_size=40), st.floats(0, 1))
def test_a_session_always_hears_the_same(session: str, share: float) -> None:
    rollout = Rollout("a", "b", share)
    assert rollout.version_for(session) == rollout.version_for(session)
    assert Rollout("a").version_for(session) == "a"


def test_rolling_out_and_back_survives_a_restart(folder: Path) -> None:
    registry = PromptRegistry(folder)
    registry.roll_out(Rollout("shop-1", "warm-1", 0.25))
    assert PromptRegistry(folder).rollout == Rollout("shop-1", "warm-1", 0.25)
    registry.roll_out(Rollout("warm-1"))
    assert registry.assign("s").id == "warm-1"
    assert registry.roll_back() == Rollout("shop-1", "warm-1", 0.25)
    assert PromptRegistry(folder).rollout == registry.rollout
    assert not registry.refresh(), "what we wrote ourselves is no news"


def test_without_a_past_rolling_back_drops_the_canary(folder: Path) -> None:
    write(folder, "rollout.toml", 'canary = "warm-1"\nshare = 1')
    registry = PromptRegistry(folder)
    registry._before = None
    assert registry.assign("s").id == "warm-1"
    assert registry.roll_back() == Rollout("shop-2")


@pytest.mark.parametrize(
    ("rollout", "words"),
    [(Rollout("shop-9"), "shop-9"), (Rollout("shop-1", "x"), "'x'"),
     (Rollout("shop-1", "warm-1", 1.5), "from 0 to 1")],
)  # fmt: skip
def test_a_rollout_of_what_is_not_there_changes_nothing(
    rollout: Rollout, words: str, folder: Path
) -> None:
    registry = PromptRegistry(folder)
    with pytest.raises(PromptError, match=words):
        registry.roll_out(rollout)
    assert registry.rollout == Rollout()
    assert not (folder / "rollout.toml").exists()


def test_without_a_folder_a_rollout_holds_until_the_end() -> None:
    registry = PromptRegistry()
    registry.roll_out(Rollout("shop-1", "shop-1", 0.5))
    assert registry.rollout.share == 0.5
    assert not registry.refresh()


# ------------------------------------------------------------ while calls are going on


def test_an_edited_file_holds_and_a_broken_one_does_not(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry = PromptRegistry(folder)
    assert not registry.refresh()
    write(folder, "rollout.toml", 'active = "warm-1"')
    assert registry.refresh()
    assert registry.assign("s").id == "warm-1"
    for broken in ("active = ", 'active = "x"', "share = true", "shares = 1", 'share = "all"'):
        write(folder, "rollout.toml", broken)
        assert not registry.refresh()
        assert not registry.refresh(), "it is told once"
    assert caplog.text.count("stay as they were") == 5
    assert registry.assign("s").id == "warm-1"
    write(folder, "rollout.toml", 'active = "shop-1"')
    assert registry.refresh()
    assert registry.assign("s").id == "shop-1"


async def test_the_folder_is_watched(folder: Path) -> None:
    registry = PromptRegistry(folder)
    watching = asyncio.ensure_future(registry.watch(0.01))
    write(folder, "rollout.toml", 'active = "warm-1"')
    async with asyncio.timeout(5):
        while registry.assign("s").id != "warm-1":  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.wait([watching])


def test_a_version_is_data() -> None:
    version = read_version(GOOD, "x")
    assert isinstance(version, PromptVersion)
    assert version.parent == "shop-2"
