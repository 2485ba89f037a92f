"""Words that mentions are recognised by, in the four languages. Folded: no accents, lower case."""

from __future__ import annotations

import re

THIS_ITEM = {"fr": "cet article", "nl": "dit artikel", "de": "dieser Artikel", "en": "this item"}
ITEM = {"fr": "article", "nl": "artikel", "de": "Artikel", "en": "item"}
ARTICLES = frozenset(
    {"le", "la", "les", "l", "un", "une", "du", "de", "des", "ce", "cet", "cette", "mon", "ma"}
    | {"votre", "vos", "het", "een", "die", "dat", "deze", "dit", "mijn", "uw", "der", "das"}
    | {"den", "dem", "ein", "eine", "einen", "einem", "dieser", "diese", "dieses", "meine"}
    | {"mein", "ihr", "ihre", "the", "a", "an", "this", "that", "my", "your"}
)
FOR_WHAT = frozenset(
    {"pour", "de", "d", "avec", "dans", "en", "a", "au", "aux", "qui", "que", "sous", "contre"}
    | {"voor", "met", "in", "op", "om", "die", "dat", "van", "tegen", "uit", "aan", "onder"}
    | {"fur", "mit", "im", "zum", "zur", "das", "aus", "gegen", "auf", "unter", "von"}
    | {"for", "with", "that", "which", "to", "on", "at", "under", "of", "from", "against"}
)
"""Words that end the name of a thing and begin what it is for ("skis for the winter")."""
BUYING = frozenset({"kopen", "koop", "koopt", "gekocht", "kaufe", "kaufen", "acheter", "achete"})
"""Words for buying, which are never the thing that is bought."""
SIZE_WORDS = {
    "fr": {"taille", "pointure", "en", "grandeur"},
    "nl": {"maat", "in", "een"},
    "de": {"grosse", "groesse", "in"},
    "en": {"size", "in", "a", "an"},
}
SIZE_NAMES = {"small": "S", "medium": "M", "large": "L"}
LIMITS = {
    "fr": ("moins de", "maximum", "max", "pas plus de", "jusqu'à", "en dessous de", "sous les",
           "budget", "moins que", "autour de", "environ", "pour"),
    "nl": ("onder", "minder dan", "maximum", "max", "tot", "hoogstens", "budget", "niet meer dan",
           "maximaal", "ongeveer", "rond"),
    "de": ("unter", "weniger als", "maximal", "höchstens", "bis", "bis zu", "budget",
           "nicht mehr als", "ungefähr", "etwa", "um die"),
    "en": ("under", "less than", "below", "up to", "max", "maximum", "at most", "budget",
           "no more than", "around", "about"),
}  # fmt: skip
MONEY = re.compile(r"^\W*(?:€|euros?|eur|balles)\b|^\s*€", re.IGNORECASE)
MORE_COUNTRIES = (
    *("BE", "NL", "LU", "FR", "DE", "AT", "CH", "ES", "IT", "PT", "GB", "IE", "DK", "SE", "NO"),
    *("FI", "PL", "CZ", "GR", "RO", "HU", "HR", "US", "CA", "MA", "TR", "CN", "JP"),
)
COUNTRY_ALIASES = {
    "hollande": "NL", "holland": "NL", "angleterre": "GB", "engeland": "GB", "england": "GB",
    "grande bretagne": "GB", "groot brittannie": "GB", "grossbritannien": "GB", "uk": "GB",
    "great britain": "GB", "usa": "US", "amerika": "US", "america": "US", "amerique": "US",
    "niederlanden": "NL", "bruxelles": "BE", "brussel": "BE", "brussels": "BE", "anvers": "BE",
    "antwerpen": "BE", "antwerp": "BE", "paris": "FR", "lille": "FR", "berlin": "DE",
    "amsterdam": "NL", "rotterdam": "NL", "koln": "DE", "aachen": "DE",
}  # fmt: skip
ORDINALS = {
    "fr": (("premier", "premiere"), ("deuxieme", "second", "seconde"), ("troisieme",)),
    "nl": (("eerste",), ("tweede",), ("derde",)),
    "de": (("erste", "ersten", "erster", "erstes"), ("zweite", "zweiten", "zweiter", "zweites"),
           ("dritte", "dritten", "dritter")),
    "en": (("first",), ("second",), ("third",)),
}  # fmt: skip
DIGITS = {
    language: {
        word: digit for digit, forms in enumerate(words.split()) for word in forms.split("/")
    }
    for language, words in {
        "fr": "zero un/une deux trois quatre cinq six sept huit neuf",
        "nl": "nul een twee drie vier vijf zes zeven acht negen",
        "de": "null eins/ein zwei/zwo drei vier funf sechs sieben acht neun",
        "en": "zero/oh/o one two three four five six seven eight nine",
    }.items()
}
CHEAPEST = re.compile(
    r"moins cher|plus abordable|bon marche|economique|goedko(?:op|per)|voordelig|gunstig|billig|"
    r"preiswert|cheap|less expensive|affordable|trop cher|te duur|zu teuer|too expensive"
)
POSTCODE_LETTERS = re.compile(r"\s*([A-Za-z]{2})\b(?!\w)")
