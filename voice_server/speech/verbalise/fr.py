"""French, with the septante and nonante of Belgium (and the huitante of Switzerland)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from voice_server.speech.verbalise.common import Currency, Number, Speller, alphabet, words

_TEENS = words("dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf")
_ONES = ("", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf")

_FEMININE = frozenset(
    words(
        "heure minute seconde semaine année journée pièce chaise table lampe couleur taille "
        "fois livraison commande question étoile personne boîte paire place tonne livre "
        "couronne roupie nuit main chambre carte adresse demande robe chemise veste chaussure "
        "bouteille roue prise porte bougie tasse assiette housse étagère image part remise "
        "offre promo promotion once pinte page ligne caisse facture marque étape face couche"
    )
)
_FEMININE_ENDINGS = re.compile(r"(?:tion|sion|té|ette|ance|ence|ure|ée)s?$")
_MASCULINE_IN_SPITE = frozenset(words("musée musées silence silences été étés côté côtés murmure"))


def _is_feminine(noun: str) -> bool:
    noun = noun.lower()
    return (
        noun in _FEMININE
        or noun.removesuffix("s") in _FEMININE
        or (noun not in _MASCULINE_IN_SPITE and _FEMININE_ENDINGS.search(noun) is not None)
    )


def _tens(stem: str, teen: int) -> str:
    """Return septante, septante et un, septante-deux, ... for 10, 11, 12, ..."""
    one = teen - 10
    return stem if not one else f"{stem} et un" if one == 1 else f"{stem}-{_ONES[one]}"


class French(Speller):
    """French of France."""

    code = "fr"
    group_marks = "."
    groups_by_space = True
    comma, point, minus, plus = "virgule", "point", "moins", "plus"
    percent, per_mille = "pour cent", "pour mille"
    to, by, times, per, out_of, degrees = "à", "sur", "fois", "par", "sur", "degrés"
    and_word, or_word, equals, at_time, number_word = "et", "ou", "égale", "à", "numéro"
    about, less_than, more_than = "environ", "moins de", "plus de"
    at_most, at_least = "au maximum", "au moins"
    at_sign, dot, slash, hyphen, underscore = (
        "arobase",
        "point",
        "barre oblique",
        "tiret",
        "tiret bas",
    )

    letter_names: Mapping[str, str] = alphabet(
        "a bé cé dé e èf gé hache i ji ka elle èmme enne o pé ku erre "
        "esse té u vé double-vé ixe i-grec zède"
    )
    months = (
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
        "octobre", "novembre", "décembre",
    )  # fmt: skip
    month_abbreviations: Mapping[str, int] = {
        "janv": 1, "jan": 1, "févr": 2, "fév": 2, "avr": 4, "juil": 7, "sept": 9, "oct": 10,
        "nov": 11, "déc": 12,
    }  # fmt: skip
    weekdays: Mapping[str, str] = {
        "lun": "lundi", "mar": "mardi", "mer": "mercredi", "jeu": "jeudi", "ven": "vendredi",
        "sam": "samedi", "dim": "dimanche",
    }  # fmt: skip
    units: Mapping[str, tuple[str, str]] = {
        "mm": ("millimètre", "millimètres"), "cm": ("centimètre", "centimètres"),
        "dm": ("décimètre", "décimètres"), "m": ("mètre", "mètres"),
        "km": ("kilomètre", "kilomètres"), "km/h": ("kilomètre-heure", "kilomètres-heure"),
        "m²": ("mètre carré", "mètres carrés"), "m2": ("mètre carré", "mètres carrés"),
        "cm²": ("centimètre carré", "centimètres carrés"),
        "m³": ("mètre cube", "mètres cubes"), "m3": ("mètre cube", "mètres cubes"),
        "mg": ("milligramme", "milligrammes"), "g": ("gramme", "grammes"),
        "kg": ("kilo", "kilos"), "t": ("tonne", "tonnes"),
        "g/m²": ("gramme par mètre carré", "grammes par mètre carré"),
        "ml": ("millilitre", "millilitres"), "cl": ("centilitre", "centilitres"),
        "dl": ("décilitre", "décilitres"), "l": ("litre", "litres"), "L": ("litre", "litres"),
        "W": ("watt", "watts"), "kW": ("kilowatt", "kilowatts"),
        "kWh": ("kilowattheure", "kilowattheures"), "V": ("volt", "volts"),
        "A": ("ampère", "ampères"), "mAh": ("milliampère-heure", "milliampères-heure"),
        "Ah": ("ampère-heure", "ampères-heure"), "Hz": ("hertz", "hertz"),
        "kHz": ("kilohertz", "kilohertz"), "MHz": ("mégahertz", "mégahertz"),
        "GHz": ("gigahertz", "gigahertz"), "dB": ("décibel", "décibels"),
        "lm": ("lumen", "lumens"), "K": ("kelvin", "kelvins"), "kB": ("kilo-octet", "kilo-octets"),
        "Ko": ("kilo-octet", "kilo-octets"), "MB": ("mégaoctet", "mégaoctets"),
        "Mo": ("mégaoctet", "mégaoctets"), "GB": ("gigaoctet", "gigaoctets"),
        "Go": ("gigaoctet", "gigaoctets"), "TB": ("téraoctet", "téraoctets"),
        "To": ("téraoctet", "téraoctets"), "Mbps": ("mégabit par seconde", "mégabits par seconde"),
        "Mbit/s": ("mégabit par seconde", "mégabits par seconde"),
        "MP": ("mégapixel", "mégapixels"), "px": ("pixel", "pixels"),
        "°C": ("degré Celsius", "degrés Celsius"),
        "°F": ("degré Fahrenheit", "degrés Fahrenheit"), "°": ("degré", "degrés"),
        "ms": ("milliseconde", "millisecondes"), "s": ("seconde", "secondes"),
        "sec": ("seconde", "secondes"), "min": ("minute", "minutes"), "h": ("heure", "heures"),
        "j": ("jour", "jours"), "kcal": ("kilocalorie", "kilocalories"),
        "kJ": ("kilojoule", "kilojoules"), "bar": ("bar", "bars"), "inch": ("pouce", "pouces"),
        "pcs": ("pièce", "pièces"), "pce": ("pièce", "pièces"), "ct": ("centime", "centimes"),
    }  # fmt: skip
    currencies: Mapping[str, Currency] = {
        "EUR": Currency("euro", "euros", "centime", "centimes"),
        "USD": Currency("dollar", "dollars", "cent", "cents"),
        "GBP": Currency("livre", "livres", "penny", "pence"),
        "CHF": Currency("franc suisse", "francs suisses", "centime", "centimes"),
    }
    currency_words: Mapping[str, str] = {
        "euro": "EUR",
        "euros": "EUR",
        "dollar": "USD",
        "dollars": "USD",
    }
    abbreviations: Mapping[str, str] = {
        "p. ex.": "par exemple", "p.ex.": "par exemple", "c.-à-d.": "c'est-à-dire",
        "c.à.d.": "c'est-à-dire", "etc.": "et cetera", "env.": "environ", "max.": "maximum",
        "min.": "minimum", "incl.": "inclus", "excl.": "exclu", "tél.": "téléphone",
        "réf.": "référence", "art.": "article", "av.": "avenue", "bd.": "boulevard",
        "s.v.p.": "s'il vous plaît", "svp": "s'il vous plaît", "r.-v.": "rendez-vous",
        "rdv": "rendez-vous", "qté": "quantité", "cf.": "voir", "MM.": "messieurs",
        "Mme": "madame", "Mmes": "mesdames", "Mlle": "mademoiselle", "Dr": "docteur",
        "M.": "monsieur", "St.": "saint", "Ste": "sainte", "TVAC": "TVA comprise",
        "TTC": "toutes taxes comprises", "HTVA": "hors TVA", "HT": "hors taxes",
    }  # fmt: skip
    final_abbreviations = frozenset({"etc.", "s.v.p."})
    initialisms = frozenset(
        words(
            "TVA UE EU USB USA UK GSM PDF SMS GPS LCD OLED HD CD DVD TV PC QR ID HDMI UV FAQ IA "
            "CB DHL GLS DPD UPS SAV RGPD CGV BE FR NL DE"
        )
    )
    fractions: Mapping[str, str] = {
        "½": "un demi", "¼": "un quart", "¾": "trois quarts", "⅓": "un tiers", "⅔": "deux tiers",
        "1/2": "un demi", "1/4": "un quart", "3/4": "trois quarts", "1/3": "un tiers",
        "2/3": "deux tiers",
    }  # fmt: skip
    size_words = r"tailles?|pointures?"
    order_words = (
        r"commandes?|référence|réf\.?|réf|colis|dossier|ticket|code|article|facture|suivi|SKU|EAN|"
        r"client|bon|série|retour"
    )
    ordinal_pattern = r"(?P<number>\d+)(?:i?[èe]mes?|es?)\b"
    date_prepositions = r"le|du|au|dès le|jusqu'au|avant le"
    hour_mark = r"\s?[hH]\s?"
    phrases = (
        (r"24\s?h?/24(?:\s?h)?", "vingt-quatre heures sur vingt-quatre"),
        (r"7\s?j?/7(?:\s?j)?", "sept jours sur sept"),
        (r"24/7", "vingt-quatre heures sur vingt-quatre, sept jours sur sept"),
        (r"\b1er\b", "premier"),
        (r"\b1(?:re|ère|ere)\b", "première"),
        (r"\b2nde?\b", "seconde"),
    )
    phone_by_groups = True

    def count(self, number: int, following: str) -> str:
        """Un or une, by the noun."""
        words = self.cardinal(number)
        last_is_one = number % 10 == 1 and number % 100 != 11 and words.endswith("un")
        if last_is_one and _is_feminine(following):
            return f"{words}e"
        if number % 1_000_000 == 0 and number and following[:1].isalpha():
            return f"{words} d'" if following[0].lower() in "aeéhio" else f"{words} de"
        return words

    def money(self, number: Number, code: str) -> str:
        """Elide before the currency: un million d'euros."""
        return super().money(number, code).replace("d' ", "d'")

    def ordinal(self, number: int, following: str = "", preceding: str = "") -> str:
        """Deuxième, troisième; first is written 1er or 1re."""
        return super().ordinal(number)

    def is_singular(self, number: Number) -> bool:
        """French counts 1,5 as one."""
        return number.whole < 2

    def day(self, day: int, preceding: str = "") -> str:
        """The first is ordinal, the others are not."""
        return "premier" if day == 1 else self.cardinal(day)

    def and_a_half(self, number: int) -> str:
        """Quarante-deux et demi."""
        return f"{self.cardinal(number)} et demi"

    def time(self, hours: int, minutes: int, half: str = "") -> str:
        """Neuf heures trente, midi, minuit."""
        if not half and hours in (0, 12, 24):
            said = "midi" if hours == 12 else "minuit"
        else:
            hours = hours % 12 + (12 if half == "pm" else 0) if half else hours
            said = f"{self.count(hours, 'heures')} heure{'s' if hours > 1 else ''}"
        return f"{said} {self.count(minutes, 'minutes')}" if minutes else said


