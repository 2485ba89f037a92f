"""The shows of one server: read from the shop packs (``shows/*.toml``) and run while it serves."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aiohttp import web

from voice_server.assets import assets_dir
from voice_server.config import Settings
from voice_server.dialogue.dialogue import Dialogue
from voice_server.dialogue.embedder import Embedder
from voice_server.dialogue.guards.packs import GuardPack
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.translation import Translates
from voice_server.live.answers import Answerer
from voice_server.live.chat.eventsub_source import EventSubSource
from voice_server.live.chat.source import ChatSource
from voice_server.live.chat.twitch_source import TwitchSource
from voice_server.live.crowd import DemoCrowd
from voice_server.live.facts import ShopFacts
from voice_server.live.host_words import HostWords
from voice_server.live.phrases import fixed
from voice_server.live.report_store import ReportStore
from voice_server.live.run_sheet import RunSheet, RunSheetError, parse, read
from voice_server.live.session import ShowSession
from voice_server.live.sheet_book import SheetBook
from voice_server.live.sheet_store import SheetStore, Table
from voice_server.live.show import State
from voice_server.live.understanding import Identify, ShopUnderstanding
from voice_server.shop.live_catalogue import LiveCatalogue
from voice_server.shop.shop import Shop
from voice_server.show_outputs import ShowOutputs
from voice_server.show_sheets import ShowSheets
from voice_server.speech.engine import TextToSpeech
from voice_server.speech.tts.speaker import Speaker
from voice_server.web.live import LiveBackend, add_live
from voice_server.web.live_sheets import add_sheets

log = logging.getLogger(__name__)

FOLDER = "shows"
"""Folder of a shop pack with its run-sheets."""
REPORTS = "show-reports"
"""Folder of the data with what shows brought."""
DEMO = "demo"
RESTART_S = 3.0
"""A show that ended can be begun anew so long after it: its pages have been told by then."""


@dataclass(frozen=True, slots=True)
class ShopEngines:
    """What a shop's shows are made of."""

    shop: Shop
    pictures: str
    knowledge: Knowledge
    embedder: Embedder
    identify: Identify
    dialogue: Dialogue
    tts: TextToSpeech
    guards: Mapping[str, GuardPack] = field(default_factory=dict)
    translator: Translates | None = None
    """Makes the captions that the shop's texts do not have."""


