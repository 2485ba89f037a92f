"""What a server keeps of its conversations: storage, memories, prompts and staff translations.

Part of the composition: :class:`Bookkeeping` is opened by the app before it listens, and closed
after the last caller has gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from voice_server.config import Settings
from voice_server.desk.settings import DeskSettings, load_desk
from voice_server.desk.translation import Translator
from voice_server.dialogue.journal import AnsweredTurn
from voice_server.dialogue.llm.model import LanguageModel
from voice_server.dialogue.memory.digest import Digester
from voice_server.dialogue.memory.keeper import StateKeeper
from voice_server.dialogue.prompts.registry import PromptRegistry
from voice_server.dialogue.recollection import Records
from voice_server.dialogue.translation import ModelTranslate, StaffTranslation
from voice_server.records import Event, EventLog, Said, TurnStore
from voice_server.shop.pack_reader import PackError
from voice_server.shop.shop import Shop
from voice_server.storage import Storage, open_storage

log = logging.getLogger(__name__)

TRANSLATE_S = 60.0
"""One turn for staff: nobody waits, and the embedded model writes ten tokens a second."""


class _Store(EventLog, TurnStore, Protocol):
    """Where a journal writes."""


class ShopJournal:
    """Writes a shop's answered turns down, and has them translated."""

    def __init__(
        self,
        store: _Store,
        translation: StaffTranslation,
        shop_id: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``translation`` is the shop's."""
        self._store = store
        self._translation = translation
        self._shop_id = shop_id
        self._now = now

    def answered(self, turn: AnsweredTurn) -> None:
        """See :class:`voice_server.dialogue.journal.Journal`."""
        decision, at = turn.decision, self._now()
        record = decision.to_json()
        if turn.user:
            self._add(f"{decision.reply_id}:user", "user", turn.user, turn, at)
        if turn.assistant:
            self._add(decision.reply_id, "assistant", turn.assistant, turn, at)
        self._store.append(Event(decision.session_id, self._shop_id, "turn.answered", record, at))

    def _add(self, id: str, role: str, text: str, turn: AnsweredTurn, at: datetime) -> None:
        decision = turn.decision
        ours = role == "assistant"
        language = decision.language if ours else turn.user_language
        state = self._translation.state_of(text, language)
        self._store.add(
            Said(
                id,
                decision.session_id,
                self._shop_id,
                "assistant" if ours else "user",
                text,
                language,
                at,
                intent=decision.intent,
                source_ids=decision.facts if ours else (),
                decision=decision.to_json() if ours else {},
                translation_language=self._translation.language,
                translation_state=state,
            )
        )
        self._translation.submit(id, text, language)


class Bookkeeping:
    """Everything that is kept, for all shops of a server."""

    def __init__(self, settings: Settings, storage: Storage, prompts: PromptRegistry) -> None:
        """Made by :meth:`open`."""
        self._settings = settings
        self.storage = storage
        self.prompts = prompts
        self._translations: list[StaffTranslation] = []
        self._digester: Digester | None = None
        self._workers: asyncio.TaskGroup | None = None

    @classmethod
    async def open(cls, settings: Settings) -> Bookkeeping:
        """Open the database and read the prompts.

        Raises:
            StorageError: the database cannot be used.
            PromptError: a file of the operator's prompts cannot be used.
        """
        folder: Path = settings.data / "prompts"
        prompts = await asyncio.to_thread(PromptRegistry, folder)
        storage = await open_storage(settings.database.get_secret_value(), settings.data)
        return cls(settings, storage, prompts)

    async def records(
        self, shop: Shop, model: LanguageModel | None, quiet: Callable[[], bool]
    ) -> Records:
        """Return where a shop's dialogues are remembered and reported.

        ``quiet`` says whether nobody is connected: the embedded model translates only then.
        """
        desk = _desk(shop)
        translation = StaffTranslation(
            self._translator(shop, desk, model),
            self.storage,
            desk.language,
            ready=lambda: model is not None and model.ready and (not model.embedded or quiet()),
        )
        self._translations.append(translation)
        if self._workers is not None:
            self._workers.create_task(translation.run())
        keeper = StateKeeper(self.storage, shop.id, self._settings.remember_s)
        found = await keeper.preload()
        if found:
            log.info("%s: %d conversations can be gone on with", shop.name, found)
        journal = ShopJournal(self.storage, translation, shop.id)
        return Records(shop.id, keeper, journal, self._digests(model))

    async def run(self) -> None:
        """Write, translate and watch the prompts, for ever."""
        async with asyncio.TaskGroup() as workers:
            self._workers = workers
            workers.create_task(self.storage.run())
            workers.create_task(self.prompts.watch())
            for translation in self._translations:
                workers.create_task(translation.run())
            if self._digester is not None:
                workers.create_task(self._digester.run())

    async def close(self) -> None:
        """Write what is left, boundedly; call after :meth:`run` was cancelled."""
        for translation in self._translations:
            translation.close()
        await self.storage.close()

    def _digests(self, model: LanguageModel | None) -> Digester | None:
        """Return the one queue of digests; the embedded model has callers to serve."""
        if model is None or model.embedded:
            return None
        if self._digester is None:
            self._digester = Digester(model)
            if self._workers is not None:
                self._workers.create_task(self._digester.run())
        return self._digester

    def _translator(
        self, shop: Shop, desk: DeskSettings, model: LanguageModel | None
    ) -> Translator | None:
        if model is None:
            return None
        return Translator(
            ModelTranslate(model),
            internal_language=desk.language,
            glossary=desk.glossary,
            names=(shop.name, *(product.model for product in shop.catalogue)),
            deadline_s=TRANSLATE_S,
        )


def _desk(shop: Shop) -> DeskSettings:
    try:
        return load_desk(shop.folder)
    except PackError as error:
        log.warning("%s: staff read %s: %s", shop.name, shop.default_language, error)
        return DeskSettings(language=shop.default_language)
