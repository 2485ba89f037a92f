"""Dutch, of Belgium and the Netherlands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from voice_server.speech.verbalise.common import Currency, Speller, alphabet, words


class Dutch(Speller):
    """Dutch."""

    code = "nl"
    comma, point, minus, plus = "komma", "punt", "min", "plus"
    percent, per_mille = "procent", "promille"
    to, by, times, per, out_of, degrees = "tot", "bij", "keer", "per", "op", "graden"
    and_word, or_word, equals, at_time, number_word = "en", "of", "is gelijk aan", "om", "nummer"
    about, less_than, more_than = "ongeveer", "minder dan", "meer dan"
    at_most, at_least = "hoogstens", "minstens"
    at_sign, dot, slash, hyphen, underscore = (
        "apenstaartje",
        "punt",
        "schuine streep",
        "streepje",
        "laag streepje",
    )

    letter_names: Mapping[str, str] = alphabet(
        "aa bee cee dee ee ef gee haa ie jee kaa el em en oo pee kuu èr es tee "
        "uu vee wee iks ij zet"
    )
    months = (
        "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september",
        "oktober", "november", "december",
    )  # fmt: skip
    month_abbreviations: Mapping[str, int] = {
        "jan": 1, "feb": 2, "febr": 2, "mrt": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9,
        "sept": 9, "okt": 10, "nov": 11, "dec": 12,
    }  # fmt: skip
    weekdays: Mapping[str, str] = {
        "ma": "maandag", "di": "dinsdag", "wo": "woensdag", "do": "donderdag", "vr": "vrijdag",
        "za": "zaterdag", "zo": "zondag",
    }  # fmt: skip
    units: Mapping[str, tuple[str, str]] = {
        symbol: (name, name)
        for symbol, name in {
            "mm": "millimeter", "cm": "centimeter", "dm": "decimeter", "m": "meter",
            "km": "kilometer", "km/h": "kilometer per uur", "km/u": "kilometer per uur",
            "m²": "vierkante meter", "m2": "vierkante meter", "cm²": "vierkante centimeter",
            "m³": "kubieke meter", "m3": "kubieke meter", "mg": "milligram", "g": "gram",
            "gr": "gram", "kg": "kilo", "t": "ton", "g/m²": "gram per vierkante meter",
            "ml": "milliliter", "cl": "centiliter", "dl": "deciliter", "l": "liter", "L": "liter",
            "W": "watt", "kW": "kilowatt", "kWh": "kilowattuur", "V": "volt", "A": "ampère",
            "mAh": "milliampère-uur", "Ah": "ampère-uur", "Hz": "hertz", "kHz": "kilohertz",
            "MHz": "megahertz", "GHz": "gigahertz", "dB": "decibel", "lm": "lumen", "K": "kelvin",
            "kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte",
            "Mbps": "megabit per seconde", "Mbit/s": "megabit per seconde", "MP": "megapixel",
            "°C": "graden Celsius", "°F": "graden Fahrenheit", "°": "graden", "sec": "seconden",
            "u": "uur", "h": "uur", "kcal": "kilocalorie", "kJ": "kilojoule", "bar": "bar",
            "inch": "inch", "ct": "cent",
        }.items()
    } | {
        "dgn": ("dag", "dagen"),
        "°C": ("graad Celsius", "graden Celsius"), "°F": ("graad Fahrenheit", "graden Fahrenheit"),
        "°": ("graad", "graden"), "ms": ("milliseconde", "milliseconden"),
        "s": ("seconde", "seconden"), "sec": ("seconde", "seconden"),
        "min": ("minuut", "minuten"), "px": ("pixel", "pixels"), "st": ("stuk", "stuks"),
        "kcal": ("kilocalorie", "kilocalorieën"),
    }  # fmt: skip
    currencies: Mapping[str, Currency] = {
        "EUR": Currency("euro", "euro", "cent", "cent"),
        "USD": Currency("dollar", "dollar", "cent", "cent"),
        "GBP": Currency("pond", "pond", "penny", "pence"),
        "CHF": Currency("Zwitserse frank", "Zwitserse frank", "rappen", "rappen"),
    }
    currency_words: Mapping[str, str] = {"euro": "EUR", "euro's": "EUR", "dollar": "USD"}
    abbreviations: Mapping[str, str] = {
        "bijv.": "bijvoorbeeld", "bv.": "bijvoorbeeld", "bvb.": "bijvoorbeeld",
        "o.a.": "onder andere", "incl.": "inclusief", "excl.": "exclusief",
        "m.b.t.": "met betrekking tot", "i.p.v.": "in plaats van", "i.v.m.": "in verband met",
        "t.o.v.": "ten opzichte van", "t.e.m.": "tot en met", "t.e.m": "tot en met",
        "t/m": "tot en met", "enz.": "enzovoort", "etc.": "et cetera", "ca.": "ongeveer",
        "nr.": "nummer", "tel.": "telefoon", "max.": "maximaal", "min.": "minimaal",
        "art.": "artikel", "dhr.": "de heer", "mevr.": "mevrouw", "mw.": "mevrouw",
        "dr.": "dokter", "d.w.z.": "dat wil zeggen", "a.u.b.": "alstublieft",
        "aub": "alstublieft", "s.v.p.": "alstublieft", "m.a.w.": "met andere woorden",
        "n.v.t.": "niet van toepassing", "z.s.m.": "zo snel mogelijk", "evt.": "eventueel",
        "resp.": "respectievelijk", "ong.": "ongeveer", "mln.": "miljoen",
        "p.st.": "per stuk", "p/st": "per stuk",
        "str.": "straat", "St.": "sint", "z.g.a.n.": "zo goed als nieuw",
    }  # fmt: skip
    final_abbreviations = frozenset({"enz.", "etc.", "a.u.b.", "s.v.p.", "n.v.t."})
    initialisms = frozenset(
        words(
            "BTW EU USB USA UK VS GSM PDF SMS GPS LCD OLED HD CD DVD TV PC QR ID HDMI UV FAQ AI "
            "DHL GLS DPD UPS AVG BE NL FR DE KMO"
        )
    )
    fractions: Mapping[str, str] = {
        "½": "een half", "¼": "een kwart", "¾": "driekwart", "⅓": "een derde", "⅔": "twee derde",
        "1/2": "een half", "1/4": "een kwart", "3/4": "driekwart", "1/3": "een derde",
        "2/3": "twee derde",
    }  # fmt: skip
    size_words = r"maten|maat|schoenmaat"
    order_words = (
        r"bestellingen|bestelling|bestelnummer|ordernummer|order|referentie|ref\.?|pakket|dossier|"
        r"ticket|code|artikelnummer|artikel|factuur|factuurnummer|klantnummer|serienummer|SKU|EAN|"
        r"trackingcode|retour|retournummer|kortingscode"
    )
    ordinal_pattern = r"(?P<number>\d+)(?:ste|de|e)\b"
    date_prepositions = r"op|tot|vanaf|voor|tegen|sinds|van"
    time_suffix = r"\s?(?:uur|u\.?)(?![\w.])"
    hour_mark = r"\s?u\s?"
    phrases = (
        (r"24\s?/\s?7", "vierentwintig uur per dag, zeven dagen op zeven"),
        (r"7\s?/\s?7", "zeven dagen op zeven"),
    )
    phone_by_groups = True

    def cardinal(self, number: int) -> str:
        """Write thousands apart, as the Dutch spelling does: duizend tweehonderd."""
        if number % 100 == 0 and 1100 <= number <= 1900:
            return f"{super().cardinal(number // 100)}honderd"
        return re.sub(r"duizend(?=\w)", "duizend ", super().cardinal(number))

    def year(self, number: int) -> str:
        """Negentienhonderdachtennegentig; tweeduizend zesentwintig."""
        if 1100 <= number <= 1999:
            rest = super().cardinal(number % 100) if number % 100 else ""
            return f"{super().cardinal(number // 100)}honderd{rest}"
        return self.cardinal(number)

    def and_a_half(self, number: int) -> str:
        """Tweeënveertig en een half."""
        return f"{self.cardinal(number)} en een half"

    def time(self, hours: int, minutes: int, half: str = "") -> str:
        """Negen uur dertig."""
        hours = hours % 12 + (12 if half == "pm" else 0) if half else hours
        said = f"{self.cardinal(hours)} uur"
        return f"{said} {self.cardinal(minutes)}" if minutes else said


class BelgianDutch(Dutch):
    """Dutch of Belgium: a table measures 120 op 60."""

    by = "op"


def speller(market: str) -> Speller:
    """Return the Dutch of a country (ISO 3166)."""
    return BelgianDutch() if market == "BE" else Dutch()
