"""States by session: at hand while they live, and there again after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from voice_server.dialogue.memory.keeper import StateKeeper
from voice_server.records import StorageError
from voice_server.storage import open_storage


class Broken:
    """A store that is away."""

    def save(self, key: str, shop_id: str, state: Mapping[str, Any], ttl_s: float) -> None:
        """Lose it."""

    async def load(self, key: str) -> Mapping[str, Any] | None:
        raise StorageError("away")

    async def recent(self, shop_id: str, limit: int = 1000) -> list[tuple[str, Mapping[str, Any]]]:
        raise StorageError("away")


async def test_states_survive_a_restart(tmp_path: Path) -> None:
    store = await open_storage("", tmp_path)
    keeper = StateKeeper(store, "marolle", 60)
    keeper.keep("s1", {"turn": 1})
    keeper.keep("s1", {"turn": 2})
    StateKeeper(store, "fleurs", 60).keep("s2", {"turn": 9})
    await store.close()

    store = await open_storage("", tmp_path)
    keeper = StateKeeper(store, "marolle", 60)
    assert keeper.recall("s1") is None
    assert await keeper.preload() == 1
    assert keeper.recall("s1") == {"turn": 2}
    assert keeper.recall("s2") is None, "another shop's"
    elsewhere = StateKeeper(store, "marolle", 60)
    assert await elsewhere.fetch("s1") == {"turn": 2}
    assert elsewhere.recall("s1") == {"turn": 2}
    assert await elsewhere.fetch("s1") == {"turn": 2}
    assert await elsewhere.fetch("nobody") is None
    await store.close()


async def test_a_state_lives_for_a_while_and_few_are_held() -> None:
    now = 0.0
    keeper = StateKeeper(None, "marolle", 60, clock=lambda: now, most=2)
    assert await keeper.preload() == 0
    for key in ("a", "b", "c"):
        keeper.keep(key, {"is": key})
    assert [keeper.recall(key) for key in "abc"] == [None, {"is": "b"}, {"is": "c"}]
    keeper.forget("b")
    assert keeper.recall("b") is None
    now = 60.0
    assert keeper.recall("c") is None
    assert await keeper.fetch("c") is None


async def test_a_store_that_is_away_costs_memories_not_calls(
    caplog: pytest.LogCaptureFixture,
) -> None:
    keeper = StateKeeper(Broken(), "marolle", 60)
    assert await keeper.preload() == 0
    assert await keeper.fetch("s") is None
    keeper.keep("s", {"turn": 1})
    assert keeper.recall("s") == {"turn": 1}
    assert "forgotten" in caplog.text
    assert "cannot be resumed" in caplog.text
