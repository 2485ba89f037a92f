"""From what a language model or a shop writes to plain text: no markup, no emoji, one line."""

from __future__ import annotations

import re
import unicodedata

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        (r"^[ \t]*(?:```|~~~).*$", ""),  # code fences; what stands inside stays
        (r"!?\[([^\]\n]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)", r"\1"),  # links and pictures
        (r"<((?:https?://|mailto:)?[^\s<>@]+(?:@|\.)[^\s<>]+)>", r"\1"),
        (r"</?[A-Za-z][^<>]*>", " "),
        (r"^[ \t]*[-*_|:= ]{3,}[ \t]*$", ""),  # rules, underlines of headings and tables
        (r"^[ \t]*#{1,6}[ \t]+", ""),
        (r"^[ \t]*>[ \t]?", ""),
        (r"^[ \t]*[-*+•‣▪◦][ \t]+", ""),
        (r"[ \t]*\|[ \t]*$", ""),
        (r"^[ \t]*\|[ \t]*", ""),
        (r"[ \t]+\|[ \t]+", ", "),
        (r"\*\*|__|~~|`", ""),
        (r"(?<![\w*])\*(?=[^\s*])|(?<=[^\s*])\*(?![\w*])", ""),
        (r"(?<!\w)_(?=\w)|(?<=\w)_(?!\w)", ""),
        (r"&nbsp;", " "),
        (r"&amp;", "&"),
        (r"&euro;", "€"),
    )
)
_KEPT_SYMBOLS = frozenset("°№℃℉€$£¥")
_WRITTEN_AS = str.maketrans(
    {
        "℃": "°C", "℉": "°F", "№": "n°", "㎡": "m²", "﹪": "%", "％": "%", "＋": "+", "−": "-",
        "‐": "-", "‑": "-", "‒": "–", "⁄": "/", "º": "°", "’": "'", "\u00ad": None,
        "\u200b": None, "\u2060": None, "\ufeff": None, "→": ",", "⇒": ",", "➔": ",",
    }
)  # fmt: skip
_DROPPED_CATEGORIES = frozenset({"So", "Cs", "Co", "Cn"})
_NO_BREAK = "\u00a0\u202f\u2009\u2007"
GROUP = "\u202f"
"""A no-break space that stood between digits: it groups thousands in every language."""


def clean(text: str) -> str:
    """Return ``text`` as one line of words, numbers and punctuation."""
    text = unicodedata.normalize("NFC", text).translate(_WRITTEN_AS)
    text = re.sub(rf"(?<=\d)[{_NO_BREAK}](?=\d{{3}}(?!\d))", "\0", text)
    text = "".join(_character(character) for character in text).replace("\0", GROUP)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = re.sub(r"[ \t]*(?:\r?\n[ \t]*)+", "\n", text.strip())
    text = re.sub(r"(?<=[.!?…:;,。！？])\n", " ", text).replace("\n", ". ")
    return squeeze(text)


def squeeze(text: str) -> str:
    """Put single spaces, and none before a comma or a full stop."""
    text = re.sub(r"[ \t\u00a0\u2009\u2007]+", " ", text)
    text = re.sub(r" +(?=[,.](?:\s|$))", "", text)
    return re.sub(r",(?:\s*,)+", ",", text).strip()


def _character(character: str) -> str:
    if character < "\u0080":
        return "" if character < " " and character not in "\0\n\t" else character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character in _KEPT_SYMBOLS:
        return character
    kind = unicodedata.category(character)
    if kind in _DROPPED_CATEGORIES or character in "\ufe0e\ufe0f\u200d\u20e3":
        return " " if kind == "So" else ""
    if "\U0001f3fb" <= character <= "\U0001f3ff":  # skin tones
        return ""
    return " " if character in _NO_BREAK else character