class BelgianFrench(French):
    """French of Belgium: septante, nonante; quatre-vingts stays."""

    def cardinal(self, number: int) -> str:
        """Say 70-79 and 90-99 the Belgian way."""
        return _belgian(super().cardinal(number))

    def ordinal(self, number: int, following: str = "", preceding: str = "") -> str:
        """Septantième, nonante-deuxième."""
        if number % 100 // 10 in (7, 9):
            words = self.cardinal(number)
            stem = words[:-1] if words.endswith("e") else words
            stem = stem.replace("cinq", "cinqu") if stem.endswith("cinq") else stem
            stem = f"{stem[:-1]}v" if stem.endswith("neuf") else stem
            return f"{stem}ième"
        return super().ordinal(number)


class SwissFrench(BelgianFrench):
    """French of Switzerland: huitante, too."""

    def cardinal(self, number: int) -> str:
        """Say 80-89 the Swiss way."""
        words = super().cardinal(number)
        words = re.sub(r"quatre-vingt-un\b", "huitante et un", words)
        return re.sub(r"quatre-vingts?", "huitante", words)


def _belgian(words: str) -> str:
    for teen in range(19, 9, -1):
        old = _TEENS[teen - 10]
        seventy = f"soixante et {old}" if teen == 11 else f"soixante-{old}"
        words = re.sub(rf"{seventy}(?![\w-])", _tens("septante", teen), words)
        words = re.sub(rf"quatre-vingt-{old}(?![\w-])", _tens("nonante", teen), words)
    return words


def speller(market: str) -> Speller:
    """Return the French of a country (ISO 3166)."""
    kinds: dict[str, type[French]] = {"BE": BelgianFrench, "CH": SwissFrench}
    return kinds.get(market, French)()
