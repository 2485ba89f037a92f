"""The shop platforms: one file each, one line each in :data:`CONNECTORS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from voice_server.shop.connectors import mapping
from voice_server.shop.connectors.bol import Bol
from voice_server.shop.connectors.builtin import BuiltinPlatform
from voice_server.shop.connectors.http import Clock, Http
from voice_server.shop.connectors.ledger import JsonLines, Ledger
from voice_server.shop.connectors.resilience import Limits
from voice_server.shop.connectors.rest import RestPlatform, authorization
from voice_server.shop.connectors.shopify import Shopify
from voice_server.shop.connectors.woocommerce import WooCommerce
from voice_server.shop.platform import ShopPlatform
from voice_server.shop.platform_config import ConfigError, PlatformConfig, is_loopback
from voice_server.shop.shop import Shop


@dataclass(frozen=True, slots=True)
class Opening:
    """What a connector is built from."""

    config: PlatformConfig
    shop: Shop
    data: Path | None
    environ: Mapping[str, str] | None
    clock: Clock

    @property
    def limits(self) -> Limits:
        """The deadlines of ``[platform] timeout_s``, three seconds if it says nothing."""
        request_s = self.config.number("timeout_s", Limits().request_s)
        return Limits(request_s, max(5.0, 1.5 * request_s), max(8.0, 2.5 * request_s))

    def http(self) -> Http:
        """Return the platform's connections."""
        here = is_loopback(urlsplit(self.config.url).hostname or "")
        return Http(self.config.type, limits=self.limits, clock=self.clock, proxied=not here)

    def ledger(self) -> Ledger:
        """Return the ledger of writes, on disk if there is a data folder."""
        if self.data is None:
            return Ledger()
        return Ledger(JsonLines(self.data / f"platform-{self.shop.id}-{self.config.type}.jsonl"))

    def secret(self, key: str) -> str:
        """Return a credential. Raises ConfigError."""
        return self.config.secret(key, self.environ)


def _builtin(given: Opening) -> ShopPlatform:
    journal = JsonLines(given.data / f"orders-{given.shop.id}.jsonl") if given.data else None
    return BuiltinPlatform(given.shop, journal=journal)


def _shopify(given: Opening) -> ShopPlatform:
    refund = given.config.flag("refund_on_cancel", default=False)
    token = given.secret("token_env")
    return Shopify(given.http(), given.config.url, token, given.ledger(), refund_on_cancel=refund)


def _woocommerce(given: Opening) -> ShopPlatform:
    words = mapping.statuses(given.config.table("statuses"), "platform.statuses")
    key, secret = given.secret("key_env"), given.secret("secret_env")
    return WooCommerce(given.http(), given.config.url, key, secret, given.ledger(), statuses=words)


def _bol(given: Opening) -> ShopPlatform:
    return Bol(
        given.http(),
        given.secret("client_env"),
        given.secret("secret_env"),
        given.ledger(),
        offers=given.config.table("offers"),
        url=given.config.url or "https://api.bol.com",
        login=given.config.text("login", "https://login.bol.com").rstrip("/"),
        sandbox=given.config.flag("sandbox", default=False),
    )


def _mapped(given: Opening, *, mcp: bool) -> tuple[mapping.PlatformMap, dict[str, str]]:
    """Return the mapping and the headers of its ``[auth]``."""
    file = given.config.folder / given.config.text("mapping")
    if not file.resolve().is_relative_to(given.config.folder.resolve()):
        raise ConfigError("[platform] mapping must be a file of the pack")
    found = mapping.load(file, given.shop.market.currency, mcp=mcp)
    kind = found.auth.get("kind", "none")
    keys = {"none": (), "bearer": ("token_env",), "header": ("token_env",)}
    keys["basic"] = ("user_env", "password_env")
    if kind not in keys:
        raise ConfigError(f"[auth] kind {kind!r}: use one of {', '.join(keys)}")
    secrets = tuple(given.secret(key) for key in keys[kind])
    return found, authorization(kind, found.auth.get("header", "X-Api-Key"), secrets)


def _rest(given: Opening) -> ShopPlatform:
    found, headers = _mapped(given, mcp=False)
    return RestPlatform(given.http(), given.config.url, headers, found, given.ledger())


def _mcp(given: Opening) -> ShopPlatform:
    from voice_server.shop.connectors.mcp import McpPlatform

    found, headers = _mapped(given, mcp=True)
    try:
        return McpPlatform(
            given.config.url, headers, found, given.ledger(), given.limits, given.clock
        )
    except ModuleNotFoundError:
        raise ConfigError(
            "[platform] type \"mcp\" needs the extra: pip install 'voice-server[mcp]'"
        ) from None


CONNECTORS: Mapping[str, Callable[[Opening], ShopPlatform]] = {
    "builtin": _builtin,
    "shopify": _shopify,
    "woocommerce": _woocommerce,
    "bol": _bol,
    "rest": _rest,
    "mcp": _mcp,
}


def open_platform(
    config: PlatformConfig,
    shop: Shop,
    *,
    data: Path | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> ShopPlatform:
    """Return a shop's platform; nothing is sent yet. Close it with its ``close()``.

    Reads the data folder (milliseconds): call it at the start, or in a worker thread.

    Args:
        config: the ``[platform]`` table (:func:`voice_server.shop.platform_config.load`).
        shop: the pack.
        data: folder for what must survive a restart; None keeps it in memory.
        environ: where credentials are looked up; None is the process's environment.
        clock: time and chance, for tests.

    Raises:
        ConfigError: the table is wrong or a credential is missing; the text says what to do.
        OSError: the data folder cannot be read.
    """
    return CONNECTORS[config.type](Opening(config, shop, data, environ, clock or Clock()))
