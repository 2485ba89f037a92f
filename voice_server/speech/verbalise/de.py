"""German."""

from __future__ import annotations

import re
from collections.abc import Mapping

from voice_server.speech.verbalise.common import Currency, Speller, alphabet, words

_DATIVE = frozenset(words("und oder von am im beim vom zum ab dem den bis seit zur der"))
"""Words after which an ordinal ends in -en; bare ``der`` takes -e and is asked for apart."""
_NOMINATIVE = frozenset({"der", "die", "das", "eine"})
_FEMININE = re.compile(r"(?:ung|heit|keit|schaft|tion|tät|ur|e|ei)$")
_NOT_FEMININE = re.compile(r"^(?:Euro|Ende|Name|Käse|Auge|Gebäude|Gerät)e?$|(?:gebäude)$")


_ENDINGS = {
    "Stock": "r", "Tag": "r", "Platz": "r", "Jahr": "s", "Mal": "s", "Obergeschoss": "s",
}  # fmt: skip
"""What an ordinal without an article ends in before a noun that is not feminine."""


class German(Speller):
    """German."""

    code = "de"
    comma, point, minus, plus = "Komma", "Punkt", "minus", "plus"
    percent, per_mille = "Prozent", "Promille"
    to, by, times, per, out_of, degrees = "bis", "mal", "mal", "pro", "von", "Grad"
    and_word, or_word, equals, at_time, number_word = "und", "oder", "gleich", "um", "Nummer"
    about, less_than, more_than = "ungefähr", "unter", "über"
    at_most, at_least = "höchstens", "mindestens"
    at_sign, dot, slash, hyphen, underscore = (
        "ät",
        "Punkt",
        "Schrägstrich",
        "Bindestrich",
        "Unterstrich",
    )

    letter_names: Mapping[str, str] = alphabet(
        "A Be Zeh De E Eff Ge Ha I Jott Ka Ell Emm Enn O Pe Ku Err Ess Te U Fau We Ix Ypsilon Zett"
    )
    months = (
        "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
        "Oktober", "November", "Dezember",
    )  # fmt: skip
    month_abbreviations: Mapping[str, int] = {
        "jan": 1, "jän": 1, "feb": 2, "mär": 3, "mrz": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8,
        "sep": 9, "sept": 9, "okt": 10, "nov": 11, "dez": 12,
    }  # fmt: skip
    weekdays: Mapping[str, str] = {
        "mo": "Montag", "di": "Dienstag", "mi": "Mittwoch", "do": "Donnerstag", "fr": "Freitag",
        "sa": "Samstag", "so": "Sonntag",
    }  # fmt: skip
    units: Mapping[str, tuple[str, str]] = {
        symbol: (name, name)
        for symbol, name in {
            "mm": "Millimeter", "cm": "Zentimeter", "dm": "Dezimeter", "m": "Meter",
            "km": "Kilometer", "km/h": "Kilometer pro Stunde", "m²": "Quadratmeter",
            "m2": "Quadratmeter", "qm": "Quadratmeter", "cm²": "Quadratzentimeter",
            "m³": "Kubikmeter", "m3": "Kubikmeter", "mg": "Milligramm", "g": "Gramm",
            "kg": "Kilo", "g/m²": "Gramm pro Quadratmeter", "ml": "Milliliter",
            "cl": "Zentiliter", "dl": "Deziliter", "l": "Liter", "L": "Liter", "W": "Watt",
            "kW": "Kilowatt", "V": "Volt", "A": "Ampere", "Hz": "Hertz", "kHz": "Kilohertz",
            "MHz": "Megahertz", "GHz": "Gigahertz", "dB": "Dezibel", "lm": "Lumen", "K": "Kelvin",
            "kB": "Kilobyte", "MB": "Megabyte", "GB": "Gigabyte", "TB": "Terabyte",
            "Mbps": "Megabit pro Sekunde", "Mbit/s": "Megabit pro Sekunde", "MP": "Megapixel",
            "px": "Pixel", "°C": "Grad Celsius", "°F": "Grad Fahrenheit", "°": "Grad",
            "kJ": "Kilojoule", "bar": "Bar", "inch": "Zoll", "St": "Stück", "Stk": "Stück",
            "ct": "Cent",
        }.items()
    } | {
        "t": ("Tonne", "Tonnen"), "kWh": ("Kilowattstunde", "Kilowattstunden"),
        "mAh": ("Milliamperestunde", "Milliamperestunden"),
        "Ah": ("Amperestunde", "Amperestunden"), "ms": ("Millisekunde", "Millisekunden"),
        "s": ("Sekunde", "Sekunden"), "sec": ("Sekunde", "Sekunden"),
        "Sek": ("Sekunde", "Sekunden"), "min": ("Minute", "Minuten"), "Min": ("Minute", "Minuten"),
        "h": ("Stunde", "Stunden"), "Std": ("Stunde", "Stunden"),
        "kcal": ("Kilokalorie", "Kilokalorien"),
    }  # fmt: skip
    currencies: Mapping[str, Currency] = {
        "EUR": Currency("Euro", "Euro", "Cent", "Cent"),
        "USD": Currency("Dollar", "Dollar", "Cent", "Cent"),
        "GBP": Currency("Pfund", "Pfund", "Penny", "Pence"),
        "CHF": Currency("Franken", "Franken", "Rappen", "Rappen"),
    }
    currency_words: Mapping[str, str] = {"euro": "EUR", "euros": "EUR", "dollar": "USD"}
    abbreviations: Mapping[str, str] = {
        "z. B.": "zum Beispiel", "z.B.": "zum Beispiel", "d. h.": "das heißt", "d.h.": "das heißt",
        "u. a.": "unter anderem", "u.a.": "unter anderem", "usw.": "und so weiter",
        "bzw.": "beziehungsweise", "ca.": "circa", "inkl.": "inklusive", "exkl.": "exklusive",
        "zzgl.": "zuzüglich", "ggf.": "gegebenenfalls", "evtl.": "eventuell", "etc.": "et cetera",
        "Nr.": "Nummer", "Tel.": "Telefon", "max.": "maximal", "min.": "mindestens",
        "Art.": "Artikel", "Str.": "Straße", "Hr.": "Herr", "Fr.": "Frau", "Dr.": "Doktor",
        "Bestellnr.": "Bestellnummer", "vgl.": "vergleiche", "i. d. R.": "in der Regel",
        "i.d.R.": "in der Regel", "o. ä.": "oder ähnlich", "o.ä.": "oder ähnlich",
        "St.": "Sankt", "MwSt.": "Mehrwertsteuer", "MwSt": "Mehrwertsteuer",
        "versch.": "verschiedene", "gem.": "gemäß", "mind.": "mindestens",
        "bspw.": "beispielsweise", "GmbH": "Ge Emm Be Ha", "Mio.": "Millionen",
    }  # fmt: skip
    final_abbreviations = frozenset({"usw.", "etc.", "MwSt.", "u.a.", "o.ä."})
    initialisms = frozenset(
        words(
            "EU USB USA UK GSM PDF SMS GPS LCD OLED HD CD DVD TV PC QR ID HDMI UV KI AGB DHL GLS "
            "DPD UPS DSGVO BE NL FR DE"
        )
    )
    fractions: Mapping[str, str] = {
        "½": "ein halber", "¼": "ein Viertel", "¾": "drei Viertel", "⅓": "ein Drittel",
        "⅔": "zwei Drittel", "1/2": "ein halber", "1/4": "ein Viertel", "3/4": "drei Viertel",
        "1/3": "ein Drittel", "2/3": "zwei Drittel",
    }  # fmt: skip
    size_words = r"Größen?|Schuhgröße|Konfektionsgröße"
    order_words = (
        r"Bestellungen|Bestellung|Bestellnummer|Auftrag|Auftragsnummer|Referenz|Ref\.?|Paket|"
        r"Sendung|Sendungsnummer|Ticket|Code|Artikelnummer|Artikel|Rechnung|Rechnungsnummer|"
        r"Kundennummer|Seriennummer|SKU|EAN|Rücksendung|Gutscheincode"
    )
    ordinal_pattern = (
        r"(?:(?P<before>[Aa]m|[Ii]m|[Dd]er|[Dd]ie|[Dd]as|[Dd]en|[Dd]em|vom|zum|zur|bis|ab|seit)\s+|"
        r"(?=\d+\.\s(?:Etage|Stock|Tag|Jahr|Woche|Mal|Klasse|Platz|Auflage|Obergeschoss|Stufe)\b))"
        r"(?P<number>\d{1,3})\.(?=\s+(?P<following>[A-ZÄÖÜ]\w*))"
    )
    date_prepositions = r"am|bis|ab|vom|zum|seit"
    time_suffix = r"\s?Uhr\b"
    phrases = (
        (r"\b1 Mio\.", "eine Million"),
        (r"24\s?/\s?7", "rund um die Uhr"),
        (r"7\s?/\s?7", "sieben Tage die Woche"),
    )

    def cardinal(self, number: int) -> str:
        """Say hundert and tausend, not einhundert and eintausend."""
        return re.sub(r"^ein(?=hundert|tausend)", "", super().cardinal(number))

    def count(self, number: int, following: str) -> str:
        """Ein Jahr, eine Woche; hunderteins stays."""
        if number != 1 or not following[:1].isupper():
            return self.cardinal(number)
        feminine = _FEMININE.search(following) and not _NOT_FEMININE.search(following)
        return "eine" if feminine else "ein"

    def fraction_digits(self, digits: str) -> str:
        """Digit by digit: zwölf Komma sieben fünf."""
        return self.digits(digits, grouped=False)

    def year(self, number: int) -> str:
        """Neunzehnhundertachtundneunzig; zweitausendsechsundzwanzig."""
        if 1100 <= number <= 1999:
            rest = self.cardinal(number % 100) if number % 100 else ""
            return f"{self.cardinal(number // 100)}hundert{rest}"
        return self.cardinal(number)

    def ordinal(self, number: int, following: str = "", preceding: str = "") -> str:
        """Fünfzehnte, or fünfzehnten where the word before asks for it."""
        stem = super().ordinal(number)
        before = preceding.lower()
        if before in _DATIVE and before not in _NOMINATIVE:
            return f"{stem}n"
        return stem if before else stem + _ENDINGS.get(following, "")

    def day(self, day: int, preceding: str = "") -> str:
        """Der fünfzehnte, am fünfzehnten, and standing alone: fünfzehnter."""
        before = preceding.lower()
        stem = super().ordinal(day)
        if before in _NOMINATIVE:
            return stem
        return f"{stem}n" if before in _DATIVE else f"{stem}r"

    def and_a_half(self, number: int) -> str:
        """Zweiundvierzigeinhalb; eineinhalb."""
        if number == 1:
            return "eineinhalb"
        return f"{self.cardinal(number)}einhalb"

    def time(self, hours: int, minutes: int, half: str = "") -> str:
        """Neun Uhr dreißig."""
        hours = hours % 12 + (12 if half == "pm" else 0) if half else hours
        said = f"{'ein' if hours == 1 else self.cardinal(hours)} Uhr"
        return f"{said} {self.cardinal(minutes)}" if minutes else said


def speller(market: str) -> Speller:
    """Return the German of a country (ISO 3166): the same everywhere so far."""
    return German()
