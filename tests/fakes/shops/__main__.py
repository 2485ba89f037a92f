"""Run a fake vendor for a demonstration: ``python -m tests.fakes.shops shopify --port 9200``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib

from tests.fakes.shops import bol, mcp, rest, shopify, woocommerce
from tests.fakes.shops.server import FakeShop

FAKES: dict[str, tuple[type[FakeShop], dict[str, str], dict[str, str]]] = {
    "shopify": (shopify.FakeShopify, {"token_env": "SHOP_TOKEN"}, {"SHOP_TOKEN": shopify.TOKEN}),
    "woocommerce": (
        woocommerce.FakeWooCommerce,
        {"key_env": "WOO_KEY", "secret_env": "WOO_SECRET"},
        {"WOO_KEY": woocommerce.KEY, "WOO_SECRET": woocommerce.SECRET},
    ),
    "bol": (
        bol.FakeBol,
        {"client_env": "BOL_CLIENT", "secret_env": "BOL_SECRET"},
        {"BOL_CLIENT": bol.CLIENT, "BOL_SECRET": bol.SECRET},
    ),
    "rest": (
        rest.FakeRest,
        {"mapping": "platform.toml", "token_env": "REST_TOKEN"},
        {"REST_TOKEN": rest.TOKEN},
    ),
    "mcp": (
        mcp.FakeMcp,
        {"mapping": "platform.toml", "token_env": "REST_TOKEN"},
        {"REST_TOKEN": rest.TOKEN},
    ),
}
MAPPINGS = {"rest": rest.MAPPING, "mcp": mcp.MAPPING}


def instructions(name: str, fake: FakeShop) -> str:
    """What to write into shop.toml, platform.toml and the environment."""
    _, keys, secrets = FAKES[name]
    table = {"type": name, "url": fake.url, **keys}
    if name == "bol":
        table["login"] = fake.url
    lines = ["# shop.toml", "[platform]", *(f'{key} = "{value}"' for key, value in table.items())]
    lines += ["", "# environment", *(f"export {key}={value}" for key, value in secrets.items())]
    if name in MAPPINGS:
        lines += ["", "# platform.toml", MAPPINGS[name].strip()]
    lines += ["", f"# orders: {', '.join(fake.world.orders)}"]
    return "\n".join(lines)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=FAKES)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    fake = FAKES[given.name][0]()
    fake.port = given.port
    async with fake:
        print(instructions(given.name, fake), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
