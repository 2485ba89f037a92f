"""What our voice says to have a spelled value confirmed.

Every text can be spelled back to us: reading it again gives the same value (property tests hold
this in the four languages).
"""

from __future__ import annotations

import re

from voice_server.dialogue.spelling.alphabet import load_alphabet, speller
from voice_server.dialogue.spelling.forms import read_email

_PARTS = re.compile(r"\d+|[^\W\d_]+|[^\w\s]|_")
_SAYABLE = 3
"""A shorter part of an address is spelled: "be", "jp", "an" are too easily misheard."""


def say_digits(digits: str, language: str, country: str = "BE") -> str:
    """Return digits one by one in small groups: "un zéro quatre, huit deux"."""
    return speller(language, country).digits(re.sub(r"\D", "", digits))


def say_letters(text: str, language: str, country: str = "BE") -> str:
    """Return text letter by letter with the national alphabet: "B comme Bruno, E comme ..."."""
    alphabet = load_alphabet(language)
    said: list[str] = []
    for char in text:
        word = alphabet.word_for(char, country)
        if char.isdigit():
            said.append(say_digits(char, language, country))
        elif word:
            said.append(alphabet.say_as_in.format(letter=char.upper(), word=word))
        elif char in alphabet.say_signs:
            said.append(alphabet.say_signs[char])
        elif char.strip():
            said.append(char.upper() if len(char.upper()) == 1 else char)
    return ", ".join(said)


def say_order_number(number: str, language: str, country: str = "BE") -> str:
    """Return an order number: its letters by name, its digits one by one."""
    return _code(number, language, country)


def say_postcode(postcode: str, language: str, country: str = "BE") -> str:
    """Return a postcode: digits one by one, letters with the alphabet."""
    digits = re.sub(r"\D", "", postcode)
    letters = re.sub(r"[^A-Za-z]", "", postcode)
    say = speller(language, country)
    said = say.digits(digits, grouped=False)
    return f"{said}, {say_letters(letters, language, country)}" if letters else said


def _code(number: str, language: str, country: str) -> str:
    alphabet = load_alphabet(language)
    said: list[str] = []
    for part in _PARTS.findall(number):
        if part.isdigit():
            said.append(say_digits(part, language, country))
        elif part.isalpha():
            said.append(" ".join(part.upper()))
        elif part in alphabet.say_signs:
            said.append(alphabet.say_signs[part])
    return " ".join(said)


def say_email(address: str, language: str, country: str = "BE") -> str:
    """Return an address in words, spelled out where its parts could be misheard."""
    local, _, domain = address.partition("@")
    at = load_alphabet(language).say_signs["@"]
    tail = _words(domain, language, country)
    for head in (_words(local, language, country), say_letters(local, language, country)):
        said = f"{head} {at} {tail}"
        if read_email(said, language).best == address:
            return said
    spelled = say_letters(domain, language, country)
    return f"{say_letters(local, language, country)} {at} {spelled}"


def _words(text: str, language: str, country: str) -> str:
    alphabet = load_alphabet(language)
    said: list[str] = []
    parts = _PARTS.findall(text)
    for at, part in enumerate(parts):
        ends = at == len(parts) - 1
        if part in alphabet.say_signs:
            said.append(alphabet.say_signs[part])
        elif part.isdigit():
            said.append(speller(language, country).digits(part, grouped=False))
        elif len(part) >= _SAYABLE or ends:
            said.append(part)
        else:
            said.append(say_letters(part, language, country))
    return " ".join(said)
