"""Money: an exact amount with its currency, and its wording for a market."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import format_currency


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in an ISO 4217 currency; comparable only within one currency."""

    amount: Decimal
    currency: str = "EUR"

    def format(self, locale: Locale) -> str:
        """Write the amount as the locale does; whole amounts without decimals ("49 €").

        Cents that are zero are left out because the text is meant to be spoken.
        """
        return _format(self.amount, self.currency, locale)


@lru_cache(maxsize=4096)
def _format(amount: Decimal, currency: str, locale: Locale) -> str:
    pattern = locale.currency_formats["standard"].pattern
    if amount == amount.to_integral_value():
        pattern = pattern.replace("0.00", "0")
    text: str = format_currency(
        amount, currency, format=pattern, locale=locale, currency_digits=False
    )
    # No-break spaces would not match what the sentence gate and the verbaliser look for.
    return text.replace("\u00a0", " ").replace("\u202f", " ")
