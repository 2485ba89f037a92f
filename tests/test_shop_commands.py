"""``voice-server check`` and ``voice-server new-shop``, as an owner meets them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from voice_server.cli import main
from voice_server.commands.check import known_voices
from voice_server.commands.new_shop import slug
from voice_server.shop import pack
from voice_server.weights import WeightStore

DEMO = pack.resolve("demo")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    folder = tmp_path / "broken"
    shutil.copytree(DEMO, folder)
    products = folder / "products.csv"
    text = products.read_text(encoding="utf-8")
    text = text.replace("milano;Milano;floor_lamps;129", "milano;Milano;floor_lamps;dear")
    products.write_text(text.replace("luna;Luna;pendant_lamps;89", "luna;Luna;pendant_lamps;0"))
    return folder


def test_a_sound_pack(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "demo"]) == 0
    out = capsys.readouterr().out
    assert "Marolle: 40 products (40 in stock), 112 variants" in out
    assert "demo can be served." in out
    assert out.count("100 %") == 4


def test_a_broken_pack_is_explained_line_by_line(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(broken)]) == 1
    out = capsys.readouterr().out
    assert "products.csv\n  error: line 3: 'price' is 'dear', not an amount" in out
    assert "→ write a number such as 49.90" in out
    assert "warning: line 4: the price is 0" in out
    assert "to mend before broken can be served, 1 warning" in out


def test_programs_read_json(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(broken), "--json"]) == 1
    body = json.loads(capsys.readouterr().out)
    assert body["usable"] is False
    assert body["warnings"] == 1
    assert body["errors"] == sum(one["severity"] == "error" for one in body["problems"]) > 0
    first = body["problems"][0]
    assert set(first) == {"severity", "file", "line", "message", "remedy"}
    assert [one["language"] for one in body["summary"]["languages"]] == ["fr", "nl", "de", "en"]


def test_warnings_count_only_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(DEMO, folder)
    (folder / "pictures" / "oslo.svg").unlink()
    assert main(["check", str(folder)]) == 0
    assert "shop can be served, 1 warning." in capsys.readouterr().out
    assert main(["check", str(folder), "--strict"]) == 1


def test_no_pack_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "nowhere")]) == 2
    assert "there is no shop pack" in capsys.readouterr().err


def test_voices_come_from_the_models(tmp_path: Path) -> None:
    (tmp_path / "piper").mkdir()
    (tmp_path / "piper" / "nl_BE-nathalie-medium.onnx").touch()
    voices = known_voices(WeightStore(tmp_path))
    assert voices["ff_siwis"] == "fr"
    assert voices["de_DE-thorsten-medium"] == "de"
    assert voices["nl_BE-nathalie-medium"] == "nl-BE"


@pytest.mark.parametrize("languages", ["fr,nl,de,en", "nl", "en, de"])
def test_a_new_shop_is_sound(
    tmp_path: Path, languages: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "ma-boutique"
    args = ["new-shop", str(folder), "--name", "Café Zoë & fils", "--languages", languages]
    assert main(args) == 0
    assert f"serve --shop {folder}" in capsys.readouterr().out
    assert pack.check(folder) == []
    shop = pack.load(folder)
    assert shop.name == "Café Zoë & fils"
    assert shop.id == "cafe-zoe-fils"
    assert list(shop.languages) == languages.replace(",", " ").split()
    for language in shop.languages:
        assert shop.name in shop.text(language).greeting
        assert len(shop.faq[language]) == 2
    assert "Tilleul" not in "".join(p.read_text() for p in folder.rglob("*") if p.is_file())


def test_the_folder_names_the_shop(tmp_path: Path) -> None:
    assert main(["new-shop", str(tmp_path / "the-corner-shop")]) == 0
    assert pack.load(tmp_path / "the-corner-shop").name == "The Corner Shop"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--languages", "fr,tlh"], "tlh; there are fr"),
        (["--languages", ","], "no language"),
        (["--name", 'the "best"'], "cannot be spoken"),
    ],
)
def test_a_wish_that_cannot_be_met(
    tmp_path: Path, args: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new-shop", str(tmp_path / "shop"), *args]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "shop").exists()


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").touch()
    assert main(["new-shop", str(tmp_path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["new-shop", str(tmp_path / "mine.txt" / "shop")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_names_in_addresses() -> None:
    assert slug("Ça & là, l'été !") == "ca-la-l-ete"
    assert slug("店") == "shop"
