"""What a server keeps of its conversations: storage, memories, prompts and staff translations.

Part of the composition: :class:`Bookkeeping` is opened by the app before it listens, and closed
after the last caller has gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from voice_server.config import Settings
from voice_server.desk.settings import DeskSettings, load_desk
from voice_server.desk.translation import Translator
from voice_server.dialogue.guards.masking import Masker
from voice_server.dialogue.journal import AnsweredTurn
from voice_server.dialogue.llm.model import LanguageModel
from voice_server.dialogue.memory.digest import Digester
from voice_server.dialogue.memory.keeper import StateKeeper
from voice_server.dialogue.prompts.registry import PromptRegistry
from voice_server.dialogue.prompts.version import PromptError
from voice_server.dialogue.recollection import Records
from voice_server.dialogue.translation import ModelTranslate, StaffTranslation
from voice_server.records import (
    DataClass,
    Event,
    EventLog,
    Said,
    StorageError,
    TurnStore,
)
from voice_server.shop.pack_reader import PackError
from voice_server.shop.shop import Shop
from voice_server.start_failed import StartFailed
from voice_server.storage import Storage, open_storage
from voice_server.trust.subjects import LINKED, Means, Subjects, read_key, words_digest

log = logging.getLogger(__name__)

TRANSLATE_S = 60.0
"""One turn for staff: nobody waits, and the embedded model writes ten tokens a second."""


LINKS = 10_000
"""Links noted lately, so that each is noted once."""

TIDY_S = 900.0
"""Between looks for what is older than it may be; the first comes when the start is long over."""


class _Store(EventLog, TurnStore, Protocol):
    """Where a journal writes."""


class ShopJournal:
    """Writes a shop's answered turns down, masked, and has them translated."""

    def __init__(
        self,
        store: _Store,
        translation: StaffTranslation,
        shop_id: str,
        masker: Masker,
        subjects: Subjects,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``translation`` and ``masker`` are the shop's."""
        self._store = store
        self._translation = translation
        self._shop_id = shop_id
        self._masker = masker
        self._subjects = subjects
        self._now = now
        self._linked: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def answered(self, turn: AnsweredTurn) -> None:
        """See :class:`voice_server.dialogue.journal.Journal`."""
        decision, at, given = turn.decision, self._now(), turn.given
        user = self._masker.user(turn.user, turn.user_language, given)
        ours = self._masker.assistant(turn.assistant, decision.language or "en", given)
        if user:
            self._add(f"{decision.reply_id}:user", "user", user, turn, at)
        if ours:
            self._add(decision.reply_id, "assistant", ours, turn, at)
        record = {**decision.to_json(), "words": words_digest((user, ours))}
        self._store.append(Event(decision.session_id, self._shop_id, "turn.answered", record, at))
        if turn.order:
            self.link(decision.session_id, turn.order, "proved")
        for contact in self._masker.contacts(turn.user, turn.user_language):
            self.link(decision.session_id, contact, "said")

    def link(self, session_id: str, identifier: str, means: Means) -> None:
        """Note whose a conversation is, as a digest, once."""
        digest = self._subjects.digest(identifier)
        key = (session_id, digest, means)
        if key in self._linked:
            return
        self._linked[key] = None
        while len(self._linked) > LINKS:
            self._linked.popitem(last=False)
        payload = {"subject": digest, "means": means}
        self._store.append(Event(session_id, self._shop_id, LINKED, payload, self._now()))

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

    def __init__(
        self, settings: Settings, storage: Storage, prompts: PromptRegistry, subjects: Subjects
    ) -> None:
        """Made by :meth:`open`."""
        self._settings = settings
        self.storage = storage
        self.prompts = prompts
        self._subjects = subjects
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
        subjects = await asyncio.to_thread(open_subjects, settings)
        storage = await open_storage(settings.database.get_secret_value(), settings.data)
        return cls(settings, storage, prompts, subjects)

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
        masker = Masker(public_of(shop))
        journal = ShopJournal(self.storage, translation, shop.id, masker, self._subjects)
        return Records(shop.id, keeper, journal, self._digests(model), masker)

    def welcome(
        self, shop_id: str, session_id: str, customer: str, consent: Mapping[str, object]
    ) -> None:
        """Note whose a conversation is, and what they agreed to, as the shop's server says.

        Without a consent ``customer`` is the number that called.
        """
        now, means = datetime.now(UTC), "signed" if consent else "called"
        subject = {"subject": self._subjects.digest(customer), "means": means}
        self.storage.append(Event(session_id, shop_id, LINKED, subject, now))
        if consent:
            self.storage.append(Event(session_id, shop_id, "consent.told", consent, now))

    async def run(self) -> None:
        """Write, translate and watch the prompts, for ever."""
        async with asyncio.TaskGroup() as workers:
            self._workers = workers
            workers.create_task(self.storage.run())
            workers.create_task(self.prompts.watch())
            workers.create_task(self._tidy())
            for translation in self._translations:
                workers.create_task(translation.run())
            if self._digester is not None:
                workers.create_task(self._digester.run())

    async def close(self) -> None:
        """Write what is left, boundedly; call after :meth:`run` was cancelled."""
        for translation in self._translations:
            translation.close()
        await self.storage.close()

    async def _tidy(self) -> None:
        """Forget, every quarter of an hour, what is older than the settings allow."""
        while True:
            await asyncio.sleep(TIDY_S)
            try:
                await self.forget(datetime.now(UTC))
            except StorageError as error:
                log.warning("what is too old could not be erased, it is tried again: %s", error)

    async def forget(self, now: datetime) -> None:
        """Erase what is older than it may be: words, the log, and states whose time is over.

        Raises:
            StorageError: the database cannot be used.
        """
        settings = self._settings
        ages: tuple[tuple[DataClass, float], ...] = (
            ("turns", settings.keep_turns_days),
            ("events", settings.keep_events_days),
            ("calls", settings.keep_events_days),
            ("sessions", 0.0),
        )
        for what, days in ages:
            gone = await self.storage.erase_before(now - timedelta(days=days), what)
            if gone:
                log.info("%d %s were older than they may be and are erased", gone, what)

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


async def open_books(settings: Settings) -> Bookkeeping:
    """Open everything. Raises StartFailed."""
    try:
        return await Bookkeeping.open(settings)
    except (StorageError, PromptError) as error:
        raise StartFailed(str(error)) from None


def open_subjects(settings: Settings) -> Subjects:
    """Return what makes digests of customers' identifiers, by the key in the data folder.

    Raises:
        StorageError: there is no usable key, and none can be made.
    """
    key = settings.customer_key.get_secret_value().encode()
    try:
        return Subjects(key or read_key(settings.data / "customers.key"))
    except (OSError, ValueError) as error:
        raise StorageError(f"the key for customers' digests cannot be used: {error}") from error


def public_of(shop: Shop) -> tuple[str, ...]:
    """Return what is public of a shop and looks personal: its contacts and addresses."""
    policies = shop.policies
    lines = (line.number for line in shop.phone)
    return (policies.phone, policies.email, *policies.pickup_points, *lines)


def _desk(shop: Shop) -> DeskSettings:
    try:
        return load_desk(shop.folder)
    except PackError as error:
        log.warning("%s: staff read %s: %s", shop.name, shop.default_language, error)
        return DeskSettings(language=shop.default_language)
