"""What a spelled value must look like: postcodes, order numbers, addresses, check digits.

Pure.  A check repairs hearing: of several readings, those that can be true come first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from stdnum import iban, luhn
from stdnum.exceptions import ValidationError

_POSTCODES: Mapping[str, re.Pattern[str]] = {
    # Ranges in use: BE 1000-9992, LU 1009-9999, NL without SA, SD, SS (never given out), FR with
    # its 01-95 and overseas 97-98, DE 01067-99998.
    "BE": re.compile(r"[1-9]\d{3}"),
    "LU": re.compile(r"[1-9]\d{3}"),
    "NL": re.compile(r"[1-9]\d{3}(?!SA|SD|SS)[A-Z]{2}"),
    "FR": re.compile(r"(?:0[1-9]|[1-8]\d|9[0-578])\d{3}"),
    "DE": re.compile(r"(?:0[1-9]|[1-9]\d)\d{3}"),
    "AT": re.compile(r"[1-9]\d{3}"),
}

POSTCODE_DIGITS: Mapping[str, int] = {"BE": 4, "LU": 4, "NL": 4, "FR": 5, "DE": 5, "AT": 4}
"""How many digits a postcode has; the Dutch one has two letters behind them."""

DOMAINS: tuple[str, ...] = (
    *("gmail.com", "hotmail.com", "outlook.com", "live.com", "yahoo.com", "icloud.com", "me.com"),
    *("msn.com", "proton.me", "protonmail.com", "googlemail.com", "aol.com", "mail.com"),
    *("telenet.be", "skynet.be", "proximus.be", "hotmail.be", "live.be", "outlook.be"),
    *("scarlet.be", "voo.be", "brutele.be", "pandora.be", "belgacom.net", "base.be", "edpnet.be"),
    *("ziggo.nl", "kpnmail.nl", "kpnplanet.nl", "planet.nl", "hetnet.nl", "xs4all.nl", "home.nl"),
    *("casema.nl", "chello.nl", "upcmail.nl", "quicknet.nl", "hotmail.nl", "live.nl", "tele2.nl"),
    *("orange.fr", "wanadoo.fr", "free.fr", "sfr.fr", "laposte.net", "hotmail.fr", "live.fr"),
    *("outlook.fr", "yahoo.fr", "bbox.fr", "neuf.fr", "numericable.fr", "club-internet.fr"),
    *("web.de", "gmx.de", "gmx.net", "t-online.de", "freenet.de", "posteo.de", "mailbox.org"),
    *("arcor.de", "hotmail.de", "outlook.de", "yahoo.de", "live.de", "vodafone.de", "1und1.de"),
    *("pt.lu", "internet.lu", "vo.lu", "gmx.at", "bluewin.ch", "btinternet.com", "yahoo.co.uk"),
)
"""Where most of the customers of our markets have their mail; a shop may add its own."""

_LOCAL = re.compile(r"[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9_+-])?")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,18}")


@dataclass(frozen=True, slots=True)
class OrderFormat:
    """How a shop writes its order numbers: ``prefix`` ("BE-") and so many digits."""

    prefix: str
    digits: int

    def number(self, digits: str) -> str:
        """Return the number with these digits."""
        return f"{self.prefix}{digits}"

    def fits(self, digits: str) -> bool:
        """Can these be its digits?"""
        return digits.isdigit() and len(digits) == self.digits


def valid_postcode(postcode: str, country: str) -> bool:
    """Can this be a postcode of the country? Unknown countries take 3 to 10 signs."""
    plain = re.sub(r"[\s-]", "", postcode).upper()
    pattern = _POSTCODES.get(country)
    if pattern is None:
        return bool(re.fullmatch(r"[0-9A-Z]{3,10}", plain))
    return bool(pattern.fullmatch(plain))


def write_postcode(postcode: str, country: str) -> str:
    """Return a postcode as its country writes it: "1011 AB"."""
    plain = re.sub(r"[\s-]", "", postcode).upper()
    return f"{plain[:4]} {plain[4:]}" if country == "NL" and len(plain) == 6 else plain


def valid_email(address: str) -> bool:
    """Can this be an address? Stricter than the standard: quoted and foreign ones are typed."""
    local, at, domain = address.partition("@")
    if not at or len(address) > 254 or ".." in local:
        return False
    return bool(_LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain))


def valid_luhn(digits: str) -> bool:
    """Is the last digit the check digit of the others (cards, many tracking numbers)?"""
    return bool(luhn.is_valid(re.sub(r"\D", "", digits)))


def valid_iban(text: str) -> bool:
    """Is this an IBAN with the right length and check digits?"""
    try:
        iban.validate(text, check_country=False)
    except ValidationError:
        return False
    return True
