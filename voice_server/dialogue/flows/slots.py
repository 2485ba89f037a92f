"""Reading slots from what callers say: by rules, so that nothing is taken that was not said.  Pure.

A reader returns "" where the utterance does not hold a value; the engine then asks again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voice_server.dialogue.consent import flow_words, heard_words
from voice_server.dialogue.flows.declared import FlowStep
from voice_server.dialogue.flows.ports import Proofs
from voice_server.dialogue.mention_words import ORDINALS
from voice_server.dialogue.mentions import Mentions
from voice_server.dialogue.numerals import find_numerals
from voice_server.dialogue.spelling.forms import read_phone, read_postcode
from voice_server.dialogue.words import fold, sound, stem, tokens
from voice_server.shop.catalogue import Product, Variant
from voice_server.shop.platform import PlatformItem, PlatformOrder
from voice_server.shop.shop import Shop

LONGEST_TEXT = 300
"""Characters of a free answer that are kept for a human to read."""
MOST_PIECES = 99
SHORTEST_CODE = 4
"""Digits: fewer are a remark ("just one moment"), and not worth an attempt."""

_STREET = re.compile(r"(?=.*\d)(?=.*[^\W\d_]{3}).{5,120}")
_DUTCH = re.compile(r"\b(\d{4})\s?(?!(?:of|or|ou|et|en|is|in|te|au|to|at|ja|no)\b)([A-Za-z]{2})\b")
"""A Dutch postcode; the words behind a number in running text are no letters of it."""
_LEADS = re.compile(
    r"^(?:c'est|ce sera|non|oui|je suis|j'habite|ma nouvelle adresse est|l'adresse est|"
    r"het is|dat is|nee|ja|ik woon(?: in)?|mijn nieuwe adres is|het adres is|"
    r"es ist|das ist|nein|ich wohne(?: in)?|meine neue adresse ist|die adresse ist|"
    r"it's|it is|that's|no|yes|my new address is|the address is|i live(?: in| at)?|"
    r"à|a|in|te|at|the city is|la ville est|de stad is)\b[\s,:]*",
    re.IGNORECASE,
)


class SlotReader:
    """Reads the slots of one shop's flows in one language."""

    def __init__(self, shop: Shop, language: str) -> None:
        self._shop = shop
        self._language = language
        self._variants = {v.sku: (p, v) for p in shop.catalogue for v in p.variants}

    def product(self, sku: str) -> tuple[Product, Variant] | None:
        """Return what a sku stands for in the shop's catalogue."""
        return self._variants.get(sku)

    def read(
        self, step: FlowStep, text: str, mentions: Mentions, order: PlatformOrder | None, line: str
    ) -> str:
        """Return the value that ``text`` gives a slot, "" for none.

        Args:
            step: the step that asks for it.
            text: what was said.
            mentions: what it names.
            order: the order the flow is about, where it is known.
            line: the line of the order that was chosen already, "" if none.
        """
        items = order.items if order else ()
        item = next((i for i in items if i.line_id == line), None)
        if step.type == "line":
            return self.line(text, mentions, items)
        if step.type == "quantity":
            return self.quantity(text, item)
        if step.type == "choice":
            return self.choice(step, text)
        if step.type == "variant":
            return self.variant(mentions, item)
        if step.type == "country":
            return self._place(text, mentions)
        if step.type == "phone":
            return read_phone(text, self._language).best
        if step.type == "postcode":
            return self._postcode(text)
        return _FREE[step.type](text)

    def line(self, text: str, mentions: Mentions, items: Sequence[PlatformItem]) -> str:
        """Return the line that is meant: by its product, its kind, its words or its place."""
        named = [i for i in items if self._product_id(i.sku) in mentions.products]
        if not named and mentions.kinds:
            kinds = {
                p.id for kind in mentions.kinds for p in self._shop.catalogue.in_category(kind)
            }
            named = [i for i in items if self._product_id(i.sku) in kinds]
        if not named:
            said = {stem(word) for word in tokens(text) if len(word) > 3}
            heard = {sound(word) for word in tokens(text) if len(word) > 4}
            named = [i for i in items if self._shares(i, said, heard)]
        if len(named) == 1:
            return named[0].line_id
        if named:
            return ""
        place = mentions.ordinal
        words = heard_words(text).split()
        for position, forms in enumerate(ORDINALS.get(self._language, ())):
            place = position if set(forms).intersection(words) else place
        if place is not None and -1 <= place < len(items):
            return items[place].line_id
        return ""

    def quantity(self, text: str, item: PlatformItem | None) -> str:
        """Return how many, between 1 and what the line has."""
        most = item.quantity if item else MOST_PIECES
        if flow_words(self._language).has("all_of_them", text):
            return str(most)
        counts = [int(n.value) for n in find_numerals(text, self._language)]
        fitting = [count for count in counts if 1 <= count <= most]
        return str(fitting[0]) if len(counts) == 1 and fitting else ""

    def choice(self, step: FlowStep, text: str) -> str:
        """Return the key whose words are in the text; several keys leave us no wiser."""
        said = f" {heard_words(text)} "
        found: dict[str, int] = {}
        for key in step.choices:
            for word in step.words_of(key, self._language):
                if re.search(rf"(?<!\w){re.escape(heard_words(word))}", said):
                    found[key] = max(found.get(key, 0), len(word))
        best = max(found.values(), default=0)
        longest = [key for key, length in found.items() if length == best]
        return longest[0] if len(longest) == 1 else ""

    def variant(self, mentions: Mentions, item: PlatformItem | None) -> str:
        """Return the sku of the wished colour and size of the item's product."""
        known = self.product(item.sku) if item else None
        if known is None or not (mentions.colours or mentions.sizes):
            return ""
        product, now = known
        colour = next(iter(mentions.colours), now.colour)
        size = next((s for s in mentions.sizes if s in product.sizes), now.size)
        fitting = [v for v in product.select(colour=colour, size=size) if v.sku != now.sku]
        return fitting[0].sku if len(fitting) == 1 else ""

    def _product_id(self, sku: str) -> str:
        known = self.product(sku)
        return known[0].id if known else ""

    def _shares(self, item: PlatformItem, said: set[str], heard: set[str]) -> bool:
        known = self.product(item.sku)
        names = [item.title]
        if known:
            names += [known[0].model, known[0].text(self._language).name]
        words = [word for name in names for word in tokens(name)]
        by_sound = any(sound(word) in heard for word in words if len(word) > 4)
        return by_sound or any(stem(word) in said for word in words if len(word) > 3)

    def _postcode(self, text: str) -> str:
        dutch = _DUTCH.search(text)
        if dutch:
            return f"{dutch.group(1)} {dutch.group(2).upper()}"
        return read_postcode(text, self._language, tuple(self._shop.policies.delivery)).best

    def _place(self, text: str, mentions: Mentions) -> str:
        """Return a country, by its name or by the shape of a postcode of the home country."""
        if mentions.country:
            return mentions.country
        home = self._shop.market.country
        if _DUTCH.search(text):
            return "NL"
        lengths = {"BE": 4, "LU": 4, "NL": 4, "DE": 5, "FR": 5}
        runs = [run for run in mentions.digits if len(run) == lengths.get(home, 4)]
        return home if runs else ""


