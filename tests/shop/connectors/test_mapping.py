"""The mapping file: mistakes are found at the start, with the table and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.shops import mcp, rest
from tests.shop.connectors.platforms import demo
from voice_server.shop.connectors import open_platform
from voice_server.shop.connectors.mapping import fill, load
from voice_server.shop.platform import Capability
from voice_server.shop.platform_config import ConfigError, parse


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "platform.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_mapping(tmp_path: Path) -> None:
    found = load(written(tmp_path, rest.MAPPING), "EUR", mcp=False)
    assert Capability.RETURN_ITEMS in found.capabilities
    assert Capability.EXCHANGE_ITEM not in found.capabilities
    assert found.writes[Capability.NOTE].repeatable
    assert not found.writes[Capability.CANCEL_ORDER].repeatable


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('path = "/v2/orders/{number}"', 'path = "v2/orders"', "must begin with '/'"),
        ('path = "/v2/orders/{number}"', 'path = "/v2/{order}"', "use one of number"),
        ('path = "/v2/orders/{number}"\n', "", "'path' is missing"),
        ('number = "/ref"\n', "", "'number' is missing"),
        ('number = "/ref"', 'number = "ref"', "must be a JSON pointer"),
        ('number = "/ref"', 'nummer = "/ref"', "nummer: use one of"),
        ('done = "delivered"', 'done = "arrived"', "use one of pending_payment"),
        ("[writes.cancel_order]", "[writes.explode]", "use one of cancel_order"),
        ('why = "{reason}" }', 'why = "{password}" }', "use one of"),
        ('method = "PUT"', 'method = "BREW"', "is unknown"),
        ('{ mail = "{email}", tel = "{phone}" }', "{ mail = 3 }", "must hold texts"),
        ("[order.items]", "[order.rows]", "is missing"),
        ("[auth]", "[auth", "cannot be read"),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in rest.MAPPING
    path = written(tmp_path, rest.MAPPING.replace(old, new, 1))
    with pytest.raises(ConfigError, match=words):
        load(path, "EUR", mcp=False)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('tool = "cancel"', "", "'tool' is missing"),
        ('read = ["opening_hours"]', 'read = "opening_hours"', "must be a list"),
    ],
)
def test_mistakes_for_mcp(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in mcp.MAPPING
    path = written(tmp_path, mcp.MAPPING.replace(old, new, 1))
    with pytest.raises(ConfigError, match=words):
        load(path, "EUR", mcp=True)


def test_values_go_into_templates_as_values() -> None:
    template = {"a": ["{text}", 3], "n": "{quantity}", "s": "{quantity} x", "u": None}
    values = {"text": '"}, {"admin": true', "quantity": "2"}
    assert fill(template, values) == {
        "a": ['"}, {"admin": true', 3],
        "n": 2,
        "s": "2 x",
        "u": None,
    }
    assert fill("{text}", {"text": "{number}", "number": "7"}) == "{number}"
    assert fill("{absent}", {}) == ""


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        ('kind = "magic"', "use one of none, bearer"),
        ('kind = "basic"', "must name an environment variable"),
    ],
)
def test_credentials_of_a_mapping(tmp_path: Path, auth: str, words: str) -> None:
    written(tmp_path, rest.MAPPING.replace('kind = "bearer"', auth))
    table = {"type": "rest", "url": "https://shop.example", "mapping": "platform.toml"}
    with pytest.raises(ConfigError, match=words):
        open_platform(parse(table, tmp_path), demo(), environ={})


def test_a_mapping_stays_in_its_pack(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    written(tmp_path, rest.MAPPING)
    table = {"type": "rest", "url": "https://shop.example", "mapping": "../platform.toml"}
    with pytest.raises(ConfigError, match="a file of the pack"):
        open_platform(parse(table, pack), demo(), environ={})
