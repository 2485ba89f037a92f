"""Captions that no text of the shop has: translated, prices and names untouched, in time."""

from __future__ import annotations

import asyncio
from typing import Any

from voice_server.desk.translation import Translator
from voice_server.live.caption_work import KEPT, WAITING, CaptionWork
from voice_server.live.captions import CUE, Caption, CaptionLog, cues, webvtt
from voice_server.live.show_events import Line, LineKind


async def loud(text: str, source: str, target: str) -> str:
    """A model that keeps the marks and shouts."""
    await asyncio.sleep(0)
    return f"{target}: {text.upper()}"


def line(text: str, ident: str = "l1", **more: Any) -> Line:
    return Line(ident, text, "fr", LineKind.ANSWER, **more)


class Scene:
    """Captions at work, with what the pages are sent."""

    def __init__(self, translate: Any = loud) -> None:
        self.log = CaptionLog()
        self.sent: list[dict[str, Any]] = []
        translator = translate and Translator(translate, internal_language="fr", names=("Oslo",))
        self.work = CaptionWork(translator, ["fr", "nl", "de"], self.log, self.sent.append)

    async def settle(self) -> None:
        running = asyncio.ensure_future(self.work.run())
        for _ in range(200):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_prices_and_names_are_the_same_to_the_byte() -> None:
    scene = Scene()
    text = "La lampe Oslo coûte 49,90 € au lieu de 59,90 €."
    scene.work.begin(line(text))
    scene.log.add(Caption(1.0, 4.0, (("fr", text),)))
    await scene.settle()
    assert [message["captions"] for message in scene.sent] == [
        {"nl": "nl: LA LAMPE Oslo COÛTE 49,90 € AU LIEU DE 59,90 €."},
        {"de": "de: LA LAMPE Oslo COÛTE 49,90 € AU LIEU DE 59,90 €."},
    ]
    assert "49,90 €" in scene.log.webvtt("de")
    assert "de: LA LAMPE Oslo" in scene.log.webvtt("de")


async def test_what_was_translated_ahead_is_there_when_the_line_begins() -> None:
    scene = Scene()
    scene.work.ahead("Bonjour à tous.", "fr", ["nl"])
    await scene.settle()
    said = line("Bonjour à tous.", captions=(("nl", "Dag allemaal."),))
    scene.work.begin(said)
    assert scene.sent == [
        {"type": "captions", "id": "l1", "captions": {"de": "de: BONJOUR À TOUS."}}
    ]
    assert dict(scene.work.known(said))["nl"] == "Dag allemaal."
    assert dict(scene.work.known(said))["de"].startswith("de:")


async def test_a_translation_that_loses_a_price_is_not_shown() -> None:
    async def forgets(text: str, source: str, target: str) -> str:
        return "Het kost niets."

    scene = Scene(forgets)
    scene.work.begin(line("Elle coûte 49,90 €."))
    await scene.settle()
    assert scene.sent == []


async def test_without_a_model_nothing_is_queued_and_the_queue_is_bounded() -> None:
    none = Scene(None)
    none.work.begin(line("Bonjour."))
    assert none.work._queue == {}
    scene = Scene()
    for number in range(2 * WAITING):
        scene.work.ahead(f"Phrase {number}.", "fr")
    assert len(scene.work._queue) == WAITING
    for number in range(KEPT + 5):
        scene.work._known[f"{number}", "fr", "nl"] = "x"
    await scene.settle()
    assert len(scene.work._known) <= KEPT + WAITING


def test_long_sentences_are_cut_at_the_pace_of_speech() -> None:
    text = (
        "Cette lampe éclaire doucement toute la pièce, et son pied, qui est en métal brossé, se "
        "touche pour régler la lumière sur trois niveaux."
    )
    parts = cues(text)
    assert " ".join(parts) == text
    assert len(parts) >= 2
    assert all(len(part) <= CUE for part in parts)
    file = webvtt([Caption(10.0, 18.0, (("fr", text),))], "fr")
    times = [row for row in file.splitlines() if "-->" in row]
    assert times[0].startswith("00:00:10.000")
    assert times[-1].endswith("00:00:18.000")
    assert len(times) == len(parts)
    assert cues("   ") == []
    assert cues("a" * 300) == ["a" * 300]