class Shows:
    """All shows of the server, by id."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is read yet."""
        self._settings = settings
        self._sessions: dict[str, ShowSession] = {}
        self._engines: dict[str, tuple[RunSheet, ShopEngines]] = {}
        self._parts: dict[str, tuple[ShopFacts, ShopUnderstanding]] = {}
        self._runs: dict[str, asyncio.Future[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._opened = asyncio.Event()
        self.sheets = ShowSheets(self)
        self.reports = ReportStore(settings.data / REPORTS)
        self.outputs = ShowOutputs(settings)

    def get(self, show_id: str) -> ShowSession | None:
        """Return a show, None when there is none of that id (yet)."""
        return self._sessions.get(show_id)

    def add_routes(self, application: web.Application) -> None:
        """Add the routes of the live show."""
        secret = self._settings.show_secret.get_secret_value()
        add_live(
            application,
            LiveBackend(
                self.get, assets_dir("avatars"), lambda: secret, self.shop_of, self.reports
            ),
        )
        add_sheets(application, self.sheets, assets_dir("avatars"))
        self.outputs.add_routes(application, self.shop_of)

    def open(self, engines: ShopEngines, *, first: bool) -> None:
        """Take a shop's run-sheets; a wrong one is named in the log and left out.

        ``first``: it is the default shop, which run-sheets given on the command line are for.
        """
        files = sorted((engines.shop.folder / FOLDER).glob("*.toml"))
        packed: dict[str, Table] = {}
        for path in [*files, *(self._settings.shows if first else ())]:
            try:
                table = read(path)
                packed[self._check(table, engines).id] = table
            except RunSheetError as error:
                log.error("the run-sheet %s is left out: %s", path, error)
        folder = self._settings.data / FOLDER / engines.shop.id
        book = SheetBook(engines.shop, packed, SheetStore(folder))
        for kept in book.all():
            try:
                self._take(self._check(kept.table, engines), engines)
            except RunSheetError as error:
                log.error("version %d of the show %s is left out: %s", kept.version, kept.id, error)
        self.sheets.add(engines.shop.id, book, engines)
        self._opened.set()

    @staticmethod
    def _check(table: Table, engines: ShopEngines) -> RunSheet:
        sheet = parse(table)
        unknown = set(sheet.languages) - set(engines.shop.languages)
        if unknown:
            names = ", ".join(sorted(unknown))
            raise RunSheetError(f"{engines.shop.name} does not speak {names}")
        return sheet

    def shop_of(self, show_id: str) -> str:
        """Return the id of the shop whose show it is, "" when there is none."""
        found = self._engines.get(show_id)
        return found[1].shop.id if found is not None else ""

    def take(self, sheet: RunSheet, shop_id: str) -> None:
        """A run-sheet was edited, or is new: it holds at once as far as it can.

        A show that is on air takes it for the segments to come; one that waits begins anew.
        """
        engines = self.sheets.engines(shop_id)
        session = self._sessions.get(sheet.id)
        self._take(sheet, engines)
        if session is not None and session.state is not State.IDLE:
            session.revise(sheet)
        elif (run := self._runs.get(sheet.id)) is not None:
            run.cancel()  # nobody hears it: the new one is there a moment later

    def drop(self, show_id: str) -> None:
        """A run-sheet was removed; its pages are told to go."""
        self._engines.pop(show_id, None)
        self._sessions.pop(show_id, None)
        run = self._runs.pop(show_id, None)
        if run is not None:
            run.cancel()

    def _take(self, sheet: RunSheet, engines: ShopEngines) -> None:
        new = sheet.id not in self._engines
        self._engines[sheet.id] = (sheet, engines)
        if new and self._tasks is not None:
            self._tasks.create_task(self._keep(sheet.id))

    async def run(self) -> None:
        """Run all shows until this is cancelled; one that fails or ends waits to begin anew."""
        await self._opened.wait()
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for show_id in self._engines:
                tasks.create_task(self._keep(show_id))
            await asyncio.Event().wait()  # until cancelled: more shows may come

    async def _keep(self, show_id: str) -> None:
        while (found := self._engines.get(show_id)) is not None:
            session = self._sessions[show_id] = self._session(*found)
            run = self._runs[show_id] = asyncio.ensure_future(session.run())
            self.outputs.open(session)
            try:
                await asyncio.wait({run})
                if run.cancelled():
                    continue  # its run-sheet was edited or removed
                run.result()
                log.info("the show %s is over", show_id)
            except Exception:  # other shows, and the shop's callers, go on
                log.exception("the show %s failed", show_id)
            finally:
                run.cancel()
                await asyncio.gather(run, return_exceptions=True)
                await self.outputs.close(show_id, aired=session.report.began is not None)
                await self._keep_report(session)
            await asyncio.sleep(RESTART_S)

    async def _keep_report(self, session: ShowSession) -> None:
        """Keep the report of a show that was on air."""
        if session.report.began is None:
            return
        report = session.report.document(asyncio.get_running_loop().time(), unix_now=time.time())
        try:
            await asyncio.to_thread(self.reports.save, session.sheet.id, report)
        except OSError as error:
            log.error("the report of the show %s is lost: %s", session.sheet.id, error)

    def _session(self, sheet: RunSheet, engines: ShopEngines) -> ShowSession:
        facts = ShopFacts(engines.shop, engines.pictures, live(engines.shop, engines.knowledge))
        understanding = ShopUnderstanding(
            engines.shop, engines.knowledge, engines.embedder, engines.identify
        )
        self._parts[sheet.id] = (facts, understanding)
        demo = sheet.id == DEMO and self._settings.demo_mode
        sources = list(self._sources(sheet))
        if isinstance(engines.tts, Speaker):
            for language in sheet.languages:
                for text in fixed(language):
                    engines.tts.remember(text, language)
        crowd: list[ShowSession] = []
        if demo and self._settings.show_crowd:
            sources.append(
                DemoCrowd(lambda: crowd[0].state in (State.ON_AIR, State.LULL) if crowd else False)
            )
        session = ShowSession(
            sheet,
            facts,
            understanding,
            Answerer(understanding, facts, engines.dialogue),
            engines.tts,
            sources=sources,
            autostart=demo,
            host_words=HostWords(facts, engines.knowledge, engines.guards, engines.identify),
            translator=engines.translator,
        )
        crowd.append(session)
        return session

    def renew(self, shop: Shop, knowledge: Knowledge) -> None:
        """Let the shows of a shop speak of its edited pack from now on."""
        for show_id, (sheet, engines) in self._engines.items():
            if engines.shop.id != shop.id:
                continue
            renewed = replace(engines, shop=shop, knowledge=knowledge)
            self._engines[show_id] = (sheet, renewed)
            if (parts := self._parts.get(show_id)) is not None:
                facts, understanding = parts
                facts.renew(shop, live(shop, knowledge))
                understanding.renew(shop, knowledge)

    def _sources(self, sheet: RunSheet) -> Sequence[ChatSource]:
        settings = self._settings
        token = settings.twitch_token.get_secret_value()
        key = settings.youtube_key.get_secret_value()
        found: list[ChatSource] = []
        for address in sheet.chat:
            kind, _, rest = address.partition(":")
            if kind == "twitch":
                found.append(TwitchSource(rest))
            elif kind == "twitch-eventsub":
                broadcaster, _, user = rest.partition(":")
                found.append(
                    EventSubSource(
                        broadcaster=broadcaster,
                        user=user or broadcaster,
                        client_id=settings.twitch_client_id,
                        token=token,
                    )
                )
            else:
                # Here, because it loads gRPC, which nobody else needs.
                from voice_server.live.chat.youtube_source import YouTubeSource

                found.append(YouTubeSource(rest, key=key))
        return found


def live(shop: Shop, knowledge: Knowledge) -> LiveCatalogue | None:
    """Return a shop's catalogue behind the offers its knowledge follows, None if the pack is it."""
    return None if knowledge.offers is None else LiveCatalogue(shop, knowledge.offers)
