"""Written things that are read out sign by sign: links, phone numbers, SKUs, postcodes."""

from __future__ import annotations

import re

from voice_server.speech.verbalise.common import Speller

_DOMAINS = (
    "be|com|nl|fr|de|eu|org|net|shop|store|io|lu|uk|info|brussels|vlaanderen|gent|at|ch|es|it"
)
_EMAIL = re.compile(r"(?:mailto:)?([\w.+-]+)@((?:[\w-]+\.)+[A-Za-z]{2,})")
_URL = re.compile(
    rf"(?:https?://|www\.)[^\s<>\"']+|(?<![\w@.-])(?:[a-z0-9-]+\.)+(?:{_DOMAINS})\b(?:/[^\s<>\"']*)?"
)
_TRAILING = ".,;:!?)]}…»”"
_PHONE = re.compile(
    r"(?<![\w.,/+-])(?:"
    r"(?:\+|00)[1-9]\d{0,2}(?:[\s./-]?\(0\))?(?:[\s./-]?\d{1,4}){2,6}"
    r"|0\d{1,4}(?:\s?[/.-]\s?|\s)(?:\d{2,4}(?:[\s./-]\d{2,4}){1,4}|\d{5,8})"
    r"|0\d{8,10}"
    r"|\(\d{3}\)\s?\d{3}-\d{4}"
    r")(?![\w]|[.,]\d)"
)
_SKU = re.compile(
    r"(?<![\w/.,-])(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)[A-Z0-9]+(?:-[A-Z0-9]+)*(?![\w]|-[A-Z0-9])"
    r"|(?<![\w.,-])\d{3,}-\d{4,}(?:-\d+)*(?![\w-])"
)
_SIZE = re.compile(r"(?<![\w-])(?:X{1,4}[SL]|[2-9]X[SL])(?![\w-])")
_CAPITALS = re.compile(r"(?<![\w'-])([A-Z]{2,6})(?:('?s)|-([A-Z]))?(?![\w])")
_VALUE = r"#?(?P<value>(?=[A-Za-z0-9./-]*\d{2})[A-Za-z0-9]+(?:[./-][A-Za-z0-9]+)*)"
_NEVER = "(?!)"
_NUMBER_SIGN = r"n[°o]\.?|№|nr\.?|no\.|nummer|numéro|number|#"


