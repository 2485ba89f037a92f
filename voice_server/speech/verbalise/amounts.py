"""Prices, percentages, measures, ranges, and whatever number is left."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from voice_server.speech.verbalise.cleaning import GROUP
from voice_server.speech.verbalise.common import LONGEST_NUMBER, Number, Speller

NUMBER = r"\d{1,3}(?:[.,']\d{3})+(?!\d)(?:[.,]\d{1,2}(?!\d))?|\d+(?:[.,]\d+)?"
_N = rf"(?:{NUMBER})"
_SYMBOLS = {
    "€": "EUR",
    "$": "USD",
    "£": "GBP",
    "EUR": "EUR",
    "USD": "USD",
    "GBP": "GBP",
    "CHF": "CHF",
}
_SYMBOL = r"€|(?:US)?\$|£|EUR|USD|GBP|CHF"
_EVEN = r"(?:[.,][-–—]+)?"
_BEFORE_RANGE = r"\d\s?(?:h|u|uur|Uhr|heures|[ap]\.?m\.?|%|€|°C?|cm|mm|m|kg|g)?"
_COLDEST_LIGHT = 1000
"""Kelvin of lamps begin about here; below, K means thousands of pixels."""
_WEIGHTS = frozenset({"mg", "g", "gr", "kg", "ml", "cl", "dl", "l", "L"})


class Amounts:
    """Reads quantities in one language."""

    def __init__(self, speller: Speller) -> None:
        """Prepare for the words of ``speller``."""
        self._speller = speller
        words = "|".join(
            re.escape(word) for word in sorted(speller.currency_words, key=len, reverse=True)
        )
        units = "|".join(re.escape(unit) for unit in sorted(speller.units, key=len, reverse=True))
        units, words = units or "(?!)", words or "(?!)"
        self._symbol_first = re.compile(
            rf"(?P<minus>[-−]\s?)?(?P<symbol>{_SYMBOL})\s?(?P<number>{_N}){_EVEN}(?!\d)"
        )
        self._symbol_last = re.compile(
            rf"(?<![\w.,])(?P<number>{_N}){_EVEN}\s?(?P<symbol>{_SYMBOL}|(?i:{words}))(?![\w])"
        )
        self._even = re.compile(rf"(?<![\w.,])(?P<number>{_N})[.,][-–—](?!\d)")
        self._per_symbol = re.compile(
            rf"(?P<price>(?:(?:{_SYMBOL})\s?{_N})|(?:{_N}\s?(?:{_SYMBOL}|(?i:{words}))))"
            rf"\s?/\s?(?:1\s?)?(?P<unit>{units}|[^\W\d_]+)(?![\w²³])"
        )
        self._per_word = re.compile(rf"\b({speller.per}) ({units})(?![\w²³/])")
        self._quantity = re.compile(
            rf"(?<![\w.,])(?P<number>{_N})\s?(?P<unit>{units})(?![\w²³/])"
            r"(?:\.(?=\s+[a-zà-ÿ(\d]|\s*[,;:]))?"
        )
        self._inch = re.compile(rf"(?P<number>{_N})\s?[\"″](?!\w)")
        self._dimensions = re.compile(
            rf"{_N}(?:\s?(?:mm|cm|dm|m))?(?:\s?[xX×]\s?{_N}(?:\s?(?:mm|cm|dm|m)(?![\w²³]))?)+"
            rf"(?=\s?(?P<unit>{units})?)"
        )
        self._ordinal = (
            re.compile(rf"(?<![\w.,]){speller.ordinal_pattern}(?!\w)")
            if speller.ordinal_pattern
            else None
        )
        self._price_range = re.compile(
            rf"(?P<symbol>{_SYMBOL})\s?(?P<low>{_N}){_EVEN}\s?[-–—]\s?(?P<high>{_N}){_EVEN}(?![\d\w%])"
        )
        self._phrases = [(re.compile(pattern), words) for pattern, words in speller.phrases]

    def phrases(self, text: str) -> str:
        """Read idioms such as 24/7."""
        for pattern, words in self._phrases:
            text = pattern.sub(words, text)
        return text

    def join_groups(self, text: str) -> str:
        """Close thousands written with spaces: 1 299,95."""
        if self._speller.groups_by_space:
            text = re.sub(
                r"(?<![\d.,])[1-9]\d{0,2}(?: \d{3})+(?!\d)",
                lambda m: m[0].replace(" ", ""),
                text,
            )
        return text.replace(GROUP, "")

    def comparisons(self, text: str) -> str:
        """Read ~50, <5 kg, ≥ 3."""
        say = self._speller
        for pattern, words in (
            (r"\+/-|±|≈|~", say.about),
            (r"<=|≤", say.at_most),
            (r">=|≥", say.at_least),
            (r"<", say.less_than),
            (r">", say.more_than),
        ):
            text = re.sub(rf"(?:{pattern})\s?(?=(?:[€$£]\s?)?\d)", f"{words} ", text)
        return text

    def ranges(self, text: str) -> str:
        """Read 2-3, 9:00–18:00, € 5–10 with a word for the dash."""
        to = self._speller.to
        text = self._price_range.sub(rf"\g<low> {to} \g<high> \g<symbol>", text)
        return re.sub(
            rf"(?<=[\w\s(€$£])({_BEFORE_RANGE})\s?[-–—]\s?(?=(?:[€$£]\s?)?\d)|"
            rf"^({_BEFORE_RANGE})\s?[-–—]\s?(?=(?:[€$£]\s?)?\d)",
            lambda m: f"{m[1] or m[2]} {to} ",
            text,
        )

    def negatives(self, text: str) -> str:
        """Read the minus that stands right before its number."""
        return re.sub(r"(?<![\w).,])[-–](?=\d)", f"{self._speller.minus} ", text)

    def fractions(self, text: str) -> str:
        """Read ½ and 1/2, and scores such as 4,5/5."""
        say = self._speller
        for written, words in say.fractions.items():
            if len(written) > 1:
                text = re.sub(rf"(?<![\d/.,]){re.escape(written)}(?![\d/]|[.,]\d)", words, text)
        text = re.sub(rf"({_N})\s?/\s?(?={_N})", rf"\1 {say.out_of} ", text)
        text = re.sub(r"(?<![\d.,])(\d{1,3})\s?½", lambda m: say.and_a_half(int(m[1])), text)
        for written, words in say.fractions.items():
            if len(written) == 1:
                text = re.sub(rf"(?<=\d)\s?{written}", f" {say.and_word} {words}", text)
                text = text.replace(written, words)
        return text

    def dimensions(self, text: str) -> str:
        """Read 120 x 60 cm, 2 x 500 g, 3x."""
        say = self._speller

        def chain(match: re.Match[str]) -> str:
            word = say.times if match["unit"] in _WEIGHTS else say.by
            return re.sub(r"\s?[xX×]\s?", f" {word} ", match[0])

        text = self._dimensions.sub(chain, text)
        text = re.sub(r"(?<=\d)\s?[x×](?!\w)", f" {say.times}", text)
        return re.sub(r"(?<!\w)[x×]\s?(?=\d)", f"{say.times} ", text)

    def prices(self, text: str) -> str:
        """Read amounts of money."""
        say = self._speller

        def price(match: re.Match[str]) -> str:
            symbol = match["symbol"]
            code = _SYMBOLS.get(symbol.removeprefix("US")) or _SYMBOLS.get(symbol)
            code = code or say.currency_words[symbol.lower()]
            if code not in say.currencies:
                return match[0]
            minus = f"{say.minus} " if match.groupdict().get("minus") else ""
            return minus + say.money(say.parse(match["number"]), code) + _gap(match)

        def per(match: re.Match[str]) -> str:
            unit = match["unit"]
            name = say.units[unit][0] if unit in say.units else unit
            return f"{match['price']} {say.per} {name}"

        text = self._per_symbol.sub(per, text)
        text = self._symbol_first.sub(price, text)
        text = self._symbol_last.sub(price, text)
        if "EUR" in say.currencies:
            text = self._even.sub(lambda m: say.money(say.parse(m["number"]), "EUR"), text)
        return self._per_word.sub(lambda m: f"{m[1]} {say.units[m[2]][0]}", text)

    def percentages(self, text: str) -> str:
        """Read % and ‰."""
        text = re.sub(r"(?<=\d)\s?%", f" {self._speller.percent}", text)
        return re.sub(r"(?<=\d)\s?‰", f" {self._speller.per_mille}", text)

    def quantities(self, text: str) -> str:
        """Read numbers with their units."""
        say = self._speller

        def quantity(match: re.Match[str]) -> str:
            number = say.parse(match["number"])
            if match["unit"] == "K" and number.whole < _COLDEST_LIGHT:
                return f"{say.cardinal(number.whole)} {say.spell('K')}"  # a 4K screen
            # With a unit it is a measure, however its decimals are marked: never a version.
            measure = replace(number, mark=say.decimal_mark)
            return say.quantity(measure, match["unit"])

        def inches(match: re.Match[str]) -> str:
            opened = match.string[: match.start()].count('"') % 2
            if "inch" not in say.units or (opened and match[0].endswith('"')):
                return match[0]
            if say.code == "en" and re.match(r"\s+[a-z]", match.string[match.end() :]):
                return f"{say.number(say.parse(match['number']))} inch"  # a 27" screen
            return say.quantity(say.parse(match["number"]), "inch")

        if "ft" in say.units:
            text = re.sub(
                r"(?<![\d.,])(\d{1,2})'\s?(\d{1,2})[\"″]",
                lambda m: (
                    f"{say.quantity(Number(int(m[1])), 'ft')} "
                    f"{say.quantity(Number(int(m[2])), 'inch')}"
                ),
                text,
            )
        return self._quantity.sub(quantity, self._inch.sub(inches, text))

    def ordinals(self, text: str) -> str:
        """Read 2e, 3rd, im 2. Stock."""
        if self._ordinal is None:
            return text

        def ordinal(match: re.Match[str]) -> str:
            groups = match.groupdict()
            before, following = groups.get("before") or "", groups.get("following") or ""
            said = self._speller.ordinal(int(match["number"]), following, before)
            return f"{before} {said}" if before else said

        return self._ordinal.sub(ordinal, text)

    def signs(self, text: str) -> str:
        """Read the signs around numbers, and the ampersand."""
        say = self._speller
        for pattern, words in (
            (r"(?<=\w)\s?\+\s?(?=\w)|(?<!\w)\+\s?(?=\d)", f" {say.plus} "),
            (r"(?<=\w)\+(?!\w)", f" {say.plus}"),
            (r"\s?=\s?", f" {say.equals} "),
            (r"(?<=\w)\s?&\s?(?=\w)", f" {say.and_word} "),
            (r"(?<=\d)\s?°", f" {say.degrees}"),
            (r"(?<=[^\W\d_])\s?/\s?(?=[^\W\d_])", " "),
            (r"(?<=\d):(?=\d)", " "),
            (r"#(?=\w)", ""),
            (r"[*_|^~\\<>{}=]+", " "),
        ):
            text = re.sub(pattern, words, text)
        return text

    def numbers(self, text: str) -> str:
        """Read every digit that is left."""
        text = re.sub(r"(?<=\d)-(?=[^\W\d_])|(?<=[^\W\d_])-(?=\d)", " ", text)
        text = re.sub(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", " ", text)
        text = re.sub(r"(?<![\d.])\d+(?:\.\d+){2,}(?![\d])", self._version, text)
        text = re.sub(rf"(?P<number>{NUMBER})(?=(?:\s+(?P<next>[^\W\d_]+))?)", self._number, text)
        return "".join(
            f" {self._speller.cardinal(unicodedata.digit(c))} " if c.isdigit() else c for c in text
        )

    def _version(self, match: re.Match[str]) -> str:
        if re.fullmatch(NUMBER, match[0]):
            return match[0]
        say = self._speller
        return f" {say.point} ".join(say.cardinal(int(part)) for part in match[0].split("."))

    def _number(self, match: re.Match[str]) -> str:
        say, written, following = self._speller, match["number"], match["next"] or ""
        if written.isdigit():
            if len(written) > LONGEST_NUMBER or (written[0] == "0" and len(written) > 1):
                return say.digits(written)
            plural = following[:1].islower() and following.endswith("s")
            if len(written) == 4 and "11" <= written[:2] <= "20" and not plural:
                return say.year(int(written))
        number = say.parse(written)
        if len(str(number.whole)) > LONGEST_NUMBER:
            return say.digits(re.sub(r"\D", "", written))
        return say.number(number, following)


def _gap(match: re.Match[str]) -> str:
    """Keep the price apart from a word glued to it."""
    return " " if match.string[match.end() : match.end() + 1].isalpha() else ""
