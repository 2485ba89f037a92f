"""The espeak-ng process's own code, run here in the test's process where coverage sees it."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from voice_server.speech import espeak_child
from voice_server.speech.espeak_child import Espeak, NotInstalled, answer, libraries


@pytest.fixture(scope="module")
def espeak() -> Espeak:
    return Espeak()


def test_phonemes_of_several_parts(espeak: Espeak) -> None:
    request = {"do": "phonemes", "parts": ["un deux", "hello"], "voice": "roa/fr", "tie": ""}
    head, pcm = answer(espeak, request)
    assert head["parts"][0] == "œ̃ dˈø"
    assert pcm == b""


def test_phonemes_of_several_clauses_are_one_line(espeak: Espeak) -> None:
    assert espeak.phonemes("Hello. Two!", "gmw/en-US", "") == "həlˈoʊ tˈuː"


def test_speech_comes_with_phones_that_follow_each_other(espeak: Espeak) -> None:
    request = {"do": "speech", "text": "hallo", "voice": "gmw/nl", "words_per_minute": 160}
    head, pcm = answer(espeak, request)
    assert head["bytes"] == len(pcm) > head["rate"] // 2
    edges = [edge for _, start, end in head["phones"] for edge in (start, end)]
    assert edges == sorted(edges)
    assert "".join(symbol for symbol, _, _ in head["phones"]).replace("ˈ", "") == "hɑloː"


def test_refusals_are_value_errors(espeak: Espeak) -> None:
    with pytest.raises(ValueError, match="unknown request"):
        answer(espeak, {"do": "sing"})
    with pytest.raises(ValueError, match="no voice"):
        espeak.phonemes("a", "xx/none", "")


def test_knows_version_and_voices(espeak: Espeak) -> None:
    assert espeak.version.startswith("1.")
    assert ("de", "gmw/de", "M") in espeak.voices()


def test_the_wheel_goes_before_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = list(libraries())
    assert "espeakng_loader" in tried[0][0]
    assert tried[-1][1] is None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    assert all(data is None for _, data in libraries())


def test_a_long_path_of_its_data_is_shortened(tmp_path: Path) -> None:
    (_, data), *_ = libraries()
    assert data is not None
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    (deep / "espeak-ng-data").symlink_to(data, target_is_directory=True)
    given: list[bytes] = []

    def initialise(mode: int, ms: int, path: bytes, options: int) -> int:
        given.append(path)
        return 22_050

    fresh = Espeak.__new__(Espeak)
    fresh._library = SimpleNamespace(espeak_Initialize=initialise)  # type: ignore[assignment]
    assert fresh._initialise(str(deep / "espeak-ng-data")) == 22_050
    assert len(given[0]) < 140
    assert (Path(os.fsdecode(given[0])) / "phontab").exists()


def test_without_a_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak_child, "libraries", lambda: iter([("/nowhere/lib.so", None)]))
    with pytest.raises(NotInstalled, match=r"pip install espeakng-loader.*nowhere"):
        Espeak()


class TestMain:
    @pytest.fixture
    def run(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
        """Run main over these lines, away from the real file descriptors and signals."""

        def run(lines: list[dict[str, Any]]) -> tuple[int, bytes]:
            written = tmp_path / "out"
            monkeypatch.setattr(os, "dup", lambda fd: os.open(written, os.O_CREAT | os.O_WRONLY))
            monkeypatch.setattr(os, "dup2", lambda one, other: other)
            monkeypatch.setattr(signal, "signal", lambda *what: None)
            text = "".join(json.dumps(line) + "\n" for line in lines)
            stdin = SimpleNamespace(buffer=io.BytesIO(text.encode()))
            monkeypatch.setattr("sys.stdin", stdin)
            return espeak_child.main(), written.read_bytes()

        return run

    def test_greets_answers_and_leaves_at_the_end_of_input(self, run: Any) -> None:
        status, out = run(
            [
                {"id": 1, "do": "phonemes", "parts": ["a"], "voice": "gmw/nl", "tie": ""},
                {"id": 2, "do": "phonemes"},
                {"id": 3, "do": "speech", "text": "a", "voice": "gmw/nl", "words_per_minute": 160},
            ]
        )
        hello, first, second, rest = out.split(b"\n", 3)
        assert status == 0
        assert json.loads(hello)["version"].startswith("1.")
        assert json.loads(first) == {"id": 1, "parts": ["ˈaː"]}
        assert json.loads(second)["id"] == 2
        assert "error" in json.loads(second)
        head, pcm = rest.split(b"\n", 1)
        assert len(pcm) == json.loads(head)["bytes"]

    def test_leaves_with_words_when_the_library_is_missing(
        self, run: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(espeak_child, "libraries", lambda: iter([]))
        status, out = run([])
        assert status == 1
        assert "not installed" in json.loads(out)["error"]
