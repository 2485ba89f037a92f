"""How the shop's values are said in French, Dutch, German and English.

Only values live here ("2 working days", "from Monday to Friday"); sentences are in the answer
templates and in the shop's own policies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby

from voice_server.shop.markets import Market
from voice_server.shop.policies import Delivery, Hours, Policies

LANGUAGES = ("fr", "nl", "de", "en")

_DISCLOSURE: Mapping[str, re.Pattern[str]] = {
    "fr": re.compile(r"intelligence artificielle|\b(?:IA|I\.A\.)(?!\w)", re.IGNORECASE),
    "nl": re.compile(r"(?:artificiële|kunstmatige) intelligentie|\bAI\b", re.IGNORECASE),
    "de": re.compile(r"künstliche[rn]? Intelligenz|\b(?:KI|AI)\b", re.IGNORECASE),
    "en": re.compile(r"artificial intelligence|\b(?:AI|A\.I\.)(?!\w)", re.IGNORECASE),
}
"""Words that say that an AI speaks (AI Act, article 50)."""

_UNITS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "day": {
        "fr": ("jour", "jours"),
        "nl": ("dag", "dagen"),
        "de": ("Tag", "Tage"),
        "en": ("day", "days"),
    },
    "working_day": {
        "fr": ("jour ouvrable", "jours ouvrables"),
        "nl": ("werkdag", "werkdagen"),
        "de": ("Werktag", "Werktage"),
        "en": ("working day", "working days"),
    },
    "year": {
        "fr": ("an", "ans"),
        "nl": ("jaar", "jaar"),
        "de": ("Jahr", "Jahre"),
        "en": ("year", "years"),
    },
}
_TO = {"fr": "à", "nl": "tot", "de": "bis", "en": "to"}
_FREE = {"fr": "gratuit", "nl": "gratis", "de": "kostenlos", "en": "free"}
_CLOSED = {"fr": "fermé", "nl": "gesloten", "de": "geschlossen", "en": "closed"}
_DAYS_RANGE = {
    "fr": ("du {a} au {b}", "le {a}"),
    "nl": ("van {a} tot en met {b}", "op {a}"),
    "de": ("von {a} bis {b}", "am {a}"),
    "en": ("from {a} to {b}", "on {a}"),
}
_HOURS_RANGE = {
    "fr": "de {a} à {b}",
    "nl": "van {a} tot {b}",
    "de": "von {a} bis {b}",
    "en": "from {a} to {b}",
}
# Countries whose name wants another preposition or an article, after the language's usual one.
_COUNTRY_TO: Mapping[str, Mapping[str, str]] = {
    "fr": {"": "en {}", "NL": "aux {}", "US": "aux {}", "LU": "au {}", "PT": "au {}",
           "DK": "au {}", "GB": "au {}", "CA": "au {}"},
    "nl": {"": "in {}", "GB": "in het {}", "US": "in de {}"},
    "de": {"": "nach {}", "NL": "in die {}", "CH": "in die {}", "US": "in die {}",
           "GB": "ins {}"},
    "en": {"": "to {}", "NL": "to the {}", "GB": "to the {}", "US": "to the {}"},
}  # fmt: skip


def discloses(text: str, language: str) -> bool:
    """Tell whether a text says, in its language, that an AI speaks."""
    pattern = _DISCLOSURE.get(language)
    return pattern is not None and pattern.search(text) is not None


_COUNTRY_IN: Mapping[str, Mapping[str, str]] = {
    "fr": _COUNTRY_TO["fr"],
    "nl": _COUNTRY_TO["nl"],
    "de": {"": "in {}", "NL": "in den Niederlanden", "CH": "in der {}",
           "US": "in den Vereinigten Staaten", "GB": "im Vereinigten Königreich"},
    "en": {"": "in {}", "NL": "in the {}", "GB": "in the {}", "US": "in the {}"},
}  # fmt: skip


def units(count: int, unit: str, language: str) -> str:
    """Word a count: ``units(2, "working_day", "fr")`` is "2 jours ouvrables".

    Args:
        count: how many.
        unit: "day", "working_day" or "year".
        language: ISO 639-1; another than the four takes English.
    """
    words = _UNITS[unit].get(language) or _UNITS[unit]["en"]
    return f"{count} {words[0] if count == 1 else words[1]}"


def working_days(low: int, high: int, language: str) -> str:
    """Word a span of working days: "1 à 2 jours ouvrables"."""
    if low == high:
        return units(high, "working_day", language)
    return f"{low} {_TO.get(language, '-')} {units(high, 'working_day', language)}"


def amount_or_free(amount: Decimal, market: Market, language: str) -> str:
    """Word an amount, or that there is none to pay."""
    return market.money(amount, language) if amount else _FREE.get(language, "free")


def to_country(code: str, market: Market, language: str) -> str:
    """Word where a parcel goes, with its preposition: "aux Pays-Bas", "in die Niederlande"."""
    table = _COUNTRY_TO.get(language) or _COUNTRY_TO["en"]
    return table.get(code, table[""]).format(market.country_name(code, language))


def in_country(code: str, market: Market, language: str) -> str:
    """Word where something holds, with its preposition: "aux Pays-Bas", "in den Niederlanden"."""
    table = _COUNTRY_IN.get(language) or _COUNTRY_IN["en"]
    return table.get(code, table[""]).format(market.country_name(code, language))


def to_countries(codes: Sequence[str], market: Market, language: str) -> str:
    """Word several destinations as one list."""
    return market.join([to_country(code, market, language) for code in codes], language)


def opening_hours(hours: Sequence[Hours], market: Market, language: str) -> str:
    """Word a week: "du lundi au vendredi de 9 h à 18 h et le samedi de 10 h à 16 h"."""
    if not hours:
        return _CLOSED.get(language, "closed")
    span, single = _DAYS_RANGE.get(language) or _DAYS_RANGE["en"]
    times = _HOURS_RANGE.get(language) or _HOURS_RANGE["en"]
    runs: list[list[Hours]] = []
    for _, group in groupby(
        enumerate(sorted(hours, key=lambda h: h.weekday)),
        key=lambda pair: (pair[1].weekday - pair[0], pair[1].opens, pair[1].closes),
    ):
        runs.append([entry for _, entry in group])
    parts = []
    for run in runs:
        first, last = (market.weekday(day.weekday, language) for day in (run[0], run[-1]))
        days = single.format(a=first) if len(run) == 1 else span.format(a=first, b=last)
        opens, closes = (market.clock(moment, language) for moment in (run[0].opens, run[0].closes))
        parts.append(f"{days} {times.format(a=opens, b=closes)}")
    return market.join(parts, language)


def values(
    policies: Policies,
    market: Market,
    payments: Mapping[str, str],
    shop_name: str,
    language: str,
) -> dict[str, str]:
    """Return every value that policies and FAQ may refer to in braces, worded in ``language``.

    Args:
        policies: the numbers.
        market: words amounts and countries.
        payments: method key to its word in ``language``.
        shop_name: for ``{shop}``.
        language: ISO 639-1.
    """
    known = {
        "shop": shop_name,
        "phone": policies.phone,
        "email": policies.email,
        "hours": opening_hours(policies.hours, market, language),
        "countries": to_countries(list(policies.delivery), market, language),
        "payment": market.join(
            [payments.get(method, method) for method in policies.payment_methods], language, "or"
        ),
        "returns.days": units(policies.return_days, "day", language),
        "returns.cost": amount_or_free(policies.return_cost, market, language),
        "refund.days": units(policies.refund_days, "working_day", language),
        "warranty.years": units(policies.warranty_years, "year", language),
        "pickup.days": units(policies.pickup_days, "working_day", language),
        "pickup.cost": amount_or_free(policies.pickup_cost, market, language),
        "pickup.points": market.join(list(policies.pickup_points), language),
    }
    for delivery in policies.delivery.values():
        known |= _delivery_values(delivery, market, language)
    return known


def _delivery_values(delivery: Delivery, market: Market, language: str) -> dict[str, str]:
    key = f"delivery.{delivery.country}"
    worded = {
        f"{key}.cost": amount_or_free(delivery.cost, market, language),
        f"{key}.days": working_days(delivery.days_min, delivery.days_max, language),
    }
    if delivery.free_from is not None:
        worded[f"{key}.free_from"] = market.money(delivery.free_from, language)
    return worded
