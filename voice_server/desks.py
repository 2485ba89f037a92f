"""Opens the desk of a shop from its pack: the one place where its parts are put together."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from voice_server.config import Settings
from voice_server.conversation.mutable import MutableConversation
from voice_server.desk.builder import PacketBuilder, Summarise
from voice_server.desk.calls import CallTexts
from voice_server.desk.hours import DeskHours
from voice_server.desk.outbox import Outbox
from voice_server.desk.outbox_store import OutboxStore
from voice_server.desk.registry import DeskUnusable, make_desk
from voice_server.desk.service import DeskService
from voice_server.desk.settings import DeskSettings, load_desk
from voice_server.desk.translation import Translate, Translator
from voice_server.desk_line import DeskHandOffs, Emit, WithDialogue, open_with_desk
from voice_server.dialogue.llm.model import LanguageModel
from voice_server.dialogue.translation import ModelTranslate
from voice_server.shop.pack_reader import PackError
from voice_server.shop.shop import Shop
from voice_server.summaries import ModelSummarise
from voice_server.web.desk import Desks, add_desk

log = logging.getLogger(__name__)


class OpenDesks:
    """The desks of all shops of a server; the app opens one when it opens a shop."""

    def __init__(self, settings: Settings) -> None:
        """``settings``: the data folder and the vendors' secrets."""
        self._settings = settings
        self._desks: dict[str, DeskService] = {}
        self._kinds: dict[str, str] = {}
        self._models: dict[str, LanguageModel | None] = {}
        self._read: dict[str, DeskSettings] = {}

    async def open(self, shop: Shop, model: LanguageModel | None) -> DeskService:
        """Open a shop's desk; the caller runs :meth:`DeskService.run`.

        Raises:
            DeskUnusable: it cannot work; the message says what to do.
        """
        settings = self._settings
        try:
            service = await open_desk(
                shop,
                settings.data,
                *_helpers(model),
                token=settings.desk_token.get_secret_value(),
                secret=settings.desk_secret.get_secret_value(),
            )
        except (PackError, OSError, sqlite3.Error) as error:
            raise DeskUnusable(f"the desk of {shop.name} cannot be opened: {error}") from None
        self._desks[shop.id], self._models[shop.id] = service, model
        self._kinds[shop.id] = service.desk.name
        return service

    def read(self, shop: Shop) -> None:
        """Read the ``[desk]`` of an edited pack, for :meth:`renew`; blocks, call it in a thread."""
        try:
            self._read[shop.id] = load_desk(shop.folder)
        except PackError as error:
            log.error("the desk of %s stays as it was: %s", shop.name, error)

    def renew(self, shop: Shop) -> None:
        """Let the desk work as the edited pack says: hours, rules, language, glossary, names.

        Another vendor, or another account there, needs a restart.
        """
        service, settings = self._desks.get(shop.id), self._read.pop(shop.id, None)
        if service is None or settings is None:
            return
        if settings.kind != self._kinds[shop.id]:
            log.error(
                "the desk of %s is still %s: restart the server for %s",
                shop.name, self._kinds[shop.id], settings.kind,
            )  # fmt: skip
        parts = desk_parts(shop, settings, *_helpers(self._models[shop.id]))
        service.renew(*parts, callbacks=settings.callbacks)

    def hand_offs(self, shop_id: str) -> DeskHandOffs | None:
        """Return what the shop's flows hand conversations over with, once its desk is open."""
        service = self._desks.get(shop_id)
        return None if service is None else DeskHandOffs(service)

    def get(self, shop_id: str) -> DeskService | None:
        """Return the desk of a shop, once it is open."""
        return self._desks.get(shop_id)

    def join(
        self,
        shop_id: str,
        session_id: str,
        emit: Emit,
        make: Callable[[Emit], WithDialogue],
        *,
        channel: str,
        phone: str = "",
    ) -> MutableConversation:
        """Return a conversation that the shop's people can take over; ``phone``: who calls."""
        service = self._desks.get(shop_id)
        if service is None:
            return MutableConversation(make(emit), emit)
        return open_with_desk(service, session_id, emit, make, channel=channel, phone=phone)

    def add_routes(self, application: web.Application) -> None:
        """Serve the desk's page, its API and the vendors' webhooks."""
        add_desk(application, Desks(lambda: list(self._desks.items())))


async def open_desk(
    shop: Shop,
    folder: Path,
    translate: Translate | None = None,
    summarise: Summarise | None = None,
    *,
    token: str = "",
    secret: str = "",
    alarm: Callable[[str, str], None] = lambda packet_id, error: None,
) -> DeskService:
    """Return a shop's desk; run :meth:`DeskService.run` in a task, which closes it at its end.

    ``folder`` is the server's data folder; a shop's files lie in ``desk/<shop id>``.  ``token``
    and ``secret`` are the vendor's; ``alarm`` hears of hand-offs that nobody could be given.

    Raises:
        PackError: the ``[desk]`` of the pack is wrong.
        DeskUnusable: the vendor needs something that is missing.
        OSError, sqlite3.Error: the files cannot be opened.
    """
    own = folder / "desk" / shop.id
    settings = await asyncio.to_thread(load_desk, shop.folder)
    desk = await asyncio.to_thread(make_desk, settings, own, token=token, secret=secret)
    store = await asyncio.to_thread(OutboxStore, own / "outbox.db")
    parts = desk_parts(shop, settings, translate, summarise)
    return DeskService(desk, Outbox(store, desk, alarm=alarm), *parts, callbacks=settings.callbacks)


def desk_parts(
    shop: Shop,
    settings: DeskSettings,
    translate: Translate | None = None,
    summarise: Summarise | None = None,
) -> tuple[PacketBuilder, DeskHours, Translator, CallTexts]:
    """Return the parts of a desk that follow from the pack."""
    products = {product.text(settings.language).name for product in shop.catalogue}
    translator = Translator(
        translate,
        internal_language=settings.language,
        glossary=settings.glossary,
        names=(shop.name, *_proper_names(products)),
    )
    return (
        PacketBuilder(shop.id, shop.market, settings.rules, settings.language, summarise=summarise),
        DeskHours(shop.policies.hours, shop.market),
        translator,
        CallTexts(shop.name, settings.language),
    )


def _helpers(model: LanguageModel | None) -> tuple[Translate | None, Summarise | None]:
    """Return what a model does for people at the desk."""
    if model is None:
        return None, None
    # The embedded model would need ten seconds for what has to be there in two.
    return ModelTranslate(model), None if model.embedded else ModelSummarise(model)


def _proper_names(products: set[str]) -> list[str]:
    """Return the words of product names that are the same in every language: "Oslo"."""
    words = {word for name in products for word in name.split()[1:] if word[:1].isupper()}
    return sorted(word for word in words if word.isalpha() and len(word) > 2)
