"""The ``[platform]`` table of shop.toml: which platform knows the orders, and how it is reached.

Credentials never stand in a pack, which is copied, mailed and versioned: the table names the
environment variables that hold them (``token_env = "SHOPIFY_TOKEN"``).
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "builtin": (),
        "shopify": ("url", "token_env"),
        "woocommerce": ("url", "key_env", "secret_env"),
        "bol": ("client_env", "secret_env"),
        "rest": ("url", "mapping"),
        "mcp": ("url", "mapping"),
    }
)
"""The types there are, each with the keys it cannot do without."""

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{1,63}")


class ConfigError(ValueError):
    """The table cannot be used: for the operator, with a remedy; never names a secret."""


@dataclass(frozen=True, slots=True)
class PlatformConfig:
    """The table as it was read; ``options`` are the keys of the type."""

    type: str = "builtin"
    folder: Path = field(default_factory=Path)
    """Of the pack: paths in the table are relative to it."""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The base URL without a slash at its end, "" if there is none."""
        return self.text("url").rstrip("/")

    def text(self, key: str, default: str = "") -> str:
        """Return a text. Raises ConfigError."""
        value = self.options.get(key, default)
        if not isinstance(value, str):
            raise ConfigError(f"[platform] '{key}' must be a text: write {key} = \"...\"")
        return value

    def number(self, key: str, default: float) -> float:
        """Return a number above zero. Raises ConfigError."""
        value = self.options.get(key, default)
        number = int | float | Decimal  # a pack's TOML is read with exact decimals
        if isinstance(value, bool) or not isinstance(value, number) or not value > 0:
            raise ConfigError(f"[platform] '{key}' must be a number above zero")
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false. Raises ConfigError."""
        value = self.options.get(key, default)
        if not isinstance(value, bool):
            raise ConfigError(f"[platform] '{key}' must be true or false")
        return value

    def table(self, key: str) -> Mapping[str, str]:
        """Return a sub-table of texts, empty when it is absent. Raises ConfigError."""
        value = self.options.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise ConfigError(f'[platform.{key}] must hold texts: write name = "..."')
        return value

    def secret(self, key: str, environ: Mapping[str, str] | None = None) -> str:
        """Return the value of the environment variable that ``key`` names. Raises ConfigError."""
        variable = self.text(key)
        if not _VARIABLE.fullmatch(variable):
            raise ConfigError(
                f"[platform] '{key}' must name an environment variable such as SHOP_TOKEN; "
                "the secret itself never stands in a pack"
            )
        value = (os.environ if environ is None else environ).get(variable, "").strip()
        if not value:
            raise ConfigError(
                f"the environment variable {variable} is empty: [platform] '{key}' needs it"
            )
        return value


def load(folder: Path) -> PlatformConfig:
    """Read the table of a pack's shop.toml; without one the built-in store is meant.

    Raises:
        ConfigError: the table is wrong; the text says what to write.
    """
    try:
        data = tomllib.loads((folder / "shop.toml").read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"shop.toml cannot be read: {error}") from None
    return parse(data.get("platform", {}), folder)


def parse(table: object, folder: Path) -> PlatformConfig:
    """Check the table.

    Raises:
        ConfigError: the table is wrong; the text says what to write.
    """
    if not isinstance(table, dict):
        raise ConfigError("'platform' must be a table: write [platform] and its keys below")
    kind = table.get("type", "builtin")
    if kind not in REQUIRED:
        raise ConfigError(f"[platform] type {kind!r} is unknown: use one of {', '.join(REQUIRED)}")
    options = {key: value for key, value in table.items() if key != "type"}
    config = PlatformConfig(kind, folder, MappingProxyType(options))
    for key in REQUIRED[kind]:
        if not config.text(key):
            raise ConfigError(f"[platform] '{key}' is missing: type \"{kind}\" needs it")
    for key in options:
        if key.endswith("_env") and not _VARIABLE.fullmatch(config.text(key)):
            raise ConfigError(
                f"[platform] '{key}' must name an environment variable such as SHOP_TOKEN; "
                "the secret itself never stands in a pack"
            )
    if config.url:
        _check_url(config.url, plain=config.flag("allow_http", default=False))
    return config


def is_loopback(host: str) -> bool:
    """This machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_url(url: str, *, plain: bool) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise ConfigError(f"[platform] url {url!r} must look like https://shop.example")
    if parts.username or parts.password:
        raise ConfigError("[platform] url must not carry a user name or password")
    if parts.scheme == "http" and not plain and not is_loopback(host):
        raise ConfigError(
            "[platform] url must begin with https://; 'allow_http = true' allows plain http"
        )
