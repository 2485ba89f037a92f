"""The composition root: builds everything from the settings, starts, drains and stops it."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from voice_server.bookkeeping import Bookkeeping
from voice_server.config import Settings
from voice_server.conversation.mutable import MutableConversation
from voice_server.conversation.notices import Notice
from voice_server.conversation.services import ConversationOptions, Services
from voice_server.conversation.session import Conversation
from voice_server.conversation.transcript import History
from voice_server.desk.registry import DeskUnusable
from voice_server.desks import OpenDesks
from voice_server.dialogue.answering import DialogueOptions
from voice_server.dialogue.embedder import UniversalSentenceEncoder
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.llm.client import ChatEndpoint
from voice_server.dialogue.llm.embedded import EmbeddedModel
from voice_server.dialogue.llm.model import LanguageModel, LlmBarred, LlmError
from voice_server.dialogue.llm.vendors import EndpointError, endpoint
from voice_server.dialogue.manager import ShopDialogue
from voice_server.dialogue.prompt import prefix
from voice_server.dialogue.prompts.version import PromptError
from voice_server.dialogue.recollection import Records
from voice_server.engines import Listeners, Voices, load_listeners, load_voices
from voice_server.heap import give_back
from voice_server.phone_handoffs import PhoneHandOffs
from voice_server.phone_lines import add_phone, lines, spoken_by_phone, telephony_backend
from voice_server.procedures import Procedures
from voice_server.realtime.api_errors import ApiError
from voice_server.realtime.ports import PRINCIPAL, RealtimeBackend
from voice_server.realtime.rest_backend import RestBackend
from voice_server.realtime.session_config import SessionDefaults
from voice_server.records import StorageError
from voice_server.shop.pack import load, resolve
from voice_server.shop.pack_reader import PackError
from voice_server.shop.shop import Shop
from voice_server.shows import ShopEngines, Shows
from voice_server.speech.clauses import ClauseSplitter
from voice_server.speech.engine import EngineError
from voice_server.speech.language import TextLanguage
from voice_server.speech.tts.speaker import Phrase
from voice_server.speech.verbalise import verbalise
from voice_server.speech.visemes import visemes
from voice_server.telephony.calls import Calls
from voice_server.tenants import (
    Reload,
    Reloader,
    ShopForbidden,
    Tenant,
    Tenants,
    UnknownShop,
)
from voice_server.web.application import REALTIME, WebBackend, create_application, drain
from voice_server.web.pages import add_pages
from voice_server.web.storefronts import Storefront, Storefronts, add_storefronts
from voice_server.web.telephony import TELEPHONY, drain_calls
from voice_server.weights import DiskFull, FetchFailed, WeightsMissing, WeightStore, progress_for

log = logging.getLogger(__name__)

SHUTDOWN_S = 5.0
"""HTTP requests under way get so long when the server stops."""

HTTP_S = 10.0
"""Anything we ask of another server by ourselves, whatever its own deadline."""

WARM_POLL_S = 1.0
"""How often the preparation of fixed sentences looks whether the callers have gone."""

TIDY_S = 10.0
"""How often is looked whether callers have come or gone, to give memory back."""

RETRY_LLM_S = 300.0
"""A language model that could not be fetched is tried again after so long."""


class StartFailed(Exception):
    """The server cannot start; the message says what to do."""


class App:
    """One server process. Use ``async with app.running():``."""

    def __init__(self, settings: Settings) -> None:
        """Read the shop packs; nothing is loaded or opened yet.

        Raises:
            StartFailed: a shop pack is missing or wrong.
        """
        self.settings = settings
        self.store = WeightStore(settings.models)
        self.tenants = _load_tenants(settings)
        self._embedder = UniversalSentenceEncoder()
        self._shows = Shows(settings)
        self._desks = OpenDesks(settings)
        self._reloader: Reloader | None = None
        self._listeners: Listeners | None = None
        self._voices: Voices | None = None
        self._rest: RestBackend | None = None
        self._model: LanguageModel | None = None
        self._books: Bookkeeping | None = None
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
            books = self._books = await _open_books(self.settings)
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=HTTP_S))
            await self._listen(runner)
            async with asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(self._keep_model()),
                    tasks.create_task(self._shows.run()),
                ]
                background.append(tasks.create_task(books.run()))
                try:
                    await self._load_or_stop(tasks, background, stop or asyncio.Event())
                    if self.loaded:
                        log.info("ready after %.1f s", time.monotonic() - began)
                        self._greet()
                    yield self
                finally:
                    for task in background:
                        task.cancel()
        except* (StartFailed, WeightsMissing, EngineError) as errors:
            raise StartFailed(str(_first(errors))) from None
        finally:
            await runner.cleanup()
            if self._reloader is not None:
                self._reloader.close()
            if self._voices is not None:
                await self._voices.close()
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
            listeners = loading.create_task(load_listeners(self.settings, self.store))
            voices = loading.create_task(
                load_voices(
                    self.settings,
                    self.store,
                    market=self.shop.market.country,
                    preferences={lang: (voice,) for lang, voice in self.shop.voices.items()},
                )
            )
            facts = loading.create_task(asyncio.to_thread(self._load_facts))
        self._listeners, self._voices = listeners.result(), voices.result()
        learnt, language = facts.result()
        for tenant, knowledge in learnt.items():
            assert self._books is not None, "opened before listening"  # noqa: S101
            assert self._http is not None, "opened before listening"  # noqa: S101
            records = await self._books.records(tenant.shop, self._model, lambda: not self._callers)
            try:
                desk = await self._desks.open(tenant.shop, self._model)
                people = PhoneHandOffs(self._calls, self._desks.hand_offs(tenant.id))
                tenant.procedures = Procedures(tenant.shop, self.settings, self._http, people)
                tenant.procedures.flows(tenant.shop, knowledge)  # a wrong file is told at start
            except (DeskUnusable, ValueError, OSError) as error:
                raise StartFailed(f"{tenant.shop.name}: {error}") from None
            background.append(tasks.create_task(desk.run()))
            self._open_shop(tenant, knowledge, language, records)
        self._rest = RestBackend(
            tts=self._voices.speaker,
            stt=self._listeners.stt,
            languages=self.shop.languages,
            identify_language=lambda text: language.identify(text, self.shop.languages)[0],
            voices=self._voice_ids(),
        )
        self._reloader = Reloader(self.tenants, self._learn, adopted=self._adopted)
        background.append(tasks.create_task(self._reloader.watch(self.settings.watch_s)))
        background.append(tasks.create_task(self._listeners.vad.run()))
        if self.settings.warm_phrases:
            background.append(tasks.create_task(self._warm_phrases()))
        # Everything loaded so far lives as long as the process: never look at it again.
        gc.collect()
        gc.freeze()
        background.append(tasks.create_task(self._tidy()))

    def _open_shop(
        self, tenant: Tenant, knowledge: Knowledge, language: TextLanguage, records: Records
    ) -> None:
        """Let a shop answer. Called when the engines are loaded."""
        assert self._listeners is not None, "called when loaded"  # noqa: S101
        assert self._voices is not None, "called when loaded"  # noqa: S101
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
            flows=tenant.flows(knowledge),
            records=records,
            prompts=self._books.prompts if self._books is not None else None,
        )
        services = Services(
            vad=self._listeners.vad,
            end_of_turn=self._listeners.end_of_turn,
            stt=self._listeners.stt,
            tts=self._voices.speaker.speaking_for(*_voice_of(tenant)),
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
        cache = self.settings.models / "derived" / "facts"
        return Knowledge(shop, self._embedder, cache=cache, pictures=pictures)

    def _voice_ids(self) -> frozenset[str]:
        if self._voices is None:
            return frozenset()
        return frozenset(voice.id for voice in self._voices.speaker.voices())

    async def _warm_phrases(self) -> None:
        """Put the fixed sentences of every language into the phrase cache, behind all else."""
        assert self._voices is not None, "called when loaded"  # noqa: S101
        for tenant in self.tenants:
            assert tenant.dialogue is not None, "called when loaded"  # noqa: S101
            speaker = self._voices.speaker.speaking_for(*_voice_of(tenant))
            for language in tenant.shop.languages:
                for clause in tenant.dialogue.fixed(language):
                    await self._quiet()
                    await speaker.warm([Phrase(clause.text, clause.language)])
        for line, language, text in spoken_by_phone(lines(tenant.shop for tenant in self.tenants)):
            tenant = self.tenants.get(line.shop)
            speaker = self._voices.speaker.speaking_for(*_voice_of(tenant))
            await self._quiet()
            await speaker.warm([Phrase(text, language)])

    async def _tidy(self) -> None:
        """Give free memory back after loading, and whenever the last caller has gone."""
        used = True
        while True:
            if used and not self._callers:
                await asyncio.to_thread(give_back)
                used = False
            await asyncio.sleep(TIDY_S)
            used = used or bool(self._callers)

    def _calls(self) -> Calls:
        assert self._application is not None, "called while serving"  # noqa: S101
        return self._application[TELEPHONY].calls

    @property
    def _callers(self) -> int:
        """How many are connected, by whatever way."""
        assert self._application is not None, "called while serving"  # noqa: S101
        return len(self._application[REALTIME].sessions) + len(self._application[TELEPHONY].calls)

    async def _quiet(self) -> None:
        """Wait while anybody is connected: callers need the cores more than the cache does."""
        while self._callers:  # noqa: ASYNC110 - nobody would set it
            await asyncio.sleep(WARM_POLL_S)

    # ---------------------------------------------------------- language model

    async def _keep_model(self) -> None:
        """Fetch the embedded model if it is missing, then keep its child alive."""
        model = self._model
        if isinstance(model, ChatEndpoint):
            await _probe(model)
            return
        if not isinstance(model, EmbeddedModel):
            return
        assert self._books is not None, "opened before listening"  # noqa: S101
        prompts = self._books.prompts
        model.keep_warm(prefix(self.tenants.default.identity, prompts.get(prompts.rollout.active)))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(model.run())
            weights = await self._model_weights(model)
            model.weights_arrived(weights)

    async def _model_weights(self, model: EmbeddedModel) -> Path:
        name = self.settings.embedded_model
        while True:
            try:
                return next(self.store.path(name).glob("*.gguf"))
            except WeightsMissing:
                model.downloading()
                log.info("fetching the language model %s in the background", name)
            try:
                await self.store.fetch([name], progress=progress_for(sys.stderr))
            except (FetchFailed, DiskFull) as error:
                log.warning(
                    "no language model for now, answers come from the shop's facts: %s", error
                )
                await asyncio.sleep(RETRY_LLM_S)

    def _make_model(self) -> LanguageModel | None:
        llm = self.settings.llm
        if llm == "none":
            return None
        if llm == "embedded":
            return EmbeddedModel()
        settings = self.settings
        try:
            address = endpoint(
                llm,
                api=settings.llm_api,
                api_version=settings.llm_api_version,
                residency=settings.llm_residency,
                region=settings.llm_region,
            )
        except EndpointError as error:
            raise StartFailed(str(error)) from None
        key = settings.llm_key.get_secret_value()
        return ChatEndpoint(address, key=key, model=settings.llm_model)

    # ------------------------------------------------------------------ seams

    def _web_backend(self) -> WebBackend:
        self._model = self._make_model()
        settings = self.settings
        return WebBackend(
            realtime=replace(self._realtime(self.tenants.default), for_request=self._realtime_for),
            rest=lambda: self._rest,
            ready=self._ready,
            details=self._details,
            api_keys=tuple(key.get_secret_value() for key in settings.api_keys),
            shop_keys={
                self.tenants.get(shop).id: tuple(key.get_secret_value() for key in keys)
                for shop, keys in settings.shop_keys.items()
            },
            demo=settings.demo_mode,
            allowed_origins=settings.allowed_origins,
            extend=[
                self._add_pages,
                self._add_phone,
                self._shows.add_routes,
                self._desks.add_routes,
            ],
        )

    def _realtime(self, tenant: Tenant) -> RealtimeBackend:
        """Return what a session with a shop starts from."""
        settings = self.settings
        return RealtimeBackend(
            open_conversation=partial(self._open_conversation, tenant),
            defaults=SessionDefaults(
                instructions=tenant.shop.tone, allow_instructions=settings.allow_instructions
            ),
            visemes=visemes,
            voices=self._voice_ids,
            max_sessions=settings.max_sessions,
            resume_s=settings.resume_s,
        )

    def _realtime_for(self, request: web.Request) -> tuple[str, RealtimeBackend]:
        tenant = self._shop_of(request)
        return tenant.id, self._realtime(tenant)

    def _shop_of(self, request: web.Request, asked: str = "") -> Tenant:
        """Return the shop a request is for. Raises ApiError."""
        principal = request.get(PRINCIPAL)
        bound = principal.shop if principal is not None else ""
        asked = asked or request.query.get("shop", "")
        try:
            return self.tenants.pick(asked=asked, host=request.host, bound=bound)
        except UnknownShop as error:
            raise ApiError(404, str(error.args[0]), code="shop_not_found") from None
        except ShopForbidden as error:
            raise ApiError(403, str(error), code="shop_forbidden") from None

    def _add_pages(self, application: web.Application) -> None:
        add_pages(application, None)
        add_storefronts(
            application, Storefronts(self._shop_of, lambda: list(self.tenants), self._reload_json)
        )

    def _add_phone(self, application: web.Application) -> None:
        backend = telephony_backend(
            self.settings,
            lambda: [tenant.shop for tenant in self.tenants],
            self._open_call,
            ready=self._ready,
        )
        add_phone(application, self.settings, backend)

    def _open_call(
        self,
        shop_id: str,
        options: ConversationOptions,
        *,
        emit: Callable[[Notice], None],
        history: History,
        channel: str = "phone",
    ) -> MutableConversation:
        services = self.tenants.get(shop_id).services
        if services is None:
            raise EngineError("the engines are still being loaded")

        def make(emit: Callable[[Notice], None]) -> Conversation:
            return Conversation(services=services, options=options, emit=emit, history=history)

        return self._desks.join(shop_id, options.session_id, emit, make, channel=channel)

    async def _reload_json(self, front: Storefront) -> Mapping[str, Any]:
        result = await self.reload(self.tenants.get(front.id))
        problems = [
            {"severity": p.severity, "file": p.file, "line": p.line, "message": p.message,
             "remedy": p.remedy}
            for p in result.problems
        ]  # fmt: skip
        return {"changed": result.changed, "refusal": result.refusal, "problems": problems}

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
        if tenant.services is not None and self._voices is not None:
            speaker = self._voices.speaker.speaking_for(*_voice_of(tenant))
            tenant.services = replace(tenant.services, tts=speaker)
        if tenant is self.tenants.default and isinstance(self._model, EmbeddedModel):
            self._model.keep_warm(prefix(tenant.identity))

    def _ready(self) -> Mapping[str, bool]:
        return {
            "vad": self._listeners is not None,
            "end_of_turn": self._listeners is not None,
            "speech_to_text": self._listeners is not None,
            "text_to_speech": self._voices is not None,
            "facts": self.loaded,
        }

    def _details(self) -> Mapping[str, str]:
        model = self._model
        if model is None:
            state = "none"
        elif isinstance(model, EmbeddedModel):
            state = model.state.value
        else:
            state = "endpoint"
        return {"language_model": state}

    def _open_conversation(
        self,
        tenant: Tenant,
        *,
        session_id: str,
        input_rate: int,
        emit: Callable[[Notice], None],
        history: History,
        flushes: bool,
        language: str | None,
    ) -> MutableConversation:
        options = ConversationOptions(
            session_id,
            input_rate=input_rate,
            flushes=flushes,
            language=language,
            lead_ms=self.settings.lead_ms,
        )
        return self._open_call(tenant.id, options, emit=emit, history=history, channel="button")


async def _open_books(settings: Settings) -> Bookkeeping:
    try:
        return await Bookkeeping.open(settings)
    except (StorageError, PromptError) as error:
        raise StartFailed(str(error)) from None


async def _probe(model: ChatEndpoint) -> None:
    """Say at start whether the endpoint answers; callers hear facts while it does not.

    Raises:
        StartFailed: it answers from outside the residency that was promised.
    """
    try:
        await model.probe()
    except LlmBarred as error:
        raise StartFailed(str(error)) from None
    except LlmError as error:
        log.warning("no language model for now, answers come from the shop's facts: %s", error)
    else:
        log.info("the language model %s at %s answers", model.model, model.base_url)


def _load_tenants(settings: Settings) -> Tenants:
    """Read all shop packs. Raises StartFailed."""
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


def _voice_of(tenant: Tenant) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Return a shop's market and the voices it prefers, by language."""
    voices: dict[str, tuple[str, ...]]
    voices = {language: (voice,) for language, voice in tenant.shop.voices.items()}
    return tenant.shop.market.country, voices


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group


__all__ = ["App", "StartFailed"]
