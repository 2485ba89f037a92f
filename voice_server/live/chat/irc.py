"""Lines of IRC with message tags (IRCv3), parsed and never trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_LINE = 8_704
"""Characters of a line we look at: 8191 of tags (IRCv3) and 512 of message, rounded up."""

_ESCAPES = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}


@dataclass(frozen=True, slots=True)
class IrcLine:
    """One line: ``@tags :prefix COMMAND params :trailing``."""

    command: str
    params: tuple[str, ...] = ()
    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def nick(self) -> str:
        """The sender's nick, "" if the server itself speaks."""
        return self.prefix.partition("!")[0] if "!" in self.prefix else ""

    @property
    def text(self) -> str:
        """The last parameter, "" if there is none."""
        return self.params[-1] if self.params else ""


def unescape(value: str) -> str:
    r"""Undo the escaping of a tag's value; a lone backslash at the end is dropped.

    >>> unescape(r"a\sb\:c")
    'a b;c'
    """
    if "\\" not in value:
        return value
    found: list[str] = []
    characters = iter(value)
    for character in characters:
        if character == "\\":
            escaped = next(characters, "")
            found.append(_ESCAPES.get(escaped, escaped))
        else:
            found.append(character)
    return "".join(found)


def parse(line: str) -> IrcLine | None:
    """Parse one line without its end; None for what is no IRC."""
    rest = line[:MAX_LINE].strip("\r\n ")
    tags: dict[str, str] = {}
    prefix = ""
    if rest.startswith("@"):
        head, _, rest = rest[1:].partition(" ")
        for tag in head.split(";"):
            key, _, value = tag.partition("=")
            if key:
                tags[key] = unescape(value)
        rest = rest.lstrip(" ")
    if rest.startswith(":"):
        prefix, _, rest = rest[1:].partition(" ")
        rest = rest.lstrip(" ")
    middle, colon, trailing = rest.partition(" :")
    words = middle.split()
    if not words or not words[0].isalnum() or not words[0].isascii():
        return None
    params = [*words[1:], trailing] if colon else words[1:]
    return IrcLine(words[0].upper(), tuple(params), prefix, tags)
