"""The composition root: builds everything from the settings, starts, drains and stops it."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
from aiohttp import web

from voice_server.bookkeeping import Bookkeeping, open_books
from voice_server.config import Settings
from voice_server.conversation.services import Services
from voice_server.desk.registry import DeskUnusable
from voice_server.desks import OpenDesks
from voice_server.dialogue.embedder import UniversalSentenceEncoder
from voice_server.dialogue.flows.shop_flows import ShopFlows
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.llm.client import ChatEndpoint
from voice_server.dialogue.llm.embedded import EmbeddedModel
from voice_server.dialogue.llm.model import LanguageModel
from voice_server.dialogue.manager import ShopDialogue
from voice_server.dialogue.prompt import prefix
from voice_server.dialogue.recollection import Records
from voice_server.dialogue.resources import DialogueOptions
from voice_server.engines import Engines, load_listeners, load_voices
from voice_server.idle_work import tidy, warm_phrases
from voice_server.model_keeping import keep_embedded, make_model, probe
from voice_server.phone_book import PhoneBook, keep_calls, open_phone_book
from voice_server.phone_handoffs import PhoneHandOffs
from voice_server.procedures import Procedures
from voice_server.realtime.rest_backend import RestBackend
from voice_server.realtime.returning import Returning
from voice_server.shop.shop import Shop
from voice_server.shop_loading import load_tenants
from voice_server.shows import ShopEngines, Shows
from voice_server.speech.clauses import ClauseSplitter
from voice_server.speech.engine import EngineError
from voice_server.speech.language import TextLanguage
from voice_server.speech.verbalise import verbalise
from voice_server.start_failed import StartFailed, first_of
from voice_server.telephony.calls import Calls
from voice_server.tenants import Reload, Reloader, Tenant
from voice_server.translators import caption_translator
from voice_server.web.application import REALTIME, WebBackend, create_application, drain
from voice_server.web.telephony import DIALLER, TELEPHONY, drain_calls
from voice_server.web_seams import WebSeams
from voice_server.weights import WeightsMissing, WeightStore

log = logging.getLogger(__name__)

SHUTDOWN_S = 5.0
"""HTTP requests under way get so long when the server stops."""

HTTP_S = 10.0
"""Anything we ask of another server by ourselves, whatever its own deadline."""


class App:
    """One server process. Use ``async with app.running():``."""

    def __init__(self, settings: Settings) -> None:
        """Read the shop packs; nothing is loaded or opened yet.

        Raises:
            StartFailed: a shop pack is missing or wrong.
        """
        self.settings = settings
        self.store = WeightStore(settings.models)
        self.tenants = load_tenants(settings)
        self._embedder = UniversalSentenceEncoder()
        self._shows = Shows(settings)
        self._desks = OpenDesks(settings)
        self._engines = Engines()
        self._reloader: Reloader | None = None
        self._model: LanguageModel | None = None
        self._books: Bookkeeping | None = None
        self._phone_book: PhoneBook | None = None
        self._returning: Returning | None = None
        self._http: aiohttp.ClientSession | None = None
        self._application: web.Application | None = None
        self.port = settings.port
        """The port listened on: the system's choice when the settings say 0."""

    @property
    def shop(self) -> Shop:
        """The default shop, as its pack is now."""
        return self.tenants.default.shop

    # ------------------------------------------------------------- lifecycle

    @asynccontextmanager
    async def running(self, stop: asyncio.Event | None = None) -> AsyncIterator[App]:
        """Listen at once, become ready when the engines are, stop at the end of the block.

        ``stop``, when set, ends the loading; the block is entered all the same.

        Raises:
            StartFailed: the address is taken, or the engines cannot be loaded.
        """
        began = time.monotonic()
        try:
            application = self._application = create_application(self._web_backend())
        except ValueError as error:  # a setting that only the part it is for can judge
            raise StartFailed(str(error)) from None
        runner = web.AppRunner(
            application, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S
        )
        try:
            await runner.setup()
        except OSError as error:
            raise StartFailed(
                f"cannot listen for AudioSocket ({self.settings.audiosocket or 'off'}) or SIP "
                f"({self.settings.sip or 'off'}): {error.strerror or error}"
            ) from None
        try:
            books = self._books = await open_books(self.settings)
            self._phone_book = open_phone_book(books, self.settings.data, self.tenants)
            self._returning = Returning(books.storage, self.settings.resume_s)
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=HTTP_S))
            await self._listen(runner)
            async with asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(self._keep_model()),
                    tasks.create_task(self._shows.run()),
                ]
                background.append(tasks.create_task(books.run()))
                background.append(tasks.create_task(application[REALTIME].sessions.renew()))
                try:
                    await self._load_or_stop(tasks, background, stop or asyncio.Event())
                    if self.loaded:
                        keeping = keep_calls(self._phone_book, application[DIALLER])
                        background.append(tasks.create_task(keeping))
                        log.info("ready after %.1f s", time.monotonic() - began)
                        self._greet()
                    yield self
                finally:
                    for task in background:
                        task.cancel()
        except* (StartFailed, WeightsMissing, EngineError) as errors:
            raise StartFailed(str(first_of(errors))) from None
        finally:
            await runner.cleanup()
            if self._reloader is not None:
                self._reloader.close()
            if self._engines.voices is not None:
                await self._engines.voices.close()
            for tenant in self.tenants:
                await tenant.close()
            if self._http is not None:
                await self._http.close()
            if self._books is not None:  # last: what the callers said to the end is written
                await self._books.close()

    async def _listen(self, runner: web.AppRunner) -> None:
        host, port = self.settings.host, self.settings.port
        site = web.TCPSite(runner, host, port, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            raise StartFailed(
                f"cannot listen on {host}:{port}: {error.strerror or error}. Is another server "
                "running there? Choose another port with --port."
            ) from None
        self.port = runner.addresses[0][1]
        self._shows.outputs.listening(self.port)
        log.info("listening on %s:%d, loading the engines", host, self.port)

    def _greet(self) -> None:
        host = "localhost" if self.settings.host in ("127.0.0.1", "::1") else self.settings.host
        mode = " (demo mode: any key is accepted)" if self.settings.demo_mode else ""
        for tenant in self.tenants:
            path = "" if tenant is self.tenants.default else f"s/{tenant.id}/"
            log.info(
                "%s speaks at http://%s:%d/%s%s", tenant.shop.name, host, self.port, path, mode
            )

    async def drain(self) -> None:
        """Refuse new sessions and let talking ones finish, boundedly; all are closed with 1001."""
        if self._application is not None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(drain(self._application, self.settings.drain_s))
                tasks.create_task(drain_calls(self._application, self.settings.drain_s))

    # --------------------------------------------------------------- loading

    @property
    def loaded(self) -> bool:
        """Whether the engines are there."""
        return self.tenants.default.services is not None

    async def _load_or_stop(
        self, tasks: asyncio.TaskGroup, background: list[asyncio.Task[None]], stop: asyncio.Event
    ) -> None:
        loading = asyncio.ensure_future(self._load(tasks, background))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not loading.done():
                loading.cancel()
                log.info("stopped while loading")
        if not loading.cancelling():
            await loading

    async def _load(self, tasks: asyncio.TaskGroup, background: list[asyncio.Task[None]]) -> None:
        """Load speech and facts side by side; the language model joins later by itself."""
        async with asyncio.TaskGroup() as loading:
            listening = loading.create_task(load_listeners(self.settings, self.store))
            speaking = loading.create_task(
                load_voices(
                    self.settings,
                    self.store,
                    market=self.shop.market.country,
                    preferences={lang: (voice,) for lang, voice in self.shop.voices.items()},
                )
            )
            facts = loading.create_task(asyncio.to_thread(self._load_facts))
        listeners = self._engines.listeners = listening.result()
        voices = self._engines.voices = speaking.result()
        learnt, language = facts.result()
        for tenant, knowledge in learnt.items():
            assert self._books is not None, "opened before listening"  # noqa: S101
            assert self._http is not None, "opened before listening"  # noqa: S101
            records = await self._books.records(
                tenant.shop, self._model, lambda: not self._callers()
            )
            try:
                desk = await self._desks.open(tenant.shop, self._model)
                people = PhoneHandOffs(
                    self._calls, self._desks.hand_offs(tenant.id), shop=tenant.id,
                    promises=self._phone_book,
                )  # fmt: skip
                tenant.procedures = Procedures(tenant.shop, self.settings, self._http, people)
                flows = tenant.flows(knowledge)
            except (DeskUnusable, ValueError, OSError) as error:
                raise StartFailed(f"{tenant.shop.name}: {error}") from None
            background.append(tasks.create_task(desk.run()))
            self._open_shop(tenant, knowledge, language, records, flows)
        self._engines.rest = RestBackend(
            tts=voices.speaker,
            stt=listeners.stt,
            languages=self.shop.languages,
            identify_language=lambda text: language.identify(text, self.shop.languages)[0],
            voices=self._engines.voice_ids(),
        )
        self._reloader = Reloader(self.tenants, self._learn, adopted=self._adopted)
        background.append(tasks.create_task(self._reloader.watch(self.settings.watch_s)))
        background.append(tasks.create_task(listeners.vad.run()))
        if self.settings.warm_phrases:
            warming = warm_phrases(self.tenants, voices, self._callers)
            background.append(tasks.create_task(warming))
        # Everything loaded so far lives as long as the process: never look at it again.
        gc.collect()
        gc.freeze()
        background.append(tasks.create_task(tidy(self._callers)))

    def _open_shop(
        self,
        tenant: Tenant,
        knowledge: Knowledge,
        language: TextLanguage,
        records: Records,
        flows: ShopFlows | None,
    ) -> None:
        """Let a shop answer. Called when the engines are loaded."""
        listeners, voices = self._engines.listeners, self._engines.voices
        assert listeners is not None, "called when loaded"  # noqa: S101
        assert voices is not None, "called when loaded"  # noqa: S101
        dialogue = ShopDialogue(
            tenant.identity,
            tenant.shop.languages,
            knowledge,
            language.identify,
            ClauseSplitter,
            model=self._model,
            options=DialogueOptions(
                llm_leads=self.settings.llm_leads, disclose_first=self.settings.disclose_first
            ),
            guards=tenant.guards(),
            flows=flows,
            records=records,
            prompts=self._books.prompts if self._books is not None else None,
        )
        services = Services(
            vad=listeners.vad,
            end_of_turn=listeners.end_of_turn,
            stt=listeners.stt,
            tts=voices.speaker_for(tenant.shop),
            dialogue=dialogue,
        )
        tenant.open(dialogue, services)
        self._shows.open(
            ShopEngines(
                tenant.shop,
                tenant.pictures,
                knowledge,
                self._embedder,
                language.identify,
                dialogue,
                services.tts,
                tenant.guards(),
                caption_translator(tenant.shop, self._model),
            ),
            first=tenant is self.tenants.default,
        )

    def _load_facts(self) -> tuple[dict[Tenant, Knowledge], TextLanguage]:
        self._embedder.warm()
        learnt = {tenant: self._learn(tenant.shop, tenant.pictures) for tenant in self.tenants}
        return learnt, TextLanguage()

    def _learn(self, shop: Shop, pictures: str) -> Knowledge:
        """Learn a shop's facts. Blocks for seconds."""
        for language in shop.languages:
            verbalise("1", language)  # compiles the rules, which no caller should wait for
        self._desks.read(shop)
        cache = self.settings.models / "derived" / "facts"
        return Knowledge(shop, self._embedder, cache=cache, pictures=pictures)

    def _calls(self) -> Calls:
        assert self._application is not None, "called while serving"  # noqa: S101
        return self._application[TELEPHONY].calls

    def _callers(self) -> int:
        """Return how many are connected, by whatever way."""
        assert self._application is not None, "called while serving"  # noqa: S101
        return len(self._application[REALTIME].sessions) + len(self._application[TELEPHONY].calls)

    # ---------------------------------------------------------- language model

    async def _keep_model(self) -> None:
        """Fetch the embedded model if it is missing, then keep its child alive."""
        model = self._model
        if isinstance(model, ChatEndpoint):
            await probe(model)
            return
        if not isinstance(model, EmbeddedModel):
            return
        assert self._books is not None, "opened before listening"  # noqa: S101
        prompts = self._books.prompts
        model.keep_warm(prefix(self.tenants.default.identity, prompts.get(prompts.rollout.active)))
        await keep_embedded(model, self.settings.embedded_model, self.store)

    # ---------------------------------------------------------- edited packs

    async def reload(self, tenant: Tenant) -> Reload:
        """Take an edited pack over, without dropping calls; a broken one is refused in words."""
        if self._reloader is None:
            return Reload(False, refusal="the server is still loading: its packs are fresh")
        return await self._reloader.reload(tenant)

    def reload_soon(self) -> None:
        """Look at all packs as soon as possible, and take edited ones over (SIGHUP)."""
        if self._reloader is not None:
            self._reloader.hurry()

    def _adopted(self, tenant: Tenant) -> None:
        """A tenant has a new pack: new sessions speak as it says."""
        if tenant.services is not None and self._engines.voices is not None:
            speaker = self._engines.voices.speaker_for(tenant.shop)
            tenant.services = replace(tenant.services, tts=speaker)
        self._desks.renew(tenant.shop)
        if tenant.knowledge is not None:
            self._shows.renew(tenant.shop, tenant.knowledge)
        if tenant is self.tenants.default and isinstance(self._model, EmbeddedModel):
            self._model.keep_warm(prefix(tenant.identity))

    # ------------------------------------------------------------------- web

    def _web_backend(self) -> WebBackend:
        self._model = make_model(self.settings)
        seams = WebSeams(
            self.settings,
            self.tenants,
            self._engines,
            self._desks,
            self._shows,
            self._model,
            self.reload,
            lambda: self._returning,
            lambda: self._books.storage if self._books is not None else None,
            lambda: self._phone_book,
            lambda *told: None if self._books is None else self._books.welcome(*told),
        )
        return seams.backend()


__all__ = ["App", "StartFailed"]
