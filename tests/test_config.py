"""Settings: sources in order, and refusals in words an operator can act on."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from voice_server.cli import build_parser, load_settings
from voice_server.config import Settings, cache_root


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("PORT", "LLM", "HOST", "API_KEYS", "SHOP"):
        monkeypatch.delenv(f"VOICE_SERVER_{name}", raising=False)


def test_the_defaults_are_demo_mode_on_loopback() -> None:
    settings = Settings()
    assert (settings.host, settings.port, settings.llm) == ("127.0.0.1", 8080, "embedded")
    assert settings.demo_mode


def test_command_line_beats_environment_beats_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "voice-server.toml").write_text('port = 1\nllm = "none"\nmax_sessions = 7\n')
    monkeypatch.setenv("VOICE_SERVER_PORT", "2")
    assert Settings().port == 2
    assert Settings().llm == "none"
    assert Settings(port=3).port == 3
    assert Settings().max_sessions == 7


def test_another_address_needs_keys() -> None:
    with pytest.raises(ValidationError, match="needs API keys"):
        Settings(host="0.0.0.0")  # noqa: S104
    settings = Settings(host="0.0.0.0", api_keys=("hush-hush",))  # noqa: S104
    assert not settings.demo_mode
    assert "hush-hush" not in repr(settings)


def test_an_unknown_llm_is_refused() -> None:
    with pytest.raises(ValidationError, match="embedded"):
        Settings(llm="gpt")
    assert Settings(llm="https://llm.example/v1").llm.startswith("https")


def test_a_misspelt_option_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "voice-server.toml").write_text("prot = 1\n")
    with pytest.raises(ValidationError, match="prot"):
        Settings()


def test_several_shops_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().shop == ("demo",)
    assert Settings(shop="demo").shop == ("demo",)
    monkeypatch.setenv("VOICE_SERVER_SHOP", "demo, other")
    assert Settings().shop == ("demo", "other")
    monkeypatch.setenv("VOICE_SERVER_SHOP", '["a,b", "c"]')
    assert Settings().shop == ("a,b", "c")
    args = build_parser().parse_args(["serve", "--shop", "x", "--shop", "y"])
    assert load_settings(args).shop == ("x", "y")
    monkeypatch.delenv("VOICE_SERVER_SHOP")
    (tmp_path / "voice-server.toml").write_text(
        'shop = ["demo", "tea"]\n[shop_hosts]\n"tea.example" = "tea"\n[shop_keys]\ntea = ["sk"]\n'
    )
    settings = Settings(host="0.0.0.0")  # noqa: S104
    assert settings.shop_hosts == {"tea.example": "tea"}
    assert not settings.demo_mode
    assert "sk" not in repr(settings.shop_keys["tea"])
    with pytest.raises(ValidationError, match="shop"):
        Settings(shop=" , ")


def test_the_cache_follows_the_users_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_root() == Path("/somewhere/voice-server")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_root() == Path.home() / ".cache" / "voice-server"