class Codes:
    """Reads codes in one language."""

    def __init__(self, speller: Speller) -> None:
        """Prepare for the words of ``speller``."""
        self._speller = speller
        sizes = speller.size_words or _NEVER
        self._unit_token = re.compile(
            rf"\d+(?:{'|'.join(map(re.escape, sorted(speller.units, key=len, reverse=True)))})"
        )
        self._order = re.compile(
            rf"\b(?P<word>{speller.order_words or _NEVER})"
            rf"(?P<link>\s*(?:(?:{_NUMBER_SIGN}|:|is|est|ist)\s*){{0,3}})"
            rf"(?<!\w){_VALUE}(?!\w|[.,]\d|\s?(?:€|\$|£|%|EUR|euro|cm|kg|{'|'.join(speller.months)}))",
            re.IGNORECASE,
        )
        self._numbered = re.compile(
            rf"(?<!\w)(?:{_NUMBER_SIGN})\s?(?P<value>\d+)(?![\w]|[.,]\d)", re.IGNORECASE
        )
        self._garment = re.compile(rf"\b(?:{sizes})\b(?:(?!\b(?:{sizes})\b)[^.!?\n]){{0,40}}")
        self._half_size = re.compile(
            rf"\b((?:{sizes})\s+(?:EU\s+|UK\s+|US\s+)?)(\d{{1,2}})[.,]5(?!\d)"
        )

    def links(self, text: str) -> str:
        """Read e-mail addresses and web addresses."""
        say = self._speller
        text = _EMAIL.sub(
            lambda m: f"{self._address(m[1])} {say.at_sign} {self._address(m[2])}", text
        )
        return _URL.sub(self._url, text)

    def _url(self, match: re.Match[str]) -> str:
        url = match[0].rstrip(_TRAILING)
        rest = match[0][len(url) :]
        plain = re.sub(r"^https?://|^www\.", "", re.sub(r"^https?://", "", url))
        return self._address(plain.split("?")[0].split("#")[0].rstrip("/")) + rest

    def _address(self, address: str) -> str:
        say = self._speller
        signs = {".": say.dot, "/": say.slash, "-": say.hyphen, "_": say.underscore, "+": say.plus}
        words = []
        parts = re.findall(r"[^\W\d_]+|\d+|[^\w\s]|_", address)
        for at, part in enumerate(parts):
            if part in signs:
                words.append(signs[part])
            elif part.isdigit():
                words.append(say.code_token(part))
            elif len(part) <= 2 and (at == len(parts) - 1 or parts[at + 1] == "/"):
                words.append(say.spell(part))  # the country at the end
            elif part.isalpha():
                words.append(part)
        return " ".join(words)

    def order_numbers(self, text: str) -> str:
        """Read what stands after order, SKU, ticket, n°: never as a quantity."""
        say = self._speller

        def order(match: re.Match[str]) -> str:
            value, link = match["value"], match["link"]
            signed = re.search(_NUMBER_SIGN, link, re.IGNORECASE) or "#" in match[0]
            if value.isdigit() and len(value) < (3 if signed else 4):
                return match[0]
            figures = not signed and re.fullmatch(r"[\d./-]+", value)
            if figures and not re.search(r"\d{4}", value):  # a date or a range
                return match[0]
            link = re.sub(r"n[°o]\.?|№|nr\.?|no\.|#", f" {say.number_word} ", link, flags=re.I)
            code = say.digits(value) if value.isdigit() else say.code_token(value)
            return f"{match['word']}{link if link.strip() else ' '}{code}"

        def numbered(match: re.Match[str]) -> str:
            value = match["value"]
            long = len(value) > 3 or value[0] == "0"
            said = say.digits(value) if long else say.cardinal(int(value))
            return f"{say.number_word} {said}"

        return self._numbered.sub(numbered, self._order.sub(order, text))

    def phones(self, text: str) -> str:
        """Read phone numbers group by group."""

        def phone(match: re.Match[str]) -> str:
            groups = re.findall(r"\+?\d+", match[0].replace("(0)", ""))
            digits = "".join(groups).lstrip("+")
            if not 8 <= len(digits) <= 15:
                return match[0]
            if len(groups) == 1:
                plus = groups[0][:3] if groups[0].startswith("+") else ""
                rest = groups[0].removeprefix(plus)
                groups = ([plus] if plus else []) + _pairs(rest)
            return self._speller.phone(groups)

        return _PHONE.sub(phone, text)

    def postcodes(self, text: str) -> str:
        """Read postcodes the way the language's countries say them."""
        say = self._speller
        if say.code == "nl":
            text = re.sub(
                r"(?<![\w.,€-])([1-9]\d)(\d\d) ?([A-Z]{2})(?=\s+[A-Z]|\s*[,.;]|$)",
                lambda m: (
                    m[0]
                    if m[3] in say.units
                    else f"{say.cardinal(int(m[1]))} {self._pair(m[2])} {say.spell(m[3])}"
                ),
                text,
            )
        if say.code == "de":
            text = re.sub(
                r"(?<![\w.,€-])(?:D-)?(\d{5})(?=\s+[A-ZÄÖÜ])",
                lambda m: say.digits(m[1], grouped=False),
                text,
            )
        return re.sub(r"(?<!\w)[BFLD]-(?=\d{4,5}\s+[^\W\d_])", "", text)

    def _pair(self, two: str) -> str:
        say = self._speller
        return say.cardinal(int(two)) if two[0] != "0" else say.digits(two)

    def sizes(self, text: str) -> str:
        """Read XL, 3XL anywhere; S, M, L and half sizes after a word for size."""
        say = self._speller
        text = self._half_size.sub(lambda m: m[1] + say.and_a_half(int(m[2])), text)
        text = self._garment.sub(
            lambda m: re.sub(r"(?<![\w'])[SML](?![\w'])", lambda size: say.size(size[0]), m[0]),
            text,
        )
        return _SIZE.sub(lambda m: say.size(m[0]), text)

    def skus(self, text: str) -> str:
        """Read tokens of capitals and digits, such as XR-500 or BE-2026-00123."""

        def sku(match: re.Match[str]) -> str:
            token = match[0]
            unit = self._unit_token.fullmatch(token)
            if unit and not re.fullmatch(r"\d{1,2}K", token):
                return token
            return self._speller.code_token(token)

        return _SKU.sub(sku, text)

    def initialisms(self, text: str) -> str:
        """Spell capitals that nobody says as a word."""
        say = self._speller

        def capitals(match: re.Match[str]) -> str:
            letters, plural = match[1], match[2] or ""
            if match[3]:  # USB-C
                plural = f" {say.spell(match[3])}"
            unsayable = len(letters) <= 5 and not re.search("[AEIOUY]", letters)
            roman = re.fullmatch("X{0,3}|MM?", letters)
            if letters in say.initialisms or (unsayable and not roman):
                return say.spell(letters) + plural
            return match[0]

        return _CAPITALS.sub(capitals, text)


def _pairs(digits: str) -> list[str]:
    """Cut an unbroken phone number: 0470123456 to 0470 12 34 56."""
    head = len(digits) % 2 + (4 if digits.startswith("04") else 2)
    return [digits[:head]] + [digits[at : at + 2] for at in range(head, len(digits), 2)]
