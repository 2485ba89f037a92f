"""The [platform] table: mistakes are told with their remedy, secrets never stand in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.shops import rest
from tests.shop.connectors.platforms import demo
from voice_server.shop import pack
from voice_server.shop.connectors import CONNECTORS, open_platform
from voice_server.shop.connectors.builtin import BuiltinPlatform
from voice_server.shop.platform_config import REQUIRED, ConfigError, load, parse

URL = "https://shop.example"


def test_every_type_has_a_connector() -> None:
    assert set(CONNECTORS) == set(REQUIRED)


def test_a_pack_without_the_table_has_the_built_in_store(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text('[shop]\nid = "x"\n')
    config = load(tmp_path)
    assert config.type == "builtin"
    assert isinstance(open_platform(config, demo()), BuiltinPlatform)


def test_the_table_is_read(tmp_path: Path) -> None:
    table = f'type = "shopify"\nurl = "{URL}/"\ntoken_env = "SHOP_TOKEN"\nrefund_on_cancel = true'
    (tmp_path / "shop.toml").write_text(f"[platform]\n{table}\n")
    config = load(tmp_path)
    assert config.url == URL
    assert config.flag("refund_on_cancel", default=False)
    assert config.secret("token_env", {"SHOP_TOKEN": " secret "}) == "secret"
    assert "secret" not in repr(config)
    platform = open_platform(config, demo(), environ={"SHOP_TOKEN": "secret"})
    assert platform.name == "shopify"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([], "must be a table"),
        ({"type": "magento"}, "use one of builtin, shopify"),
        ({"type": "shopify", "url": URL}, "'token_env' is missing"),
        ({"type": "shopify", "url": 7, "token_env": "A_B"}, "must be a text"),
        ({"type": "shopify", "url": "shop", "token_env": "A_B"}, "must look like"),
        ({"type": "shopify", "url": "ftp://shop", "token_env": "A_B"}, "must look like"),
        ({"type": "shopify", "url": f"{URL}?key=1", "token_env": "A_B"}, "must look like"),
        ({"type": "shopify", "url": "http://shop.example", "token_env": "A_B"}, "https://"),
        ({"type": "shopify", "url": "https://a:b@shop.example", "token_env": "A_B"}, "password"),
        ({"type": "shopify", "url": URL, "token_env": "shpat_abc"}, "never stands in a pack"),
        ({"type": "bol", "client_env": "A_B", "secret_env": ""}, "'secret_env' is missing"),
    ],
)
def test_mistakes_in_the_table(table: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse(table, Path())


def test_plain_http_only_here_or_by_wish() -> None:
    keys = {"type": "woocommerce", "key_env": "A_B", "secret_env": "C_D"}
    for url in ("http://127.0.0.1:8000", "http://localhost", "http://[::1]:80"):
        assert parse({**keys, "url": url}, Path()).url == url
    assert parse({**keys, "url": "http://shop.example", "allow_http": True}, Path()).url


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"timeout_s": 0}, "above zero"),
        ({"timeout_s": True}, "above zero"),
        ({"refund_on_cancel": "yes"}, "true or false"),
    ],
)
def test_mistakes_of_a_type(extra: dict[str, Any], words: str) -> None:
    table = {"type": "shopify", "url": URL, "token_env": "SHOP_TOKEN", **extra}
    with pytest.raises(ConfigError, match=words):
        open_platform(parse(table, Path()), demo(), environ={"SHOP_TOKEN": "x"})


def test_a_missing_credential_names_its_variable() -> None:
    config = parse({"type": "shopify", "url": URL, "token_env": "SHOP_TOKEN"}, Path())
    with pytest.raises(ConfigError, match="SHOP_TOKEN is empty"):
        open_platform(config, demo(), environ={})


def test_shop_toml_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "shop.toml").write_text("[platform")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"statuses": {"lost": "nowhere"}}, "use one of"),
        ({"statuses": {"lost": 3}}, "must hold texts"),
        ({"statuses": []}, "must hold texts"),
    ],
)
def test_words_for_states(table: dict[str, Any], words: str) -> None:
    keys = {"type": "woocommerce", "url": URL, "key_env": "A_B", "secret_env": "C_D"}
    config = parse({**keys, **table}, Path())
    with pytest.raises(ConfigError, match=words):
        open_platform(config, demo(), environ={"A_B": "x", "C_D": "y"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "pack"
    shutil.copytree(pack.resolve("demo"), target, ignore=shutil.ignore_patterns("pictures"))
    return target


def errors(folder: Path, table: str) -> list[str]:
    path = folder / "shop.toml"
    path.write_text(f"{path.read_text()}\n{table}\n")
    return [str(problem) for problem in pack.check(folder) if problem.severity == "error"]


def test_check_names_file_and_line_of_a_wrong_table(folder: Path) -> None:
    (problem,) = errors(folder, '[platform]\ntype = "magento"')
    lines = (folder / "shop.toml").read_text().splitlines()
    assert f"shop.toml:{lines.index('[platform]') + 1}: " in problem
    assert "use one of builtin" in problem


def test_check_reads_the_mapping_too(folder: Path) -> None:
    table = '[platform]\ntype = "rest"\nurl = "https://a.example"\nmapping = "platform.toml"'
    (problem,) = errors(folder, table)
    assert "platform.toml" in problem
    (folder / "platform.toml").write_text(rest.MAPPING)
    assert errors(folder, "") == []


def test_check_is_content_with_a_right_table(folder: Path) -> None:
    table = '[platform]\ntype = "bol"\nclient_env = "A_B"\nsecret_env = "C_D"\ntimeout_s = 2.5'
    assert errors(folder, table) == []
