"""The phone lines of a shop, as its pack declares them: ``[[phone.lines]]`` in shop.toml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from voice_server.shop.pack_reader import Problems, Section
from voice_server.shop.phone_outbound import PhoneOutbound, read_outbound, read_recording

VENDORS = ("twilio", "telnyx", "plivo", "vonage", "genesys", "asterisk", "audiosocket", "sip")

HUMAN_KEY = "0"
"""Always reaches a human, so it can choose no language."""

_HEAD = "[phone.lines"
"""How a reader of tables sees ``[[phone.lines]]``."""

_NUMBER = re.compile(r"\+?[0-9][0-9 ().\-/]{2,24}")


@dataclass(frozen=True, slots=True)
class PhoneLine:
    """One number, or all numbers that have no line of their own."""

    languages: tuple[str, ...]
    """Spoken on the line; it is picked up in the first."""
    number: str = ""
    """As customers dial it; "" for every other number."""
    name: str = ""
    vendor: str = ""
    """Who may bring its calls; "" for any."""
    human: str = ""
    """A number, ``sip:`` address or queue for callers who want a human; "" for none."""
    queue: str = ""
    """Where callers are put back blindly from the console; "" for :attr:`human`."""
    listening: Literal["off", "announced", "silent"] = "announced"
    """May the staff listen to calls, and are callers told?"""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Key to language."""
    idle_s: int = 9
    longest_s: int = 1800
    tones: bool = False
    outbound: PhoneOutbound | None = None
    """How the line calls out; None: it does not."""
    recording: Literal["off", "ask", "announce"] = "off"
    """Are calls recorded: after a yes, or after saying so?"""
    recording_days: int = 30


def read_phone(
    root: Section, languages: tuple[str, ...], problems: Problems
) -> tuple[PhoneLine, ...]:
    """Return the lines of shop.toml; what is wrong is noted."""
    phone = root.section("phone", required=False)
    given = phone.data.get("lines", [])
    if not isinstance(given, list) or not all(isinstance(line, dict) for line in given):
        phone.error("lines", "'lines' must be tables", "write [[phone.lines]] above each line")
        return ()
    lines = tuple(
        _line(Section(phone.file, _block(root.source, index), data, problems, _HEAD), languages)
        for index, data in enumerate(given)
    )
    numbers = [re.sub(r"\D", "", line.number) for line in lines]
    for number in {number for number in numbers if numbers.count(number) > 1}:
        what = f"the number {number} is" if number else "two lines without a number are"
        phone.error("lines", f"{what} there twice", "give every line a number of its own")
    return lines


def _block(text: str, index: int) -> str:
    """Return the text with all but one ``[[phone.lines]]`` blanked: its line numbers stay."""
    lines = text.splitlines()
    heads = [n for n, line in enumerate(lines) if re.match(r"\s*\[\[\s*phone\.lines\s*\]\]", line)]
    if index >= len(heads):  # written as an inline table
        return text
    end = heads[index + 1] if index + 1 < len(heads) else len(lines)
    return "\n".join([""] * heads[index] + lines[heads[index] : end])


def _line(line: Section, spoken: tuple[str, ...]) -> PhoneLine:
    number, human, vendor = line.text("number", ""), line.text("human", ""), line.text("vendor", "")
    if number and not _NUMBER.fullmatch(number):
        line.error("number", f"'{number}' is no phone number", 'write number = "+32 2 555 01 23"')
    if vendor not in ("", *VENDORS):
        line.error("vendor", f"no such vendor: '{vendor}'", f"use one of {', '.join(VENDORS)}")
    languages = line.texts("languages") or spoken
    for language in languages:
        if language not in spoken:
            line.error(
                "languages",
                f"the shop does not speak '{language}'",
                f"use {', '.join(spoken)}",
            )
    return PhoneLine(
        languages=tuple(language for language in languages if language in spoken) or spoken,
        number=number,
        name=line.text("name", "") or number,
        vendor=vendor,
        human=human,
        queue=line.text("queue", ""),
        listening=_listening(line),
        keys=_keys(line, languages),
        idle_s=max(3, line.number("idle_s", 9)),
        longest_s=max(30, line.number("longest_s", 1800)),
        tones=line.data.get("tones", False) is True,
        outbound=read_outbound(line, number),
        recording=read_recording(line),
        recording_days=max(1, line.number("recording_days", 30)),
    )


def _listening(line: Section) -> Literal["off", "announced", "silent"]:
    text = line.text("listening", "announced")
    if text == "off":
        return "off"
    if text == "silent":
        return "silent"
    if text != "announced":
        remedy = "use off, announced or silent"
        line.error("listening", f"nobody can listen '{text}'", remedy)
    return "announced"


def _keys(line: Section, languages: tuple[str, ...]) -> dict[str, str]:
    """Return key to language; without any, several languages are 1, 2, 3 in their order."""
    table = line.section("keys", required=False)
    if not table.data:
        if len(languages) == 1:
            return {}
        return {str(index): language for index, language in enumerate(languages[:9], 1)}
    keys = {}
    for key, language in table.data.items():
        if len(key) != 1 or key not in "123456789":
            remedy = 'use "1" to "9"; 0 always reaches a human'
            line.error("keys", f"'{key}' cannot choose a language", remedy)
        elif language not in languages:
            remedy = f"use {', '.join(languages)}"
            line.error("keys", f"'{language}' is not spoken on this line", remedy)
        else:
            keys[key] = language
    return keys
