"""English."""

from __future__ import annotations

from collections.abc import Mapping

from voice_server.speech.verbalise.common import Currency, Speller, alphabet, words


class English(Speller):
    """English, counting as shops do: twelve hundred ninety-nine."""

    code = "en"
    group_marks = ","
    decimal_mark = "."
    comma = point = "point"
    percent, per_mille = "percent", "per mille"
    letter_names: Mapping[str, str] = alphabet(
        "eigh bee see dee ee ef gee aitch eye jay kay ell em en oh pee cue are "
        "ess tee you vee double-you ex why zee"
    )
    months = (
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    )  # fmt: skip
    month_abbreviations: Mapping[str, int] = {
        "jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9,
        "oct": 10, "nov": 11, "dec": 12,
    }  # fmt: skip
    weekdays: Mapping[str, str] = {
        "mon": "Monday", "tue": "Tuesday", "tues": "Tuesday", "wed": "Wednesday",
        "thu": "Thursday", "thurs": "Thursday", "fri": "Friday", "sat": "Saturday", "sun": "Sunday",
    }  # fmt: skip
    units: Mapping[str, tuple[str, str]] = {
        symbol: (name, f"{name}s")
        for symbol, name in {
            "mm": "millimeter", "cm": "centimeter", "dm": "decimeter", "m": "meter",
            "km": "kilometer", "mg": "milligram", "g": "gram", "kg": "kilo", "t": "ton",
            "m²": "square meter", "m2": "square meter", "cm²": "square centimeter",
            "sqm": "square meter", "m³": "cubic meter", "m3": "cubic meter", "ml": "milliliter",
            "cl": "centiliter", "dl": "deciliter", "l": "liter", "L": "liter", "W": "watt",
            "kW": "kilowatt", "kWh": "kilowatt-hour", "V": "volt", "A": "amp",
            "mAh": "milliamp-hour", "Ah": "amp-hour", "dB": "decibel", "lm": "lumen", "K": "kelvin",
            "kB": "kilobyte", "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte",
            "TB": "terabyte", "MP": "megapixel", "px": "pixel", "ms": "millisecond", "s": "second",
            "sec": "second", "min": "minute", "mins": "minute", "h": "hour", "hr": "hour",
            "hrs": "hour", "lb": "pound", "lbs": "pound", "oz": "ounce", "yd": "yard",
            "kcal": "kilocalorie", "kJ": "kilojoule", "pcs": "piece", "ct": "cent",
        }.items()
    } | {
        "km/h": ("kilometer per hour", "kilometers per hour"),
        "mph": ("mile per hour", "miles per hour"),
        "g/m²": ("gram per square meter", "grams per square meter"),
        "Hz": ("hertz", "hertz"), "kHz": ("kilohertz", "kilohertz"),
        "MHz": ("megahertz", "megahertz"), "GHz": ("gigahertz", "gigahertz"),
        "Mbps": ("megabit per second", "megabits per second"),
        "Mbit/s": ("megabit per second", "megabits per second"),
        "°C": ("degree Celsius", "degrees Celsius"),
        "°F": ("degree Fahrenheit", "degrees Fahrenheit"), "°": ("degree", "degrees"),
        "inch": ("inch", "inches"), "ft": ("foot", "feet"), "bar": ("bar", "bar"),
    }  # fmt: skip
    currencies: Mapping[str, Currency] = {
        "EUR": Currency("euro", "euros", "cent", "cents"),
        "USD": Currency("dollar", "dollars", "cent", "cents"),
        "GBP": Currency("pound", "pounds", "penny", "pence"),
        "CHF": Currency("Swiss franc", "Swiss francs", "centime", "centimes"),
    }
    currency_words: Mapping[str, str] = {
        "euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD", "quid": "GBP",
    }  # fmt: skip
    abbreviations: Mapping[str, str] = {
        "e.g.": "for example", "i.e.": "that is", "etc.": "et cetera", "approx.": "approximately",
        "incl.": "including", "excl.": "excluding", "max.": "maximum", "min.": "minimum",
        "tel.": "telephone", "vs.": "versus", "vs": "versus", "No.": "number", "Mr.": "mister",
        "Mr": "mister", "Mrs.": "missus", "Mrs": "missus", "Ms.": "miz", "Dr.": "doctor",
        "St.": "saint", "dept.": "department", "qty": "quantity", "w/": "with", "w/o": "without",
        "ASAP": "as soon as possible", "Ave.": "avenue", "Rd.": "road", "ref.": "reference",
        "a.m.": "eigh em", "p.m.": "pee em",
    }  # fmt: skip
    final_abbreviations = frozenset({"etc.", "a.m.", "p.m.", "Ave.", "Rd."})
    initialisms = frozenset(
        words(
            "VAT EU US USB USA UK UAE PDF SMS GPS LCD OLED HD CD DVD TV PC QR ID HDMI UV FAQ AI "
            "DHL GLS DPD UPS GDPR ETA BE NL FR DE IT"
        )
    )
    fractions: Mapping[str, str] = {
        "½": "one half", "¼": "one quarter", "¾": "three quarters", "⅓": "one third",
        "⅔": "two thirds", "1/2": "one half", "1/4": "one quarter", "3/4": "three quarters",
        "1/3": "one third", "2/3": "two thirds",
    }  # fmt: skip
    size_words = r"[Ss]izes?"
    order_words = (
        r"orders?|reference|ref\.?|parcel|case|ticket|code|item|article|invoice|tracking|SKU|EAN|"
        r"customer|serial|return|voucher"
    )
    ordinal_pattern = r"(?P<number>\d+)(?:st|nd|rd|th)\b"
    date_prepositions = r"on|by|until|before|from|since|after"
    phrases = ((r"24\s?/\s?7", "twenty-four seven"),)
    sizes: Mapping[str, str] = {
        "S": "small", "M": "medium", "L": "large", "XS": "extra small", "XL": "extra large",
        "XXS": "double extra small", "XXL": "double extra large", "XXXL": "triple extra large",
        "2XL": "double extra large", "3XL": "triple extra large", "2XS": "double extra small",
    }  # fmt: skip

    def cardinal(self, number: int) -> str:
        """No commas and no "and"; eleven to nineteen hundred."""
        if 1100 <= number <= 1999:
            rest = f" {self.cardinal(number % 100)}" if number % 100 else ""
            return f"{self.cardinal(number // 100)} hundred{rest}"
        return super().cardinal(number).replace(",", "").replace(" and ", " ")

    def ordinal(self, number: int, following: str = "", preceding: str = "") -> str:
        """First, twenty-first, one hundred first."""
        return super().ordinal(number).replace(",", "").replace(" and ", " ")

    def fraction_digits(self, digits: str) -> str:
        """Digit by digit: twelve point seven five."""
        return self.digits(digits, grouped=False)

    def cents(self, cents: int, currency: Currency) -> str:
        """Ninety-nine euros and ninety-five cents."""
        return f" and {self.cardinal(cents)} {currency.cent if cents == 1 else currency.cents}"

    def year(self, number: int) -> str:
        """Nineteen ninety-eight, two thousand five, twenty twenty-six."""
        if number % 1000 < 10 or not 1100 <= number <= 2099:
            return self.cardinal(number)
        rest = number % 100
        if not rest:
            return f"{self.cardinal(number // 100)} hundred"
        zero = "oh " if rest < 10 else ""
        return f"{self.cardinal(number // 100)} {zero}{self.cardinal(rest)}"

    def date(self, day: int, month: int, year: int | None, preceding: str = "") -> str:
        """December fifteenth, twenty twenty-six; the fifteenth of December where "the" stands."""
        said = f"{self.months[month - 1]} {self.ordinal(day)}"
        if preceding.lower() == "the":
            said = f"{self.ordinal(day)} of {self.months[month - 1]}"
        return said if year is None else f"{said}, {self.year(year)}"

    def and_a_half(self, number: int) -> str:
        """Forty-two and a half."""
        return f"{self.cardinal(number)} and a half"

    twelve_hours = False
    """A time without am or pm may be either, so nothing is added."""

    def time(self, hours: int, minutes: int, half: str = "") -> str:
        """Nine thirty eigh em, noon, six pee em."""
        if not half and not minutes and hours in (0, 12, 24):
            return "noon" if hours == 12 else "midnight"
        if not half and (hours > 12 or not self.twelve_hours):
            half = "pm" if 12 <= hours < 24 else "am"
        said = self.cardinal((hours - 1) % 12 + 1)
        if minutes:
            said += f" {'oh ' if minutes < 10 else ''}{self.cardinal(minutes)}"
        return f"{said} {'pee em' if half == 'pm' else 'eigh em'}" if half else said


class AmericanEnglish(English):
    """English of the United States: the month stands first."""

    month_first = True
    twelve_hours = True


class BritishEnglish(English):
    """English of the United Kingdom: the last letter is zed."""

    letter_names: Mapping[str, str] = {**English.letter_names, "z": "zed"}


def speller(market: str) -> Speller:
    """Return the English of a country (ISO 3166)."""
    kinds: dict[str, type[English]] = {"US": AmericanEnglish, "GB": BritishEnglish}
    return kinds.get(market, English)()
