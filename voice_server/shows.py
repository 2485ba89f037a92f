"""The shows of one server: read from the shop packs (``shows/*.toml``) and run while it serves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from voice_server.assets import assets_dir
from voice_server.config import Settings
from voice_server.dialogue.dialogue import Dialogue
from voice_server.dialogue.embedder import Embedder
from voice_server.dialogue.knowledge import Knowledge
from voice_server.live.answers import Answerer
from voice_server.live.chat.eventsub_source import EventSubSource
from voice_server.live.chat.source import ChatSource
from voice_server.live.chat.twitch_source import TwitchSource
from voice_server.live.crowd import DemoCrowd
from voice_server.live.facts import ShopFacts
from voice_server.live.phrases import fixed
from voice_server.live.run_sheet import RunSheet, RunSheetError, load
from voice_server.live.session import ShowSession
from voice_server.live.show import State
from voice_server.live.understanding import Identify, ShopUnderstanding
from voice_server.shop.shop import Shop
from voice_server.speech.engine import TextToSpeech
from voice_server.speech.tts.speaker import Speaker
from voice_server.web.live import LiveBackend, add_live

log = logging.getLogger(__name__)

FOLDER = "shows"
"""Folder of a shop pack with its run-sheets."""
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


class Shows:
    """All shows of the server, by id."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is read yet."""
        self._settings = settings
        self._sessions: dict[str, ShowSession] = {}
        self._engines: dict[str, tuple[RunSheet, ShopEngines]] = {}
        self._opened = asyncio.Event()

    def get(self, show_id: str) -> ShowSession | None:
        """Return a show, None when there is none of that id (yet)."""
        return self._sessions.get(show_id)

    def add_routes(self, application: web.Application) -> None:
        """Add the routes of the live show."""
        secret = self._settings.show_secret.get_secret_value()
        add_live(application, LiveBackend(self.get, assets_dir("avatars"), lambda: secret))

    def open(self, engines: ShopEngines, *, first: bool) -> None:
        """Take a shop's run-sheets; a wrong one is named in the log and left out.

        ``first``: it is the default shop, which run-sheets given on the command line are for.
        """
        files = sorted((engines.shop.folder / FOLDER).glob("*.toml"))
        for path in [*files, *(self._settings.shows if first else ())]:
            try:
                sheet = load(path)
            except RunSheetError as error:
                log.error("the run-sheet %s is left out: %s", path, error)
                continue
            unknown = set(sheet.languages) - set(engines.shop.languages)
            if unknown:
                log.error(
                    "the run-sheet %s is left out: %s does not speak %s",
                    path, engines.shop.name, ", ".join(sorted(unknown)),
                )  # fmt: skip
                continue
            self._engines[sheet.id] = (sheet, engines)
        self._opened.set()

    async def run(self) -> None:
        """Run all shows until this is cancelled; one that fails or ends waits to begin anew."""
        await self._opened.wait()
        async with asyncio.TaskGroup() as tasks:
            for show_id in self._engines:
                tasks.create_task(self._keep(show_id))

    async def _keep(self, show_id: str) -> None:
        sheet, engines = self._engines[show_id]
        while True:
            session = self._sessions[show_id] = self._session(sheet, engines)
            try:
                await session.run()
                log.info("the show %s is over", show_id)
            except Exception:  # other shows, and the shop's callers, go on
                log.exception("the show %s failed", show_id)
            await asyncio.sleep(RESTART_S)

    def _session(self, sheet: RunSheet, engines: ShopEngines) -> ShowSession:
        facts = ShopFacts(engines.shop, engines.pictures)
        understanding = ShopUnderstanding(
            engines.shop, engines.knowledge, engines.embedder, engines.identify
        )
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
        )
        crowd.append(session)
        return session

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
