"""Facts are found by meaning and by words, and vectors are computed once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from voice_server.dialogue.embedder import UniversalSentenceEncoder, Vectors, VectorStore, prune
from voice_server.dialogue.facts import Fact
from voice_server.dialogue.retrieval import FactIndex, WordIndex, terms


class Counting:
    """An embedder that counts what it is asked; its vectors are of no use."""

    version = "counting"

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return np.array([[len(text), 1.0] for text in texts], np.float32).reshape(-1, 2)


def test_words_that_few_documents_hold_weigh_more() -> None:
    index = WordIndex(["the lamp is red", "the lamp is blue", "the chair is oak"])
    scores = index.scores("blue lamp")
    assert scores.argmax() == 1
    assert scores[0] > 0
    assert scores[2] == 0
    assert WordIndex([]).scores("x").size == 0


def test_terms_are_stems_without_accents_and_small_words() -> None:
    assert terms("Les bougies à 45 h") == ["les", "bougi", "45"]


def fact(source: str, kind: str = "product") -> Fact:
    return Fact(source, kind, source, f"About {source}.", "en")


def test_rank_fusion_lets_words_break_a_tie_of_meaning() -> None:
    vectors = np.eye(3, dtype=np.float32)
    facts = [fact("a"), fact("b"), fact("c")]
    index = FactIndex(facts, ["lamp", "lamp cord", "chair"], vectors)
    query = np.array([0.7, 0.7, 0.1], np.float32)
    found = index.search("which cord", query, limit=2)
    assert [f.source_id for f, _ in found] == ["b", "a"]
    assert found[0][1] == pytest.approx(0.7)


def test_a_boost_brings_a_fact_to_the_top() -> None:
    index = FactIndex([fact("a"), fact("b")], ["lamp", "chair"], np.eye(2, dtype=np.float32))
    query = np.array([1.0, 0.0], np.float32)
    found = index.search("lamp", query, limit=1, boosts={"b": 0.5, "unknown": 1.0})
    assert found[0][0].source_id == "b"


def test_each_kind_is_measured_against_its_own_mean() -> None:
    facts = [fact("p1"), fact("p2"), fact("q1", "faq"), fact("q2", "faq")]
    vectors = np.array([[0.5], [0.1], [0.62], [0.6]], np.float32)
    index = FactIndex(facts, ["x", "y", "z", "w"], vectors)
    found = index.search("?", np.ones(1, np.float32), limit=4)
    assert found[0][0].source_id == "p1", "questions are near to every question"


def test_an_empty_index_finds_nothing() -> None:
    index = FactIndex([], [], np.zeros((0, 2), np.float32))
    assert index.search("lamp", np.ones(2, np.float32), limit=3) == []
    assert index.get("a") is None


def test_vectors_are_kept_on_disk(tmp_path: Path) -> None:
    first, second = Counting(), Counting()
    texts = ["one", "three"]
    before = VectorStore(tmp_path / "cache", first).vectors(texts)
    after = VectorStore(tmp_path / "cache", second).vectors(texts)
    assert second.texts == []
    np.testing.assert_allclose(before, after, rtol=1e-3)
    assert after.dtype == np.float32
    VectorStore(tmp_path / "cache", second).vectors(["other"])
    assert second.texts == ["other"]


def test_without_a_folder_nothing_is_kept() -> None:
    embedder = Counting()
    store = VectorStore(None, embedder)
    store.vectors(["a"])
    store.vectors(["a"])
    assert embedder.texts == ["a", "a"]


@pytest.mark.parametrize("damage", [b"", b"not numpy", b"\x93NUMPY\x01\x00garbage"])
def test_a_damaged_file_is_computed_anew(tmp_path: Path, damage: bytes) -> None:
    embedder = Counting()
    VectorStore(tmp_path, embedder).vectors(["a"])
    (file,) = tmp_path.glob("*.npy")
    file.write_bytes(damage)
    assert VectorStore(tmp_path, embedder).vectors(["a"]).shape == (1, 2)
    np.save(file, np.zeros(3))
    assert VectorStore(tmp_path, embedder).vectors(["a"]).shape == (1, 2)
    assert embedder.texts == ["a", "a", "a"]


def test_a_cache_that_cannot_be_written_is_only_slower(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    embedder = Counting()
    vectors = VectorStore(tmp_path / "file", embedder).vectors(["a"])
    assert vectors.shape == (1, 2)
    assert "vectors are not kept" in caplog.text


def test_no_half_file_stays(tmp_path: Path) -> None:
    VectorStore(tmp_path, Counting()).vectors(["a"])
    assert [name.endswith(".npy") for name in os.listdir(tmp_path)] == [True]


def test_what_was_used_longest_ago_is_removed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = VectorStore(tmp_path, Counting())
    for age, text in enumerate(["new", "middle", "old"]):
        store.vectors([text])
        os.utime(tmp_path / f"{store.key([text])}.npy", (1e9 - age, 1e9 - age))
    store.vectors(["old"])  # used again
    assert prune(tmp_path, most=2) == 1
    assert {path.stem for path in tmp_path.iterdir()} == {store.key(["old"]), store.key(["new"])}
    assert prune(tmp_path) == 0
    assert prune(tmp_path / "nowhere") == 0
    assert caplog.text == ""


def test_the_encoder_is_one_space_for_all_languages(embedder: UniversalSentenceEncoder) -> None:
    where = ["où est ma commande", "waar is mijn bestelling", "where is my order"]
    vectors = embedder.encode([*where, "j'aime le fromage"])
    assert vectors.shape == (4, 512)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-4)
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > likeness[0, 3]
    assert likeness[0, 2] > likeness[0, 3]
    assert embedder.encode([]).shape == (0, 512)
