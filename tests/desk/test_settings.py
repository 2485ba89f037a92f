"""What a shop pack says of its desk, and how mistakes are named."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from voice_server.desk.packet import Priority
from voice_server.desk.rules import DeskRules
from voice_server.desk.settings import DeskSettings, load_desk, read_desk
from voice_server.shop.pack import resolve
from voice_server.shop.pack_reader import PackError

SHOP = '[shop]\nlanguages = ["nl", "fr"]\n'


def write(folder: Path, text: str) -> Path:
    (folder / "shop.toml").write_text(SHOP + text, encoding="utf-8")
    return folder


def test_a_pack_without_desk_has_the_console(tmp_path: Path) -> None:
    assert load_desk(write(tmp_path, "")) == DeskSettings(language="nl")
    assert load_desk(write(tmp_path, "")).rules == DeskRules()


def test_the_demo_pack() -> None:
    settings = load_desk(resolve("demo"))
    assert settings.kind == "console"
    assert settings.language == "fr"


def test_everything_can_be_said(tmp_path: Path) -> None:
    settings = load_desk(
        write(
            tmp_path,
            """
[desk]
kind = "zendesk"
language = "de"
callbacks = 3
[desk.rules]
high_value = 99.5
failures = 0
intents = []
[desk.priorities]
refused = "urgent"
[desk.glossary."Rücksendung"]
nl = "retour"
[desk.zendesk]
subdomain = "marolle"
group_id = 12
""",
        )
    )
    assert settings.kind == "zendesk"
    assert settings.language == "de"
    assert settings.callbacks == 3
    assert settings.rules.high_value == Decimal("99.5")
    assert settings.rules.failures == 0
    assert settings.rules.intents == ()
    assert settings.rules.priorities["refused"] is Priority.URGENT
    assert settings.rules.priorities["danger"] is Priority.URGENT
    assert settings.glossary == {"Rücksendung": {"nl": "retour"}}
    assert settings.vendor == {"subdomain": "marolle", "group_id": "12"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[desk]\nkind = "freshdesk"', 4, "there is no desk 'freshdesk'"),
        ('[desk]\nlanguage = "es"', 4, "no texts in 'es'"),
        ('[desk.priorities]\nanger = "high"', 4, "there is no rule 'anger'"),
        ('[desk.priorities]\nfailed = "soon"', 4, "'soon' is no priority"),
        ('[desk]\nkind = "dixa"\n[desk.dixa]\napi_token = "x"', 6, "does not belong in a pack"),
        ('[desk]\nkind = "dixa"\n[desk.dixa]\nqueue = true', 6, "must be a text"),
        ('[desk.rules]\nfailures = "two"', 4, "must be a whole number"),
    ],
)
def test_mistakes_are_named_with_their_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    _, problems = read_desk(write(tmp_path, text))
    assert [(problem.line, words in problem.message) for problem in problems] == [(line, True)]
    with pytest.raises(PackError, match="error"):
        load_desk(tmp_path)
