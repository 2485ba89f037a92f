"""The procedures of a shop, put together from its pack: platform, identity, flows, people.

One :class:`Procedures` lives as long as its shop is served.  An edited pack gets new flows from
:meth:`Procedures.flows`, on the same platform: a change of ``[platform]`` or of the built-in
store's orders needs a restart, because two stores would keep two truths of one order.
"""

from __future__ import annotations

import asyncio

import aiohttp

from voice_server.config import Settings
from voice_server.dialogue.flows.ports import HandOffs
from voice_server.dialogue.flows.shop_flows import FlowFacts, ShopFlows
from voice_server.identities import identity_service, proofs_for
from voice_server.shop import platform_config
from voice_server.shop.connectors import open_platform
from voice_server.shop.connectors.builtin import BuiltinPlatform
from voice_server.shop.offers import Offers
from voice_server.shop.platform import Capability
from voice_server.shop.shop import Shop


class Procedures:
    """What a shop's flows work on."""

    def __init__(
        self,
        shop: Shop,
        settings: Settings,
        http: aiohttp.ClientSession,
        hand_offs: HandOffs | None = None,
    ) -> None:
        """Open the platform; reads the data folder, so call it in a worker thread or at the start.

        Args:
            shop: whose procedures.
            settings: the data folder, and how one-time codes are sent.
            http: the application's client, for codes by webhook.
            hand_offs: the shop's desk; None: callers are told the telephone number.

        Raises:
            ConfigError: ``[platform]`` is wrong, or a credential is missing.
            ValueError: codes cannot be sent as the settings say.
            OSError: the data folder cannot be read.
        """
        config = platform_config.load(shop.folder)
        self.platform = open_platform(config, shop, data=settings.data)
        self.identity = identity_service(shop, self.platform, settings, http)
        self._hand_offs = hand_offs
        # The built-in store sells the pack: there is nothing newer to ask it for.
        asks = Capability.OFFERS in self.platform.capabilities
        elsewhere = not isinstance(self.platform, BuiltinPlatform)
        self.offers = Offers(self.platform, shop) if asks and elsewhere else None
        """Prices and stock now; None where the pack's are the truth."""

    def flows(self, shop: Shop, facts: FlowFacts) -> ShopFlows:
        """Return the flows of a pack, as it is now.

        Raises:
            FlowError: a file in its ``flows/`` is wrong.
            ValueError: a text file there is wrong.
        """
        return ShopFlows(
            shop,
            facts,
            self.platform,
            lambda session_id: self.identity.open(),
            hand_offs=self._hand_offs,
            proofs=proofs_for(shop),
        )

    async def close(self) -> None:
        """Wait for codes under way and close the platform; close the dialogue before."""
        if self.offers is not None:
            await self.offers.close()
        await asyncio.gather(self.identity.close(), self.platform.close())
