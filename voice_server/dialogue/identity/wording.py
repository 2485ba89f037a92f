"""What the caller hears of identity: one wording per outcome and language, never a detail."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources

import yaml

from voice_server.dialogue.identity.events import Outcome
from voice_server.dialogue.identity.levels import Level
from voice_server.dialogue.locales import AVAILABLE, UnknownLocale


@functools.cache
def _wordings(language: str) -> Mapping[str, str]:
    if language not in AVAILABLE:
        raise UnknownLocale(f"no identity wording for {language!r}")
    data = resources.files("voice_server.dialogue") / "data" / "identity" / f"{language}.yaml"
    raw: Mapping[str, str] = yaml.safe_load(data.read_text("utf-8"))
    return raw


def wording(outcome: Outcome, language: str, *, shop: str, digits: int, code_digits: int) -> str:
    """Return the sentence for an outcome. Raises UnknownLocale."""
    text = _wordings(language)[outcome.value]
    return text.format(shop=shop, digits=digits, code_digits=code_digits)


def ask_for(level: Level, language: str, *, shop: str, digits: int, code_digits: int) -> str:
    """Return the sentence that asks for what a level needs ("" for level 0)."""
    if level is Level.NONE:
        return ""
    key = "need_both" if level is Level.ORDER else "need_code"
    text = _wordings(language)[key]
    return text.format(shop=shop, digits=digits, code_digits=code_digits)


def mail_texts(language: str, *, shop: str, code: str, minutes: int) -> tuple[str, str]:
    """Return subject and body of the message that carries a code."""
    texts = _wordings(language)
    values = {"shop": shop, "code": code, "minutes": minutes}
    return texts["mail_subject"].format(**values), texts["mail_body"].format(**values)
