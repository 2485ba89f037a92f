from __future__ import annotations

import string
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.assets import assets_dir
from voice_server.weights.manifest import (
    ManifestError,
    PackageMirror,
    WebMirror,
    load_entries,
    parse_entry,
)

SHA = "0" * 64


def table(**changes: Any) -> dict[str, Any]:
    whole = {
        "name": "tiny",
        "title": "Tiny",
        "group": "speech",
        "default": True,
        "licence": "MIT",
        "source": "here",
        "languages": ["*"],
        "files": {"voices/a.bin": {"size": 3, "sha256": SHA}},
        "mirrors": [{"hub": "o/r@v1"}],
    } | changes
    return {key: value for key, value in whole.items() if value is not None}


def mirror(**changes: Any) -> WebMirror | PackageMirror:
    return parse_entry(table(mirrors=[changes])).files[0].mirrors[0]


def test_hub_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert mirror(hub="o/r@v1") == WebMirror(
        "hub o/r", "https://huggingface.co/o/r/resolve/v1/voices/a.bin"
    )
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.local/")
    assert mirror(hub="o/r@v1:deep/{name}") == WebMirror(
        "hub o/r", "http://mirror.local/o/r/resolve/v1/deep/a.bin"
    )


def test_plain_address() -> None:
    assert mirror(url="http://h/{path}") == WebMirror(
        "http://h/voices/a.bin", "http://h/voices/a.bin"
    )


def test_counted_parts_keep_their_order() -> None:
    found = mirror(pypi=["p{n}==1.0:p/{n:02}/{name}"], parts=11)
    assert isinstance(found, PackageMirror)
    assert found.label == "pypi p1==1.0 ... p11==1.0"
    assert [part.member for part in found.parts][8:] == ["p/09/a.bin", "p/10/a.bin", "p/11/a.bin"]


def test_npm_scopes() -> None:
    found = mirror(npm=["@scope/pack@1.2.3:package/{path}"])
    assert isinstance(found, PackageMirror)
    assert str(found.parts[0].package) == "@scope/pack@1.2.3"
    assert found.parts[0].package.name == "@scope/pack"
    assert found.label == "npm @scope/pack@1.2.3"


def test_mirrors_apply_to_matching_files_in_order() -> None:
    entry = parse_entry(
        table(
            files={"a.onnx": {"size": 1, "sha256": SHA}, "b.txt": {"size": 2, "sha256": SHA}},
            mirrors=[
                {"url": "http://one/{name}", "files": ["*.onnx"]},
                {"url": "http://two/{name}"},
            ],
        )
    )
    assert [[m.label for m in file.mirrors] for file in entry.files] == [
        ["http://one/a.onnx", "http://two/a.onnx"],
        ["http://two/b.txt"],
    ]
    assert entry.size == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": None}, "'title' must be given"),
        ({"default": 1}, "'default' must be given and be of type bool"),
        ({"speed": 3}, "unknown field 'speed'"),
        ({"name": "a/b"}, "not a folder name"),
        ({"name": ".parts"}, "not a folder name"),
        ({"files": {"../x": {"size": 1, "sha256": SHA}}}, "not a plain relative path"),
        ({"files": {"/etc/x": {"size": 1, "sha256": SHA}}}, "not a plain relative path"),
        ({"files": {"x": 3}}, "must be a table"),
        ({"files": {"x": {"size": 0, "sha256": SHA}}}, "must be positive"),
        ({"files": {"x": {"size": True, "sha256": SHA}}}, "of type int"),
        ({"files": {"x": {"size": 1, "sha256": ""}}}, "64 lower-case hex"),
        ({"mirrors": []}, "has no mirror"),
        ({"mirrors": ["x"]}, "exactly one of"),
        ({"mirrors": [{"hub": "o/r@v", "url": "x"}]}, "exactly one of"),
        ({"mirrors": [{"hub": "o/r@v", "size": 1}]}, "unknown field 'size'"),
        ({"mirrors": [{"hub": "o/r"}]}, "must be owner/repository@revision"),
        ({"mirrors": [{"hub": 3}]}, "must be a text"),
        ({"mirrors": [{"pypi": "p==1:m"}]}, "must be a list"),
        ({"mirrors": [{"pypi": ["p==1"]}]}, "must be package, version and member"),
        ({"mirrors": [{"pypi": ["p:m"]}]}, "must be package, version and member"),
        ({"mirrors": [{"pypi": ["p==1:../m"]}]}, "not a plain relative path"),
        ({"mirrors": [{"pypi": ["p==1:{speed}"]}]}, "unknown placeholder"),
        ({"mirrors": [{"pypi": ["a==1:m", "b==1:m"], "parts": 2}]}, "exactly one package"),
        ({"mirrors": [{"pypi": ["a==1:m"], "parts": 0}]}, "positive number"),
    ],
)
def test_faults_are_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        parse_entry(table(**changes))


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(ManifestError, match=r"bad\.toml"):
        load_entries(tmp_path)


def test_names_are_unique(tmp_path: Path) -> None:
    text = (assets_dir("models") / "silero-vad.toml").read_text()
    (tmp_path / "a.toml").write_text(text)
    (tmp_path / "b.toml").write_text(text)
    with pytest.raises(ManifestError, match="already"):
        load_entries(tmp_path)


@given(st.text(string.ascii_letters + "./\\ ~:", max_size=20))
def test_no_path_leaves_its_folder(path: str) -> None:
    try:
        entry = parse_entry(table(files={path: {"size": 1, "sha256": SHA}}))
    except ManifestError:
        return
    joined = PurePosixPath("/root") / entry.files[0].path
    assert joined.is_relative_to("/root")
    assert ".." not in joined.parts


def test_ours_are_valid_and_the_default_is_what_speech_needs() -> None:
    entries = load_entries(assets_dir("models"))
    default = [entry for entry in entries.values() if entry.default]
    assert {entry.name for entry in default} == {
        "kokoro-82m",
        "silero-vad",
        "smart-turn-v3",
        "whisper-base",
    }
    assert {entry.group for entry in default} == {"speech"}
    assert 250e6 < sum(entry.size for entry in default) < 300e6
    for entry in default:
        for file in entry.files:
            kinds = {type(mirror) for mirror in file.mirrors}
            assert kinds == {WebMirror, PackageMirror}, f"{entry.name}/{file.path}"
