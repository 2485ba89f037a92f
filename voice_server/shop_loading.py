"""Reads the shop packs a server is to serve."""

from __future__ import annotations

from voice_server.config import Settings
from voice_server.shop.pack import load, resolve
from voice_server.shop.pack_reader import PackError
from voice_server.start_failed import StartFailed
from voice_server.tenants import Tenant, Tenants, UnknownShop


def load_tenants(settings: Settings) -> Tenants:
    """Return the shops of the settings, their packs read and checked; nothing is learnt yet.

    Raises:
        StartFailed: a pack is missing or wrong, or a setting names a shop that is not served.
    """
    tenants: list[Tenant] = []
    for name in settings.shop:
        try:
            shop = load(resolve(name))
        except (PackError, FileNotFoundError) as error:
            raise StartFailed(f"the shop pack {name!r} cannot be used: {error}") from None
        tenants.append(Tenant(shop, f"/s/{shop.id}" if tenants else "/shop"))
    try:
        found = Tenants(tenants, settings.shop_hosts)
        for shop_id in settings.shop_keys:
            found.get(shop_id)
    except UnknownShop as error:
        raise StartFailed(f"shop_keys: {error.args[0]}") from None
    except ValueError as error:
        raise StartFailed(str(error)) from None
    return found
