"""What the caller hears of identity: one wording per outcome and language, never a detail."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources

import yaml

from voice_server.dialogue.address import familiar
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


def wording(
    outcome: Outcome,
    language: str,
    *,
    shop: str,
    digits: int,
    code_digits: int,
    informal: bool = False,
) -> str:
    """Return the sentence for an outcome. Raises UnknownLocale."""
    text = _text(outcome.value, language, informal=informal)
    return text.format(shop=shop, digits=digits, code_digits=code_digits)


def ask_for(
    level: Level,
    language: str,
    *,
    shop: str,
    digits: int,
    code_digits: int,
    informal: bool = False,
) -> str:
    """Return the sentence that asks for what a level needs ("" for level 0)."""
    if level is Level.NONE:
        return ""
    key = "need_both" if level is Level.ORDER else "need_code"
    text = _text(key, language, informal=informal)
    return text.format(shop=shop, digits=digits, code_digits=code_digits)


def _text(key: str, language: str, *, informal: bool) -> str:
    text = _wordings(language)[key]
    return familiar(text, language) if informal else text


def mail_texts(
    language: str, *, shop: str, code: str, minutes: int, informal: bool = False
) -> tuple[str, str]:
    """Return subject and body of the message that carries a code."""
    values = {"shop": shop, "code": code, "minutes": minutes}
    subject, body = (
        _text(key, language, informal=informal).format(**values)
        for key in ("mail_subject", "mail_body")
    )
    return subject, body
