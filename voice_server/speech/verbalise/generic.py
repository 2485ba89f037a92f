"""Any other language: numbers by num2words, months and currencies by the CLDR in babel."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError
from babel.numbers import get_currency_name
from num2words import CONVERTER_CLASSES

from voice_server.speech.verbalise.common import Currency, Speller

_WORDS = {
    "es": {"comma": "coma", "point": "punto", "minus": "menos", "plus": "más",
           "percent": "por ciento", "to": "a", "by": "por", "times": "veces", "per": "por",
           "out_of": "de", "and_word": "y", "or_word": "o", "at_time": "a las",
           "number_word": "número", "at_sign": "arroba", "dot": "punto", "slash": "barra",
           "hyphen": "guion", "degrees": "grados"},
    "it": {"comma": "virgola", "point": "punto", "minus": "meno", "plus": "più",
           "percent": "per cento", "to": "a", "by": "per", "times": "volte", "per": "al",
           "out_of": "su", "and_word": "e", "or_word": "o", "at_time": "alle",
           "number_word": "numero", "at_sign": "chiocciola", "dot": "punto", "slash": "barra",
           "hyphen": "trattino", "degrees": "gradi"},
    "pt": {"comma": "vírgula", "point": "ponto", "minus": "menos", "plus": "mais",
           "percent": "por cento", "to": "a", "by": "por", "times": "vezes", "per": "por",
           "out_of": "de", "and_word": "e", "or_word": "ou", "at_time": "às",
           "number_word": "número", "at_sign": "arroba", "dot": "ponto", "slash": "barra",
           "hyphen": "hífen", "degrees": "graus"},
}  # fmt: skip


class Generic(Speller):
    """A language without a file of its own: numbers, prices and dates, no grammar."""

    # Signs instead of words: a synthesiser knows better how its language says them.
    comma, point, minus, plus, percent, per_mille = ",", ".", "-", "+", "%", "‰"
    to, by, times, per, out_of, degrees = ",", "x", "x", "/", ",", "°"
    and_word, or_word, equals, at_time, number_word = "&", "/", "=", ",", ""
    about, less_than, more_than, at_most, at_least = "", "<", ">", "≤", "≥"
    at_sign, dot, slash, hyphen, underscore = "@", ".", "/", "-", "_"

    def __init__(self, code: str) -> None:
        """Learn what babel knows about the language."""
        self.code = code
        locale = Locale.parse(code)
        symbols = locale.number_symbols.get("latn", {})
        self.decimal_mark = str(symbols.get("decimal", "."))
        self.group_marks = str(symbols.get("group", ","))
        self.months = [str(locale.months["format"]["wide"][month]) for month in range(1, 13)]
        self.month_abbreviations = {}
        self.currencies = {
            iso: Currency(
                get_currency_name(iso, 1, locale), get_currency_name(iso, 2, locale), "cent", "cent"
            )
            for iso in ("EUR", "USD", "GBP", "CHF")
        }
        for name, word in _WORDS.get(code, {}).items():
            setattr(self, name, word)

    def and_a_half(self, number: int) -> str:
        """Only asked for where the words for sizes are known."""
        return f"{self.cardinal(number)} ½"

    def time(self, hours: int, minutes: int, half: str = "") -> str:
        """Hours, then minutes."""
        hours = hours % 12 + (12 if half == "pm" else 0) if half else hours
        said = self.cardinal(hours)
        return f"{said} {self.cardinal(minutes)}" if minutes else said


def speller(code: str) -> Speller | None:
    """Return a speller for ISO 639-1 ``code``, or None when its numbers are unknown."""
    if code not in CONVERTER_CLASSES:
        return None
    try:
        return Generic(code)
    except (UnknownLocaleError, ValueError, KeyError):
        return None