def _street(text: str) -> str:
    found = _cleaned(text)
    return found if _STREET.fullmatch(found) else ""


def _city(text: str) -> str:
    found = _cleaned(text)
    words = found.split()
    named = bool(words) and len(words) <= 5 and not any(char.isdigit() for char in found)
    return found if named and "?" not in text else ""


def _text(text: str) -> str:
    return " ".join(text.split())[:LONGEST_TEXT]


def _cleaned(text: str) -> str:
    found = " ".join(text.split()).strip(" .,;!")
    while True:
        shorter = _LEADS.sub("", found)
        if shorter == found:
            return found[:120]
        found = shorter


_FREE = {
    "street": _street,
    "city": _city,
    "text": _text,
}


def read_proofs(text: str, expects: str, mentions: Mentions, shop: Shop) -> Proofs:
    """Return order number, postcode and code by the lengths of the digit runs.

    A plain reader; :mod:`voice_server.dialogue.identity` spells better.
    """
    length, number, postcode, code = shop.orders.digits, "", "", ""
    for run in mentions.digits:
        digits = re.sub(r"\D", "", run)
        if expects == "code":
            code = code + digits
        elif expects == "postcode" and len(mentions.digits) == 1 and len(digits) in {4, 5}:
            postcode = run
        elif len(digits) == length and digits == run and not number:
            number = shop.orders.number(run)
        elif len(digits) > length and not number:
            number, postcode = shop.orders.number(run[:length]), run[length:]
        elif 4 <= len(digits) <= 5:
            postcode = run
    return Proofs(number, postcode, code if len(code) >= SHORTEST_CODE else "")


def grounded(value: str, text: str) -> bool:
    """Did the caller say this value? A model may only pass on what is in the caller's words."""
    said = set(tokens(text)) | {fold(word) for word in text.split()}
    return bool(tokens(value)) and all(word in said for word in tokens(value))
