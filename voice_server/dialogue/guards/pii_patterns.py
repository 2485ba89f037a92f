"""How personal data is written in French, Dutch, German and English, and announced in words."""

from __future__ import annotations

import re

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
IBAN = re.compile(r"(?<![\w-])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![\w])")
RUN = re.compile(r"(?<![\w,.])\+?\d(?:[ ./\-()]{0,2}\d){6,24}(?![\w])")
"""Seven digits and more, as telephone, card and national numbers are written."""
_STREET_FIRST = (
    r"(?:rue|avenue|av\.|boulevard|bd\.?|chaussée|chemin|allée|impasse|quai|route|drève|clos|"
    r"square|place|sentier|cours)\s+(?:(?:de|du|des|la|le|les|d'|de\s+l'|aux?)\s*)*"
    r"[A-ZÀ-Ý][\w'-]*(?:\s+[A-ZÀ-Ý][\w'-]*){0,3}"
)
_DUTCH = (
    r"[A-Z][\w'-]*(?:straat|laan|weg|plein|steenweg|lei|dreef|kaai|gracht|singel|kade|hof|dijk|"
    r"baan|park|markt)|(?:Grote|Oude|Nieuwe|Korte|Lange)\s+[A-Z]\w+"
)
_GERMAN = (
    r"[A-ZÄÖÜ][\w'-]*(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer|markt|steig)|"
    r"[A-ZÄÖÜ]\w+(?:er)?\s+(?:Straße|Strasse|Str\.|Allee|Platz|Weg|Ring|Damm|Ufer|Gasse)|"
    r"(?:Am|An\s+der|Auf\s+der|Im|In\s+der|Zum|Zur)\s+[A-ZÄÖÜ]\w+"
)
_ENGLISH = r"(?:[A-Z][\w'-]*\s+){1,3}(?:Street|Road|Avenue|Lane|Drive|Square|Close|St\.|Rd\.)"
_HOUSE = r"\d{1,4}(?:\s?[a-zA-Z](?![\w]))?"
_BOX = r"(?:,?\s*(?:bte|boîte|bus|box|Whg\.?|app\.?|appt\.?)\s*\w{1,5})?"
STREET = re.compile(rf"(?<!\w)(?:{_STREET_FIRST}|{_DUTCH}|{_GERMAN}|{_ENGLISH})(?!\w)")
ADDRESS = re.compile(
    rf"(?<!\w)(?:(?:{_STREET_FIRST}|{_DUTCH}|{_GERMAN}),?\s+(?:n°\s*)?{_HOUSE}(?![\w%€.,]\d){_BOX}"
    rf"|{_HOUSE},?\s+(?:(?:bis|ter),?\s+)?(?:{_STREET_FIRST}|{_ENGLISH}){_BOX})"
)
PLACE = re.compile(
    r"(?<![\w.,€#-])(?:[BLDF]-)?(?:\d{4}\s?[A-Z]{2}(?!\w)|\d{4,5}\s+[A-ZÀ-Ý][a-zà-ÿ]{2,}[\w'-]*)"
)
NO_PLACE = frozenset(
    {"euro", "euros", "eur", "gramm", "watt", "meter", "kilo", "stuck", "liter", "minuten", "uhr"}
    | {"tage", "stunden", "punkte", "umdrehungen", "lumen", "kelvin", "januar", "februar", "marz"}
    | {"april", "mai", "juni", "juli", "august", "september", "oktober", "november", "dezember"}
    | {"january", "february", "march", "may", "june", "july", "october", "december", "seiten"}
    | {"artikel", "produkte", "kunden", "teile", "menschen", "personen", "prozent", "millimeter"}
    | {
        "milliampere",
        "milliamperestunden",
        "wattstunden",
        "kilometer",
        "zentimeter",
        "quadratmeter",
    }
)
POSTCODE_WORD = re.compile(
    r"\b(?:code postal|codes? postaux|postcode|postnummer|postleitzahl|plz|zip(?: code)?)\b"
    r"[^.!?\d]{0,24}$",
    re.IGNORECASE,
)
_CODE = (
    r"(?<!zip )(?<!promo )(?<!discount )(?<!voucher )(?<!gift )"
    r"\b(?:codes?(?! (?:posta|promo|barre|de r[ée]duction|r[ée]duction|article|cadeau))|tan|otp|"
    r"pin(?:[- ]?code)?|cv[cv2n]\d?|cryptogramme|passcode|[\wäöü]*"
    r"(?:prüf(?:nummer|ziffer|code)|sicherheitscode|bestätigungscode|einmalcode|"
    r"(?:veiligheids|beveiligings|controle|verificatie|bevestigings)code)|sicherheitsnummer|"
    r"security (?:code|number)|mot de passe|wachtwoord|passwort|password)\b"
)
CODE_WORD = re.compile(_CODE + r"[^.!?\d]{0,32}$", re.IGNORECASE)
CODE_AFTER = re.compile(
    r"^[^.!?\d]{0,6}\b(?:is|est|ist|c'est|dat is|das ist|that's|comme|als|as)?\W{0,2}"
    r"(?:de|the|le|der|mein|mijn|mon|my)?\W?" + _CODE,
    re.IGNORECASE,
)
DUTCH_LETTERS = re.compile(r"\s?[A-Z]{2}(?!\w)|(?:\s[A-Za-z](?!\w)){2}")
